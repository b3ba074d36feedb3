"""Findings, and which baseline is in force, in the table of policy drift."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from policy_drift.adapters.dynamodb_outbox import ItemWrite, OutboxTable
from policy_drift.application.ports import ConcurrentUpdateError, Kept, Progress, Write
from policy_drift.domain.account import EntityId
from policy_drift.domain.baseline import InForce
from policy_drift.domain.finding import Finding, Kind, State, unread
from steward.events import PublishableEvent
from steward.severity import Severity

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RESOLVED_KEPT = timedelta(days=365)
MOST_READ_ALONE = 50
"""Entities; of more, it takes fewer calls to read all findings than each that there may be."""
_LATEST = "latest"
_UNDER_WAY = "under way"
_STORED_AS = {
    "alerted_at": "told_at",
    "alerted_severity": "told_severity",
    "alerted_fingerprint": "told_fingerprint",
    "alerted_live": "told_live",
}


@dataclass(frozen=True, slots=True)
class _Scan:
    """When a scan began to read the account."""

    read_at: datetime


@dataclass(frozen=True, slots=True)
class _At:
    """Where a scan is; nowhere when it has ended."""

    progress: Progress | None


class DynamoDbFindings:
    """Findings under ``finding#<id>``; the resolved ones are forgotten after a year.

    Parameters
    ----------
    unreadable : Severity
        Of a finding whose item cannot be read.
    """

    def __init__(self, client: "DynamoDBClient", table: str, unreadable: Severity = Severity.MEDIUM) -> None:
        self._items = OutboxTable(
            client, table, prefix="finding#", of=Finding, stored_as=_STORED_AS, unreadable=partial(unread, unreadable)
        )
        self._scans = OutboxTable(client, table, prefix="scan#", of=_Scan)
        self._progress = OutboxTable(client, table, prefix="scan#", of=_At)

    def get(self, finding_id: str) -> Kept[Finding] | None:
        """One of them."""
        return self._items.get(finding_id)

    def of(self, entities: Collection[EntityId]) -> list[Kept[Finding]]:
        """Those of some entities."""
        wanted = set(entities)
        if len(wanted) > MOST_READ_ALONE:
            return [kept for kept in self._items.all() if kept.value.drift.entity in wanted]
        ids = [f"{kind.lower()}:{entity.replace('/', ':', 1)}" for entity in sorted(wanted) for kind in Kind]
        return list(self._items.get_many(ids))

    def all(self) -> list[Kept[Finding]]:
        """All of them."""
        return list(self._items.all())

    def save(
        self, finding: Finding, *, after: int, events: Sequence[PublishableEvent] = (), until: datetime | None = None
    ) -> int:
        """Write it; what is too large for an item is kept without its documents: any change of it needs an alert."""
        return self._items.save(self._item(Write(finding, after, events, until)))

    def save_many(self, writes: Sequence[Write]) -> list[int | None]:
        """`save` each of them, up to a hundred in a call."""
        return self._items.save_many([self._item(write) for write in writes])

    def _item(self, write: Write) -> ItemWrite[Finding]:
        finding = write.finding
        if not self._items.fits(finding, write.events):
            finding = replace(finding, drift=replace(finding.drift, approved=None, live=None), alerted_live=None)
        return ItemWrite(
            finding.id,
            finding,
            write.after,
            write.events,
            write.until,
            expiration=finding.last_seen + RESOLVED_KEPT if finding.state is State.RESOLVED else None,
            shown={"state": finding.state, "severity": finding.drift.severity.name},
        )

    def take_over(self, item: str, revision: int, *, was: datetime, until: datetime) -> bool:
        """Deliver another run's events."""
        return self._items.take_over(item, revision, was=was, until=until)

    def delivered(self, revisions: Sequence[tuple[str, int]]) -> None:
        """Forget the events."""
        self._items.delivered(revisions)

    def last_scan(self) -> datetime | None:
        """When the latest recorded scan began to read."""
        kept = self._scans.get(_LATEST)
        return kept.value.read_at if kept else None

    def note_scan(self, read_at: datetime) -> None:
        """Move the moment forward, never back."""
        kept = self._scans.get(_LATEST)
        if kept is None or kept.value.read_at < read_at:
            with suppress(ConcurrentUpdateError):  # of two scans at once, either moment is right
                self._scans.save(ItemWrite(_LATEST, _Scan(read_at), kept.revision if kept else 0))

    def progress(self) -> Progress | None:
        """Where a scan is, or died."""
        kept = self._progress.get(_UNDER_WAY)
        return kept.value.progress if kept else None

    def note_progress(self, progress: Progress | None) -> None:
        """Keep it in place of what was there."""
        kept = self._progress.get(_UNDER_WAY)
        with suppress(ConcurrentUpdateError):  # of two scans at once, either may be the one that dies
            self._progress.save(ItemWrite(_UNDER_WAY, _At(progress), kept.revision if kept else 0))


class DynamoDbBaselineRecords:
    """The version in force, under ``baseline#<account>``."""

    def __init__(self, client: "DynamoDBClient", table: str, account: str) -> None:
        self._items = OutboxTable(client, table, prefix="baseline#", of=InForce)
        self.id = account

    def get(self) -> Kept[InForce] | None:
        """The version in force."""
        return self._items.get(self.id)

    def save(
        self, in_force: InForce, *, after: int, events: Sequence[PublishableEvent] = (), until: datetime | None = None
    ) -> int:
        """Write it."""
        shown = {"version": in_force.version, "by": in_force.by}
        return self._items.save(ItemWrite(self.id, in_force, after, events, until, shown=shown))

    def take_over(self, item: str, revision: int, *, was: datetime, until: datetime) -> bool:
        """Deliver another run's events."""
        return self._items.take_over(item, revision, was=was, until=until)

    def delivered(self, revisions: Sequence[tuple[str, int]]) -> None:
        """Forget the events."""
        self._items.delivered(revisions)
