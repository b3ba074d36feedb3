"""Two accesses laid side by side: the kinds of actions that they may treat differently."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from iam_policy.actions import Actions, Members
from iam_policy.bits import places
from iam_policy.candidate import Candidate, joined
from iam_policy.globs import without_covered
from iam_policy.statement import PatternSet, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iam_policy.access import Access
    from iam_policy.budget import Budget


_DEMANDS_OF_A_STEP = 8


@dataclass(frozen=True, slots=True)
class _Place:
    """Where actions are named: the slot, and for a NotAction all that it names."""

    slot: int
    all_but: frozenset[str] | None

    @property
    def negated(self) -> bool:
        return self.all_but is not None


class Pairing:
    """Two accesses side by side.

    The statements that agree in all but the action, in one layer and with one effect, share a *slot*: a bit. The slots
    of a side and layer are numbered alike, so that equal blocks of bits mean equal demands.
    """

    def __init__(self, first: "Access", second: "Access") -> None:
        self._scopes: dict[Scope, int] = {}
        self._sides = (first, second)
        for access in self._sides:
            for layer in access.layers:
                for statement in layer:
                    self._scopes.setdefault(statement.scope, len(self._scopes))
        self._scope_list = list(self._scopes)
        self._sizes = [scope.size for scope in self._scope_list]
        self._actions = self._action_elements()
        self._kinds: dict[int, str] | None = None
        self._members: dict[int, Members] | None = None

    @property
    def scopes(self) -> list[Scope]:
        """All that the statements of both sides ask besides the action."""
        return self._scope_list

    def candidates(self, allowing: int, budget: "Budget") -> "Iterator[Candidate]":
        """The kinds of actions that side `allowing` (0 or 1) may allow where the other does not.

        Raises
        ------
        OutOfBudgetError
        """
        if self._kinds is None:
            with budget.half() as part:
                self._kinds = self._actions.cases(part)
        for slots, action in self._kinds.items():
            blocks = [[slots >> offset & self._full for offset in offsets] for offsets in self._offsets]
            if blocks[0] == blocks[1]:
                continue
            denies, *allows = blocks[allowing]
            refusing_denies, *refusing_allows = blocks[1 - allowing]
            if all(allows):
                asked = partial(self._asked, budget=budget)
                yield Candidate(
                    action,
                    slots,
                    tuple(map(asked, allows)),
                    asked(denies),
                    tuple(map(asked, refusing_allows)),
                    asked(refusing_denies),
                )

    def known_action(self, candidate: Candidate, budget: "Budget") -> str | None:
        """An action known today that both sides treat like the candidate's, or None."""
        return self._actions.known_like(candidate.action, candidate.slots, budget)

    def members(self, candidate: Candidate, budget: "Budget") -> Members:
        """All actions that both sides treat like the candidate's.

        Raises
        ------
        OutOfBudgetError
        """
        if self._members is None:
            self._members = self._actions.members(budget)
        return self._members[candidate.slots]

    @property
    def _full(self) -> int:
        return (1 << len(self._scope_list)) - 1

    def _asked(self, bits: int, budget: "Budget") -> tuple[Scope, ...]:
        asked = places(bits)
        budget.spend(sum(self._sizes[place] for place in asked) // _DEMANDS_OF_A_STEP)
        return joined([self._scope_list[place] for place in asked])

    def _action_elements(self) -> Actions:
        width = len(self._scope_list)
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
        width = len(self._scope_list)
        named: dict[_Place, set[str]] = {}
        for number, layer in enumerate(access.layers, 1):
            for statement in layer:
                globs = {glob for glob in statement.actions.patterns if isinstance(glob, str)}
                slot = number * statement.allows * width + self._scopes[statement.scope]
                negated = frozenset(globs) if statement.actions.negated else None
                named.setdefault(_Place(slot, negated), set()).update(globs)
        return named

    @staticmethod
    def _agrees(slots: int, width: int) -> bool:
        """Whether both sides have an element in the same slots, those of the second side standing above."""
        return slots >> width == slots & ((1 << width) - 1)
