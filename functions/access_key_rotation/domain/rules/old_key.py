"""How a superseded key leaves: it drains, is deactivated, rests in quarantine, and is deleted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from access_key_rotation.domain.rules.situation import DAILY, SETTLE, Situation
from access_key_rotation.domain.rules.steps import Accept, Action, Deactivate, Delete, LatchAdoption, ReadUsage, Wait
from access_key_rotation.domain.settings import AtMaxAge
from access_key_rotation.domain.state import AccessKey

type Gate = Callable[[Situation, AccessKey], Action | None]


def adoption(at: Situation) -> Action | None:
    """Remember the first use of the current key that cannot be our own probe.

    Between its promotion and its adoption we do not probe a key, so that a use which IAM dates later than the
    promotion, by more than its granularity, is a consumer's.
    """
    current = at.seen.current
    if current is None or at.history(current).adopted_at:
        return None
    promoted = at.history(current).promoted_at
    if promoted is None or at.now < promoted + at.policy.granularity:
        return None
    if current.id not in at.seen.usage:
        return ReadUsage(current.id)
    used = at.seen.usage[current.id].at
    return LatchAdoption(current.id) if used and used > promoted + at.policy.granularity else None


def brought_back_by_hand(at: Situation) -> Action | None:
    """What a person does by hand is respected; but IAM may still list a key as Active that was just deactivated."""
    for key in at.seen.keys:
        deactivated = at.history(key).deactivated_at
        if deactivated and at.is_brought_back(key):
            settled = deactivated + SETTLE
            return Accept(key.id) if at.now >= settled else Wait("DRAINING", settled)
    return None


def deactivation(at: Situation) -> Action | None:
    """Invariant 3: only what we superseded, unused for the quiet period, when its successor is in use everywhere."""
    if at.is_urgent or at.seen.current is None:
        return None
    for key in at.draining:
        for gate in DEACTIVATION_GATES:
            if obstacle := gate(at, key):
                return obstacle
        return Deactivate(key.id, "superseded")
    return None


def quiet_since_superseded(at: Situation, key: AccessKey) -> Action | None:
    """Consumers get the quiet period to move, even where the old key was never seen in use."""
    superseded = at.history(key).superseded_at or at.now
    ready = superseded + at.policy.quiet
    return _draining(at, ready) if at.now < ready and not _forced(at, key) else None


def successor_adopted(at: Situation, key: AccessKey) -> Action | None:
    """Somebody uses the new key."""
    current = at.seen.current
    return None if (current and at.history(current).adopted_at) or _forced(at, key) else _draining(at)


def quiet_in_fact(at: Situation, key: AccessKey) -> Action | None:
    """Nobody has used the old key for the quiet period; IAM's date may be too early by its granularity."""
    if _forced(at, key):
        return None
    if key.id not in at.seen.usage:
        return ReadUsage(key.id)
    used = at.seen.usage[key.id].at
    ready = used + at.policy.granularity + at.policy.quiet if used else at.now
    return _draining(at, ready) if at.now < ready else None


def replicas_in_sync(at: Situation, _: AccessKey) -> Action | None:
    """A consumer elsewhere reads the same."""
    replicas = at.seen.secret.replicas if at.seen.secret else {}
    late = [region for region in at.policy.replica_regions if not replicas.get(region)]
    notice = f"the replica of the secret in {', '.join(late)} is not in sync" if late else ""
    return Wait("DRAINING", at.checked_again(), notice) if late else None


def not_exempt(at: Situation, _: AccessKey) -> Action | None:
    """An exempt user keeps every key that it may use."""
    end = at.policy.exempt_until(at.now)
    return Wait("EXEMPT", end) if end else None


def not_frozen(at: Situation, _: AccessKey) -> Action | None:
    """Nothing is taken away in a freeze window."""
    end = at.policy.frozen_until(at.now)
    return _draining(at, end) if end else None


DEACTIVATION_GATES: tuple[Gate, ...] = (
    quiet_since_superseded,
    successor_adopted,
    quiet_in_fact,
    replicas_in_sync,
    not_exempt,
    not_frozen,
)


def deletion(at: Situation) -> Action | None:
    """Invariant 4: only what we deactivated, after its time in quarantine."""
    for key in at.quarantined:
        if at.seen.is_labelled(key.id) or at.policy.frozen_until(at.now):
            continue
        deactivated = at.history(key).deactivated_at
        if deactivated and at.now >= deactivated + at.policy.keep_inactive:
            return Delete(key.id, at.history(key).retired_for)
    return None


def resting(at: Situation) -> Wait:
    """Nothing to do now: what the user's state is, when to look again, and what somebody should know."""
    current = at.seen.current
    if current is None:
        return Wait("NO_KEY", at.checked_again(), "the user has no usable key, and both of its slots are taken")
    rotation = current.created + at.policy.rotate_after
    ends = [
        deactivated + at.policy.keep_inactive
        for key in at.quarantined
        if (deactivated := at.history(key).deactivated_at)
    ]
    if frozen := at.policy.frozen_until(at.now):
        ends = [max(frozen, *ends)] if ends else []
    if at.now >= rotation:
        notice = "a new key is due, and both slots are taken"
        until = min([*ends, at.checked_again()])
        return Wait("QUARANTINED" if ends else "STEADY", max(until, at.now), notice)
    adopted = at.history(current).adopted_at
    checks = [] if adopted else [at.checked_again()]
    notice = "" if adopted else _unadopted(at, current)
    return Wait("QUARANTINED" if ends else "STEADY", min([rotation, *ends, *checks]), notice)


def reported(at: Situation, wait: Wait) -> Wait:
    """The same, so that no key grows old in silence: past the limit it is reported every day, whatever holds it up.

    An exemption is the operator's word that the user's keys may, until a day.
    """
    notices, until = [wait.notice] if wait.notice else [], wait.until
    held_to_limit = at.is_enrolled and not at.policy.exempt_until(at.now)
    for key in at.seen.keys if held_to_limit else ():
        if key.active and at.is_past_limit(key):
            why = "its consumers have not all moved" if key in at.draining else f"the user is {wait.state}"
            notices.append(f"the key {key.id} is older than the limit and {why}")
        elif key.active:
            until = min(until, key.created + at.policy.max_age)
    return replace(wait, until=min(until, at.now + DAILY) if notices else until, notice="; ".join(notices))


def _forced(at: Situation, key: AccessKey) -> bool:
    """Whether the settings say that a key of this age goes, used or not."""
    return at.policy.at_max_age is AtMaxAge.DEACTIVATE and at.is_past_limit(key)


def _draining(at: Situation, ready: datetime | None = None) -> Wait:
    """The old key stays Active."""
    notice = _unadopted(at, at.seen.current) if at.seen.current else ""
    return Wait("DRAINING", min(ready or at.checked_again(), at.checked_again()), notice)


def _unadopted(at: Situation, current: AccessKey) -> str:
    history = at.history(current)
    promoted = history.promoted_at or at.now
    if history.adopted_at or at.now < promoted + at.policy.adoption_timeout:
        return ""
    return f"nobody has used the key {current.id} since it became current"
