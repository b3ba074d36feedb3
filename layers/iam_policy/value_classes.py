"""The values that a policy variable can have, one for each way in which the patterns of some policies can take them.

Two values are of one class when every glob that has come to the place of the variable goes on alike with both: then
whatever is decided for the one holds for the other, but for a value that meets itself at another place. The classes are
found as the combinations of globs are: all globs side by side, letter by letter, from every position in which a glob
can be where the variable stands. How many there are depends on the globs that reach that place, not on all.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iam_policy import symbols
from iam_policy.automaton import Alternatives, Matching, Positions, fresh_letter
from iam_policy.bits import places
from iam_policy.budget import OutOfBudgetError
from iam_policy.kinds import PRESENCE
from iam_policy.patterns import Pattern, Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iam_policy.budget import Budget
    from iam_policy.statement import Scope

PatternSets = list[tuple[frozenset[Pattern], Matching]]
#: With more classes than these a variable is left undecided.
_MOST_CLASSES = 512
_WITH_A_COLON = Alternatives(frozenset(["*:*"]))


@dataclass(slots=True)
class _Side:
    """The globs of one dimension, and the positions from which a value is read."""

    positions: Positions
    entries: set[int]
    texts: list[str]


def classes(key: str, scopes: "Iterable[Scope]", budget: "Budget") -> list[str]:
    """A value of each class of a key's values but the empty one, shortest first, as `patterns.literal` has it.

    Raises
    ------
    OutOfBudgetError
        Also where there are too many, or the key is measured as well.
    """
    scopes = list(scopes)
    of_resources: PatternSets = [
        (one.resources.patterns, Matching.WHOLE) for one in scopes if one.resources is not None
    ]
    dimensions = {"": of_resources}
    for scope in scopes:
        for condition in scope.conditions:
            texts = frozenset(value for value in condition.values if isinstance(value, str | Template))
            matching = condition.operator.kind.matching
            if matching is not None:
                dimensions.setdefault(condition.key, []).append((texts, matching))
            elif condition.key == key and condition.operator.kind is not PRESENCE:
                raise OutOfBudgetError
    sides = [
        side
        for name, sets in dimensions.items()
        if (side := _side(key, list(dict.fromkeys(sets)), budget, is_own=name == key)) is not None
    ]
    return _classes([*sides, _colons()], budget)


def _side(key: str, sets: PatternSets, budget: "Budget", *, is_own: bool) -> _Side | None:
    templates = [
        (pattern, matching) for patterns, matching in sets for pattern in patterns if isinstance(pattern, Template)
    ]
    places_of_it = [
        (template.parts[:index], matching)
        for template, matching in dict.fromkeys(templates)
        for index, part in enumerate(template.parts)
        if not isinstance(part, str) and part.key == key
    ]
    if not places_of_it and not is_own:
        return None
    letters = symbols.symbols_of(template for template, _ in templates)
    positions = Positions()
    texts: list[str] = []
    for patterns, matching in sets:
        globs = frozenset(symbols.loosely_written(pattern, letters) for pattern in patterns)
        budget.spend(1 + sum(map(len, globs)) // 4)
        positions.add(Alternatives(globs, matching))
        texts += globs
    positions.not_symbol = 0
    entries = set(places(positions.first())) if is_own else set()
    for before, matching in sorted(set(places_of_it), key=repr):
        widest = Template(before).widest if before else ""
        entries |= _reached(positions, Alternatives(frozenset([widest]), matching), texts, budget)
    own_starts = positions.starts.get(letters[key], 0) if key in letters else 0
    return _Side(positions, {place for place in entries if not own_starts >> place & 1}, texts)


def _colons() -> _Side:
    """The values that have a colon are of other classes than those that have none: they fit into no part of an ARN."""
    positions = Positions()
    positions.add(_WITH_A_COLON)
    return _Side(positions, set(places(positions.first())), ["*:*"])


def _reached(positions: Positions, before: Alternatives, texts: "Sequence[str]", budget: "Budget") -> set[int]:
    """The positions that each glob can be in after a text of another one."""
    leading = Positions()
    leading.add(before)
    fresh = fresh_letter([*texts, *before.globs, "*?"])
    pending = [(place, leading.first()) for place in places(positions.first())]
    seen = set(pending)
    while pending:
        place, ahead = pending.pop()
        letters = {fresh, *positions.awaited(1 << place), *leading.awaited(ahead)}
        budget.spend(len(letters))
        for letter in letters:
            following = leading.after(ahead, letter)
            if not following:
                continue
            for reached in places(positions.after(1 << place, letter)):
                if (reached, following) not in seen:
                    seen.add((reached, following))
                    pending.append((reached, following))
    return {place for place, ahead in seen if leading.matched(ahead)}


def _classes(sides: "Sequence[_Side]", budget: "Budget") -> list[str]:
    entries = [(side.positions, 1 << place) for side in sides for place in sorted(side.entries)]
    fresh = fresh_letter([*(text for side in sides for text in side.texts), "*?"])
    start = tuple(state for _, state in entries)
    found: dict[tuple[int, ...], str] = {}
    queue = [(start, "")]
    for states, text in queue:
        letters = dict.fromkeys([fresh])
        for (positions, _), state in zip(entries, states, strict=True):
            letters |= dict.fromkeys(positions.awaited(state))
        budget.spend(len(letters) * (1 + len(entries)))
        for letter in letters:
            following = tuple(
                positions.after(state, letter) for (positions, _), state in zip(entries, states, strict=True)
            )
            if following not in found:
                found[following] = text + letter
                queue.append((following, text + letter))
                if len(found) > _MOST_CLASSES:
                    raise OutOfBudgetError
    return list(found.values())
