"""The access keys of the whole account: how old each is, who uses and rotates it, and how the account gets rid of it.

What was not read is unknown, and unknown is never "unused", "young" or "rotated by nobody".
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

ROOT = "<root_account>"
"""The name of the root user in the credential report."""
UNUSED_AFTER = timedelta(days=90)
"""A key that was not used for this long counts as unused; the CIS benchmark for AWS has half of it for people."""
OLD_AFTER = timedelta(days=90)
"""A key that is older counts as old in the summary."""
USE_IS_RECORDED_SINCE = datetime(2015, 4, 22, tzinfo=UTC)
"""A key that is older may have been used before IAM recorded uses.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""
CONTACT_TAGS = ("owner", "Owner", "team", "Team", "contact", "Contact")
"""Tags of users that commonly say who is responsible; the first that exists counts."""
_SIGNS_IN_BY_OIDC = re.compile(
    r"github|gitlab|bitbucket|circle-?ci|buildkite|azure-?devops|(?<![a-z])gha(?![a-z])", re.IGNORECASE
)
"""Names of CI systems whose jobs can take a role by OpenID Connect.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""


class WayOut(StrEnum):
    """How the account gets rid of a long-lived key."""

    ROLE = "role"
    """Its holder signs in as a person or runs on AWS, and takes a role."""
    OIDC = "oidc"
    """A CI job takes a role by its own identity token."""
    ROTATION = "rotation"
    """The key stays, and the steward rotates it."""
    UNUSED = "unused"
    """Nobody uses it: it is deactivated, then deleted."""


class Use(StrEnum):
    """What IAM says of the last use of a key."""

    USED = "used"
    NEVER = "never"
    UNKNOWN = "unknown"


class Rotator(StrEnum):
    """Who rotates a key."""

    STEWARD = "steward"
    NOBODY = "nobody"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReportedKey:
    """A key of a user as a list of the account shows it; ``id`` is empty where that list names no ids."""

    active: bool
    created: datetime | None
    use: Use
    used_at: datetime | None = None
    used_for: str = ""
    used_in: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class ReportedUser:
    """A user with its keys as of one moment; None where it is unknown whether the user has a password or MFA."""

    name: str
    arn: str
    has_password: bool | None
    has_mfa: bool | None
    keys: tuple[ReportedKey, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All users with their keys, as of one moment; ``unreadable`` are entries that make no sense."""

    as_of: datetime
    users: tuple[ReportedUser, ...]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """What else is known of a user: its path and tags; the steward's record of its keys."""

    path: str
    tags: Mapping[str, str]
    is_enrolled: bool
    is_on_service_path: bool
    state: str = ""
    key_ids: Mapping[datetime, str] | None = None
    """Key ids by the moment of creation, in whole seconds."""


@dataclass(frozen=True, slots=True)
class InventoriedKey:
    """One key of the account."""

    user: str
    arn: str
    path: str | None
    owner: str
    """Who is responsible, as a tag of the user says; empty where none does."""
    id: str
    active: bool
    created: datetime | None
    age: timedelta | None
    use: Use
    used_at: datetime | None
    used_for: str
    used_in: str
    rotated_by: Rotator
    state: str
    way_out: WayOut
    reason: str
    """Why this is the way out, and what the first step is."""

    def is_older_than(self, age: timedelta) -> bool:
        """Whether it is as old; a key of unknown age is."""
        return self.age is None or self.age >= age


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every key of the account, oldest first, as of the moment of the list that was read."""

    as_of: datetime
    keys: tuple[InventoriedKey, ...]
    unreadable: tuple[str, ...] = ()

    def older_than(self, age: timedelta) -> tuple[InventoriedKey, ...]:
        """The keys that are as old."""
        return tuple(key for key in self.keys if key.is_older_than(age))


@dataclass(frozen=True, slots=True)
class Summary:
    """An inventory in numbers. ``old`` and ``unused`` count active keys."""

    keys: int
    active: int
    old: int
    unused: int
    not_rotated: int
    """Active keys that nobody is known to rotate."""
    ways_out: Mapping[WayOut, int]


def summary_of(keys: Iterable[InventoriedKey]) -> Summary:
    """Count the keys."""
    listed = tuple(keys)
    active = [key for key in listed if key.active]
    return Summary(
        keys=len(listed),
        active=len(active),
        old=sum(key.is_older_than(OLD_AFTER) for key in active),
        unused=sum(key.way_out is WayOut.UNUSED for key in active),
        not_rotated=sum(key.rotated_by is not Rotator.STEWARD for key in active),
        ways_out={way: sum(key.way_out is way for key in listed) for way in WayOut},
    )


def inventory_of(report: Report, holders: Mapping[str, Holder], now: datetime) -> Inventory:
    """Put the account's report together with what else is known of its users, by name.

    Parameters
    ----------
    holders
        What was read of users; a user that is missing here, such as one that is deleted since, is unknown.
    """
    keys = [_inventoried(user, key, holders.get(user.name), now) for user in report.users for key in user.keys]
    latest = now + timedelta(days=1)
    oldest_first = sorted(keys, key=lambda key: (key.created or datetime.min.replace(tzinfo=UTC), key.user))
    return Inventory(min(report.as_of, latest), tuple(oldest_first), report.unreadable)


def _inventoried(user: ReportedUser, key: ReportedKey, holder: Holder | None, now: datetime) -> InventoriedKey:
    way_out, reason = way_out_of(user, key, holder, now)
    tags = holder.tags if holder else {}
    ids = holder.key_ids if holder and holder.key_ids else {}
    return InventoriedKey(
        user=user.name,
        arn=user.arn,
        path=holder.path if holder else None,
        owner=next((tags[tag] for tag in CONTACT_TAGS if tags.get(tag)), ""),
        id=key.id or (ids.get(key.created.replace(microsecond=0), "") if key.created else ""),
        active=key.active,
        created=key.created,
        age=max(now - key.created, timedelta()) if key.created else None,
        use=key.use,
        used_at=key.used_at,
        used_for=key.used_for,
        used_in=key.used_in,
        rotated_by=_rotator(user, holder),
        state=holder.state if holder else "",
        way_out=way_out,
        reason=reason,
    )


def _rotator(user: ReportedUser, holder: Holder | None) -> Rotator:
    if user.name == ROOT:
        return Rotator.NOBODY
    if holder is None:
        return Rotator.UNKNOWN
    return Rotator.STEWARD if holder.is_enrolled else Rotator.NOBODY


def way_out_of(  # noqa: PLR0911 - one return per way
    user: ReportedUser, key: ReportedKey, holder: Holder | None, now: datetime
) -> tuple[WayOut, str]:
    """How the account gets rid of a key, and why; the first that applies."""
    if user.name == ROOT:
        return WayOut.ROLE, "a key of the root user may do everything: take a role instead, and delete the key"
    is_enrolled = holder is not None and holder.is_enrolled
    if not key.active:
        who = "the steward deletes a key that it deactivated" if is_enrolled else "delete it once no consumer misses it"
        return WayOut.UNUSED, f"the key is not active: {who}"
    if (unused := _unused(key, now)) is not None:
        return WayOut.UNUSED, f"{unused}: deactivate it, and delete it once no consumer misses it"
    if is_enrolled:
        return WayOut.ROTATION, "the steward rotates it"
    if user.has_password or user.has_mfa:
        return WayOut.ROLE, "its user is a person: sign in through IAM Identity Center, and take a role"
    if found := _SIGNS_IN_BY_OIDC.search(user.name):
        return WayOut.OIDC, f"its name says {found[0]}, whose jobs can take a role by OpenID Connect"
    if user.has_password is None or user.has_mfa is None:
        return WayOut.ROTATION, "it is unknown whether its user is a person: if not, enrol the user"
    if holder and not holder.is_on_service_path:
        return WayOut.ROTATION, "enrol the user, after it is moved to the service path"
    return WayOut.ROTATION, "enrol the user"


def _unused(key: ReportedKey, now: datetime) -> str | None:
    """Since when a key is unused, in words; None where it is used, young, or its use is unknown."""
    if key.use is Use.USED and key.used_at and now - key.used_at >= UNUSED_AFTER:
        return f"not used since {key.used_at.date()}"
    if key.use is Use.NEVER and key.created and now - key.created >= UNUSED_AFTER:
        return f"never used since it was created on {key.created.date()}"
    return None
