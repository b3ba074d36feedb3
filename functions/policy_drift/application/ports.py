"""The ports of policy drift. Adapters and doubles pass the same contract tests."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from policy_drift.domain.access_keys import AccessKeys
from policy_drift.domain.account import Account, EntityId
from policy_drift.domain.baseline import InForce
from policy_drift.domain.finding import Change, Finding, Kind
from steward.errors import ConflictError, UpstreamError
from steward.events import PublishableEvent


class ConcurrentUpdateError(ConflictError):
    """Another run wrote first; read again and decide again."""


class NotVersionedError(ConflictError):
    """The bucket of the baseline keeps no versions, so that one that was replaced is lost."""


class PublicationPendingError(UpstreamError):
    """Events are stored and not published yet: a later run publishes them when the lease of this one is over."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole account, and how many calls it took."""

    account: Account
    aws_calls: int


@dataclass(frozen=True, slots=True)
class Subjects:
    """Entities to read again: users, groups and roles by id, managed policies by ARN (an id has no path)."""

    principals: frozenset[EntityId] = frozenset()
    policies: frozenset[str] = frozenset()


class AccountReader(Protocol):
    """IAM as it is. Every method raises UpstreamError when a call fails: then nothing may be concluded."""

    def snapshot(self) -> Snapshot:
        """Everything, in pages of a thousand."""
        ...

    def read(self, subjects: Subjects) -> Account:
        """Some entities, with the policies and groups that they depend on; what IAM says is not there is left out."""
        ...

    def holders(self, policy_arn: str) -> frozenset[EntityId]:
        """The holders of a managed policy, attached or as a boundary; empty if it does not exist."""
        ...

    def has_version(self, policy_arn: str, version: str) -> bool:
        """Whether a managed policy still has a version."""
        ...

    def members(self, group: str) -> frozenset[EntityId]:
        """The users of a group; empty if it does not exist."""
        ...


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Events of one revision of an item; the run that wrote them has a lease to publish them until ``until``."""

    events: tuple[PublishableEvent, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """What is kept under an id: its revision counts up, and a write names the one that it replaces; 0 is none yet."""

    value: T
    revision: int
    undelivered: Mapping[int, Undelivered] = field(default_factory=dict)


class UndeliveredEvents(Protocol):
    """Events that are stored with an item until they are published, so that no alert is lost before the bus."""

    def take_over(self, item: str, revision: int, *, was: datetime, until: datetime) -> bool:
        """Extend the lease of another run's events, if it is over; False if a third run did so first."""
        ...

    def delivered(self, revisions: Sequence[tuple[str, int]]) -> None:
        """The events of these revisions of items are on the bus."""
        ...


@dataclass(frozen=True, slots=True)
class Write:
    """A finding to write with its events, if its revision is still ``after``; ``until`` is the lease of the events."""

    finding: Finding
    after: int
    events: Sequence[PublishableEvent] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """The entity that a scan compares, and how many scans in succession have been at it and not come further."""

    entity: EntityId
    times: int = 1


class Findings(UndeliveredEvents, Protocol):
    """Every finding of the last year."""

    def get(self, finding_id: str) -> Kept[Finding] | None:
        """One of them."""
        ...

    def of(self, entities: Collection[EntityId]) -> list[Kept[Finding]]:
        """Those of some entities."""
        ...

    def all(self) -> list[Kept[Finding]]:
        """All of them, the resolved ones too."""
        ...

    def save(
        self, finding: Finding, *, after: int, events: Sequence[PublishableEvent] = (), until: datetime | None = None
    ) -> int:
        """Write it and its events in one step, if its revision is still ``after``; return the new revision.

        Raises ConcurrentUpdateError.
        """
        ...

    def save_many(self, writes: Sequence[Write]) -> list[int | None]:
        """`save` each of them, in few calls; the new revisions, None where another run wrote first."""
        ...

    def last_scan(self) -> datetime | None:
        """When the latest scan that was recorded began to read; None before the first."""
        ...

    def note_scan(self, read_at: datetime) -> None:
        """A scan that began to read then is recorded: what it did not write, it saw as it stands."""
        ...

    def progress(self) -> Progress | None:
        """Where a scan is that has not ended, or has died; None if the last one ended."""
        ...

    def note_progress(self, progress: Progress | None) -> None:
        """A scan compares this now; None at its end."""
        ...


class BaselineRecords(UndeliveredEvents, Protocol):
    """Which version of the baseline is in force, recorded outside the bucket that people write to."""

    def get(self) -> Kept[InForce] | None:
        """The version in force; None before the first."""
        ...

    def save(
        self, in_force: InForce, *, after: int, events: Sequence[PublishableEvent] = (), until: datetime | None = None
    ) -> int:
        """Write it and its events in one step, if its revision is still ``after``. Raises ConcurrentUpdateError."""
        ...

    @property
    def id(self) -> str:
        """Its item, for ``take_over`` and ``delivered``."""
        ...


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the baseline's object. ``etag`` is what a conditional write names."""

    id: str
    etag: str
    written: datetime
    text: bytes


class BaselineStore(Protocol):
    """The bucket: every version of the baseline that ever was.

    What reads or writes a version raises NotVersionedError where the bucket keeps none.
    """

    def latest(self) -> Version | None:
        """The latest version; None where there is none, or it was deleted. ``text`` ends after one byte too many."""
        ...

    def read(self, version_id: str) -> Version | None:
        """A version by its id; None where it is no more."""
        ...

    def writes(self) -> int:
        """How many versions and delete markers there are; of more than some hundreds, as many."""
        ...

    def write(self, text: bytes, *, replaces: str | None) -> Version:
        """Write a version, if the latest one still has the ETag ``replaces`` (None: if there is none).

        Raises ConcurrentUpdateError.
        """
        ...

    def link(self, version_id: str) -> str:
        """A link to a version that works for some minutes."""
        ...


class ChangeHistory(Protocol):
    """CloudTrail's event history of IAM."""

    def changes_of(self, entity: EntityId, since: datetime, arn: str) -> tuple[Change, ...]:
        """Who changed an entity, the latest first; reading calls and refused ones are left out. One or more calls.

        ``arn`` is the entity's; CloudTrail lists events of managed policies by it, and those of principals by name.
        """
        ...


class CredentialReader(Protocol):
    """What users, roles and the account have beside policies."""

    def present(self, entity: EntityId, kind: Kind, items: Collection[str]) -> frozenset[str]:
        """The items in force now that are of the same sorts as ``items``; empty where the entity does not exist.

        Raises UpstreamError.
        """
        ...

    def unused_keys(self, since: datetime) -> Mapping[EntityId, tuple[str, ...]]:
        """Users with active access keys that were made before a time and not used since: why, in words.

        A key of which the last use is not known is none of them. Raises UpstreamError.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReportLink:
    """A link to a report for some seconds, and the report's SHA-256 in hexadecimal."""

    url: str
    seconds: int
    sha256: str


@dataclass(frozen=True, slots=True)
class UploadLink:
    """A link to which one text may be sent with PUT and these headers, for some seconds."""

    url: str
    headers: Mapping[str, str]
    seconds: int


class BaselineUploads(Protocol):
    """Texts that people sent and that are not in force, each under the name of its SHA-256; they are deleted soon."""

    def link(self, sha256: str, size: int) -> UploadLink:
        """A link for the one text that has this SHA-256 (hexadecimal) and so many bytes."""
        ...

    def read(self, sha256: str) -> bytes | None:
        """What was sent under this name, unverified; None for nothing. It ends after one byte too many."""
        ...


class ReportReplacedError(ConflictError):
    """The bucket does not hold the report that the latest scan wrote. ``found`` is empty if it holds nothing there."""

    def __init__(self, key: str, version: str, *, expected: str, found: str) -> None:
        what = f"has the SHA-256 {found}, not {expected}" if found else "is not there any more"
        super().__init__(
            f"the report that the latest scan wrote {what} ({key}, version {version}), so that it is not linked: "
            "request a scan, which writes another, and find who changed the bucket"
        )
        self.key, self.version, self.expected, self.found = key, version, expected, found


class ReportStore(Protocol):
    """Where reports are kept for people."""

    def put(self, scan_id: str, documents: Mapping[str, str]) -> str:
        """Keep a scan's documents by their extension (``html``, ``json``); the key of the HTML, or of the first."""
        ...

    def link(self, extension: str) -> ReportLink | None:
        """A link to the latest report that works for some minutes; None before the first.

        Raises ReportReplacedError.
        """
        ...


class KeyInventory(Protocol):
    """The list of the account's access keys."""

    def read(self) -> AccessKeys:
        """The keys that are old, unused or without rotation, and all keys in numbers. Raises UpstreamError."""
        ...


class ScanTrigger(Protocol):
    """Starts scans without waiting for them."""

    def request(self, scan_id: str, by: str) -> None:
        """Start one."""
        ...
