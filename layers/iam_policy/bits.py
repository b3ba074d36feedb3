"""Sets of small numbers, held in the bits of an integer."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def bits_of(truths: "Iterable[bool]") -> int:
    """The integer with the truth at place i as bit i."""
    return sum(1 << place for place, truth in enumerate(truths) if truth)


def places(bits: int) -> list[int]:
    """The places of the bits that are set, ascending."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
