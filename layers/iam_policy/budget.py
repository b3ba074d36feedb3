"""How much work a comparison may do before it answers UNKNOWN."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class OutOfBudgetError(Exception):
    """The work that was allowed is used up; never leaves the library."""


@dataclass(slots=True)
class Budget:
    """A number of elementary steps, so that the same input always gets the same answer.

    Parameters
    ----------
    steps : int
        Steps left. One step is one state of an automaton, one class of values or one partial request;
        a million of them take one to three seconds of one core.
    """

    steps: int = 400_000

    def spend(self, steps: int) -> None:
        """Take so many steps off.

        Raises
        ------
        OutOfBudgetError
            When fewer are left.
        """
        self.steps -= steps
        if self.steps < 0:
            raise OutOfBudgetError

    def half(self) -> "AbstractContextManager[Budget]":
        """Half of what is left, for one question, so that the first hard one leaves a share for the others."""
        return self.share(2)

    @contextmanager
    def share(self, among: int, most: int | None = None) -> "Iterator[Budget]":
        """An equal part of what is left, at most so much, for one of so many questions; what is not used stays here."""
        equal = max(self.steps, 0) // among
        part = Budget(equal if most is None else min(equal, most))
        given = part.steps
        try:
            yield part
        finally:
            self.steps -= given - max(part.steps, 0)
