"""An alert as a custom notification of Amazon Q Developer in chat applications.

Source: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
"""

from collections.abc import Iterator
from typing import Any

from alerting.domain.alert import Alert
from alerting.domain.foreign_text import clean, code_span
from alerting.domain.formats.mail import runbook_of, safe_command
from steward.severity import Severity

MAX_DESCRIPTION = 3_000
"""Characters; what a chat message shows without a fold is far less, and the mail and the report have all of it."""
MAX_STEPS = 6
MAX_THREAD = 250
MAX_IN_CHAT = 200
_SIGNS = {
    Severity.CRITICAL: ":rotating_light:",
    Severity.HIGH: ":red_circle:",
    Severity.MEDIUM: ":large_orange_circle:",
    Severity.LOW: ":large_yellow_circle:",
    Severity.INFO: ":information_source:",
}


def notification(alert: Alert, documentation: str = "") -> dict[str, Any]:
    """What the topic carries to Amazon Q: schema version 1.0, markdown of the chat that shows it.

    The thread is the finding's id, so that the resolution stands below what it resolves.
    """
    sign, word = (":white_check_mark:", "RESOLVED") if alert.over else (_SIGNS[alert.severity], alert.severity.name)
    thread = alert.thread or alert.event_id
    return {
        "version": "1.0",
        "source": "custom",
        "id": clean(alert.event_id),
        "content": {
            "textType": "client-markdown",
            "title": f"{sign} {word}: {alert.title.chat()}",
            "description": _description(alert),
            "nextSteps": list(_steps(alert, documentation))[:MAX_STEPS],
            "keywords": [alert.severity.name, alert.capability, alert.kind],
        },
        "metadata": {
            "threadId": clean(thread, MAX_THREAD),
            "summary": f"{word}: {alert.title.chat()}",
            "eventType": alert.kind,
            "additionalContext": {"account": alert.account, "region": alert.region, "severity": alert.severity.name},
        },
    }


def _description(alert: Alert) -> str:
    """Paragraphs and facts, as many as fit; a line is written whole or not at all, so that no code is left open."""
    lines = [sentence.chat() for sentence in alert.body]
    lines += [f"*{label}:* {code_span(text, MAX_IN_CHAT)}" for label, text in alert.facts]
    lines.append(f"account {alert.account}, {alert.region}, {alert.at.isoformat(timespec='seconds')}")
    taken: list[str] = []
    length = 0
    for line in lines:
        length += len(line) + 1
        if length > MAX_DESCRIPTION:
            return "\n".join([*taken, "… the mail has the rest"])
        taken.append(line)
    return "\n".join(taken)


def _steps(alert: Alert, documentation: str) -> Iterator[str]:
    if runbook := runbook_of(alert, documentation):
        yield f"What to do: {runbook}"
    if alert.approve:
        yield f"To approve it instead: {code_span(alert.approve)}"
    for command in alert.commands:
        if safe_command(command) and "`" not in command and len(command) <= MAX_DESCRIPTION // MAX_STEPS:
            yield f"To revert: {code_span(command)}"
        else:
            yield "To revert: the mail and the report have the command"
