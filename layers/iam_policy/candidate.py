"""One kind of action that two accesses may treat differently, and the search for a request that proves it."""

from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING

from iam_policy import dimensions, parts, variables
from iam_policy.budget import OutOfBudgetError
from iam_policy.containment import is_refuted
from iam_policy.search import Dimension, Side, difference
from iam_policy.statement import PatternSet, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iam_policy.budget import Budget
    from iam_policy.conditions import Condition
    from iam_policy.dimensions import Assignment
    from iam_policy.patterns import Pattern
    from iam_policy.principals import Principals
    from iam_policy.search import Found


#: The part of the budget after which a question is taken apart.
_SHARE_OF_THE_WHOLE = 8
_MOST_AT_ONCE = 1_000


@dataclass(frozen=True)
class Candidate:
    """What is asked of requests for some actions: by the side that is to allow them, and by the one that is to refuse.

    Attributes
    ----------
    action : str
        One of the actions, in lower case.
    slots : int
        Where both sides name it.
    allows, refusing_allows : tuple
        Layer by layer, what the statements that allow ask besides the action.
    denies, refusing_denies : tuple
        The same of the statements that deny.
    """

    action: str
    slots: int
    allows: tuple[tuple[Scope, ...], ...]
    denies: tuple[Scope, ...]
    refusing_allows: tuple[tuple[Scope, ...], ...]
    refusing_denies: tuple[Scope, ...]

    @property
    def scopes(self) -> "Iterable[Scope]":
        """All that is asked."""
        return chain(*self.allows, self.denies, *self.refusing_allows, self.refusing_denies)

    @cached_property
    def keys(self) -> list[str]:
        """The context keys that policy variables stand for here."""
        return variables.keys_of(self.scopes)

    def is_refuted(self, budget: "Budget") -> bool:
        """Whether it is seen at a glance that nothing is allowed to the one and refused to the other.

        That holds whatever the variables stand for.

        Raises
        ------
        OutOfBudgetError
        """
        return is_refuted(self.allows, self.denies, self.refusing_allows, self.refusing_denies, budget)

    def difference(self, assignment: "Assignment", budget: "Budget") -> "Found | None":
        """A request that is allowed to the one and refused to the other, in an assignment.

        Raises
        ------
        OutOfBudgetError
        """
        here = self.grounded(assignment, budget) if self.keys else self
        assignment = assignment.of(self.keys)
        if here.is_refuted(budget):
            return None
        try:
            with budget.share(_SHARE_OF_THE_WHOLE, _MOST_AT_ONCE) as part:
                return here.searched(assignment, part)
        except OutOfBudgetError:
            pass
        try:
            with budget.half() as part:
                return parts.difference(here, assignment, part)
        except OutOfBudgetError:
            return here.searched(assignment, budget)

    def searched(self, assignment: "Assignment", budget: "Budget") -> "Found | None":
        """The same with all statements at once, which have no variables but symbolic ones in an assignment of theirs.

        Raises
        ------
        OutOfBudgetError
        """
        numbers: dict[Scope, int] = {}
        budget.spend(1 + sum(1 for _ in self.scopes))

        def bits(scopes: "Sequence[Scope]") -> int:
            return sum(1 << numbers.setdefault(scope, len(numbers)) for scope in scopes)

        allowing = Side(tuple(map(bits, self.allows)), bits(self.denies))
        refusing = Side(tuple(map(bits, self.refusing_allows)), bits(self.refusing_denies))
        asked = _dimensions(tuple(numbers), assignment, self._within_pattern, budget)
        return difference(allowing, refusing, asked, (1 << len(numbers)) - 1, budget)

    @property
    def _within_pattern(self) -> "Pattern":
        """What the resource of a request has to match, as far as one statement has to allow it."""
        for layer in self.allows:
            element = layer[0].resources if len(layer) == 1 else None
            if element is not None and not element.negated and len(element.patterns) == 1:
                return next(iter(element.patterns))
        return "*"

    def grounded(self, assignment: "Assignment", budget: "Budget") -> "Candidate":
        """The same with the variables of an assignment replaced.

        Raises
        ------
        OutOfBudgetError
        """
        budget.spend(sum(scope.size for scope in self.scopes))

        def grounded(scopes: "Sequence[Scope]") -> tuple[Scope, ...]:
            return joined([variables.grounded(scope, assignment) for scope in scopes])

        return Candidate(
            self.action,
            self.slots,
            tuple(map(grounded, self.allows)),
            grounded(self.denies),
            tuple(map(grounded, self.refusing_allows)),
            grounded(self.refusing_denies),
        )


def joined(scopes: "Sequence[Scope]") -> tuple[Scope, ...]:
    """The same demands, any one of which is to be met, with those that differ in nothing but resources put together."""
    resources: dict[tuple[Principals | None, frozenset[Condition]], set[Pattern]] = {}
    kept: dict[Scope, None] = {}
    for scope in scopes:
        if scope.resources is None or scope.resources.negated:
            kept[scope] = None
        else:
            resources.setdefault((scope.principals, scope.conditions), set()).update(scope.resources.patterns)
    for (principals, conditions), patterns in resources.items():
        kept[Scope(principals, PatternSet(frozenset(patterns)), conditions)] = None
    return tuple(kept)


def _dimensions(
    scopes: tuple[Scope, ...], assignment: "Assignment", within: "Pattern", budget: "Budget"
) -> list[Dimension]:
    asking: dict[str, dict[int, Scope]] = {}
    for number, scope in enumerate(scopes):
        for name in dimensions.asked_in(scope):
            asking.setdefault(name, {})[number] = scope
    busiest_first = sorted(asking, key=lambda name: (-len(asking[name]), name))
    return [
        Dimension(
            name,
            sum(1 << number for number in asking[name]),
            cache(partial(dimensions.cases, name, asking[name], assignment, within, budget)),
        )
        for name in busiest_first
    ]
