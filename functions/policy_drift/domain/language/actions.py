"""The action of a request: which statements each action, known today or not, is a matter of."""

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from . import known_actions, texts
from .automaton import Alternatives, Matching, combinations
from .globs import matches
from .patterns import is_wild

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .budget import Budget
    from .statement import PatternSet


@dataclass(frozen=True, slots=True)
class _Wild:
    """A glob and the elements (by bit) that it stands in."""

    glob: str
    elements: int


class Actions:
    """The Action and NotAction elements of two sets of policies.

    Parameters
    ----------
    slots : mapping
        For each element, the bits that are to be reported for the actions that it applies to.
    changed : set of PatternSet
        The elements that not both sides have in the same place. Actions that only other elements tell apart are left
        out, for there both sides agree.
    """

    def __init__(self, slots: "Mapping[PatternSet, int]", changed: set["PatternSet"]) -> None:
        self._elements = list(slots)
        self._slots = [slots[element] for element in self._elements]
        self._exact: dict[str, int] = {}
        self._of_service: dict[str, list[_Wild]] = {}
        self._of_any_service: list[_Wild] = []
        self._everywhere = 0
        self._changed = 0
        self._reported: dict[int, int] = {}
        self._looked_up: dict[str, tuple[Iterator[str], dict[int, str]]] = {}
        wild: dict[str, int] = {}
        for index, element in enumerate(self._elements):
            bit = 1 << index
            if element in changed:
                self._changed |= bit
            for glob in element.patterns:
                if not isinstance(glob, str):
                    continue
                if not is_wild(glob):
                    self._exact[glob] = self._exact.get(glob, 0) | bit
                elif glob == "*":
                    self._everywhere |= bit
                else:
                    wild[glob] = wild.get(glob, 0) | bit
        for glob, elements in wild.items():
            service = glob.partition(":")[0]
            kept = self._of_any_service if is_wild(service) else self._of_service.setdefault(service, [])
            kept.append(_Wild(glob, elements))

    def cases(self, budget: "Budget") -> dict[int, str]:
        """For every combination of slots in which an action can be, and that may matter, such an action.

        Raises
        ------
        OutOfBudgetError
        """
        found: dict[int, str] = {}
        budget.spend(len(self._exact))
        for action in self._exact:
            found.setdefault(self.slots_of(action), action)
        negated = any(element.negated for element in self._elements)
        open_to_all = self._everywhere & self._changed or any(
            wild.elements & self._changed for wild in self._of_any_service
        )
        for service, wild in self._of_service.items():
            if negated or open_to_all or any(one.elements & self._changed for one in wild):
                for elements, action in self._walk([*wild, *self._of_any_service], f"{service}:?*", budget):
                    found.setdefault(self._report(elements | self._everywhere), action)
        if negated or open_to_all:
            for _, action in self._walk(self._of_any_service, "?*:?*", budget):
                found.setdefault(self.slots_of(action), action)
        return found

    def slots_of(self, action: str) -> int:
        """The slots of one action, given in lower case."""
        elements = self._everywhere | self._exact.get(action, 0)
        for wild in self._of_service.get(action.partition(":")[0], ()):
            if wild.elements & ~elements and matches(wild.glob, action):
                elements |= wild.elements
        for wild in self._of_any_service:
            if wild.elements & ~elements and matches(wild.glob, action):
                elements |= wild.elements
        return self._report(elements)

    def known_like(self, example: str, slots: int) -> str | None:
        """An action known today that is in the same slots as the example, the example itself if possible."""
        if (name := known_actions.spelled(example)) is not None:
            return name
        service = example.partition(":")[0]
        if service not in self._looked_up:
            named = (name for action in self._exact if (name := known_actions.spelled(action)) is not None)
            like = known_actions.of_service(service) or known_actions.every()
            self._looked_up[service] = (chain(like, named), {})
        unread, found = self._looked_up[service]
        while slots not in found and (name := next(unread, None)) is not None:
            found.setdefault(self.slots_of(name.lower()), name)
        return found.get(slots)

    def _report(self, elements: int) -> int:
        known = self._reported.get(elements)
        if known is None:
            known = 0
            for index, element in enumerate(self._elements):
                if (elements >> index & 1) != element.negated:
                    known |= self._slots[index]
            self._reported[elements] = known
        return known

    def _walk(self, wild: "Sequence[_Wild]", universe: str, budget: "Budget") -> "Iterator[tuple[int, str]]":
        """The combinations of elements that actions of a universe can be in, at least those that no element names."""
        by_elements: dict[int, list[str]] = {}
        for one in wild:
            by_elements.setdefault(one.elements, []).append(one.glob)
        groups = list(by_elements)
        sets = [Alternatives(frozenset(globs)) for globs in by_elements.values()]
        if universe != "?*:?*" and not self._of_any_service and all(map(_is_prefix, (one.glob for one in wild))):
            stem = universe[:-2]
            plausible = [action for action in (stem + "example",) if action not in self._exact]
            found = texts.cases([*sets, Alternatives(frozenset([stem + "*"]))], budget, plausible, list(self._exact))
            inside = [(matched, text) for matched, text in found.items() if matched >> len(sets) & 1]
        else:
            every = [*sets, Alternatives(frozenset([universe]), Matching.ARN)]
            walked = combinations(every, budget, avoid=list(self._exact), required=len(sets))
            if any(not combination.has_others and combination.example in self._exact for combination in walked):
                # The few actions of a combination may all be among the exact names.
                named = [name for name in self._exact if matches(universe, name)]
                groups += [self._exact[name] for name in named]
                every = [*sets, *(Alternatives(frozenset([name])) for name in named), every[-1]]
                walked = combinations(every, budget, required=len(every) - 1)
            inside = [(combination.matched, combination.example) for combination in walked]
        for matched, text in inside:
            elements = 0
            for index, bits in enumerate(groups):
                if matched >> index & 1:
                    elements |= bits
            yield elements, text


def _is_prefix(glob: str) -> bool:
    return glob.endswith("*") and not is_wild(glob[:-1])
