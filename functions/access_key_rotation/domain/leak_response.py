"""Forecasts for people what the response to a leak does: which keys stop working, and which one consumers read then.

The rules decide; nothing here does. A test compares the forecast with what the rules do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from access_key_rotation.domain.rules.next_key import SLOTS
from access_key_rotation.domain.settings import LeakWithoutSlot
from access_key_rotation.domain.state import AccessKey, Record


class Removal(StrEnum):
    """What happens to a key."""

    DEACTIVATE = "deactivate"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class LeakResponse:
    """What the response does, as of the last run and of the keys that IAM lists."""

    removed: tuple[tuple[str, Removal], ...]
    """Key ids, in the order in which they go."""
    restored: str = ""
    """The older key that is current again; empty if a new key becomes current, or the leaked one is not current."""


def response_to(
    leaked: str, record: Record, keys: Sequence[AccessKey], what_makes_room: LeakWithoutSlot
) -> LeakResponse:
    """Forecast the response to the leak of a key."""
    deactivated = tuple((key.id, Removal.DEACTIVATE) for key in keys if key.id == leaked and key.active)
    others = [key for key in keys if key.id != leaked]
    if leaked != record.current_key or len(keys) < SLOTS:
        return LeakResponse(deactivated)
    dead = [key for key in others if not key.active and record.history(key.id).deactivated_at]
    leaked_too = [key for key in others if record.history(key.id).compromised]
    drains = [key for key in others if key.active and record.history(key.id).superseded_at]
    if makes_room := dead or leaked_too:
        return LeakResponse(((makes_room[0].id, Removal.DELETE), *deactivated))
    if drains and what_makes_room is LeakWithoutSlot.DELETE_OLDER_KEY:
        return LeakResponse(((drains[0].id, Removal.DELETE), *deactivated))
    if any(record.history(key.id).promoted_at is None and key.id in record.versions.values() for key in others):
        return LeakResponse(deactivated)  # it is pending, and becomes current
    returning = [key.id for key in drains if key.id in record.versions.values()]
    if returning:
        return LeakResponse(deactivated, returning[0])
    return LeakResponse(((leaked, Removal.DELETE),))
