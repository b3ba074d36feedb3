"""An alert as a JSON document, for programs: what a webhook sends."""

from typing import Any

from alerting.domain.alert import Alert
from alerting.domain.foreign_text import clean, without_links
from alerting.domain.formats.mail import MAX_COMMANDS, MAX_FACTS, WITHHELD, runbook_of, safe_command

VERSION = "1"
"""A change that could break a receiver raises it."""


def document_of(alert: Alert, documentation: str = "") -> dict[str, Any]:
    """The document; texts of others are cleaned as in a mail, because receivers show them to people."""
    return {
        "version": VERSION,
        "id": clean(alert.event_id),
        "event": alert.kind,
        "capability": alert.capability,
        "severity": alert.severity.name,
        "resolved": alert.over,
        "expected": alert.expected,
        "time": alert.at.isoformat(timespec="seconds"),
        "account": alert.account,
        "region": alert.region,
        "title": alert.title.plain(),
        "paragraphs": [sentence.plain() for sentence in alert.body],
        "facts": [{"label": label, "text": without_links(clean(text))} for label, text in alert.facts[:MAX_FACTS]],
        "revert": [safe_command(command) or WITHHELD for command in alert.commands[:MAX_COMMANDS]],
        "approve": without_links(clean(alert.approve)),
        "thread": without_links(clean(alert.thread)),
        "runbook": runbook_of(alert, documentation),
    }
