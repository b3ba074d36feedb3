"""Report one event of the bus."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from alerting.application.ports import DIGEST, FLOOD, Concerns, Deliveries, FindingsHub, Topic, WaitingRooms
from alerting.application.publishing import message_of
from alerting.domain.alert import Alert, Channel, PendingAlert
from alerting.domain.event import BusEvent
from alerting.domain.open_items import Concern, concern_id, concern_of
from alerting.domain.routing import AlertingSettings
from alerting.domain.wording import alert_of
from steward.clock import Clock

SENT, DEFERRED, HUB, NOTED = "sent", "deferred", "security_hub", "noted"
"""The steps of a delivery."""


@dataclass(frozen=True, slots=True)
class AlertSender:
    """What is done with each event; ``hub`` is None where findings do not go to Security Hub."""

    settings: AlertingSettings
    topic: Topic
    hub: FindingsHub | None
    deliveries: Deliveries
    rooms: WaitingRooms
    concerns: Concerns
    clock: Clock

    def tell(self, event: BusEvent) -> frozenset[str]:
        """Do everything that the event asks for and that no earlier delivery of it did; the steps that were taken.

        Raises
        ------
        DeliveryInProgressError
            Another run is at it.
        StewardError
            A step failed; those before it are not repeated when the event comes again.
        """
        alert, concern = self._what_it_means(event)
        channels = self.settings.channels(alert)
        if not channels:
            return frozenset()
        before = self.deliveries.begin(event.id, self.clock.now())
        taken = set()
        try:
            for step, take in self._steps(alert, concern, channels):
                if step not in before:
                    taken.add(take())
                    self.deliveries.done(event.id, step)
        finally:
            self.deliveries.end(event.id)
        return frozenset(taken)

    def _what_it_means(self, event: BusEvent) -> tuple[Alert, Concern | None]:
        alert = alert_of(event)
        identity = concern_id(event)
        before = self.concerns.find(identity) if identity else None
        concern = concern_of(event, alert, before)
        if concern:
            self.concerns.keep(concern)
            alert = replace(alert, expected=concern.expected)  # a resolution follows the way of what it resolves
        return alert, concern

    def _steps(
        self, alert: Alert, concern: Concern | None, channels: frozenset[Channel]
    ) -> list[tuple[str, Callable[[], str]]]:
        steps: list[tuple[str, Callable[[], str]]] = []
        readers = channels & {Channel.MAIL, Channel.CHAT}
        if readers:
            steps.append((SENT, lambda: self._send_or_defer(alert, readers)))
        if Channel.DIGEST in channels:
            steps.append((NOTED, lambda: self._wait(DIGEST, alert, channels)))
        if Channel.SECURITY_HUB in channels and self.hub and concern:
            hub = self.hub
            steps.append((HUB, lambda: _told_to(hub, alert, concern)))
        return steps

    def _send_or_defer(self, alert: Alert, readers: frozenset[Channel]) -> str:
        """Publish the first of a window; the others wait for the flood's one message."""
        flood, now = self.settings.flood, self.clock.now()
        window = timedelta(minutes=flood.window_minutes)
        opened = int(now.timestamp() // window.total_seconds())
        name = f"{alert.kind}#{alert.severity.name}#{flood.window_minutes}#{opened}"
        if self.deliveries.goes_individually(name, alert.event_id, flood.limit(alert.severity), now + 2 * window):
            self.topic.publish(message_of(alert, readers, self.settings.documentation))
            return SENT
        self._wait(FLOOD, alert, readers)
        return DEFERRED

    def _wait(self, room: str, alert: Alert, channels: frozenset[Channel]) -> str:
        title = alert.headline.partition(": ")[2] if not alert.over else alert.headline
        self.rooms.wait(room, PendingAlert(alert.event_id, alert.kind, alert.severity, title, channels))
        return NOTED


def _told_to(hub: FindingsHub, alert: Alert, concern: Concern) -> str:
    hub.tell(alert, concern)
    return HUB
