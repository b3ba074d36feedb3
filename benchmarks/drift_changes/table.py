"""The table: one row for each step of a change, with what came of it and whether that was right."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from benchmarks.drift_changes.baseline import BaselineChange, Event
from benchmarks.drift_changes.change import Acknowledged, Change, Told
from benchmarks.drift_changes.ears import Heard
from benchmarks.drift_changes.players import DEPLOYER, NAMES
from benchmarks.drift_changes.readers import readers

DETECTED, RESOLVED, ACKNOWLEDGED = "PolicyDriftDetected", "PolicyDriftResolved", "PolicyDriftAcknowledged"
_EXAMPLES = ("For example", "Now possible", "Was possible")
"""What an alert calls the request that proves it."""
_MOST_LINES = 3
_HEADINGS = (
    "",
    "change",
    "reported",
    "added access in words",
    "request that proves it",
    "who",
    "bus",
    "topic",
    "reaches",
)


@dataclass(slots=True)
class Row:
    """One line. ``bus`` and ``topic`` are seconds from the return of the call to the last event, and to its alert."""

    change: str
    seen: list[str] = field(default_factory=list)
    added: str = ""
    proof: str = ""
    actor: str = ""
    bus: float | None = None
    topic: float | None = None
    reaches: frozenset[str] = frozenset()
    false_alarms: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Whether exactly the expected was reported."""
        wrong = [*(f"FALSE: {what}" for what in self.false_alarms), *(f"MISSED: {what}" for what in self.missed)]
        return "; ".join(wrong) or "ok"

    def take(self, event: Heard, called: float, *, expected: bool = False) -> None:
        """An event that is right: when it was heard, and whether the topic has it once, for the right readers."""
        self.bus = max(self.bus or 0, event.at - called)
        wanted, name = readers(event, expected=expected), _name(event)
        if wanted and not event.alerts:
            self.missed.append(f"{name} is not on the topic")
        if len(event.alerts) > 1:
            self.false_alarms.append(f"{name} is on the topic {len(event.alerts)} times")
        for alert in event.alerts:
            self.topic = max(self.topic or 0, alert.at - called)
            self.reaches |= alert.channels
            if alert.channels != wanted:
                self.false_alarms.append(f"{name} reaches {_list(alert.channels)}, not {_list(wanted)}")
            if alert.severity != event.data.get("severity", alert.severity):
                self.missed.append(f"the alert of {name} is {alert.severity}")
            if event.kind == DETECTED:
                possible = next(filter(None, map(alert.fact, _EXAMPLES)), "")
                self._read(event, possible, alert.text)

    def _read(self, event: Heard, possible: str, text: str) -> None:
        """What a reader learns from the alert is what the event says."""
        said = event.data["request_in_words"].replace("://", "[:]//")
        untold = [made["actor"] for made in event.data["changes"] if made["actor"] not in text]
        if possible != said:
            self.missed.append(f"the alert of {_name(event)} says {possible!r}, not {said!r}")
        self.missed += [f"the alert of {_name(event)} does not name {actor}" for actor in untold]


def row_of_step(change: Change, number: int, heard: list[Heard], called: float) -> Row:
    """The reports of a step of a change."""
    step = change.steps[number]
    row = Row(change.name if len(change.steps) == 1 else f"{change.name} ({number + 1} of {len(change.steps)})")
    mine = [one for one in heard if one.data.get("entity") in change.entities]
    told = [one for one in mine if one.kind == DETECTED]
    last = {one.data["finding_id"]: one for one in told}
    wanted = {one.finding: one for one in step.told}
    row.seen = [in_short(one.data) for one in last.values()]
    row.false_alarms = [
        in_short(one.data) for name, one in last.items() if name not in wanted or not _is(wanted[name], one.data)
    ]
    row.false_alarms += _repetitions(told)
    row.false_alarms += [f"{one.data['finding_id']} is over" for one in mine if one.kind == RESOLVED]
    row.missed = sorted(wanted.keys() - last.keys())
    for name, one in last.items():
        row.take(one, called, expected=name in wanted and wanted[name].expected)
        named = {made["actor"].split("/")[1] for made in one.data["changes"]}
        row.proof = row.proof or one.data["request_in_words"]
        row.added = row.added or _first(one.data["added"])
        row.actor = ", ".join(sorted(named)) or "nobody"
        actors = (name in wanted and wanted[name].by) or change.actors(number)
        if named != {NAMES[who] for who in actors}:
            row.missed.append(f"the actor is {row.actor}")
    answered = {one.data["finding_id"]: one for one in mine if one.kind == ACKNOWLEDGED}
    for asked in (one for one in step.calls if isinstance(one, Acknowledged)):
        if asked.finding in answered:
            alone = Row("")
            alone.take(answered[asked.finding], called)
            row.false_alarms += alone.false_alarms
            row.missed += alone.missed
        else:
            row.missed.append(f"{asked.finding} acknowledged")
    return row


def row_of_undoing(change: Change, heard: list[Heard], called: float) -> Row:
    """The reports when a change was reverted."""
    wanted = dict.fromkeys(change.reverted, "reverted") | dict.fromkeys(change.adopted, "adopted")
    mine = [one for one in heard if one.data.get("entity") in change.entities]
    over = {one.data["finding_id"]: one for one in mine if one.kind == RESOLVED}
    row = Row(f"reverted: {change.name}")
    row.seen = [f"{name} {one.data['how']}" for name, one in over.items()]
    row.missed = [f"{name} {how}" for name, how in wanted.items() if name not in over or over[name].data["how"] != how]
    row.false_alarms = [in_short(one.data) for one in mine if one.kind == DETECTED]
    row.false_alarms += [f"{name} is over" for name in over if name not in wanted]
    for name, one in over.items():
        row.take(one, called, expected=name in change.expected)
    return row


def row_of_baseline(change: BaselineChange, heard: list[Heard], called: float) -> Row:
    """The reports of a change of the baseline."""
    row = Row(f"baseline {change.name}")
    for kind, values in change.told:
        found = [one for one in heard if is_event(one, (kind, values))]
        if not found:
            row.missed.append(f"{kind} {dict(values)}")
        for one in found:
            row.take(one, called)
            row.proof = row.proof or one.data.get("request_in_words", "") or one.data.get("reason", "")
            row.actor = str(one.data.get("by", row.actor))
    loud = [one for one in heard if one.kind in {"BaselineChanged", "BaselineRefused", "DriftScanFailed", DETECTED}]
    row.seen = [_name(one) for one in loud]
    row.false_alarms += [_name(one) for one in loud if not any(is_event(one, wanted) for wanted in change.told)]
    return row


def is_event(heard: Heard, wanted: Event) -> bool:
    """Whether an event is one of this kind with these values."""
    kind, values = wanted
    return heard.kind == kind and values.items() <= heard.data.items()


def _first(lines: list[str]) -> str:
    more = [f"and {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return "; ".join([*lines[:_MOST_LINES], *more])


def in_short(data: dict[str, Any]) -> str:
    """A finding in three words."""
    return f"{data['finding_id']} {data['severity']} {data['verdict']}" + (" expected" if data["expected"] else "")


def markdown(rows: Iterable[Row]) -> str:
    """The table as Markdown."""
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '\\|') for cell in line)} |" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.verdict,
        row.change,
        "; ".join(row.seen) or "nothing",
        row.added,
        row.proof,
        row.actor.replace("drift-changes-", ""),
        "" if row.bus is None else f"{row.bus:.1f} s",
        "" if row.topic is None else f"{row.topic:.1f} s",
        _list(row.reaches) if row.reaches else ("" if row.bus is None else "digest"),
    )


def _repetitions(told: list[Heard]) -> list[str]:
    """Findings reported twice as the same: once is promised, and once more for an unexpected actor who was missing."""
    seen = [
        (
            one.data["finding_id"],
            one.data["fingerprint"],
            frozenset(made["actor"] for made in one.data["changes"] if DEPLOYER not in made["actor"].split("/")),
        )
        for one in told
    ]
    return [f"{one[0]} is reported again" for one in set(seen) if seen.count(one) > 1]


def _is(wanted: Told, data: dict[str, Any]) -> bool:
    seen = (data["severity"], data["verdict"], str(data["request"].get("action", "")))
    fits = all(map(fnmatchcase, seen, (wanted.severity, wanted.verdict, wanted.action)))
    return fits and data["expected"] is wanted.expected


def _name(event: Heard) -> str:
    if event.kind == DETECTED:
        return in_short(event.data)
    what = event.data.get("finding_id") or event.data.get("severity") or event.data.get("reason", "")
    return f"{event.kind} {what}".strip()


def _list(channels: Iterable[str]) -> str:
    return ", ".join(sorted(channels)) or "nobody"
