"""Two accesses laid side by side: the kinds of actions that they may treat differently."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from iam_policy.actions import Actions, Members
from iam_policy.bits import places
from iam_policy.budget import OutOfBudgetError
from iam_policy.candidate import Candidate, joined
from iam_policy.evaluation import met_by
from iam_policy.globs import is_stem, without_covered
from iam_policy.patterns import is_wild
from iam_policy.statement import PatternSet, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iam_policy.access import Access
    from iam_policy.budget import Budget
    from iam_policy.evaluation import Request


_DEMANDS_OF_A_STEP = 8
#: The part of the budget within which all kinds of actions are looked for.
_SHARE_OF_ALL_KINDS = 4


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
        self._has_all_kinds = True
        self._outlined = {one for one in self._slots if one in self._changed or not _has_inner_star(one)}
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
            Where not all kinds were found within the budget, after those that were.
        """
        if self._kinds is None:
            try:
                with budget.share(_SHARE_OF_ALL_KINDS) as part:
                    self._kinds = self._actions.cases(part)
            except OutOfBudgetError:
                self._kinds = self._actions.some_cases(self._outline(self._outlined), budget)
                self._has_all_kinds = False
        for slots, action in self._kinds.items():
            yield from self._candidate(allowing, slots, action, 0, budget)
        if not self._has_all_kinds:
            raise OutOfBudgetError

    def outlines(self, allowing: int, outlined: set[PatternSet], budget: "Budget") -> "Iterator[Candidate]":
        """Questions about the actions that some elements distinguish; whether others apply to them is left open.

        What is left open is taken as the side `allowing` would have it. So where no such question has a difference,
        there is none. Elements that the sides do not have in the same places must be among those given.

        Raises
        ------
        OutOfBudgetError
        """
        open_to_both = 0
        for element in self._slots.keys() - outlined:
            open_to_both |= self._slots[element]
        with budget.half() as part:
            kinds = self._outline(outlined).cases(part)
        for slots, action in kinds.items():
            yield from self._candidate(allowing, slots, action, open_to_both, budget)

    @property
    def has_all_kinds(self) -> bool:
        """Whether `candidates` found all kinds of actions, as far as it was asked."""
        return self._has_all_kinds

    @property
    def outlined(self) -> set[PatternSet]:
        """The elements that changed, and those that cost little to distinguish."""
        return set(self._outlined)

    def met_by(self, request: "Request", outlined: set[PatternSet], budget: "Budget") -> set[PatternSet]:
        """The elements but those given that stand in a statement of which a request meets all the rest."""
        budget.spend(len(self._scope_list))
        met = set(met_by(self._scope_list, request))
        width = len(self._scope_list)
        return {
            element
            for element in self._slots.keys() - outlined
            if any(self._scope_list[place % width] in met for place in places(self._slots[element]))
        }

    def _outline(self, outlined: set[PatternSet]) -> Actions:
        return Actions({one: slots for one, slots in self._slots.items() if one in outlined}, self._changed)

    def _candidate(
        self, allowing: int, slots: int, action: str, open_to_both: int, budget: "Budget"
    ) -> "Iterator[Candidate]":
        blocks = [[slots >> offset & self._full for offset in offsets] for offsets in self._offsets]
        if blocks[0] == blocks[1]:
            return
        perhaps = [[open_to_both >> offset & self._full for offset in offsets] for offsets in self._offsets]
        denies, *allows = blocks[allowing]
        refusing_denies, *refusing_allows = blocks[1 - allowing]
        allows = [layer | more for layer, more in zip(allows, perhaps[allowing][1:], strict=True)]
        refusing_denies |= perhaps[1 - allowing][0]
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
        self._slots: dict[PatternSet, int] = {}
        slots = self._slots
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
        self._changed = changed
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


def _has_inner_star(element: PatternSet) -> bool:
    """Whether an element has a wildcard that costs much to distinguish from others: one before other text."""
    return any(isinstance(one, str) and is_wild(one) and not is_stem(one) for one in element.patterns)
