"""How a run ends: what happened is told, then remembered, and the user's lock is given back."""

from dataclasses import replace
from datetime import datetime, timedelta

from access_key_rotation.domain.actions import Block, End, Wait
from access_key_rotation.domain.events import AccessKeyRotationBlocked, AccessKeyRotationFailed
from access_key_rotation.domain.observation import Notice, Observed, Record
from access_key_rotation.domain.run import Outcome, Run
from access_key_rotation.domain.situation import SETTLE
from steward.clock import Clock
from steward.errors import StewardError
from steward.events import EventPublisher

REMIND = timedelta(days=1)
"""How long a notice stands before it is told again."""


class Conclusion:
    """Ends a run, well or not."""

    def __init__(self, publisher: EventPublisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    def reach(self, run: Run, end: End) -> Outcome:
        """Tell what happened, then remember that it was told: what is told may be told again, never left out."""
        now = self._clock.now()
        record = _accounting(run.seen, now)
        text = end.reason if isinstance(end, Block) else end.notice
        last = record.notice
        if text and (last is None or last.text != text or now >= last.at + REMIND):
            keys = [key.id for key in run.seen.keys]
            run.events.append(AccessKeyRotationBlocked(run.name, end.state, text, keys))
            record = replace(record, notice=Notice(text, now))
        elif not text:
            record = replace(record, notice=None)
        if run.events:
            self._publisher.publish(run.events, correlation_id=run.correlation_id)
        until = end.until if isinstance(end, Wait) else now + REMIND / 24
        created = {key.id: key.created for key in run.seen.keys}
        record = replace(record, state=end.state, next_at=until, policy=run.policy.fingerprint, created=created)
        run.lease.release(record)
        return Outcome(run.name, end, tuple(run.steps), run.seen.remembering(record))

    def give_up(self, run: Run, error: StewardError) -> None:
        """Remember what is known, and give the lock back, so that the next try need not wait for its end."""
        record = run.seen.record
        if run.keeps_intent:
            record = replace(record, intent=record.intent or run.lease.claim.intent)
        step = run.steps[-1] if run.steps else "Observe"
        events = [*run.events, AccessKeyRotationFailed(run.name, step, str(error), error.code)]
        try:
            self._publisher.publish(events, correlation_id=run.correlation_id)
            run.lease.release(replace(record, next_at=self._clock.now()))
        except StewardError:
            return  # what was not told is not remembered either, and the lease ends by itself


def _accounting(seen: Observed, now: datetime) -> Record:
    """The record with every key accounted for, so that one which appears later is known to be new.

    An unfinished intent is kept while IAM may still list what it made, and while a key is there that it may have made.
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
