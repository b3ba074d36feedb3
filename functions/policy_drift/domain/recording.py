"""What a look at the account leads to: findings that are opened, kept or resolved, and alerts that are never lost.

A finding and the alert that it leads to are written in one conditional step. So of runs at the same time one decides,
and the others see what it decided. The one that wrote then publishes, and then forgets the alert. When it dies in
between, the next run that meets the finding publishes, after ``LEASE``: an alert comes at least once, and a repetition
is the same event, word for word.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from policy_drift.domain import lifecycle
from policy_drift.domain.access.live_state import relation
from policy_drift.domain.comparison.drifts import Drifts
from policy_drift.domain.finding import Drift, Finding, State
from policy_drift.domain.lifecycle import Ending, Explanation, Why
from policy_drift.domain.ports import Findings, Kept, NotToldError, Outbox, OvertakenError, Undelivered
from policy_drift.domain.reporting.detection import Teller, resolution
from steward.clock import Clock
from steward.errors import UpstreamError
from steward.events import EventPublisher, PublishableEvent

LEASE = timedelta(seconds=150)
"""How long whoever wrote an alert has to publish it: longer than a check may run, shorter than until its retry."""
_TRIES = 8

type Explain = Callable[[Drift], Explanation]


class Delivery:
    """From the outbox to the bus."""

    def __init__(self, publisher: EventPublisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    def deliver(self, outbox: Outbox, told: Sequence[tuple[str, int, Sequence[PublishableEvent]]], run: str) -> None:
        """Publish what this run wrote, then forget it. Raises NotToldError."""
        try:
            self._publisher.publish([event for _, _, events in told for event in events], correlation_id=run)
        except UpstreamError as error:
            raise NotToldError(f"what was found is yet to be told: {error}", code=error.code) from error
        for item, revision, _ in told:
            outbox.delivered(item, revision)

    def pick_up(self, outbox: Outbox, item: str, undelivered: Mapping[int, Undelivered], run: str) -> None:
        """Publish what a run wrote that died."""
        now = self._clock.now()
        for revision, box in sorted(undelivered.items()):
            if box.until <= now and outbox.take_over(item, revision, was=box.until, until=now + LEASE):
                self.deliver(outbox, [(item, revision, box.events)], run)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the account found.

    Attributes
    ----------
    drifts : Drifts
        What is there, and what was not or could not be looked at.
    adopted : frozenset of str
        Entities whose approval has changed since the last look: what is over of theirs was adopted, not reverted.
    """

    drifts: Drifts
    adopted: frozenset[str] = frozenset()


class Recorder:
    """Takes looks, and tells what is news."""

    def __init__(self, findings: Findings, publisher: EventPublisher, clock: Clock) -> None:
        self._findings = findings
        self._delivery = Delivery(publisher, clock)
        self._clock = clock

    def record(self, look: Look, explain: Explain, teller: Teller, run: str) -> list[Finding]:
        """Open, keep and resolve; the findings as they stand now, and those that this look resolved.

        Parameters
        ----------
        look
            What was found.
        explain
            Who did it; asked only for what is told, and for what has nobody yet.
        teller
            Puts a finding into words.
        run
            Correlates the events.
        """
        drifts = {drift.finding_id: drift for drift in look.drifts.found}
        looked_at = look.drifts.looked_at
        entities = None if looked_at is None else looked_at | {drift.entity for drift in look.drifts.found}
        known = {
            kept.value.id: kept for kept in (self._findings.all() if entities is None else self._findings.of(entities))
        }
        for item, kept in known.items():
            self._delivery.pick_up(self._findings, item, kept.undelivered, run)
        told: list[tuple[str, int, Sequence[PublishableEvent]]] = []
        standing = []
        for item in sorted({*drifts, *known}):
            finding, tell = self._advance(item, drifts.get(item), known.get(item), look, explain, teller)
            told += tell
            if finding is not None:
                standing.append(finding)
        if told:
            self._delivery.deliver(self._findings, told, run)
        return standing

    def _advance(
        self,
        item: str,
        drift: Drift | None,
        kept: Kept[Finding] | None,
        look: Look,
        explain: Explain,
        teller: Teller,
    ) -> tuple[Finding | None, list[tuple[str, int, Sequence[PublishableEvent]]]]:
        """One finding's step; decided anew when another run was quicker."""
        for _ in range(_TRIES):
            known = kept.value if kept else None
            after = self._next(known, drift, look, explain)
            if after is None:
                return (known if known and known.state is not State.RESOLVED else None), []
            finding, why = after
            events: list[PublishableEvent] = []
            if isinstance(why, Why):
                events = [teller.detection(finding, why, known)]
            elif isinstance(why, Ending):
                events = [resolution(finding, why)]
            if not events and finding == known:
                return finding, []
            until = self._clock.now() + LEASE
            try:
                revision = self._findings.save(finding, after=kept.revision if kept else 0, tell=events, until=until)
            except OvertakenError:
                kept = self._findings.get(item)
                continue
            return finding, [(item, revision, events)] if events else []
        raise OvertakenError(f"{item} is written by too many runs at once")

    def _next(
        self, known: Finding | None, drift: Drift | None, look: Look, explain: Explain
    ) -> tuple[Finding, Why | Ending | None] | None:
        now = self._clock.now()
        if drift is not None:
            why = lifecycle.news(known, drift, now, relation)
            if why:
                return lifecycle.told(known, drift, explain(drift), now), why
            if known is None:
                return None
            # Events at hand cost nothing to ask; a scan asks CloudTrail's history for what has nobody yet.
            is_asked = not known.changes or (known.expected and look.drifts.looked_at is not None)
            explanation = explain(drift) if is_asked else Explanation()
            if lifecycle.turns_out_unexpected(known, explanation):
                return lifecycle.told(known, drift, explanation, now), Why.UNEXPECTED
            return lifecycle.seen(known, drift, explanation, now), None
        if known is None or not look.drifts.rules_out(known.drift) or not lifecycle.is_over(known, now):
            return None
        how = Ending.ADOPTED if known.drift.entity in look.adopted else Ending.REVERTED
        return lifecycle.resolved(known, now), how
