"""Sets of patterns with policy variables whose values are not known: what any values could make of them.

Each variable is given a symbol, one character that no text has and no question mark takes. A glob that matches a string
with symbols in it also matches it with the symbols replaced by any text. So what is found to match, matches whatever
the variables stand for; everything else that they might bring about is reported as a case without an example. Nothing
that can be is left out, which makes the absence of a difference a proof.

The strings that are looked at: those that no pattern with a variable matches, and for each such pattern those that it
matches, written with the symbol where the variable stands.
"""

from typing import TYPE_CHECKING

from . import texts
from .automaton import Alternatives, Matching, combinations
from .bits import places
from .globs import overlap
from .patterns import FIRST_SYMBOL, Pattern, Template, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .budget import Budget


def cases(sets: "Sequence[tuple[frozenset[Pattern], Matching]]", budget: "Budget") -> list[tuple[int, str | None]]:
    """For every combination of these sets that some string may match: the combination and a string, or None.

    Raises
    ------
    OutOfBudgetError
    """
    plain = [
        Alternatives(frozenset(pattern for pattern in patterns if isinstance(pattern, str)), matching)
        for patterns, matching in sets
    ]
    plausible = [texts.plausible_arn(glob) for alternatives in plain for glob in alternatives.globs]
    templates = {pattern for patterns, _ in sets for pattern in patterns if isinstance(pattern, Template)}
    known = texts.cases(plain, budget, plausible)
    if not templates:
        return list(known.items())
    symbols = _symbols(templates)
    written = [
        Alternatives(frozenset(_written(pattern, symbols) for pattern in patterns), matching)
        for patterns, matching in sets
    ]
    found = dict.fromkeys(known)
    for template in sorted(templates, key=repr):
        required = Alternatives(frozenset([_written(template, symbols)]))
        for combination in combinations([*written, required], budget, required=len(written)):
            surely = combination.matched & ~(1 << len(written))
            found |= dict.fromkeys(_possible(surely, template, sets, budget))
    return [(matched, None) for matched in found]


def _possible(
    surely: int, template: Template, sets: "Sequence[tuple[frozenset[Pattern], Matching]]", budget: "Budget"
) -> "Iterable[int]":
    """What may be matched besides what surely is, by patterns that share a string with the template."""
    doubtful: dict[Pattern, int] = {}
    for index, (patterns, _) in enumerate(sets):
        if surely >> index & 1:
            continue
        for pattern in patterns:
            glob = pattern if isinstance(pattern, str) else pattern.widest
            if overlap(glob.lower(), template.widest.lower()):
                doubtful[pattern] = doubtful.get(pattern, 0) | 1 << index
    options = list(doubtful.values())
    budget.spend(1 << min(len(options), 40))
    for chosen in range(1 << len(options)):
        matched = surely
        for place in places(chosen):
            matched |= options[place]
        yield matched


def _symbols(templates: "Iterable[Template]") -> dict[Variable, str]:
    variables = sorted({variable for template in templates for variable in template.variables}, key=repr)
    return {variable: chr(FIRST_SYMBOL + number) for number, variable in enumerate(variables)}


def _written(pattern: Pattern, symbols: dict[Variable, str]) -> str:
    if isinstance(pattern, str):
        return pattern
    return "".join(part if isinstance(part, str) else symbols[part] for part in pattern.parts)
