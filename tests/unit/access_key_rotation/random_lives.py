"""Random lives: the real adapters over clients that fail, people who do anything, and messages that anyone forged.

Every draw comes from the life's seed, so that a life that violates something can be lived again:
``RandomLife(seed).live()``.
"""

import random
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from access_key_rotation.adapters.aws_authenticator import AwsAuthenticator
from access_key_rotation.adapters.cloudtrail_history import CloudTrailHistory
from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.adapters.iam_users import IamUsers
from access_key_rotation.adapters.secrets_manager_vault import SecretsManagerVault
from access_key_rotation.application.ports import UNNAMED
from access_key_rotation.bootstrap import prove_secrets
from access_key_rotation.domain import events as event_types
from access_key_rotation.domain.events import (
    AccessKeyRotationBlocked,
    AccessKeyRotationFailed,
    SecretDoesNotAuthenticate,
)
from access_key_rotation.domain.rules import order
from access_key_rotation.domain.rules.situation import Demand, Reason
from access_key_rotation.domain.settings import AtMaxAge, Exemption, FreezeWindow
from access_key_rotation.domain.state import Content, Entry, Label, Standing
from steward.aws.event_bus import EventBridgePublisher
from steward.errors import StewardError
from tests.doubles.clients_of_service_account import (
    CloudTrailClient,
    DynamoDbClient,
    EventsClient,
    IamClient,
    SecretsManagerClient,
    SignedClient,
    client_error,
    no_weather,
)
from tests.doubles.in_memory_service_account import OUR_ROLES, InMemoryUsers
from tests.unit.access_key_rotation.expectations import Expectations
from tests.unit.access_key_rotation.invariants import InvariantViolatedError
from tests.unit.access_key_rotation.lives import SETTINGS, TICK, Life, ProcessDiedError, without

DAYS, SETTLING_DAYS = 12, 8
FEW = 25
"""Lives of the default tests."""
TRIES = 4
"""Deliveries of one message, before it is a dead letter."""
FIRST_DAY = date(2026, 5, 4)
HOUR = timedelta(hours=1)
PROVED = 0.25
"""How many of the hourly checks run, to save time."""
FATAL = ("dies before", "dies after")
KINDS = ("throttled", "fails", "unreachable", "reply lost", "reply unreadable", *FATAL)
READING = frozenset({
    "describe_secret", "get_access_key_last_used", "get_login_profile", "get_secret_value", "get_user",
    "list_access_keys", "list_mfa_devices", "lookup_events",
})  # fmt: skip
LATE = frozenset({"get_user", "list_access_keys"})
"""What IAM may answer as it was seconds ago."""
LATENESS = timedelta(seconds=3)
NAMES = {"list_access_keys": "keys"}
ADMINISTRATOR = Standing(has_password=False, has_mfa=False, escalation="escalation path iam-007 is open")


class Weather:
    """Stands before every client: a call passes, fails before or after it acted, is late, or kills the process."""

    def __init__(self, life, chance):
        self._life = life
        self._chance = chance
        self._seen = {}
        self.counted = Counter()
        self.calm = False

    def __call__(self, name, parameters, call):
        life, dice = self._life, self._life.dice
        kind = dice.choice(KINDS) if not self.calm and dice.random() < self._chance else ""
        if not self.calm and dice.random() < self._chance:
            life.meanwhile()
        self.counted[kind or "undisturbed"] += 1
        if kind == "dies before":
            raise ProcessDiedError(name)
        if kind in {"throttled", "fails", "unreachable"}:
            self._not_read(name, parameters)
            raise _error(kind, name)
        late = self._late(name) if name in LATE and not self.calm else None
        if late is not None:
            return late
        if parameters.get("VersionStage") != Label.PENDING:
            life.invariants.calls(name)
        try:
            answer = call()
        finally:
            life.invariants.check(_as_a_port_has_it(name, parameters))
        if name == "delete_item":
            life.invariants.forgotten()
        if kind == "dies after":
            raise ProcessDiedError(name)
        if kind:
            self._not_read(name, parameters)
            raise _error(kind, name)
        if name in LATE:
            self._seen[name] = life.clock.now(), answer
        return answer

    def _late(self, name):
        """The answer of moments ago, sometimes; only one user is ever read."""
        at, answer = self._seen.get(name, (None, None))
        if at is None or self._life.clock.now() - at > LATENESS:
            return None
        if self._life.dice.random() < 0.5:
            self.counted["late"] += 1
            self._life.invariants.read_late()
            return answer
        return None

    def _not_read(self, name, parameters):
        if name in READING:
            key_id = parameters.get("AccessKeyId")
            self._life.invariants.failed_to_read("last_use" if key_id else "keys", key_id)


def _error(kind, name):
    match kind:
        case "throttled":
            return client_error("ThrottlingException", name)
        case "unreachable":
            return EndpointConnectionError(endpoint_url="https://aws")
        case "reply unreadable":
            return ReadTimeoutError(endpoint_url="https://aws")
    return client_error("ServiceFailure", name, 500)


def _as_a_port_has_it(name, parameters):
    if name == "update_access_key" and parameters["Status"] == "Active":
        return "reactivate_key"
    return NAMES.get(name, name)


class TableOfRecords(DynamoDbRotationRecords):
    """The records as whoever looks into the table sees them, past the weather."""

    def __init__(self, clock):
        self.table = DynamoDbClient(no_weather)
        super().__init__(self.table, "rotation", clock)

    @property
    def records(self):
        """Every item, for the invariant that no secret stands in one."""
        return {item["id"]["S"]: item for item in self.table.scan()["Items"]}

    def lose(self):
        self.table.lose()

    def reported(self, name):
        """The keys whose leak is reported and not on record yet."""
        item = self.records.get(f"user#{name}", {})
        return set(item.get("reported", {"SS": []})["SS"]) - {UNNAMED}

    def put(self, name, **changes):
        """Change a record past the adapters; a user without one is left alone."""
        found = self.find(name)
        if found is not None:
            with suppress(StewardError):
                claim = self.claim(name, "by hand", timedelta(minutes=1))
                self.release(claim, replace(claim.record, **changes))


class RandomLife(Life):
    """One user among people, faults and forged messages, from its enrolment until nothing happens any more.

    Parameters
    ----------
    seed
        Decides everything.
    decide
        The rules, to show what an oracle notices without one of them.
    acts
        What people may do; by default everything.
    """

    def __init__(self, seed, decide=order.decide, acts=None):
        self.dice = random.Random(seed)  # noqa: S311 - no secret
        self.weather = Weather(self, self.dice.choice((0, 0.01, 0.03, 0.1)))
        self.acts = Counter()
        self._possible = acts or ACTS
        self.recorded_leaks = set()
        self._interfering = False
        self.brought_back = set()
        """Keys that a person activated: their deactivation is over, so that it has no end to publish."""
        self.trusts_memory = False
        """Whether the run that is under way judges the user by the tags that the last one read."""
        super().__init__(settings=_settings(self.dice), decide=decide)
        self.expectations = self.invariants.expectations = Expectations(self, self._require)
        self.invariants.knows_leak = self._knows_leak
        self.invariants.knows_inactive = self._knows_inactive

    def _new_records(self):
        return TableOfRecords(self.clock)

    def _knows_leak(self, key_id):
        """Whether the leak is on record; a report may be among the dead letters."""
        record = self.records.find(self.name)
        return record is not None and record.history(key_id).compromised

    def _knows_inactive(self, key_id):
        """Whether a run has seen the key Inactive; nobody sees what comes and goes between two runs."""
        record = self.records.find(self.name)
        history = record.history(key_id) if record else None
        return bool(history and (history.deactivated_at or history.found_inactive_at))

    def _ports(self):
        """The adapters, each over its client in the weather."""
        account, weather = self.account, self.weather
        iam = IamClient(account, weather)
        dynamodb = DynamoDbClient(weather)
        object.__setattr__(dynamodb, "_items", object.__getattribute__(self.records.table, "_items"))
        events = EventsClient(weather, self._hear)
        return {
            "users": _JudgedUsers(iam, account),
            "vault": SecretsManagerVault(SecretsManagerClient(account, weather), stack=account.stack),
            "records": DynamoDbRotationRecords(dynamodb, "rotation", self.clock),
            "trail": CloudTrailHistory(CloudTrailClient(account, weather), OUR_ROLES),
            "sync": self.sync_records,
            "authenticator": AwsAuthenticator(lambda _, region, key: SignedClient(account, weather, region, key)),
            "publisher": EventBridgePublisher(
                events, bus="steward", capability="access_key_rotation", account="1", region="home", clock=self.clock
            ),
        }

    def _hear(self, kind, data):
        self.publisher.published.append(getattr(event_types, kind)(**data))

    def live(self):
        """All of it; raises InvariantViolatedError."""
        self.account.add_user(self.name)
        self.invariants.accept()
        for _ in range(DAYS * 4):
            if self.dice.random() < 0.2:
                self._somebody_acts()
            self.tick()
        self._settle()
        return self

    def tick(self):
        """Six hours: consumers, what the queue delivers, and the hourly check after the first hour."""
        self.consumer.act(self.account, self.name, self.invariants)
        if self.dice.random() < 0.5:
            lets_the_replica_catch_up(self)
        for demand in self._messages():
            self._deliver(demand)
        self.clock.advance(seconds=HOUR.total_seconds())
        if self.dice.random() < PROVED:
            self._prove()
        self.clock.advance(seconds=(TICK - HOUR).total_seconds())

    def _messages(self):
        """What is due, what was asked for, and duplicates."""
        record = self.records.find(self.name)
        is_due = self._is_enrolled() if record is None else record.next_at is None or record.next_at <= self.clock.now()
        messages = [None] * is_due + [self.demand] * bool(self.demand)
        self.demand = None
        return messages + [message for message in messages if self.dice.random() < 0.1]

    def _deliver(self, demand):
        """Deliver a message until it ends well, or is a dead letter."""
        self.demand = demand
        for _ in range(TRIES):
            if self._run(self.rotator):
                if demand and demand.reason is Reason.COMPROMISED and demand.key_id in self.invariants.leaked:
                    self.recorded_leaks.add(demand.key_id)
                self._leaks_are_answered()
                if not self.invariants.has_read_late:
                    self.expectations.ran(demand)
                break
            self.clock.advance(minutes=7)
        else:
            self._require(not self.weather.calm, f"nothing ends well on a calm day: {self.errors[-1:]}")
        self.demand = None

    def _leaks_are_answered(self):
        """After a run that ended well, every leaked key that is still Active is named in a notice."""
        record = self.records.find(self.name)
        listed = self.account.users[self.name].keys if self.name in self.account.users else {}
        for key_id in sorted(self.invariants.leaked & listed.keys()):
            if record and record.history(key_id).compromised:
                self.recorded_leaks.add(key_id)
            if listed[key_id].active and key_id in self.recorded_leaks and record:
                text = record.notice.text if record.notice else ""
                self._require(key_id in text, f"a leaked key is Active, and the notice is {text!r} ({key_id})")

    def _prove(self):
        """The hourly check, on a calm day: what consumers read and is dead is reported."""
        self.weather.calm, before = True, len(self.publisher.published)
        ports = self._ports()
        proof = prove_secrets(
            **{name: ports[name] for name in ("users", "vault", "authenticator", "publisher")},
            memory=ports["records"],
            clock=self.clock,
            settings=self.settings,
            service_path="/service/",
            home_region="home",
        )
        proof.prove("hourly")
        self.weather.calm = False
        told = self.publisher.published[before:]
        self._dead_keys_are_reported(told)

    def _dead_keys_are_reported(self, told):
        stored, secret = self.account.users.get(self.name), self.account.secrets.get(self.name)
        busy = any(is_busy for _, _, is_busy in self.records.all())
        if stored is None or secret is None or secret.deleted or secret.owner != self.account.stack or busy:
            return
        user, record = stored.user, self.records.find(self.name)
        if record is None or record.user_id != user.user_id or not user.is_enrolled("/service/"):
            return
        content = secret.versions.get(secret.labels.get(Label.CURRENT))
        if content is Content.PLACEHOLDER:
            return
        key = stored.keys.get(getattr(content, "access_key_id", ""))
        if key is not None and key.active:
            return
        is_told = any(isinstance(event, SecretDoesNotAuthenticate) for event in told)
        is_noted = (record.notice is not None and self._has_published(AccessKeyRotationBlocked)) or (
            record.failure is not None and self._has_published(AccessKeyRotationFailed)
        )
        self._require(is_told or is_noted, "a dead current key was not reported within the hour")

    def _has_published(self, kind):
        return any(isinstance(event, kind) for event in self.publisher.published)

    def meanwhile(self):
        """Between two calls: another run of the same message, or nothing while one is under way."""
        if self._interfering:
            return
        self._interfering = True
        trusts_memory, self.trusts_memory = self.trusts_memory, False
        try:
            demand, outcome = self.demand, self.outcome
            with self.invariants.another_run():
                self._run(self._rotator())
            self.demand, self.outcome = demand, outcome
        finally:
            self._interfering, self.trusts_memory = False, trusts_memory

    def _somebody_acts(self):
        act = self.dice.choice(self._possible)
        self.acts[act.__name__] += 1
        act(self)
        self.invariants.accept()

    def _settle(self):
        """Nobody does anything any more, and nothing fails: what is half-done is finished."""
        self.weather.calm = True
        for _ in range(SETTLING_DAYS * 4):
            self.tick()
            self.weather.calm = True
        self.expectations.finished()

    @staticmethod
    def _require(holds, what):
        if not holds:
            raise InvariantViolatedError(what)


class _JudgedUsers(IamUsers):
    """The adapter, with the account's judgement in place of the policy engine, which has tests of its own."""

    def __init__(self, client, account):
        super().__init__(client, client, self)
        self._account = account

    def escalation(self, user):
        return self._account.users[user.name].standing.escalation


def _settings(dice):
    """What an operator may have set."""
    chosen = SETTINGS
    if dice.random() < 0.2:
        chosen = replace(chosen, at_max_age=AtMaxAge.DEACTIVATE)
    if dice.random() < 0.4:
        chosen = replace(chosen, replica_regions=("away",))
    if dice.random() < 0.2:
        chosen = replace(chosen, secret_readers=("arn:aws:iam::123456789012:role/deploy",))
    if dice.random() < 0.2:
        starts = FIRST_DAY + timedelta(days=dice.randrange(12))
        chosen = replace(chosen, freeze=(FreezeWindow(starts=starts, ends=starts + timedelta(days=2)),))
    if dice.random() < 0.2:
        until = FIRST_DAY + timedelta(days=dice.randrange(2, 12))
        chosen = replace(chosen, exempt=(Exemption(user="ecr-push", reason="appliance", until=until),))
    return chosen


def _stored(life):
    return life.account.users.get(life.name)


def _some_key(life, **how):
    """The id of one of the user's keys; None where there is none."""
    stored = _stored(life)
    keys = [key.id for key in stored.keys.values() if how.get("active", key.active) == key.active] if stored else []
    return life.dice.choice(keys) if keys else None


def _set(life, key_id, *, active):
    keys = _stored(life).keys
    keys[key_id] = replace(keys[key_id], active=active)


def deactivates_a_key_by_hand(life):
    if key_id := _some_key(life, active=True):
        life.invariants.taken.add(key_id)
        _set(life, key_id, active=False)


def activates_a_key_by_hand(life):
    if key_id := _some_key(life, active=False):
        _set(life, key_id, active=True)
        life.brought_back.add(key_id)


def deletes_a_key_by_hand(life):
    if key_id := _some_key(life):
        life.invariants.taken.add(key_id)
        InMemoryUsers(life.account).delete_key(life.name, key_id) if _is_enrolled(life) else None


def makes_a_key_by_hand(life):
    stored = _stored(life)
    if stored and len(stored.keys) < 2:
        life.invariants.foreign.add(life.account.make_key(life.name).id)


def reports_a_leak(life):
    if key_id := _some_key(life):
        life.invariants.leaked.add(key_id)
        life.demand = Demand(key_id, Reason.COMPROMISED)


def reports_a_leak_of_a_key_that_is_gone(life):
    record = life.records.find(life.name)
    if record and record.keys:
        key_id = life.dice.choice(sorted(record.keys))
        life.invariants.leaked.add(key_id)
        life.demand = Demand(key_id, Reason.COMPROMISED)


def forges_a_leak_of_a_key_that_does_not_exist(life):
    life.demand = Demand(f"AKIAFORGED{life.dice.randrange(10**10):010d}", Reason.COMPROMISED)


def forges_a_leak_of_a_key_in_use(life):
    """A sender that the queue admits; no report of it is stored."""
    key_id = _some_key(life, active=True)
    if key_id and key_id not in life.invariants.leaked:
        life.demand = Demand(key_id, Reason.COMPROMISED)


def forges_a_rotation(life):
    """A sender that the queue admits; nobody asked for it, most often of the key that is current."""
    forged = life.account.current_key(life.name) or _some_key(life) or "AKIANOTHING000000000"
    if life.dice.random() < 0.3:
        forged = _some_key(life) or "AKIANOTHING000000000"
    life.demand = Demand(forged, Reason.ROUTINE, f"forged-{life.dice.random()}")
    life.forged.add(life.demand)


def forges_the_key_of_another_user(life):
    other = life.account.add_user("ecr-other")
    key = life.account.make_key(other)
    life.demand = Demand(key.id, life.dice.choice([Reason.COMPROMISED, Reason.ROUTINE]), "forged")
    life.forged.add(life.demand)


def reports_a_leak_without_a_key(life):
    """It means the key of a user without a record; of any other a person must name one."""
    record = life.records.find(life.name)
    if record and record.current_key:
        life.demand = Demand("", Reason.COMPROMISED)


def asks_for_a_rotation(life):
    if current := life.account.current_key(life.name):
        life.demand = Demand(current, Reason.ROUTINE, f"asked-{life.dice.random()}")


def asks_through_the_api(life):
    """The request may be on record although its answer is an error."""
    reason = life.dice.choice([Reason.ROUTINE, Reason.COMPROMISED])
    key_id = life.account.current_key(life.name)
    with suppress(StewardError, ProcessDiedError):
        number = f"call-{life.dice.random()}"
        asked = life.operation.request_rotation(life.name, reason, key_id, "operator", number, dry_run=False)
        life.demand = Demand(asked.key_id, reason, number, "operator")
    life.invariants.leaked |= life.records.reported(life.name)


def reactivates_through_the_api(life):
    life.invariants.run_begins()
    with suppress(StewardError, ProcessDiedError):
        life.operation.reactivate(life.name, "operator", "a consumer broke", "r")


def freezes_the_user(life):
    life.records.put(life.name, frozen="a consumer broke")


def thaws_the_user(life):
    life.records.put(life.name, frozen="")


def breaks_a_tag(life):
    _tag(life, {"steward:max-age-days": life.dice.choice(["soon", "0.00001", "-1"])})


def mends_the_tags(life):
    if stored := _stored(life):
        stored.user = replace(stored.user, tags={"steward:rotate": "true"})


def takes_the_tag_away(life):
    if stored := _stored(life):
        stored.user = replace(stored.user, tags={})


def _tag(life, tags):
    if stored := _stored(life):
        stored.user = replace(stored.user, tags={**stored.user.tags, **tags})


def makes_the_user_an_administrator(life):
    if stored := _stored(life):
        stored.standing = ADMINISTRATOR


def takes_the_rights_back(life):
    if stored := _stored(life):
        stored.standing = Standing(has_password=False, has_mfa=False)


def quarantines_the_user(life):
    life.account.aws_quarantines.add(life.name)


def detaches_the_quarantine(life):
    life.account.aws_quarantines.discard(life.name)


def deletes_the_secret(life):
    if secret := life.account.secrets.get(life.name):
        secret.deleted = True


def restores_the_secret(life):
    if secret := life.account.secrets.get(life.name):
        secret.deleted = False


def puts_another_key_into_the_secret(life):
    key_id = _some_key(life, active=True)
    secret = life.account.secrets.get(life.name)
    if key_id and secret and not secret.deleted and life.account.current_key(life.name):
        life.account.put_value(life.name, key_id)


def writes_what_nobody_reads(life):
    secret = life.account.secrets.get(life.name)
    if secret and not secret.deleted:
        version = f"by-hand-{life.dice.random()}"
        secret.versions[version] = Content.UNREADABLE
        secret.labels[Label.CURRENT] = version


def rotates_in_secrets_manager(life):
    secret = life.account.secrets.get(life.name)
    if secret and not secret.deleted:
        token = f"token-{life.dice.random()}"
        life.account.begin_rotation(life.name, token)
        life.trusts_memory = True
        for _ in range(TRIES):
            if life._ends_well(lambda: life._take_steps(token, life.dice.choice([1, 3]))):
                break
            life.clock.advance(minutes=7)
        life.trusts_memory = False


def loses_the_table(life):
    life.records.lose()
    life.recorded_leaks.clear()
    life.invariants.table_lost()
    life.expectations.table_lost()


def lets_the_replica_catch_up(life):
    if secret := life.account.secrets.get(life.name):
        secret.replicas = dict.fromkeys(secret.replicas, True)


def lifts_the_resource_policy(life):
    if secret := life.account.secrets.get(life.name):
        secret.readers = ()


def stops_a_consumer(life):
    life.consumer.key, life.consumer.read_at = None, life.clock.now() + timedelta(days=3)


def locks_the_steward_out(life):
    """The stack was deployed again: its table is empty, and the secret lets roles of other names read."""
    secret = life.account.secrets.get(life.name)
    if secret and life.settings.secret_readers:
        loses_the_table(life)
        secret.readers = (*life.settings.secret_readers, "arn:aws:iam::123456789012:role/of-a-former-stack")


def enrols_the_user_with_its_present_key(life):
    """A user from before the steward, whose key is in no secret: its holder is to store it."""
    stored = _stored(life)
    active = [key.id for key in stored.keys.values() if key.active] if stored else []
    if len(active) == 1 and active[0] not in life.invariants.leaked:
        loses_the_table(life)
        life.account.secrets.pop(life.name, None)
        life.invariants.foreign.add(active[0])
        claim = life.records.claim(life.name, "an enrolment", timedelta(minutes=1))
        entry = Entry(life.clock.now() - HOUR, awaits=active[0])
        life.records.release(claim, replace(claim.record, entry=entry))


def hands_the_secret_to_another_stack(life):
    if secret := life.account.secrets.get(life.name):
        secret.owner = "another-stack"


def takes_the_secret_back(life):
    if secret := life.account.secrets.get(life.name):
        secret.owner = life.account.stack


def lets_the_schedule_ask(life):
    """Secrets Manager's own schedule has come."""
    secret = life.account.secrets.get(life.name)
    if secret and not secret.deleted and secret.rotation:
        secret.rotates_by = life.clock.now()
        rotates_in_secrets_manager(life)


def deletes_the_user(life):
    stored = _stored(life)
    if stored and life.dice.random() < 0.3:
        life.invariants.taken |= stored.keys.keys()
        del life.account.users[life.name]


def _is_enrolled(life):
    stored = _stored(life)
    return stored is not None and stored.user.is_enrolled("/service/")


def renews_a_user_of_the_same_name(life):
    """The user is deleted, with its keys, and made again."""
    stored = _stored(life)
    if stored is None or life.dice.random() < 0.3:
        life.invariants.taken |= stored.keys.keys() if stored else set()
        life.account.recreate_user(life.name)


ACTS = (
    deactivates_a_key_by_hand, activates_a_key_by_hand, deletes_a_key_by_hand, makes_a_key_by_hand,
    reports_a_leak, reports_a_leak, reports_a_leak_of_a_key_that_is_gone,
    forges_a_leak_of_a_key_in_use, forges_a_leak_of_a_key_that_does_not_exist,
    forges_a_rotation, forges_a_rotation,
    forges_the_key_of_another_user, asks_for_a_rotation, asks_through_the_api, reactivates_through_the_api,
    freezes_the_user, thaws_the_user, breaks_a_tag, mends_the_tags, takes_the_tag_away, mends_the_tags,
    makes_the_user_an_administrator, takes_the_rights_back, quarantines_the_user, detaches_the_quarantine,
    deletes_the_secret, restores_the_secret, restores_the_secret, puts_another_key_into_the_secret,
    writes_what_nobody_reads, rotates_in_secrets_manager, loses_the_table, lets_the_replica_catch_up,
    lifts_the_resource_policy, stops_a_consumer, renews_a_user_of_the_same_name, reports_a_leak_without_a_key,
    locks_the_steward_out, hands_the_secret_to_another_stack, takes_the_secret_back, takes_the_secret_back,
    lets_the_schedule_ask, deletes_the_user, enrols_the_user_with_its_present_key,
)  # fmt: skip


NEEDS = {
    "key_has_leaked": (reports_a_leak, activates_a_key_by_hand, deactivates_a_key_by_hand),
    "user_is_gone": (deletes_the_user,),
    "user_is_another": (renews_a_user_of_the_same_name,),
    "user_is_not_enrolled": (takes_the_tag_away,),
    "leak_names_no_key": (reports_a_leak_without_a_key,),
    "secret_is_not_ours": (hands_the_secret_to_another_stack,),
    "secret_is_deleted": (deletes_the_secret,),
    "policy_locks_us_out": (locks_the_steward_out,),
    "label_is_unreadable": (writes_what_nobody_reads,),
    "leaked_key_is_active": (reports_a_leak, asks_for_a_rotation),
    "promotion_is_unrecorded": (stops_a_consumer,),
    "deactivation_is_unannounced": (asks_for_a_rotation,),
    "older_key_can_return": (asks_for_a_rotation, reports_a_leak),
    "user_is_frozen": (freezes_the_user,),
    "tags_are_unfit": (breaks_a_tag,),
    "present_key_is_awaited": (enrols_the_user_with_its_present_key,),
    "key_is_unattributed": (makes_a_key_by_hand,),
    "current_key_is_inactive": (deactivates_a_key_by_hand,),
    "current_key_is_missing": (deletes_a_key_by_hand,),
    "gone_key_is_remembered": (asks_for_a_rotation,),
    "readers_have_changed": (lifts_the_resource_policy,),
    "pending_key_waits": (stops_a_consumer,),
    "schedule_asks_too_early": (lets_the_schedule_ask,),
    "key_is_wanted": (stops_a_consumer,),
    "replica_is_missing": (stops_a_consumer,),
    "backstop_is_missing": (stops_a_consumer,),
    "brought_back_by_hand": (activates_a_key_by_hand,),
    "adoption": (asks_for_a_rotation,),
    "deactivation": (asks_for_a_rotation,),
    "deletion": (asks_for_a_rotation,),
}
"""What people must do for each rule to matter soon; with all acts in equal parts, some matter in one life of fifty."""


def live_through(seeds, rule=None, possible=None):
    """Live the lives of these seeds, without one rule if named; what was violated, by seed, and what happened."""
    violated, calls, acts = {}, Counter(), Counter()
    for seed in seeds:
        life = RandomLife(seed, without(rule) if rule else order.decide, possible)
        try:
            life.live()
        except Exception as error:  # noqa: BLE001 - whatever it is, the life did not come to its end
            violated[seed] = f"{type(error).__name__}: {error}"
        calls += life.weather.counted
        acts += life.acts
    return violated, calls, acts


def first_noticed(rule, seeds):
    """The first of the seeds whose life shows that a rule is switched off; None if none does."""
    return next((seed for seed in seeds if live_through([seed], rule, NEEDS[rule])[0]), None)


def main():
    """Print the figures: of the lives FIRST to LAST, or with ``rules`` of lives without one rule each.

    ``python -m tests.unit.access_key_rotation.random_lives FIRST LAST``
    """
    if sys.argv[1:] == ["rules"]:
        noticed = {rule: first_noticed(rule, range(FEW)) for rule in NEEDS}
        lines = [*(f"{rule}: life {seed}" for rule, seed in noticed.items())]
        lines.append(f"rules noticed: {sum(seed is not None for seed in noticed.values())} of {len(order.RULES)}")
        print("\n".join(lines))  # noqa: T201 - the figures
        return 1 if None in noticed.values() else 0
    first, last = (int(argument) for argument in sys.argv[1:])
    violated, calls, acts = live_through(range(first, last))
    disturbed = ", ".join(f"{kind} {number}" for kind, number in sorted(calls.items()) if kind != "undisturbed")
    lines = [
        f"lives {last - first}, calls {sum(calls.values())}, violations {len(violated)}",
        f"calls disturbed: {disturbed}",
        f"acts of people, and forged messages: {sum(acts.values())} of {len(acts)} kinds",
        *(f"violated by {seed}: {what}" for seed, what in violated.items()),
    ]
    print("\n".join(lines))  # noqa: T201 - the figures
    return 1 if violated else 0


if __name__ == "__main__":
    sys.exit(main())
