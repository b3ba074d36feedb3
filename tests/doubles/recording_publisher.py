"""A bus that keeps what it is told."""

from collections.abc import Callable, Sequence

from steward.events import NotPublishedError, PublishableEvent


class RecordingPublisher:
    """Takes every event but those that it ``refuses``, and shows them in the order in which they came."""

    def __init__(self, refuses: Callable[[PublishableEvent], bool] = lambda _: False) -> None:
        self.refuses = refuses
        self.published: list[PublishableEvent] = []
        self.correlation_ids: list[str] = []

    def publish(self, events: Sequence[PublishableEvent], *, correlation_id: str) -> None:
        missing = frozenset(place for place, event in enumerate(events) if self.refuses(event))
        taken = [event for place, event in enumerate(events) if place not in missing]
        self.published += taken
        self.correlation_ids += [correlation_id] * len(taken)
        if missing:
            raise NotPublishedError(f"the bus refused {len(missing)} events", code="InternalFailure", missing=missing)

    def of[Event](self, kind: type[Event]) -> list[Event]:
        return [event for event in self.published if isinstance(event, kind)]
