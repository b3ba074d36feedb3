"""The ports of access-key rotation; adapters and doubles pass the same contract tests.

Every method is one AWS call unless it says otherwise, and raises UpstreamError when AWS fails.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import (
    AccessKey,
    Content,
    Intent,
    LastUse,
    Record,
    Secret,
    Standing,
    User,
)
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

    def restrict_readers(self, user: UserName, principals: Sequence[str]) -> None:
        """Let only these principals (ARNs or patterns of ARNs) read the values; with none, lift the restriction."""
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


class RotationMemory(Protocol):
    """Reads the records of what AWS does not keep."""

    def find(self, user: UserName) -> Record | None:
        """The record of a user; None if no run for it has finished yet."""
        ...

    def all(self) -> Iterator[tuple[UserName, Record, bool]]:
        """Every recorded user, and whether a run holds its lock. One call per megabyte."""
        ...


class RotationRecords(RotationMemory, Protocol):
    """Writes the records, and holds the lock that lets one run at a time work on a user."""

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
