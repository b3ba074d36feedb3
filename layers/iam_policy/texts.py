"""The strings that a dimension of a request can take, one for each way in which sets of globs can match them."""

from typing import TYPE_CHECKING

from iam_policy.automaton import Alternatives, Matching, combinations, fresh_letter
from iam_policy.globs import arn_matches, matches
from iam_policy.patterns import folded, is_wild

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from iam_policy.budget import Budget

_MATCHES_OF_A_STEP = 4
_ARN_DEFAULTS = ("arn", "aws", "example", "us-east-1", "111122223333")


def cases(
    sets: "Sequence[Alternatives]",
    budget: "Budget",
    plausible: "Iterable[str]" = (),
    avoid: "Sequence[str]" = (),
    within: str = "*",
) -> dict[int, str]:
    """For every combination of these sets that some string matches, such a string.

    Exact names are put to the wildcards one by one, and so is one string for each glob of the form ``prefix*``; only
    when other wildcards are there is the automaton walked.

    Parameters
    ----------
    sets : sequence of Alternatives
        Bit i of a combination stands for set i.
    budget : Budget
        For the work to be done.
    plausible : iterable of str
        Strings to be preferred as examples, such as a reader would expect.
    avoid : sequence of str
        Strings that made-up examples must not be equal to.
    within : str
        A glob that the strings match.

    Raises
    ------
    OutOfBudgetError
    """
    exact: dict[str, int] = {}
    wild: list[Alternatives] = []
    only_prefixes = True
    for index, alternatives in enumerate(sets):
        loose = frozenset(
            glob for glob in alternatives.globs if alternatives.matching is Matching.FOLDED or is_wild(glob)
        )
        wild.append(Alternatives(loose, alternatives.matching))
        for glob in sorted(alternatives.globs - loose):
            exact[glob] = exact.get(glob, 0) | 1 << index
        only_prefixes = only_prefixes and alternatives.matching is Matching.WHOLE and all(map(_is_prefix, loose))
    tests = [(1 << index, _test(alternatives)) for index, alternatives in enumerate(wild) if alternatives.globs]
    fresh = fresh_letter([*avoid, *exact, *(glob for alternatives in wild for glob in alternatives.globs)])
    found: dict[int, str] = {}
    candidates: list[str] = [*plausible, *exact]
    if only_prefixes:
        candidates += [glob[:-1] + fresh for alternatives in wild for glob in sorted(alternatives.globs)]
        candidates.append(fresh)
    else:
        candidates += [_filled(glob) for alternatives in wild for glob in sorted(alternatives.globs)]
    budget.spend(len(candidates) * (1 + sum(len(alternatives.globs) for alternatives in wild)) // _MATCHES_OF_A_STEP)
    for text in candidates if within == "*" else [text for text in (*candidates, within) if matches(within, text)]:
        matched = exact.get(text, 0)
        for bit, test in tests:
            if test(text):
                matched |= bit
        found.setdefault(matched, text)
    if only_prefixes or not is_wild(within):
        return found
    required = [Alternatives(frozenset([within]))] if within != "*" else []
    last = len(sets) if required else None
    walked = combinations([*wild, *required], budget, avoid=list(exact), required=last)
    if any(not combination.has_others and combination.example in exact for combination in walked):
        # The few strings of a combination may all be among the exact names.
        walked = combinations([*sets, *required], budget, required=last)
    for combination in walked:
        found.setdefault(combination.matched & ((1 << len(sets)) - 1), combination.example)
    return found


def plausible_arn(glob: str) -> str:
    """A string that a glob for ARNs matches, with a region, an account and names such as people use."""
    parts = glob.split(":", 5)
    complete = len(parts) == len(_ARN_DEFAULTS) + 1
    named = [
        default if part == "*" else part for part, default in zip(parts, _ARN_DEFAULTS, strict=False) if complete
    ] + parts[len(_ARN_DEFAULTS) :]
    return _filled(":".join(named) if complete else glob)


def _filled(glob: str) -> str:
    return glob.replace("*", "example").replace("?", "x")


def _is_prefix(glob: str) -> bool:
    return glob.find("*") == len(glob) - 1 and "?" not in glob


def _test(alternatives: Alternatives) -> "Callable[[str], bool]":
    globs = alternatives.globs
    if alternatives.matching is Matching.FOLDED:
        small = {folded(glob) for glob in globs}
        return lambda text: folded(text) in small
    match = arn_matches if alternatives.matching is Matching.ARN else matches
    return lambda text: any(match(glob, text) for glob in globs)
