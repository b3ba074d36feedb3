"""What alerting needs of the world; adapters and doubles are held to it by the same contract tests."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from alerting.domain.alert import Alert, Message, PendingAlert
from alerting.domain.open_items import Concern
from steward.errors import ConflictError, RuleViolationError


class DeliveryInProgressError(ConflictError):
    """Another run works on the same event at this moment; the queue brings it again."""


class FindingRefusedError(RuleViolationError):
    """Security Hub does not take the finding; the same again would be refused again."""


class Topic(Protocol):
    """Where people subscribe."""

    def publish(self, message: Message) -> None:
        """Send it. Raises UpstreamError."""
        ...


class FindingsHub(Protocol):
    """Where an organization looks at findings of all kinds."""

    def tell(self, alert: Alert, concern: Concern) -> None:
        """Open, update or archive the finding. Raises FindingRefusedError, UpstreamError."""
        ...


class Deliveries(Protocol):
    """How far the delivery of each event has come, so that a second delivery repeats nothing."""

    def begin(self, event_id: str, now: datetime) -> frozenset[str]:
        """The steps that are done. Raises DeliveryInProgressError while another run is at it."""
        ...

    def done(self, event_id: str, step: str) -> None:
        """Remember a step."""
        ...

    def end(self, event_id: str) -> None:
        """Let go of the event: no run is at it."""
        ...

    def goes_individually(self, window: str, event_id: str, limit: int, until: datetime) -> bool:
        """Whether the event is among the first ``limit`` of a window; the same answer for the same event."""
        ...


FLOOD, DIGEST = "flood", "digest"
"""The waiting rooms."""


class WaitingRooms(Protocol):
    """Alerts that wait to be sent together, by the name of their room."""

    def wait(self, room: str, alert: PendingAlert) -> None:
        """Let it wait; twice is once."""
        ...

    def waiting(self, room: str) -> Sequence[PendingAlert]:
        """All who wait, the worst first."""
        ...

    def leave(self, room: str, alerts: Collection[PendingAlert]) -> None:
        """These were told."""
        ...


class Concerns(Protocol):
    """What lasts."""

    def find(self, identity: str) -> Concern | None:
        """What is remembered of it."""
        ...

    def keep(self, concern: Concern) -> None:
        """Remember it, unless something newer is remembered already."""
        ...

    def all(self) -> Sequence[Concern]:
        """Everything, ended things included for a while."""
        ...
