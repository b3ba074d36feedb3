"""Send the alert of one event."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from alerting.application.ports import DIGEST, FLOOD, Deliveries, OpenItems, PendingAlerts, Reader, Sources
from alerting.domain.alert import PEOPLE, Channel, PendingAlert
from alerting.domain.event import BusEvent
from alerting.domain.open_items import item_id, item_of
from alerting.domain.routing import AlertingSettings, RoutedAlert
from alerting.domain.wording import alert_of
from alerting.domain.wording.any_event import unconfirmed
from steward.clock import Clock
from steward.severities import EventSeverities

DEFERRED, NOTED = "deferred", "noted"
"""What became of an alert that no reader got by itself: it is pending for a flood's summary, or for the digest."""


@dataclass(frozen=True, slots=True)
class AlertSender:
    """Sends the alert of each event to every reader that accepts it."""

    settings: AlertingSettings
    severities: EventSeverities
    sources: Sources
    readers: Sequence[Reader]
    deliveries: Deliveries
    pending: PendingAlerts
    open_items: OpenItems
    clock: Clock

    def send(self, event: BusEvent) -> frozenset[str]:
        """Take every step that the event needs and that no earlier delivery of it took; the steps taken.

        A reader that fails does not keep the others from the alert.

        Raises
        ------
        DeliveryInProgressError
            Another run works on the event.
        StewardError
            A step failed; the next delivery of the event repeats that step and no other.
        """
        routed = self._routed(event)
        if not routed.channels:
            return frozenset()
        before = self.deliveries.begin(event.id, self.clock.now())
        taken, failures = set[str](), list[Exception]()
        try:
            for step, take in self._steps(routed):
                if step in before:
                    continue
                try:
                    taken.add(take())
                    self.deliveries.done(event.id, step)
                except Exception as error:  # noqa: BLE001 - raised below, after the other readers
                    failures.append(error)
        finally:
            self.deliveries.end(event.id)
        if failures:
            first, *others = failures
            for other in others:
                first.add_note(f"another reader failed, too: {other}")
            raise first
        return frozenset(taken)

    def _routed(self, event: BusEvent) -> RoutedAlert:
        """The alert with its channels. An event that its source does not confirm changes no open item."""
        alert = alert_of(event, self.severities)
        if doubt := self.sources.doubt(event):
            alert = unconfirmed(alert, doubt)
            return RoutedAlert(alert, self.settings.channels(alert))
        identity = item_id(event)
        before = self.open_items.find(identity) if identity else None
        item = item_of(event, alert, before)
        if item:
            self.open_items.keep(item)
            alert = replace(alert, expected=item.expected)  # a resolution takes the route of what it resolves
        return RoutedAlert(alert, self.settings.channels(alert), item)

    def _steps(self, routed: RoutedAlert) -> Iterator[tuple[str, Callable[[], str]]]:
        """Each step by the name that is stored of it, with what takes it and returns what became of the alert."""
        for reader in self.readers:
            if reader.accepts(routed):
                yield reader.step, partial(self._send_or_defer if reader.grouped else _send, reader, routed)
        if Channel.DIGEST in routed.channels:
            yield NOTED, partial(self._add, DIGEST, routed, routed.channels, NOTED)

    def _send_or_defer(self, reader: Reader, routed: RoutedAlert) -> str:
        """Send the first alerts of a window; the others are pending for the flood's summary."""
        alert, flood, now = routed.alert, self.settings.flood, self.clock.now()
        window = timedelta(minutes=flood.window_minutes)
        opened = int(now.timestamp() // window.total_seconds())
        name = f"{alert.kind}#{alert.severity.name}#{flood.window_minutes}#{opened}"
        if self.deliveries.goes_individually(name, alert.event_id, flood.limit(alert.severity), now + 2 * window):
            return _send(reader, routed)
        return self._add(FLOOD, routed, routed.channels & PEOPLE, DEFERRED)

    def _add(self, summary: str, routed: RoutedAlert, channels: frozenset[Channel], outcome: str) -> str:
        alert = routed.alert
        title = alert.headline if alert.over else alert.headline.partition(": ")[2]
        self.pending.add(summary, PendingAlert(alert.event_id, alert.kind, alert.severity, title, channels))
        return outcome


def _send(reader: Reader, routed: RoutedAlert) -> str:
    reader.send(routed)
    return reader.step
