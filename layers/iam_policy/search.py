"""Looking for a request that one side allows and the other does not.

The statements that are still open to a request that is known in some dimensions are held in the bits of an integer. In
each further dimension a case closes those whose demands it does not meet. Two partial requests that leave the same
statements open have the same future, so that each set of open statements is looked at once in each dimension.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iam_policy.dimensions import Case, Example

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iam_policy.budget import Budget


@dataclass(frozen=True, slots=True)
class Side:
    """One side's statements, as bits: for each layer those that allow, and all that deny."""

    layers: tuple[int, ...]
    denies: int

    def may_allow(self, still_open: int, settled: int) -> bool:
        """Whether some request that leaves these open may be allowed; `settled` ask nothing more."""
        return not still_open & settled & self.denies and all(still_open & layer for layer in self.layers)

    def must_allow(self, still_open: int, settled: int) -> bool:
        """Whether every request that leaves these open is allowed."""
        return not still_open & self.denies and all(still_open & settled & layer for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension of a request: its name, the statements that ask something in it, and its cases."""

    name: str
    asking: int
    cases: "Callable[[], Sequence[Case]]"


@dataclass(frozen=True, slots=True)
class Found:
    """A request that one side allows and the other does not: examples by the name of the dimension."""

    examples: dict[str, Example]
    certain: bool


#: A set of so many statements costs a step more, in time and in memory.
_STATEMENTS_OF_A_STEP = 512

_Chosen = tuple["_Chosen", Example] | None


def difference(
    allowing: Side, refusing: Side, dimensions: "Sequence[Dimension]", statements: int, budget: "Budget"
) -> Found | None:
    """A request that the first side allows and the second does not, or None when there is none.

    Parameters
    ----------
    allowing, refusing : Side
        The two sides.
    dimensions : sequence of Dimension
        In the order in which they are decided.
    statements : int
        The statements that the action leaves open, as bits.

    Returns
    -------
    Found or None
        A certain one where there is one. One that is not certain rests on a case that may be empty.

    Raises
    ------
    OutOfBudgetError
    """
    found = _search(allowing, refusing, dimensions, statements, budget, certain=True)
    if found is None and any(not case.certain for dimension in dimensions for case in dimension.cases()):
        found = _search(allowing, refusing, dimensions, statements, budget, certain=False)
    return found


def _search(
    allowing: Side,
    refusing: Side,
    dimensions: "Sequence[Dimension]",
    statements: int,
    budget: "Budget",
    *,
    certain: bool,
) -> Found | None:
    settled_after = _settled_after(dimensions, statements)
    if not _may_differ(allowing, refusing, statements, settled_after[0]):
        return None
    pending: list[tuple[int, int, _Chosen]] = [(0, statements, None)]
    seen = {(0, statements)}
    while pending:
        decided, still_open, chosen = pending.pop()
        if decided == len(dimensions):
            return Found(_named(dimensions, chosen), certain)
        dimension = dimensions[decided]
        cases = dimension.cases()
        budget.spend((1 + len(cases)) * (1 + statements.bit_length() // _STATEMENTS_OF_A_STEP))
        settled = settled_after[decided + 1]
        for case in reversed(cases):
            if certain and not case.certain:
                continue
            left = still_open & (case.met | ~dimension.asking)
            if (decided + 1, left) in seen or not _may_differ(allowing, refusing, left, settled):
                continue
            seen.add((decided + 1, left))
            pending.append((decided + 1, left, (chosen, case.example)))
    return None


def _may_differ(allowing: Side, refusing: Side, still_open: int, settled: int) -> bool:
    return allowing.may_allow(still_open, settled) and not refusing.must_allow(still_open, settled)


def _settled_after(dimensions: "Sequence[Dimension]", statements: int) -> list[int]:
    """For each number of decided dimensions, the statements that ask nothing in the others."""
    settled = [statements]
    for dimension in reversed(dimensions):
        settled.append(settled[-1] & ~dimension.asking)
    return settled[::-1]


def _named(dimensions: "Sequence[Dimension]", chosen: _Chosen) -> dict[str, Example]:
    examples: dict[str, Example] = {}
    for dimension in reversed(dimensions):
        if chosen is not None:
            chosen, examples[dimension.name] = chosen
    return examples
