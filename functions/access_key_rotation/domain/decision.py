"""The one next step for a user, as an ordered list of rules: the first that has an answer decides.

``decide`` is pure and level-triggered: it looks at what is there, never at how it came about, so that a run which died
anywhere is continued by the next. A fact that was not read is never taken for a harmless one: a rule that needs it
answers with the action that reads it.
"""

from collections.abc import Callable
from math import ceil

from access_key_rotation.domain.actions import (
    Action,
    Announce,
    Block,
    CreateKey,
    CreateSecret,
    Deactivate,
    Delete,
    DropPending,
    Forget,
    KeepKey,
    MarkCompromised,
    Promote,
    ReadCreator,
    ReadStanding,
    ReadUsage,
    RecordPromotion,
    RegisterBackstop,
    Replicate,
    RestrictReaders,
    Suspect,
    Wait,
)
from access_key_rotation.domain.observation import AccessKey, Content, Label
from access_key_rotation.domain.retirement import adoption, deactivation, deletion, resting
from access_key_rotation.domain.situation import LISTED_TWICE, SETTLE, Reason, Situation

type Rule = Callable[[Situation], Action | None]
SLOTS = 2
"""Keys that IAM lets a user have."""


def user_is_gone(at: Situation) -> Action | None:
    """A user that was deleted leaves at most a secret, which somebody may still want."""
    return Block("the user does not exist", "ORPHANED_SECRET") if at.seen.user is None else None


def user_is_another(at: Situation) -> Action | None:
    """Invariant 9: a user that was deleted and created anew under the same name is not the same user."""
    known, user = at.seen.record.user_id, at.seen.user
    if known and user and user.user_id != known:
        return Block(f"the user was deleted and created anew: its id was {known} and is {user.user_id}")
    return None


def user_is_not_enrolled(at: Situation) -> Action | None:
    """Enrolled is who stands on the path and carries the tag."""
    if at.is_enrolled:
        return None
    return Block(f"the user is not enrolled: that takes the path {at.enrolment.path} and the tag steward:rotate=true")


def secret_is_not_ours(at: Situation) -> Action | None:
    """Two stacks never rotate one user."""
    secret = at.seen.secret
    if secret is None or secret.owner == at.enrolment.stack:
        return None
    return Block(f"the secret belongs to {secret.owner or 'nobody'} (tag steward:stack), not to {at.enrolment.stack}")


def secret_is_deleted(at: Situation) -> Action | None:
    """A secret that waits for its deletion can neither be read nor written."""
    secret = at.seen.secret
    return Block("the secret is scheduled for deletion; restore it first") if secret and secret.deleted else None


def key_has_leaked(at: Situation) -> Action | None:
    """A leak is remembered before anything else; it concerns no key that is no longer Active."""
    demand = at.demand
    if demand is None or demand.reason is not Reason.COMPROMISED:
        return None
    key = at.seen.key(demand.key_id)
    return MarkCompromised(key.id) if key and key.active and not at.history(key).compromised else None


def user_is_frozen(at: Situation) -> Action | None:
    """An operator froze the user; only a leak is stronger."""
    leak = at.is_urgent or at.leaked
    return Wait("FROZEN", at.checked_again()) if at.seen.record.frozen and not leak else None


def key_is_unattributed(at: Situation) -> Action | None:
    """Invariants 6 and 7: a foreign Active key is never touched; an orphan of ours is deleted on proof alone."""
    for key in at.unattributed:
        if not at.is_orphan_candidate(key):
            return Block(f"the key {key.id} is active and was never in the secret: delete it, or put it there")
        return _orphan(at, key)
    return None


def _orphan(at: Situation, key: AccessKey) -> Action:  # noqa: PLR0911 - one return per missing piece of proof
    history = at.history(key)
    if history.suspected_at is None:
        return Suspect(key.id)
    if at.now < history.suspected_at + LISTED_TWICE:
        return Wait("ORPHANED_KEY", history.suspected_at + LISTED_TWICE)
    if key.id not in at.seen.usage:
        return ReadUsage(key.id)
    if at.seen.usage[key.id].at is not None:
        return Block(f"the key {key.id} is in no secret, and is used: find out who holds it")
    if not history.made_by_us:
        if key.id not in at.seen.creators:
            return ReadCreator(key.id)
        if not at.seen.creators[key.id]:
            return Block(f"the key {key.id} is in no secret, and CloudTrail does not say that we made it")
    return Delete(key.id, "orphan")


def label_is_unreadable(at: Situation) -> Action | None:
    """Somebody put something there that names no key; what consumers make of it, we do not know."""
    for label in (Label.CURRENT, Label.PENDING):
        if at.seen.named.get(label) is Content.UNREADABLE:
            return Block(f"the version {label} of the secret is not in the form that we write; put it right")
    return None


def current_key_is_inactive(at: Situation) -> Action | None:
    """Somebody deactivated the key that consumers read; perhaps they know why."""
    current = at.seen.current
    return Block(f"somebody deactivated the current key {current.id}") if current and not current.active else None


def current_key_is_missing(at: Situation) -> Action | None:
    """A key that was deleted is replaced, once a second listing has confirmed that it is gone."""
    missing = at.missing
    if missing is None:
        return None
    history = at.seen.record.keys.get(missing)
    if history is None or history.promoted_at is None:
        return Block(f"the secret names the key {missing}, which the user does not have")
    if history.suspected_at is None:
        return Suspect(missing)
    if at.now < history.suspected_at + SETTLE:
        return Wait("CURRENT_KEY_MISSING", history.suspected_at + SETTLE)
    return None


def promotion_is_unrecorded(at: Situation) -> Action | None:
    """Whoever moved the label: the clock of all that follows starts when we see it."""
    current = at.seen.current
    if current is None:
        return None
    history = at.history(current)
    return RecordPromotion(current.id) if history.promoted_at is None or history.superseded_at else None


def gone_key_is_remembered(at: Situation) -> Action | None:
    """A key that is no longer there is forgotten, but for one that was just made and that IAM may not list yet."""
    for key_id, history in at.seen.record.keys.items():
        is_settled = history.promoted_at is not None or not (history.made_by_us or history.suspected_at)
        if is_settled and at.seen.key(key_id) is None and not at.seen.is_labelled(key_id):
            return Forget(key_id)
    return None


def deactivation_is_unannounced(at: Situation) -> Action | None:
    """Every deactivation is told."""
    return next((Announce(key.id) for key in at.quarantined if not at.history(key).announced), None)


def leaked_key_is_active(at: Situation) -> Action | None:
    """A leaked key that no consumer reads is deactivated at once."""
    return next((Deactivate(key.id, "compromised") for key in at.leaked), None)


def readers_have_changed(at: Situation) -> Action | None:
    """The secret's resource policy follows the settings."""
    wanted = " ".join(at.policy.secret_readers)
    return RestrictReaders() if at.seen.secret and at.seen.record.readers != wanted else None


def pending_key_waits(at: Situation) -> Action | None:
    """A stored key is verified and promoted, or dropped where it can never work."""
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
    end = at.policy.frozen_until(at.now)
    if end and not (at.is_urgent or is_current):
        return Wait("CREATED", end)
    return Promote(pending.id, urgent=at.is_urgent)


def _dead_pending(at: Situation) -> Action:
    """IAM may not list a key yet that was made a moment ago, so that one look is not enough."""
    named = at.seen.named.get(Label.PENDING)
    if not isinstance(named, str) or at.seen.key(named):
        return DropPending("its key is not active")
    suspected = at.seen.record.history(named).suspected_at
    if suspected is None:
        return Suspect(named)
    return Wait("CREATED", suspected + SETTLE) if at.now < suspected + SETTLE else DropPending("its key does not exist")


def schedule_asks_too_early(at: Situation) -> Action | None:
    """Secrets Manager counts from its own last rotation, not from ours: a key that we replaced since is kept."""
    current = at.seen.current
    if current is None or not at.is_asked_by_schedule or at.is_urgent or at.is_due:
        return None
    return KeepKey(current.id) if at.seen.record.wanted != current.id else None


def key_is_wanted(at: Situation) -> Action | None:
    """A new key: the first, the next, or in place of one that leaked or is missing."""
    reason = at.reason_to_create()
    full = len(at.seen.keys) >= SLOTS
    if reason is None or (full and not at.is_urgent):
        return None
    for gate in CREATION_GATES:
        if obstacle := gate(at):
            return obstacle
    if full:
        return _room(at)
    return CreateKey(reason) if at.seen.secret else CreateSecret()


def replica_is_missing(at: Situation) -> Action | None:
    """The secret is copied to every region of the settings. No copy is ever taken away: consumers may read it."""
    secret = at.seen.secret
    missing = [region for region in at.policy.replica_regions if secret and region not in secret.replicas]
    return Replicate(tuple(missing)) if missing else None


def backstop_is_missing(at: Situation) -> Action | None:
    """Secrets Manager knows our function and the greatest age.

    It refuses to be told while a version waits, and it tries the function with a version of its own, which for a moment
    looks like somebody's hand: so it is told while no key is on its way out.
    """
    secret, function, days = at.seen.secret, at.enrolment.rotation_function, ceil(at.policy.times.max_age_days)
    if secret is None or not function or at.seen.has_pending or at.draining or at.quarantined:
        return None
    known = secret.rotation_function == function and at.seen.record.backstop_days == days
    return None if known else RegisterBackstop(function, days)


def _room(at: Situation) -> Action:
    """A slot for the key that replaces a leaked one."""
    leaked = [key for key in at.seen.keys if at.history(key).compromised and not at.seen.is_labelled(key.id)]
    for key in (*at.quarantined, *leaked, *at.draining):
        if not at.seen.is_labelled(key.id):
            return Delete(key.id, "compromised: its slot is needed")
    return Block("the current key has leaked, and both slots hold keys that we may not delete")


def not_exempt(at: Situation) -> Action | None:
    """An exempt user gets no new key; a leak, or a user without a key that it can use, is no matter of routine."""
    end = at.policy.exempt_until(at.now)
    return Wait("EXEMPT", end) if end and not at.is_urgent else None


def not_in_a_freeze_window(at: Situation) -> Action | None:
    """Nothing is started in a freeze window, but for a leak."""
    end = at.policy.frozen_until(at.now)
    return Wait("FROZEN", end) if end and not at.is_urgent else None


def not_just_tried(at: Situation) -> Action | None:
    """After an attempt whose outcome nobody knows, IAM gets time to list what it made."""
    intent = at.seen.record.intent
    return Wait("CREATING", intent.at + SETTLE) if intent and at.now < intent.at + SETTLE else None


def not_a_person(at: Situation) -> Action | None:
    """People and administrators never get a key in a secret, whoever tagged or moved them."""
    if at.seen.standing is None:
        return ReadStanding()
    objections = at.seen.standing.objections
    return Block(f"the user {' and '.join(objections)}: it is no service user") if objections else None


CREATION_GATES: tuple[Rule, ...] = (not_exempt, not_in_a_freeze_window, not_just_tried, not_a_person)

RULES: tuple[Rule, ...] = (
    user_is_gone,
    user_is_another,
    user_is_not_enrolled,
    secret_is_not_ours,
    secret_is_deleted,
    key_has_leaked,
    user_is_frozen,
    key_is_unattributed,
    label_is_unreadable,
    current_key_is_inactive,
    current_key_is_missing,
    promotion_is_unrecorded,
    gone_key_is_remembered,
    deactivation_is_unannounced,
    leaked_key_is_active,
    readers_have_changed,
    pending_key_waits,
    schedule_asks_too_early,
    key_is_wanted,
    replica_is_missing,
    backstop_is_missing,
    adoption,
    deactivation,
    deletion,
)


def decide(at: Situation) -> Action:
    """The one next step. Destructive steps need every fact known: what was not read never counts as unused."""
    for rule in RULES:
        if action := rule(at):
            return action
    return resting(at)
