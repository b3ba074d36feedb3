"""The entities that depend on others: holders of policies, members of groups."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import lru_cache

from policy_drift.domain.account import Account, Entity, EntityId, EntityKind, Role, User, policy_id
from policy_drift.domain.arns import is_of_aws
from policy_drift.domain.scope import Scope


def entity_id(entity: Entity) -> EntityId:
    """The id of a user, group or role."""
    return _id(entity.kind, entity.name)


@lru_cache(maxsize=32_768)  # asked for each of ten thousand principals, many times
def _id(kind: EntityKind, name: str) -> EntityId:
    return EntityId(f"{kind}/{name}")


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


def shared_policies(approved: Account, scope: Scope) -> frozenset[str]:
    """The ARNs of the customers' policies that several principals have, and that are in scope.

    The baseline decides, not the live account: a holder more or less must not turn one finding into several.
    """
    several = [arn for arn, holders in holders_by_policy(approved).items() if len(holders) > 1]
    return frozenset(arn for arn in several if not is_of_aws(arn) and policy_id(arn) in scope)


def holders_by_policy(account: Account) -> dict[str, set[EntityId]]:
    """The principals that have a managed policy, attached or as their boundary, by its ARN."""
    holders: dict[str, set[EntityId]] = defaultdict(set)
    for principals in (account.users, account.groups, account.roles):
        for principal in principals.values():
            for arn in managed_policies_of(principal):
                holders[arn].add(entity_id(principal))
    return holders


def managed_policies_of(entity: Entity) -> Iterable[str]:
    """ARNs of the managed policies that an entity has attached or as its boundary."""
    yield from entity.attached
    if isinstance(entity, User | Role) and entity.boundary is not None:
        yield entity.boundary
