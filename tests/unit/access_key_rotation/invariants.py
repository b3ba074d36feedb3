"""The nine invariants of rotation, checked against the account itself after every call, from what really happened."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from access_key_rotation.domain.events import AccessKeyRotated
from access_key_rotation.domain.settings import AtMaxAge, LeakWithoutSlot
from access_key_rotation.domain.state import Content, Label

INVARIANTS = 9
SKEW = timedelta(minutes=5)
"""How far two clocks may be apart: no time is kept more exactly than that."""
SLOTS = 2
"""Keys that a user may have."""
WRITES = {"save", "release", "publish", "update_item", "put_events"}
"""Calls after which something new may stand in the table or in an event."""
READS = {"find", "keys", "last_use", "read", "standing", "made_by_us"}


class InvariantViolatedError(AssertionError):
    """One of the nine does not hold."""


@dataclass
class Snapshot:
    """What may not change without a reason."""

    keys: dict = field(default_factory=dict)
    current: dict = field(default_factory=dict)


class Invariants:
    """Watches the account; everything that differs from the last look was done by a run of ours."""

    def __init__(self, account, records, publisher, settings):
        self._account = account
        self._records = records
        self._publisher = publisher
        self.settings = settings
        self._last = self._look()
        self._user_ids = {}
        self._superseded = {}
        self._deactivated = {}
        self._urgent = set()
        self._heard = 0
        self._unread = set()
        """Calls of this run that read nothing, each with the key that it was about, if any.

        Where a key makes room, its last use is for the event alone.
        """
        self._read_late = False
        self._listed = {}
        self._consumer_used = {}
        self.foreign = set()
        self.leaked = set()
        """Keys whose leak was reported: what is waived for them, and for nothing else, is said below."""
        self.knows_leak = lambda key_id: key_id in self.leaked
        """Whether the steward knows that a key has leaked."""
        self.knows_inactive = lambda _: True
        """Whether the steward knows that a key was Inactive."""
        self.taken = set()
        """Keys that somebody else took away, or that had to make room for one in place of a leaked key."""
        self._targets, self._target_names = None, ()
        self.expectations = None
        """What else a life must show, for lives in which people do anything."""
        self.checks = 0
        self.texts = []
        self._texts_seen = 0

    def run_begins(self):
        """A new run: what an earlier one failed to read is its own matter."""
        self._unread, self._read_late = set(), False

    @contextmanager
    def another_run(self):
        """Another run between two calls of this one: what each of them reads is its own matter."""
        kept = self._unread, self._read_late
        yield
        self._unread, self._read_late = kept

    @property
    def has_read_late(self):
        """Whether IAM answered this run as it was moments ago."""
        return self._read_late

    def read_late(self):
        """IAM answered this run as it was moments ago."""
        self._read_late = True

    def failed_to_read(self, name, key_id=None):
        """A call of this run got no answer."""
        if name in READS:
            self._unread.add((name, key_id))

    def text_seen(self, text):
        """An exception was raised, or something was logged."""
        self.texts.append(text)

    def used_at(self, key_id):
        """When a consumer last used a key; None for never."""
        return self._consumer_used.get(key_id)

    def consumer_acted(self, key_id, *, works):
        """A consumer used a key; only one that leaked, or that had to go, may be refused."""
        self._require(works or key_id in self.leaked | self.taken, "a consumer was cut off", key_id)
        if works:
            self._consumer_used[key_id] = self._account.clock.now()

    def supersedes(self, key_ids):
        """An operator enrolled a user, whose keys drain from now on."""
        for key_id in key_ids:
            self._superseded.setdefault(key_id, self._account.clock.now())

    def table_lost(self):
        """What was waived, which keys the steward deactivated, and whose they were, is on no record any more."""
        self._urgent.clear()
        self._deactivated.clear()
        self._user_ids.clear()

    def forgotten(self):
        """The steward forgot a user that is not ours; whose it was is on no record any more."""
        self._user_ids.clear()

    def accept(self):
        """Somebody else changed the account: so it is now. A key that they made current supersedes the others.

        It is no foreign key any more: a person who puts it into the secret hands it over.
        A key that they brought back drains once more. A user whose secret they deleted for good may be another one, and
        so may one whose consumers never had a key.
        """
        before, self._last = self._last, self._look()
        for (name, key_id), active in self._last.keys.items():
            if active and before.keys.get((name, key_id)) is False and self.knows_inactive(key_id):
                self._drains_again(key_id)
        self._user_ids = {name: user for name, user in self._user_ids.items() if self._has_served(name)}
        for name, version in self._last.current.items():
            if before.current.get(name) not in {None, version}:
                current = self._account.current_key(name)
                previous = self._account.secrets[name].versions.get(before.current[name])
                self._superseded.pop(current, None)
                self.foreign.discard(current)
                key = getattr(previous, "access_key_id", None)
                if key not in {None, current}:
                    self._superseded.setdefault(key, self._account.clock.now())

    def _has_served(self, name):
        """Whether consumers have, or had, something to read."""
        secret = self._account.secrets.get(name)
        return secret is not None and secret.versions.get(secret.labels.get(Label.CURRENT)) is not Content.PLACEHOLDER

    def calls(self, call):
        """A run is about to make a call."""
        if self._judges_steps:
            self.expectations.calls(call)

    def watch_targets(self, targets, names):
        """Targets of secret sync: none of them may hold a key that was taken away, unless that leaked."""
        self._targets, self._target_names = targets, names

    def _no_target_holds_a_dead_key(self, name, key_id):
        """While an old key is taken away in the routine, every target holds the current one."""
        current = self._account.current_key(name)
        for target in self._target_names:
            held = self._targets.held.get(target)
            self._require(held == current, f"3: {target} has {held}, and not the new key", key_id)

    def check(self, call):
        """All nine, after a call."""
        now, seen = self._account.clock.now(), self._look()
        self.checks += INVARIANTS
        if call == "keys":
            self._keys_listed(seen, now)
        for (name, key_id), active in self._last.keys.items():
            if active and not seen.keys.get((name, key_id), False):
                self._taken_away(name, key_id, now, deleted=(name, key_id) not in seen.keys)
            elif not active and (name, key_id) not in seen.keys:
                self._deleted(name, key_id, now)
            elif not active and seen.keys[name, key_id]:
                self._require(call == "reactivate_key", "a key was made active by itself", key_id)
                self._require(key_id not in self.leaked, "a leaked key was brought back", key_id)
                self._drains_again(key_id)
        for name, version in seen.current.items():
            if name in self._last.current and self._last.current[name] != version:
                self._promoted(name, now)
        for name in {name for name, _ in seen.keys.keys() - self._last.keys.keys()}:
            self._made(name)
        self._events_say_what_was_waived()
        self._nothing_leaks(call)
        self._last = seen

    def _keys_listed(self, seen, now):
        for name, key_id in seen.keys:
            self._listed.setdefault((name, key_id), set()).add(now)
        if self.expectations:
            self.expectations.keys_listed()

    def _made(self, name):
        self._same_user(name)
        self._eligible(name)
        if self._judges_steps:
            self.expectations.made()

    @property
    def _judges_steps(self):
        """Whether a step can be held to what the run could know."""
        return self.expectations is not None and not self._read_late

    def _taken_away(self, name, key_id, now, *, deleted):
        dies_in_place = key_id in self.leaked and not deleted
        is_labelled = key_id in self._labelled(name)
        self._require(not is_labelled or dies_in_place, "1: a labelled key was taken away", key_id)
        unread = self._unread_of(key_id, but_use=deleted and self._makes_room(name, key_id))
        self._require(not unread or dies_in_place, "5: destroyed without having read everything", key_id)
        self._require(key_id not in self.foreign - self.leaked, "6: a foreign key was touched", key_id)
        if not dies_in_place:
            self._same_user(name)
        if deleted and self._makes_room(name, key_id):
            self.taken.add(key_id)
        elif deleted and key_id not in self._superseded:
            self._orphan(name, key_id)
        elif deleted or key_id not in self.leaked:
            if self._judges_steps:
                self.expectations.step("a key was taken away")
            self._drained(name, key_id, now)
            self._no_target_holds_a_dead_key(name, key_id)
            self._require(not deleted, "4: a key was deleted that was never deactivated", key_id)
        self._deactivated[key_id] = now

    def _unread_of(self, key_id, *, but_use):
        """What this run could not read of the user or of this key."""
        of_key = {name for name, about in self._unread if about in {None, key_id}}
        return of_key - ({"last_use"} if but_use else set())

    def _deleted(self, name, key_id, now):
        makes_room = self._makes_room(name, key_id)
        is_labelled = key_id in self._labelled(name) - self.leaked
        self._require(not is_labelled, "1: a labelled key was deleted", key_id)
        unread = self._unread_of(key_id, but_use=makes_room)
        self._require(not unread, "5: destroyed without having read everything", key_id)
        self._same_user(name)
        self._require(key_id in self._deactivated or makes_room, "4: deleted what we did not deactivate", key_id)
        kept = now - self._deactivated.get(key_id, now)
        if self._judges_steps:
            self.expectations.deleted(key_id)
        long_enough = kept >= timedelta(days=self.settings.times.keep_inactive_days) - SKEW
        self._require(long_enough or makes_room, "4: deleted before its time", key_id)

    def _makes_room(self, name, key_id):
        """The exception to 4: no slot is free for the successor of a leaked key, and this key is the first that may go.

        First go keys that we deactivated, then one that leaked, then, if the settings say so, one that drains. The
        leaked key that consumers read goes when it is dead already and nothing else may, as far as IAM says it in time.
        """
        keys = {key: active for (user, key), active in self._last.keys.items() if user == name}
        if self._read_late and key_id in self.leaked and not keys[key_id]:
            return True
        if len(keys) < SLOTS:
            return False
        if self._account.current_key(name) not in self.leaked:
            return key_id in self.leaked and not keys[key_id]
        others = keys.keys() - self._labelled(name)
        quarantined = {key for key in others if key in self._deactivated and not keys[key]}
        may_go = self.settings.leak_without_slot is LeakWithoutSlot.DELETE_OLDER_KEY
        draining = {key for key in others if key in self._superseded and keys[key] and may_go}
        dead = {key for key in self.leaked & keys.keys() if not keys[key]}
        known = {key for key in others & self.leaked if self.knows_leak(key)}
        return key_id in (quarantined or known or draining or dead)

    def _drains_again(self, key_id):
        self._superseded[key_id] = self._account.clock.now()
        self._deactivated.pop(key_id, None)

    def _drained(self, name, key_id, now):
        drain = timedelta(days=self.settings.times.drain_days) - SKEW
        self._require(key_id in self._superseded, "3: deactivated what we did not supersede", key_id)
        exempt = [rule for rule in self.settings.exempt if rule.user == name and now.date() <= rule.until]
        self._require(not exempt, "a key was taken from an exempt user", key_id)
        age = now - self._account.users[name].keys[key_id].created
        secret = self._account.secrets[name]
        late = [region for region in self.settings.replica_regions if not secret.replicas.get(region)]
        self._require(not late, "3: deactivated while a replica lags", key_id)
        self._require(now - self._superseded[key_id] >= drain, "3: deactivated too early", key_id)
        if self.settings.at_max_age is AtMaxAge.DEACTIVATE and age >= timedelta(days=self.settings.times.max_age_days):
            return
        used = self._consumer_used.get(key_id)
        self._require(used is None or now - used >= drain, "3: deactivated a key in use", key_id)
        current = self._account.current_key(name)
        self._require(current in self._consumer_used, "3: deactivated before its successor was in use", key_id)

    def _orphan(self, name, key_id):
        labelled = [getattr(value, "access_key_id", None) for value in self._labelled_values(name)]
        listed = sorted(self._listed[name, key_id])
        proven = (
            key_id in self._account.made_by_us
            and key_id not in labelled
            and key_id not in self._account.used
            and listed[-1] - listed[0] >= timedelta(seconds=30)
        )
        self._require(proven, "7: deleted what is no proven orphan", key_id)

    def _promoted(self, name, now):
        key_id = self._account.current_key(name)
        before = self._account.secrets[name].versions[self._last.current[name]]
        if getattr(before, "access_key_id", None) == key_id:
            return  # another version with the same value
        if self._judges_steps:
            self._require(before is not Content.UNREADABLE, "a value that nobody can read was replaced", key_id)
        is_urgent = getattr(before, "access_key_id", None) in self.leaked
        if is_urgent and self.knows_leak(before.access_key_id):
            self._urgent.add(key_id)
        for region in self.settings.verify.regions[: 1 if is_urgent else None]:
            times = [at for at, key, where in self._account.authenticated if (key, where) == (key_id, region)]
            broken = max(
                (at for at, key, where in self._account.refused if (key, where) == (key_id, region)), default=None
            )
            row = [at for at in times if broken is None or at > broken]
            proven = len(row) >= 3 and row[-1] - row[0] >= timedelta(seconds=10)
            self._require(proven, f"2: promoted without proof in {region}", key_id)
        previous = {key for (user, key), active in self._last.keys.items() if user == name and active and key != key_id}
        values = self._account.secrets[name].versions.values()
        stored = {getattr(value, "access_key_id", None) for value in values}  # the key of a lost reply is in no version
        for key in (previous & stored) - self.foreign:
            self._superseded.setdefault(key, now)
        self._superseded.pop(key_id, None)

    def _events_say_what_was_waived(self):
        heard, self._heard = self._publisher.published[self._heard :], len(self._publisher.published)
        for event in heard:
            if isinstance(event, AccessKeyRotated):
                said = "quiet period" in event.waived
                self._require(said or event.key_id not in self._urgent, "a waiver was not reported", event.key_id)
                self._urgent.discard(event.key_id)
                unexplained = set(event.waived) - ({"ECR login"} if self._account.aws_quarantines else set())
                self._require(not unexplained or self.leaked, "a waiver was reported without a leak", event.key_id)

    def _same_user(self, name):
        user_id = self._account.users[name].user.user_id
        self._require(self._user_ids.setdefault(name, user_id) == user_id, "9: another user of the same name", name)

    def _eligible(self, name):
        stored = self._account.users[name]
        ours = stored.user.path.startswith("/service/") and stored.user.tags.get("steward:rotate") == "true"
        self._require(ours and not stored.standing.objections, "a key was made for one who may have none", name)

    def _nothing_leaks(self, call):
        if call not in WRITES and len(self.texts) == self._texts_seen:
            return
        self._texts_seen = len(self.texts)
        told = [*self._publisher.published[-8:], *self._records.records.values(), *self.texts[-2:]]
        self._require("SECRET+MATERIAL" not in repr(told), "8: secret material was seen", "")

    def _labelled(self, name):
        return {getattr(value, "access_key_id", None) for value in self._labelled_values(name)}

    def _labelled_values(self, name):
        secret = self._account.secrets.get(name)
        labels = secret.labels if secret else {}
        return [secret.versions[labels[label]] for label in (Label.CURRENT, Label.PENDING) if label in labels]

    def _look(self):
        keys = {
            (name, key.id): key.active for name, stored in self._account.users.items() for key in stored.keys.values()
        }
        current = {name: secret.labels.get(Label.CURRENT) for name, secret in self._account.secrets.items()}
        return Snapshot(keys, current)

    @staticmethod
    def _require(holds, what, key_id):
        if not holds:
            raise InvariantViolatedError(f"{what} ({key_id})")
