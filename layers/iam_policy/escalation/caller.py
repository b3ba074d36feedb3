"""A principal that makes requests, and the roles of its account that it could act upon."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum

from iam_policy.access import Access, PolicyDocument
from iam_policy.budget import Budget
from iam_policy.comparison import Comparison


class CallerKind(StrEnum):
    """The kinds of principals; a group stands for any member of it."""

    USER = "user"
    ROLE = "role"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Role:
    """A role that exists in the caller's account.

    Attributes
    ----------
    trust : PolicyDocument
        Its trust policy.
    policies : frozenset of str
        ARNs of its attached managed policies.
    """

    trust: PolicyDocument
    policies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Removal:
    """A guard that a principal has, and what it may do without it.

    Attributes
    ----------
    action : str
        What takes the guard away: ``iam:DeleteRolePolicy`` a Deny of its own, ``iam:DeleteUserPermissionsBoundary``.
    resource : str
        ARN of what the action is taken upon: the principal, or one of its groups.
    access : Access
        What is left of its policies and its boundary then.
    """

    action: str
    resource: str
    access: Access


def _nothing_known(_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal with its access.

    Attributes
    ----------
    kind : CallerKind
        What it is.
    arn : str
        Its own, with the path; it also says which account and partition it is in.
    access : Access
        What it may do, over all its policies and within its boundary: see `effective_access`.
    groups : frozenset of str
        ARNs of the groups that a user is in.
    policies : frozenset of str
        ARNs of the managed policies that give it access, directly or by a group; AWS's own count for nothing here.
    unique_id : str
        AIDA…, AROA…; empty where it is not known.
    role_of : callable
        Finds a role of the account by its ARN; None for one that does not exist or is not known, which then counts as
        a role that trusts everyone.
    removals : tuple of Removal
        Its guards: Deny statements of its own or of its groups, and the boundary.
    budget : Budget, optional
        How much work to do for all questions about the caller together; none takes more than a small share of what is
        left. By default each question has a budget of its own.
    answers : mutable mapping, optional
        What is decided, by what was asked: callers that share it do not ask the same twice.
    """

    kind: CallerKind
    arn: str
    access: Access
    groups: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    unique_id: str = ""
    role_of: Callable[[str], Role | None] = field(default=_nothing_known, compare=False, repr=False)
    budget: Budget | None = field(default=None, compare=False, repr=False)
    removals: tuple[Removal, ...] = ()
    answers: MutableMapping[Access, Comparison] = field(default_factory=dict, compare=False, repr=False)
    asked: dict[tuple[str, str], Access] = field(default_factory=dict, init=False, compare=False, repr=False)

    undecided: set[str] = field(default_factory=set, init=False, compare=False, repr=False)

    @property
    def partition(self) -> str:
        """The partition, such as ``aws-cn``."""
        return self.arn.split(":", 2)[1]

    @property
    def account(self) -> str:
        """The id of its account."""
        return self.arn.split(":", 5)[4]

    @property
    def selves(self) -> frozenset[str]:
        """ARNs upon which an action is one upon the caller itself."""
        return frozenset({*self.groups, self.arn})

    @property
    def known(self) -> Mapping[str, str | None]:
        """What is known of its requests, by context key in lower case; None for a key that they do not have."""
        known: dict[str, str | None] = {"aws:principalaccount": self.account}
        if self.kind is CallerKind.GROUP:
            return known
        known["aws:principalarn"] = self.arn
        if self.kind is CallerKind.ROLE:
            return known | {"aws:principaltype": "AssumedRole", "aws:username": None}
        known |= {"aws:principaltype": "User", "aws:username": self.arn.rpartition("/")[2]}
        return known | {"aws:userid": self.unique_id} if self.unique_id else known
