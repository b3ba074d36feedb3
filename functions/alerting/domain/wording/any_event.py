"""What all texts share, and the plain one for events that have none of their own."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent
from alerting.domain.foreign_text import Sentence, clean
from steward.severities import EventSeverities
from steward.severity import Severity

MAX_VALUES = 20

type Wording = Callable[[BusEvent, EventSeverities], Alert]
"""Makes the alert of an event."""


def alert(event: BusEvent, severity: str, title: Sentence, *body: Sentence, **more: Any) -> Alert:
    """An alert of the event, with the severity of this name."""
    return Alert(
        event.id,
        clean(event.detail_type),
        clean(event.capability),
        Severity.named(severity),
        event.at,
        event.account,
        event.region,
        title,
        body,
        **more,
    )


def given(*facts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The facts that are known."""
    return tuple((label, text) for label, text in facts if text)


def unconfirmed(alert: Alert, doubt: str) -> Alert:
    """The same alert, as what a message claims: it has no command to run, and resolves nothing."""
    title = Sentence("Not confirmed: " + alert.title.ours, alert.title.foreign)
    warning = Sentence.of(
        "A message says this, and the steward's own records do not confirm it: {}. It may be forged. Do not act on it "
        "before you have looked yourself.",
        doubt,
    )
    return replace(
        alert,
        severity=max(alert.severity, Severity.HIGH),
        title=title,
        body=(warning,),
        commands=(),
        approve="",
        over=False,
        expected=False,
        runbook="alert-not-confirmed",
    )


def plain_alert(event: BusEvent, severities: EventSeverities) -> Alert:
    """An event of a capability or a version without a text of its own: its name and its data."""
    facts = [(f"({number})", f"{key}: {value}") for number, (key, value) in enumerate(event.data.values.items(), 1)]
    return alert(
        event,
        event.data.text("severity") or severities.unknown_event,
        Sentence.of("Unrecognized event {} from {}", event.detail_type, event.capability),
        Sentence.of("Alerting has no text for this event; its data follows."),
        facts=tuple(facts[:MAX_VALUES]),
    )
