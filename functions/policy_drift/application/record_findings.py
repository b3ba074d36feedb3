"""The outcome of a check or scan: findings are opened, kept or resolved, and no alert is lost.

A finding and its alert are written in one conditional step: of concurrent runs one decides, and the others read its
decision. The run that wrote publishes the alert, then deletes it from the outbox. If it dies in between, the next run
that reads the finding publishes after ``LEASE``: delivery is at least once, and a repetition is the same event, byte
for byte. A run that reads an alert which is not published yet and whose lease still holds fails, and is retried.

Of two runs that see different things, the one that read the account later is right, whichever records first. A finding
of which nothing changed is not written again: when the last scan read the account is kept once, for all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    Write,
)
from policy_drift.application.scan_progress import ScanProgress
from policy_drift.domain import lifecycle
from policy_drift.domain.access.live_state import relation
from policy_drift.domain.access.work import OF_RECORDING, Work
from policy_drift.domain.account import EntityId, EntityKind
from policy_drift.domain.baseline import InForce
from policy_drift.domain.changes.expected_events import LOOKED_BACK
from policy_drift.domain.comparison.drifts import Drifts
from policy_drift.domain.finding import Drift, Ending, Finding, Kind, State
from policy_drift.domain.lifecycle import Explanation, Why
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
_WRITTEN_TOGETHER = 100
"""Findings that are written in one call, and published before the next: well within the lease."""

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
            first, taken = 0, []
            for item, revision, events in group:
                if missing.isdisjoint(range(first, first + len(events))):
                    taken.append((item, revision))
                first += len(events)
            if taken:
                store.delivered(taken)
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
    in_force : InForce, optional
        The version of the baseline that it was compared with: another run may have put it in force a moment ago.
    """

    drifts: Drifts
    read_at: datetime
    adopted: frozenset[str] = frozenset()
    work: Work = field(default_factory=lambda: Work(OF_RECORDING))
    in_force: InForce | None = None

    @property
    def is_check(self) -> bool:
        """Whether it compared some entities, for their events; a scan compares all."""
        return self.drifts.compared is not None


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
        # A scan that lost its baseline compared nothing. Its function may read all findings, and not some of them.
        read = self._findings.of(entities) if compared and entities else self._findings.all()
        known = {kept.value.id: kept for kept in read if entities is None or kept.value.drift.entity in entities}
        last_scan = self._findings.last_scan()
        is_stale = last_scan is not None and last_scan > result.read_at + CLOCKS_DIFFER
        taken_over: list[Written] = []
        waiting, standing = set[str](), list[Finding]()
        for item, kept in known.items():
            ours = self._outbox.take_over(self._findings, item, kept.undelivered)
            taken_over += ours
            if len(ours) < len(kept.undelivered):
                waiting.add(item)
        pending = self._deliver(taken_over, run)
        deciding = _Deciding(result, explain, events_of, is_stale)
        by_urgency = sorted({*drifts, *known}, key=lambda item: _urgency(drifts.get(item), known.get(item), item))
        for some in batched(by_urgency, _WRITTEN_TOGETHER, strict=False):
            found, written = self._advance_together(
                [(item, drifts.get(item), known.get(item)) for item in some], deciding
            )
            standing += found
            pending = self._deliver(written, run) or pending
        if compared is None:
            self._findings.note_scan(result.read_at)
        if pending:
            raise pending
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

    def progress(self, account: str) -> ScanProgress:
        """The progress of a scan that begins now."""
        return ScanProgress(self._findings, self._clock, self.left_by_last_scan(account))

    def _deliver(self, written: Sequence[Written], run: str) -> PublicationPendingError | None:
        """Publish what was just written, within its lease; what the bus refuses must not stop the rest."""
        try:
            self._outbox.deliver(self._findings, written, run)
        except PublicationPendingError as error:
            return error
        return None

    def _advance_together(self, items: Sequence["_Item"], deciding: "_Deciding") -> tuple[list[Finding], list[Written]]:
        """Advance some findings in one write; those that were updated concurrently are decided again."""
        standing, written = list[Finding](), list[Written]()
        for _ in range(_TRIES):
            decided: list[tuple[_Item, Finding, list[PublishableEvent]]] = []
            for item in items:
                finding, events, is_new = self._decided(item, deciding)
                if finding is not None and is_new:
                    decided.append((item, finding, events))
                elif finding is not None:
                    standing.append(finding)
            until = self._clock.now() + LEASE
            writes = [
                Write(finding, kept.revision if kept else 0, events, until) for (_, _, kept), finding, events in decided
            ]
            overtaken: list[_Item] = []
            for revision, ((name, drift, _), finding, events) in zip(
                self._findings.save_many(writes), decided, strict=True
            ):
                if revision is None:
                    overtaken.append((name, drift, self._findings.get(name)))
                    continue
                standing.append(finding)
                if events:
                    written.append((name, revision, events))
            if not overtaken:
                return standing, written
            items = overtaken
        raise ConcurrentUpdateError(f"{items[0][0]} is written by too many runs at once")

    def _decided(self, item: "_Item", deciding: "_Deciding") -> tuple[Finding | None, list[PublishableEvent], bool]:
        """The finding as it is now (None if it is over), what to publish of it, and whether to write it."""
        _, drift, kept = item
        known = kept.value if kept else None
        after = self._next(known, drift, deciding)
        if after is None:
            return (known if known and known.state is not State.RESOLVED else None), [], False
        finding, why = after
        events: list[PublishableEvent] = []
        if isinstance(why, Why):
            events = [deciding.events_of.detection(finding, why, known)]
        elif isinstance(why, Ending):
            events = [resolution(finding, why)]
        return finding, events, bool(events) or known is None or replace(finding, last_seen=known.last_seen) != known

    def _next(
        self, known: Finding | None, drift: Drift | None, deciding: "_Deciding"
    ) -> tuple[Finding, Why | Ending | None] | None:
        result, explain = deciding.result, deciding.explain
        if known and (deciding.is_stale or known.read_at > result.read_at + CLOCKS_DIFFER):
            return self._explained(known, result, explain)
        if drift is not None:
            return self._there(known, drift, result, explain)
        if known is None:
            return None
        if result.drifts.rules_out(known.drift) and lifecycle.is_over(known, self._clock.now()):
            how = _how(known, result)
            events = explain(known.drift) if result.is_check else Explanation()
            return lifecycle.resolved(known, result.read_at, how, events), how
        if known.is_unread:
            return self._there(known, known.drift, result, explain)
        return self._explained(known, result, explain)

    def _explained(self, known: Finding, result: ScanResult, explain: Explain) -> tuple[Finding, Why | None] | None:
        """Add the events at hand to a finding, and leave its state as it is.

        The run read earlier than the recorded one, or could not compare the entity; its events are no less true.
        """
        is_over = known.state is State.RESOLVED or known.drift.kind in lifecycle.LASTING
        if is_over or not _needs_explanation(known, result):
            return None
        return self._with_events(known, known.drift, explain(known.drift), known.last_seen, result)

    def _there(
        self, known: Finding | None, drift: Drift, result: ScanResult, explain: Explain
    ) -> tuple[Finding, Why | None]:
        now, read_at = self._clock.now(), result.read_at
        with result.work.share(_RELATIONS) as questions:
            why = lifecycle.reason_to_alert(known, drift, now, partial(relation, questions=questions))
        if known is None or why:
            explanation = lifecycle.of_this_life(known, explain(drift))
            return lifecycle.alerted(known, drift, explanation, now, read_at), why
        explanation = explain(drift) if _needs_explanation(known, result) else Explanation()
        return self._with_events(known, drift, explanation, read_at, result)

    def _with_events(
        self, known: Finding, drift: Drift, explanation: Explanation, read_at: datetime, result: ScanResult
    ) -> tuple[Finding, Why | None]:
        """A finding that needs no alert for what differs, but one if an unexpected actor was missing from the last.

        A scan searches the history for thirty findings, and the next one for thirty others: if their alert named no
        actor, the actors that this finds stand at the finding without an alert.
        """
        explanation = lifecycle.of_this_life(known, explanation)
        missing = lifecycle.missing_from_alert(known, explanation)
        if missing and (known.changes or result.is_check):
            now = self._clock.now()
            return lifecycle.alerted_again(known, drift, explanation, missing, now, read_at), Why.UNEXPECTED
        return lifecycle.seen(known, drift, explanation, read_at), None


type _Item = tuple[str, Drift | None, Kept[Finding] | None]
"""The id of a finding, what differs now, and what is kept of it."""


@dataclass(frozen=True, slots=True)
class _Deciding:
    """What decides about findings; ``is_stale`` if a scan that began to read later is recorded already."""

    result: ScanResult
    explain: Explain
    events_of: FindingEvents
    is_stale: bool


def _needs_explanation(known: Finding, result: ScanResult) -> bool:
    """Whether to search for the events behind a finding that was reported already.

    A check has its events at hand: each of them stands at the finding, also when an alert named another one before. A
    scan searches CloudTrail's history, as long as that reaches back to the last change that was alerted: events may be
    missing, of some actors or of all.
    """
    return result.is_check or max(known.first_seen, known.alerted_at or known.first_seen) > result.read_at - LOOKED_BACK


def _how(known: Finding, result: ScanResult) -> Ending:
    drift = known.drift
    if drift.entity in result.adopted:
        return Ending.ADOPTED
    if result.in_force and result.in_force.ended(known.id, known.last_seen):
        return Ending.ADOPTED
    if drift.entity in result.drifts.renamed:
        return Ending.RENAMED
    if result.drifts.takes_over(drift):
        return Ending.MERGED
    return Ending.OUT_OF_SCOPE if result.drifts.is_out_of_scope(drift.entity) else Ending.REVERTED


def _urgency(drift: Drift | None, kept: Kept[Finding] | None, item: str) -> tuple[int, int, str]:
    """Sort key for searches: new findings, those not searched for yet, those without a result, those with events."""
    known = kept.value if kept and kept.value.state is not State.RESOLVED else None
    if drift is None:
        return 4, 0, item
    if known is None or drift.fingerprint != known.alerted_fingerprint:
        return 0, -drift.severity, item
    return (3 if known.changes else 1 if known.announced else 2), -drift.severity, item
