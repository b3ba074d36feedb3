"""One run for one user: the lock that it holds, what it knows, and how it ended."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from access_key_rotation.application.ports import (
    Claim,
    KeyNotFoundError,
    LabelMovedError,
    LeaseLostError,
    RotationRecords,
)
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Demand
from access_key_rotation.domain.rules.steps import End
from access_key_rotation.domain.settings import RotationPolicy
from access_key_rotation.domain.state import (
    AccessKey,
    KeyHistory,
    Label,
    Observed,
    Record,
    Secret,
    Standing,
    User,
)
from steward.clock import Clock
from steward.errors import NotFoundError
from steward.events import PublishableEvent

LEASE = timedelta(minutes=6)
"""How long one run may work on a user; longer than the function's timeout, so that a lock outlives its holder."""
MARGIN = timedelta(seconds=75)
"""What must be left of the lease before a call that changes something: longer than a call with all its repetitions."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: the user's state, and every step that was taken."""

    user: UserName
    end: End
    steps: tuple[str, ...]
    seen: Observed

    @property
    def state(self) -> str:
        """The name of the state."""
        return self.end.state


@dataclass(frozen=True, slots=True)
class Lease:
    """The user's lock, for the time that it is this run's."""

    claim: Claim
    records: RotationRecords
    clock: Clock

    def check(self) -> None:
        """Return while there is time for one more call; every call that changes something comes after this.

        Raises
        ------
        LeaseLostError
            There is none.
        """
        if self.clock.now() + MARGIN >= self.claim.until:
            raise LeaseLostError(f"the time for {self.claim.user} is used up; the next run goes on")

    def save(self, record: Record) -> None:
        """Remember it, and keep the lock."""
        self.check()
        self.records.save(self.claim, record)

    def release(self, record: Record) -> None:
        """Remember it, and give the lock back."""
        self.records.release(self.claim, record)

    def forget(self) -> None:
        """Forget the user, and give the lock back."""
        self.records.forget(self.claim)


@dataclass(slots=True)
class Run:
    """What one run knows beside what it sees. It holds the user's lock until it is finished."""

    lease: Lease
    policy: RotationPolicy
    """What holds for the user: the settings alone, until its tags are seen."""
    correlation_id: str
    demand: Demand | None = None
    standing: Standing | None = None
    trusts_memory: bool = False
    """Whether the user may be taken as it is remembered, where its keys show that it is the same."""
    new_version: str = ""
    """The version that Secrets Manager made for this run, without a value."""
    seen: Observed = field(init=False)
    written: Record = field(init=False)
    """What the table holds by now."""
    events: list[PublishableEvent] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    in_hand: Credential | None = None
    proven: dict[str, datetime] = field(default_factory=dict)
    """Key id -> when it was proven to work."""
    keeps_intent: bool = False
    """Whether a key may have been made that nothing else tells of."""

    def __post_init__(self) -> None:
        self.written = self.lease.claim.record
        self.seen = Observed(self.written, None, standing=self.standing)

    @property
    def name(self) -> UserName:
        """The user's name."""
        return self.lease.claim.user

    @property
    def user(self) -> User:
        """The user; every step that gets here has seen it."""
        if self.seen.user is None:
            raise NotFoundError(f"the user {self.name} does not exist")
        return self.seen.user

    @property
    def secret(self) -> Secret:
        """The user's secret; every step that gets here has seen it."""
        if self.seen.secret is None:
            raise NotFoundError("there is no secret")
        return self.seen.secret

    def key(self, key_id: str) -> AccessKey:
        """The user's key of this id.

        Raises
        ------
        KeyNotFoundError
            There is none.
        """
        key = self.seen.key(key_id)
        if key is None:
            raise KeyNotFoundError(f"the key {key_id} is not there")
        return key

    def version(self, label: Label) -> str:
        """The version of the secret that carries a label.

        Raises
        ------
        LabelMovedError
            None does.
        """
        if self.seen.secret is None or label not in self.seen.secret.labels:
            raise LabelMovedError(f"no version carries {label}")
        return self.seen.secret.labels[label]

    def history(self, key_id: str) -> KeyHistory:
        """What is remembered of a key."""
        return self.seen.record.history(key_id)

    def remember(self, record: Record) -> None:
        """Go on with another record; it is written when the run ends."""
        self.seen = self.seen.remembering(record)

    def note(self, key_id: str, history: KeyHistory) -> None:
        """Go on with another history of a key; it is written when the run ends."""
        self.remember(self.seen.record.noting(key_id, history))

    def write_ahead(self, key_id: str, history: KeyHistory) -> None:
        """Note and write it now, so that it is known even if the process dies at what comes next.

        Nothing else is written with it: what was noted before is remembered when it is published, at the end.
        """
        self.note(key_id, history)
        self.written = self.written.noting(key_id, history)
        self.lease.save(self.written)
