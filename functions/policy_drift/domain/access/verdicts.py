"""What verdicts mean for who reads them."""

from collections.abc import Iterable

from iam_policy import Verdict

MAY_BE_MORE = frozenset({Verdict.BROADENED, Verdict.INCOMPARABLE, Verdict.UNKNOWN})
"""There may be requests that are allowed now and were not."""


def joined(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict for several parts of one thing: more in one part and less in another is neither."""
    met = set(verdicts) - {Verdict.EQUIVALENT}
    if Verdict.UNKNOWN in met:
        return Verdict.UNKNOWN
    return Verdict.EQUIVALENT if not met else met.pop() if len(met) == 1 else Verdict.INCOMPARABLE
