"""What a random life must show beside the nine invariants: what may not happen, what is said, what comes to its end.

Each expectation is held to the account and to the record, never to the rules: switching a rule off violates one.
"""

from datetime import timedelta

from access_key_rotation.domain.events import AccessKeyDeactivated, AccessKeyDeleted
from access_key_rotation.domain.rules.situation import SETTLE, Reason
from access_key_rotation.domain.rules.steps import Block, Release
from access_key_rotation.domain.settings import LeakWithoutSlot, settings_of
from access_key_rotation.domain.state import ORPHANED_SECRET, Content, Label
from steward.errors import RuleViolationError
from tests.doubles.in_memory_service_account import OUR_ROLES
from tests.unit.access_key_rotation.lives import FUNCTION

SLACK = timedelta(days=1)
LISTED = timedelta(minutes=1)
"""How long a key may exist before IAM lists it."""
CHANGES = frozenset({
    "create_access_key", "delete_resource_policy", "put_resource_policy", "put_secret_value",
    "replicate_secret_to_regions", "rotate_secret", "update_secret_version_stage",
})  # fmt: skip
RESTING = frozenset({"STEADY", "DRAINING", "QUARANTINED", "NO_KEY"})
"""States of a user that nothing holds."""


class Expectations:
    """Judges one life."""

    def __init__(self, life, require):
        self._life = life
        self._require = require
        self._missing = {}
        self._published_from = 0

    def table_lost(self):
        """What was deactivated before is on no record any more."""
        self._published_from = len(self._life.publisher.published)

    def keys_listed(self):
        """A run listed the keys; when it first did not find the one that consumers read."""
        stored, current = self._stored, self._current
        if stored and current and current not in stored.keys:
            self._missing.setdefault(current, self._life.clock.now())

    @property
    def _stored(self):
        return self._life.account.users.get(self._life.name)

    @property
    def _secret(self):
        return self._life.account.secrets.get(self._life.name)

    @property
    def _record(self):
        return self._life.records.find(self._life.name)

    @property
    def _current(self):
        """The id of the key that the secret names, also in a secret that is deleted."""
        secret = self._secret
        value = secret.versions.get(secret.labels.get(Label.CURRENT)) if secret else None
        return getattr(value, "access_key_id", None)

    def _is_urgent(self):
        """Whether the leak of the current key is stored; a run without the lock may have stopped it already."""
        return bool(self._current) and self._life.records.has_leaked(self._life.name, self._current)

    def _is_asked(self):
        """Whether an operator asks to replace the current key."""
        record, demand, current = self._record, self._life.demand, self._current
        is_genuine = demand is not None and demand not in self._life.forged
        is_demanded = is_genuine and demand.reason is Reason.ROUTINE and demand.key_id in {current, ""}
        return is_demanded or bool(record and current and record.wanted == current)

    def step(self, what):
        """A key was made or became current, or one that has not leaked was taken away: nothing forbids that."""
        stored, secret, record = self._stored, self._secret, self._record
        if secret is not None:
            self._require(secret.owner == self._life.account.stack, f"{what} in the secret of another stack")
            content = secret.versions.get(secret.labels.get(Label.CURRENT))
            is_unreadable = content is Content.UNREADABLE
            self._require(not is_unreadable, f"{what} beside a value that nobody can read")
        if stored is None or record is None:
            return
        if self._is_urgent():
            return
        self._require(not record.frozen, f"{what} for a frozen user")
        self._require(self._tags_are_fit() or self._life.trusts_memory, f"{what} for a user with a broken tag")
        self._require(not self._foreign(stored), f"{what} beside a foreign key")
        current = stored.keys.get(self._current)
        is_dead = current is not None and not current.active
        self._require(not is_dead or self._is_asked(), f"{what} beside a current key that a person deactivated")

    def made(self):
        """A key was made."""
        self.step("a key was made")
        stored, current, now = self._stored, self._current, self._life.clock.now()
        if self._is_urgent() or current is None:
            return
        if current not in stored.keys:
            seen_for = now - self._missing.get(current, now)
            self._require(seen_for >= SETTLE, "a missing key was replaced after a single look")
            return
        secret, key = self._secret, stored.keys[current]
        is_scheduled = secret.rotates_by is not None and now >= secret.rotates_by - timedelta(days=1)
        is_young = now < key.created + timedelta(days=self._life.settings.times.rotate_after_days)
        pending = secret.versions.get(secret.labels.get(Label.PENDING))
        is_for_schedule = is_scheduled and pending is Content.NOTHING
        is_wanted = not is_young or pending is Content.NOTHING or self._is_asked()
        self._require(is_wanted, "a young key was replaced although nobody asked for it")
        self._require(
            not (is_for_schedule and is_young) or self._is_asked(), "a young key was replaced because a schedule asked"
        )

    def ran(self, demand):
        """A run ended well: its outcome names what prevents more."""
        stored, outcome = self._stored, self._life.outcome
        text = outcome.end.reason if isinstance(outcome.end, Block | Release) else ""
        if stored is None:
            self._require(not text or "does not exist" in text, f"the user is gone, and the reason is {text!r}")
            return
        record = self._record
        if not stored.user.is_enrolled("/service/"):
            has_leak = record is not None and any(history.compromised for history in record.keys.values())
            is_orphaned = outcome.state in {ORPHANED_SECRET, "RELEASED"} or (has_leak and outcome.state == "BLOCKED")
            self._require(is_orphaned, f"the user is not enrolled, and its state is {outcome.state}")
            return
        if record is None or record.user_id != stored.user.user_id:
            return
        self._blocks_where_it_must(stored)
        if outcome.state == "STEADY" and self._secret and not self._is_urgent():  # no old key drains
            days = self._life.settings.times.max_age_days
            self._require(self._secret.rotation == (FUNCTION, days), "no backstop")
        active = [key.id for key in stored.keys.values() if key.active]
        is_awaited = record.entry is not None and active == [record.entry.awaits]
        self._require(not is_awaited or "never in the secret" not in text, "the key that is awaited blocks its user")
        if demand and demand.reason is Reason.COMPROMISED and not demand.key_id and record.current_key:
            is_explained = any(history.compromised for history in record.keys.values())
            self._require(is_explained or "with key_id" in text, f"a leak without a key was answered with {text!r}")

    def _blocks_where_it_must(self, stored):
        """A foreign key, and a current key that a person deactivated, are for a person to decide."""
        if self._is_urgent() or self._life.outcome.state not in RESTING:
            return
        foreign = [key.id for key in self._foreign(stored)]
        self._require(not foreign, f"a run ended well beside a foreign key ({foreign})")
        current = stored.keys.get(self._life.account.current_key(self._life.name))
        is_dead = current is not None and not current.active
        self._require(not is_dead or self._is_asked(), "a run ended well although the current key is inactive")

    def _foreign(self, stored):
        """Active keys that were never in the secret, and that IAM lists by now."""
        foreign, now = self._life.invariants.foreign, self._life.clock.now()
        return [key for key in stored.keys.values() if key.active and key.id in foreign and key.created + LISTED <= now]

    def calls(self, call):
        """A run is about to change something: a leaked key that no consumer reads is dead by then."""
        if call not in CHANGES or self._is_locked_out():
            return
        stored, record = self._stored, self._record
        if stored and record:
            waiting = [
                key.id
                for key in stored.keys.values()
                if key.active and record.history(key.id).compromised and key.id not in self._labelled()
            ]
            self._require(not waiting, f"{call} before a leaked key was deactivated ({waiting})")

    def _is_locked_out(self):
        secret = self._secret
        return bool(secret and secret.readers) and not set(OUR_ROLES) & set(secret.readers)

    def deleted(self, key_id):
        """The leaked key that consumers read goes only if no older key can take its place."""
        stored, secret, record = self._stored, self._secret, self._record
        keeps = self._life.settings.leak_without_slot is LeakWithoutSlot.KEEP_OLDER_KEY
        if key_id != self._current or not keeps or record is None:
            return
        previous = getattr(secret.versions.get(secret.labels.get(Label.PREVIOUS)), "access_key_id", None)
        older, history = stored.keys.get(previous), record.history(previous)
        can_return = older is not None and older.active and history.superseded_at and not history.compromised
        came_back = history.found_inactive_at or history.deactivated_at
        self._require(not can_return or came_back, f"{key_id} was deleted although {previous} could become current")

    def finished(self):
        """Nobody does anything any more, and nothing failed for days: what the rules owe the user is done."""
        stored, secret, record, outcome = self._stored, self._secret, self._record, self._life.outcome
        if stored is None or record is None or outcome is None or not stored.user.is_enrolled("/service/"):
            return
        if record.user_id != stored.user.user_id or (secret and secret.owner != self._life.account.stack):
            return
        leaked = [k for k in self._life.recorded_leaks & stored.keys.keys() if stored.keys[k].active]
        self._require(not leaked, f"leaked keys are Active in the end ({leaked})")
        if secret is not None and not secret.deleted:
            self._readers(stored, secret, outcome)
        self._events(stored, record, outcome)
        if outcome.state in RESTING and record.state == outcome.state:
            self._at_rest(stored, secret, record)

    def _readers(self, stored, secret, outcome):
        """The steward can read the secret in any state; the user can once nothing blocks."""
        self._require(not self._is_locked_out(), "the steward is locked out of the secret")
        if outcome.state in RESTING - {"NO_KEY"}:
            is_shut_out = bool(self._life.settings.secret_readers) and stored.user.arn not in secret.readers
            self._require(not is_shut_out, "the user may not read its own secret")
            is_closed = not self._life.settings.secret_readers and bool(secret.readers)
            self._require(not is_closed, "the secret is closed")

    def _events(self, stored, record, outcome):
        """Every deactivation and every deletion since the table was lost is published."""
        if outcome.state not in RESTING | {"FROZEN", "EXEMPT"} or record.failure:
            return
        published = self._life.publisher.published[self._published_from :]
        deactivated = {event.key_id for event in published if isinstance(event, AccessKeyDeactivated)}
        deleted = {event.key_id for event in published if isinstance(event, AccessKeyDeleted)}
        ours = {key for key, history in record.keys.items() if history.deactivated_at and key in stored.keys}
        silent = sorted(key for key in ours - deactivated if not stored.keys[key].active)
        self._require(not silent, f"a deactivation was not published ({silent})")
        if outcome.state in RESTING:
            of_user = {event.key_id for event in published if getattr(event, "user_id", "") == record.user_id}
            unpublished = (deactivated & of_user) - deleted - self._life.brought_back
            unsaid = sorted(unpublished - stored.keys.keys() - self._labelled())
            self._require(not unsaid, f"the end of a deactivated key was not published ({unsaid})")

    def _at_rest(self, stored, secret, record):
        """A user that nothing holds has a key, its backstop and replicas; and its old keys come to their end."""
        now, times, settings = self._life.clock.now(), self._life.settings.times, self._life.settings
        current = stored.keys.get(self._current)
        may_have_one = not stored.standing.objections
        if record.state == "NO_KEY":
            self._require(len(stored.keys) == 2 or not may_have_one, "no key was made")
            return
        if secret is None or secret.deleted or current is None:
            return
        gone = sorted(
            key
            for key, history in record.keys.items()
            if history.promoted_at and key not in stored.keys and key not in self._labelled()
        )
        self._require(not gone, f"a key that is gone is remembered ({gone})")
        used = self._life.invariants.used_at(current.id)
        promoted = record.history(current.id).promoted_at
        self._require(promoted or not current.active, "the promotion of the current key is not on record")
        is_adopted = bool(record.history(current.id).adopted_at)
        is_used = bool(promoted and used and used > promoted + timedelta(hours=12))
        self._require(is_adopted or not is_used, "the use of the current key was not noticed")
        missing = set(settings.replica_regions) - secret.replicas.keys()
        self._require(not missing, f"no replica in {missing}")
        for key in stored.keys.values():
            history = record.history(key.id)
            if key.id in self._labelled() or history.compromised:
                continue
            if key.active and history.superseded_at:
                came_back = history.found_inactive_at or (history.deactivated_at and history.announced)
                self._require(not came_back, f"a key that was brought back does not drain ({key.id})")
            since = history.deactivated_at
            is_over = since and not key.active and now >= since + timedelta(days=times.keep_inactive_days) + SLACK
            self._require(not is_over, f"a deactivated key is kept for too long ({key.id})")
            last = self._life.invariants.used_at(key.id)
            ended = (history.superseded_at, last, record.history(current.id).adopted_at)
            idle_since = max(filter(None, ended), default=now)
            in_sync = all(secret.replicas.get(region) for region in settings.replica_regions)
            is_drained = now >= idle_since + timedelta(days=times.drain_days) + SLACK
            outlives = key.active and history.superseded_at and is_adopted and in_sync and is_drained
            self._require(not outlives, f"an old key outlives its drain ({key.id})")

    def _labelled(self):
        secret = self._secret
        labels = secret.labels if secret else {}
        values = [secret.versions[labels[label]] for label in (Label.CURRENT, Label.PENDING) if label in labels]
        return {getattr(value, "access_key_id", None) for value in values}

    def _tags_are_fit(self):
        try:
            settings_of(self._life.settings, self._life.name, self._stored.user.tags)
        except RuleViolationError:
            return False
        return True
