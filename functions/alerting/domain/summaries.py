"""Many alerts in one message: a flood's summary and the weekly digest. The most severe always come first."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.domain.alert import Alert, PendingAlert
from alerting.domain.foreign_text import Sentence
from alerting.domain.open_items import BLOCKED_FOR, FINDING, FLEET, KEYS, ROTATION, SCAN, OpenItem, State
from alerting.domain.routing import Digest
from steward.severity import Severity

FLOOD_KIND, DIGEST_KIND = "AlertFlood", "WeeklyDigest"
DRIFT_KIND = "PolicyDriftDetected"
OLDEST, MOST = 5, 20
"""How many of the oldest findings, and of everything else that has no other bound: SNS takes no longer message."""
_REPORT = "The report of the last scan has every finding: GET /drift/report, or steward drift report."


@dataclass(frozen=True, slots=True)
class Context:
    """The id of a message, and when and where it is made."""

    event_id: str
    at: datetime
    account: str
    region: str


def flood_alert(pending: Sequence[PendingAlert], *, listed_titles: int, context: Context) -> Alert:
    """One alert for all pending ones, as severe as the most severe of them."""
    worst_first = sorted(pending, key=lambda each: (-each.severity, each.kind, each.event_id))
    left_out = len(worst_first) - listed_titles
    return Alert(
        context.event_id,
        FLOOD_KIND,
        "alerting",
        worst_first[0].severity,
        context.at,
        context.account,
        context.region,
        Sentence.of(f"{len(pending)} more alerts: {_by_severity(pending)}"),
        (
            Sentence.of("Grouped because of volume; the first alerts of each kind were sent individually."),
            *((Sentence.of(_REPORT),) if any(each.kind == DRIFT_KIND for each in pending) else ()),
            *(Sentence.of(f"{count} {{}}", kind) for kind, count in _kinds(pending)),
            *(Sentence.of(f"{each.severity.name}: {{}}", each.title) for each in worst_first[:listed_titles]),
            *((Sentence.of(f"… and {left_out} more, none of them more severe."),) if left_out > 0 else ()),
        ),
        runbook="too-many-alerts",
    )


def digest_alert(
    items: Sequence[OpenItem], pending: Sequence[PendingAlert], settings: Digest, *, context: Context
) -> Alert:
    """What is open, what ends soon, what is blocked, and what was not worth an alert of its own."""
    findings = [each for each in items if each.subject == FINDING and each.state is State.OPEN]
    worst = max((each.severity for each in findings), default=Severity.INFO)
    return Alert(
        context.event_id,
        DIGEST_KIND,
        "alerting",
        worst,
        context.at,
        context.account,
        context.region,
        Sentence.of(f"Weekly digest: {_counted(len(findings), 'open finding')}"),
        tuple(_paragraphs(items, findings, pending, settings, context.at)),
        runbook="alert-came" if findings else "",
    )


def _paragraphs(
    items: Sequence[OpenItem],
    findings: list[OpenItem],
    pending: Sequence[PendingAlert],
    settings: Digest,
    at: datetime,
) -> Iterator[Sentence]:
    yield Sentence.of(f"Open: {_by_severity(findings)}." if findings else "No findings are open.")
    for each in sorted(findings, key=lambda c: (-c.severity, c.since))[:OLDEST]:
        yield Sentence.of(f"{each.severity.name}, open since {{}}: {{}}", each.since, each.what)
    oldest = min(findings, key=lambda c: c.since, default=None)
    if oldest:
        yield Sentence.of("Oldest, open since {}: {}", oldest.since, oldest.what)
    ending = _ending(items, at + timedelta(days=settings.expires_within_days))
    acknowledged = [Sentence.of("Acknowledged until {}: {}", each.until, each.what) for each in ending]
    yield from _first(acknowledged, "acknowledgements that end soon")
    blocked = [Sentence.of("Blocked since {}: {}", each.since, each.what) for each in items if _is_blocked(each, at)]
    yield from _first(blocked, "blocked users")
    yield from _last(items)
    for kind, count in _kinds(pending):
        yield Sentence.of(f"{count} {{}} this week", kind)
    yield Sentence.of("Counted from the events that reached alerting; the report of the last scan is authoritative.")


def _first(lines: Sequence[Sentence], what: str) -> Iterator[Sentence]:
    """The first of the lines; those beyond are counted."""
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield Sentence.of(f"… and {len(lines) - MOST} more {what}.")


def _is_blocked(item: OpenItem, at: datetime) -> bool:
    return item.subject == ROTATION and item.state is State.OPEN and at - item.at < BLOCKED_FOR


def _last(items: Sequence[OpenItem]) -> Iterator[Sentence]:
    """The last scans, of the account and of the registry, and the last count of access keys."""
    for each in items:
        if each.subject in {SCAN, FLEET}:
            yield Sentence.of("Last scan, {}: {}", each.at.isoformat(timespec="minutes"), each.what)
        elif each.subject == KEYS:
            yield Sentence.of("{}", each.what)


def _ending(items: Sequence[OpenItem], soon: datetime) -> list[OpenItem]:
    """Acknowledgements that end before ``soon``, the next first."""
    kept = [each for each in items if each.state is State.ACKNOWLEDGED and each.until <= soon.isoformat()]
    return sorted(kept, key=lambda each: each.until)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _by_severity(alerts: Sequence[PendingAlert] | Sequence[OpenItem]) -> str:
    counts = Counter(each.severity for each in alerts)
    return ", ".join(f"{counts[severity]} {severity.name}" for severity in sorted(counts, reverse=True))


def _kinds(pending: Sequence[PendingAlert]) -> list[tuple[str, int]]:
    return Counter(each.kind for each in pending).most_common()
