"""Represents users and requests to clients of the REST API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from access_key_rotation.application.enrol_user import Planned
from access_key_rotation.application.operate_service_users import Freeze, Requested, Shown, Sync, SyncedTarget
from access_key_rotation.domain.inventory import Use
from access_key_rotation.domain.next_step import WAITS_FOR, next_step
from access_key_rotation.domain.state import Failure, KeyHistory, Record
from steward.path_segments import segment_of

UNSEEN, FAILING = "UNSEEN", "FAILING"
"""The states of a user of which no run has succeeded yet: none has begun, or the first ones failed."""


def representation_of(shown: Shown, now: datetime) -> dict[str, Any]:
    """State, keys and their ages, the next step and its date, what blocks the user, and of when all this is."""
    name, record = shown.name, shown.record
    return {
        "name": name,
        "path": f"/service-users/{segment_of(name)}",
        "state": record.state or (FAILING if record.failure else UNSEEN),
        "as_of": _moment(record.as_of),
        "next_step": next_step(record),
        "next_step_at": _moment(record.next_at),
        "blocked_by": _blocked_by(shown),
        "last_failure": _failure(record.failure, record.next_at) if record.failure else None,
        "requested": _request(record) if record.wanted else None,
        "frozen": record.frozen or None,
        "freeze": _freeze(shown.freeze) if shown.freeze else None,
        "secret": name.secret_name,
        "keys": [_key(key_id, history, record.created.get(key_id), now) for key_id, history in record.keys.items()],
    }


def detailed(
    shown: Shown, uses: Mapping[str, Sequence[Mapping[str, Any]]], sync: Sync, now: datetime
) -> dict[str, Any]:
    """The same, with the latest uses of each old key, and the targets of secret sync."""
    return {
        **representation_of(shown, now),
        "still_used_by": {key: list(calls) for key, calls in uses.items()},
        "sync": [_synced(one, sync.unknown_because) for one in sync.targets],
    }


def _synced(one: SyncedTarget, unknown_because: str) -> dict[str, Any]:
    confirmation, failure = one.confirmation, one.confirmation.failure
    if unknown_because:
        state = "unknown"
    elif one.is_confirmed:
        state = "confirmed"
    else:
        state = "failing" if failure else "pending"
    return {
        "target": one.target.name,
        "state": state,
        "key_id": confirmation.key_id or None,
        "confirmed_at": _moment(confirmation.at),
        "reason": unknown_because or (failure.reason if failure else None),
        "failing_since": _moment(failure.since) if failure else None,
        "last_tried_at": _moment(failure.tried_at) if failure else _moment(confirmation.at),
        "next_try_at": _moment(one.next_try),
    }


def requested(asked: Requested) -> dict[str, Any]:
    """A rotation that was requested. ``ends_freeze`` is the former name of ``freeze_reason``."""
    return {
        "name": asked.user,
        "key_id": asked.key_id or None,
        "reason": asked.reason.value,
        "dry_run": asked.dry_run,
        "waits_for": list(asked.waits_for),
        "freeze_reason": asked.freeze_reason or None,
        "ends_freeze": asked.freeze_reason or None,
        "removes": [
            {
                "key_id": removed.key_id,
                "how": removed.how.value,
                "last_uses": None if removed.last_uses is None else list(removed.last_uses),
            }
            for removed in asked.removes
        ],
        "restores": asked.restores or None,
    }


def planned_document(planned: Planned) -> dict[str, Any]:
    """What happens to a user and its keys, when at the earliest, and what is refused and why."""
    plan = planned.plan
    return {
        "name": plan.user,
        "path": f"/service-users/{segment_of(plan.user)}",
        "dry_run": planned.dry_run,
        "secret": plan.user.secret_name,
        "keys": [
            {
                "id": key.id,
                "status": "Active" if key.active else "Inactive",
                "created_at": key.created.isoformat(),
                "last_use": _use(planned, key.id).value,
                "last_used_at": _moment(planned.usage[key.id].at) if key.id in planned.usage else None,
                "last_used_service": (planned.usage[key.id].service or None) if key.id in planned.usage else None,
            }
            for key in planned.keys
        ],
        "refused_because": list(plan.refused_because),
        "waits_for": list(plan.waits_for),
        "drains": list(plan.drains),
        "awaits": plan.awaits or None,
        "steps": [{"what": step.what, "not_before": _moment(step.at)} for step in plan.steps],
    }


def _use(planned: Planned, key_id: str) -> Use:
    used = planned.usage.get(key_id)
    return Use.UNKNOWN if used is None else Use.USED if used.at else Use.NEVER


def _blocked_by(shown: Shown) -> str | None:
    """Why the last run failed, what it reported, what keeps the user as it is or what its state waits for, if any."""
    record, freeze = shown.record, shown.freeze
    reasons = []
    if record.failure:
        reasons.append(f"{record.failure.step} failed: {record.failure.reason}")
    if record.notice and not (record.failure and record.notice.text == record.failure.reason):
        reasons.append(record.notice.text)
    if freeze and freeze.until:
        reasons.append(f"frozen by {freeze.by} until {freeze.until.isoformat()}: {freeze.reason or 'no reason given'}")
    elif freeze:
        who = freeze.by or "an operator"
        reasons.append(f"frozen by {who} until a routine rotation is requested: {freeze.reason}")
    if record.state == "EXEMPT" and shown.exempt_until:
        reasons.append(f"exempt by rotation.yaml until {shown.exempt_until.isoformat()}: {shown.exempt_for}")
    return "; ".join(reasons) or WAITS_FOR.get(record.state)


def _failure(failure: Failure, next_try: datetime | None) -> dict[str, Any]:
    return {
        "step": failure.step,
        "reason": failure.reason,
        "cause": failure.cause.value,
        "code": failure.code,
        "at": failure.at.isoformat(),
        "next_try_at": _moment(next_try),
    }


def _request(record: Record) -> dict[str, Any]:
    request = record.requested
    return {
        "key_id": record.wanted,
        "requested_by": request.by or None if request else None,
        "session": request.session or None if request else None,
        "since": _moment(request.at) if request else None,
    }


def _freeze(freeze: Freeze) -> dict[str, Any]:
    return {
        "reason": freeze.reason or None,
        "by": freeze.by or None,
        "session": freeze.session or None,
        "since": _moment(freeze.since),
        "until": _moment(freeze.until),
    }


def _key(key_id: str, history: KeyHistory, created: datetime | None, now: datetime) -> dict[str, Any]:
    moments = {
        "created_at": created,
        "promoted_at": history.promoted_at,
        "adopted_at": history.adopted_at,
        "superseded_at": history.superseded_at,
        "deactivated_at": history.deactivated_at,
    }
    shown = {name: _moment(moment) for name, moment in moments.items()}
    age = max(0, (now - created).days) if created else None
    return {"id": key_id, "age_days": age, "compromised": history.compromised, **shown}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
