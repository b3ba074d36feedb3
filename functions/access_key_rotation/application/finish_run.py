"""Finishes a run: publishes what happened, records it, and releases the user's lock."""

from dataclasses import replace
from datetime import datetime, timedelta

from access_key_rotation.application.run import Outcome, Run
from access_key_rotation.domain.events import AccessKeyRotationBlocked, AccessKeyRotationFailed
from access_key_rotation.domain.rules.situation import DAILY, SETTLE, Reason
from access_key_rotation.domain.rules.steps import Block, End, Release, Wait
from access_key_rotation.domain.state import Notice, Record, UserState
from steward.clock import Clock
from steward.errors import StewardError
from steward.events import EventPublisher

BLOCKED_FOR = timedelta(hours=1)
"""The time until a blocked user is checked again."""


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
        if text and (run.demand or last is None or last.text != text or now >= last.at + DAILY):
            keys = [key.id for key in run.seen.keys]
            run.events.append(AccessKeyRotationBlocked(run.name, end.state, text, keys))
            record = replace(record, notice=Notice(text, now))
        elif not text:
            record = replace(record, notice=None)
        if run.events:
            self._publisher.publish(run.events, correlation_id=run.correlation_id)
        until = end.until if isinstance(end, Wait) else now + BLOCKED_FOR
        created = {key.id: key.created for key in run.seen.keys}
        record = replace(record, state=end.state, next_at=until, policy=run.settings.fingerprint, created=created)
        if isinstance(end, Release):
            run.lease.forget()
        else:
            run.lease.release(record)
        return Outcome(run.name, end, tuple(run.steps), run.seen.remembering(record))

    def give_up(self, run: Run, error: Exception) -> None:
        """Record what is known and release the lock, so that the next try need not wait until it expires.

        This applies to unexpected errors, too: what may have happened is written ahead as for any other. The text of
        an unexpected error is not published, because it may quote secret material.
        """
        record = run.seen.record
        if run.keeps_intent:
            record = replace(record, intent=record.intent or run.lease.claim.intent)
        step = run.steps[-1] if run.steps else "Observe"
        failed = AccessKeyRotationFailed(run.name, step, f"an unexpected {type(error).__name__}; the log says where")
        if isinstance(error, StewardError):
            failed = AccessKeyRotationFailed(run.name, step, str(error), error.code)
        events, now = [*run.events, failed], self._clock.now()
        record = replace(record, next_at=now, notice=record.notice or Notice(failed.reason, now))
        try:
            self._publisher.publish(events, correlation_id=run.correlation_id)
            run.lease.release(record)
        except StewardError:
            return  # what was not published is not remembered either, and the lease ends by itself


def _notice(run: Run, end: End) -> str:
    """The notice for people, which names every open leak; a release is worth one only if a rotation was requested."""
    match end:
        case Wait():
            text = end.notice
        case Block():
            text = end.reason
        case Release():
            text = end.reason if run.demand else ""
    open_leaks = {key_id for key_id, history in run.seen.record.keys.items() if history.compromised}
    if run.demand and run.demand.reason is Reason.COMPROMISED:
        open_leaks.add(run.demand.key_id)
    leaked = [key.id for key in run.seen.keys if key.active and key.id in open_leaks]
    return f"the key {' and '.join(leaked)} has leaked and is still active: {text}" if text and leaked else text


def _accounting(seen: UserState, now: datetime) -> Record:
    """The record with every listed key, so that a key that appears later is known to be new.

    An unfinished intent is kept while IAM may still list the key that it created, or a key is listed that it may have.
    """
    record, labels = seen.record, seen.secret.labels.values() if seen.secret else ()
    record = replace(record, versions={version: key for version, key in record.versions.items() if version in labels})
    if seen.current and seen.current.id != record.wanted:
        record = replace(record, wanted="")
    unclear = any(key.active and not seen.is_attributed(key) for key in seen.keys)
    if record.intent and (now < record.intent.at + SETTLE or unclear):
        return record
    keys = {key.id: record.history(key.id) for key in seen.keys}
    return replace(record, intent=None, keys={**keys, **record.keys})
