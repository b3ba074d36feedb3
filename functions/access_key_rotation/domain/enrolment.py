"""What happens to which keys, and when, if an existing user is enrolled or leaves; what is refused, and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.next_key import SLOTS
from access_key_rotation.domain.settings import UserSettings
from access_key_rotation.domain.state import AccessKey, LastUse, Record, Secret, Standing, User


class FirstSecret(StrEnum):
    """Which key is the first one that consumers read."""

    NEW_KEY = "new-key"
    """The steward creates one; the present key works on until no caller uses it."""
    PRESENT_KEY = "present-key"
    """The one that consumers have: its holder stores it in the secret, past the API."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happens, and when at the earliest; None for what only a person starts."""

    what: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was read of a user that may be enrolled. ``usage`` lacks keys with an unreadable use."""

    user: User
    keys: tuple[AccessKey, ...]
    usage: Mapping[str, LastUse]
    standing: Standing
    secret: Secret | None
    record: Record
    settings: UserSettings | None
    """None if the user's own tags are invalid."""
    unfit_tags: str
    path: str
    stack: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """An enrolment, or a departure: what is refused, and what would happen."""

    user: UserName
    refused_because: tuple[str, ...]
    steps: tuple[Step, ...]
    drains: tuple[str, ...] = ()
    """Keys that work on until no caller uses them."""
    awaits: str = ""
    """The key that its holder stores in the secret."""
    waits_for: tuple[str, ...] = ()
    """What delays the first key without preventing it."""


def enrolment_of(facts: Facts, first: FirstSecret) -> Plan:
    """What enrolling the user means."""
    name, drains = facts.user.name, tuple(key.id for key in _foreign(facts))
    awaits = drains[0] if first is FirstSecret.PRESENT_KEY and len(drains) == 1 else ""
    refused = tuple(_refusals(facts, first, drains))
    if refused or facts.settings is None:
        return Plan(name, refused, ())
    waits_for = tuple(_delays(facts.settings, facts.now))
    steps = tuple(_with_present_key(facts, facts.settings, awaits) if awaits else _with_new_key(facts, facts.settings))
    return Plan(name, (), steps, () if awaits else drains, awaits, waits_for)


def departure_of(facts: Facts) -> Plan:
    """What it means that a user leaves: its keys work on, and are not rotated."""
    record, name, now = facts.record, facts.user.name, facts.now
    refused = []
    if not facts.user.is_enrolled(facts.path) and not _is_ours(facts):
        refused.append("the user is not enrolled, and has no secret of the steward")
    if facts.secret and not _is_ours(facts):
        refused.append(f"its secret {facts.secret.ownership(facts.stack)}")
    if record.state == "CREATED":
        refused.append("a rotation has begun: its new key becomes current within minutes; leave after that")
    leaked = [key.id for key in facts.keys if key.active and record.history(key.id).compromised]
    if leaked:
        refused.append(f"the key {' and '.join(leaked)} leaked and is active: the steward replaces it first")
    if refused:
        return Plan(name, tuple(refused), ())
    return Plan(name, (), tuple(_departing(facts, now)))


def _departing(facts: Facts, now: datetime) -> Iterator[Step]:
    yield Step(
        "the tag steward:rotate is removed: no key of the user is created or deleted, and only a leaked one dies",
        now,
    )
    if facts.secret:
        yield Step(
            f"the secret {facts.user.name.secret_name} stays as it is, with its value, and consumers read on; Secrets "
            "Manager's rotation of it is cancelled, and its tag steward:stack is removed",
            now,
        )
    current = facts.record.current_key
    for key in facts.keys:
        what = "the current key " if key.id == current else "the key "
        status = "is Active, and works until a person deactivates it" if key.active else "is Inactive, and stays so"
        yield Step(f"{what}{key.id} {status}", now)


def _foreign(facts: Facts) -> list[AccessKey]:
    """Active keys that were never in the secret."""
    record = facts.record
    return [
        key
        for key in facts.keys
        if key.active and not record.history(key.id).promoted_at and not record.history(key.id).superseded_at
    ]


def _is_ours(facts: Facts) -> bool:
    return facts.secret is not None and facts.secret.owner == facts.stack


def _refusals(facts: Facts, first: FirstSecret, foreign: Sequence[str]) -> Iterator[str]:
    user, record = facts.user, facts.record
    if not user.path.startswith(facts.path):
        yield (
            f"the user is on the path {user.path}, and service users are on {facts.path}: move it, which changes its "
            f"ARN in policies that name it: aws iam update-user --user-name {user.name} --new-path {facts.path}"
        )
    elif user.is_enrolled(facts.path) and not foreign:
        yield "the user is enrolled already, and has no key that the steward does not know"
    if record.user_id not in {None, user.user_id}:
        yield f"the steward knows another user of this name, with the id {record.user_id}; its secret must go first"
    if objections := facts.standing.objections:
        yield f"the user {' and '.join(objections)}: it is no service user"
    if facts.unfit_tags:
        yield facts.unfit_tags
    yield from _refused_for_secret(facts)
    yield from _refused_for_keys(facts, first, foreign)


def _refused_for_secret(facts: Facts) -> Iterator[str]:
    secret, name = facts.secret, facts.user.name.secret_name
    if secret is None:
        return
    if secret.deleted:
        yield f"the secret {name} is scheduled for deletion: restore it, or wait until it is gone"
    elif _is_ours(facts) and facts.record.user_id is None:
        yield (
            f"the secret {name} exists, and no run of the steward is known to have made it: check who wrote it and its "
            "resource policy, then delete it, or enrol the user by its tag"
        )
    if not _is_ours(facts):
        yield (
            f"the secret {name} exists and {secret.ownership(facts.stack)}: check who wrote it and its resource "
            f"policy, then delete it, or tag it steward:stack={facts.stack}"
        )


def _refused_for_keys(facts: Facts, first: FirstSecret, foreign: Sequence[str]) -> Iterator[str]:
    leaked = [key.id for key in facts.keys if facts.record.history(key.id).compromised]
    if leaked:
        yield f"the key {' and '.join(leaked)} leaked: deactivate it and delete it first"
    if len(facts.keys) >= SLOTS:
        used = " and ".join(_described(facts, key) for key in facts.keys)
        yield f"both slots are taken, so that no key can be created: {used}; delete the one that no consumer uses"
    else:
        dead = [key.id for key in facts.keys if not key.active]
        if dead and not facts.record.keys:
            yield f"the key {dead[0]} is Inactive and takes the slot of the next rotation: delete it first"
    if first is FirstSecret.PRESENT_KEY and len(facts.keys) < SLOTS and not foreign:
        yield "the user has no active key that could be the first one: enrol it without"


def _described(facts: Facts, key: AccessKey) -> str:
    status = "Active" if key.active else "Inactive"
    if key.id not in facts.usage:
        return f"{key.id} ({status}, its last use could not be read)"
    used = facts.usage[key.id]
    last = f"last used on {used.at.date()} for {used.service or 'an unknown service'}" if used.at else "never used"
    return f"{key.id} ({status}, {last})"


def _delays(settings: UserSettings, now: datetime) -> Iterator[str]:
    if end := settings.frozen_until(now):
        yield f"the end of the freeze window, {end.isoformat()}"


def _with_new_key(facts: Facts, settings: UserSettings) -> Iterator[Step]:
    name, now = facts.user.name, facts.now
    start = settings.frozen_until(now) or now
    yield Step("the user is tagged steward:rotate=true", now)
    yield Step(
        f"a new key is created and, once it has authenticated, becomes current in the secret {name.secret_name}", start
    )
    for key in _foreign(facts):
        ready = start + settings.drain
        yield Step(
            f"the key {key.id} works on; it is deactivated once a consumer uses the new key, and this one was unused "
            f"for {settings.times.drain_days:g} days",
            ready,
        )
        yield Step(f"the key {key.id} is deleted; until then it can be reactivated", ready + settings.keep_inactive)
        limit = max(key.created + settings.max_age, now)
        yield Step(f"the key {key.id} is reported every day while it is still used", limit)


def _with_present_key(facts: Facts, settings: UserSettings, awaits: str) -> Iterator[Step]:
    name, now = facts.user.name, facts.now
    start = settings.frozen_until(now) or now
    (key,) = (key for key in facts.keys if key.id == awaits)
    yield Step("the user is tagged steward:rotate=true", now)
    yield Step(f"the secret {name.secret_name} is created, without a key", start)
    yield Step(
        f"its holder stores the key {awaits} in the secret: steward keys enrol {name} --present-key reads it from a "
        "profile or from the standard input, and the API never sees it",
        None,
    )
    yield Step(f"the key {awaits} becomes current once it has authenticated", None)
    yield Step(
        f"the next key is created, and the key {awaits} works on until no caller uses it",
        max(key.created + settings.rotate_after, start + timedelta(minutes=1)),
    )
