"""An alert as a mail: plain text that reads on a telephone, and a subject that no header hides in."""

from collections.abc import Iterator

from alerting.domain.alert import Alert
from alerting.domain.foreign_text import clean, is_clean, is_iam_command, subject, without_links

MAX_COMMANDS, MAX_COMMAND = 20, 2_000
MAX_FACTS = 25
WITHHELD = "(withheld: too long, with invisible characters, or no command of IAM; see the report or the API)"


def subject_of(alert: Alert) -> str:
    """Severity, title and account."""
    return subject(f"[{alert.account}] {alert.headline}")


def body_of(alert: Alert, documentation: str = "") -> str:
    """The whole mail. ``documentation`` is where ``docs/`` can be read; empty for the runbook's name alone."""
    return "\n".join(_lines(alert, documentation)) + "\n"


def safe_command(command: str) -> str | None:
    """The command, if what is read is what would be pasted, and that changes IAM and does nothing else; else None."""
    return command if is_clean(command) and len(command) <= MAX_COMMAND and is_iam_command(command) else None


def runbook_of(alert: Alert, documentation: str) -> str:
    """Where to read on: a link, or the runbook's name where no documentation can be linked; empty for none."""
    if not alert.runbook:
        return ""
    return f"{documentation}/runbooks/{alert.runbook}.md" if documentation else f"runbook {alert.runbook}"


def _lines(alert: Alert, documentation: str) -> Iterator[str]:
    yield alert.headline
    for sentence in alert.body:
        yield ""
        yield sentence.plain()
    if alert.facts:
        yield ""
    for label, text in alert.facts[:MAX_FACTS]:
        yield f"{label}: {without_links(clean(text))}"
    if len(alert.facts) > MAX_FACTS:
        yield f"… and {len(alert.facts) - MAX_FACTS} more"
    if alert.commands:
        yield from ("", "To revert:")
        yield from (f"    {safe_command(command) or WITHHELD}" for command in alert.commands[:MAX_COMMANDS])
        if len(alert.commands) > MAX_COMMANDS:
            yield f"    … and {len(alert.commands) - MAX_COMMANDS} more: the report has all of them"
    if alert.approve:
        yield from ("", f"To approve it instead: {without_links(clean(alert.approve))}")
    if runbook := runbook_of(alert, documentation):
        yield from ("", f"What to do: {runbook}")
    yield ""
    yield f"{alert.kind} at {alert.at.isoformat(timespec='seconds')}, account {alert.account}, {alert.region}"
    yield f"event {clean(alert.event_id)}" + (f", thread {without_links(clean(alert.thread))}" if alert.thread else "")
