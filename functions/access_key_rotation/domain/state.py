"""The state of one user: IAM's keys, the secret's versions, and our record of what AWS does not keep.

Nothing here is guessed. What was not read is absent (``usage``, ``standing``, ``creators``), and the rules never take
absence for "unused" or "harmless".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from hashlib import sha256
from typing import Self

from access_key_rotation.domain.names import ROTATE_TAG, TAG_PREFIX, UserName
from access_key_rotation.domain.sync import SyncRecord

ORPHANED_SECRET = "ORPHANED_SECRET"  # noqa: S105 - a state
"""The state of a secret whose user is gone, is another one, or is no longer enrolled."""
UNREADABLE = "UNREADABLE"
"""The state of a user whose record is damaged: nothing is known of it, and no run can begin."""


WITHDRAWN_IDS = 50
"""How many withdrawn requests are remembered."""


class Label(StrEnum):
    """Staging labels of Secrets Manager."""

    CURRENT = "AWSCURRENT"
    PENDING = "AWSPENDING"
    PREVIOUS = "AWSPREVIOUS"


class Content(Enum):
    """The content of a version that names no key."""

    NOTHING = "nothing"
    """No value: RotateSecret created the version, and it is not filled yet."""
    PLACEHOLDER = "placeholder"
    """Ours, from before the first key."""
    UNREADABLE = "unreadable"
    """A value that is not in our form."""


type Named = str | Content
"""The id of the key that a version names, or why it names none."""


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user. A user that is deleted and recreated has another ``user_id``."""

    name: UserName
    user_id: str
    arn: str
    path: str
    tags: Mapping[str, str]

    def is_enrolled(self, path: str) -> bool:
        """Whether the user is on the path or below it, and tagged; the tag alone enrols no user."""
        return self.path.startswith(path) and self.tags.get(ROTATE_TAG) == "true"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key as IAM lists it; ``active`` only if its status is Active (it may also be Inactive or Expired)."""

    id: str
    active: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class LastUse:
    """When a key was last used, and for which service; ``at`` is None for never. Granularity is 15 minutes."""

    at: datetime | None
    service: str = ""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret, without its values. ``owner`` is the stack that its tag names."""

    arn: str
    owner: str | None
    deleted: bool
    labels: Mapping[Label, str]
    """Version ids by label."""
    replicas: Mapping[str, bool]
    """Region -> whether it is in sync."""
    rotation_function: str | None = None
    """The function that Secrets Manager calls by its own schedule; None while it has none."""
    rotates_by: datetime | None = None
    """When that schedule asks for the next rotation, at the latest."""

    def ownership(self, stack: str) -> str:
        """Why the secret is not ``stack``'s, as the rest of a sentence."""
        if self.owner:
            return f"belongs to {self.owner} (tag steward:stack), not to {stack}"
        return f"has no tag steward:stack, and so does not belong to {stack}"


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a secret's resource policy restricts."""

    readers: tuple[str, ...] = ()
    """The principals that may read the values; empty if IAM alone decides."""
    editors: tuple[str, ...] = ()
    """The principals that may change the policy; empty if IAM alone decides."""
    other: str = ""
    """Statements that the steward does not write, as JSON; empty for none."""

    @property
    def fingerprint(self) -> str:
        """Changes with any part; empty for none."""
        parts = [
            *self.readers,
            *(["editors", *self.editors] if self.editors else []),
            *([self.other] if self.other else []),
        ]
        return sha256(" ".join(parts).encode()).hexdigest()[:16] if parts else ""

    def change_to(self, live: Self) -> str:
        """How another restriction differs from this one, in words; empty if it does not."""
        if live == self:
            return ""
        if not live.readers:
            return "replaced" if live.other else "removed"
        added, gone = set(live.readers) - set(self.readers), set(self.readers) - set(live.readers)
        if live.other:
            return "statements-added"
        return "readers-added" if added else "readers-removed" if gone else "editors-changed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a user may be a service user: each of these is a reason to create no key for it."""

    has_password: bool
    has_mfa: bool
    escalation: str = ""
    """How the user could gain privileges, in words; empty if it cannot."""

    @property
    def objections(self) -> list[str]:
        """The reasons against it, in words; empty for a service user."""
        found = {
            "has a console password": self.has_password,
            "has an MFA device": self.has_mfa,
            f"could gain privileges ({self.escalation})": bool(self.escalation),
        }
        return [words for words, holds in found.items() if holds]


@dataclass(frozen=True, slots=True)
class KeyHistory:
    """What IAM does not keep of a key."""

    made_by_us: bool = False
    promoted_at: datetime | None = None
    superseded_at: datetime | None = None
    adopted_at: datetime | None = None
    deactivated_at: datetime | None = None
    """Written ahead of the deactivation."""
    retired_for: str = ""
    """Why the steward deactivates or deletes the key, written ahead; empty if it does not."""
    announced: bool = False
    """Whether its deactivation was published."""
    suspected_at: datetime | None = None
    compromised: bool = False
    found_inactive_at: datetime | None = None
    """When a run first saw an old key Inactive that a person deactivated; None if the steward did, and it stayed so."""

    def brought_back(self, now: datetime) -> Self:
        """The same after the key was reactivated: it drains again from now on."""
        return replace(
            self, superseded_at=now, deactivated_at=None, retired_for="", announced=False, found_inactive_at=None
        )


@dataclass(frozen=True, slots=True)
class Intent:
    """Written ahead of creating a key: when, and for which version of the secret."""

    token: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice that was published last, and when."""

    text: str
    at: datetime


class Cause(StrEnum):
    """On which side a failed run failed."""

    USER = "user"
    """The user: its policies deny something, or its slots are full."""
    KEY = "key"
    """AWS does not accept the key, or not yet."""
    SECRET = "secret"  # noqa: S105 - a side
    """The secret: its state, its labels or its values."""
    AWS = "aws"
    """AWS: throttled, slow, or failing."""
    STEWARD = "steward"
    """The steward: a permission that it lacks, or an error of its own."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The failure of the last run; it stands until a run succeeds."""

    step: str
    reason: str
    cause: Cause
    at: datetime
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A routine rotation that an operator requested. ``id`` is that of the API request."""

    id: str
    by: str
    session: str
    at: datetime
    """When a run saw it first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The enrolment of a user that existed before, until its first key is current."""

    at: datetime
    awaits: str = ""
    """The key that its holder stores in the secret; empty if the first key is a new one."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is recorded of a user. Losing it means waiting longer, never deleting."""

    user_id: str | None = None
    arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The user's own, as far as they are the steward's: ``steward:*``."""
    keys: Mapping[str, KeyHistory] = field(default_factory=dict)
    """Every key that was listed at the end of a run. A key that is missing here appeared since."""
    created: Mapping[str, datetime] = field(default_factory=dict)
    """When each key was created that IAM listed at the end of the last run, for people who look."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Version id -> key id. A version's value never changes, so this needs no second reading."""
    intent: Intent | None = None
    wanted: str = ""
    """The key that an operator asked to replace; void as soon as it is no longer current."""
    requested: Request | None = None
    """Who requested that; None if nothing is requested, or by an earlier version."""
    withdrawn: str = ""
    """The ids of the latest requests that were withdrawn, separated by blanks: their messages may come again."""
    entry: Entry | None = None
    """How the user was enrolled by a call; None once its first key is current."""
    frozen: str = ""
    """Why an operator froze the user; empty when it is not."""
    frozen_by: str = ""
    frozen_session: str = ""
    frozen_at: datetime | None = None
    notice: Notice | None = None
    failure: Failure | None = None
    state: str = ""
    as_of: datetime | None = None
    """When the last run that succeeded ended: of then are the state and the notice."""
    next_at: datetime | None = None
    """When the next run is due."""
    policy: str = ""
    """Fingerprint of the user's settings that ``next_at`` follows from; the table keeps this name."""
    readers: str | None = None
    """Fingerprint of the restriction that the steward put last; empty for none, None where it is not known."""
    quarantine: str = ""
    """ARN of the policy by which AWS quarantines the user, as of the last run while a leak is on record."""
    backstop_days: int = 0
    """The interval that is registered with Secrets Manager for its own rotation; 0 for none."""
    registered_at: datetime | None = None
    """When that was registered; None for never, or by an earlier version."""

    def user(self, name: UserName) -> User | None:
        """The user as it was read last; None before the first time."""
        if self.user_id is None or not self.arn:
            return None
        path = self.arn.partition(":user")[2].removesuffix(name)
        return User(name, self.user_id, self.arn, path, self.tags)

    @property
    def current_key(self) -> str:
        """The key that consumers read, as of the last run; empty if no key was promoted."""
        promoted = {key: h.promoted_at for key, h in self.keys.items() if h.promoted_at and not h.superseded_at}
        return max(promoted, key=lambda key: str(promoted[key]), default="")

    def having_seen(self, user: User) -> Self:
        """The same with the user as it is now; another user of the same name does not replace it."""
        if self.user_id not in {None, user.user_id}:
            return self
        ours = {tag: value for tag, value in user.tags.items() if tag.startswith(TAG_PREFIX)}
        return replace(self, user_id=user.user_id, arn=user.arn, tags=ours)

    def withdrawing(self) -> Self:
        """The same without its request."""
        ids = [*self.withdrawn.split(), self.requested.id if self.requested else ""]
        kept = " ".join(ids[-WITHDRAWN_IDS:]).strip()
        return replace(self, wanted="", requested=None, withdrawn=kept)

    def having_read(self, version: str, named: str) -> Self:
        """The same, with what a version of the secret names."""
        return replace(self, versions={**self.versions, version: named})

    def history(self, key_id: str) -> KeyHistory:
        """What is recorded of a key; a blank history for an unknown one."""
        return self.keys.get(key_id, KeyHistory())

    def noting(self, key_id: str, history: KeyHistory) -> Self:
        """The same with another history for one key."""
        return replace(self, keys={**self.keys, key_id: history})

    def forgetting(self, key_id: str) -> Self:
        """The same without a key."""
        return replace(self, keys={key: history for key, history in self.keys.items() if key != key_id})


@dataclass(frozen=True, slots=True)
class UserState:
    """Everything that was read of a user at one moment, and its record."""

    record: Record
    user: User | None
    keys: tuple[AccessKey, ...] = ()
    secret: Secret | None = None
    listed_at: datetime | None = None
    """When IAM was asked for the keys; None if it was not."""
    named: Mapping[Label, Named] = field(default_factory=dict)
    usage: Mapping[str, LastUse] = field(default_factory=dict)
    standing: Standing | None = None
    creators: Mapping[str, bool] = field(default_factory=dict)
    """Key id -> whether CloudTrail says that one of our roles made it."""
    unfit_tags: str = ""
    """Why the user's own tags are invalid; empty if they are valid."""
    restriction: Restriction | None = None
    """The secret's resource policy; None if it was not read, because the settings restrict nothing."""
    refused: frozenset[str] = frozenset()
    """Keys that AWS refused in this run, although IAM lists them as Active."""
    synced: SyncRecord | None = None
    """What the targets of secret sync confirmed; None if it was not read."""
    is_locked_out: bool = False
    """Whether a resource policy that is not ours denies us the secret's values."""

    def key(self, key_id: object) -> AccessKey | None:
        """The user's key of this id."""
        return next((key for key in self.keys if key.id == key_id), None)

    @property
    def current(self) -> AccessKey | None:
        """The key that consumers read."""
        return self.key(self.named.get(Label.CURRENT))

    @property
    def pending(self) -> AccessKey | None:
        """The key that is stored as AWSPENDING."""
        return self.key(self.named.get(Label.PENDING)) if self.has_pending else None

    @property
    def has_pending(self) -> bool:
        """Whether a version is pending: a label that stayed on the current version means nothing."""
        labels = self.secret.labels if self.secret else {}
        return Label.PENDING in labels and labels[Label.PENDING] != labels.get(Label.CURRENT)

    def is_labelled(self, key_id: str) -> bool:
        """Whether a consumer may read this key, now or next."""
        return key_id in {self.named.get(Label.CURRENT), self.named.get(Label.PENDING)}

    def is_attributed(self, key: AccessKey) -> bool:
        """Whether the key is or was in our secret."""
        history = self.record.history(key.id)
        return key.id in self.named.values() or history.promoted_at is not None or history.superseded_at is not None

    def with_key(self, key: AccessKey) -> Self:
        """The same after a key was made or changed."""
        return replace(self, keys=(*(known for known in self.keys if known.id != key.id), key))

    def without_key(self, key_id: str) -> Self:
        """The same after a key was deleted."""
        return replace(self, keys=tuple(key for key in self.keys if key.id != key_id))

    def with_secret(self, secret: Secret) -> Self:
        """The same after the secret was made or changed."""
        return replace(self, secret=secret)

    def with_label(self, label: Label, version: str, named: Named) -> Self:
        """The same after a label came to a version, which names this."""
        secret = replace(self.secret, labels={**self.secret.labels, label: version}) if self.secret else None
        return replace(self, secret=secret, named={**self.named, label: named})

    def without_label(self, label: Label) -> Self:
        """The same after a label was taken away."""
        labels = {key: version for key, version in self.secret.labels.items() if key != label} if self.secret else {}
        secret = replace(self.secret, labels=labels) if self.secret else None
        return replace(self, secret=secret, named={key: named for key, named in self.named.items() if key != label})

    def remembering(self, record: Record) -> Self:
        """The same with another record."""
        return replace(self, record=record)
