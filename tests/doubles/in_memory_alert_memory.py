"""What alerting remembers, in memory."""

from collections import defaultdict

from alerting.adapters.dynamodb_memory import RUN
from alerting.application.ports import DeliveryInProgressError


class InMemoryDeliveries:
    """Steps of events, and who is at them."""

    def __init__(self):
        self._steps = defaultdict(set)
        self._busy_until = {}
        self._individually = defaultdict(set)

    def begin(self, event_id, now):
        if self._busy_until.get(event_id, now) > now:
            raise DeliveryInProgressError("another run works on this event; it comes again")
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


class InMemoryWaitingRooms:
    """Rooms of alerts, by the ids of their events."""

    def __init__(self):
        self._rooms = defaultdict(dict)

    def wait(self, room, alert):
        self._rooms[room][alert.event_id] = alert

    def waiting(self, room):
        return sorted(self._rooms[room].values(), key=lambda alert: (-alert.severity, alert.event_id))

    def leave(self, room, alerts):
        for alert in alerts:
            self._rooms[room].pop(alert.event_id, None)


class InMemoryConcerns:
    """What lasts; the newest word counts."""

    def __init__(self):
        self._concerns = {}

    def find(self, identity):
        return self._concerns.get(identity)

    def keep(self, concern):
        known = self._concerns.get(concern.id)
        if known is None or known.at <= concern.at:
            self._concerns[concern.id] = concern

    def all(self):
        return [self._concerns[identity] for identity in sorted(self._concerns)]
