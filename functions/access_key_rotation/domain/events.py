"""What access-key rotation tells the world: key ids yes, secrets never. Golden examples are in ``events/published/``.

Times are ISO 8601 in UTC.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AccessKeyRotationDue:
    """There is something to do for a user. ``reason`` is ``scheduled``, ``routine`` or ``compromised``.

    ``key_id`` is the key that a person or AWS asks to replace; None for what the schedule finds. ``judged_at`` is when
    the planner found that the user is as it is remembered, no person and no administrator; None where the worker must
    find out.
    """

    user_name: str
    reason: str
    key_id: str | None = None
    requested_by: str = "schedule"
    judged_at: str | None = None


@dataclass(frozen=True, slots=True)
class AccessKeyRotated:
    """The secret holds another key, and it works. ``previous_key_ids`` still work until they have drained."""

    user_name: str
    user_id: str
    key_id: str
    secret: str
    previous_key_ids: list[str] = field(default_factory=list)
    waived: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AccessKeyDeactivated:
    """A key no longer works. It can be brought back until ``deleted_after``, unless it leaked."""

    user_name: str
    user_id: str
    key_id: str
    reason: str
    deleted_after: str


@dataclass(frozen=True, slots=True)
class AccessKeyDeleted:
    """A key is gone for good."""

    user_name: str
    user_id: str
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccessKeyReactivated:
    """A superseded key was brought back: by an operator, who froze the user with it, or by hand, and it drains again.

    ``requested_by`` is the operator; None where somebody did it in IAM, past the steward. ``frozen`` is whether the
    user is left alone until somebody asks for a rotation.
    """

    user_name: str
    user_id: str
    key_id: str
    requested_by: str | None
    frozen: bool


@dataclass(frozen=True, slots=True)
class AccessKeyRotationBlocked:
    """Somebody must check what ``reason`` says. Published again every day, and when somebody asks for a rotation."""

    user_name: str
    state: str
    reason: str
    key_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AccessKeyRotationFailed:
    """A step failed; the next run goes on from there. ``code`` is AWS's, where AWS failed."""

    user_name: str
    step: str
    reason: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class SecretReaderMissing:
    """Nobody but the rotated user itself may read its secret: a consumer that is away too long never gets in again."""

    user_name: str
    secret: str


@dataclass(frozen=True, slots=True)
class SecretDoesNotAuthenticate:
    """What consumers read is refused by AWS."""

    user_name: str
    key_id: str
    region: str
