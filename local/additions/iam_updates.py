"""Renaming users and groups, and choosing among the versions of a managed policy.

MiniStack knows none of UpdateUser, UpdateGroup and SetDefaultPolicyVersion. Here a renamed user keeps what it has: its
unique id, groups, policies and access keys.

Source: AWS Identity and Access Management API reference, the operations of these names.
"""

from typing import Any

from ministack.services import iam

from local.scratch_account import Reply

GAP = "renames of users and groups, and SetDefaultPolicyVersion"
RELIES_ON = (
    "services.iam._IAM_HANDLERS",
    "services.iam._access_keys",
    "services.iam._error",
    "services.iam._group_inline_policies",
    "services.iam._groups",
    "services.iam._login_profiles",
    "services.iam._p",
    "services.iam._policies",
    "services.iam._user_inline_policies",
    "services.iam._users",
    "services.iam._xml",
)
REPLACES = (
    "services.iam._IAM_HANDLERS[SetDefaultPolicyVersion]",
    "services.iam._IAM_HANDLERS[UpdateGroup]",
    "services.iam._IAM_HANDLERS[UpdateUser]",
)

_OPERATIONS = ("UpdateUser", "UpdateGroup", "SetDefaultPolicyVersion")

type Parameters = dict[str, Any]


def is_still_missing() -> bool:
    """Whether one of the operations is unknown."""
    return any(operation not in iam._IAM_HANDLERS for operation in _OPERATIONS)


def install() -> None:
    """Add the operations to IAM's table."""
    for operation, handler in zip(_OPERATIONS, (_update_user, _update_group, _set_default_version), strict=True):
        iam._IAM_HANDLERS[operation] = handler


def _update_user(parameters: Parameters) -> Reply:
    old, new = iam._p(parameters, "UserName"), iam._p(parameters, "NewUserName")
    refused = _updated(iam._users, "user", old, new, iam._p(parameters, "NewPath"))
    if refused:
        return refused
    if new and new != old:
        for owned in (iam._user_inline_policies, iam._login_profiles):
            if old in owned:
                owned[new] = owned.pop(old)
        for group in iam._groups.values():
            group["Users"] = [new if member == old else member for member in group["Users"]]
        for key in iam._access_keys.values():
            if key["UserName"] == old:
                key["UserName"] = new
    return iam._xml(200, "UpdateUserResponse", "", ns="iam")  # type: ignore[no-any-return]


def _update_group(parameters: Parameters) -> Reply:
    old, new = iam._p(parameters, "GroupName"), iam._p(parameters, "NewGroupName")
    refused = _updated(iam._groups, "group", old, new, iam._p(parameters, "NewPath"))
    if refused:
        return refused
    if new and new != old and old in iam._group_inline_policies:
        iam._group_inline_policies[new] = iam._group_inline_policies.pop(old)
    return iam._xml(200, "UpdateGroupResponse", "", ns="iam")  # type: ignore[no-any-return]


def _updated(entities: Any, kind: str, old: str, new: str, path: str) -> Reply | None:
    """Give an entity another name or path; the refusal where it is not there, or the name is taken."""
    if old not in entities:
        return iam._error(404, "NoSuchEntity", f"The {kind} with name {old} cannot be found.", ns="iam")  # type: ignore[no-any-return]
    if new and new != old and new in entities:
        return iam._error(409, "EntityAlreadyExists", f"The {kind} {new} already exists.", ns="iam")  # type: ignore[no-any-return]
    entity, name = entities.pop(old), new or old
    entity[f"{kind.title()}Name"] = name
    entity["Path"] = path or entity["Path"]
    entity["Arn"] = f"{entity['Arn'].partition(f':{kind}/')[0]}:{kind}{entity['Path']}{name}"
    entities[name] = entity
    return None


def _set_default_version(parameters: Parameters) -> Reply:
    policy = iam._policies.get(iam._p(parameters, "PolicyArn"))
    wanted = iam._p(parameters, "VersionId")
    if policy is None or wanted not in policy["Versions"]:
        return iam._error(404, "NoSuchEntity", f"There is no version {wanted} of the policy.", ns="iam")  # type: ignore[no-any-return]
    for name, version in policy["Versions"].items():
        version["IsDefaultVersion"] = name == wanted
    policy["DefaultVersionId"] = wanted
    return iam._xml(200, "SetDefaultPolicyVersionResponse", "", ns="iam")  # type: ignore[no-any-return]
