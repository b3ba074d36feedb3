"""What access-key rotation needs of the world; adapters and doubles are held to it by the same contract tests.

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
    """Somebody else moved the label first."""


class VersionTakenError(ConflictError):
    """The version has another value already."""


class NotAuthenticatedError(ConflictError):
    """AWS refuses the credential."""


class BusyError(UpstreamError):
    """Another run works on this user; a little later it no longer does."""


class LeaseLostError(ConflictError):
    """The time for this run is over, or another run took its place: it must stop."""


class Users(Protocol):
    """IAM, as far as it concerns one user."""

    def find(self, name: UserName) -> User | None:
        """The user, or None where IAM says that there is none."""
        ...

    def keys(self, name: UserName) -> tuple[AccessKey, ...]:
        """All its keys, of any status; none where IAM says that there is no such user."""
        ...

    def last_use(self, key_id: str) -> LastUse:
        """When the key was last used."""
        ...

    def standing(self, user: User) -> Standing:
        """Whether it is a person or an administrator. Three calls."""
        ...

    def create_key(self, name: UserName) -> Credential:
        """Make a key; never repeated. Raises OutcomeUnknownError where it may have acted, and KeySlotsFullError."""
        ...

    def deactivate_key(self, name: UserName, key_id: str) -> None:
        """Make it Inactive. Raises KeyNotFoundError."""
        ...

    def reactivate_key(self, name: UserName, key_id: str) -> None:
        """Make it Active. Raises KeyNotFoundError."""
        ...

    def delete_key(self, name: UserName, key_id: str) -> None:
        """Delete it. One that is gone already is fine."""
        ...


class KeyOwners(Protocol):
    """Whose a key is."""

    def owner(self, key_id: str) -> UserName | None:
        """The user that has the key, or None where IAM says that there is no such key."""
        ...


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as the account's bulk calls show it; ``is_person`` is None where the credential report does not say."""

    name: UserName
    user_id: str
    arn: str
    path: str
    tags: Mapping[str, str]
    is_person: bool | None


class Directory(Protocol):
    """All users of the account."""

    def users(self, path: str) -> Iterator[ListedUser]:
        """Those on the path or below it: one call per thousand users of the account, and two for the report."""
        ...


class PermissionCheck(Protocol):
    """IAM's own judgement of a user's permissions."""

    def administers_iam(self, arn: str) -> bool:
        """Whether IAM would let the user give itself any permission."""
        ...


class CredentialVault(Protocol):
    """Secrets Manager, as far as it concerns one user's secret."""

    def find(self, user: UserName) -> Secret | None:
        """The secret without its values, or None where Secrets Manager says that there is none."""
        ...

    def read(self, user: UserName, version: str) -> Credential | Content:
        """What a version holds."""
        ...

    def create(self, user: UserName) -> Secret:
        """Make the secret with a placeholder as AWSCURRENT; one of ours that exists already is fine."""
        ...

    def restrict_readers(self, user: UserName, principals: Sequence[str]) -> None:
        """Let only these read the values: ARNs, or patterns of ARNs; with none, lift the restriction."""
        ...

    def replicate(self, user: UserName, regions: Sequence[str]) -> None:
        """Copy the secret to these regions, too; where it is already is fine."""
        ...

    def register(self, user: UserName, function: str, days: int) -> None:
        """Have Secrets Manager rotate it through the function, so often, but not now. The same again is fine."""
        ...

    def stage(self, version: str, credential: Credential) -> None:
        """Store it as AWSPENDING. The same again is fine; raises VersionTakenError for another value."""
        ...

    def promote(self, user: UserName, version: str, *, expected: str | None) -> None:
        """Move AWSCURRENT from ``expected`` to ``version``. Raises LabelMovedError."""
        ...

    def drop_pending(self, user: UserName, version: str) -> None:
        """Take AWSPENDING from ``version``. Raises LabelMovedError where it is elsewhere."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom AWS takes the holder of a credential for."""

    user_id: str
    arn: str


class Authenticator(Protocol):
    """Tries credentials, as a consumer would."""

    def identify(self, credential: Credential, region: str) -> Identity:
        """Who the credential is, in one region. Raises NotAuthenticatedError."""
        ...

    def log_in_to_ecr(self, credential: Credential, region: str) -> None:
        """Get an ECR authorization token. Raises NotAuthenticatedError."""
        ...


class Trail(Protocol):
    """CloudTrail's memory of ninety days."""

    def made_by_us(self, key_id: str, created: datetime) -> bool:
        """Whether one of our roles made the key; False too where the trail does not say. One call or more."""
        ...


class KeyUses(Protocol):
    """CloudTrail's memory of who used a key."""

    def uses(self, key_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """The latest calls that were signed with the key: when, what, from where. One call or more."""
        ...


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one user until ``until``; ``fence`` grows with every claim.

    ``record.intent`` is what an earlier run left unfinished; ``intent`` is that of this claim, and is written.
    """

    user: UserName
    fence: int
    until: datetime
    intent: Intent
    record: Record


class RotationMemory(Protocol):
    """Memory of what AWS does not keep, for reading."""

    def find(self, user: UserName) -> Record | None:
        """What is remembered of a user; None for one that no run has finished with yet."""
        ...

    def all(self) -> Iterator[tuple[UserName, Record, bool]]:
        """Every user that is remembered, and whether a run works on it now. One call per megabyte."""
        ...


class RotationRecords(RotationMemory, Protocol):
    """The same for writing, and the lock that lets one run at a time work on a user."""

    def claim(self, user: UserName, token: str, lease: timedelta, *, resuming: bool = False) -> Claim:
        """Take the lock and write the intent ahead, where there is none. Raises BusyError.

        With ``resuming``, a lock that was taken with the same token is taken over from its holder.
        """
        ...

    def save(self, claim: Claim, record: Record) -> None:
        """Remember it, and keep the lock and the intent. Raises LeaseLostError where the lock is another's."""
        ...

    def release(self, claim: Claim, record: Record) -> None:
        """Remember it, its intent too, and give the lock back. Raises LeaseLostError where the lock is another's."""
        ...

    def forget(self, claim: Claim) -> None:
        """Remember nothing of the user any more, the lock included. Raises LeaseLostError as above."""
        ...
