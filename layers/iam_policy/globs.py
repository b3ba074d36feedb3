"""Whether a glob matches a string, and whether one glob covers another."""

from functools import lru_cache
from typing import TYPE_CHECKING

from iam_policy.patterns import ARN_PARTS, is_wild

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_OTHERS = 64


@lru_cache(maxsize=8192)
def _pieces(glob: str) -> tuple[str, ...]:
    return tuple(glob.split("*"))


def matches(glob: str, text: str) -> bool:
    """Whether a glob matches the whole of a string, in time that no glob can blow up.

    The pieces between the stars are looked for from left to right, each at its first place: the leftmost choice never
    rules out a match, so nothing is tried twice.

    Parameters
    ----------
    glob, text : str
        The string with its own stars made literal (`patterns.literal`).
    """
    if "*" not in glob:
        if "?" not in glob:
            return glob == text
        return len(glob) == len(text) and _at(glob, text, 0)
    first, *middle, last = _pieces(glob)
    end = len(text) - len(last)
    if len(first) > end or not _at(first, text, 0) or not _at(last, text, end):
        return False
    position = len(first)
    for piece in middle:
        position = _find(piece, text, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True


def arn_matches(glob: str, text: str) -> bool:
    """Whether an ARN operator's pattern matches: each of the six parts for itself, so that no star crosses a colon.

    AWS: "IAM JSON policy elements: Condition operators", ARN condition operators.
    """
    pattern_parts = glob.split(":", ARN_PARTS - 1)
    text_parts = text.split(":", ARN_PARTS - 1)
    if len(pattern_parts) < ARN_PARTS or len(text_parts) < ARN_PARTS:
        return False
    return all(map(matches, pattern_parts, text_parts))


def arn_covers(wide: str, narrow: str) -> bool:
    """Whether every ARN that one pattern of an ARN operator matches is surely matched by the other."""
    return all(map(covers, wide.split(":", ARN_PARTS - 1), narrow.split(":", ARN_PARTS - 1)))


def arns_overlap(first: str, second: str) -> bool:
    """Whether some ARN is matched by both patterns of ARN operators."""
    return all(map(overlap, first.split(":", ARN_PARTS - 1), second.split(":", ARN_PARTS - 1)))


def covers(wide: str, narrow: str) -> bool:
    """Whether every string of one glob is surely one of the other; False may mean "not seen at a glance"."""
    if wide in (narrow, "*"):
        return True
    if is_wild(narrow) and "?" in wide:
        return False
    return matches(wide, narrow)  # the wildcards of the narrow one are letters here, that only a star can take


class Stems:
    """Globs of the form ``stem*``: whether one of them covers a text costs no more with many of them than with few."""

    def __init__(self, globs: "Iterable[str]") -> None:
        self._stems = {glob[:-1] for glob in globs if is_stem(glob)}
        self._lengths = sorted(set(map(len, self._stems)))

    def cover(self, text: str, *, but: str = "") -> bool:
        """Whether a glob other than `but` covers this text or glob."""
        return self.covering(text, but=but) is not None

    def covering(self, text: str, *, but: str = "") -> str | None:
        """A glob other than `but` that covers this text or glob, or None."""
        for length in self._lengths:
            if length <= len(text) and text[:length] in self._stems and text[:length] + "*" != but:
                return text[:length] + "*"
        return None


def is_stem(glob: str) -> bool:
    """Whether a glob is a text and then a star."""
    return glob.find("*") == len(glob) - 1 and "?" not in glob


def without_covered(globs: frozenset[str]) -> frozenset[str]:
    """The globs that no other of them covers, as far as that is seen at a glance; together they match the same.

    Beside globs of the form ``stem*``, up to 64 others are compared with each.
    """
    wild = [glob for glob in globs if is_wild(glob)]
    if not wild:
        return globs
    stems = Stems(wild)
    others = [glob for glob in wild if not is_stem(glob)]
    if len(others) > _MOST_OTHERS:
        others = []
    return frozenset(
        glob
        for glob in globs
        if not stems.cover(glob, but=glob) and not any(other != glob and covers(other, glob) for other in others)
    )


def overlap(first: str, second: str) -> bool:
    """Whether some string matches both globs."""
    return shared(first, second) is not None


def may_overlap(first: str, second: str) -> bool:
    """Whether some string may match both globs: their texts before the first wildcard, and after the last, agree."""
    for one, other in ((first, second), (first[::-1], second[::-1])):
        stem, another = _stem(one), _stem(other)
        if not stem.startswith(another) and not another.startswith(stem):
            return False
    return True


@lru_cache(maxsize=8192)
def _stem(glob: str) -> str:
    return glob.partition("*")[0].partition("?")[0]


def shared(first: str, second: str) -> str | None:
    """A string that matches both globs, or None when there is none."""
    come_from: dict[tuple[int, int], tuple[tuple[int, int], str]] = {(0, 0): ((0, 0), "")}
    pending = [(0, 0)]
    while pending:
        i, j = here = pending.pop()
        left, right = first[i : i + 1], second[j : j + 1]
        if not left and not right:
            letters = []
            while here != (0, 0):
                here, letter = come_from[here]
                letters.append(letter)
            return "".join(reversed(letters))
        steps = []
        if left == "*":
            steps += [(i + 1, j, ""), (i, j + 1, right)] if right else [(i + 1, j, "")]
        if right == "*":
            steps += [(i, j + 1, ""), (i + 1, j, left)] if left else [(i, j + 1, "")]
        if left and right and "*" not in (left, right) and (left == right or "?" in (left, right)):
            steps.append((i + 1, j + 1, right if left == "?" else left))
        for *step, letter in steps:
            there = step[0], step[1]
            if there not in come_from:
                come_from[there] = here, {"?": "x", "*": ""}.get(letter, letter)
                pending.append(there)
    return None


def _at(piece: str, text: str, position: int) -> bool:
    if "?" not in piece:
        return text.startswith(piece, position)
    return all(
        wanted in ("?", found) for wanted, found in zip(piece, text[position : position + len(piece)], strict=True)
    )


def _find(piece: str, text: str, start: int, end: int) -> int:
    """The first place of a piece in text[start:end], or -1."""
    if "?" not in piece:
        return text.find(piece, start, end)
    anchor = max(piece.split("?"), key=len)
    offset = piece.index(anchor)
    last = end - len(piece)
    while start <= last:
        found = text.find(anchor, start + offset, end)
        if found < 0 or found - offset > last:
            return -1
        start = found - offset
        if _at(piece, text, start):
            return start
        start += 1
    return -1
