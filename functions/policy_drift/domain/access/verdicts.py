"""Helpers that combine verdicts."""

from collections.abc import Iterable

from iam_policy import Verdict

MAY_BE_MORE = frozenset({Verdict.BROADENED, Verdict.INCOMPARABLE, Verdict.UNKNOWN})
"""Verdicts that do not rule out a newly allowed request."""


def joined(verdicts: Iterable[Verdict]) -> Verdict:
    """Combine the verdicts of several parts: more in one and less in another is INCOMPARABLE."""
    met = set(verdicts) - {Verdict.EQUIVALENT}
    if Verdict.UNKNOWN in met:
        return Verdict.UNKNOWN
    return Verdict.EQUIVALENT if not met else met.pop() if len(met) == 1 else Verdict.INCOMPARABLE
