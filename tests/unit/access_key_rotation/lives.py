"""The life of a user's keys, told call by call, so that any call can fail; and consumers who must not notice."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count

from access_key_rotation.application.enrol_user import Caller
from access_key_rotation.application.ports import OutcomeUnknownError
from access_key_rotation.bootstrap import enrol_user, operate_service_users, rotate_secret, rotate_user, sync_secrets
from access_key_rotation.domain.enrolment import FirstSecret
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules import order
from access_key_rotation.domain.rules.situation import Demand, Enrolment, Reason
from access_key_rotation.domain.settings import RotationSettings, Times, Verification
from steward.errors import ConflictError, StewardError, ThrottledError, UpstreamError
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_rotation_records import InMemoryRotationRecords
from tests.doubles.in_memory_service_account import (
    OUR_ROLES,
    InMemoryAuthenticator,
    InMemoryEnrolments,
    InMemoryServiceAccount,
    InMemoryTrail,
    InMemoryUsers,
    InMemoryVault,
)
from tests.doubles.in_memory_sync import InMemorySyncRecords, InMemoryTargets
from tests.doubles.recording_publisher import RecordingPublisher
from tests.unit.access_key_rotation.invariants import Invariants

SETTINGS = RotationSettings(
    times=Times(rotate_after_days=6, max_age_days=9, drain_days=2, adoption_timeout_days=2, keep_inactive_days=2),
    verify=Verification(regions=("home", "away")),
)
FUNCTION = "arn:aws:lambda:ca-central-1:123456789012:function:rotation"
TICK = timedelta(hours=6)
RETRIES = {"retried at once": timedelta(), "an hour later": timedelta(hours=1), "twice at once": timedelta()}
FAULTS = ("fails before", "reply lost", "throttled", "dies")


class ProcessDiedError(BaseException):
    """The process is no more: nothing of it runs on."""


@dataclass
class Fault:
    """What goes wrong at one call of a life."""

    at: int
    kind: str
    twice: bool = False


class Stage:
    """Every call to AWS passes here: it is counted, may fail, and the invariants are checked after it."""

    def __init__(self, fault, invariants):
        self.fault = fault
        self.invariants = invariants
        self.calls = []
        self.meanwhile = None

    def pass_through(self, name, call, arguments):
        number = len(self.calls)
        self.calls.append(name)
        due = self.fault is not None and self.fault.at == number
        if due and self.meanwhile:
            self.meanwhile()
        if due and self.fault.kind == "fails before":
            self._not_read(name, arguments)
            raise UpstreamError(f"{name} failed")
        if due and self.fault.kind == "throttled":
            self._not_read(name, arguments)
            raise ThrottledError(f"{name} is throttled")
        if due and self.fault.kind == "breaks":
            self._not_read(name, arguments)
            raise RuntimeError(f"{name} broke")
        try:
            answer = call(*arguments[0], **arguments[1])
        finally:
            self.invariants.check(name)
        if due and self.fault.kind == "reply lost":
            self._not_read(name, arguments)
            raise (OutcomeUnknownError if name == "create_key" else UpstreamError)(f"the reply to {name} was lost")
        if due and self.fault.kind == "dies":
            raise ProcessDiedError(name)
        return answer

    def _not_read(self, name, arguments):
        self.invariants.failed_to_read(name, arguments[0][0] if name == "last_use" else None)


class Staged:
    """A port whose every call passes over the stage."""

    def __init__(self, port, stage):
        self._port = port
        self._stage = stage

    def __getattr__(self, name):
        reached = getattr(self._port, name)
        return lambda *arguments, **keywords: self._stage.pass_through(name, reached, (arguments, keywords))


@dataclass
class Consumer:
    """Reads the secret every twelve hours, and uses the key that it has in between."""

    key: str | None = None
    read_at: object = None
    tried: int = 0
    refused: list = field(default_factory=list)

    def act(self, account, name, invariants):
        now = account.clock.now()
        if self.read_at is None or now - self.read_at >= timedelta(hours=12):
            current = account.current_key(name)
            self.key, self.read_at = current or self.key, now if current else None
        if self.key:
            self.tried += 1
            works = account.use(name, self.key)
            invariants.consumer_acted(self.key, works=works)
            if not works:
                self.refused.append((now, self.key))


class NobodyUses:
    """A trail without a trace."""

    def uses(self, _key_id, _since):
        return []


class Life:
    """One user, from its first key to the end of its second, with a worker that looks whenever something is due."""

    def __init__(
        self,
        fault=None,
        retry="retried at once",
        settings=SETTINGS,
        decide=order.decide,
        name="ecr-push",
        meanwhile=None,
    ):
        self.clock = FrozenClock()
        self.account = InMemoryServiceAccount(self.clock)
        self.name = UserName(name)
        self.publisher = RecordingPublisher()
        self.records = self._new_records()
        self.sync_records = InMemorySyncRecords(self.clock)
        self.targets = InMemoryTargets()
        self.invariants = Invariants(self.account, self.records, self.publisher, settings)
        self.stage = Stage(fault, self.invariants)
        self.retry = retry
        self._decide = decide
        self.consumer = Consumer()
        self.outcome = None
        self.errors = []
        self.demand = None
        self.forged = set()
        """Routine demands that nobody made."""
        if meanwhile:
            self.stage.meanwhile = lambda: self._interfere(meanwhile)
        elif fault and retry == "twice at once":
            self.stage.meanwhile = lambda: self._run(self._rotator())
        self._tokens = count()
        self.change_settings(settings)

    def _new_records(self):
        return InMemoryRotationRecords(self.clock)

    def change_settings(self, settings):
        """Somebody deploys settings."""
        self.settings = self.invariants.settings = settings
        self.rotator = self._rotator()
        ports = {
            name: port for name, port in self._ports().items() if name in {"users", "records", "publisher", "sync"}
        }
        self.enrolment = enrol_user(
            **{name: port for name, port in self._ports().items() if name in {"users", "records", "publisher"}},
            enrolments=Staged(InMemoryEnrolments(self.account), self.stage),
            secrets=Staged(InMemoryVault(self.account), self.stage),
            clock=self.clock,
            settings=settings,
            service_path="/service/",
            stack=self.account.stack,
        )
        self.operation = operate_service_users(
            **ports, uses=NobodyUses(), clock=self.clock, settings=settings, service_path="/service/"
        )

    def _rotator(self):
        return rotate_user(**self._composition(), new_token=lambda: f"version-{next(self._tokens)}")

    def secret_rotation(self, *, follows_schedule=True):
        """Secrets Manager's function, in a new execution environment."""
        return rotate_secret(**self._composition(), follows_schedule=follows_schedule)

    def _composition(self):
        return {
            **self._ports(),
            "clock": self.clock,
            "settings": self.settings,
            "enrolment": Enrolment("/service/", self.account.stack, FUNCTION, OUR_ROLES),
            "home_region": "home",
            "decide": self._decide,
        }

    def _ports(self):
        ports = {
            "users": InMemoryUsers(self.account),
            "vault": InMemoryVault(self.account),
            "records": self.records,
            "trail": InMemoryTrail(self.account),
            "sync": self.sync_records,
            "authenticator": InMemoryAuthenticator(self.account),
            "publisher": self.publisher,
        }
        return {name: Staged(port, self.stage) for name, port in ports.items()}

    def _run(self, rotator):
        self._store_report()

        def steps():
            self.outcome = rotator.advance(self.name, "test", self.demand)

        return self._ends_well(steps)

    def _store_report(self):
        """What was reported or requested is stored before its message is sent; what is forged is in no table."""
        demand = self.demand
        if demand and demand.reason is Reason.ROUTINE and demand not in self.forged:
            self.records.request(self.name, demand)
        if demand and demand.reason is Reason.COMPROMISED and (demand.key_id in {"", *self.invariants.leaked}):
            self.records.report_leak(self.name, demand.key_id)

    def _ends_well(self, steps):
        """Whether a run gets to its end; whatever stops it, the invariants hold."""
        self.invariants.run_begins()
        try:
            steps()
        except (StewardError, RuntimeError) as error:
            self.errors.append(error)
            self.invariants.text_seen(str(error))
            return False
        except ProcessDiedError:
            return False
        return True

    def _again_until(self, ends_well):
        """Try until it ends well; how soon a failed run is tried again is the life's to say."""
        for patience in (RETRIES[self.retry], *[timedelta(minutes=6)] * 20):
            if ends_well():
                return
            self.clock.advance(seconds=max(1, patience.total_seconds()))
        raise AssertionError(f"nothing ended well: {self.errors}")

    def _interfere(self, meanwhile):
        """Somebody changes the account between two calls of ours."""
        meanwhile(self)
        self.invariants.accept()

    def run(self):
        """Run until a run ends well."""
        self._again_until(lambda: self._run(self.rotator))

    def operate(self, act):
        """What an operator does, again until it is done."""
        self._again_until(lambda: self._ends_well(lambda: act(self.operation)))

    def enrol(self, first=FirstSecret.NEW_KEY):
        """An operator's call, again until it is done; a call whose reply was lost finds the user enrolled."""
        self._again_until(lambda: self._ends_well(lambda: self._enrol(first)))
        self.invariants.supersedes(self.key_ids() if first is FirstSecret.NEW_KEY else ())

    def _enrol(self, first):
        caller = Caller("123456789012:role/operator", "alice", "request")
        try:
            self.enrolment.enrol(self.name, first, caller, dry_run=False)
        except ConflictError as error:
            if "enrolled already" not in str(error):
                raise

    def leave(self):
        """An operator's call, again until it is done; a call whose reply was lost finds nothing to leave."""

        def call():
            caller = Caller("123456789012:role/operator", "alice", "request")
            with suppress(ConflictError):
                self.enrolment.leave(self.name, caller, dry_run=False)

        self._again_until(lambda: self._ends_well(call))

    def rotate_secret(self, token, *, environments):
        """RotateSecret, and again until it is done: each environment takes its steps."""

        def rotation():
            self.account.begin_rotation(self.name, token)
            return self._ends_well(lambda: self._take_steps(token, environments))

        self._again_until(rotation)

    def _take_steps(self, token, environments):
        first, second, third = (
            (self.secret_rotation() for _ in range(3)) if environments == 3 else [self.secret_rotation()] * 3
        )
        first.create_secret(self.name, token, "test")
        second.test_secret(self.name, token)
        third.finish_secret(self.name, token, "test")

    def sync(self):
        """What the schedule of secret sync does, once; if it is stopped, the next one goes on."""

        def steps():
            ports = self._ports()
            sync_secrets(
                vault=ports["vault"],
                memory=ports["records"],
                records=ports["sync"],
                targets=Staged(self.targets, self.stage),
                publisher=ports["publisher"],
                clock=self.clock,
                settings=self.settings,
                stack=self.account.stack,
                new_token=lambda: f"sync-{next(self._tokens)}",
            ).sync_all("test")

        self._ends_well(steps)

    def tick(self):
        """Six hours in which consumers act, and the worker where something is due."""
        self.consumer.act(self.account, self.name, self.invariants)
        if self.settings.sync:
            self.sync()
        record = self.records.find(self.name)
        is_due = self._is_enrolled() if record is None else record.next_at is None or record.next_at <= self.clock.now()
        if is_due or self.demand:
            self.run()
            self.demand = None
        self.clock.advance(seconds=TICK.total_seconds())

    def _is_enrolled(self):
        """Whether the planner finds a user of whom nothing is remembered."""
        stored = self.account.users.get(self.name)
        return stored is not None and stored.user.path.startswith("/service/") and "steward:rotate" in stored.user.tags

    def days(self, number):
        for _ in range(int(number * 4)):
            self.tick()
        return self

    def requested(self, key_id=None, number="", by="", session=""):
        """A routine rotation as its message says it, stored as the API stores it."""
        key_id = self.account.current_key(self.name) if key_id is None else key_id
        demand = Demand(key_id, Reason.ROUTINE, number, by, session)
        self.records.request(self.name, demand)
        return demand

    def demand_rotation(self, reason=Reason.ROUTINE, key_id=None):
        self.demand = Demand(key_id or self.account.current_key(self.name), reason)
        self.tick()
        return self

    def key_ids(self):
        return {key.id for key in self.account.users[self.name].keys.values()}


def without(*rules):
    """``decide`` with some of its rules switched off."""

    kept = tuple(rule for rule in order.RULES if rule.__name__ not in rules)
    return partial(order.decide, rules=kept)
