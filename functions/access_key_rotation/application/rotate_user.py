"""The use case: look at a user, take the one next step, look again, until there is nothing to do now."""

from collections.abc import Callable

from access_key_rotation.application.effects.create_key import Issuance
from access_key_rotation.application.effects.maintain_secret import SecretUpkeep
from access_key_rotation.application.effects.promote_key import Promotion
from access_key_rotation.application.effects.remove_key import Revocation
from access_key_rotation.application.effects.take_step import Steps
from access_key_rotation.application.finish_run import Conclusion
from access_key_rotation.application.observe_user import Observer
from access_key_rotation.application.ports import CredentialVault, RotationRecords, Trail, Users
from access_key_rotation.application.run import LEASE, Lease, Outcome, Run
from access_key_rotation.application.verify_key import KeyVerifier
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules import steps as do
from access_key_rotation.domain.rules.order import decide
from access_key_rotation.domain.rules.situation import Demand, Enrolment, Situation
from access_key_rotation.domain.settings import RotationPolicy, RotationSettings, policy_of
from access_key_rotation.domain.state import Standing
from steward.clock import Clock
from steward.errors import ConflictError
from steward.events import EventPublisher

MOST_STEPS = 24
HELD = "HELD"
"""The state of a run that stops before a promotion, and goes on."""

type Decide = Callable[[Situation], do.Action]


class Rotator:
    """Advances one user at a time, by itself or step by step for Secrets Manager.

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
        verifier: KeyVerifier,
        publisher: EventPublisher,
        clock: Clock,
        settings: RotationSettings,
        enrolment: Enrolment,
        new_token: Callable[[], str],
        decide: Decide = decide,
    ) -> None:
        self._records = records
        self._clock = clock
        self._enrolment = enrolment
        self._new_token = new_token
        self._decide = decide
        self._settings = settings
        self._observer = Observer(users, vault, trail, settings, enrolment)
        self._promotion = Promotion(vault, verifier, clock)
        issuance, revocation = Issuance(users, vault, clock), Revocation(users, vault, clock)
        self._steps = Steps(self._observer, SecretUpkeep(vault), issuance, self._promotion, revocation)
        self._conclusion = Conclusion(publisher, clock)

    def advance(
        self,
        name: UserName,
        correlation_id: str,
        demand: Demand | None = None,
        *,
        standing: Standing | None = None,
    ) -> Outcome:
        """Take every step for the user that can be taken now.

        Parameters
        ----------
        demand
            What somebody asked for, beside what the user's state asks for.
        standing
            What the planner found out about a user that is as it is remembered; None to look again.

        Raises
        ------
        BusyError
            Another run works on this user.
        StewardError
            A step failed; nothing is half-done that the next run would not finish.
        """
        lease, policy = self._lease(name, self._new_token()), self._policy(name)
        run = Run(lease, policy, correlation_id, demand, standing, trusts_memory=standing is not None)
        return self._conclusion.reach(run, self._go(run, self._observer.look))

    def begin(self, name: UserName, token: str, correlation_id: str) -> Run | Outcome:
        """Take every step that comes before a promotion, and keep the lock for it; where none comes, the outcome.

        Parameters
        ----------
        token
            The version that Secrets Manager made for the key; by it ``resume`` takes the lock over, should the run be
            lost.

        Raises
        ------
        BusyError, StewardError
            As above.
        """
        lease, policy = self._lease(name, token), self._policy(name)
        run = Run(lease, policy, correlation_id, trusts_memory=True, new_version=token)
        end = self._go(run, self._observer.look, until=do.Promote)
        run.in_hand = None  # no material outlives the call
        return run if end.state == HELD else self._conclusion.reach(run, end)

    def verify(self, run: Run, credential: Credential) -> None:
        """Prove that the key which a run is about to promote works.

        Raises
        ------
        StewardError
            It does not, which ends the run.
        """
        try:
            self._promotion.prove(run, credential)
        except Exception as error:
            self._conclusion.give_up(run, error)
            raise

    def finish(self, run: Run) -> Outcome:
        """Go on with a run that ``begin`` left open; raises what ``advance`` raises."""
        return self._conclusion.reach(run, self._go(run))

    def resume(self, name: UserName, token: str, correlation_id: str) -> Outcome:
        """Go on with what was begun with this token, by a run that is lost; raises what ``advance`` raises."""
        lease, policy = self._lease(name, token, resuming=True), self._policy(name)
        run = Run(lease, policy, correlation_id, trusts_memory=True)
        return self._conclusion.reach(run, self._go(run, self._observer.look))

    def _lease(self, name: UserName, token: str, *, resuming: bool = False) -> Lease:
        return Lease(self._records.claim(name, token, LEASE, resuming=resuming), self._records, self._clock)

    def _policy(self, name: UserName) -> RotationPolicy:
        """What the settings alone ask for the user."""
        return policy_of(self._settings, name, {})

    def _go(self, run: Run, look: Callable[[Run], None] | None = None, until: type[do.Promote] | None = None) -> do.End:
        """Look, and take steps until there is nothing to do now, or until one that is not to be taken yet."""
        try:
            if look:
                look(run)
            return self._step_on(run, until)
        except Exception as error:
            self._conclusion.give_up(run, error)
            raise

    def _step_on(self, run: Run, until: type[do.Promote] | None) -> do.End:
        for _ in range(MOST_STEPS):
            action = self._decide(Situation(run.seen, run.policy, self._enrolment, self._clock.now(), run.demand))
            if isinstance(action, do.Wait | do.Block | do.Release):
                return action
            if until and isinstance(action, until):
                return do.Wait(HELD, self._clock.now())
            run.steps.append(type(action).__name__)
            self._steps.take(run, action)
        raise ConflictError(f"{run.name}: {MOST_STEPS} steps led nowhere: {', '.join(run.steps)}")
