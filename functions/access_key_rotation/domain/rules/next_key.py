"""The rules for the next key: when it is due, and when it is created, promoted or dropped."""

from access_key_rotation.domain.rules.situation import BY_SECRETS_MANAGER, SETTLE, Rule, Situation
from access_key_rotation.domain.rules.steps import (
    Action,
    Block,
    CreateKey,
    CreateSecret,
    Deactivate,
    Delete,
    DropPending,
    KeepKey,
    Promote,
    ReadStanding,
    RecordPromotion,
    Restore,
    Suspect,
    Wait,
)
from access_key_rotation.domain.settings import LeakWithoutSlot
from access_key_rotation.domain.state import AccessKey, Label

SLOTS = 2
"""Keys that IAM lets a user have."""
LEAKED = "compromised"
SLOT_NEEDED = "compromised: its slot is needed"
"""Why keys are removed in the response to a leak."""


def schedule_asks_too_early(at: Situation) -> Action | None:
    """Keep a young key: Secrets Manager counts from its own last rotation, not from ours."""
    current = at.seen.current
    if current is None or not at.is_asked_by_schedule or at.is_urgent or at.is_due:
        return None
    return KeepKey(current.id) if at.seen.record.wanted != current.id else None


def key_is_wanted(at: Situation) -> Action | None:
    """Create a key: the first, the next, or the replacement of one that leaked or is missing."""
    reason = at.reason_to_create()
    full = len(at.seen.keys) >= SLOTS
    if reason is None or (full and not at.is_urgent and not _dead_leaked(at)):
        return None
    for gate in CREATION_GATES:
        if obstacle := gate(at):
            return obstacle
    if full:
        return _room(at) if at.is_urgent else Delete(_dead_leaked(at)[0].id, SLOT_NEEDED)
    return CreateKey(reason) if at.seen.secret else CreateSecret()


def _room(at: Situation) -> Action:
    """A slot for the key that replaces a leaked one: that of a key that works is the last choice, or none."""
    leaked = [key for key in at.seen.keys if at.history(key).compromised and not at.seen.is_labelled(key.id)]
    older = at.draining if at.settings.leak_without_slot is LeakWithoutSlot.DELETE_OLDER_KEY else []
    for key in (*at.quarantined, *leaked, *older):
        if not at.seen.is_labelled(key.id):
            return Delete(key.id, SLOT_NEEDED)
    current = at.seen.current
    if current is None:
        return Block("both slots hold keys that the steward may not delete; free one by hand, at once")
    return Deactivate(current.id, LEAKED) if current.active else Delete(current.id, SLOT_NEEDED)


def _dead_leaked(at: Situation) -> list[AccessKey]:
    """Leaked keys that we deactivated: a requested rotation may take their slot, because they never work again."""
    current = at.seen.current
    is_requested = current is not None and at.seen.record.wanted == current.id
    return [key for key in at.quarantined if is_requested and at.history(key).compromised]


def older_key_can_return(at: Situation) -> Action | None:
    """Let consumers read the older key again if the current one leaked, so that no other user is cut off.

    The older key takes the slot of a successor; to delete it would cut off everyone who has not switched yet.
    """
    keeps = at.settings.leak_without_slot is LeakWithoutSlot.KEEP_OLDER_KEY
    if not at.is_urgent or not keeps or len(at.seen.keys) < SLOTS:
        return None
    previous = at.seen.named.get(Label.PREVIOUS)
    usable = [key for key in at.draining if key.id == previous and key.id not in at.seen.refused]
    return Restore(usable[0].id) if usable else None


def not_exempt(at: Situation) -> Action | None:
    """An exempt user keeps the key that it has; one that leaked or is missing, or a first one, is no routine."""
    end, current = at.settings.exempt_until(at.now), at.seen.current
    return Wait("EXEMPT", end) if end and current and current.active and not at.is_urgent else None


def not_in_a_freeze_window(at: Situation) -> Action | None:
    """Nothing starts in a freeze window, except for a leak."""
    end = at.settings.frozen_until(at.now)
    return Wait("FROZEN", end) if end and not at.is_urgent else None


def not_just_attempted(at: Situation) -> Action | None:
    """After an attempt with an unknown outcome, IAM gets time to list the key that it may have created."""
    intent = at.seen.record.intent
    return Wait("CREATING", intent.at + SETTLE) if intent and at.now < intent.at + SETTLE else None


def not_while_a_registration_is_tested(at: Situation) -> Action | None:
    """An empty version that Secrets Manager made to test its registration is no request for a key."""
    end = at.registration_is_tested_until
    return Wait("CREATING", end) if end and at.reason_to_create() == BY_SECRETS_MANAGER else None


def not_a_person(at: Situation) -> Action | None:
    """People, and users that could gain privileges, never get a key in a secret, even if they are enrolled."""
    if at.seen.standing is None:
        return ReadStanding()
    objections = at.seen.standing.objections
    return Block(f"the user {' and '.join(objections)}: it is no service user") if objections else None


CREATION_GATES: tuple[Rule, ...] = (
    not_exempt,
    not_in_a_freeze_window,
    not_just_attempted,
    not_while_a_registration_is_tested,
    not_a_person,
)


def pending_key_waits(at: Situation) -> Action | None:
    """Promote a stored key, or drop one that can never authenticate."""
    if not at.seen.has_pending or at.has_empty_pending:
        return None
    pending = at.seen.pending
    if pending is None or not pending.active:
        return _dead_pending(at)
    if at.history(pending).compromised:
        return DropPending("its key has leaked")
    is_current = at.seen.current is not None and pending.id == at.seen.current.id
    if at.history(pending).promoted_at and not is_current:
        return DropPending("its key was current already, and somebody moved AWSCURRENT away from it")
    end = at.settings.frozen_until(at.now)
    if end and not (at.is_urgent or is_current):
        return Wait("CREATED", end)
    return Promote(pending.id, urgent=at.is_urgent)


def _dead_pending(at: Situation) -> Action:
    """Drop a pending key that is dead; one listing is not enough, because IAM may not list a new key yet."""
    named = at.seen.named.get(Label.PENDING)
    if not isinstance(named, str) or at.seen.key(named):
        return DropPending("its key is not active")
    suspected = at.seen.record.history(named).suspected_at
    if suspected is None:
        return Suspect(named)
    is_confirmed = at.is_listed_since(suspected + SETTLE)
    return DropPending("its key does not exist") if is_confirmed else Wait("CREATED", suspected + SETTLE)


def promotion_is_unrecorded(at: Situation) -> Action | None:
    """Record a promotion, also a manual one: draining starts when we see it."""
    current = at.seen.current
    if current is None or not current.active:
        return None
    history = at.history(current)
    return RecordPromotion(current.id) if history.promoted_at is None or history.superseded_at else None
