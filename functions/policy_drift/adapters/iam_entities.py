"""One user, group, role or policy of IAM, by its own calls."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from policy_drift.domain.account import EntityId, EntityKind, Group, ManagedPolicy, Role, User
from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

T = TypeVar("T")
_TRIES = 2
_GONE = "NoSuchEntity"


class ChangedWhileReadError(Exception):
    """Something of an entity was there and then was not: it is being changed right now."""


class IamEntities:
    """Reads entities one by one; ``calls`` counts what it cost."""

    def __init__(self, client: "IAMClient") -> None:
        self._iam = client
        self.calls = 0

    def principal(self, entity: EntityId) -> User | Group | Role | None:
        """The entity; None where IAM says that it is not there. Raises ChangedWhileReadError."""
        read: Mapping[EntityKind, Callable[[str], User | Group | Role | None]] = {
            EntityKind.USER: self._user,
            EntityKind.GROUP: self._group,
            EntityKind.ROLE: self._role,
        }
        return _again(lambda: read[entity.kind](entity.name), entity)

    def policy(self, arn: str) -> ManagedPolicy | None:
        """A managed policy in its default version; None where IAM says that it is not there."""
        return _again(lambda: self._policy(arn), arn)

    def has_version(self, arn: str, version: str) -> bool:
        """Whether a managed policy still has a version."""
        return self._first("get_policy_version", PolicyArn=arn, VersionId=version) is not None

    def _policy(self, arn: str) -> ManagedPolicy | None:
        found = self._first("get_policy", PolicyArn=arn)
        if found is None:
            return None
        policy = found["Policy"]
        version = self._call("get_policy_version", PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        return ManagedPolicy(arn, policy["PolicyId"], version["VersionId"], version["Document"])

    def _user(self, name: str) -> User | None:
        found = self._first("get_user", UserName=name)
        if found is None:
            return None
        groups = self._listed("list_groups_for_user", "Groups", UserName=name)
        return User(
            **self._common("user", found["User"], name),
            groups=tuple(sorted(group["GroupName"] for group in groups)),
            boundary=(found["User"].get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        )

    def _group(self, name: str) -> Group | None:
        found = self._first("get_group", GroupName=name, MaxItems=1)
        return None if found is None else Group(**self._common("group", found["Group"], name))

    def _role(self, name: str) -> Role | None:
        found = self._first("get_role", RoleName=name)
        if found is None:
            return None
        role = found["Role"]
        return Role(
            **self._common("role", role, name),
            trust=role.get("AssumeRolePolicyDocument", {}),
            boundary=(role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        )

    def _common(self, kind: str, detail: Mapping[str, Any], name: str) -> dict[str, Any]:
        key = f"{kind.title()}Name"
        names = self._listed(f"list_{kind}_policies", "PolicyNames", **{key: name})
        inline = {
            policy: self._call(f"get_{kind}_policy", **{key: name}, PolicyName=policy)["PolicyDocument"]
            for policy in names
        }
        attached = self._listed(f"list_attached_{kind}_policies", "AttachedPolicies", **{key: name})
        return {
            "name": detail[key],
            "path": detail["Path"],
            "unique_id": detail[f"{kind.title()}Id"],
            "inline": inline,
            "attached": tuple(sorted(policy["PolicyArn"] for policy in attached)),
        }

    def _first(self, operation: str, **arguments: Any) -> dict[str, Any] | None:
        """The call that shows whether an entity exists."""
        try:
            return self._call(operation, **arguments)
        except ChangedWhileReadError:
            return None

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        self.calls += 1
        with translated({_GONE: ChangedWhileReadError(_GONE)}):
            answer: dict[str, Any] = getattr(self._iam, operation)(**arguments)
        return answer

    def _listed(self, operation: str, member: str, **arguments: Any) -> list[Any]:
        found: list[Any] = []
        with translated({_GONE: ChangedWhileReadError(_GONE)}):
            for page in self._iam.get_paginator(operation).paginate(**arguments):  # type: ignore[call-overload]
                self.calls += 1
                found += page[member]
        return found


def _again(read: Callable[[], T], what: str) -> T:
    """Read once more what changed while it was read; it may be gone altogether, or whole."""
    for _ in range(_TRIES):
        try:
            return read()
        except ChangedWhileReadError:
            continue
    raise ChangedWhileReadError(f"{what} changes while it is read")
