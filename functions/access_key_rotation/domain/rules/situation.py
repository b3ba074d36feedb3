"""The state of one user at one moment, with the questions that the rules ask of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from access_key_rotation.domain.rules.steps import Action
from access_key_rotation.domain.settings import UserSettings
from access_key_rotation.domain.state import AccessKey, Content, KeyHistory, Label, Restriction, User, UserState

SETTLE = timedelta(seconds=60)
"""How long IAM may take to list a key that it has created."""
SKEW = timedelta(minutes=5)
"""How far our clock and IAM's may be apart."""
LISTED_TWICE = timedelta(seconds=30)
"""How far apart the two listings are that an orphan must appear in."""
NEXT_PLAN = timedelta(minutes=55)
"""When a blocked user, or one with a leaked key, is looked at again: a person may have changed it meanwhile.

Shorter than the hour between two runs of the planner, so that the next of them finds the user due.
"""
DAILY = timedelta(days=1)
"""How long a notice is valid before it is published again."""
ROTATION_WINDOW = timedelta(days=1)
"""Secrets Manager's schedule may start a rotation this long before the date that it returns.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
"""
BY_SECRETS_MANAGER = "secrets-manager"
"""The reason of a key that an empty pending version asks for."""


class Reason(StrEnum):
    """Why a rotation is requested out of turn."""

    ROUTINE = "routine"
    COMPROMISED = "compromised"


@dataclass(frozen=True, slots=True)
class Demand:
    """A request to rotate one key. It is fulfilled, and void, when that key is no longer current."""

    key_id: str
    """Empty for the key that the secret names, of a user of which no current key is recorded."""
    reason: Reason
    id: str = ""
    by: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Which users, and which secrets, are ours."""

    path: str
    stack: str
    rotation_function: str = ""
    """The function that every secret is registered with, so that Secrets Manager rotates it if the planner is dead;
    empty if this run registers nothing."""
    roles: tuple[str, ...] = ()
    """ARNs of our own roles that read secrets; no pattern, because a role of a fitting name could be created."""

    def restriction(self, settings: UserSettings, user: User) -> Restriction:
        """What the secret's resource policy should restrict: nothing if IAM alone decides who reads."""
        if not settings.secret_readers:
            return Restriction()
        readers = tuple(sorted({*settings.secret_readers, *self.roles, user.arn}))
        editors = tuple(sorted({*settings.policy_editors, *self.roles})) if settings.policy_editors else ()
        return Restriction(readers, editors)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules judge."""

    seen: UserState
    settings: UserSettings
    enrolment: Enrolment
    now: datetime
    demand: Demand | None = None

    def history(self, key: AccessKey) -> KeyHistory:
        """What the record says of a key."""
        return self.seen.record.history(key.id)

    @property
    def is_enrolled(self) -> bool:
        """Whether the user exists, and is ours."""
        return self.seen.user is not None and self.seen.user.is_enrolled(self.enrolment.path)

    @property
    def is_urgent(self) -> bool:
        """Whether the key that consumers read has leaked, also if it is deleted already."""
        named = self.seen.named.get(Label.CURRENT)
        return isinstance(named, str) and self.seen.record.history(named).compromised

    @property
    def draining(self) -> list[AccessKey]:
        """Old keys that are still Active, without those that a consumer reads, now or next (invariant 1)."""
        return [
            key
            for key in self.seen.keys
            if key.active
            and not self.seen.is_labelled(key.id)
            and self.history(key).superseded_at
            and not self.history(key).compromised
            and not self.is_brought_back(key)
        ]

    @property
    def quarantined(self) -> list[AccessKey]:
        """Inactive keys that we deactivated."""
        return [key for key in self.seen.keys if not key.active and self.history(key).deactivated_at]

    @property
    def leaked(self) -> list[AccessKey]:
        """Active keys that have leaked and that no consumer reads any more."""
        return [
            key
            for key in self.seen.keys
            if key.active and self.history(key).compromised and not self.seen.is_labelled(key.id)
        ]

    @property
    def still_leaking(self) -> list[AccessKey]:
        """Active keys that have leaked of a user on the path, no matter what names them or what else is known.

        Neither a tag that somebody took away nor a user that is another one than before keeps such a key alive: its id
        names one key for good.
        """
        user, demand = self.seen.user, self.demand
        if user is None or not user.path.startswith(self.enrolment.path):
            return []
        reported = demand.key_id if demand and demand.reason is Reason.COMPROMISED else None
        return [key for key in self.seen.keys if key.active and (self.history(key).compromised or key.id == reported)]

    def is_brought_back(self, key: AccessKey) -> bool:
        """Whether a person reactivated the key after it was deactivated; by us, if that is announced."""
        history = self.history(key)
        was_inactive = history.found_inactive_at or (history.deactivated_at and history.announced)
        return key.active and bool(was_inactive) and not history.compromised

    @property
    def unattributed(self) -> list[AccessKey]:
        """Active keys that are not, and never were, in our secret."""
        return [key for key in self.seen.keys if key.active and not self.seen.is_attributed(key)]

    def is_orphan_candidate(self, key: AccessKey) -> bool:
        """Whether the key may be one that we created and lost: it is ours, or appeared after our intent."""
        history, intent = self.history(key), self.seen.record.intent
        if history.made_by_us or history.suspected_at:
            return True
        return intent is not None and key.id not in self.seen.record.keys and key.created >= intent.at - SKEW

    @property
    def missing(self) -> str | None:
        """The id of a key that consumers read and that IAM does not list."""
        named = self.seen.named.get(Label.CURRENT)
        return named if isinstance(named, str) and self.seen.current is None else None

    @property
    def has_empty_pending(self) -> bool:
        """Whether RotateSecret asks for a new key: its version has no value yet."""
        return self.seen.has_pending and self.seen.named.get(Label.PENDING) is Content.NOTHING

    @property
    def registration_is_tested_until(self) -> datetime | None:
        """Until when an empty pending version may be the one with which Secrets Manager tests a new registration.

        Only a run of the queue needs to know: Secrets Manager's own steps say themselves what they ask for.
        Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
        """
        registered_at = self.seen.record.registered_at
        if not self.enrolment.rotation_function or not self.has_empty_pending or registered_at is None:
            return None
        return registered_at + SETTLE if self.now < registered_at + SETTLE else None

    @property
    def is_asked_by_schedule(self) -> bool:
        """Whether Secrets Manager's own schedule asks for a new key, not a person."""
        rotates_by = self.seen.secret.rotates_by if self.seen.secret else None
        return self.has_empty_pending and rotates_by is not None and self.now >= rotates_by - ROTATION_WINDOW

    @property
    def is_due(self) -> bool:
        """Whether the current key is old enough for the next one."""
        return self.seen.current is not None and self.now >= self.seen.current.created + self.settings.rotate_after

    def reason_to_create(self) -> str | None:
        """Why a new key is due, or None."""
        current = self.seen.current
        if self.seen.has_pending and not self.has_empty_pending:
            return None
        if self.is_urgent:
            return "compromised"
        if current is None:
            return "missing" if self.missing else "bootstrap"
        if self.seen.record.wanted == current.id:
            return Reason.ROUTINE.value
        if self.has_empty_pending:
            return BY_SECRETS_MANAGER
        return "age" if self.is_due else None

    def checked_again(self) -> datetime:
        """When to read again what may change at any time."""
        return self.now + min(self.settings.drain / 8, DAILY)

    def is_listed_since(self, moment: datetime) -> bool:
        """Whether IAM was asked for the keys at this moment or later; what it said before proves nothing new."""
        return self.seen.listed_at is not None and self.seen.listed_at >= moment

    def is_past_limit(self, key: AccessKey) -> bool:
        """Whether the key is older than the settings allow."""
        return self.now >= key.created + self.settings.max_age


type Rule = Callable[[Situation], Action | None]
"""An action, or None if the rule does not apply."""
