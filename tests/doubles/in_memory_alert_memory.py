"""What alerting stores, in memory."""

from collections import defaultdict

from alerting.adapters.dynamodb_memory import RUN
from alerting.application.ports import DeliveryInProgressError


class InMemoryDeliveries:
    """Steps of events, and which of them a run owns."""

    def __init__(self):
        self._steps = defaultdict(set)
        self._busy_until = {}
        self._individually = defaultdict(set)

    def begin(self, event_id, now):
        if self._busy_until.get(event_id, now) > now:
            raise DeliveryInProgressError("another run works on this event; the queue delivers it again")
        self._busy_until[event_id] = now + RUN
        return frozenset(self._steps[event_id])

    def done(self, event_id, step):
        self._steps[event_id].add(step)

    def end(self, event_id):
        self._busy_until.pop(event_id, None)

    def goes_individually(self, window, event_id, limit, until):  # noqa: ARG002 - the port's signature
        members = self._individually[window]
        if event_id not in members and len(members) >= limit:
            return False
        members.add(event_id)
        return True


class InMemoryPendingAlerts:
    """Pending alerts of each summary, by the ids of their events."""

    def __init__(self):
        self._alerts = defaultdict(dict)

    def add(self, summary, alert):
        self._alerts[summary][alert.event_id] = alert

    def pending(self, summary):
        return sorted(self._alerts[summary].values(), key=lambda alert: (-alert.severity, alert.event_id))

    def remove(self, summary, alerts):
        for alert in alerts:
            self._alerts[summary].pop(alert.event_id, None)


class InMemoryOpenItems:
    """Open items; the newest state counts."""

    def __init__(self):
        self._concerns = {}

    def find(self, identity):
        return self._concerns.get(identity)

    def keep(self, item):
        known = self._concerns.get(item.id)
        if known is None or known.at <= item.at:
            self._concerns[item.id] = item

    def all(self):
        return [self._concerns[identity] for identity in sorted(self._concerns)]


class InMemorySources:
    """Confirms every event but those of the types that it ``doubts``, each with a reason."""

    def __init__(self):
        self.doubts = {}

    def doubt(self, event):
        return self.doubts.get(event.detail_type, "")
