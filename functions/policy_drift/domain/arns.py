"""How IAM names the things of an account in full."""

from collections.abc import Iterable, Mapping

from policy_drift.domain.account import Account, Entity, EntityId, EntityKind, policy_id

_STANDARD_PARTITION = "aws"


def arn_of(account: Account, entity: Entity) -> str:
    """The ARN of a user, group or role."""
    return f"arn:{partition_of(account)}:iam::{account.id}:{entity.kind}{entity.path}{entity.name}"


def arn_in(accounts: Iterable[Account], entity: EntityId) -> str:
    """The ARN of an entity in the first of these accounts that has it; empty where none has."""
    for account in accounts:
        principals: dict[EntityKind, Mapping[str, Entity]] = {
            EntityKind.USER: account.users,
            EntityKind.GROUP: account.groups,
            EntityKind.ROLE: account.roles,
        }
        if principal := principals.get(entity.kind, {}).get(entity.name):
            return arn_of(account, principal)
        if entity.kind is EntityKind.POLICY:
            for arn in account.policies:
                if policy_id(arn) == entity:
                    return arn
    return ""


def partition_of(account: Account) -> str:
    """The partition that the account's policies show, such as ``aws-cn``; ``aws`` where it has none."""
    for arn in account.policies:
        return arn.split(":", 2)[1]
    return _STANDARD_PARTITION


def is_of_aws(policy_arn: str) -> bool:
    """Whether a managed policy is one of AWS's own."""
    return policy_arn.split(":", 5)[4] == "aws"
