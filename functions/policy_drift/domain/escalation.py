"""Which known ways to more privileges a principal has."""

from dataclasses import dataclass
from typing import Self

from policy_drift.domain.account import Account, Entity
from policy_drift.domain.holding import Holding, access
from policy_drift.domain.language import Access


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal with what it may do."""

    account: Account
    principal: Entity
    access: Access

    @classmethod
    def of(cls, account: Account, principal: Entity, held: Holding) -> Self:
        """The principal with the access of what it holds."""
        return cls(account, principal, access(held))
