"""What a check found, in a form for programs and in one for people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How a check ended, the worst last."""

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    BROKEN = "broken"


_WORST_FIRST = (State.BROKEN, State.UNKNOWN, State.WARNING, State.OK)
_COUNTED = {State.BROKEN: "broken", State.UNKNOWN: "not known", State.WARNING: "with a warning"}


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of one check.

    Attributes
    ----------
    check : str
        Its name.
    state : State
        Unknown is never well: the facts could not be read.
    detail : str
        What was found, in a sentence.
    mend : tuple of str
        Commands that mend it, in order; empty where it is well.
    missing_right : str
        The IAM action without which the check could not be made; empty if that was not the reason.
    """

    check: str
    state: State
    detail: str
    mend: tuple[str, ...] = ()
    missing_right: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All results of one stack."""

    stack: str
    account: str
    region: str
    results: Sequence[Result] = field(default_factory=tuple)

    @property
    def state(self) -> State:
        """The worst of all; a report without results is not known."""
        found = {result.state for result in self.results}
        return next((state for state in _WORST_FIRST if state in found), State.UNKNOWN)

    def document(self) -> dict[str, object]:
        """The report for programs."""
        return {
            "stack": self.stack,
            "account": self.account,
            "region": self.region,
            "state": self.state.value,
            "checks": [
                {
                    "check": result.check,
                    "state": result.state.value,
                    "detail": result.detail,
                    "mend": list(result.mend),
                    "missing_right": result.missing_right or None,
                }
                for result in self.results
            ],
        }

    def lines(self) -> Iterator[str]:
        """The report for people."""
        counts = Counter(result.state for result in self.results)
        said = [f"{counts[state]} {word}" for state, word in _COUNTED.items() if counts[state]]
        yield f"{self.stack} in {self.region}, account {self.account}: {', '.join(said) or 'all is well'}"
        yield from lines_of(self.results)


def lines_of(results: Iterable[Result]) -> Iterator[str]:
    """Each result in a line, below it the commands that mend it."""
    for result in results:
        word = result.state.value.upper() if result.state is State.BROKEN else result.state.value
        yield f"  {word:<8} {result.check:<16} {result.detail}"
        yield from (f"{'':27} $ {command}" for command in result.mend)
