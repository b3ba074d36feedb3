"""Findings, and which baseline is in force, in the table of policy drift."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from policy_drift.adapters.dynamodb_outbox import OutboxTable
from policy_drift.application.ports import Kept
from policy_drift.domain.account import EntityId
from policy_drift.domain.baseline import InForce
from policy_drift.domain.finding import Finding, Kind, State
from steward.events import PublishableEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RESOLVED_KEPT = timedelta(days=365)
_STORED_AS = {
    "alerted_at": "told_at",
    "alerted_severity": "told_severity",
    "alerted_fingerprint": "told_fingerprint",
    "alerted_live": "told_live",
}


class DynamoDbFindings:
    """Findings under ``finding#<id>``; the resolved ones are forgotten after a year."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._items = OutboxTable(client, table, prefix="finding#", of=Finding, stored_as=_STORED_AS)

    def get(self, finding_id: str) -> Kept[Finding] | None:
        """One of them."""
        return self._items.get(finding_id)

    def of(self, entities: Collection[EntityId]) -> list[Kept[Finding]]:
        """Those of some entities."""
        ids = [f"{kind.lower()}:{entity.replace('/', ':', 1)}" for entity in sorted(set(entities)) for kind in Kind]
        return list(self._items.get_many(ids))

    def all(self) -> list[Kept[Finding]]:
        """All of them."""
        return list(self._items.all())

    def save(
        self, finding: Finding, *, after: int, events: Sequence[PublishableEvent] = (), until: datetime | None = None
    ) -> int:
        """Write it; what is too large for an item is kept without its documents: any change of it needs an alert."""
        if not self._items.fits(finding, events):
            finding = replace(finding, drift=replace(finding.drift, approved=None, live=None), alerted_live=None)
        return self._items.save(
            finding.id,
            finding,
            after=after,
            events=events,
            until=until,
            expiration=finding.last_seen + RESOLVED_KEPT if finding.state is State.RESOLVED else None,
            shown={"state": finding.state, "severity": finding.drift.severity.name},
        )

    def take_over(self, item: str, revision: int, *, was: datetime, until: datetime) -> bool:
        """Deliver another run's events."""
        return self._items.take_over(item, revision, was=was, until=until)

    def delivered(self, item: str, revision: int) -> None:
        """Forget the events."""
        self._items.delivered(item, revision)


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
        return self._items.save(self.id, in_force, after=after, events=events, until=until, shown=shown)

    def take_over(self, item: str, revision: int, *, was: datetime, until: datetime) -> bool:
        """Deliver another run's events."""
        return self._items.take_over(item, revision, was=was, until=until)

    def delivered(self, item: str, revision: int) -> None:
        """Forget the events."""
        self._items.delivered(item, revision)
