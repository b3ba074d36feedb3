"""One kind of action that two accesses may treat differently, and the search for a request that proves it."""

from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import chain
from typing import TYPE_CHECKING

from iam_policy import dimensions, variables
from iam_policy.containment import is_refuted
from iam_policy.search import Dimension, Side, difference
from iam_policy.statement import PatternSet, Rest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iam_policy.budget import Budget
    from iam_policy.conditions import Condition
    from iam_policy.dimensions import World
    from iam_policy.patterns import Pattern
    from iam_policy.principals import Principals
    from iam_policy.search import Found


@dataclass(frozen=True)
class Dispute:
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
    allows: tuple[tuple[Rest, ...], ...]
    denies: tuple[Rest, ...]
    refusing_allows: tuple[tuple[Rest, ...], ...]
    refusing_denies: tuple[Rest, ...]

    @property
    def rests(self) -> "Iterable[Rest]":
        """All that is asked."""
        return chain(*self.allows, self.denies, *self.refusing_allows, self.refusing_denies)

    @cached_property
    def keys(self) -> list[str]:
        """The context keys that policy variables stand for here."""
        return variables.keys_of(self.rests)

    def is_refuted(self, budget: "Budget") -> bool:
        """Whether it is seen at a glance that nothing is allowed to the one and refused to the other.

        That holds whatever the variables stand for.

        Raises
        ------
        OutOfBudgetError
        """
        return is_refuted(self.allows, self.denies, self.refusing_allows, self.refusing_denies, budget)

    def difference(self, world: "World", budget: "Budget") -> "Found | None":
        """A request that is allowed to the one and refused to the other, in a world.

        Raises
        ------
        OutOfBudgetError
        """
        here = self._within(world, budget) if self.keys else self
        if here.is_refuted(budget):
            return None
        numbers: dict[Rest, int] = {}

        def bits(rests: "Sequence[Rest]") -> int:
            return sum(1 << numbers.setdefault(rest, len(numbers)) for rest in rests)

        allowing = Side(tuple(map(bits, here.allows)), bits(here.denies))
        refusing = Side(tuple(map(bits, here.refusing_allows)), bits(here.refusing_denies))
        asked = _dimensions(tuple(numbers), world.of(self.keys), budget)
        return difference(allowing, refusing, asked, (1 << len(numbers)) - 1, budget)

    def _within(self, world: "World", budget: "Budget") -> "Dispute":
        """The same with the variables of a world replaced."""
        budget.spend(sum(rest.size for rest in self.rests))

        def grounded(rests: "Sequence[Rest]") -> tuple[Rest, ...]:
            return joined([variables.grounded(rest, world) for rest in rests])

        return Dispute(
            self.action,
            self.slots,
            tuple(map(grounded, self.allows)),
            grounded(self.denies),
            tuple(map(grounded, self.refusing_allows)),
            grounded(self.refusing_denies),
        )


def joined(rests: "Sequence[Rest]") -> tuple[Rest, ...]:
    """The same demands, any one of which is to be met, with those that differ in nothing but resources put together."""
    resources: dict[tuple[Principals | None, frozenset[Condition]], set[Pattern]] = {}
    kept: dict[Rest, None] = {}
    for rest in rests:
        if rest.resources is None or rest.resources.negated:
            kept[rest] = None
        else:
            resources.setdefault((rest.principals, rest.conditions), set()).update(rest.resources.patterns)
    for (principals, conditions), patterns in resources.items():
        kept[Rest(principals, PatternSet(frozenset(patterns)), conditions)] = None
    return tuple(kept)


def _dimensions(rests: tuple[Rest, ...], world: "World", budget: "Budget") -> list[Dimension]:
    asking: dict[str, dict[int, Rest]] = {}
    for number, rest in enumerate(rests):
        for name in dimensions.asked_in(rest):
            asking.setdefault(name, {})[number] = rest
    busiest_first = sorted(asking, key=lambda name: (-len(asking[name]), name))
    return [
        Dimension(
            name,
            sum(1 << number for number in asking[name]),
            cache(partial(dimensions.cases, name, asking[name], world, budget)),
        )
        for name in busiest_first
    ]
