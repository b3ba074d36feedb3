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
from iam_policy.automaton import perhaps as perhaps_taken
from iam_policy.bits import places
from iam_policy.globs import arns_overlap, overlap
from iam_policy.patterns import FIRST_SYMBOL, Pattern, Template, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from iam_policy.budget import Budget


def cases(
    sets: "Sequence[tuple[frozenset[Pattern], Matching]]",
    budget: "Budget",
    plausible: "Iterable[str]" = (),
    like: "Mapping[str, str] | None" = None,
    within: Pattern = "*",
) -> list[tuple[int, str | None]]:
    """For every combination of these sets that some string may match: the combination and a string, or None.

    Only strings that match the pattern `within`, one of a set, are looked at.

    Strings that are plausible are preferred. ``like`` has for the keys of variables a text each that the patterns take
    as they take the key's value, whichever of its class it is (see `value_classes`).

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
    known = texts.cases(plain, budget, plausible, within=within) if isinstance(within, str) else {}
    if not templates:
        return list(known.items())
    if isinstance(within, Template):
        templates = {(template, matching) for template, matching in templates if template == within}
    symbols = symbols_of(one for patterns, _ in sets for one in patterns if isinstance(one, Template))
    if like is not None and symbols.keys() <= like.keys():
        return _of_a_class(sets, templates, symbols, like, known, budget)
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


def _of_a_class(
    sets: "Sequence[tuple[frozenset[Pattern], Matching]]",
    templates: set[tuple[Template, Matching]],
    symbols: dict[str, str],
    like: "Mapping[str, str]",
    known: "Iterable[int]",
    budget: "Budget",
) -> list[tuple[int, str | None]]:
    """The same for values of a class each: what patterns without variables match is certain then."""
    texts_of = {symbol: like[key] for key, symbol in symbols.items()}

    def fits(pattern: Pattern, matching: Matching) -> bool:
        return matching is not Matching.ARN or isinstance(pattern, str) or pattern.fits_an_arn((), like.get)

    fitting = [
        (sorted((one for one in patterns if fits(one, matching)), key=repr), matching) for patterns, matching in sets
    ]
    surely = [Alternatives(frozenset(_written(one, symbols) for one in listed), how) for listed, how in fitting]
    perhaps = [
        Alternatives(frozenset(loosely_written(one, symbols) for one in listed if isinstance(one, Template)), how)
        for listed, how in fitting
    ]
    found = dict.fromkeys(known)
    count = len(sets)
    for template, matching in sorted(templates, key=repr):
        if not fits(template, matching):
            continue
        required = Alternatives(frozenset([_written(template, symbols)]), matching)
        for combination in combinations([*surely, *perhaps, required], budget, required=2 * count, like=texts_of):
            matched = combination.matched & ((1 << count) - 1)
            options = places(combination.matched >> count & ((1 << count) - 1) & ~matched)
            budget.spend(1 << min(len(options), 40))
            for chosen in range(1 << len(options)):
                found[matched | sum(1 << options[place] for place in places(chosen))] = None
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


def symbols_of(templates: "Iterable[Template]") -> dict[str, str]:
    """A symbol for each key: it has a value here, so that defaults do not matter."""
    keys = sorted({variable.key for template in templates for variable in template.variables})
    return {key: chr(FIRST_SYMBOL + number) for number, key in enumerate(keys)}


def loosely_written(pattern: Pattern, symbols: dict[str, str]) -> str:
    """A glob for all that a pattern may match: a variable takes its own symbol as a whole, elsewhere any text."""
    written = ""
    for part in reversed([pattern] if isinstance(pattern, str) else pattern.parts):
        written = (part if isinstance(part, str) else perhaps_taken(symbols[part.key], written)) + written
    return written


def _written(pattern: Pattern, symbols: dict[str, str]) -> str:
    if isinstance(pattern, str):
        return pattern
    return "".join(part if isinstance(part, str) else symbols[part.key] for part in pattern.parts)
