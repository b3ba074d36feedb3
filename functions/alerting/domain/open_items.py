"""What alerting remembers from events, for the digest: what is open, since when, and who answers for it until when.

It knows no more than it was told: an event that never came is missing here, too. The report of a scan is the truth.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent
from steward.severity import Severity

BLOCKED_FOR = timedelta(days=2)
"""A blocked user is told again every day; one that was not told of for so long is blocked no more."""
FINDING, ROTATION, SCAN = "finding", "rotation", "scan"


class State(StrEnum):
    """Of a concern."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    OVER = "OVER"


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that lasts.

    ``at`` is when the event was published that last said so; times in texts are ISO 8601. ``arn`` is that of the entity
    in AWS that it is about, if the events name one.
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


def concern_id(event: BusEvent) -> str | None:
    """What the event is about; None where it is about nothing that lasts."""
    data = event.data
    match event.detail_type:
        case "PolicyDriftDetected" | "PolicyDriftResolved" | "PolicyDriftAcknowledged":
            return f"{FINDING}#{data.text('finding_id')}"
        case "AccessKeyRotationBlocked" | "AccessKeyRotated":
            return f"{ROTATION}#{data.text('user_name')}"
        case "DriftScanCompleted":
            return f"{SCAN}#last"
    return None


def concern_of(event: BusEvent, alert: Alert, before: Concern | None) -> Concern | None:
    """What is to be remembered after the event; ``before`` is what was."""
    identity = concern_id(event)
    if identity is None:
        return None
    subject, _, name = identity.partition("#")
    data, what = event.data, alert.title.plain()
    since = data.text("first_seen") or (before.since if before and before.state is not State.OVER else "")
    concern = Concern(
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
            return replace(concern, state=State.OVER, expected=bool(before and before.expected))
        case "PolicyDriftAcknowledged":
            told = before.what if before else what
            return replace(
                concern,
                state=State.ACKNOWLEDGED,
                what=told,
                until=data.text("expires"),
                expected=bool(before and before.expected),
            )
        case "DriftScanCompleted":
            counts = data.inner("open_findings").values
            found = ", ".join(f"{count} {severity}" for severity, count in counts.items()) or "no open findings"
            reviewed = "" if data.holds("baseline_reviewed") else "; the baseline has not been reviewed"
            return replace(concern, what=f"{found}{reviewed}")
    return concern
