"""The events that access-key rotation publishes: key ids, never secrets. Examples are in ``events/published/``.

Times are ISO 8601 in UTC.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AccessKeyRotationDue:
    """A user is due. ``reason`` is ``scheduled``, ``routine`` or ``compromised``.

    ``key_id`` is the key that a person or AWS asks to replace; None for what the schedule finds.
    """

    user_name: str
    reason: str
    key_id: str | None = None
    requested_by: str = "schedule"
    session: str = ""


@dataclass(frozen=True, slots=True)
class AccessKeyRotated:
    """The secret holds a new, verified key. ``previous_key_ids`` still work until they have drained."""

    user_name: str
    user_id: str
    key_id: str
    secret: str
    previous_key_ids: list[str] = field(default_factory=list)
    waived: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AccessKeyDeactivated:
    """A key no longer works. It can be reactivated until ``deleted_after``, unless it leaked."""

    user_name: str
    user_id: str
    key_id: str
    reason: str
    deleted_after: str


@dataclass(frozen=True, slots=True)
class AccessKeyDeleted:
    """A key was permanently deleted."""

    user_name: str
    user_id: str
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccessKeyReactivated:
    """An old key was reactivated: by an operator, which freezes the user, or by hand, and it drains again.

    ``requested_by`` is the operator; None if it was done directly in IAM. ``frozen`` is whether the
    user is not rotated until a rotation is requested.
    """

    user_name: str
    user_id: str
    key_id: str
    requested_by: str | None
    frozen: bool
    session: str = ""


@dataclass(frozen=True, slots=True)
class AccessKeyRotationBlocked:
    """A person must check ``reason``. Published again every day, and when a rotation is requested."""

    user_name: str
    state: str
    reason: str
    key_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AccessKeyRotationFailed:
    """A step failed; the next run continues from there. ``code`` is AWS's, if AWS failed."""

    user_name: str
    step: str
    reason: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class SecretReaderMissing:
    """Only the rotated user itself may read its secret: a consumer that is offline too long loses access for good."""

    user_name: str
    secret: str


@dataclass(frozen=True, slots=True)
class SecretDoesNotAuthenticate:
    """The key that consumers read is rejected by AWS, or is not Active; ``key_id`` is empty if they read no key."""

    user_name: str
    key_id: str
    region: str
