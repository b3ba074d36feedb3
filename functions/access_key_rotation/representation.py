"""Represents users and requests to clients of the REST API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from access_key_rotation.application.operate_service_users import Requested
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.next_step import next_step
from access_key_rotation.domain.state import KeyHistory, Record
from steward.path_segments import segment_of


def representation_of(name: UserName, record: Record, now: datetime) -> dict[str, Any]:
    """State, keys and their ages, the next step and its date, and what blocks the user."""
    return {
        "name": name,
        "path": f"/service-users/{segment_of(name)}",
        "state": record.state,
        "next_step": next_step(record),
        "next_step_at": record.next_at.isoformat() if record.next_at else None,
        "blocked_by": record.notice.text if record.notice else None,
        "frozen": record.frozen or None,
        "secret": name.secret_name,
        "keys": [_key(key_id, history, record.created.get(key_id), now) for key_id, history in record.keys.items()],
    }


def detailed(
    name: UserName, record: Record, uses: Mapping[str, Sequence[Mapping[str, Any]]], now: datetime
) -> dict[str, Any]:
    """The same, with the latest uses of each old key."""
    return {**representation_of(name, record, now), "still_used_by": {key: list(calls) for key, calls in uses.items()}}


def requested(asked: Requested) -> dict[str, Any]:
    """A rotation that was requested."""
    return {
        "name": asked.user,
        "key_id": asked.key_id,
        "reason": asked.reason.value,
        "dry_run": asked.dry_run,
        "waits_for": list(asked.waits_for),
        "ends_freeze": asked.ends_freeze or None,
    }


def _key(key_id: str, history: KeyHistory, created: datetime | None, now: datetime) -> dict[str, Any]:
    moments = {
        "created_at": created,
        "promoted_at": history.promoted_at,
        "adopted_at": history.adopted_at,
        "superseded_at": history.superseded_at,
        "deactivated_at": history.deactivated_at,
    }
    shown = {name: moment.isoformat() if moment else None for name, moment in moments.items()}
    age = max(0, (now - created).days) if created else None
    return {"id": key_id, "age_days": age, "compromised": history.compromised, **shown}
