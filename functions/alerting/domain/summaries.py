"""Many alerts in one message: what waited in a flood, and the weekly digest. The most severe always come first."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.domain.alert import Alert, PendingAlert
from alerting.domain.foreign_text import Sentence
from alerting.domain.open_items import BLOCKED_FOR, FINDING, ROTATION, SCAN, Concern, State
from alerting.domain.routing import Digest
from steward.severity import Severity

FLOOD_KIND, DIGEST_KIND = "AlertFlood", "WeeklyDigest"
OLDEST, SOON = 5, 20


@dataclass(frozen=True, slots=True)
class Here:
    """When and where a message is made."""

    at: datetime
    account: str
    region: str


def flood_alert(waiting: Sequence[PendingAlert], *, listed_titles: int, event_id: str, here: Here) -> Alert:
    """One alert for all who wait, as severe as the worst of them."""
    worst_first = sorted(waiting, key=lambda each: (-each.severity, each.kind, each.event_id))
    left_out = len(worst_first) - listed_titles
    return Alert(
        event_id,
        FLOOD_KIND,
        "alerting",
        worst_first[0].severity,
        here.at,
        here.account,
        here.region,
        Sentence.of(f"{len(waiting)} more alerts: {_by_severity(waiting)}"),
        (
            Sentence.of("Grouped because of volume; the first alerts of each kind were sent individually."),
            *(Sentence.of(f"{count} {{}}", kind) for kind, count in _kinds(waiting)),
            *(Sentence.of(f"{each.severity.name}: {{}}", each.title) for each in worst_first[:listed_titles]),
            *((Sentence.of(f"… and {left_out} more, none of them more severe."),) if left_out > 0 else ()),
        ),
        runbook="too-many-alerts",
    )


def digest_alert(
    concerns: Sequence[Concern], waiting: Sequence[PendingAlert], settings: Digest, *, event_id: str, here: Here
) -> Alert:
    """What is open, what ends soon, what is blocked, and what was not worth an alert of its own."""
    findings = [each for each in concerns if each.subject == FINDING and each.state is State.OPEN]
    worst = max((each.severity for each in findings), default=Severity.INFO)
    return Alert(
        event_id,
        DIGEST_KIND,
        "alerting",
        worst,
        here.at,
        here.account,
        here.region,
        Sentence.of(f"Weekly digest: {_counted(len(findings), 'open finding')}"),
        tuple(_paragraphs(concerns, findings, waiting, settings, here.at)),
        runbook="alert-came" if findings else "",
    )


def _paragraphs(
    concerns: Sequence[Concern],
    findings: list[Concern],
    waiting: Sequence[PendingAlert],
    settings: Digest,
    at: datetime,
) -> Iterator[Sentence]:
    yield Sentence.of(f"Open: {_by_severity(findings)}." if findings else "No findings are open.")
    for each in sorted(findings, key=lambda c: (-c.severity, c.since))[:OLDEST]:
        yield Sentence.of(f"{each.severity.name}, open since {{}}: {{}}", each.since, each.what)
    oldest = min(findings, key=lambda c: c.since, default=None)
    if oldest:
        yield Sentence.of("Oldest, open since {}: {}", oldest.since, oldest.what)
    for each in _ending(concerns, at + timedelta(days=settings.expires_within_days))[:SOON]:
        yield Sentence.of("Acknowledged until {}: {}", each.until, each.what)
    for each in concerns:
        if each.subject == ROTATION and each.state is State.OPEN and at - each.at < BLOCKED_FOR:
            yield Sentence.of("Blocked since {}: {}", each.since, each.what)
    for each in concerns:
        if each.subject == SCAN:
            yield Sentence.of("Last scan, {}: {}", each.at.isoformat(timespec="minutes"), each.what)
    for kind, count in _kinds(waiting):
        yield Sentence.of(f"{count} {{}} this week", kind)
    yield Sentence.of("Counted from the events that reached alerting; the report of the last scan is authoritative.")


def _ending(concerns: Sequence[Concern], soon: datetime) -> list[Concern]:
    """Acknowledgements that end before ``soon``, the next first."""
    kept = [each for each in concerns if each.state is State.ACKNOWLEDGED and each.until <= soon.isoformat()]
    return sorted(kept, key=lambda each: each.until)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _by_severity(alerts: Sequence[PendingAlert] | Sequence[Concern]) -> str:
    counts = Counter(each.severity for each in alerts)
    return ", ".join(f"{counts[severity]} {severity.name}" for severity in sorted(counts, reverse=True))


def _kinds(waiting: Sequence[PendingAlert]) -> list[tuple[str, int]]:
    return Counter(each.kind for each in waiting).most_common()
