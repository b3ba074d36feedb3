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
class AccessKeyRotationWithdrawn:
    """An operator withdrew a requested rotation before it began; ``key_id`` stays current."""

    user_name: str
    key_id: str
    requested_by: str
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
    """A key no longer works. It can be reactivated until ``deleted_after``, unless it leaked.

    ``last_used_at`` and ``last_used_for`` (a service) are IAM's of a leaked key; None and empty if it does not say.
    """

    user_name: str
    user_id: str
    key_id: str
    reason: str
    deleted_after: str
    last_used_at: str | None = None
    last_used_for: str = ""


@dataclass(frozen=True, slots=True)
class AccessKeyDeleted:
    """A key was permanently deleted. ``was_active`` is whether it worked until then.

    ``last_used_at`` and ``last_used_for`` are as above, of a key that made room for the successor of a leaked one.
    """

    user_name: str
    user_id: str
    key_id: str
    reason: str
    last_used_at: str | None = None
    last_used_for: str = ""
    was_active: bool = False


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
    """A step failed; the next run continues from there. ``code`` is AWS's, if AWS failed.

    ``cause`` is the side that failed: ``user``, ``key``, ``secret``, ``aws`` or ``steward``.
    """

    user_name: str
    step: str
    reason: str
    code: str | None = None
    cause: str = ""
    next_try_at: str | None = None


@dataclass(frozen=True, slots=True)
class SecretReaderMissing:
    """Only the rotated user itself may read its secret: a consumer that is offline too long loses access for good."""

    user_name: str
    secret: str


@dataclass(frozen=True, slots=True)
class SecretReadersChanged:
    """Another writer changed the resource policy of a secret; it is as the settings define it again.

    ``change`` is ``removed``, ``replaced``, ``statements-added``, ``readers-added``, ``readers-removed`` or
    ``editors-changed``. ``readers`` could read meanwhile; if empty, every principal that IAM permits.
    """

    user_name: str
    secret: str
    change: str
    readers: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SecretDoesNotAuthenticate:
    """The key that consumers read is rejected by AWS, or is not Active; ``key_id`` is empty if they read no key."""

    user_name: str
    key_id: str
    region: str


@dataclass(frozen=True, slots=True)
class ServiceUserEnrolled:
    """A user that existed before is enrolled by a call. ``key_ids`` are its keys at that time.

    ``first_secret`` is ``new-key`` or ``present-key``.
    """

    user_name: str
    user_id: str
    first_secret: str
    key_ids: list[str] = field(default_factory=list)
    requested_by: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class ServiceUserLeft:
    """A user is not rotated any more. ``key_ids`` are its keys, which work until a person deactivates them."""

    user_name: str
    user_id: str
    key_ids: list[str] = field(default_factory=list)
    requested_by: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class SecretSynced:
    """A target outside of Secrets Manager confirmed a user's current key."""

    user_name: str
    key_id: str
    target: str


@dataclass(frozen=True, slots=True)
class SecretSyncFailed:
    """A target has not confirmed a user's current key, so that the old one stays active.

    Published when it fails first, and again every day. ``since`` is when it failed first.
    """

    user_name: str
    key_id: str
    target: str
    reason: str
    since: str


@dataclass(frozen=True, slots=True)
class AccessKeysCounted:
    """The keys of the whole account in numbers, as of a moment; published every day, for the weekly digest.

    ``old`` (of at least ``old_days``), ``unused`` and ``not_rotated`` count active keys; ``unreadable`` counts users
    whose entry in IAM's report makes no sense.
    """

    as_of: str
    keys: int
    active: int
    old: int
    old_days: int
    unused: int
    not_rotated: int
    unreadable: int
