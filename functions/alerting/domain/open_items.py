"""Open items, for the digest: what is open, since when, and who is responsible for it until when.

They are known from events alone, so an event that never arrived is missing here. The report of a scan is authoritative.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent
from steward.severity import Severity

BLOCKED_FOR = timedelta(days=2)
"""A blocked user is reported every day; after this long without a report it is no longer blocked."""
FINDING, ROTATION, SCAN, KEYS, FLEET = "finding", "rotation", "scan", "keys", "fleet"


class State(StrEnum):
    """Of an open item."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    OVER = "OVER"


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something that lasts: a finding, a blocked rotation, the last scan, the last count of keys or of repositories.

    ``at`` is when the event was published that set this state; times in texts are ISO 8601. ``arn`` is the ARN of the
    AWS entity that it is about, if the events name one.
    """

    subject: str
    name: str
    state: State
    severity: Severity
    what: str
    since: str
    at: datetime
    until: str = ""
    expected: bool = False
    arn: str = ""

    @property
    def id(self) -> str:
        """Subject and name."""
        return f"{self.subject}#{self.name}"


def item_id(event: BusEvent) -> str | None:
    """The id of the item that the event is about; None for an event that is about nothing that lasts."""
    data = event.data
    match event.detail_type:
        case "PolicyDriftDetected" | "PolicyDriftResolved" | "PolicyDriftAcknowledged":
            return f"{FINDING}#{data.text('finding_id')}"
        case "AccessKeyRotationBlocked" | "AccessKeyRotated":
            return f"{ROTATION}#{data.text('user_name')}"
        case "DriftScanCompleted":
            return f"{SCAN}#last"
        case "RepositoryFleetScanned":
            return f"{FLEET}#last"
        case "AccessKeysCounted":
            return f"{KEYS}#last"
    return None


def item_of(event: BusEvent, alert: Alert, before: OpenItem | None) -> OpenItem | None:
    """The item after the event; ``before`` is the item as it was stored."""
    identity = item_id(event)
    if identity is None:
        return None
    subject, _, name = identity.partition("#")
    data, what = event.data, alert.title.plain()
    since = data.text("first_seen") or (before.since if before and before.state is not State.OVER else "")
    item = OpenItem(
        subject,
        name,
        State.OPEN,
        alert.severity,
        what,
        since or event.at.isoformat(),
        event.at,
        expected=alert.expected,
        arn=data.text("arn") or (before.arn if before else ""),
    )
    match event.detail_type:
        case "PolicyDriftResolved" | "AccessKeyRotated":
            return replace(item, state=State.OVER, expected=bool(before and before.expected))
        case "PolicyDriftAcknowledged":
            return replace(
                item,
                state=State.ACKNOWLEDGED,
                what=before.what if before else what,
                until=data.text("expires"),
                expected=bool(before and before.expected),
            )
        case "DriftScanCompleted":
            counts = data.inner("open_findings").values
            found = ", ".join(f"{count} {severity}" for severity, count in counts.items()) or "no open findings"
            reviewed = "" if data.holds("baseline_reviewed") else "; the baseline has not been reviewed"
            return replace(item, what=f"{found}{reviewed}")
    return item
