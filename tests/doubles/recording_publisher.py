"""A bus that keeps what it is told."""

from collections.abc import Sequence

from steward.events import PublishableEvent


class RecordingPublisher:
    """Takes every event, and shows them in the order in which they came."""

    def __init__(self) -> None:
        self.published: list[PublishableEvent] = []
        self.correlation_ids: list[str] = []

    def publish(self, events: Sequence[PublishableEvent], *, correlation_id: str) -> None:
        self.published += events
        self.correlation_ids += [correlation_id] * len(events)

    def of(self, kind: type) -> list[PublishableEvent]:
        return [event for event in self.published if type(event) is kind]
