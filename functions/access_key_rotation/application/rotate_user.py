"""Rotates one user's key: observe, decide the next step, take it, and decide again until nothing is left to do now."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from access_key_rotation.application.effects.create_key import KeyCreation
from access_key_rotation.application.effects.maintain_secret import SecretMaintenance
from access_key_rotation.application.effects.promote_key import KeyPromotion
from access_key_rotation.application.effects.remove_key import KeyRemoval
from access_key_rotation.application.effects.take_step import Steps
from access_key_rotation.application.finish_run import RunEnd
from access_key_rotation.application.observe_user import UserObserver
from access_key_rotation.application.ports import (
    BusyError,
    CredentialVault,
    EcrLoginDeniedError,
    RotationRecords,
    SyncMemory,
    Trail,
    Users,
)
from access_key_rotation.application.run import LEASE, Lease, Outcome, Run
from access_key_rotation.application.verify_key import KeyVerifier
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules import steps as do
from access_key_rotation.domain.rules.next_key import LEAKED
from access_key_rotation.domain.rules.order import decide, leaks_to_announce, leaks_to_stop
from access_key_rotation.domain.rules.situation import Demand, Enrolment, Reason, Situation
from access_key_rotation.domain.settings import RotationSettings, UserSettings, settings_of
from access_key_rotation.domain.state import AccessKey
from steward.clock import Clock
from steward.errors import ConflictError, StewardError
from steward.events import EventPublisher

MOST_STEPS = 24
LEAK_WAITS = timedelta(minutes=2)
"""How long the response to a leak waits for the lock of another run; the rest of the function's time is its own."""
LOCK_TRIED_EVERY = 2
"""Seconds."""
LEAK_LIVES = timedelta(seconds=20)
"""How long a leaked key waits for the lock: longer than most runs, and short enough that it is dead within a minute."""
HELD = "HELD"
"""The state of a run that pauses before a promotion."""

type Decide = Callable[[Situation], do.Action]


class Rotator:
    """Advances one user at a time: in one run, or in the steps of Secrets Manager.

    Parameters
    ----------
    decide
        The rules; a parameter so that tests can show what each of them is for.
    new_token
        Makes the id of a secret's next version.
    """

    def __init__(
        self,
        users: Users,
        vault: CredentialVault,
        records: RotationRecords,
        trail: Trail,
        sync: SyncMemory,
        verifier: KeyVerifier,
        publisher: EventPublisher,
        clock: Clock,
        settings: RotationSettings,
        enrolment: Enrolment,
        new_token: Callable[[], str],
        decide: Decide = decide,
    ) -> None:
        self._users = users
        self._records = records
        self._clock = clock
        self._enrolment = enrolment
        self._new_token = new_token
        self._decide = decide
        self._settings = settings
        self._observer = UserObserver(users, vault, trail, sync, settings, enrolment)
        self._promotion = KeyPromotion(vault, verifier, clock)
        creation, removal = KeyCreation(users, vault, clock), KeyRemoval(users, vault, clock)
        self._steps = Steps(self._observer, SecretMaintenance(vault, clock), creation, self._promotion, removal)
        self._end = RunEnd(publisher, clock)

    def advance(self, name: UserName, correlation_id: str, demand: Demand | None = None) -> Outcome:
        """Take every step for the user that can be taken now.

        Parameters
        ----------
        demand
            A rotation that was requested, beside what the user's state requires.

        Raises
        ------
        BusyError
            Another run works on this user.
        StewardError
            A step failed; the next run finishes what is half-done.
        """
        try:
            lease = self._lease_for(name, demand)
        except StewardError as error:
            if demand and demand.reason is Reason.COMPROMISED:
                obstacle = self._stop_without_lock(name, demand)
                self._end.not_begun(name, demand, error, correlation_id, obstacle=obstacle)
            raise
        run = Run(lease, self._settings_of(name), correlation_id, demand)
        if demand and not lease.claim.confirms(demand):
            run.demand, run.unconfirmed = None, demand if demand.reason is Reason.COMPROMISED else None
        return self._end.finish(run, self._go(run, self._observer.look))

    def begin(self, name: UserName, token: str, correlation_id: str) -> Run | Outcome:
        """Take every step before a promotion and keep the lock for it; return the outcome if no promotion is next.

        Parameters
        ----------
        token
            The version that Secrets Manager created for the key; with it ``resume`` takes the lock over if the run is
            lost.

        Raises
        ------
        BusyError, StewardError
            As above.
        """
        lease = self._lease(name, token)
        run = Run(lease, self._settings_of(name), correlation_id, trusts_memory=True, new_version=token)
        end = self._go(run, self._observer.look, until=do.Promote)
        run.in_hand = None  # no material outlives the call
        return run if end.state == HELD else self._end.finish(run, end)

    def verify(self, run: Run, credential: Credential) -> None:
        """Verify the key that a run is about to promote.

        Raises
        ------
        StewardError
            The key does not authenticate, which ends the run.
        """
        try:
            self._promotion.verify(run, credential, urgent=self._situation(run).is_urgent)
        except Exception as error:
            self._give_up(run, error)
            raise

    def finish(self, run: Run) -> Outcome:
        """Continue a run that ``begin`` left open; raises what ``advance`` raises."""
        return self._end.finish(run, self._go(run))

    def resume(self, name: UserName, token: str, correlation_id: str) -> Outcome:
        """Continue what a lost run began with this token; raises what ``advance`` raises."""
        lease = self._lease(name, token, resuming=True)
        run = Run(lease, self._settings_of(name), correlation_id, trusts_memory=True)
        return self._end.finish(run, self._go(run, self._observer.look))

    def _lease_for(self, name: UserName, demand: Demand | None) -> Lease:
        """The lock; the response to a leak waits for it, because its message returns only after ``RETRY``.

        The leaked key itself does not: its holder may have died, and its lock then stands for the whole ``LEASE``.
        """
        leaked = demand if demand and demand.reason is Reason.COMPROMISED else None
        began = self._clock.now()
        while True:
            try:
                return self._lease(name, self._new_token())
            except BusyError:
                waited = self._clock.now() - began
                if leaked and waited >= LEAK_LIVES:
                    self._stop_without_lock(name, leaked)
                if not leaked or waited >= LEAK_WAITS:
                    raise
            self._clock.pause(LOCK_TRIED_EVERY)

    def _stop_without_lock(self, name: UserName, leaked: Demand) -> str:
        """Deactivate a key without the lock if its leak is stored; the next run records it.

        Returns why the key may still be active; nothing where it is known to be dead.
        """
        try:
            if not leaked.key_id:
                return "the report does not name it"
            if not self._records.has_leaked(name, leaked.key_id):
                return "no report of it is stored"
            if any(key.active and key.id == leaked.key_id for key in self._users.keys(name)):
                self._records.stop(name, leaked.key_id)
                self._users.deactivate_key(name, leaked.key_id)
        except StewardError as error:
            return str(error)
        return ""

    def _lease(self, name: UserName, token: str, *, resuming: bool = False) -> Lease:
        return Lease(self._records.claim(name, token, LEASE, resuming=resuming), self._records, self._clock)

    def _settings_of(self, name: UserName) -> UserSettings:
        """The settings of the user, without its tags."""
        return settings_of(self._settings, name, {})

    def _go(self, run: Run, look: Callable[[Run], None] | None = None, until: type[do.Promote] | None = None) -> do.End:
        """Observe, and take steps until nothing is left to do now, or until a step of the kind ``until``."""
        try:
            if look:
                look(run)
            return self._step_on(run, until)
        except Exception as error:
            self._give_up(run, error)
            raise

    def _give_up(self, run: Run, error: Exception) -> None:
        """Leave nothing to the next run that cannot wait for it, and record why this one failed."""
        self._stop_leaks(run)
        if isinstance(error, EcrLoginDeniedError):
            self._observer.look_for_quarantine(run)
        self._end.give_up(run, error)

    def _stop_leaks(self, run: Run) -> None:
        """Deactivate leaked keys although the run failed: no failure, of AWS or of ours, keeps one alive."""
        run.failed_step = run.steps[-1] if run.steps else run.failed_step
        demand = run.demand
        if demand and demand.reason is Reason.COMPROMISED and demand.key_id and run.seen.listed_at is None:
            unlisted = AccessKey(demand.key_id, active=True, created=self._clock.now())
            run.seen = run.seen.with_key(unlisted)
            with suppress(StewardError):  # IAM itself refuses it for a user outside of the path
                self._steps.take(run, do.Deactivate(unlisted.id, LEAKED))
        for left in (leaks_to_stop, leaks_to_announce):
            for step in left(self._situation(run)):
                with suppress(StewardError):
                    run.steps.append(type(step).__name__)
                    self._steps.take(run, step)

    def _situation(self, run: Run) -> Situation:
        return Situation(run.seen, run.settings, self._enrolment, self._clock.now(), run.demand)

    def _step_on(self, run: Run, until: type[do.Promote] | None) -> do.End:
        for _ in range(MOST_STEPS):
            action = self._decide(self._situation(run))
            if isinstance(action, do.Wait | do.Block | do.Release):
                return action
            if until and isinstance(action, until):
                return do.Wait(HELD, self._clock.now())
            run.steps.append(type(action).__name__)
            self._steps.take(run, action)
        raise ConflictError(f"{run.name}: {MOST_STEPS} steps led nowhere: {', '.join(run.steps)}")
