"""The account as it would be if the change of an event had lasted."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policy_drift.domain.account import (
    Account,
    EntityId,
    EntityKind,
    Group,
    ManagedPolicy,
    Role,
    User,
    policy_id,
)
from policy_drift.domain.changes.change_event import ChangeEvent

_NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
}
"""The trust policy of a role that is gone."""
_PUT_INLINE = {"PutUserPolicy", "PutGroupPolicy", "PutRolePolicy"}
_DELETE_INLINE = {"DeleteUserPolicy", "DeleteGroupPolicy", "DeleteRolePolicy"}
_IN_GROUPS = {"AddUserToGroup", "RemoveUserFromGroup"}
_OF_VERSIONS = {"CreatePolicyVersion", "SetDefaultPolicyVersion"}


@dataclass(frozen=True, slots=True)
class Grant:
    """A change that may give access: a policy that is given, or one that denies and is taken away.

    Attributes
    ----------
    changed : EntityId
        The principal or managed policy that the event changes.
    entities : frozenset of EntityId
        Who may do more by it.
    event : ChangeEvent
        The event.
    policy : str
        ARN of the managed policy that it is about, if of one.
    """

    changed: EntityId
    entities: frozenset[EntityId]
    event: ChangeEvent
    policy: str = ""

    @property
    def by(self) -> str:
        """The name of the event."""
        return self.event.change.event_name

    @property
    def takes_away(self) -> bool:
        """Whether it takes a policy away: that gives access where the policy denies."""
        return self.by in _DELETE_INLINE or self.by == "RemoveUserFromGroup" or self.by.startswith("Detach")


def grants_of(event: ChangeEvent, holders: Callable[[str], Collection[EntityId]]) -> list[Grant]:
    """What an event gives, or takes the limits off of; empty for events that cannot.

    Parameters
    ----------
    event
        The event.
    holders
        Who has the managed policy of an ARN, attached or as a boundary.
    """
    name, kinds = event.change.event_name, {entity.kind: entity for entity in event.principals}
    policy, asked = next(iter(event.policies), ""), event.parameters
    if name in _OF_VERSIONS:
        is_default = name == "SetDefaultPolicyVersion" or asked.get("setAsDefault") is True
        return [Grant(policy_id(policy), frozenset(holders(policy)), event, policy)] if policy and is_default else []
    is_attachment = name.startswith(("Attach", "Detach")) and name.endswith("Policy") and policy
    is_inline = name in _PUT_INLINE | _DELETE_INLINE and asked.get("policyName")
    if is_attachment or is_inline or name == "UpdateAssumeRolePolicy" or name.endswith("PermissionsBoundary"):
        return [Grant(entity, frozenset({entity}), event, policy) for entity in kinds.values()]
    if name in _IN_GROUPS and kinds.keys() >= {EntityKind.USER, EntityKind.GROUP}:
        user = kinds[EntityKind.USER]
        return [Grant(user, frozenset({user}), event)]
    return []


def is_unknown(grant: Grant, approved: Account, live: Account) -> bool:
    """Whether it is unknown what it gave: the policy is gone, or the event does not carry the document.

    What is there now and was not approved is compared anyway, and explained by the event.
    """
    known = {**approved.policies, **live.policies}
    if grant.by == "SetDefaultPolicyVersion":
        version = grant.event.parameters.get("versionId")
        there = (account.policies.get(grant.policy) for account in (approved, live))
        return version not in {policy.version for policy in there if policy}
    if grant.by in {*_PUT_INLINE, "UpdateAssumeRolePolicy", "CreatePolicyVersion"}:
        return grant.event.document is None and _part(grant, live) == _part(grant, approved)
    return bool(grant.policy) and grant.policy not in known and not grant.takes_away


def is_in_place(grant: Grant, account: Account) -> bool:
    """Whether an account surely has the change; it is unknown where the event does not carry the document."""
    if grant.by == "SetDefaultPolicyVersion":
        policy = account.policies.get(grant.policy)
        return policy is not None and policy.version == grant.event.parameters.get("versionId")
    if grant.by in {*_PUT_INLINE, "UpdateAssumeRolePolicy", "CreatePolicyVersion"}:
        return grant.event.document is not None and _part(grant, account) == grant.event.document
    entity: Any = getattr(account, f"{grant.changed.kind}s").get(grant.changed.name)
    if entity is None:
        return grant.takes_away and grant.changed not in account.unreadable
    return bool(_changed(entity, grant) == entity)


def applied(account: Account, grant: Grant, policies: Mapping[str, ManagedPolicy]) -> Account:
    """The account with the change in place; ``policies`` are those that it may need beside its own."""
    needed = {**policies, **account.policies}
    if grant.by in _OF_VERSIONS:
        return replace(account, policies=needed | _version(grant, needed))
    kind, name = grant.changed.kind, grant.changed.name
    entities: dict[str, Any] = dict(getattr(account, f"{kind}s"))
    entity: Any = entities.get(name)
    if entity is None and grant.takes_away:
        return account
    entities[name] = _changed(entity or _shell(grant.changed), grant)
    changed: dict[str, Any] = {f"{kind}s": entities, "policies": needed}
    return replace(account, **changed)


def _changed(entity: Any, grant: Grant) -> Any:
    asked, document = grant.event.parameters, grant.event.document
    new: dict[str, Any] = {}
    match grant.by:
        case by if by.endswith("PermissionsBoundary"):
            new = {"boundary": grant.policy or None}
        case by if by.startswith("Attach"):
            new = {"attached": _with(entity.attached, grant.policy)}
        case by if by.startswith("Detach"):
            new = {"attached": _without(entity.attached, grant.policy)}
        case by if by in _PUT_INLINE and document is not None:
            new = {"inline": {**entity.inline, str(asked["policyName"]): document}}
        case by if by in _DELETE_INLINE:
            new = {"inline": {name: one for name, one in entity.inline.items() if name != asked["policyName"]}}
        case "UpdateAssumeRolePolicy" if document is not None:
            new = {"trust": document}
        case "AddUserToGroup":
            new = {"groups": _with(entity.groups, str(asked["groupName"]))}
        case "RemoveUserFromGroup":
            new = {"groups": _without(entity.groups, str(asked["groupName"]))}
    return replace(entity, **new)


def _version(grant: Grant, policies: Mapping[str, ManagedPolicy]) -> dict[str, ManagedPolicy]:
    """The policy with the document of the event; a version that is only named is one that either account has."""
    policy, document = policies.get(grant.policy), grant.event.document
    return {} if policy is None or document is None else {grant.policy: replace(policy, document=document)}


def _part(grant: Grant, account: Account) -> Any:
    """What the event changes, as an account has it."""
    if grant.by == "CreatePolicyVersion":
        policy = account.policies.get(grant.policy)
        return policy and policy.document
    entity = getattr(account, f"{grant.changed.kind}s").get(grant.changed.name)
    if grant.by == "UpdateAssumeRolePolicy":
        return getattr(entity, "trust", None)
    return entity and entity.inline.get(str(grant.event.parameters["policyName"]))


def _with(names: Iterable[str], name: str) -> tuple[str, ...]:
    return tuple(sorted({*names, name}))


def _without(names: Iterable[str], name: str) -> tuple[str, ...]:
    return tuple(sorted({*names} - {name}))


def _shell(entity: EntityId) -> User | Group | Role:
    """A principal of which nothing is known but its name: it was created and deleted meanwhile."""
    if entity.kind is EntityKind.USER:
        return User(entity.name, "/", "")
    if entity.kind is EntityKind.GROUP:
        return Group(entity.name, "/", "")
    return Role(entity.name, "/", "", trust=_NOBODY)
