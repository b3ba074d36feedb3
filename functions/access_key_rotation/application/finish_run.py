"""Finishes a run: publishes what happened, records it, and releases the user's lock."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from access_key_rotation.application.ports import (
    BusyError,
    EcrLoginDeniedError,
    KeySlotsFullError,
    LeaseLostError,
    NotAuthenticatedError,
)
from access_key_rotation.application.run import Outcome, Run
from access_key_rotation.domain.events import AccessKeyRotationBlocked, AccessKeyRotationFailed
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import DAILY, NEXT_PLAN, SETTLE, Demand, Reason
from access_key_rotation.domain.rules.steps import Block, End, Release, Wait
from access_key_rotation.domain.state import Cause, Failure, Notice, Record, UserState
from steward.clock import Clock
from steward.errors import AccessDeniedError, ConflictError, RuleViolationError, StewardError, UpstreamError
from steward.events import EventPublisher

RETRY = timedelta(minutes=6)
"""When the queue delivers the message of a failed run again: its visibility timeout in the template."""
CAUSES: tuple[tuple[tuple[type[StewardError], ...], Cause], ...] = (
    ((EcrLoginDeniedError, KeySlotsFullError, RuleViolationError), Cause.USER),
    ((NotAuthenticatedError,), Cause.KEY),
    ((BusyError, LeaseLostError, AccessDeniedError), Cause.STEWARD),
    ((UpstreamError,), Cause.AWS),
    ((ConflictError,), Cause.SECRET),
)
"""The side that each kind of error blames; the first that fits counts."""


class RunEnd:
    """Finishes a run that succeeded or failed."""

    def __init__(self, publisher: EventPublisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    def finish(self, run: Run, end: End) -> Outcome:
        """Publish what happened, then record it: an event may be published twice, but is never lost.

        An unchanged notice is published again every day, and at once if a rotation was requested.
        """
        now = self._clock.now()
        record = _accounting(run.seen, now)
        text, last = _notice(run, end), record.notice
        if text and (run.demand or run.unconfirmed or last is None or last.text != text or now >= last.at + DAILY):
            keys = [key.id for key in run.seen.keys]
            run.events.append(AccessKeyRotationBlocked(run.name, end.state, text, keys))
            record = replace(record, notice=Notice(text, now))
        elif not text:
            record = replace(record, notice=None)
        if run.events:
            self._publisher.publish(run.events, correlation_id=run.correlation_id)
        until = end.until if isinstance(end, Wait) else now + NEXT_PLAN
        created = {key.id: key.created for key in run.seen.keys}
        record = replace(record, state=end.state, next_at=until, policy=run.settings.fingerprint, created=created)
        record = replace(record, failure=None, as_of=now)
        if isinstance(end, Release):
            run.lease.forget()
        else:
            run.lease.release(record)
        return Outcome(run.name, end, tuple(run.steps), run.seen.remembering(record))

    def not_begun(
        self, name: UserName, demand: Demand, error: StewardError, correlation_id: str, *, obstacle: str
    ) -> None:
        """Publish that a leak cannot be answered yet, because the user's lock or its record cannot be had.

        ``obstacle`` says why the key could not be deactivated without them; it is empty if the key is dead.
        """
        next_try = (self._clock.now() + RETRY).isoformat()
        reason = f"the key {demand.key_id} is reported as leaked and is not active any more: {error}"
        if obstacle:
            reason = f"{_may_be_active([demand.key_id])}{error}; it cannot be deactivated without the lock: {obstacle}"
        failed = AccessKeyRotationFailed(name, "Claim", reason, error.code, _cause_of(error).value, next_try)
        with suppress(StewardError):
            self._publisher.publish([failed], correlation_id=correlation_id)

    def give_up(self, run: Run, error: Exception) -> None:
        """Record what is known and release the lock, so that the next try need not wait until it expires.

        This applies to unexpected errors, too: what may have happened is written ahead as for any other. The text of
        an unexpected error is not published, because it may quote secret material.
        """
        record = run.seen.record
        if run.keeps_intent:
            record = replace(record, intent=record.intent or run.lease.claim.intent)
        step, now = run.failed_step, self._clock.now()
        failure = Failure(step, f"an unexpected {type(error).__name__}; the log says where", Cause.STEWARD, now)
        if isinstance(error, StewardError):
            failure = Failure(step, str(error), _cause_of(error), now, error.code)
        failure = replace(failure, reason=f"{_may_be_active(_open_leaks(run))}{failure.reason}")
        record = replace(record, next_at=now + RETRY, failure=failure)
        next_try = (now + RETRY).isoformat()
        failed = AccessKeyRotationFailed(run.name, step, failure.reason, failure.code, failure.cause.value, next_try)
        try:
            self._publisher.publish([*run.events, failed], correlation_id=run.correlation_id)
            run.lease.release(record)
        except StewardError:
            return  # what was not published is not remembered either, and the lease ends by itself


def _open_leaks(run: Run) -> list[str]:
    """Leaked keys that are Active, or of which this run does not know whether they are."""
    record, demand = run.seen.record, run.demand
    leaked = {key_id for key_id, history in record.keys.items() if history.compromised}
    if demand and demand.reason is Reason.COMPROMISED and demand.key_id:
        leaked.add(demand.key_id)
    if run.seen.listed_at:
        return sorted(leaked & {key.id for key in run.seen.keys if key.active})
    stopped = {key.id for key in run.seen.keys if not key.active}
    return sorted(leaked - stopped - {key_id for key_id in leaked if record.history(key_id).announced})


def _may_be_active(leaked: list[str]) -> str:
    """The beginning of a failure's text, which names the leaked keys; empty for none."""
    keys = " and ".join(key_id or "that consumers read" for key_id in leaked)
    return f"the key {keys} is reported as leaked and may still be active: " if leaked else ""


def _cause_of(error: StewardError) -> Cause:
    """The side that an error blames."""
    for kinds, cause in CAUSES:
        if isinstance(error, kinds):
            return cause
    return Cause.STEWARD


def _notice(run: Run, end: End) -> str:
    """The notice for people, which names every open leak; a release is worth one only if a rotation was requested."""
    match end:
        case Wait():
            text = end.notice
        case Block():
            text = end.reason
        case Release():
            text = end.reason if run.demand else ""
    if run.unconfirmed:
        text = "; ".join(filter(None, [_of_unconfirmed(run.name, run.unconfirmed), text]))
    open_leaks = {key_id for key_id, history in run.seen.record.keys.items() if history.compromised}
    if run.demand and run.demand.reason is Reason.COMPROMISED and run.demand.key_id:
        open_leaks.add(run.demand.key_id)
    leaked = [key.id for key in run.seen.keys if key.active and key.id in open_leaks]
    if not leaked:
        return text
    why = text or f"the user is {end.state}"
    by_hand = "; ".join(
        f"aws iam update-access-key --user-name {run.name} --access-key-id {key_id} --status Inactive"
        for key_id in leaked
    )
    return f"the key {' and '.join(leaked)} has leaked and is still active: {why}; deactivate it by hand: {by_hand}"


def _of_unconfirmed(user: str, demand: Demand) -> str:
    """What a message said that no stored report confirms, and what to do if it is true."""
    return (
        f"a message says that {demand.key_id or 'the current key'} has leaked, and no report of it is stored, so that "
        f"nothing was done; if it is true, report it: POST /service-users/{user}/rotation with the reason compromised"
    )


def _with_changes_by_hand(seen: UserState, now: datetime) -> Record:
    """The record with every old key that a person deactivated or reactivated: if it is active, it drains again.

    Whatever the state of the user is: a key that was active meanwhile is not one that we deactivated, should a person
    deactivate it again before it drains.
    """
    record = seen.record
    for key in seen.keys:
        history = record.history(key.id)
        if not history.superseded_at or seen.is_labelled(key.id):
            continue
        since = history.deactivated_at
        if not key.active and not (since or history.found_inactive_at):
            record = record.noting(key.id, replace(history, found_inactive_at=now))
        elif key.active and since and history.announced and not history.compromised and now >= since + SETTLE:
            by_hand = replace(history, deactivated_at=None, retired_for="", announced=False, found_inactive_at=since)
            record = record.noting(key.id, by_hand)
    return record


def _accounting(seen: UserState, now: datetime) -> Record:
    """The record with every listed key, so that a key that appears later is known to be new.

    An unfinished intent is kept while IAM may still list the key that it created, or a key is listed that it may have.
    """
    record, labels = _with_changes_by_hand(seen, now), seen.secret.labels.values() if seen.secret else ()
    record = replace(record, versions={version: key for version, key in record.versions.items() if version in labels})
    if seen.current and seen.current.id != record.wanted:
        record = replace(record, wanted="", requested=None)
    unclear = any(key.active and not seen.is_attributed(key) for key in seen.keys)
    if record.intent and (now < record.intent.at + SETTLE or unclear):
        return record
    keys = {key.id: record.history(key.id) for key in seen.keys}
    return replace(record, intent=None, keys={**keys, **record.keys})
