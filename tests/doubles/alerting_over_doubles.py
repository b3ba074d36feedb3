"""Alerting as ``bootstrap`` wires it, over doubles."""

import itertools

from alerting import bootstrap
from alerting.alert_envelope import bus_event
from alerting.domain.alert import PEOPLE
from alerting.domain.formats.mail import body_of, subject_of
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_alert_memory import (
    InMemoryDeliveries,
    InMemoryOpenItems,
    InMemoryPendingAlerts,
    InMemorySources,
)
from tests.doubles.recording_readers import recording_hub, recording_topic, recording_webhook
from tests.published_events import golden_event


class AlertingOverDoubles:
    """One deployment under the shipped settings; every reader can be made to fail."""

    def __init__(self):
        self.topic, self.hub, self.webhook = recording_topic(), recording_hub(), recording_webhook()
        self.failing_topic, self.failing_hub, self.failing_webhook = map(
            FaultInjecting, (self.topic, self.hub, self.webhook)
        )
        self.clock = FrozenClock()
        self.open_items = InMemoryOpenItems()
        self.sources = InMemorySources()
        pending = FaultInjecting(InMemoryPendingAlerts())
        ids = (f"message-{number}" for number in itertools.count(1))
        self.sender = bootstrap.send_alert(
            sources=self.sources,
            readers=[self.failing_topic, self.failing_hub, self.failing_webhook],
            deliveries=InMemoryDeliveries(),
            pending=pending,
            open_items=self.open_items,
            clock=self.clock,
        )
        self.scheduled = bootstrap.send_scheduled_alerts(
            readers=[self.failing_topic],
            pending=pending,
            open_items=self.open_items,
            clock=self.clock,
            new_id=lambda: next(ids),
            account="123456789012",
            region="ca-central-1",
        )

    def send(self, name, **changed):
        """Send the alert of an example of the bus, with some of its data replaced."""
        return self.sender.send(bus_event(golden_event(name, **changed)))

    @property
    def subjects(self):
        return [subject_of(routed.alert) for routed in self.topic.sent]

    @property
    def last_mail(self):
        return body_of(self.topic.sent[-1].alert)

    @property
    def channels(self):
        """The channels for people of each alert that the topic got."""
        return [routed.channels & PEOPLE for routed in self.topic.sent]
