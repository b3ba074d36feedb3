"""IAM as it is, read in bulk or entity by entity; nothing is written, and tags and credentials are not looked at."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from policy_drift.adapters.iam_entities import ChangedWhileReadError, IamEntities
from policy_drift.application.ports import Snapshot, Subjects
from policy_drift.domain.account import Account, EntityId, Group, ManagedPolicy, Role, User, policy_id
from policy_drift.domain.surrogates import escaped
from steward.aws.errors import translated, unless

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

PAGE = 1000
"""Items a page: the most that IAM gives. https://docs.aws.amazon.com/IAM/latest/APIReference/"""
_GONE = "NoSuchEntity"


class IamAccount:
    """The account of the client's credentials.

    Parameters
    ----------
    account
        Its number.
    """

    def __init__(self, client: "IAMClient", account: str) -> None:
        self._iam = client
        self._id = account
        self._entities = IamEntities(client)

    def snapshot(self) -> Snapshot:
        """All pages of GetAccountAuthorizationDetails, then one or two calls for each reference that is on no page.

        Pages may be short, and a page that fails fails the snapshot: half an account is none.
        """
        found = _Found(self._id)
        calls = 0
        paginator = self._iam.get_paginator("get_account_authorization_details")
        with translated():
            for page in paginator.paginate(PaginationConfig={"PageSize": PAGE}):
                calls += 1
                found.take(page)
        before = self._entities.calls
        self._complete(found)
        return Snapshot(found.account(), calls + self._entities.calls - before)

    def read(self, subjects: Subjects) -> Account:
        """Each entity by its own calls; one that changes while it is read is unreadable this time."""
        found = _Found(self._id)
        for entity in sorted(subjects.principals):
            self._read_principal(found, entity)
        for arn in sorted(subjects.policies):
            self._read_policy(found, arn, referenced=False)
        self._complete(found)
        return found.account()

    def holders(self, policy_arn: str) -> frozenset[EntityId]:
        """Who has it attached or as a boundary. One call per hundred."""
        pages = self._iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=policy_arn)
        listed = []
        with translated(), unless(_GONE):
            listed = list(pages)
        names = [("user", user["UserName"]) for page in listed for user in page["PolicyUsers"]]
        names += [("group", group["GroupName"]) for page in listed for group in page["PolicyGroups"]]
        names += [("role", role["RoleName"]) for page in listed for role in page["PolicyRoles"]]
        return frozenset(EntityId(f"{kind}/{name}") for kind, name in names)

    def has_version(self, policy_arn: str, version: str) -> bool:
        """Whether a managed policy still has a version. One call."""
        return self._entities.has_version(policy_arn, version)

    def members(self, group: str) -> frozenset[EntityId]:
        """Its users. One call per hundred."""
        pages = self._iam.get_paginator("get_group").paginate(GroupName=group)
        with translated(), unless(_GONE):
            return frozenset(EntityId(f"user/{user['UserName']}") for page in pages for user in page["Users"])
        return frozenset()

    def _complete(self, found: "_Found") -> None:
        """Read what is referred to and was not there: it may be on no page, or made since."""
        for name in found.missing_groups():
            self._read_principal(found, EntityId(f"group/{name}"), referenced=True)
        for arn in found.missing_policies():
            self._read_policy(found, arn, referenced=True)

    def _read_principal(self, found: "_Found", entity: EntityId, *, referenced: bool = False) -> None:
        try:
            read = self._entities.principal(entity)
        except ChangedWhileReadError as error:
            found.unreadable[entity] = str(error)
            return
        if read is None and referenced:
            found.unreadable[entity] = "something refers to it, and IAM says that it does not exist"
        elif read is not None:
            found.add(read, entity)

    def _read_policy(self, found: "_Found", arn: str, *, referenced: bool) -> None:
        try:
            read = self._entities.policy(arn)
        except ChangedWhileReadError as error:
            found.unreadable[policy_id(arn)] = str(error)
            return
        if read is None and referenced:
            found.unreadable[policy_id(arn)] = "something refers to it, and IAM says that it does not exist"
        elif read is not None:
            found.add_policy(read)


def read_authorization_details(page: Mapping[str, Any]) -> Account:
    """The account in a whole answer of GetAccountAuthorizationDetails; its number is that of an ARN in it.

    Raises
    ------
    KeyError, ValueError
        It is no such answer.
    """
    arns = [entity["Arn"] for section in page.values() for entity in section]
    numbers = {arn.split(":")[4] for arn in arns} - {"aws"}
    if len(numbers) != 1:
        raise ValueError(f"entities of {len(numbers)} accounts")
    found = _Found(numbers.pop())
    found.take(page)
    absent_groups = (EntityId(f"group/{name}") for name in found.missing_groups())
    for entity in (*absent_groups, *map(policy_id, found.missing_policies())):
        found.unreadable[entity] = "something refers to it, and it is not in the answer"
    return found.account()


class _Found:
    """What was read so far."""

    def __init__(self, account: str) -> None:
        self._id = account
        self._users: dict[str, User] = {}
        self._groups: dict[str, Group] = {}
        self._roles: dict[str, Role] = {}
        self._policies: dict[str, ManagedPolicy] = {}
        self.unreadable: dict[EntityId, str] = {}
        self._versions: dict[str, frozenset[str]] = {}

    def account(self) -> Account:
        return Account(
            self._id, self._users, self._groups, self._roles, self._policies, self.unreadable, self._versions
        )

    def take(self, page: Mapping[str, Any]) -> None:
        """One page of GetAccountAuthorizationDetails."""
        for detail in page["UserDetailList"]:
            user = User(
                **_common(detail, "User", "UserPolicyList"),
                groups=tuple(sorted(detail.get("GroupList", []))),
                boundary=boundary_of(detail),
            )
            self.add(user, EntityId(f"user/{user.name}"))
        for detail in page["GroupDetailList"]:
            group = Group(**_common(detail, "Group", "GroupPolicyList"))
            self.add(group, EntityId(f"group/{group.name}"))
        for detail in page["RoleDetailList"]:
            trust: Any = detail.get("AssumeRolePolicyDocument")
            role = Role(**_common(detail, "Role", "RolePolicyList"), trust=trust, boundary=boundary_of(detail))
            self.add(role, EntityId(f"role/{role.name}"))
        for detail in page["Policies"]:
            version = next(v for v in detail["PolicyVersionList"] if v["VersionId"] == detail["DefaultVersionId"])
            document = version["Document"]
            self._versions[detail["Arn"]] = frozenset(one["VersionId"] for one in detail["PolicyVersionList"])
            self.add_policy(ManagedPolicy(detail["Arn"], detail.get("PolicyId", ""), version["VersionId"], document))

    def add(self, principal: User | Group | Role, entity: EntityId) -> None:
        """Keep a principal, unless one of its documents is no JSON object."""
        principal = replace(
            principal, inline={name: _storable(document) for name, document in principal.inline.items()}
        )
        if isinstance(principal, Role):
            principal = replace(principal, trust=_storable(principal.trust))
        documents = {**principal.inline, **({"trust policy": principal.trust} if isinstance(principal, Role) else {})}
        bad = sorted(name for name, document in documents.items() if not isinstance(document, Mapping))
        if bad:
            self.unreadable[entity] = f"{bad[0]} is no JSON object"
        elif isinstance(principal, User):
            self._users[principal.name] = principal
        elif isinstance(principal, Group):
            self._groups[principal.name] = principal
        else:
            self._roles[principal.name] = principal

    def add_policy(self, policy: ManagedPolicy) -> None:
        document: object = policy.document
        if isinstance(document, Mapping):
            self._policies[policy.arn] = replace(policy, document=_storable(document))
        else:
            self.unreadable[policy_id(policy.arn)] = "its document is no JSON object"

    def missing_groups(self) -> list[str]:
        named = {group for user in self._users.values() for group in user.groups}
        return sorted(name for name in named - self._groups.keys() if f"group/{name}" not in self.unreadable)

    def missing_policies(self) -> list[str]:
        named: set[str] = set()
        for entities in (self._users, self._groups, self._roles):
            named |= _references(entities.values())
        return sorted(arn for arn in named - self._policies.keys() if policy_id(arn) not in self.unreadable)


def _storable(document: Any) -> Any:
    """The document; few have anything to escape, and encoding finds them in microseconds."""
    try:
        msgspec.json.encode(document)
    except UnicodeEncodeError:
        return escaped(document)
    return document


def _references(principals: "Iterable[User] | Iterable[Group] | Iterable[Role]") -> set[str]:
    found: set[str] = set()
    for principal in principals:
        found.update(principal.attached)
        if not isinstance(principal, Group) and principal.boundary:
            found.add(principal.boundary)
    return found


def _common(detail: Mapping[str, Any], kind: str, inline: str) -> dict[str, Any]:
    """What users, groups and roles have alike, as GetAccountAuthorizationDetails writes it."""
    attached: Collection[Mapping[str, str]] = detail.get("AttachedManagedPolicies", [])
    return {
        "name": detail[f"{kind}Name"],
        "path": detail["Path"],
        "unique_id": detail[f"{kind}Id"],
        "inline": {policy["PolicyName"]: policy["PolicyDocument"] for policy in detail.get(inline, [])},
        "attached": tuple(sorted(policy["PolicyArn"] for policy in attached)),
    }


def boundary_of(detail: Mapping[str, Any]) -> str | None:
    """The ARN of a user's or role's permissions boundary."""
    boundary: Mapping[str, str] = detail.get("PermissionsBoundary") or {}
    return boundary.get("PermissionsBoundaryArn")
