"""The entities that depend on others: holders of policies, members of groups."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from policy_drift.domain.account import Account, Entity, EntityId, EntityKind, Role, User, policy_id


def entity_id(entity: Entity) -> EntityId:
    """The id of a user, group or role."""
    return EntityId(f"{entity.kind}/{entity.name}")


def with_dependents(changed: Collection[EntityId], accounts: Iterable[Account]) -> frozenset[EntityId]:
    """The entities, the holders of these policies, and the members of these groups and of groups with them."""
    touched = {EntityId(entity) for entity in changed}
    holders = _holders(accounts)
    pending = list(touched)
    while pending:
        for holder in holders.get(pending.pop(), ()):
            if holder not in touched:
                touched.add(holder)
                pending.append(holder)
    return frozenset(touched)


def _holders(accounts: Iterable[Account]) -> dict[EntityId, set[EntityId]]:
    holders: dict[EntityId, set[EntityId]] = defaultdict(set)
    for account in accounts:
        for entities in (account.users, account.groups, account.roles):
            for entity in entities.values():
                for part in references_of(entity):
                    holders[part].add(entity_id(entity))
    return holders


def references_of(entity: Entity) -> Iterable[EntityId]:
    """The policies and groups that an entity refers to."""
    yield from map(policy_id, managed_policies_of(entity))
    if isinstance(entity, User):
        for name in entity.groups:
            yield EntityId(f"{EntityKind.GROUP}/{name}")


def managed_policies_of(entity: Entity) -> Iterable[str]:
    """ARNs of the managed policies that an entity has attached or as its boundary."""
    yield from entity.attached
    if isinstance(entity, User | Role) and entity.boundary is not None:
        yield entity.boundary
