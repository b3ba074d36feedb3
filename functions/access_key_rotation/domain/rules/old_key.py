"""The rules for an old key: it drains, is deactivated, stays in quarantine, and is deleted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from access_key_rotation.domain.rules.situation import DAILY, NEXT_PLAN, SETTLE, Situation
from access_key_rotation.domain.rules.steps import (
    Accept,
    Action,
    Deactivate,
    Delete,
    End,
    LatchAdoption,
    ReadTargets,
    ReadUsage,
    Wait,
)
from access_key_rotation.domain.settings import AtMaxAge
from access_key_rotation.domain.state import AccessKey

type Gate = Callable[[Situation, AccessKey], Action | None]


def adoption(at: Situation) -> Action | None:
    """Latch the first use of the current key that cannot be our own verification.

    Between its promotion and its adoption we do not use a key, so a use that IAM dates later than the promotion, by
    more than its granularity, is a consumer's.
    """
    current = at.seen.current
    if current is None or at.history(current).adopted_at:
        return None
    promoted = at.history(current).promoted_at
    if promoted is None or at.now < promoted + at.settings.granularity:
        return None
    if current.id not in at.seen.usage:
        return ReadUsage(current.id)
    used = at.seen.usage[current.id].at
    return LatchAdoption(current.id) if used and used > promoted + at.settings.granularity else None


def brought_back_by_hand(at: Situation) -> Action | None:
    """Respect a manual reactivation; but IAM may still list a key as Active that was just deactivated."""
    for key in at.seen.keys:
        inactive = at.history(key).deactivated_at or at.history(key).found_inactive_at
        if inactive and at.is_brought_back(key):
            settled = inactive + SETTLE
            return Accept(key.id) if at.now >= settled else Wait("DRAINING", settled)
    return None


def deactivation(at: Situation) -> Action | None:
    """Deactivate a drained key: replaced by us, unused for ``drain_days``, its successor in use (invariant 3)."""
    if at.is_urgent or at.seen.current is None:
        return None
    for key in at.draining:
        for gate in DEACTIVATION_GATES:
            if obstacle := gate(at, key):
                return obstacle
        return Deactivate(key.id, "superseded")
    return None


def drained_long_enough(at: Situation, key: AccessKey) -> Action | None:
    """Consumers get ``drain_days`` to switch, even if the old key was never seen in use, or is past its limit already.

    A key may be current for longer than the limit: before its user was enrolled, frozen, or without a free slot.
    """
    superseded = at.history(key).superseded_at or at.now
    ready = superseded + at.settings.drain
    return _draining(at, ready) if at.now < ready else None


def successor_adopted(at: Situation, key: AccessKey) -> Action | None:
    """A consumer uses the new key."""
    current = at.seen.current
    return None if (current and at.history(current).adopted_at) or _forced(at, key) else _draining(at)


def unused_long_enough(at: Situation, key: AccessKey) -> Action | None:
    """The old key was unused for ``drain_days``; IAM's date may be too early by its granularity."""
    if _forced(at, key):
        return None
    if key.id not in at.seen.usage:
        return ReadUsage(key.id)
    used = at.seen.usage[key.id].at
    ready = used + at.settings.granularity + at.settings.drain if used else at.now
    return _draining(at, ready) if at.now < ready else None


def replicas_in_sync(at: Situation, _: AccessKey) -> Action | None:
    """Consumers in other regions read the same value."""
    replicas = at.seen.secret.replicas if at.seen.secret else {}
    late = [region for region in at.settings.replica_regions if not replicas.get(region)]
    notice = f"the replica of the secret in {', '.join(late)} is not in sync" if late else ""
    return Wait("DRAINING", at.checked_again(), notice) if late else None


def targets_in_sync(at: Situation, _: AccessKey) -> Action | None:
    """Systems that cannot read Secrets Manager have the new key: every target confirmed it, as it is set today."""
    if not at.settings.targets:
        return None
    if at.seen.synced is None:
        return ReadTargets()
    late = at.seen.synced.late(at.settings.targets, at.seen.current.id if at.seen.current else "")
    names = ", ".join(target.name for target in late)
    notice = f"the new key has not been confirmed by {names}" if late else ""
    return Wait("DRAINING", at.checked_again(), notice) if late else None


def not_exempt(at: Situation, _: AccessKey) -> Action | None:
    """An exempt user keeps every active key."""
    end = at.settings.exempt_until(at.now)
    return Wait("EXEMPT", end) if end else None


def not_frozen(at: Situation, _: AccessKey) -> Action | None:
    """Nothing is deactivated in a freeze window."""
    end = at.settings.frozen_until(at.now)
    return _draining(at, end) if end else None


DEACTIVATION_GATES: tuple[Gate, ...] = (
    drained_long_enough,
    successor_adopted,
    unused_long_enough,
    replicas_in_sync,
    targets_in_sync,
    not_exempt,
    not_frozen,
)


def deletion(at: Situation) -> Action | None:
    """Delete only what we deactivated, after its time in quarantine (invariant 4)."""
    for key in at.quarantined:
        if at.seen.is_labelled(key.id) or at.settings.frozen_until(at.now):
            continue
        deactivated = at.history(key).deactivated_at
        if deactivated and at.now >= deactivated + at.settings.keep_inactive:
            return Delete(key.id, at.history(key).retired_for)
    return None


def resting(at: Situation) -> Wait:
    """Wait: the user's state, when to run again, and what a person should know."""
    current = at.seen.current
    if current is None:
        return Wait("NO_KEY", at.checked_again(), _without_key(at))
    rotation = current.created + at.settings.rotate_after
    ends = [
        deactivated + at.settings.keep_inactive
        for key in at.quarantined
        if (deactivated := at.history(key).deactivated_at)
    ]
    if frozen := at.settings.frozen_until(at.now):
        ends = [max(frozen, *ends)] if ends else []
    if at.now >= rotation:
        dead = [key.id for key in at.quarantined if at.history(key).compromised]
        notice = "" if dead else "a new key is due, and both slots are taken"
        until = min([*ends, at.checked_again()])
        return Wait("QUARANTINED" if ends else "STEADY", max(until, at.now), notice)
    adopted = at.history(current).adopted_at
    checks = [] if adopted else [at.checked_again()]
    notice = "" if adopted else _unadopted(at, current)
    return Wait("QUARANTINED" if ends else "STEADY", min([rotation, *ends, *checks]), notice)


def _without_key(at: Situation) -> str:
    """Why consumers have no key."""
    keys = " and ".join(key.id for key in at.seen.keys)
    promoted = [key.id for key in at.seen.keys if at.history(key).promoted_at]
    if at.seen.secret is None and promoted:
        return (
            f"the secret was deleted for good, so that consumers can read no key, and the keys {keys} take both slots: "
            "deactivate and delete the one that no consumer uses; then the user gets a new secret and a new key"
        )
    return f"the user has no usable key, and the keys {keys} take both of its slots: delete one that no consumer uses"


def reported(at: Situation, end: End) -> End:
    """The same end, with what people should know however the run ends: AWS's quarantine, and keys that are too old.

    An exemption says that the operator accepts an old key until a day.
    """
    if isinstance(end, Wait):
        return _reported_wait(at, end)
    notices = [end.reason, *_of_quarantine(at)]
    current = at.seen.current
    if at.is_urgent and current and not current.active:
        notices.append(f"the current key {current.id} leaked and is inactive: its consumers cannot authenticate")
    return replace(end, reason="; ".join(notices))


def _reported_wait(at: Situation, wait: Wait) -> Wait:
    """A dead current key and every key past the limit are reported every day, also while the run waits."""
    notices, until = [wait.notice] if wait.notice else [], wait.until
    current = at.seen.current
    if current and not current.active:
        why = "leaked and is inactive" if at.is_urgent else "is inactive"
        notices.append(f"the current key {current.id} {why}: its consumers cannot authenticate")
    notices += _of_quarantine(at)
    held_to_limit = at.is_enrolled and not at.settings.exempt_until(at.now)
    for key in at.seen.keys if held_to_limit else ():
        if key.active and at.is_past_limit(key):
            why = "its consumers have not all moved" if key in at.draining else f"the user is {wait.state}"
            notices.append(f"the key {key.id} is older than the limit and {why}")
        elif key.active:
            until = min(until, key.created + at.settings.max_age)
    if any(at.history(key).compromised for key in at.seen.keys):
        until = min(until, at.now + NEXT_PLAN)
    return replace(wait, until=min(until, at.now + DAILY) if notices else until, notice="; ".join(notices))


def _of_quarantine(at: Situation) -> list[str]:
    """AWS's quarantine of the user, when to end it, and how; nothing if there is none."""
    policy, user = at.seen.record.quarantine, at.seen.user
    if not policy or user is None:
        return []
    leaked = [key.id for key in at.seen.keys if key.active and at.history(key).compromised]
    when = f"after the key {' and '.join(leaked)} is inactive" if leaked else "now, because no leaked key is active"
    notice = (
        f"AWS quarantines the user by {policy.rpartition('/')[2]}: no consumer can log in to ECR until a person "
        f"detaches it; do so {when}: aws iam detach-user-policy --user-name {user.name} --policy-arn {policy}"
    )
    return [notice]


def _forced(at: Situation, key: AccessKey) -> bool:
    """Whether the settings deactivate a key of this age even if it is used."""
    return at.settings.at_max_age is AtMaxAge.DEACTIVATE and at.is_past_limit(key)


def _draining(at: Situation, ready: datetime | None = None) -> Wait:
    """Wait while the old key drains: until it may go, or until it is seen again whether its successor is in use."""
    current = at.seen.current
    if ready and current and at.history(current).adopted_at:
        return Wait("DRAINING", ready)
    notice = _unadopted(at, current) if current else ""
    return Wait("DRAINING", min(ready or at.checked_again(), at.checked_again()), notice)


def _unadopted(at: Situation, current: AccessKey) -> str:
    history = at.history(current)
    promoted = history.promoted_at or at.now
    if history.adopted_at or at.now < promoted + at.settings.adoption_timeout:
        return ""
    return f"no caller has used the key {current.id} since it became current"
