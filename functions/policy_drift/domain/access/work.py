"""How much a run may compare, shared by all that it compares.

What is allowed is counted in steps of the engine, so that the same account always gets the same answer. The clock only
says when no other comparison may begin.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from iam_policy import Access, Budget, Comparison, compare
from iam_policy.escalation import Escalation

OF_A_SCAN = 150_000_000
"""Steps: about 360 s of one core at most, of the 900 s that a scan may take."""
OF_A_CHECK = 12_000_000
"""Steps: about 30 s of one core at most, of the 120 s that a check may take."""
OF_TRANSIENTS = 4_000_000
"""Steps that a check may take besides, to look for access that is gone already: about 10 s."""
OF_RECORDING = 4_000_000
"""Steps that a run may take besides, to compare what it found with what was alerted: about 10 s."""
OF_A_BASELINE = 6_000_000
"""Steps that comparing two baselines may take: about 14 s of one core at most."""
OF_A_REQUEST = 2_000_000
"""Steps: about 5 s of one core at most; API Gateway waits 29 s for two such, and one of baselines."""

_OF_AN_ENTITY = 4_000_000
"""More than so many steps, about 10 s, are not spent on one entity: no run may hang on a single one."""
_OF_A_QUESTION = Budget().steps
_QUESTIONS = 4
_MOST_ANSWERS = 8_192


class DoesNotFitError(Exception):
    """A question takes more than the first share. The comparison catches it and tries again with a larger one."""


def _never() -> bool:
    return False


@dataclass(slots=True)
class Answers:
    """What is decided, by what was compared: what is equal is compared once, however many have it."""

    compared: dict[tuple[Access, Access], Comparison] = field(default_factory=dict)
    possible: dict[Access, Comparison] = field(default_factory=dict)
    """Accesses compared with no access at all."""


@dataclass(slots=True)
class Questions:
    """The questions about one entity, within its share.

    Attributes
    ----------
    budget : Budget
        The share.
    answers : Answers
        What this or another entity has asked already.
    undecided : bool
        Whether a question did not fit since this was last set to False.
    is_first_try : bool
        Whether to give up at the first question that does not fit, as there will be another try.
    """

    budget: Budget
    answers: Answers = field(default_factory=Answers)
    undecided: bool = False
    is_first_try: bool = False

    def compare(self, baseline: Access, live: Access) -> Comparison:
        """`iam_policy.compare`, within a part of the share."""
        asked = (baseline, live)
        if (known := self.answers.compared.get(asked)) is not None:
            return known
        with self.budget.share(_QUESTIONS, _OF_A_QUESTION) as share:
            comparison = compare(baseline, live, budget=share)
        if comparison.is_out_of_budget:
            self.does_not_fit()
        elif len(self.answers.compared) < _MOST_ANSWERS:
            self.answers.compared[asked] = comparison
        return comparison

    def decided(self, found: tuple[Escalation, ...]) -> tuple[Escalation, ...]:
        """Those of these escalation paths that are known to be open."""
        decided = tuple(one for one in found if one.decided)
        if len(decided) < len(found):
            self.does_not_fit()
        return decided

    def does_not_fit(self) -> None:
        """Note that a question was not decided.

        Raises
        ------
        DoesNotFitError
            There will be another try.
        """
        self.undecided = True
        if self.is_first_try:
            raise DoesNotFitError


@dataclass(slots=True)
class Work:
    """What a run may do.

    Attributes
    ----------
    steps : int
        Steps of the engine that are left.
    is_over : callable
        Whether the time of the run is over, so that nothing more may be begun.
    answers : Answers
        What is decided already.
    """

    steps: int
    is_over: Callable[[], bool] = _never
    answers: Answers = field(default_factory=Answers)

    @contextmanager
    def part(self, among: int) -> Iterator["Work"]:
        """An equal part of what is left, for one of so many comparisons; what it does not use stays here."""
        given = max(self.steps, 0) // max(among, 1)
        part = Work(given, self.is_over, self.answers)
        try:
            yield part
        finally:
            self.steps -= given - max(part.steps, 0)

    @contextmanager
    def share(self, among: int, most: int | None = None) -> Iterator[Questions]:
        """The questions about one of so many entities: an equal share of what is left; what it does not use stays.

        With ``most``, the share is at most so large, and there will be another try.
        """
        steps = max(self.steps, 0) // max(among, 1)
        given = min(steps, _OF_AN_ENTITY if most is None else most)
        questions = Questions(Budget(given), self.answers, is_first_try=most is not None)
        try:
            yield questions
        finally:
            self.steps -= given - max(questions.budget.steps, 0)
