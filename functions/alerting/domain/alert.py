"""One alert, before a format is chosen, and where it can go."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from alerting.domain.foreign_text import Sentence
from steward.severity import Severity


class Channel(StrEnum):
    """Where an alert can go."""

    MAIL = "mail"
    CHAT = "chat"
    SECURITY_HUB = "security_hub"
    WEBHOOK = "webhook"
    DIGEST = "digest"


PEOPLE = frozenset({Channel.MAIL, Channel.CHAT})
"""Channels that people read: a flood is grouped for them."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to report.

    Attributes
    ----------
    event_id, kind, capability : str
        Of the event: its id on the bus, its detail-type, who published it.
    severity : Severity
        How bad.
    title : Sentence
        What happened, in one line.
    body : tuple of Sentence
        What it means, one paragraph each.
    facts : tuple of (str, str)
        Labels of ours, each with a text of others.
    commands : tuple of str
        What to run to revert it.
    approve : str
        How to accept it instead; empty where there is nothing to accept.
    thread : str
        What it belongs to: alerts with the same thread stand together in chat.
    runbook : str
        File name in ``docs/runbooks``, without its ending; empty for none.
    over : bool
        It reports that something is resolved.
    expected : bool
        The settings of the capability expect the actor.
    """

    event_id: str
    kind: str
    capability: str
    severity: Severity
    at: datetime
    account: str
    region: str
    title: Sentence
    body: tuple[Sentence, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()
    approve: str = ""
    thread: str = ""
    runbook: str = ""
    over: bool = False
    expected: bool = False

    @property
    def headline(self) -> str:
        """Severity and title, in plain text; RESOLVED in place of the severity where it is resolved."""
        return f"{'RESOLVED' if self.over else self.severity.name}: {self.title.plain()}"


@dataclass(frozen=True, slots=True)
class PendingAlert:
    """An alert of a flood or of the digest, which a later summary counts and lists."""

    event_id: str
    kind: str
    severity: Severity
    title: str
    channels: frozenset[Channel]
