"""What alerting needs of the world; adapters and doubles are held to it by the same contract tests."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from alerting.domain.alert import PendingAlert
from alerting.domain.event import BusEvent
from alerting.domain.open_items import OpenItem
from alerting.domain.routing import RoutedAlert
from steward.errors import ConflictError, RuleViolationError


class DeliveryInProgressError(ConflictError):
    """Another run works on the same event at this moment; the queue delivers it again."""


class FindingRefusedError(RuleViolationError):
    """Security Hub refuses the finding; the same finding would be refused again."""


class WebhookRefusedError(RuleViolationError):
    """The webhook's receiver refuses the alert, or its address must not be called; the same again would be refused."""


class Reader(Protocol):
    """Where alerts are read: a topic, Security Hub, a webhook. A new one is an adapter and a line of ``bootstrap``.

    Attributes
    ----------
    step : str
        Its name in the memory of deliveries, unique among readers: what succeeded is not repeated.
    grouped : bool
        Whether it gets only the first alerts of a flood and then a summary, as people need it.
    """

    @property
    def step(self) -> str: ...  # noqa: D102 - see the class

    @property
    def grouped(self) -> bool: ...  # noqa: D102 - see the class

    def accepts(self, routed: RoutedAlert) -> bool:
        """Whether the alert is for this reader. Makes no call."""
        ...

    def send(self, routed: RoutedAlert) -> None:
        """Send it, at least once. Raises UpstreamError, FindingRefusedError, WebhookRefusedError."""
        ...


class Sources(Protocol):
    """What the capabilities store of what their events are about."""

    def doubt(self, event: BusEvent) -> str:
        """Why the event may be forged or outdated, in words; empty if its source confirms it or stores no such event.

        Raises
        ------
        UpstreamError
            The source cannot be read.
        """
        ...


class Deliveries(Protocol):
    """How far the delivery of each event has come, so that a second delivery repeats nothing."""

    def begin(self, event_id: str, now: datetime) -> frozenset[str]:
        """Own the event; the steps that are done. Raises DeliveryInProgressError while another run owns it."""
        ...

    def done(self, event_id: str, step: str) -> None:
        """Store that a step is done."""
        ...

    def end(self, event_id: str) -> None:
        """Release the event."""
        ...

    def goes_individually(self, window: str, event_id: str, limit: int, until: datetime) -> bool:
        """Whether the event is among the first ``limit`` of a window; the same answer for the same event."""
        ...


FLOOD, DIGEST = "flood", "digest"
"""The two summaries that alerts can be pending for."""


class PendingAlerts(Protocol):
    """Alerts that a later summary sends together."""

    def add(self, summary: str, alert: PendingAlert) -> None:
        """Add it; adding it twice is adding it once."""
        ...

    def pending(self, summary: str) -> Sequence[PendingAlert]:
        """Pending alerts, most severe first."""
        ...

    def remove(self, summary: str, alerts: Collection[PendingAlert]) -> None:
        """Remove those that were sent."""
        ...


class OpenItems(Protocol):
    """The state of what lasts."""

    def find(self, identity: str) -> OpenItem | None:
        """Its stored state."""
        ...

    def keep(self, item: OpenItem) -> None:
        """Store it, unless a newer state is stored already."""
        ...

    def all(self) -> Sequence[OpenItem]:
        """All of them; those that ended are kept for a while."""
        ...
