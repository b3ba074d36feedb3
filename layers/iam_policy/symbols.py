"""Sets of patterns with policy variables of unknown value: what any values could make of them.

Each variable is given a symbol, one character that no text has and no question mark takes. A glob that matches a string
with symbols in it also matches it with the symbols replaced by any text. So what is found to match, matches whatever
the variables stand for; everything else that they might bring about is reported as a case without an example. Nothing
that can be is left out, which makes the absence of a difference a proof.

The strings that are looked at: those that no pattern with a variable matches, and for each such pattern those that it
matches, written with the symbol where the variable stands.
"""

from typing import TYPE_CHECKING

from iam_policy import texts
from iam_policy.automaton import Alternatives, Matching, combinations
from iam_policy.bits import places
from iam_policy.globs import arns_overlap, overlap
from iam_policy.patterns import FIRST_SYMBOL, Pattern, Template, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iam_policy.budget import Budget


def cases(
    sets: "Sequence[tuple[frozenset[Pattern], Matching]]", budget: "Budget", plausible: "Iterable[str]" = ()
) -> list[tuple[int, str | None]]:
    """For every combination of these sets that some string may match: the combination and a string, or None.

    Strings that are plausible are preferred.

    Raises
    ------
    OutOfBudgetError
    """
    plain = [
        Alternatives(frozenset(pattern for pattern in patterns if isinstance(pattern, str)), matching)
        for patterns, matching in sets
    ]
    plausible = [
        *plausible,
        *(texts.plausible_arn(glob) for alternatives in plain for glob in sorted(alternatives.globs)),
    ]
    templates = {
        (pattern, matching) for patterns, matching in sets for pattern in patterns if isinstance(pattern, Template)
    }
    known = texts.cases(plain, budget, plausible)
    if not templates:
        return list(known.items())
    symbols = _symbols(template for template, _ in templates)
    within_parts = [
        Alternatives(frozenset(_written(pattern, symbols) for pattern in patterns), matching)
        for patterns, matching in sets
    ]
    anywhere = [
        Alternatives(frozenset(_written(one, symbols) for one in patterns if _takes_any_value(one, matching)), matching)
        for patterns, matching in sets
    ]
    found = dict.fromkeys(known)
    for template, matching in sorted(templates, key=repr):
        required = Alternatives(frozenset([_written(template, symbols)]), matching)
        written = within_parts if matching is Matching.ARN else anywhere
        for combination in combinations([*written, required], budget, required=len(written)):
            surely = combination.matched & ~(1 << len(written))
            found |= dict.fromkeys(_possible(surely, template, matching, sets, budget))
    return [(matched, None) for matched in found]


def _possible(
    surely: int,
    template: Template,
    matching: Matching,
    sets: "Sequence[tuple[frozenset[Pattern], Matching]]",
    budget: "Budget",
) -> "Iterable[int]":
    """What may be matched besides what surely is, by patterns that share a string with the template."""
    widest = folded(template.widest)
    doubtful: dict[Pattern, int] = {}
    for index, (patterns, others) in enumerate(sets):
        if surely >> index & 1:
            continue
        for pattern in sorted(patterns, key=repr):
            glob = pattern if isinstance(pattern, str) else pattern.widest
            meet = arns_overlap if matching is others is Matching.ARN else overlap
            if meet(folded(glob), widest):
                doubtful[pattern] = doubtful.get(pattern, 0) | 1 << index
    options = list(doubtful.values())
    budget.spend(1 << min(len(options), 40))
    for chosen in range(1 << len(options)):
        matched = surely
        for place in places(chosen):
            matched |= options[place]
        yield matched


def _takes_any_value(pattern: Pattern, matching: Matching) -> bool:
    """Whether a value with colons leaves the pattern what it is; not in the first five parts of an ARN."""
    return matching is not Matching.ARN or isinstance(pattern, str) or pattern.fits_an_arn((), lambda _: ":")


def _symbols(templates: "Iterable[Template]") -> dict[str, str]:
    """A symbol for each key: it has a value here, so that defaults do not matter."""
    keys = sorted({variable.key for template in templates for variable in template.variables})
    return {key: chr(FIRST_SYMBOL + number) for number, key in enumerate(keys)}


def _written(pattern: Pattern, symbols: dict[str, str]) -> str:
    if isinstance(pattern, str):
        return pattern
    return "".join(part if isinstance(part, str) else symbols[part.key] for part in pattern.parts)
