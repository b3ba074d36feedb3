"""How much work a comparison may do before it answers UNKNOWN."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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

    @contextmanager
    def half(self) -> "Iterator[Budget]":
        """Half of what is left, for one question, so that the first hard one leaves a share for the others."""
        part = Budget(max(self.steps, 0) // 2)
        given = part.steps
        try:
            yield part
        finally:
            self.steps -= given - max(part.steps, 0)
