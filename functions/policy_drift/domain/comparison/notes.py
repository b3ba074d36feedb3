"""What a note says about an entity with unchanged access, and which part of the entity each sentence is about."""

from collections.abc import Iterable
from enum import StrEnum

RENAMED = "renamed from {}"
MOVED = "moved from path {} to {}"
POLICIES = "its policies are written differently and allow the same"
TRUST = "its trust policy is written differently and trusts the same"
BOUNDARY = "its permissions boundary is a different one and leaves the same"
GROUPS = "{}, with the same access"


class NotedPart(StrEnum):
    """A part of a user, group or role."""

    NAME = "name"
    POLICIES = "policies"
    TRUST = "trust"
    BOUNDARY = "boundary"
    GROUPS = "groups"


def noted_parts(notes: Iterable[str]) -> frozenset[NotedPart]:
    """The parts that these sentences are about; no name in them can look like the end of another sentence."""
    parts = {
        POLICIES: NotedPart.POLICIES,
        TRUST: NotedPart.TRUST,
        BOUNDARY: NotedPart.BOUNDARY,
        GROUPS.format(""): NotedPart.GROUPS,
    }
    found = {part for note in notes for words, part in parts.items() if note.endswith(words)}
    beginnings = tuple(text.partition("{}")[0] for text in (RENAMED, MOVED))
    return frozenset(found | {NotedPart.NAME for note in notes if note.startswith(beginnings)})
