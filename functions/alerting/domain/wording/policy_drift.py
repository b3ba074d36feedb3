"""Policy drift, in words: what became possible that was not, for which principal, who did it, and how to revert it."""

from collections.abc import Mapping, Sequence

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent, Data
from alerting.domain.foreign_text import Sentence
from alerting.domain.wording.any_event import Wording, alert, given
from steward.severities import EventSeverities

RUNBOOK = "alert-came"
MAX_REASONS, MAX_CHANGES, MAX_APPROVED, MAX_LINES = 8, 10, 15, 10
BASELINE_THREAD = "baseline"
_WHY = {
    "opened": "Policy drift of {}",
    "worse": "Policy drift of {} got worse",
    "changed": "Policy drift of {} changed since it was last reported",
    "reopened": "Policy drift of {} is back",
    "unexpected": "Policy drift of {}: an unexpected actor is involved",
}
_BASELINE = {
    "captured": "The baseline was captured from the account as it is",
    "uploaded": "{} uploaded a new baseline",
    "adopted": "{} adopted findings into the baseline",
}
_STAYS = "The last good version stays in force."
_LOST = "The last good version is lost: nothing is compared until a good one is uploaded."
_PAST = {
    "reverted": Sentence.of("The live state matches the baseline again."),
    "adopted": Sentence.of("The baseline now approves it."),
    "renamed": Sentence.of("It has another name now: what differs is reported under that."),
    "merged": Sentence.of("It is reported once now, for the policy that several have."),
    "out_of_scope": Sentence.of("The settings exclude it now. Whether it still differs is not known."),
}


def _detected(event: BusEvent, _: EventSeverities) -> Alert:
    data = event.data
    is_over = data.text("kind") == "TRANSIENT"
    return alert(
        event,
        data.text("severity"),
        Sentence.of(_WHY.get(data.text("why"), _WHY["opened"]), data.text("entity")),
        Sentence.of("{}", data.text("summary")),
        *((Sentence.of("The actor is listed in expected_actors."),) if data.holds("expected") else ()),
        facts=given(
            *_listed("Had for a while" if is_over else "Added", data.texts("added")),
            *_listed("Lacked for a while" if is_over else "Removed", data.texts("removed")),
            (_example(data, is_over=is_over), data.text("request_in_words")),
            *(("Reason", reason) for reason in data.texts("reasons")[:MAX_REASONS]),
            *_who(data),
            ("Approving it accepts", _accepted(data)),
            ("Kind", f"{data.text('kind')}, {data.text('verdict')}"),
            ("Finding", data.text("finding_id")),
            ("Fingerprint", data.text("fingerprint")),
            ("First seen", data.text("first_seen")),
        ),
        commands=tuple(data.texts("revert")),
        approve=data.text("approve"),
        thread=data.text("finding_id"),
        runbook=RUNBOOK,
        expected=data.holds("expected"),
    )


def _example(data: Data, *, is_over: bool) -> str:
    if data.texts("added"):
        return "For example"
    return "Was possible" if is_over else "Now possible"


def _listed(name: str, lines: Sequence[str]) -> list[tuple[str, str]]:
    """The first lines of a summary; those beyond are counted, and stand in the report."""
    more = len(lines) - MAX_LINES
    counted = [(name, f"and {more} more lines in the report")] if more > 0 else []
    return [*((name, line) for line in lines[:MAX_LINES]), *counted]


def _accepted(data: Data) -> str:
    """What an approval takes into the baseline, counted; empty where the event does not list it."""
    added, removed = data.texts("added"), data.texts("removed")
    if not (added or removed) or not data.text("approve"):
        return ""
    return f"all of the access that is listed: {_counted(added)} added, {_counted(removed)} removed"


def _counted(lines: Sequence[str]) -> str:
    """How many lines there are; what the last one counts instead of listing it is said beside."""
    beyond = [line.removeprefix("and ") for line in lines if line.startswith("and ")]
    number = len(lines) - len(beyond)
    return ", ".join((f"{number} {'line' if number == 1 else 'lines'}", *beyond))


def _who(data: Data) -> list[tuple[str, str]]:
    """The first changes of the event with their actors, and the actors of the others; or that no event arrived."""
    changes = data.inners("changes")
    if not changes:
        return [("Who", "unknown: no CloudTrail event was received")]
    who = []
    for change in changes[:MAX_CHANGES]:
        source = f" from {change.text('source_ip')}" if change.text("source_ip") else ""
        part = f" ({change.text('part')})" if change.text("part") else ""
        did = f"{change.text('event_name')}{part} at {change.text('at')} (event {change.text('event_id')})"
        who.append(("Who", f"{change.text('actor')}{source}, {did}"))
    beyond = changes[MAX_CHANGES:]
    if beyond:
        actors = dict.fromkeys(change.text("actor") for change in beyond)
        shown = {change.text("actor") for change in changes[:MAX_CHANGES]}
        others = ", ".join(actor for actor in actors if actor not in shown)
        who.append(("Who", f"and {len(beyond)} more changes in the report{', by ' * bool(others)}{others}"))
    return who


def _resolved(event: BusEvent, _: EventSeverities) -> Alert:
    data = event.data
    how = data.text("how")
    return alert(
        event,
        data.text("severity"),
        Sentence.of("Policy drift of {}", data.text("entity")),
        _PAST.get(how, Sentence.of("How: {}.", how)),
        facts=given(
            ("Summary", data.text("summary")),
            ("Finding", data.text("finding_id")),
            ("First seen", data.text("first_seen")),
            ("Resolved", data.text("resolved_at")),
        ),
        thread=data.text("finding_id"),
        over=True,
    )


def _acknowledged(event: BusEvent, _: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        data.text("severity"),
        Sentence.of("{} acknowledged the policy drift of {}", data.text("by"), data.text("entity")),
        Sentence.of("It stays open, and is reported again if the access grows or the acknowledgement expires."),
        facts=given(
            ("Until", data.text("expires")),
            ("Owner", data.text("owner")),
            ("Reason", data.text("reason")),
            ("Finding", data.text("finding_id")),
        ),
        thread=data.text("finding_id"),
        runbook=RUNBOOK,
    )


def _scanned(event: BusEvent, severities: EventSeverities) -> Alert:
    data, severity = event.data, severities.DriftScanCompleted
    unreadable = data.texts("unreadable")
    counts = data.inner("open_findings").values
    title = "A scan could not read {} entities" if unreadable else "A scan found {} open findings"
    number = len(unreadable) or sum(n for n in counts.values() if isinstance(n, int))
    body = Sentence.of("Findings of what could not be read were neither opened nor resolved.")
    return alert(
        event,
        severity.unreadable if unreadable else severity.otherwise,
        Sentence.of(title, str(number)),
        *((body,) if unreadable else ()),
        facts=given(
            ("Open", ", ".join(f"{count} {name}" for name, count in counts.items())),
            ("Unreadable", ", ".join(unreadable)),
            ("Baseline", data.text("baseline_version")),
            ("Report", data.text("report")),
        ),
        runbook=RUNBOOK if unreadable else "",
    )


def _scan_failed(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    return alert(
        event,
        severities.DriftScanFailed,
        Sentence.of("A drift scan failed"),
        Sentence.of("What changed since the last good scan may be unknown. Findings that it recorded stand."),
        facts=given(
            ("Reason", data.text("reason")), ("AWS error code", data.text("code")), ("Scan", data.text("scan_id"))
        ),
        runbook=RUNBOOK,
    )


def _baseline_changed(event: BusEvent, _: EventSeverities) -> Alert:
    data = event.data
    ours = _BASELINE.get(data.text("how"), "{} changed the baseline")
    approved = data.texts("newly_approved")
    return alert(
        event,
        data.text("severity"),
        Sentence.of(ours, *([data.text("by")] if "{}" in ours else [])),
        Sentence.of("{}", data.text("summary")),
        facts=given(
            *(("Newly approved", each) for each in approved[:MAX_APPROVED]),
            ("Newly approved", f"and {len(approved) - MAX_APPROVED} more" if len(approved) > MAX_APPROVED else ""),
            *_listed("Approved access", data.texts("approved_access")),
            ("Adopted findings", ", ".join(data.texts("findings"))),
            ("By", data.text("by")),
            ("Version", data.text("version")),
            ("Previous version", data.text("previous_version")),
        ),
        thread=BASELINE_THREAD,
        runbook=RUNBOOK,
    )


def _baseline_refused(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    line = data.text("line")
    return alert(
        event,
        severities.BaselineRefused,
        Sentence.of("A baseline uploaded by {} was refused", data.text("by")),
        Sentence.of(_STAYS if data.text("version_in_force") else _LOST),
        facts=given(
            ("Reason", data.text("reason")),
            ("Line", line if line != "0" else ""),
            ("Version", data.text("version")),
            ("In force", data.text("version_in_force")),
        ),
        thread=BASELINE_THREAD,
        runbook=RUNBOOK,
    )


def _report_refused(event: BusEvent, severities: EventSeverities) -> Alert:
    data = event.data
    title = "Somebody replaced a drift report" if data.text("found") else "A drift report is not there any more"
    return alert(
        event,
        severities.DriftReportRefused,
        Sentence.of(title),
        Sentence.of("It is not linked. Follow no command of a report that you opened otherwise; request a scan."),
        facts=given(
            ("Report", data.text("report")),
            ("Version", data.text("version")),
            ("SHA-256 that the scan recorded", data.text("expected")),
            ("SHA-256 found", data.text("found")),
            ("Asked for by", data.text("by")),
        ),
        runbook=RUNBOOK,
    )


TEXTS: Mapping[str, Wording] = {
    "PolicyDriftDetected": _detected,
    "PolicyDriftResolved": _resolved,
    "PolicyDriftAcknowledged": _acknowledged,
    "DriftScanCompleted": _scanned,
    "DriftScanFailed": _scan_failed,
    "BaselineChanged": _baseline_changed,
    "BaselineRefused": _baseline_refused,
    "DriftReportRefused": _report_refused,
}
