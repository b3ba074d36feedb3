"""The action of a request: which statements each action, known today or not, is a matter of."""

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from iam_policy import known_actions, texts
from iam_policy.automaton import Alternatives, Matching, combinations
from iam_policy.bits import places
from iam_policy.budget import OutOfBudgetError
from iam_policy.globs import is_stem, matches
from iam_policy.patterns import is_wild

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iam_policy.budget import Budget
    from iam_policy.statement import PatternSet


_MATCHES_OF_A_STEP = 4


ANY_SERVICE = "*"


@dataclass(frozen=True, slots=True)
class Members:
    """The actions that are in the same slots.

    Attributes
    ----------
    named : set of str
        Those that are known today, as AWS spells them, and those that a policy names exactly.
    others : dict of str
        The services of which others are, each with one of these actions; `ANY_SERVICE` for those that no policy names.
    """

    named: set[str] = field(default_factory=set)
    others: dict[str, str] = field(default_factory=dict)


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
        self._negated = sum(1 << index for index, element in enumerate(self._elements) if element.negated)
        self._exact: dict[str, int] = {}
        self._exact_of_service: dict[str, list[str]] = {}
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
            for glob in sorted(pattern for pattern in element.patterns if isinstance(pattern, str)):
                if not is_wild(glob):
                    self._exact[glob] = self._exact.get(glob, 0) | bit
                elif glob == "*":
                    self._everywhere |= bit
                else:
                    wild[glob] = wild.get(glob, 0) | bit
        for action in self._exact:
            self._exact_of_service.setdefault(action.partition(":")[0], []).append(action)
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
        for slots, action, _ in self._every_case(budget):
            found.setdefault(slots, action)
        return found

    def some_cases(self, outline: "Actions", budget: "Budget") -> dict[int, str]:
        """The same as far as it is found without all elements side by side, within half of the budget.

        Actions that are looked at: those that fewer elements, an outline, tell apart, and those that are known today.
        """
        found: dict[int, str] = {}
        try:
            with budget.half() as part:
                for name in chain(outline.cases(part).values(), self._exact, map(str.lower, known_actions.every())):
                    found.setdefault(self._slots_of(name, part), name)
        except OutOfBudgetError:
            pass
        return found

    def members(self, budget: "Budget") -> dict[int, "Members"]:
        """For every combination of slots that may matter, all actions that are in it.

        Raises
        ------
        OutOfBudgetError
        """
        found: dict[int, Members] = {}
        for slots, action, service in self._every_case(budget):
            members = found.setdefault(slots, Members())
            if service:
                members.others.setdefault(service, action)
            else:
                members.named.add(known_actions.spelled(action) or action)
        of_all = self._negated or self._is_open_to_all
        for service in known_actions.services() if of_all else self._of_service:
            names = known_actions.of_service(service)
            if service not in self._of_service and not self._of_any_service:  # all but the exact ones are alike
                alike = [name for name in names if name.lower() not in self._exact]
                found.setdefault(self._report(self._everywhere, budget), Members()).named.update(alike)
                continue
            for name in names:
                found.setdefault(self._slots_of(name.lower(), budget), Members()).named.add(name)
        return found

    @property
    def _is_open_to_all(self) -> bool:
        """Whether actions of any service may be treated differently."""
        return bool(self._everywhere & self._changed) or any(
            wild.elements & self._changed for wild in self._of_any_service
        )

    def _every_case(self, budget: "Budget") -> "Iterator[tuple[int, str, str]]":
        """Slots, an action in them, and the service that it is an example of; empty if it is named exactly."""
        for action in self._exact:
            yield self._slots_of(action, budget), action, ""
        open_to_all = self._is_open_to_all
        for service, wild in self._of_service.items():
            if self._negated or open_to_all or any(one.elements & self._changed for one in wild):
                named = self._exact_of_service.get(service, [])
                for elements, action in self._walk([*wild, *self._of_any_service], f"{service}:?*", named, budget):
                    yield self._report(elements | self._everywhere, budget), action, service
        if self._negated or open_to_all:
            apart = Alternatives(frozenset(f"{service}:*" for service in self._of_service))
            for _, action in self._walk(self._of_any_service, "?*:?*", list(self._exact), budget, apart):
                yield self._slots_of(action, budget), action, ANY_SERVICE

    def _slots_of(self, action: str, budget: "Budget") -> int:
        """The slots of one action, given in lower case."""
        elements = self._everywhere | self._exact.get(action, 0)
        of_service = self._of_service.get(action.partition(":")[0], ())
        budget.spend(1 + (len(of_service) + len(self._of_any_service)) // _MATCHES_OF_A_STEP)
        for wild in of_service:
            if wild.elements & ~elements and matches(wild.glob, action):
                elements |= wild.elements
        for wild in self._of_any_service:
            if wild.elements & ~elements and matches(wild.glob, action):
                elements |= wild.elements
        return self._report(elements, budget)

    def known_like(self, example: str, slots: int, budget: "Budget") -> str | None:
        """An action known today that is in the same slots as the example, the example itself if possible.

        None also when half of the budget did not find one.
        """
        if (name := known_actions.spelled(example)) is not None:
            return name
        service = example.partition(":")[0]
        like = known_actions.of_service(service)
        if not like:
            service = ""  # services that are not known share one look at all known actions
        if service not in self._looked_up:
            named = (name for action in self._exact if (name := known_actions.spelled(action)) is not None)
            self._looked_up[service] = (chain(like or known_actions.every(), named), {})
        unread, found = self._looked_up[service]
        try:
            with budget.half() as part:
                while slots not in found and (name := next(unread, None)) is not None:
                    found.setdefault(self._slots_of(name.lower(), part), name)
        except OutOfBudgetError:
            return None
        return found.get(slots)

    def _report(self, elements: int, budget: "Budget") -> int:
        known = self._reported.get(elements)
        if known is None:
            known = 0
            applying = places(elements ^ self._negated)
            budget.spend(len(applying) // _MATCHES_OF_A_STEP)
            for index in applying:
                known |= self._slots[index]
            self._reported[elements] = known
        return known

    def _walk(
        self,
        wild: "Sequence[_Wild]",
        universe: str,
        named: "Sequence[str]",
        budget: "Budget",
        apart: Alternatives | None = None,
    ) -> "Iterator[tuple[int, str]]":
        """The combinations of elements that actions of a universe can be in, at least those that no element names.

        Examples that are made up are none of the actions that are named, and none of those that are looked at apart.
        """
        by_elements: dict[int, list[str]] = {}
        for one in wild:
            by_elements.setdefault(one.elements, []).append(one.glob)
        groups = list(by_elements)
        sets = [Alternatives(frozenset(globs)) for globs in by_elements.values()]
        if universe != "?*:?*" and not self._of_any_service and all(is_stem(one.glob) for one in wild):
            stem = universe[:-2]
            plausible = [action for action in (stem + "example",) if action not in self._exact]
            found = texts.cases([*sets, Alternatives(frozenset([stem + "*"]))], budget, plausible, named)
            inside = [(matched, text) for matched, text in found.items() if matched >> len(sets) & 1]
        else:
            every = [*sets, *([apart] if apart else []), Alternatives(frozenset([universe]), Matching.ARN)]
            walked = combinations(every, budget, avoid=named, required=len(every) - 1)
            if any(not combination.has_others and combination.example in self._exact for combination in walked):
                # The few actions of a combination may all be among the exact names.
                groups += [self._exact[name] for name in named]
                every = [*sets, *(Alternatives(frozenset([name])) for name in named), *every[len(sets) :]]
                walked = combinations(every, budget, required=len(every) - 1)
            inside = [
                (combination.matched, combination.example)
                for combination in walked
                if apart is None or not combination.matched >> (len(every) - 2) & 1
            ]
        for matched, text in inside:
            elements = 0
            for index, bits in enumerate(groups):
                if matched >> index & 1:
                    elements |= bits
            yield elements, text
