"""Report, by schedule, what waited in a flood, and the week."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from alerting.application.ports import DIGEST, FLOOD, Concerns, Topic, WaitingRooms
from alerting.application.publishing import message_of
from alerting.domain.alert import Alert, Channel, PendingAlert
from alerting.domain.routing import AlertingSettings
from alerting.domain.summaries import Here, digest_alert, flood_alert
from steward.clock import Clock


@dataclass(frozen=True, slots=True)
class ScheduledAlertSender:
    """What no single event causes; ``new_id`` names its messages."""

    settings: AlertingSettings
    topic: Topic
    rooms: WaitingRooms
    concerns: Concerns
    clock: Clock
    new_id: Callable[[], str]
    account: str
    region: str

    def tell_flood(self) -> int:
        """One message per set of channels for all who wait; how many were told. Raises UpstreamError."""
        waiting = self.rooms.waiting(FLOOD)
        groups: dict[frozenset[Channel], list[PendingAlert]] = defaultdict(list)
        for each in waiting:
            groups[each.channels].append(each)
        for channels, alerts in groups.items():
            alert = flood_alert(
                alerts, listed_titles=self.settings.flood.listed_titles, event_id=self.new_id(), here=self._here()
            )
            self._publish(alert, channels)
            self.rooms.leave(FLOOD, alerts)
        return len(waiting)

    def tell_week(self) -> int:
        """The digest; how many findings it counts as open or acknowledged. Raises UpstreamError."""
        concerns, waiting = self.concerns.all(), self.rooms.waiting(DIGEST)
        alert = digest_alert(concerns, waiting, self.settings.digest, event_id=self.new_id(), here=self._here())
        self._publish(alert, frozenset(Channel(each) for each in self.settings.digest.channels))
        self.rooms.leave(DIGEST, waiting)
        return len(concerns)

    def _publish(self, alert: Alert, channels: frozenset[Channel]) -> None:
        self.topic.publish(message_of(alert, channels, self.settings.documentation))

    def _here(self) -> Here:
        return Here(self.clock.now(), self.account, self.region)
