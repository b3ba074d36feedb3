"""The outcome of a check or scan: findings are opened, kept or resolved, and no alert is lost.

A finding and its alert are written in one conditional step: of concurrent runs one decides, and the others read its
decision. The run that wrote publishes the alert, then deletes it from the outbox. If it dies in between, the next run
that reads the finding publishes after ``LEASE``: delivery is at least once, and a repetition is the same event, byte
for byte. A run that reads an alert which is not published yet and whose lease still holds fails, and is retried.

Of two runs that see different things, the one that read the account later is right, whichever records first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

from policy_drift.application.ports import (
    ConcurrentUpdateError,
    Findings,
    Kept,
    PublicationPendingError,
    Undelivered,
    UndeliveredEvents,
)
from policy_drift.domain import lifecycle
from policy_drift.domain.access.live_state import relation
from policy_drift.domain.access.work import OF_RECORDING, Work
from policy_drift.domain.account import EntityId, EntityKind
from policy_drift.domain.changes.expected_events import LOOKED_BACK
from policy_drift.domain.comparison.drifts import Drifts
from policy_drift.domain.finding import Drift, Finding, Kind, State
from policy_drift.domain.lifecycle import Ending, Explanation, Why
from policy_drift.report.finding_events import FindingEvents, resolution
from steward.clock import Clock
from steward.errors import UpstreamError
from steward.events import EventPublisher, NotPublishedError, PublishableEvent

LEASE = timedelta(seconds=150)
"""How long the run that wrote an alert may take to publish it: longer than a check runs, shorter than its retry."""
CLOCKS_DIFFER = timedelta(seconds=1)
"""By how much the clocks of two machines may differ; those of AWS's are within milliseconds of each other."""
_TRIES = 8
_RELATIONS = 10
"""The comparison of a finding with what was alerted of it gets this part of what is left."""
_TOGETHER = 10
"""Alerts in one call of the bus."""

type Explain = Callable[[Drift], Explanation]
type Written = tuple[str, int, Sequence[PublishableEvent]]
"""An item, its revision, and the events that it leads to."""


class Outbox:
    """Publishes events that are stored with an item, and deletes them from there."""

    def __init__(self, publisher: EventPublisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    def deliver(self, store: UndeliveredEvents, written: Sequence[Written], run: str) -> None:
        """Publish the events that this run wrote, then delete them, ten items at a time.

        Raises
        ------
        PublicationPendingError
            The bus did not take all of them. Those that it took are deleted.
        """
        refused: UpstreamError | None = None
        for group in batched(written, _TOGETHER, strict=False):
            missing = frozenset[int]()
            try:
                self._publisher.publish([event for _, _, events in group for event in events], correlation_id=run)
            except NotPublishedError as error:
                refused, missing = error, error.missing
            except UpstreamError as error:
                raise PublicationPendingError(_YET.format(error), code=error.code) from error
            first = 0
            for item, revision, events in group:
                if missing.isdisjoint(range(first, first + len(events))):
                    store.delivered(item, revision)
                first += len(events)
        if refused:
            raise PublicationPendingError(_YET.format(refused), code=refused.code) from refused

    def take_over(self, store: UndeliveredEvents, item: str, undelivered: Mapping[int, Undelivered]) -> list[Written]:
        """Take over the events of runs with an expired lease."""
        now = self._clock.now()
        return [
            (item, revision, box.events)
            for revision, box in sorted(undelivered.items())
            if box.until <= now and store.take_over(item, revision, was=box.until, until=now + LEASE)
        ]

    def pick_up(self, store: UndeliveredEvents, item: str, undelivered: Mapping[int, Undelivered], run: str) -> None:
        """Publish the events of runs that died.

        Raises
        ------
        PublicationPendingError
            The bus did not take them, or the lease of their run still holds.
        """
        mine = self.take_over(store, item, undelivered)
        self.deliver(store, mine, run)
        if len(mine) < len(undelivered):
            raise PublicationPendingError(
                _YET.format(f"another run wrote an event of {item}, and has not published it")
            )


_YET = "what was found is yet to be published: {}"


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The differences that one check or scan found.

    Attributes
    ----------
    drifts : Drifts
        What is there, and what was not or could not be compared.
    read_at : datetime
        When reading the account and the baseline began: everything that was so then has been seen.
    adopted : frozenset of str
        Entities whose approval has changed since the last scan: what is resolved of theirs was adopted, not reverted.
    work : Work
        What may be done to compare it with what was alerted. What it does not decide is alerted again.
    """

    drifts: Drifts
    read_at: datetime
    adopted: frozenset[str] = frozenset()
    work: Work = field(default_factory=lambda: Work(OF_RECORDING))


class RecordFindings:
    """Records what was found, and publishes an alert of what is new."""

    def __init__(self, findings: Findings, publisher: EventPublisher, clock: Clock) -> None:
        self._findings = findings
        self._outbox = Outbox(publisher, clock)
        self._clock = clock

    def record(self, result: ScanResult, explain: Explain, events_of: FindingEvents, run: str) -> list[Finding]:
        """Open, keep and resolve; the findings as they stand now, and those that this resolved.

        Parameters
        ----------
        result
            What was found.
        explain
            Who did it; called for new drifts first, the most severe first.
        events_of
            Makes the events of a finding.
        run
            Correlates the events.

        Raises
        ------
        PublicationPendingError
            Everything is recorded, and not every alert published.
        """
        drifts = {drift.finding_id: drift for drift in result.drifts.found}
        compared = result.drifts.compared
        entities = None if compared is None else compared | {drift.entity for drift in result.drifts.found}
        known = {
            kept.value.id: kept for kept in (self._findings.all() if entities is None else self._findings.of(entities))
        }
        written: list[Written] = []
        waiting, standing = set[str](), list[Finding]()
        try:
            for item, kept in known.items():
                ours = self._outbox.take_over(self._findings, item, kept.undelivered)
                written += ours
                if len(ours) < len(kept.undelivered):
                    waiting.add(item)
            for item in sorted({*drifts, *known}, key=lambda item: _urgency(drifts.get(item), known.get(item), item)):
                finding, wrote = self._advance(item, drifts.get(item), known.get(item), result, explain, events_of)
                written += wrote
                if finding is not None:
                    standing.append(finding)
        finally:
            self._outbox.deliver(self._findings, written, run)
        for item in sorted(waiting):
            now = self._findings.get(item)
            if now and now.undelivered:
                raise PublicationPendingError(
                    _YET.format(f"another run wrote an alert of {item}, and has not published it")
                )
        return standing

    def left_by_last_scan(self, account: str) -> EntityId | None:
        """The first entity that a run had no time for and no scan has compared since; None if there is none."""
        kept = self._findings.get(f"{Kind.UNREADABLE.lower()}:{EntityKind.ACCOUNT}:{account}")
        if kept is None or kept.value.state is State.RESOLVED or not kept.value.drift.live:
            return None
        return EntityId(kept.value.drift.live)

    def _advance(
        self,
        item: str,
        drift: Drift | None,
        kept: Kept[Finding] | None,
        result: ScanResult,
        explain: Explain,
        events_of: FindingEvents,
    ) -> tuple[Finding | None, list[Written]]:
        """Advance one finding; decide again after a concurrent update."""
        for _ in range(_TRIES):
            known = kept.value if kept else None
            after = self._next(known, drift, result, explain)
            if after is None:
                return (known if known and known.state is not State.RESOLVED else None), []
            finding, why = after
            events: list[PublishableEvent] = []
            if isinstance(why, Why):
                events = [events_of.detection(finding, why, known)]
            elif isinstance(why, Ending):
                events = [resolution(finding, why)]
            if not events and finding == known:
                return finding, []
            until = self._clock.now() + LEASE
            try:
                revision = self._findings.save(finding, after=kept.revision if kept else 0, events=events, until=until)
            except ConcurrentUpdateError:
                kept = self._findings.get(item)
                continue
            return finding, [(item, revision, events)] if events else []
        raise ConcurrentUpdateError(f"{item} is written by too many runs at once")

    def _next(
        self, known: Finding | None, drift: Drift | None, result: ScanResult, explain: Explain
    ) -> tuple[Finding, Why | Ending | None] | None:
        if known and known.read_at > result.read_at + CLOCKS_DIFFER:
            return self._explained(known, result, explain)
        if drift is not None:
            return self._there(known, drift, result, explain)
        if known is None:
            return None
        if result.drifts.rules_out(known.drift) and lifecycle.is_over(known, self._clock.now()):
            return lifecycle.resolved(known, result.read_at), _how(known.drift, result)
        return self._explained(known, result, explain)

    def _explained(self, known: Finding, result: ScanResult, explain: Explain) -> tuple[Finding, Why | None] | None:
        """Add the events at hand to a finding, and leave its state as it is.

        The run read earlier than the recorded one, or could not compare the entity; its events are no less true.
        """
        is_over = known.state is State.RESOLVED or known.drift.kind in lifecycle.LASTING
        if is_over or not _needs_explanation(known, result):
            return None
        return self._with_events(known, known.drift, explain(known.drift), known.last_seen)

    def _there(
        self, known: Finding | None, drift: Drift, result: ScanResult, explain: Explain
    ) -> tuple[Finding, Why | None]:
        now, read_at = self._clock.now(), result.read_at
        with result.work.share(_RELATIONS) as questions:
            why = lifecycle.reason_to_alert(known, drift, now, partial(relation, questions=questions))
        if known is None or why:
            return lifecycle.alerted(known, drift, explain(drift), now, read_at), why
        explanation = explain(drift) if _needs_explanation(known, result) else Explanation()
        return self._with_events(known, drift, explanation, read_at)

    def _with_events(
        self, known: Finding, drift: Drift, explanation: Explanation, read_at: datetime
    ) -> tuple[Finding, Why | None]:
        """A finding that needs no alert for what differs, but one if an unexpected actor turns out."""
        if lifecycle.turns_out_unexpected(known, explanation):
            return lifecycle.alerted(known, drift, explanation, self._clock.now(), read_at), Why.UNEXPECTED
        return lifecycle.seen(known, drift, explanation, read_at), None


def _needs_explanation(known: Finding, result: ScanResult) -> bool:
    """Whether to search for the events behind a finding that was reported already.

    A check has its events at hand: each of them stands at the finding, also when an alert named another one before. A
    scan searches CloudTrail's history, as long as that reaches back to the last change that was alerted: events may be
    missing, of some actors or of all.
    """
    is_check = result.drifts.compared is not None
    return is_check or max(known.first_seen, known.alerted_at or known.first_seen) > result.read_at - LOOKED_BACK


def _how(drift: Drift, result: ScanResult) -> Ending:
    if drift.entity in result.adopted:
        return Ending.ADOPTED
    if drift.entity in result.drifts.renamed:
        return Ending.RENAMED
    return Ending.OUT_OF_SCOPE if result.drifts.is_out_of_scope(drift.entity) else Ending.REVERTED


def _urgency(drift: Drift | None, kept: Kept[Finding] | None, item: str) -> tuple[int, int, str]:
    """Sort key for searches: new findings, those not searched for yet, those without a result, those with events."""
    known = kept.value if kept and kept.value.state is not State.RESOLVED else None
    if drift is None:
        return 4, 0, item
    if known is None or drift.fingerprint != known.alerted_fingerprint:
        return 0, -drift.severity, item
    return (3 if known.changes else 1 if known.announced else 2), -drift.severity, item
