"""The access keys of the account, for the report: long-lived keys are access that no policy shows."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ListedKey:
    """An active key that is old, unused or without rotation."""

    user: str
    owner: str | None
    """Who is responsible, as a tag of the user says."""
    key_id: str | None
    age_days: int | None
    last_use: str
    """``used``, ``never`` or ``unknown``."""
    last_used_at: str | None
    last_used_service: str | None
    rotated_by: str
    way_out: str
    """How the account gets rid of it: ``unused``, ``role``, ``oidc`` or ``rotation``."""
    reason: str


@dataclass(frozen=True, slots=True)
class KeySummary:
    """All keys in numbers; ``old``, ``unused`` and ``not_rotated`` count active ones."""

    keys: int
    active: int
    old: int
    unused: int
    not_rotated: int


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """The keys of the account as of the list that they were read from, oldest first."""

    as_of: str
    old_days: int
    summary: KeySummary
    keys: tuple[ListedKey, ...]
    left_out: int = 0
    """Further keys of the same kinds."""
    unreadable: tuple[str, ...] = field(default=())
    """Users whose keys could not be read."""
