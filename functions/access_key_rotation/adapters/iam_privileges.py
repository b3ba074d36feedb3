"""Whether a user could gain privileges, from all policies of the account."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from access_key_rotation.domain.privileges import Account, Principal, escalation_of
from access_key_rotation.domain.state import User
from steward.aws.errors import translated, unless
from steward.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

ENTITIES_PER_CALL = 1000
FRESH = timedelta(seconds=30)
"""How long a reading of the account serves. IAM takes as long to show a change, and the key outlives both."""


class IamPrivileges:
    """Reads the account once for the users that are judged side by side: an answer is at most ``FRESH`` old."""

    def __init__(self, client: "IAMClient", clock: Clock) -> None:
        self._iam = client
        self._clock = clock
        self._lock = Lock()
        self._read_at = datetime.min.replace(tzinfo=UTC)
        self._last: Account | None = None

    def escalation(self, user: User) -> str:
        """The first escalation path that is open to the user; one call per thousand entities of the account."""
        return escalation_of(self._recent(user), user.user_id)

    def _recent(self, user: User) -> Account:
        """The account as it was read last, or anew if that is too long ago or before the user was there."""
        with self._lock:
            now, known = self._clock.now(), self._last
            if known is None or now - self._read_at > FRESH or user.user_id not in known.users:
                self._last = None  # two accounts at once may not fit in memory
                self._last = known = self._account()
                self._read_at = now
            return known

    def _account(self) -> Account:
        pages = self._iam.get_paginator("get_account_authorization_details").paginate(
            PaginationConfig={"PageSize": ENTITIES_PER_CALL}
        )
        users: dict[str, Principal] = {}
        groups: dict[str, Principal] = {}
        roles: dict[str, Principal] = {}
        policies: dict[str, Any] = {}
        with translated():
            for page in pages:
                users |= {one["UserId"]: _user(one) for one in page["UserDetailList"]}
                groups |= {one["GroupName"]: _group(one) for one in page["GroupDetailList"]}
                roles |= {one["Arn"]: _role(one) for one in page["RoleDetailList"]}
                for policy in page["Policies"]:
                    for version in policy["PolicyVersionList"]:
                        if version["IsDefaultVersion"]:
                            policies[policy["Arn"]] = version["Document"]
            for arn in sorted(_references(users, groups, roles) - policies.keys()):
                if (document := self._default_version(arn)) is not None:
                    policies[arn] = document
        return Account(users, groups, roles, policies)

    def _default_version(self, arn: str) -> Any:
        """A policy that is attached and on no page, such as one attached a moment ago; None if IAM does not have it."""
        with unless("NoSuchEntity"):
            version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            return self._iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return None


def _references(*entities: Mapping[str, Principal]) -> set[str]:
    """The managed policies that principals have attached or as their boundary."""
    every = [one for kind in entities for one in kind.values()]
    return {arn for one in every for arn in (*one.attached, one.boundary) if arn}


def _user(shown: Mapping[str, Any]) -> Principal:
    inline = _documents(shown.get("UserPolicyList", []))
    groups = tuple(shown.get("GroupList", []))
    return Principal(shown["Arn"], shown["UserId"], inline, _attached(shown), _boundary(shown), groups)


def _group(shown: Mapping[str, Any]) -> Principal:
    return Principal(shown["Arn"], shown["GroupId"], _documents(shown.get("GroupPolicyList", [])), _attached(shown))


def _role(shown: Mapping[str, Any]) -> Principal:
    inline, trust = _documents(shown.get("RolePolicyList", [])), shown["AssumeRolePolicyDocument"]
    return Principal(shown["Arn"], shown["RoleId"], inline, _attached(shown), _boundary(shown), trust=trust)


def _documents(policies: list[Mapping[str, Any]]) -> tuple[Any, ...]:
    return tuple(policy["PolicyDocument"] for policy in policies)


def _attached(shown: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(policy["PolicyArn"] for policy in shown.get("AttachedManagedPolicies", []))


def _boundary(shown: Mapping[str, Any]) -> str | None:
    boundary = shown.get("PermissionsBoundary")
    return boundary["PermissionsBoundaryArn"] if boundary else None
