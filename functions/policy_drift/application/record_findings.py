"""What a check or scan leads to: findings that are opened, kept or resolved, and alerts that are never lost.

A finding and the alert that it leads to are written in one conditional step. So of runs at the same time one decides,
and the others see what it decided. The one that wrote then publishes, and then forgets the alert. When it dies in
between, the next run that meets the finding publishes, after ``LEASE``: an alert comes at least once, and a repetition
is the same event, word for word. A run that meets an alert which nobody has published yet, and whose time is not over,
has not succeeded: it must come again.

Of two runs that see different things, the one that read the account later is right, whichever records first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from policy_drift.application.ports import ConcurrentUpdateError, Findings, Kept, NotToldError, Outbox, Undelivered
from policy_drift.domain import lifecycle
from policy_drift.domain.access.live_state import relation
from policy_drift.domain.changes.expected_events import LOOKED_BACK
from policy_drift.domain.comparison.drifts import Drifts
from policy_drift.domain.finding import Drift, Finding, State
from policy_drift.domain.lifecycle import Ending, Explanation, Why
from policy_drift.report.finding_events import Teller, resolution
from steward.clock import Clock
from steward.errors import UpstreamError
from steward.events import EventPublisher, NotPublishedError, PublishableEvent

LEASE = timedelta(seconds=150)
"""How long the run that wrote an alert has to publish it: longer than a check may run, shorter than until its retry."""
CLOCKS_DIFFER = timedelta(seconds=1)
"""By how much the clocks of two machines may differ; those of AWS's are within milliseconds of each other."""
_TRIES = 8
_TOGETHER = 10
"""Alerts that are published, and then forgotten, at a time."""

type Explain = Callable[[Drift], Explanation]
type Written = tuple[str, int, Sequence[PublishableEvent]]
"""An item, its revision, and the events that it leads to."""


class Delivery:
    """From the outbox to the bus."""

    def __init__(self, publisher: EventPublisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    def deliver(self, outbox: Outbox, written: Sequence[Written], run: str) -> None:
        """Publish what this run wrote and forget it, ten alerts at a time.

        Raises
        ------
        NotToldError
            The bus did not take all of it. What it took is forgotten.
        """
        refused: UpstreamError | None = None
        for group in batched(written, _TOGETHER, strict=False):
            missing = frozenset[int]()
            try:
                self._publisher.publish([event for _, _, events in group for event in events], correlation_id=run)
            except NotPublishedError as error:
                refused, missing = error, error.missing
            except UpstreamError as error:
                raise NotToldError(_YET.format(error), code=error.code) from error
            first = 0
            for item, revision, events in group:
                if missing.isdisjoint(range(first, first + len(events))):
                    outbox.delivered(item, revision)
                first += len(events)
        if refused:
            raise NotToldError(_YET.format(refused), code=refused.code) from refused

    def take_over(self, outbox: Outbox, item: str, undelivered: Mapping[int, Undelivered]) -> list[Written]:
        """What a run wrote that died: ours to deliver now."""
        now = self._clock.now()
        return [
            (item, revision, box.events)
            for revision, box in sorted(undelivered.items())
            if box.until <= now and outbox.take_over(item, revision, was=box.until, until=now + LEASE)
        ]

    def pick_up(self, outbox: Outbox, item: str, undelivered: Mapping[int, Undelivered], run: str) -> None:
        """Publish what a run wrote that died.

        Raises
        ------
        NotToldError
            The bus did not take it, or the run that wrote it still has time to publish it.
        """
        mine = self.take_over(outbox, item, undelivered)
        self.deliver(outbox, mine, run)
        if len(mine) < len(undelivered):
            raise NotToldError(_YET.format(f"another run wrote an event of {item}, and has not published it"))


_YET = "what was found is yet to be published: {}"


@dataclass(frozen=True, slots=True)
class Look:
    """What one check or scan found in the account.

    Attributes
    ----------
    drifts : Drifts
        What is there, and what was not or could not be compared.
    read_at : datetime
        When reading the account and the baseline began: everything that was so then has been seen.
    adopted : frozenset of str
        Entities whose approval has changed since the last scan: what is resolved of theirs was adopted, not reverted.
    """

    drifts: Drifts
    read_at: datetime
    adopted: frozenset[str] = frozenset()


class RecordFindings:
    """Takes what was found, and alerts of what is news."""

    def __init__(self, findings: Findings, publisher: EventPublisher, clock: Clock) -> None:
        self._findings = findings
        self._delivery = Delivery(publisher, clock)
        self._clock = clock

    def record(self, look: Look, explain: Explain, teller: Teller, run: str) -> list[Finding]:
        """Open, keep and resolve; the findings as they stand now, and those that this resolved.

        Parameters
        ----------
        look
            What was found.
        explain
            Who did it; asked for what is news first, the most severe first.
        teller
            Puts a finding into words.
        run
            Correlates the events.

        Raises
        ------
        NotToldError
            Everything is recorded, and not every alert published.
        """
        drifts = {drift.finding_id: drift for drift in look.drifts.found}
        compared = look.drifts.looked_at
        entities = None if compared is None else compared | {drift.entity for drift in look.drifts.found}
        known = {
            kept.value.id: kept for kept in (self._findings.all() if entities is None else self._findings.of(entities))
        }
        written: list[Written] = []
        waiting, standing = set[str](), list[Finding]()
        try:
            for item, kept in known.items():
                ours = self._delivery.take_over(self._findings, item, kept.undelivered)
                written += ours
                if len(ours) < len(kept.undelivered):
                    waiting.add(item)
            for item in sorted({*drifts, *known}, key=lambda item: _urgency(drifts.get(item), known.get(item), item)):
                finding, wrote = self._advance(item, drifts.get(item), known.get(item), look, explain, teller)
                written += wrote
                if finding is not None:
                    standing.append(finding)
        finally:
            self._delivery.deliver(self._findings, written, run)
        for item in sorted(waiting):
            now = self._findings.get(item)
            if now and now.undelivered:
                raise NotToldError(_YET.format(f"another run wrote an alert of {item}, and has not published it"))
        return standing

    def _advance(
        self,
        item: str,
        drift: Drift | None,
        kept: Kept[Finding] | None,
        look: Look,
        explain: Explain,
        teller: Teller,
    ) -> tuple[Finding | None, list[Written]]:
        """One finding's step; decided again when another run was quicker."""
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
            except ConcurrentUpdateError:
                kept = self._findings.get(item)
                continue
            return finding, [(item, revision, events)] if events else []
        raise ConcurrentUpdateError(f"{item} is written by too many runs at once")

    def _next(
        self, known: Finding | None, drift: Drift | None, look: Look, explain: Explain
    ) -> tuple[Finding, Why | Ending | None] | None:
        if known and known.read_at > look.read_at + CLOCKS_DIFFER:
            return None
        if drift is not None:
            return self._there(known, drift, look, explain)
        now = self._clock.now()
        if known is None or not look.drifts.rules_out(known.drift) or not lifecycle.is_over(known, now):
            return None
        return lifecycle.resolved(known, look.read_at), _how(known.drift, look)

    def _there(self, known: Finding | None, drift: Drift, look: Look, explain: Explain) -> tuple[Finding, Why | None]:
        now, read_at = self._clock.now(), look.read_at
        why = lifecycle.news(known, drift, now, relation)
        if known is None or why:
            return lifecycle.told(known, drift, explain(drift), now, read_at), why
        explanation = explain(drift) if _is_asked(known, look) else Explanation()
        if lifecycle.turns_out_unexpected(known, explanation):
            return lifecycle.told(known, drift, explanation, now, read_at), Why.UNEXPECTED
        return lifecycle.seen(known, drift, explanation, read_at), None


def _is_asked(known: Finding, look: Look) -> bool:
    """Whether to ask who did it, of what was reported already.

    Events at hand cost nothing to ask. A scan searches CloudTrail's history, for what has nobody yet, and for as long
    as the history that it searches reaches back to the change.
    """
    if look.drifts.looked_at is not None:
        return not known.changes or known.expected
    return not known.changes and known.first_seen > look.read_at - LOOKED_BACK


def _how(drift: Drift, look: Look) -> Ending:
    if drift.entity in look.adopted:
        return Ending.ADOPTED
    if drift.entity in look.drifts.renamed:
        return Ending.RENAMED
    return Ending.OUT_OF_SCOPE if look.drifts.is_out_of_scope(drift.entity) else Ending.REVERTED


def _urgency(drift: Drift | None, kept: Kept[Finding] | None, item: str) -> tuple[int, int, str]:
    """New ones first, then those whose author nobody has searched for, then those where nobody was found."""
    known = kept.value if kept and kept.value.state is not State.RESOLVED else None
    if drift is None:
        return 3, 0, item
    news = known is None or drift.fingerprint != known.told_fingerprint
    return (0 if news else 1 if known and known.announced else 2), -drift.severity, item
