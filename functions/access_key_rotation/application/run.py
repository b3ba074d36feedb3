"""One run for one user: its lock, what it has read, and its outcome."""

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
from access_key_rotation.domain.settings import UserSettings
from access_key_rotation.domain.state import (
    AccessKey,
    KeyHistory,
    Label,
    Record,
    Secret,
    User,
    UserState,
)
from steward.clock import Clock
from steward.errors import NotFoundError
from steward.events import PublishableEvent

LEASE = timedelta(minutes=6)
"""How long one run may work on a user: longer than the function's timeout, so that a lock outlives its holder."""
MARGIN = timedelta(seconds=75)
"""What must be left of the lease before a call that changes something: longer than a call with all its retries."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: the user's state and every step that was taken."""

    user: UserName
    end: End
    steps: tuple[str, ...]
    seen: UserState

    @property
    def state(self) -> str:
        """The name of the state."""
        return self.end.state


@dataclass(frozen=True, slots=True)
class Lease:
    """The user's lock, while this run holds it."""

    claim: Claim
    records: RotationRecords
    clock: Clock

    def check(self) -> None:
        """Return if the time suffices for one more call; comes before every call that changes something.

        Raises
        ------
        LeaseLostError
            It does not.
        """
        if self.clock.now() + MARGIN >= self.claim.until:
            raise LeaseLostError(f"the time for {self.claim.user} is used up; the next run goes on")

    def save(self, record: Record) -> None:
        """Save the record and keep the lock."""
        self.check()
        self.records.save(self.claim, record)

    def release(self, record: Record) -> None:
        """Save the record and release the lock."""
        self.records.release(self.claim, record)

    def forget(self) -> None:
        """Delete the record and release the lock."""
        self.records.forget(self.claim)


@dataclass(slots=True)
class Run:
    """What one run has read, done and published so far. It holds the user's lock until it is finished."""

    lease: Lease
    settings: UserSettings
    """The user's settings; without its tags until those are read."""
    correlation_id: str
    demand: Demand | None = None
    unconfirmed: Demand | None = None
    """A leak that no stored report confirms; it has no effect, and people are told of it."""
    trusts_memory: bool = False
    """Whether the record may stand for the user, if its keys show that it is the same. Its tags are then those that the
    last run read: at most an hour old, because the planner asks for a run when they change."""
    new_version: str = ""
    """The version that Secrets Manager created for this run, without a value."""
    seen: UserState = field(init=False)
    written: Record = field(init=False)
    """What the table holds now."""
    events: list[PublishableEvent] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    failed_step: str = "Observe"
    """The step that failed, if one did."""
    is_quarantined: bool = False
    """Whether IAM has said in this run that AWS quarantines the user; a record of it may be out of date."""
    in_hand: Credential | None = None
    verified: dict[str, datetime] = field(default_factory=dict)
    """Key id -> when it was verified."""
    keeps_intent: bool = False
    """Whether a key may have been created that nothing else records."""

    def __post_init__(self) -> None:
        self.written = self.lease.claim.record
        self.seen = UserState(self.written, None)

    @property
    def name(self) -> UserName:
        """The user's name."""
        return self.lease.claim.user

    @property
    def user(self) -> User:
        """The user; every step that needs it has read it."""
        if self.seen.user is None:
            raise NotFoundError(f"the user {self.name} does not exist")
        return self.seen.user

    @property
    def secret(self) -> Secret:
        """The user's secret; every step that needs it has read it."""
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
        """What the record says of a key."""
        return self.seen.record.history(key_id)

    def remember(self, record: Record) -> None:
        """Replace the record; it is written when the run ends."""
        self.seen = self.seen.remembering(record)

    def note(self, key_id: str, history: KeyHistory) -> None:
        """Replace a key's history; it is written when the run ends."""
        self.remember(self.seen.record.noting(key_id, history))

    def write_ahead(self, key_id: str, history: KeyHistory) -> None:
        """Replace a key's history and write it now, so that it survives if the process dies in the next call.

        Nothing else is written with it: what was noted before is written when it is published, at the end.
        """
        self.note(key_id, history)
        self.written = self.written.noting(key_id, history)
        self.lease.save(self.written)
