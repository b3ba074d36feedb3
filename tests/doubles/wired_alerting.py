"""The use cases of alerting, wired as bootstrap does it, over doubles."""

import itertools

from alerting.alert_envelope import bus_event
from alerting.application.send_alert import AlertSender
from alerting.application.send_scheduled_alerts import ScheduledAlertSender
from alerting.domain.routing import AlertingSettings
from steward import settings
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_alert_memory import InMemoryConcerns, InMemoryDeliveries, InMemoryWaitingRooms
from tests.doubles.recording_readers import RecordingHub, RecordingTopic
from tests.published_events import golden_event


class WiredAlerting:
    """One deployment under the shipped settings; every port can be told to fail."""

    def __init__(self, shipped=None):
        self.clock = FrozenClock()
        self.topic = RecordingTopic()
        self.hub = RecordingHub()
        self.failing_topic = FaultInjecting(self.topic)
        self.failing_hub = FaultInjecting(self.hub)
        self.rooms = FaultInjecting(InMemoryWaitingRooms())
        self.concerns = InMemoryConcerns()
        ids = (f"message-{number}" for number in itertools.count(1))
        wanted = shipped or settings.load(settings.locate("alerting.yaml"), AlertingSettings)
        self.alerting = AlertSender(
            wanted,
            self.failing_topic,
            self.failing_hub,
            InMemoryDeliveries(),
            self.rooms,
            self.concerns,
            self.clock,
        )
        self.scheduled_alerts = ScheduledAlertSender(
            wanted,
            self.failing_topic,
            self.rooms,
            self.concerns,
            self.clock,
            lambda: next(ids),
            "123456789012",
            "ca-central-1",
        )

    def tell(self, name, **changed):
        """Tell an example of the bus, with some of what it says replaced."""
        return self.alerting.tell(bus_event(golden_event(name, **changed)))

    @property
    def subjects(self):
        return [message.subject for message in self.topic.published]
