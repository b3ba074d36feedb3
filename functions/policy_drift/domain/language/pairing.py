"""Two accesses laid side by side, and the search for a difference in one direction at a time."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from . import dimensions
from .actions import Actions
from .bits import places
from .budget import Budget, OutOfBudgetError
from .containment import all_within
from .globs import without_covered
from .search import Dimension, Found, Side, difference
from .statement import PatternSet, Rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .access import Access
    from .conditions import Condition
    from .dimensions import Case, World
    from .patterns import Pattern
    from .principals import Principals

PRINCIPAL = "principal"
RESOURCE = "resource"
_KEY = "key "

#: No more than this part of the budget for the actions of one kind, lest the first hard question eat up the others'.
_SHARE = 2


@dataclass(frozen=True, slots=True)
class Difference:
    """A request found in one world: an action (lower case), and values by dimension."""

    action: str
    known_action: str | None
    found: Found

    @property
    def context(self) -> dict[str, tuple[str, ...]]:
        """The context keys that are not missing."""
        return {
            name.removeprefix(_KEY): values
            for name, values in self.found.examples.items()
            if name.startswith(_KEY) and values
        }


@dataclass(frozen=True, slots=True)
class _Place:
    """Where actions are named: the slot, and for a NotAction all that it names."""

    slot: int
    all_but: frozenset[str] | None

    @property
    def negated(self) -> bool:
        return self.all_but is not None


class Pairing:
    """Two accesses whose statements have no variables but symbolic ones.

    The statements that agree in all but the action, in one layer and with one effect, share a *slot*: a bit. The slots
    of a side and layer are numbered alike, so that equal blocks of bits mean equal demands.
    """

    def __init__(self, first: "Access", second: "Access", world: "World", budget: Budget) -> None:
        self._world = world
        self._budget = budget
        self._rests: dict[Rest, int] = {}
        self._sides = (first, second)
        for access in self._sides:
            for layer in access.layers:
                for statement in layer:
                    self._rests.setdefault(statement.rest, len(self._rests))
        self._rest_list = list(self._rests)
        self._actions = self._action_elements()
        self._cases: dict[tuple[str, tuple[Rest, ...]], Sequence[Case]] = {}
        self._searched: dict[tuple[Side, Side], Found | None] = {}
        #: Whether no search was needed so far: what is seen at a glance holds whatever the variables stand for.
        self.only_at_a_glance = True

    def differences(self, allowing: int) -> "Iterator[Difference | None]":
        """Requests that side `allowing` (0 or 1) allows and the other does not, one for each kind of action.

        None stands for a kind of action that could not be decided within the budget.
        """
        try:
            kinds = self._actions.cases(self._budget)
        except OutOfBudgetError:
            yield None
            return
        for slots, action in kinds.items():
            sides = self._blocks(slots)
            if sides[0] == sides[1]:
                continue
            try:
                found = self._search(sides[allowing], sides[1 - allowing])
            except OutOfBudgetError:
                yield None
                continue
            if found is not None:
                yield Difference(action, self._actions.known_like(action, slots), found)

    def _action_elements(self) -> Actions:
        width = len(self._rest_list)
        named = [self._named_actions(access) for access in self._sides]
        alike = len(self._sides[0].layers) == len(self._sides[1].layers)
        slots: dict[PatternSet, int] = {}
        changed: set[PatternSet] = set()
        self._offsets: list[list[int]] = []
        offset = 0
        for access, here, there in zip(self._sides, named, reversed(named), strict=True):
            self._offsets.append([offset + width * number for number in range(len(access.layers) + 1)])
            for place, globs in here.items():
                same = alike and there.get(place) == globs
                element = PatternSet(frozenset(globs) if same else without_covered(frozenset(globs)), place.negated)
                slots[element] = slots.get(element, 0) | 1 << (offset + place.slot)
                if not same:
                    changed.add(element)
            offset += width * (len(access.layers) + 1)
        if alike:
            changed -= {element for element in changed if self._agrees(slots[element], offset // 2)}
        return Actions(slots, changed)

    def _named_actions(self, access: "Access") -> "dict[_Place, set[str]]":
        """The actions that one side names in each slot; those of a NotAction stay by themselves."""
        width = len(self._rest_list)
        named: dict[_Place, set[str]] = {}
        for number, layer in enumerate(access.layers, 1):
            for statement in layer:
                globs = {glob for glob in statement.actions.patterns if isinstance(glob, str)}
                slot = number * statement.allows * width + self._rests[statement.rest]
                negated = frozenset(globs) if statement.actions.negated else None
                named.setdefault(_Place(slot, negated), set()).update(globs)
        return named

    @staticmethod
    def _agrees(slots: int, width: int) -> bool:
        """Whether both sides have an element in the same slots, those of the second side standing above."""
        return slots >> width == slots & ((1 << width) - 1)

    def _blocks(self, slots: int) -> tuple[Side, Side]:
        full = (1 << len(self._rest_list)) - 1
        first, second = (
            Side(tuple(slots >> offset & full for offset in offsets[1:]), slots >> offsets[0] & full)
            for offsets in self._offsets
        )
        return first, second

    def _search(self, allowing: Side, refusing: Side) -> Found | None:
        if not all(allowing.layers):
            return None
        if (allowing, refusing) not in self._searched:
            self._searched[allowing, refusing] = self._searched_anew(allowing, refusing)
        return self._searched[allowing, refusing]

    def _searched_anew(self, allowing: Side, refusing: Side) -> Found | None:
        allows = [self._merged(layer) for layer in allowing.layers]
        refuses = [self._merged(layer) for layer in refusing.layers]
        denied, more_denied = self._merged(allowing.denies), self._merged(refusing.denies)
        if all_within(more_denied, denied) and all(any(all_within(one, other) for one in allows) for other in refuses):
            return None
        self.only_at_a_glance = False
        numbers: dict[Rest, int] = {}

        def bits(rests: "Sequence[Rest]") -> int:
            return sum(1 << numbers.setdefault(rest, len(numbers)) for rest in rests)

        first, second = (
            Side(tuple(map(bits, layers)), bits(denies))
            for layers, denies in ((allows, denied), (refuses, more_denied))
        )
        budget = Budget(self._budget.steps // _SHARE)
        before = budget.steps
        try:
            return difference(first, second, self._dimensions(tuple(numbers), budget), (1 << len(numbers)) - 1, budget)
        finally:
            self._budget.steps -= before - max(budget.steps, 0)

    def _merged(self, bits: int) -> list[Rest]:
        return _merged([self._rest_list[place] for place in places(bits)])

    def _dimensions(self, rests: tuple[Rest, ...], budget: Budget) -> "Sequence[Dimension]":
        asking: dict[str, int] = {}
        for index, rest in enumerate(rests):
            names = {_KEY + condition.key for condition in rest.conditions}
            if rest.principals is not None:
                names.add(PRINCIPAL)
            if rest.resources is not None:
                names.add(RESOURCE)
            for name in names:
                asking[name] = asking.get(name, 0) | 1 << index
        busiest_first = sorted(asking, key=lambda name: (-asking[name].bit_count(), name))
        return [
            Dimension(name, asking[name], partial(self._cases_within, name, rests, budget)) for name in busiest_first
        ]

    def _cases_within(self, name: str, rests: tuple[Rest, ...], budget: Budget) -> "Sequence[Case]":
        known = self._cases.get((name, rests))
        if known is None:
            if name == PRINCIPAL:
                known = dimensions.principal_cases(rests)
            elif name == RESOURCE:
                known = dimensions.resource_cases(rests, budget)
            else:
                known = dimensions.key_cases(name.removeprefix(_KEY), rests, self._world, budget)
            self._cases[name, rests] = known
        return known


def _merged(rests: "Sequence[Rest]") -> list[Rest]:
    """The same demands, any one of which is to be met, with those that differ in nothing but resources put together."""
    resources: dict[tuple[Principals | None, frozenset[Condition]], set[Pattern]] = {}
    kept = []
    for rest in rests:
        if rest.resources is None or rest.resources.negated:
            kept.append(rest)
        else:
            resources.setdefault((rest.principals, rest.conditions), set()).update(rest.resources.patterns)
    for (principals, conditions), patterns in resources.items():
        kept.append(Rest(principals, PatternSet(frozenset(patterns)), conditions))
    return kept
