"""Two JSON values side by side, line by line, with what differs marked and what is equal left out where it is long."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

CONTEXT = 3
"""Equal lines that are shown around a difference."""

_MOST_COMPARED = 2_000
"""Lines of a side beyond which the search for what is equal would take seconds."""


class Mark(StrEnum):
    """What a line of the pair is."""

    SAME = "same"
    CHANGED = "changed"
    LEFT_OUT = "left-out"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each side, None where a side has none; for equal lines that are left out, ``left`` says how many."""

    mark: Mark
    left: str | None
    right: str | None = None


def side_by_side(approved: Any, live: Any) -> list[Row]:
    """The lines of both values.

    Parameters
    ----------
    approved, live : JSON value
        None, or an empty one, for a side that has nothing.
    """
    left, right = _lines(approved), _lines(live)
    rows: list[Row] = []
    if max(len(left), len(right)) > _MOST_COMPARED:
        return [*_pairs(left, right)]
    blocks = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    for number, (tag, from_left, to_left, from_right, to_right) in enumerate(blocks):
        if tag == "equal":
            first, last = number == 0, number == len(blocks) - 1
            rows += _equal(left[from_left:to_left], before=0 if first else CONTEXT, after=0 if last else CONTEXT)
        else:
            rows += _pairs(left[from_left:to_left], right[from_right:to_right])
    return rows


def _equal(lines: list[str], *, before: int, after: int) -> Iterator[Row]:
    """The lines next to a difference, and how many there are between."""
    hidden = len(lines) - before - after
    if hidden <= 1:
        before, hidden = len(lines), 0
    for number, line in enumerate(lines):
        if number < before or number >= before + hidden:
            yield Row(Mark.SAME, line, line)
        elif number == before:
            yield Row(Mark.LEFT_OUT, f"{hidden} equal lines")


def _pairs(left: list[str], right: list[str]) -> Iterator[Row]:
    for number in range(max(len(left), len(right))):
        yield Row(
            Mark.CHANGED,
            left[number] if number < len(left) else None,
            right[number] if number < len(right) else None,
        )


def _lines(value: Any) -> list[str]:
    return [] if value in (None, {}, []) else json.dumps(value, indent=2, ensure_ascii=False).split("\n")
