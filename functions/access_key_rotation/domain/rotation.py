"""The use case: look at a user, take the one next step, look again, until there is nothing to do now."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from access_key_rotation.domain import actions as do
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.decision import decide
from access_key_rotation.domain.events import (
    AccessKeyDeactivated,
    AccessKeyDeleted,
    AccessKeyRotated,
    AccessKeyRotationBlocked,
    AccessKeyRotationFailed,
    SecretReaderMissing,
)
from access_key_rotation.domain.naming import UserName
from access_key_rotation.domain.observation import (
    AccessKey,
    Content,
    KeyHistory,
    Label,
    Named,
    Notice,
    Observed,
    Record,
    Secret,
    Standing,
    User,
)
from access_key_rotation.domain.policy import RotationPolicy, RotationSettings, policy_of
from access_key_rotation.domain.ports import (
    Claim,
    CredentialVault,
    KeyNotFoundError,
    LabelMovedError,
    LeaseLostError,
    OutcomeUnknownError,
    RotationRecords,
    Trail,
    Users,
)
from access_key_rotation.domain.situation import SETTLE, Demand, Enrolment, Reason, Situation
from access_key_rotation.domain.verification import Verifier
from steward.clock import Clock
from steward.errors import ConflictError, NotFoundError, RuleViolationError, StewardError, ThrottledError
from steward.events import EventPublisher, PublishableEvent

LEASE = timedelta(minutes=6)
"""How long one run may work on a user; longer than the function's timeout, so that a lock outlives its holder."""
MARGIN = timedelta(seconds=30)
"""What must be left of the lease before a call that changes something: longer than any one call may take."""
PROOF_COUNTS = timedelta(minutes=1)
"""How long a key counts as proven, until it is promoted."""
PAUSES = (1, 2, 4)
"""Seconds to wait where IAM throttles the making of a key."""
REMIND = timedelta(days=1)
MOST_STEPS = 24
HELD = "HELD"
"""The state of a run that stops before a promotion, and goes on."""

type Decide = Callable[[Situation], do.Action]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: the user's state, and every step that was taken."""

    user: UserName
    end: do.Wait | do.Block
    steps: tuple[str, ...]
    seen: Observed

    @property
    def state(self) -> str:
        """The name of the state."""
        return self.end.state


@dataclass(slots=True)
class Run:
    """What one run knows beside what it sees. It holds the user's lock until it is finished."""

    claim: Claim
    correlation_id: str
    demand: Demand | None = None
    standing: Standing | None = None
    trusts_memory: bool = False
    """Whether the user may be taken as it is remembered, where its keys show that it is the same."""
    new_version: str = ""
    """The version that Secrets Manager made for this run, without a value."""
    seen: Observed = field(init=False)
    policy: RotationPolicy = field(default_factory=lambda: policy_of(RotationSettings(), UserName("nobody"), {}))
    events: list[PublishableEvent] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    in_hand: Credential | None = None
    proven: dict[str, datetime] = field(default_factory=dict)
    """Key id -> when it was proven to work."""
    keeps_intent: bool = False
    urgent: bool = False

    def __post_init__(self) -> None:
        self.seen = Observed(self.claim.record, None, standing=self.standing)

    @property
    def user(self) -> User:
        """The user; every step that gets here has seen it."""
        if self.seen.user is None:
            raise NotFoundError(f"the user {self.claim.user} does not exist")
        return self.seen.user


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
        verifier: Verifier,
        publisher: EventPublisher,
        clock: Clock,
        settings: RotationSettings,
        enrolment: Enrolment,
        new_token: Callable[[], str],
        decide: Decide = decide,
    ) -> None:
        self._users = users
        self._vault = vault
        self._records = records
        self._trail = trail
        self._verifier = verifier
        self._publisher = publisher
        self._clock = clock
        self._settings = settings
        self._enrolment = enrolment
        self._new_token = new_token
        self._decide = decide

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
        claim = self._records.claim(name, self._new_token(), LEASE)
        run = Run(claim, correlation_id, demand, standing, trusts_memory=standing is not None)
        return self._conclude(run, self._go(run, self._observe))

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
        claim = self._records.claim(name, token, LEASE)
        run = Run(claim, correlation_id, trusts_memory=True, new_version=token)
        end = self._go(run, self._observe, until=do.Promote)
        run.in_hand = None  # no material outlives the call
        return run if end.state == HELD else self._conclude(run, end)

    def verify(self, run: Run, credential: Credential) -> None:
        """Prove that the key which a run is about to promote works.

        Raises
        ------
        StewardError
            It does not, which ends the run.
        """
        try:
            self._verify(run, credential, urgent=False)
        except StewardError as error:
            self._give_up(run, error)
            raise

    def finish(self, run: Run) -> Outcome:
        """Go on with a run that ``begin`` left open; raises what ``advance`` raises."""
        return self._conclude(run, self._go(run))

    def resume(self, name: UserName, token: str, correlation_id: str) -> Outcome:
        """Go on with what was begun with this token, by a run that is lost; raises what ``advance`` raises."""
        claim = self._records.claim(name, token, LEASE, resuming=True)
        run = Run(claim, correlation_id, trusts_memory=True)
        return self._conclude(run, self._go(run, self._observe))

    def _go(
        self, run: Run, look: Callable[[Run], None] = lambda _: None, until: type[do.Promote] | None = None
    ) -> do.Wait | do.Block:
        """Look, and take steps until there is nothing to do now, or until one that is not to be taken yet."""
        try:
            look(run)
            return self._step_on(run, until)
        except RuleViolationError as error:
            return do.Block(str(error))
        except StewardError as error:
            self._give_up(run, error)
            raise

    def _step_on(self, run: Run, until: type[do.Promote] | None) -> do.Wait | do.Block:
        for _ in range(MOST_STEPS):
            action = self._decide(Situation(run.seen, run.policy, self._enrolment, self._clock.now(), run.demand))
            if isinstance(action, do.Wait | do.Block):
                return action
            if until and isinstance(action, until):
                return do.Wait(HELD, self._clock.now())
            run.steps.append(type(action).__name__)
            self._perform(run, action)
        raise ConflictError(f"{run.claim.user}: {MOST_STEPS} steps led nowhere: {', '.join(run.steps)}")

    def _observe(self, run: Run) -> None:
        claim = run.claim
        name, record = claim.user, claim.record
        user, keys = self._who(run)
        secret = self._vault.find(name)
        if user:
            record = record.having_seen(user)
        if run.demand and run.demand.reason is Reason.ROUTINE:
            record = replace(record, wanted=run.demand.key_id)
        named = dict[Label, Named]()
        if user and secret and not secret.deleted and secret.owner == self._enrolment.stack:
            for label, version in secret.labels.items():
                if version == run.new_version and _is_untouched(version, claim.record):
                    named[label] = Content.NOTHING
                    continue
                named[label], record = self._name(name, version, record)
        run.seen = Observed(record, user, keys, secret, named, standing=run.standing)
        run.policy = policy_of(self._settings, name, user.tags if user else {})

    def _who(self, run: Run) -> tuple[User | None, tuple[AccessKey, ...]]:
        """The user and its keys. One that may be taken as it is remembered is told by a key that was current once.

        Invariant 9 holds without looking at the user: IAM deletes a user only when its keys are gone, and no key id
        comes twice. Whether it is still enrolled, IAM itself judges when a key is made or taken away.
        Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
        """
        name, record = run.claim.user, run.claim.record
        if run.trusts_memory and (remembered := record.user(name)):
            keys = self._users.keys(name)
            if any(record.history(key.id).promoted_at for key in keys):
                return remembered, keys
        user = self._users.find(name)
        return user, self._users.keys(name) if user else ()

    def _name(self, user: UserName, version: str, record: Record) -> tuple[Named, Record]:
        """The key that a version names; read once in the version's life, since its value never changes."""
        known = record.versions.get(version)
        if known is not None:
            return (Content.PLACEHOLDER if known == Content.PLACEHOLDER.value else known), record
        content = self._vault.read(user, version)
        if content is Content.NOTHING or content is Content.UNREADABLE:
            return content, record
        named = content if isinstance(content, Content) else content.access_key_id
        noted = named.value if isinstance(named, Content) else named
        return named, replace(record, versions={**record.versions, version: noted})

    def _perform(self, run: Run, action: do.Action) -> None:  # noqa: C901, PLR0912 - a table, in the form of a match
        seen = run.seen
        match action:
            case do.ReadUsage(key_id):
                run.seen = replace(seen, usage={**seen.usage, key_id: self._users.last_use(key_id)})
            case do.ReadStanding():
                run.seen = replace(seen, standing=self._users.standing(run.user))
            case do.ReadCreator(key_id):
                key = _existing(seen, key_id)
                ours = self._trail.made_by_us(key_id, key.created)
                run.seen = replace(seen, creators={**seen.creators, key_id: ours})
            case do.CreateSecret():
                self._create_secret(run)
            case do.RestrictReaders():
                self._restrict_readers(run)
            case do.Replicate(regions):
                self._replicate(run, regions)
            case do.RegisterBackstop(function, days):
                self._register(run, function, days)
            case do.KeepKey(key_id):
                self._keep_key(run, key_id)
            case do.CreateKey():
                self._create_key(run)
            case do.DropPending():
                self._drop_pending(run)
            case do.Promote(key_id, urgent):
                self._promote(run, key_id, urgent=urgent)
            case do.RecordPromotion(key_id):
                self._record_promotion(run, key_id)
            case do.LatchAdoption(key_id):
                self._note(run, key_id, replace(seen.record.history(key_id), adopted_at=self._clock.now()))
            case do.MarkCompromised(key_id):
                self._note(run, key_id, replace(seen.record.history(key_id), compromised=True))
                self._save(run)
            case do.Suspect(key_id):
                self._note(run, key_id, replace(seen.record.history(key_id), suspected_at=self._clock.now()))
            case do.Deactivate(key_id, reason):
                self._deactivate(run, key_id, reason)
            case do.Announce(key_id):
                self._announce(run, key_id)
            case do.Delete(key_id, reason):
                self._delete(run, key_id, reason)
            case do.Forget(key_id):
                self._forget(run, key_id)

    def _create_secret(self, run: Run) -> None:
        self._check_lease(run)
        secret = self._vault.create(run.claim.user)
        record = replace(run.seen.record, readers="", backstop_days=0)
        named: dict[Label, Named] = {}
        for label, version in secret.labels.items():
            named[label], record = self._name(run.claim.user, version, record)
        run.seen = replace(run.seen, secret=secret, named=named, record=record)

    def _restrict_readers(self, run: Run) -> None:
        readers, secret = run.policy.secret_readers, _secret(run.seen)
        self._check_lease(run)
        self._vault.restrict_readers(run.user, readers)
        if set(readers) == {run.user.arn}:
            run.events.append(SecretReaderMissing(run.claim.user, secret.arn))
        run.seen = run.seen.remembering(replace(run.seen.record, readers=" ".join(readers)))

    def _replicate(self, run: Run, regions: tuple[str, ...]) -> None:
        secret = _secret(run.seen)
        self._check_lease(run)
        self._vault.replicate(run.claim.user, regions)
        replicas = {**secret.replicas, **dict.fromkeys(regions, False)}
        run.seen = replace(run.seen, secret=replace(secret, replicas=replicas))

    def _register(self, run: Run, function: str, days: int) -> None:
        secret = replace(_secret(run.seen), rotation_function=function)
        self._check_lease(run)
        self._vault.register(run.claim.user, function, days)
        run.seen = replace(run.seen, secret=secret, record=replace(run.seen.record, backstop_days=days))

    def _keep_key(self, run: Run, key_id: str) -> None:
        """Store the current value in the version that waits, so that Secrets Manager sees its rotation done."""
        version = _version(run.seen, Label.PENDING)
        credential = self._vault.read(run.claim.user, _version(run.seen, Label.CURRENT))
        if isinstance(credential, Content):
            raise LabelMovedError(f"AWSCURRENT of {run.claim.user} names no key any more")
        self._check_lease(run)
        self._vault.stage(version, credential)
        record = replace(run.seen.record, versions={**run.seen.record.versions, version: key_id})
        run.seen = replace(run.seen, named={**run.seen.named, Label.PENDING: key_id}, record=record)

    def _create_key(self, run: Run) -> None:
        """Make the key and store it; what fails in between leaves a key that we know to be ours."""
        seen = run.seen
        version = seen.secret.labels.get(Label.PENDING) if seen.secret and seen.has_pending else None
        version = version or run.claim.intent.token
        credential = self._make_key(run)
        key = AccessKey(credential.access_key_id, active=True, created=credential.created)
        self._note(run, key.id, KeyHistory(made_by_us=True))
        self._vault.stage(version, credential)
        run.keeps_intent = False
        record = replace(run.seen.record, versions={**run.seen.record.versions, version: key.id}, intent=None)
        run.in_hand = credential
        labels = {**(seen.secret.labels if seen.secret else {}), Label.PENDING: version}
        secret = replace(seen.secret, labels=labels) if seen.secret else None
        named = {**seen.named, Label.PENDING: key.id}
        run.seen = replace(seen.with_key(key), secret=secret, named=named, record=record)

    def _make_key(self, run: Run) -> Credential:
        """Never tried again, but where IAM refused for its load alone, and so made nothing."""
        for seconds in PAUSES:
            with suppress(ThrottledError):
                return self._make_key_once(run)
            self._clock.pause(seconds)
        return self._make_key_once(run)

    def _make_key_once(self, run: Run) -> Credential:
        """The intent stays unless IAM says in as many words that it made nothing."""
        self._check_lease(run)
        run.keeps_intent = True
        try:
            return self._users.create_key(run.claim.user)
        except OutcomeUnknownError:
            raise
        except StewardError:
            run.keeps_intent = False
            raise

    def _drop_pending(self, run: Run) -> None:
        """Take the label away. A key under it was ours to give, and counts as superseded, which is written ahead."""
        pending = run.seen.pending
        if pending and pending.active:
            history = run.seen.record.history(pending.id)
            self._note(run, pending.id, replace(history, superseded_at=self._clock.now()))
            self._save(run)
        self._check_lease(run)
        self._vault.drop_pending(run.claim.user, _version(run.seen, Label.PENDING))
        run.seen = _without_label(run.seen, Label.PENDING)

    def _promote(self, run: Run, key_id: str, *, urgent: bool) -> None:
        seen, name = run.seen, run.claim.user
        version = _version(seen, Label.PENDING)
        if seen.named.get(Label.CURRENT) == key_id:
            self._refuse_another_value(run, version)
        elif key_id not in run.proven or self._clock.now() > run.proven[key_id] + PROOF_COUNTS:
            credential = run.in_hand or self._vault.read(name, version)
            if isinstance(credential, Content):
                raise ConflictError(f"the version {version} of {name} names no key any more")
            self._verify(run, credential, urgent=urgent)
        self._check_lease(run)
        expected = seen.secret.labels.get(Label.CURRENT) if seen.secret else None
        self._vault.promote(name, version, expected=expected)
        run.urgent = urgent
        labels = {**(seen.secret.labels if seen.secret else {}), Label.CURRENT: version}
        if expected:
            labels[Label.PREVIOUS] = expected
        named = {**seen.named, Label.CURRENT: key_id}
        previous = seen.named.get(Label.CURRENT)
        if previous is not None:
            named[Label.PREVIOUS] = previous
        run.seen = replace(seen, secret=replace(seen.secret, labels=labels) if seen.secret else None, named=named)

    def _refuse_another_value(self, run: Run, version: str) -> None:
        """Nothing changes for consumers when both versions hold the same; trying the key would look like their use."""
        name = run.claim.user
        if self._vault.read(name, version) != self._vault.read(name, _version(run.seen, Label.CURRENT)):
            raise ConflictError(f"the version {version} of {name} names the current key with another value")

    def _verify(self, run: Run, credential: Credential, *, urgent: bool) -> None:
        self._verifier.verify(credential, run.user, run.policy.verify, urgent=urgent)
        run.proven[credential.access_key_id] = self._clock.now()

    def _record_promotion(self, run: Run, key_id: str) -> None:
        seen, now = run.seen, self._clock.now()
        history = replace(
            seen.record.history(key_id), promoted_at=now, superseded_at=None, adopted_at=None, suspected_at=None
        )
        record = seen.record.noting(key_id, history)
        superseded = []
        for key in seen.keys:
            if key.id != key_id and key.active and seen.is_attributed(key) and not seen.is_labelled(key.id):
                superseded.append(key.id)
                if record.history(key.id).superseded_at is None:
                    record = record.noting(key.id, replace(record.history(key.id), superseded_at=now))
        waived = ["quiet period", "adoption", "replicas", "all regions but one"] if run.urgent else []
        arn = seen.secret.arn if seen.secret else ""
        run.events.append(AccessKeyRotated(run.claim.user, run.user.user_id, key_id, arn, superseded, waived))
        run.seen = seen.remembering(record)

    def _deactivate(self, run: Run, key_id: str, reason: str) -> None:
        """Write it ahead, read the labels once more, and only then take the key away."""
        name, history = run.claim.user, run.seen.record.history(key_id)
        noted = replace(history, deactivated_at=self._clock.now(), retired_for=reason, announced=False)
        self._note(run, key_id, noted)
        self._save(run)
        self._refuse_labelled(run, key_id)
        self._users.deactivate_key(name, key_id)
        run.seen = run.seen.with_key(replace(_existing(run.seen, key_id), active=False))

    def _announce(self, run: Run, key_id: str) -> None:
        history = run.seen.record.history(key_id)
        since = history.deactivated_at or self._clock.now()
        until = (since + run.policy.keep_inactive).isoformat()
        run.events.append(AccessKeyDeactivated(run.claim.user, run.user.user_id, key_id, history.retired_for, until))
        self._note(run, key_id, replace(history, announced=True))

    def _delete(self, run: Run, key_id: str, reason: str) -> None:
        name, history = run.claim.user, run.seen.record.history(key_id)
        self._refuse_labelled(run, key_id)
        self._users.delete_key(name, key_id)
        run.seen = run.seen.without_key(key_id)
        if history.deactivated_at is None:
            run.events.append(AccessKeyDeleted(name, run.user.user_id, key_id, reason))
            run.seen = run.seen.remembering(run.seen.record.forgetting(key_id))

    def _forget(self, run: Run, key_id: str) -> None:
        history = run.seen.record.history(key_id)
        if history.deactivated_at:
            run.events.append(AccessKeyDeleted(run.claim.user, run.user.user_id, key_id, history.retired_for))
        run.seen = run.seen.remembering(run.seen.record.forgetting(key_id))

    def _refuse_labelled(self, run: Run, key_id: str) -> None:
        """Invariant 1, as the last call before: no version that a consumer reads now or next may name the key.

        What a version names was read before and never changes; a version that is new since is somebody else's move.
        """
        self._check_lease(run)
        secret, known = self._vault.find(run.claim.user), run.seen.record.versions
        if secret is None or secret.deleted:
            raise LabelMovedError(f"the secret of {run.claim.user} is gone meanwhile; the key {key_id} stays")
        for label in (Label.CURRENT, Label.PENDING):
            version = secret.labels.get(label)
            if version is None or (version not in known and self._is_empty(run, label, version)):
                continue
            if known.get(version, key_id) == key_id:
                raise LabelMovedError(f"{label} of {run.claim.user} has moved meanwhile; the key {key_id} stays")

    @staticmethod
    def _is_empty(run: Run, label: Label, version: str) -> bool:
        """Whether the version was there, without a value, when this run began; only a run of ours fills it."""
        before = run.seen.secret.labels.get(label) if run.seen.secret else None
        return version == before and run.seen.named.get(label) is Content.NOTHING

    def _check_lease(self, run: Run) -> None:
        if self._clock.now() + MARGIN >= run.claim.until:
            raise LeaseLostError(f"the time for {run.claim.user} is used up; the next run goes on")

    @staticmethod
    def _note(run: Run, key_id: str, history: KeyHistory) -> None:
        run.seen = run.seen.remembering(run.seen.record.noting(key_id, history))

    def _save(self, run: Run) -> None:
        self._check_lease(run)
        self._records.save(run.claim, run.seen.record)

    def _conclude(self, run: Run, end: do.Wait | do.Block) -> Outcome:
        """Tell what happened, then remember that it was told: what is told may be told again, never left out."""
        now = self._clock.now()
        record = _accounting(run.seen, now)
        text = end.reason if isinstance(end, do.Block) else end.notice
        last = record.notice
        if text and (last is None or last.text != text or now >= last.at + REMIND):
            keys = [key.id for key in run.seen.keys]
            run.events.append(AccessKeyRotationBlocked(run.claim.user, end.state, text, keys))
            record = replace(record, notice=Notice(text, now))
        elif not text:
            record = replace(record, notice=None)
        if run.events:
            self._publisher.publish(run.events, correlation_id=run.correlation_id)
        until = end.until if isinstance(end, do.Wait) else now + REMIND / 24
        record = replace(record, state=end.state, next_at=until, policy=run.policy.fingerprint)
        self._records.release(run.claim, record)
        return Outcome(run.claim.user, end, tuple(run.steps), run.seen.remembering(record))

    def _give_up(self, run: Run, error: StewardError) -> None:
        """Remember what is known, and give the lock back, so that the next try need not wait for its end."""
        record = run.seen.record
        if run.keeps_intent:
            record = replace(record, intent=record.intent or run.claim.intent)
        step = run.steps[-1] if run.steps else "Observe"
        events = [*run.events, AccessKeyRotationFailed(run.claim.user, step, str(error), error.code)]
        try:
            self._publisher.publish(events, correlation_id=run.correlation_id)
            self._records.release(run.claim, replace(record, next_at=self._clock.now()))
        except StewardError:
            return  # what was not told is not remembered either, and the lease ends by itself


def _accounting(seen: Observed, now: datetime) -> Record:
    """The record with every key accounted for, so that one which appears later is known to be new.

    An unfinished intent is kept while IAM may still list what it made, and while a key is there that it may have made.
    """
    record, labels = seen.record, seen.secret.labels.values() if seen.secret else ()
    record = replace(record, versions={version: key for version, key in record.versions.items() if version in labels})
    if seen.current and seen.current.id != record.wanted:
        record = replace(record, wanted="")
    unclear = any(key.active and not seen.is_attributed(key) for key in seen.keys)
    if record.intent and (now < record.intent.at + SETTLE or unclear):
        return record
    keys = {key.id: record.history(key.id) for key in seen.keys}
    return replace(record, intent=None, keys={**keys, **record.keys})


def _is_untouched(version: str, record: Record) -> bool:
    """Whether no run of ours ever filled a new version: none was recorded, and none was left unfinished."""
    return record.user_id is not None and record.intent is None and version not in record.versions


def _existing(seen: Observed, key_id: str) -> AccessKey:
    key = seen.key(key_id)
    if key is None:
        raise KeyNotFoundError(f"the key {key_id} is not there")
    return key


def _version(seen: Observed, label: Label) -> str:
    if seen.secret is None or label not in seen.secret.labels:
        raise LabelMovedError(f"no version carries {label}")
    return seen.secret.labels[label]


def _secret(seen: Observed) -> Secret:
    if seen.secret is None:
        raise NotFoundError("there is no secret")
    return seen.secret


def _without_label(seen: Observed, label: Label) -> Observed:
    secret = seen.secret
    if secret:
        secret = replace(secret, labels={key: version for key, version in secret.labels.items() if key is not label})
    named = {key: value for key, value in seen.named.items() if key is not label}
    return replace(seen, secret=secret, named=named)
