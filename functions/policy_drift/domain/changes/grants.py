"""What an account would be if a change that an event tells of had lasted."""

from dataclasses import dataclass, replace
from typing import Any

from policy_drift.domain.account import Account, EntityId, EntityKind, Group, ManagedPolicy, Role, User
from policy_drift.domain.changes.announcement import Announcement

_NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
}
"""The trust policy of a role that is gone."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A change that may give access: to whom, and by which managed policy, if by one."""

    entity: EntityId
    announcement: Announcement
    policy: str = ""


def grants_of(announcement: Announcement) -> list[Grant]:
    """What an event gives, or takes the limits off of; empty for events that cannot."""
    name, kinds = announcement.change.event_name, {entity.kind: entity for entity in announcement.principals}
    policy = next(iter(announcement.policies), "")
    if name.startswith("Attach") and name.endswith("Policy") and policy:
        return [Grant(entity, announcement, policy) for entity in kinds.values()]
    if name in {"PutUserPolicy", "PutGroupPolicy", "PutRolePolicy", "UpdateAssumeRolePolicy"}:
        return [Grant(entity, announcement) for entity in kinds.values() if announcement.document is not None]
    if name == "AddUserToGroup" and kinds.keys() >= {EntityKind.USER, EntityKind.GROUP}:
        return [Grant(kinds[EntityKind.USER], announcement)]
    if name.endswith("PermissionsBoundary"):
        return [Grant(entity, announcement, policy) for entity in kinds.values()]
    return []


def applied(account: Account, grant: Grant, policies: dict[str, ManagedPolicy]) -> Account:
    """The account with the change in place; ``policies`` are those that it may need beside its own."""
    kind, name = grant.entity.kind, grant.entity.name
    entities: dict[str, Any] = dict(getattr(account, f"{kind}s"))
    entity: Any = entities.get(name) or _shell(grant.entity)
    asked, what = grant.announcement.parameters, grant.announcement.change.event_name
    if what.endswith("PermissionsBoundary"):
        entity = replace(entity, boundary=grant.policy or None)
    elif what.startswith("Attach"):
        entity = replace(entity, attached=tuple(sorted({*entity.attached, grant.policy})))
    elif what.startswith("Put"):
        entity = replace(
            entity, inline={**entity.inline, str(asked.get("policyName", "")): grant.announcement.document}
        )
    elif what == "UpdateAssumeRolePolicy":
        entity = replace(entity, trust=grant.announcement.document)
    elif what == "AddUserToGroup":
        entity = replace(entity, groups=tuple(sorted({*entity.groups, str(asked["groupName"])})))
    entities[name] = entity
    changed: dict[str, Any] = {f"{kind}s": entities, "policies": {**policies, **account.policies}}
    return replace(account, **changed)


def _shell(entity: EntityId) -> User | Group | Role:
    """A principal of which nothing is known but its name: it was made and deleted meanwhile."""
    if entity.kind is EntityKind.USER:
        return User(entity.name, "/", "")
    if entity.kind is EntityKind.GROUP:
        return Group(entity.name, "/", "")
    return Role(entity.name, "/", "", trust=_NOBODY)
