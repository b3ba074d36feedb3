"""Targets of secret sync, and what is recorded of them, in memory."""

from datetime import timedelta

from access_key_rotation.application.ports import BusyError, LeaseLostError, SyncClaim, TargetRefusedError
from access_key_rotation.domain.sync import SyncRecord


class InMemorySyncRecords:
    """Confirmations and locks; a lock ends by itself."""

    def __init__(self, clock):
        self._clock = clock
        self.records = {}
        self._locks = {}

    def find(self, user):
        return self.records.get(user, SyncRecord())

    def claim(self, user, token, lease: timedelta):
        _, until = self._locks.get(user, ("", self._clock.now()))
        if until > self._clock.now():
            raise BusyError(f"another run writes to the targets of {user}", code="ConditionalCheckFailedException")
        self._locks[user] = token, self._clock.now() + lease
        return SyncClaim(user, token, self._clock.now() + lease, self.find(user))

    def save(self, claim, record):
        if self._locks.get(claim.user, ("",))[0] != claim.token:
            raise LeaseLostError(f"another run took over the targets of {claim.user}", code="ConditionalCheckFailed")
        self.records[claim.user] = record

    def release(self, claim, record):
        self.save(claim, record)
        del self._locks[claim.user]


class InMemoryTargets:
    """What each target of these names holds: the id of the key. Those that are ``down`` refuse."""

    def __init__(self):
        self.names = []
        self.held = {}
        self.writes = []
        self.down = set()

    def write(self, target, credential):
        if target.name in self.down:
            raise TargetRefusedError("the target answered 503")
        self.writes.append((target.name, credential.access_key_id))
        self.held[target.name] = credential.access_key_id
