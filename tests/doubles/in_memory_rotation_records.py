"""The rotation table, in memory."""

from dataclasses import replace
from datetime import timedelta

from access_key_rotation.application.ports import UNNAMED, BusyError, Claim, LeaseLostError, is_reported, is_settled
from access_key_rotation.domain.state import Intent, Record


class InMemoryRotationRecords:
    """Records, locks and fences; whoever holds an older fence is refused."""

    def __init__(self, clock):
        self._clock = clock
        self.records = {}
        self.intents = {}
        self.reported = {}
        self.requested = {}
        self.stopped = {}
        self._leases = {}
        self._fences = {}
        self._holders = {}

    def claim(self, user, token, lease: timedelta, *, resuming=False):
        now = self._clock.now()
        taken_over = resuming and self._holders.get(user) == token
        if user in self._leases and self._leases[user] > now and not taken_over:
            raise BusyError(f"another run works on {user}")
        self._fences[user] = self._fences.get(user, 0) + 1
        self._leases[user] = now + lease
        self._holders[user] = token
        unfinished = self.intents.get(user)
        self.intents.setdefault(user, Intent(token, now))
        record = replace(self.records.get(user, Record()), intent=unfinished)
        reported = frozenset(self.reported.get(user, ()))
        requested = frozenset(self.requested.get(user, ()))
        return Claim(
            user,
            self._fences[user],
            now + lease,
            Intent(token, now),
            record,
            reported,
            requested,
            frozenset(self.stopped.get(user, ())),
        )

    def report_leak(self, user, key_id):
        self.reported.setdefault(user, set()).add(key_id or UNNAMED)

    def stop(self, user, key_id):
        self.stopped.setdefault(user, set()).add(key_id)

    def has_leaked(self, user, key_id):
        return is_reported(key_id, self.records.get(user, Record()), self.reported.get(user, set()))

    def request(self, user, demand):
        self.requested.setdefault(user, set()).add(demand)

    def save(self, claim, record):
        self._check(claim)
        self.records[claim.user] = replace(record, intent=None)

    def release(self, claim, record):
        self._check(claim)
        self.records[claim.user] = replace(record, intent=None)
        del self._leases[claim.user]
        void = {key for key in claim.reported if record.history(key).compromised}
        void |= {UNNAMED} if record.current_key else set()
        self.reported.get(claim.user, set()).difference_update(void & claim.reported)
        stopped = {key for key in claim.stopped if record.history(key).deactivated_at}
        self.stopped.get(claim.user, set()).difference_update(stopped)
        settled = {request for request in claim.requested if is_settled(request, record)}
        self.requested.get(claim.user, set()).difference_update(settled)
        if record.intent:
            self.intents[claim.user] = record.intent
        else:
            self.intents.pop(claim.user, None)

    def forget(self, claim):
        self._check(claim)
        stored = self.records, self.reported, self.requested, self.stopped, self.intents
        for kept in (*stored, self._leases, self._fences, self._holders):
            kept.pop(claim.user, None)

    def find(self, user):
        return self.records.get(user)

    def all(self):
        now = self._clock.now()
        users = (
            self.records.keys()
            | self._fences.keys()
            | self.reported.keys()
            | self.requested.keys()
            | self.stopped.keys()
        )
        return iter([(user, self.records.get(user, Record()), self._leases.get(user, now) > now) for user in users])

    def lose(self):
        """The table is gone."""
        self.records.clear()
        self.reported.clear()
        self.requested.clear()
        self.stopped.clear()
        self.intents.clear()
        self._leases.clear()
        self._fences.clear()
        self._holders.clear()

    def _check(self, claim):
        newest = self._fences.get(claim.user), self._holders.get(claim.user)
        if newest != (claim.fence, claim.intent.token) or claim.user not in self._leases:
            raise LeaseLostError(f"another run took over {claim.user}")
