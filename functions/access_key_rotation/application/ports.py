"""The ports of access-key rotation; adapters and doubles pass the same contract tests.

Every method is one AWS call unless it says otherwise, and raises UpstreamError when AWS fails.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.inventory import Report
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Demand, Reason
from access_key_rotation.domain.state import (
    AccessKey,
    Content,
    Intent,
    LastUse,
    Record,
    Restriction,
    Secret,
    Standing,
    User,
)
from access_key_rotation.domain.sync import SyncRecord, Target
from steward.errors import ConflictError, NotFoundError, UpstreamError


class KeyNotFoundError(NotFoundError):
    """IAM says that the user has no such key."""


class KeySlotsFullError(ConflictError):
    """The user has as many keys as IAM allows."""


class OutcomeUnknownError(UpstreamError):
    """A call that must not be repeated got no answer: it may have acted."""


class LabelMovedError(ConflictError):
    """Another writer moved the label first."""


class VersionTakenError(ConflictError):
    """The version already has another value."""


class NotAuthenticatedError(ConflictError):
    """AWS refuses the credential."""


class EcrLoginDeniedError(NotAuthenticatedError):
    """The credential authenticates, but its user may not log in to ECR."""


class BusyError(UpstreamError):
    """Another run holds the user's lock for a while."""


class LeaseLostError(ConflictError):
    """The lease of this run is over, or another run took the lock: this run must stop."""


class Users(Protocol):
    """IAM, as far as it concerns one user."""

    def find(self, name: UserName) -> User | None:
        """The user, or None if IAM says that there is none."""
        ...

    def keys(self, name: UserName) -> tuple[AccessKey, ...]:
        """All its keys, of any status; none if IAM says that there is no such user."""
        ...

    def last_use(self, key_id: str) -> LastUse:
        """When the key was last used."""
        ...

    def quarantine(self, name: UserName) -> str:
        """The ARN of the policy by which AWS quarantines the user of an exposed key; empty if none is attached."""
        ...

    def standing(self, user: User) -> Standing:
        """Whether it is a person, or could gain privileges. Two calls, and one per thousand entities of the account."""
        ...

    def create_key(self, name: UserName) -> Credential:
        """Create a key, without any retry. Raises OutcomeUnknownError if it may have acted, and KeySlotsFullError."""
        ...

    def deactivate_key(self, name: UserName, key_id: str) -> None:
        """Deactivate the key. Raises KeyNotFoundError."""
        ...

    def reactivate_key(self, name: UserName, key_id: str) -> None:
        """Activate the key. Raises KeyNotFoundError."""
        ...

    def delete_key(self, name: UserName, key_id: str) -> None:
        """Delete the key. Succeeds if it is gone already."""
        ...


class KeyOwners(Protocol):
    """The owners of keys."""

    def owner(self, key_id: str) -> UserName | None:
        """The user that has the key, or None if IAM says that there is no such key."""
        ...


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user in the account's bulk calls."""

    name: UserName
    user_id: str
    arn: str
    path: str
    tags: Mapping[str, str]


class Directory(Protocol):
    """All users of the account."""

    def users(self, path: str) -> Iterator[ListedUser]:
        """The users on the path or below it: one call per thousand users of the account."""
        ...


class Enrolments(Protocol):
    """The tag that enrols a user."""

    def enrol(self, name: UserName) -> None:
        """Add the tag. Idempotent; raises NotFoundError."""
        ...

    def withdraw(self, name: UserName) -> None:
        """Remove the tag. Idempotent; raises NotFoundError."""
        ...


class SecretOwnership(Protocol):
    """Which stack a secret belongs to."""

    def find(self, user: UserName) -> Secret | None:
        """The secret without its values, or None if Secrets Manager says that there is none."""
        ...

    def give_up(self, user: UserName) -> None:
        """Cancel Secrets Manager's own rotation, and remove the stack's tag; the secret stays. Two idempotent calls."""
        ...


class CredentialReport(Protocol):
    """All keys of the account."""

    def read(self) -> Report:
        """The keys of every user, as of at most four hours ago. Two calls or more. Raises DeadlineError."""
        ...


class Privileges(Protocol):
    """What a user's policies, and those of the roles that it can assume, let it become."""

    def escalation(self, user: User) -> str:
        """How the user could gain privileges, in words; empty if it cannot. One call per thousand entities."""
        ...


class CredentialVault(Protocol):
    """Secrets Manager, as far as it concerns one user's secret."""

    def find(self, user: UserName) -> Secret | None:
        """The secret without its values, or None if Secrets Manager says that there is none."""
        ...

    def read(self, user: UserName, version: str) -> Credential | Content:
        """The value of a version."""
        ...

    def create(self, user: UserName) -> Secret:
        """Create the secret with a placeholder as AWSCURRENT, unless one of ours exists already."""
        ...

    def restriction(self, user: UserName) -> Restriction:
        """What the secret's resource policy restricts now."""
        ...

    def restrict_readers(self, user: UserName, wanted: Restriction) -> None:
        """Let only these principals (ARNs or patterns of ARNs) read the values, and change the policy.

        Without readers, lift the restriction.
        """
        ...

    def replicate(self, user: UserName, regions: Sequence[str]) -> None:
        """Replicate the secret to these regions, too. Idempotent."""
        ...

    def register(self, user: UserName, function: str, days: int) -> None:
        """Register Secrets Manager's own rotation by the function every ``days`` days, not now. Idempotent."""
        ...

    def stage(self, version: str, credential: Credential) -> None:
        """Store the credential as AWSPENDING. Idempotent; raises VersionTakenError for another value."""
        ...

    def promote(self, user: UserName, version: str, *, expected: str | None) -> None:
        """Move AWSCURRENT from ``expected`` to ``version``. Raises LabelMovedError."""
        ...

    def drop_pending(self, user: UserName, version: str) -> None:
        """Remove AWSPENDING from ``version``. Raises LabelMovedError if it is elsewhere."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity that AWS returns for a credential."""

    user_id: str
    arn: str


class Authenticator(Protocol):
    """Authenticates with credentials, as a consumer does."""

    def identify(self, credential: Credential, region: str) -> Identity:
        """Return the identity of the credential in one region. Raises NotAuthenticatedError."""
        ...

    def log_in_to_ecr(self, credential: Credential, region: str) -> None:
        """Get an ECR authorization token. Raises NotAuthenticatedError."""
        ...


class Trail(Protocol):
    """CloudTrail's event history of ninety days."""

    def made_by_us(self, key_id: str, created: datetime) -> bool:
        """Whether one of our roles created the key; False, too, if the history does not say. One call or more."""
        ...


class SyncMemory(Protocol):
    """Reads what the targets of secret sync confirmed."""

    def find(self, user: UserName) -> SyncRecord:
        """The confirmations of a user's targets; none if nothing was written yet."""
        ...


@dataclass(frozen=True, slots=True)
class SyncClaim:
    """The right to write to a user's targets until ``until``, and what is recorded of them."""

    user: UserName
    token: str
    until: datetime
    record: SyncRecord


class SyncRecords(SyncMemory, Protocol):
    """Writes the confirmations, and holds the lock that lets one run at a time write to a user's targets."""

    def claim(self, user: UserName, token: str, lease: timedelta) -> SyncClaim:
        """Take the lock. Raises BusyError."""
        ...

    def save(self, claim: SyncClaim, record: SyncRecord) -> None:
        """Save the confirmations, and keep the lock. Raises LeaseLostError if another run has it."""
        ...

    def release(self, claim: SyncClaim, record: SyncRecord) -> None:
        """Save the confirmations, and release the lock. Raises LeaseLostError if another run has it."""
        ...


class TargetRefusedError(ConflictError):
    """A target refuses the key, or answers nonsense; the text names no value."""


class SyncTargets(Protocol):
    """The places that keys are written to."""

    def write(self, target: Target, credential: Credential) -> None:
        """Write the key, and return only if the target confirmed it. Idempotent.

        Raises TargetRefusedError, or UpstreamError if the target cannot be reached; what it holds then is unknown.
        """
        ...


class KeyUses(Protocol):
    """CloudTrail's event history of a key."""

    def uses(self, key_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """The latest calls that were signed with the key: time, operation, origin. One call or more."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one user until ``until``; ``fence`` grows with every claim.

    ``record.intent`` is what an earlier run left unfinished; ``intent`` is that of this claim, already written.
    """

    user: UserName
    fence: int
    until: datetime
    intent: Intent
    record: Record
    reported: frozenset[str] = frozenset()
    """The keys whose leak is reported and not on record yet; ``UNNAMED`` for a report without a key id."""
    requested: frozenset[Demand] = frozenset()
    """The routine rotations that are requested and neither on record nor settled yet."""
    stopped: frozenset[str] = frozenset()
    """The leaked keys that a run without the lock deactivated, or was about to, and that are not on record yet."""

    def confirms(self, demand: Demand) -> bool:
        """Whether a demand is what it says: it is stored before it is published, so that no message forges one.

        A leak without a key id does nothing to a user with a current key; it asks a person to name the key.
        """
        if demand.reason is Reason.ROUTINE:
            known = self.record.requested
            return demand in self.requested or (known is not None and known.id == demand.id)
        if not demand.key_id:
            return bool(self.record.current_key) or UNNAMED in self.reported
        return is_reported(demand.key_id, self.record, self.reported)


UNNAMED = "-"
"""Stands for the key of a leak that was reported without one."""


def is_reported(key_id: str, record: Record, reported: AbstractSet[str]) -> bool:
    """Whether the leak of a key is stored, on record or not yet."""
    return key_id in reported or record.history(key_id).compromised


class LeakReports(Protocol):
    """Stores that the leak of a key was reported."""

    def report_leak(self, user: UserName, key_id: str) -> None:
        """Store the report, before it is published. Idempotent; an empty key id means the current key."""
        ...


def is_settled(request: Demand, record: Record) -> bool:
    """Whether a stored request is void: one of its key is on record, it is withdrawn, or its key is not current."""
    known = record.requested
    is_replaced = bool(record.current_key) and request.key_id != record.current_key
    is_wanted = bool(record.wanted) and request.key_id == record.wanted
    return is_replaced or is_wanted or request.id in {known.id if known else None, *record.withdrawn.split()}


class RotationMemory(Protocol):
    """Reads the records of what AWS does not keep."""

    def find(self, user: UserName) -> Record | None:
        """The record of a user; None if no run for it has finished yet."""
        ...

    def all(self) -> Iterator[tuple[UserName, Record, bool]]:
        """Every recorded user, and whether a run holds its lock. One call per megabyte.

        A record that cannot be read has the state ``UNREADABLE``, and hides no other.
        """
        ...


class RotationRecords(RotationMemory, LeakReports, Protocol):
    """Writes the records, and holds the lock that lets one run at a time work on a user."""

    def has_leaked(self, user: UserName, key_id: str) -> bool:
        """Whether the leak of a key is reported or on record, without claiming the user."""
        ...

    def stop(self, user: UserName, key_id: str) -> None:
        """Store that a leaked key is about to be deactivated by a run without the lock. Idempotent."""
        ...

    def request(self, user: UserName, demand: Demand) -> None:
        """Store a requested routine rotation, before it is published. Idempotent."""
        ...

    def claim(self, user: UserName, token: str, lease: timedelta, *, resuming: bool = False) -> Claim:
        """Take the lock, and write the intent ahead unless there is one. Raises BusyError.

        With ``resuming``, a lock that was taken with the same token is taken over.
        """
        ...

    def save(self, claim: Claim, record: Record) -> None:
        """Save the record; keep the lock and the intent. Raises LeaseLostError if another run has the lock."""
        ...

    def release(self, claim: Claim, record: Record) -> None:
        """Save the record with its intent, and release the lock. Raises LeaseLostError if another run has the lock."""
        ...

    def forget(self, claim: Claim) -> None:
        """Delete the user's record and lock. Raises LeaseLostError as above."""
        ...
