"""A principal as somebody who asks: what it may do, what of a request is known with it, and whom it could act upon."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from iam_policy import Access
from policy_drift.domain.access.holding import Holding, access, customer_policies_in
from policy_drift.domain.account import Account, Entity, Group, Role, User
from policy_drift.domain.arns import arn_of, is_of_aws


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal with what it holds.

    Attributes
    ----------
    arn : str
        Its own; of a group's policies read alone, the group's.
    groups : frozenset of str
        ARNs of the groups that it is in.
    policies : frozenset of str
        ARNs of the customer's policies that give it access.
    known : mapping
        What of the context of its requests is known, by key in lower case; None for a key that they do not have.
    """

    account: Account
    principal: Entity
    access: Access
    arn: str
    groups: frozenset[str]
    policies: frozenset[str]
    known: Mapping[str, str | None]
    asked: dict[tuple[str, str], Access] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, account: Account, principal: Entity, held: Holding) -> Self:
        """The principal with the access of what it holds.

        Raises
        ------
        PolicyDocumentError
            A document is malformed.
        """
        arn = arn_of(account, principal)
        groups = {arn_of(account, account.groups[name]) for name in held.groups if name in account.groups}
        known: dict[str, str | None] = {"aws:principalaccount": account.id}
        match principal:
            case User():
                known |= {"aws:principalarn": arn, "aws:principaltype": "User"}
                known |= {"aws:username": principal.name, "aws:userid": principal.unique_id}
            case Role():
                known |= {"aws:principalarn": arn, "aws:principaltype": "AssumedRole", "aws:username": None}
            case Group():
                groups = {arn}
        return cls(
            account, principal, access(held), arn, frozenset(groups), frozenset(customer_policies_in(held)), known
        )


def role_of(account: Account, arn: str) -> Role | None:
    """The account's role of this ARN."""
    role = account.roles.get(arn.rsplit("/", 1)[-1])
    return role if role and arn_of(account, role) == arn else None


def customer_policies(entity: Entity) -> list[str]:
    """ARNs of the customer's policies that a user, group or role has attached."""
    return [arn for arn in entity.attached if not is_of_aws(arn)]
