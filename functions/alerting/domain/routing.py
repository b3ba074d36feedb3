"""The settings: which events go to which channels, and how many alerts make a flood."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, Self

from alerting.domain.alert import PEOPLE, Alert, Channel
from alerting.domain.open_items import OpenItem
from steward.severity import Severity, SeverityName

SETTINGS_FILE = "alerting.yaml"
"""The shipped file, and that of an operator that is merged over it."""
_EVENT = re.compile(r"[A-Za-z0-9*]+")


class EventPattern(str):
    """Which events a route speaks of: a detail-type, in which ``*`` stands for any characters.

    Raises
    ------
    ValueError
        The text is no such pattern; the message says how to write one.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        if not _EVENT.fullmatch(text):
            raise ValueError(f"{text!r} is no event: write a detail-type, such as PolicyDriftDetected or PolicyDrift*")
        return super().__new__(cls, text)

    def matches(self, detail_type: str) -> bool:
        """Whether it speaks of this detail-type."""
        return fnmatchcase(detail_type, self)


@dataclass(frozen=True, slots=True)
class Route:
    """Where the alerts go that match all of its conditions; a condition that is left out matches all.

    ``at_least`` is a severity; ``expected`` asks whether the settings of the capability expect the actor.
    ``channels`` may be empty: then nobody is alerted.
    """

    channels: tuple[Channel, ...]
    capability: str = "*"
    events: tuple[EventPattern, ...] = field(default_factory=lambda: (EventPattern("*"),))
    at_least: SeverityName = "INFO"
    expected: bool | None = None

    def __post_init__(self) -> None:
        if not self.events:
            raise ValueError("events names none, so that this route can never match; leave it out for all")
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("a channel appears twice")

    def matches(self, alert: Alert) -> bool:
        """Whether the alert goes this way."""
        return (
            fnmatchcase(alert.capability, self.capability)
            and any(pattern.matches(alert.kind) for pattern in self.events)
            and alert.severity >= Severity[self.at_least]
            and self.expected in {None, alert.expected}
        )


@dataclass(frozen=True, slots=True)
class Flood:
    """How many alerts of one kind and severity are sent individually in a window; the others go out in one message.

    That message lists the titles of ``listed_titles`` alerts, the most severe first.
    """

    window_minutes: int = 10
    individual_limit: int = 5
    individual_limit_if_critical: int = 20
    listed_titles: int = 40

    def __post_init__(self) -> None:
        if not 1 <= self.window_minutes <= 24 * 60:
            raise ValueError("window_minutes is 1 to 1440")
        limits = self.individual_limit, self.individual_limit_if_critical
        if min(limits) < 1 or self.individual_limit_if_critical > MOST_INDIVIDUAL:
            raise ValueError(f"individual_limit and individual_limit_if_critical are 1 to {MOST_INDIVIDUAL}")
        if not 1 <= self.listed_titles <= MOST_LISTED_TITLES:
            raise ValueError(f"listed_titles is 1 to {MOST_LISTED_TITLES}: SNS takes no longer message")
        if self.individual_limit_if_critical < self.individual_limit:
            raise ValueError("individual_limit_if_critical is less than individual_limit: the worst would wait first")

    def limit(self, severity: Severity) -> int:
        """How many of this severity are sent individually."""
        return self.individual_limit_if_critical if severity is Severity.CRITICAL else self.individual_limit


MOST_INDIVIDUAL = 500
MOST_LISTED_TITLES = 80
"""Their titles, each of 500 characters of four bytes, fit into the 256 KiB of a message.

Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""


@dataclass(frozen=True, slots=True)
class Digest:
    """The weekly digest: where it goes, and how soon an end counts as soon."""

    channels: tuple[Literal["mail", "chat"], ...] = ("mail",)
    expires_within_days: int = 14


@dataclass(frozen=True, slots=True)
class RoutedAlert:
    """An alert with its channels; ``item`` is the open item that it is about, None where nothing lasts."""

    alert: Alert
    channels: frozenset[Channel]
    item: OpenItem | None = None


@dataclass(frozen=True, slots=True)
class AlertingSettings:
    """All of ``alerting.yaml``. The first matching route wins."""

    routes: tuple[Route, ...]
    flood: Flood = field(default_factory=Flood)
    digest: Digest = field(default_factory=Digest)
    documentation: str = ""

    def channels(self, alert: Alert) -> frozenset[Channel]:
        """Where the alert goes; without a matching route to people and the webhook, so that nothing is lost."""
        for route in self.routes:
            if route.matches(alert):
                return frozenset(route.channels)
        return PEOPLE | {Channel.WEBHOOK}

    def warnings(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Routes that can never match, each with its place in the file and why."""
        for index, route in enumerate(self.routes):
            if any(_covers(before, route) for before in self.routes[:index]):
                yield ("routes", index), "never matches: a route before it takes all of its alerts"


def _covers(before: Route, after: Route) -> bool:
    """Whether ``before`` takes every alert that ``after`` could."""
    return (
        before.capability in {"*", after.capability}
        and all(any(wide in {"*", narrow} for wide in before.events) for narrow in after.events)
        and Severity[before.at_least] <= Severity[after.at_least]
        and before.expected in {None, after.expected}
    )
