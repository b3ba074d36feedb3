"""The operator's settings: ``rotation.yaml`` as dataclasses, and the settings of one user that follow from it.

Times are in days, and may be fractions of a day. A user's own tags may tighten its settings, never loosen them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha256
from math import nan
from typing import ClassVar, Self

from access_key_rotation.domain.names import ReaderArn, UserName
from access_key_rotation.domain.sync import Sync, Target, named_twice, targets_of
from steward.errors import RuleViolationError, ValidationError

SETTINGS_FILE = "rotation.yaml"
"""The shipped file, and that of an operator that is merged over it."""
ROTATE_AFTER_TAG = "steward:rotate-after-days"
MAX_AGE_TAG = "steward:max-age-days"
FEWEST_SUCCESSES = 3
LONGEST_PROOF = 240
"""Seconds that the verification of a new key may take: the functions have 300, and make other calls, too."""
LONGEST_INTERVAL = 1000
"""The longest interval of Secrets Manager's own rotation in days; ``max_age_days`` is that interval.

Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html
"""
BRIDGED_BY_CONSUMERS = 1.0
"""Days for which the consumers' helper keeps using the key that it read last, while the secret cannot be read."""


RENAMED_TIMES = {"quiet_days": "drain_days"}
"""Old names of times that settings files may still have."""


class AtMaxAge(StrEnum):
    """What happens to an old key that is still used at the maximum age."""

    ALERT = "alert"
    DEACTIVATE = "deactivate"


class LeakWithoutSlot(StrEnum):
    """What makes room when the current key has leaked and an older key that still works takes the other slot."""

    KEEP_OLDER_KEY = "keep-older-key"
    """Nothing that works: the older key becomes current again, or the leaked key is deleted if it cannot."""
    DELETE_OLDER_KEY = "delete-older-key"
    """The older key, which cuts off its users; the leaked key works until its successor is current."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """When a new key counts as verified: ``successes`` in a row, over ``over_seconds``, in every region."""

    regions: tuple[str, ...] = ()
    """Where consumers call; empty for the stack's own region."""
    successes: int = 3
    over_seconds: float = 10
    give_up_after_seconds: float = 60
    ecr: bool = True
    """Whether the key must also get an ECR authorization token."""
    proofs_per_run: int = 500
    """How many current secrets one run of the hourly check verifies, at most."""

    def __post_init__(self) -> None:
        if self.successes < FEWEST_SUCCESSES or self.over_seconds <= 0:
            raise ValueError("fewer than 3 successes, or all at once, prove nothing: IAM propagates in any order")
        if self.give_up_after_seconds <= self.over_seconds:
            raise ValueError("give_up_after_seconds must be longer than over_seconds")
        if self.over_seconds + self.give_up_after_seconds > LONGEST_PROOF:
            raise ValueError(
                f"over_seconds ({self.over_seconds:g}) + give_up_after_seconds ({self.give_up_after_seconds:g}) must "
                f"not exceed {LONGEST_PROOF}: the function is ended after 300 seconds, whatever it is doing"
            )
        if self.proofs_per_run < 1:
            raise ValueError(f"proofs_per_run is {self.proofs_per_run}; it is at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A user that is not rotated until a day, for a reason."""

    user: str
    reason: str
    until: date

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("an exemption needs a reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeWindow:
    """Days, both included, in UTC, in which nothing is started, promoted, deactivated or deleted."""

    starts: date
    ends: date
    reason: str = ""

    def __post_init__(self) -> None:
        if self.ends < self.starts:
            raise ValueError(f"the freeze ends ({self.ends}) before it starts ({self.starts})")

    def holds(self, now: datetime) -> bool:
        """Whether ``now`` lies in the window."""
        return self.starts <= now.astimezone(UTC).date() <= self.ends

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.starts, time(), UTC)

    @property
    def over(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.ends + timedelta(days=1), time(), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The length of each phase of a key's life, in days; ``rotation.yaml`` has the shipped ones."""

    rotate_after_days: float
    max_age_days: float
    drain_days: float
    adoption_timeout_days: float
    keep_inactive_days: float

    RENAMED: ClassVar[Mapping[str, str]] = RENAMED_TIMES

    def __post_init__(self) -> None:
        if min(self.rotate_after_days, self.drain_days, self.adoption_timeout_days, self.keep_inactive_days) <= 0:
            raise ValueError("every time is longer than nothing")
        if self.max_age_days > LONGEST_INTERVAL:
            raise ValueError(
                f"max_age_days is {self.max_age_days:g}; it is at most {LONGEST_INTERVAL}, the longest interval of "
                "Secrets Manager's own rotation"
            )
        slack = min(1.0, self.drain_days)
        if self.rotate_after_days + self.drain_days + slack > self.max_age_days:
            raise ValueError(
                f"rotate_after_days ({self.rotate_after_days:g}) + drain_days ({self.drain_days:g}) + {slack:g} must "
                f"not exceed max_age_days ({self.max_age_days:g}), else every key outlives the limit"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTimes:
    """Some of ``Times``, in days; None keeps a time."""

    rotate_after_days: float | None = None
    max_age_days: float | None = None
    drain_days: float | None = None
    adoption_timeout_days: float | None = None
    keep_inactive_days: float | None = None

    RENAMED: ClassVar[Mapping[str, str]] = RENAMED_TIMES

    def over(self, times: Times) -> Times:
        """The given times, with these in place of theirs.

        Raises
        ------
        ValueError
            Together they make no sense.
        """
        own = {place.name: getattr(self, place.name) for place in fields(self)}
        return replace(times, **{name: days for name, days in own.items() if days is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Other times or readers for the users with names that match the pattern ``match``; what is left out stays."""

    match: str
    times: OtherTimes = field(default_factory=OtherTimes)
    secret_readers: tuple[ReaderArn, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationSettings:
    """``rotation.yaml``."""

    times: Times
    overrides: tuple[Override, ...] = ()
    at_max_age: AtMaxAge = AtMaxAge.ALERT
    leak_without_slot: LeakWithoutSlot = LeakWithoutSlot.KEEP_OLDER_KEY
    max_users_per_run: int = 200
    """How many users one run of the planner may start."""
    freeze: tuple[FreezeWindow, ...] = ()
    exempt: tuple[Exemption, ...] = ()
    replica_regions: tuple[str, ...] = ()
    secret_readers: tuple[ReaderArn, ...] = ()
    """ARNs of the roles and users that may read secrets, beside the user itself; empty for no restriction."""
    policy_editors: tuple[ReaderArn, ...] = ()
    """ARNs of those who may change the policies of restricted secrets, beside the steward; empty: IAM decides."""
    verify: Verification = field(default_factory=Verification)
    last_use_granularity_minutes: float = 15
    """How coarse GetAccessKeyLastUsed is."""
    sync: tuple[Sync, ...] = ()
    """Where current keys are also written, for systems that cannot read Secrets Manager."""

    def __post_init__(self) -> None:
        if self.max_users_per_run < 1:
            raise ValueError("max_users_per_run is at least 1")
        if self.last_use_granularity_minutes < 0:
            raise ValueError("last_use_granularity_minutes is 15, or what AWS has made of it; never less than 0")
        for number, name in named_twice(self.sync):
            raise ValidationError(f"{name} is named twice: one key would overwrite the other", ("sync", number))
        for number, override in enumerate(self.overrides):
            try:
                override.times.over(self.times)
            except ValueError as error:
                raise ValidationError(str(error), ("overrides", number, "times")) from error

    def warnings(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Settings that are allowed and probably not meant, each with its place in the file; empty for all of it."""
        if not self.secret_readers:
            yield (), "secret_readers is empty, so only IAM decides who may read the secrets"
        elif not self.policy_editors:
            yield (), "policy_editors is empty, so IAM alone decides who may lift secret_readers until the hourly check"
        shortest = [
            ((), self.times),
            *((("overrides", n), o.times.over(self.times)) for n, o in enumerate(self.overrides)),
        ]
        for place, times in shortest:
            if times.drain_days < BRIDGED_BY_CONSUMERS:
                yield (
                    (*place, "times", "drain_days"),
                    "the consumers' helper goes on for a day with the key that it read last, which is longer than this",
                )

    def at_home_in(self, region: str) -> Self:
        """The same, with every region named where a key must work: where consumers call, and where they read."""
        regions = dict.fromkeys([*(self.verify.regions or (region,)), *self.replica_regions])
        replicas = tuple(replica for replica in self.replica_regions if replica != region)
        return replace(self, verify=replace(self.verify, regions=tuple(regions)), replica_regions=replicas)


@dataclass(frozen=True, slots=True)
class UserSettings:
    """The settings of one user."""

    times: Times
    at_max_age: AtMaxAge
    freeze: tuple[FreezeWindow, ...]
    exemption: Exemption | None
    verify: Verification
    granularity: timedelta
    replica_regions: tuple[str, ...] = ()
    secret_readers: tuple[str, ...] = ()
    leak_without_slot: LeakWithoutSlot = LeakWithoutSlot.KEEP_OLDER_KEY
    policy_editors: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    """Where the current key is also written; no old key is deactivated before all of these confirmed it."""

    @property
    def fingerprint(self) -> str:
        """Changes when anything here does."""
        return sha256(repr(self).encode()).hexdigest()[:16]

    def frozen_until(self, now: datetime) -> datetime | None:
        """The end of the freeze window that holds now, if one does."""
        return max((window.over for window in self.freeze if window.holds(now)), default=None)

    def exempt_until(self, now: datetime) -> datetime | None:
        """The end of the exemption, while it lasts: it ends with its day, UTC."""
        if self.exemption is None:
            return None
        end = datetime.combine(self.exemption.until + timedelta(days=1), time(), UTC)
        return end if now < end else None

    @property
    def rotate_after(self) -> timedelta:
        """Age at which a key is replaced."""
        return timedelta(days=self.times.rotate_after_days)

    @property
    def max_age(self) -> timedelta:
        """Age at which a key should be inactive."""
        return timedelta(days=self.times.max_age_days)

    @property
    def drain(self) -> timedelta:
        """How long an old key must be unused before it is deactivated."""
        return timedelta(days=self.times.drain_days)

    @property
    def adoption_timeout(self) -> timedelta:
        """How long a new key may stay unused before it is reported."""
        return timedelta(days=self.times.adoption_timeout_days)

    @property
    def keep_inactive(self) -> timedelta:
        """How long a deactivated key is kept."""
        return timedelta(days=self.times.keep_inactive_days)


def settings_of(settings: RotationSettings, user: UserName, tags: Mapping[str, str]) -> UserSettings:
    """The settings of one user, tightened by its own tags.

    Raises
    ------
    RuleViolationError
        A tag of the user is no number of days, or leaves no time to rotate.
    """
    override = next((rule for rule in settings.overrides if fnmatchcase(user, rule.match)), Override(match=user))
    times = protected = override.times.over(settings.times)
    readers = settings.secret_readers if override.secret_readers is None else override.secret_readers
    try:
        times = replace(
            times,
            rotate_after_days=_tightened(times.rotate_after_days, tags, ROTATE_AFTER_TAG),
            max_age_days=_tightened(times.max_age_days, tags, MAX_AGE_TAG),
        )
        _require_protection(times, protected, tags)
    except ValueError as error:
        raise RuleViolationError(f"the tags of user {user} make no policy: {error}") from error
    return UserSettings(
        times=times,
        at_max_age=settings.at_max_age,
        freeze=settings.freeze,
        exemption=max((one for one in settings.exempt if one.user == user), key=lambda one: one.until, default=None),
        verify=settings.verify,
        granularity=timedelta(minutes=settings.last_use_granularity_minutes),
        replica_regions=settings.replica_regions,
        secret_readers=readers,
        leak_without_slot=settings.leak_without_slot,
        policy_editors=settings.policy_editors,
        targets=targets_of(settings.sync, user),
    )


def _tightened(days: float, tags: Mapping[str, str], tag: str) -> float:
    if tag not in tags:
        return days
    try:
        wanted = float(tags[tag])
    except ValueError:
        wanted = nan
    if not wanted > 0:
        raise ValueError(f"{tag} is {tags[tag]!r}, not a number of days; correct or remove this tag")
    return min(days, wanted)


def _require_protection(times: Times, without_tags: Times, tags: Mapping[str, str]) -> None:
    """Refuse tags that leave consumers less time than ``drain_days`` and ``adoption_timeout_days`` to switch.

    A key that is replaced more often than consumers switch, or that reaches its limit while they do, cuts them off.
    """
    switching = times.drain_days + times.adoption_timeout_days
    for tag, days, given, shortest in (
        (ROTATE_AFTER_TAG, times.rotate_after_days, without_tags.rotate_after_days, switching),
        (MAX_AGE_TAG, times.max_age_days, without_tags.max_age_days, times.rotate_after_days + switching),
    ):
        if tag in tags and days < min(shortest, given):
            raise ValueError(
                f"{tag} is {tags[tag]!r}; consumers need {shortest:g} days (drain_days {times.drain_days:g} + "
                f"adoption_timeout_days {times.adoption_timeout_days:g}"
                + (f" + rotate_after_days {times.rotate_after_days:g})" if tag == MAX_AGE_TAG else ")")
                + "; correct or remove this tag"
            )
