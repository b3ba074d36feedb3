"""A question about two accesses taken apart: narrower ones that together are the whole, and few statements at a time.

What one side allows and the other refuses is allowed by one statement of each layer, and either no statement of the
other side allows it, or one denies it. Such a part names few resources. Of all statements that keep a request from
being a difference (what the one side denies, what the other allows), only those count that a request has met: a
request is looked for without them, and each that it meets is added, until one is found that meets none. So the work
grows with what differs, and with the statements that come near it, not with all.
"""

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from iam_policy.containment import beyond, pattern_of
from iam_policy.dimensions import PRINCIPAL, RESOURCE, context_of
from iam_policy.evaluation import Request, met_by
from iam_policy.globs import may_overlap
from iam_policy.patterns import literal
from iam_policy.statement import PatternSet, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iam_policy.budget import Budget
    from iam_policy.candidate import Candidate
    from iam_policy.dimensions import Assignment
    from iam_policy.patterns import Pattern
    from iam_policy.search import Found

#: More combinations of statements of two layers than these are not looked at one by one.
_MOST_COMBINATIONS = 256
#: Stands for a layer that is left open; also a statement that asks nothing.
_OPEN = Scope(None, None, frozenset())
_RESOURCE_OF_NONE = ("*",)


def parts(candidate: "Candidate", budget: "Budget") -> "Iterator[Candidate]":
    """Narrower questions that together are the whole one, each with one demand in a layer.

    Raises
    ------
    OutOfBudgetError
    """
    combinations = _combinations(candidate.allows)
    for combination in combinations:
        if new := _not_within(combination, candidate.refusing_allows, budget):
            yield replace(candidate, allows=_layers(new, candidate), refusing_denies=())
    for deny in candidate.refusing_denies:
        if not (lifted := _not_within((deny,), [candidate.denies], budget)):
            continue
        for combination in combinations:
            budget.spend(1)
            allows = (*_layers(combination, candidate), lifted)
            yield replace(candidate, allows=allows, refusing_allows=((),), refusing_denies=())


def demands_of(part: "Candidate") -> tuple[Scope, ...]:
    """What the requests of a part must meet, each demand once."""
    single = (layer[0] for layer in part.allows if len(layer) == 1)
    return tuple(dict.fromkeys(one for one in single if one != _OPEN))


def _layers(demands: tuple[Scope, ...], candidate: "Candidate") -> tuple[tuple[Scope, ...], ...]:
    """The demands as layers of one statement; a layer that was left open has all of its statements."""
    return tuple(layer if one is _OPEN else (one,) for one, layer in zip(demands, candidate.allows, strict=True))


def difference(candidate: "Candidate", assignment: "Assignment", budget: "Budget") -> "Found | None":
    """A request that is allowed to the one and refused to the other, found part by part.

    Raises
    ------
    OutOfBudgetError
    """
    perhaps: Found | None = None
    for piece in pieces(candidate, budget):
        found = _found_in(Obstacles(piece, budget), assignment, budget)
        if found is not None and found.certain:
            return found
        perhaps = perhaps or found
    return perhaps


def pieces(candidate: "Candidate", budget: "Budget") -> "Iterator[Candidate]":
    """The parts, each for one resource pattern of each demand at a time, of those that may meet.

    Raises
    ------
    OutOfBudgetError
    """
    for part in parts(candidate, budget):
        for allows in _layers_of_pieces(part.allows, (), budget):
            yield replace(part, allows=allows)


def _layers_of_pieces(
    layers: tuple[tuple[Scope, ...], ...], asked: tuple["Pattern", ...], budget: "Budget"
) -> "Iterator[tuple[tuple[Scope, ...], ...]]":
    """The layers with one resource pattern in each that has one statement, where it may meet those of the others."""
    if not layers:
        yield ()
        return
    layer, *others = layers
    element = layer[0].resources if len(layer) == 1 else None
    if element is None or element.negated:
        for rest in _layers_of_pieces(tuple(others), asked, budget):
            yield (layer, *rest)
        return
    for pattern in sorted(element.patterns, key=repr):
        budget.spend(1)
        if all(may_overlap(_glob(pattern), _glob(other)) for other in asked):
            piece = replace(layer[0], resources=PatternSet(frozenset([pattern])))
            for rest in _layers_of_pieces(tuple(others), (*asked, pattern), budget):
                yield ((piece,), *rest)


def request_of(found: "Found", action: str, assignment: "Assignment") -> Request:
    """The request that a search found, with an action and the values of variables."""
    values: dict[str, str | tuple[str, ...]] = {
        key: value for key, value in assignment.values.items() if value is not None
    }
    return Request(
        action,
        found.examples.get(RESOURCE, _RESOURCE_OF_NONE)[0] or "*",
        values | context_of(found.examples),
        found.examples[PRINCIPAL][0] if PRINCIPAL in found.examples else None,
    )


def _found_in(obstacles: "Obstacles", assignment: "Assignment", budget: "Budget") -> "Found | None":
    """A request of one part, or None when there is none."""
    part = obstacles.part
    while True:
        found = obstacles.candidate.searched(assignment, budget)
        if found is None:
            return None
        if found.certain:
            if not obstacles.add_met(request_of(found, part.action, assignment)):
                return found
        elif not obstacles.add_near():
            return found


class Obstacles:
    """The statements that keep the requests of a part from being a difference, as far as they count so far.

    Parameters
    ----------
    part : Candidate
        The part, with all of them.
    """

    def __init__(self, part: "Candidate", budget: "Budget") -> None:
        self._part = part
        self._budget = budget
        self._denies: dict[Scope, None] = {}
        self._allows: list[dict[Scope, None]] = [{} for _ in part.refusing_allows]

    @property
    def part(self) -> "Candidate":
        """The part, with all statements."""
        return self._part

    @property
    def candidate(self) -> "Candidate":
        """The part with the statements that count so far. Where it has no difference, the part has none."""
        return replace(
            self._part, denies=tuple(self._denies), refusing_allows=tuple(tuple(layer) for layer in self._allows)
        )

    def add_met(self, request: Request) -> bool:
        """Let statements count that keep this request from being a difference; whether there are such that did not.

        Raises
        ------
        OutOfBudgetError
        """
        before = len(self)
        denied = self._met(self._part.denies, request)
        allowed = [self._met(layer, request) for layer in self._part.refusing_allows]
        if denied or all(allowed):
            self._denies |= denied
            for counting, met in zip(self._allows, allowed, strict=True):
                counting.update(met)
        return len(self) > before

    def add_near(self) -> bool:
        """Let all statements count that may meet a request of the part; whether there are such that did not.

        Raises
        ------
        OutOfBudgetError
        """
        before = len(self)
        self._denies |= self._near(self._part.denies)
        for counting, every in zip(self._allows, self._part.refusing_allows, strict=True):
            counting.update(self._near(every))
        return len(self) > before

    def __len__(self) -> int:
        return len(self._denies) + sum(map(len, self._allows))

    def _near(self, scopes: "Iterable[Scope]") -> dict[Scope, None]:
        """The statements that may meet a request of the part, a piece for each resource pattern."""
        asked = [
            one.resources for one in demands_of(self._part) if one.resources is not None and not one.resources.negated
        ]
        near: dict[Scope, None] = {}
        for scope in scopes:
            if scope.resources is None or scope.resources.negated:
                self._budget.spend(1)
                near[scope] = None
                continue
            self._budget.spend(1 + len(scope.resources.patterns))
            for pattern in sorted(scope.resources.patterns, key=repr):
                if all(any(may_overlap(_glob(pattern), _glob(other)) for other in one.patterns) for one in asked):
                    near[replace(scope, resources=PatternSet(frozenset([pattern])))] = None
        return near

    def _met(self, scopes: "Sequence[Scope]", request: Request) -> dict[Scope, None]:
        """The statements that a request meets, with the one resource pattern that it matches."""
        self._budget.spend(1 + len(scopes))
        text = literal(request.resource)
        at_it = [piece for scope in scopes if (piece := self._piece_at(scope, text)) is not None]
        return dict.fromkeys(met_by(at_it, request))

    def _piece_at(self, scope: Scope, text: str) -> Scope | None:
        element = scope.resources
        if element is None or element.negated or len(element.patterns) == 1 or element.templates:
            return scope
        pattern = pattern_of(element, text, self._budget)
        return None if pattern is None else replace(scope, resources=PatternSet(frozenset([pattern])))


def _glob(pattern: "Pattern") -> str:
    return pattern if isinstance(pattern, str) else pattern.widest


def _combinations(layers: tuple[tuple[Scope, ...], ...]) -> list[tuple[Scope, ...]]:
    """One demand of each layer; where there would be too many, those of each layer but the first are left open."""
    number = 1
    for layer in layers:
        number *= len(layer)
    if number > _MOST_COMBINATIONS:
        return [(one, *(_OPEN for _ in layers[1:])) for one in layers[0]]
    return list(product(*layers))


def _not_within(
    demands: tuple[Scope, ...], layers: "Iterable[tuple[Scope, ...]]", budget: "Budget"
) -> tuple[Scope, ...]:
    """The demands without resources for which they are surely met in every layer; empty when none is left."""
    first, *others = demands
    unmet = [layer for layer in layers if all(beyond(one, layer, budget) is not None for one in others)]
    left = [rest for layer in unmet if (rest := beyond(first, layer, budget)) is not None]
    if not left:
        return ()
    if any(rest == first for rest in left):
        return demands
    patterns = frozenset["Pattern"]().union(*(rest.resources.patterns for rest in left if rest.resources is not None))
    return (replace(first, resources=PatternSet(patterns)), *others)
