"""Decides a user's next step by an ordered list of rules: the first that applies decides.

``decide`` is pure and level-triggered: it depends on the state, never on how it came about, so the next run continues a
run that died anywhere. A fact that was not read never counts as harmless: a rule that needs it returns the action that
reads it.
"""

from math import ceil

from access_key_rotation.domain.names import ROTATE_TAG
from access_key_rotation.domain.rules.next_key import (
    CREATION_GATES,
    LEAKED,
    key_is_wanted,
    older_key_can_return,
    pending_key_waits,
    promotion_is_unrecorded,
    schedule_asks_too_early,
)
from access_key_rotation.domain.rules.old_key import (
    adoption,
    brought_back_by_hand,
    deactivation,
    deletion,
    reported,
    resting,
)
from access_key_rotation.domain.rules.situation import (
    DAILY,
    LISTED_TWICE,
    SETTLE,
    Reason,
    Rule,
    Situation,
)
from access_key_rotation.domain.rules.steps import (
    RELEASED,
    Action,
    Announce,
    Block,
    CreateSecret,
    Deactivate,
    Delete,
    Forget,
    MarkCompromised,
    ReadCreator,
    ReadUsage,
    RegisterBackstop,
    Release,
    Replicate,
    RestrictReaders,
    Suspect,
    Wait,
)
from access_key_rotation.domain.state import ORPHANED_SECRET, AccessKey, Content, Label


def user_is_gone(at: Situation) -> Action | None:
    """A deleted user leaves at most a secret, which may still be needed."""
    return _leaves(at, "the user does not exist") if at.seen.user is None else None


def user_is_another(at: Situation) -> Action | None:
    """Invariant 9: a user that was deleted and recreated under the same name is not the same user."""
    known, user = at.seen.record.user_id, at.seen.user
    if known and user and user.user_id != known:
        return _leaves(at, f"the user was deleted and recreated: its id was {known} and is {user.user_id}")
    return None


def user_is_not_enrolled(at: Situation) -> Action | None:
    """A user is enrolled if it is on the path and has the tag."""
    if at.is_enrolled:
        return None
    reason = f"the user is not enrolled: that takes the path {at.enrolment.path} and steward:rotate=true"
    entry = at.seen.record.entry
    if entry and at.now < entry.at + SETTLE:
        return Wait("ENROLLING", entry.at + SETTLE)
    written = at.seen.user.tags.get(ROTATE_TAG) if at.seen.user else None
    return _leaves(at, f"{reason}, and the tag is {written!r}" if written not in {None, "true"} else reason)


def _leaves(at: Situation, reason: str) -> Action:
    """A user that is not ours is forgotten once no secret of ours is left; a person decides about a secret.

    A secret that is scheduled for deletion is decided, and needs no reminder unless an enrolled user needs its name, or
    a leaked key is still active. A user on the path that has a leaked key is not forgotten: an active one is
    deactivated as soon as IAM permits it, and one that a person reactivates is still known to have leaked.
    """
    secret, user = at.seen.secret, at.seen.user
    leaked = [key for key in at.seen.keys if at.history(key).compromised]
    has_open_leak = any(key.active for key in leaked)
    if secret is None or secret.owner != at.enrolment.stack:
        if secret:
            reason += f"; its secret {secret.ownership(at.enrolment.stack)}"
        if not leaked or user is None or not user.path.startswith(at.enrolment.path):
            return Release(reason)
        return Block(reason) if has_open_leak else Wait(RELEASED, at.now + DAILY, reason if at.demand else "")
    if secret.deleted and not at.is_enrolled:
        return Wait(ORPHANED_SECRET, at.now + DAILY, reason if at.demand or has_open_leak else "")
    return Block(reason, ORPHANED_SECRET)


def secret_is_not_ours(at: Situation) -> Action | None:
    """Two stacks never rotate one user."""
    secret = at.seen.secret
    if secret is None or secret.owner == at.enrolment.stack:
        return None
    return Block(f"the secret {secret.ownership(at.enrolment.stack)}")


def secret_is_deleted(at: Situation) -> Action | None:
    """A secret that is scheduled for deletion can be neither read nor written."""
    secret = at.seen.secret
    return Block("the secret is scheduled for deletion; restore it first") if secret and secret.deleted else None


def key_has_leaked(at: Situation) -> Action | None:
    """Record a leak before anything can block the response, also of a key that is Inactive or gone."""
    demand = at.demand
    if demand is None or demand.reason is not Reason.COMPROMISED:
        return None
    record, key_id = at.seen.record, demand.key_id
    is_known = at.seen.key(key_id) is not None or key_id in record.keys
    return MarkCompromised(key_id) if is_known and not record.history(key_id).compromised else None


def leak_names_no_key(at: Situation) -> Action | None:
    """A leak without a key id means the key that the secret names; if that is unclear, a person must name the key."""
    demand = at.demand
    if demand is None or demand.reason is not Reason.COMPROMISED or demand.key_id:
        return None
    return Block(
        "a leak was reported without key_id, and it is unclear which key is meant: report it again with key_id"
    )


def user_is_frozen(at: Situation) -> Action | None:
    """An operator froze the user; only a leak overrides that."""
    return Wait("FROZEN", at.checked_again()) if at.seen.record.frozen and not at.is_urgent else None


def tags_are_unfit(at: Situation) -> Action | None:
    """Broken settings, which any caller with tagging rights can cause, must not delay the response to a leak."""
    return Block(at.seen.unfit_tags) if at.seen.unfit_tags and not at.is_urgent else None


def present_key_is_awaited(at: Situation) -> Action | None:
    """Create the secret of a user that was enrolled with its present key, and wait until that key is stored in it."""
    entry = at.seen.record.entry
    if entry is None or [key.id for key in at.unattributed] != [entry.awaits] or at.is_urgent:
        return None
    if at.seen.secret is None:
        obstacle = next((found for gate in CREATION_GATES if (found := gate(at))), None)
        return obstacle or CreateSecret()
    notice = f"its holder has not stored the key {entry.awaits} in the secret: steward keys enrol, with --present-key"
    return Wait("AWAITING_KEY", at.checked_again(), notice if at.now >= entry.at + DAILY else "")


def key_is_unattributed(at: Situation) -> Action | None:
    """Invariants 6 and 7: a foreign Active key is never touched; an orphan of ours is deleted on proof alone.

    It blocks nothing while the current key has leaked: a slot may still be free for its successor.
    """
    for key in at.unattributed:
        action: Action = Block(f"the key {key.id} is active and was never in the secret: delete it, or put it there")
        if at.is_orphan_candidate(key):
            action = _orphan(at, key)
        if not (at.is_urgent and isinstance(action, Block)):
            return action
    return None


def _orphan(at: Situation, key: AccessKey) -> Action:  # noqa: PLR0911 - one return per missing piece of proof
    history = at.history(key)
    if history.suspected_at is None:
        return Suspect(key.id)
    if not at.is_listed_since(history.suspected_at + LISTED_TWICE):
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
    """A value that names no key blocks: how consumers read it is not known."""
    for label in (Label.CURRENT, Label.PENDING):
        if at.seen.named.get(label) is Content.UNREADABLE:
            return Block(f"the version {label} of the secret is not in the form that we write; put it right")
    return None


def current_key_is_inactive(at: Situation) -> Action | None:
    """A person deactivated the key that consumers read, perhaps on purpose. An operator may request another."""
    current = at.seen.current
    if current is None or current.active or at.is_urgent or at.seen.record.wanted == current.id:
        return None
    return Block(f"somebody deactivated the current key {current.id}")


def current_key_is_missing(at: Situation) -> Action | None:
    """Replace a key that was deleted, once a second listing confirms that it is gone; a leaked one at once."""
    missing = at.missing
    if missing is None or at.is_urgent:
        return None
    history = at.seen.record.keys.get(missing)
    if history is None or history.promoted_at is None:
        return Block(f"the secret names the key {missing}, which the user does not have")
    if history.suspected_at is None:
        return Suspect(missing)
    if not at.is_listed_since(history.suspected_at + SETTLE):
        return Wait("CURRENT_KEY_MISSING", history.suspected_at + SETTLE)
    return None


def gone_key_is_remembered(at: Situation) -> Action | None:
    """Forget a key that is gone, unless it was just created and IAM may not list it yet."""
    for key_id, history in at.seen.record.keys.items():
        was_listed = bool(history.promoted_at or history.retired_for)
        is_settled = was_listed or not (history.made_by_us or history.suspected_at)
        if is_settled and at.seen.key(key_id) is None and not at.seen.is_labelled(key_id):
            return Forget(key_id)
    return None


def deactivation_is_unannounced(at: Situation) -> Action | None:
    """Publish every deactivation."""
    return next((Announce(key.id) for key in at.quarantined if not at.history(key).announced), None)


def leaked_key_is_active(at: Situation) -> Action | None:
    """Deactivate a leaked key that no consumer reads at once, a foreign one, too: the report names it."""
    return next((Deactivate(key.id, LEAKED) for key in at.leaked), None)


def leaks_to_stop(at: Situation) -> list[Deactivate]:
    """Before a run ends, deactivate every leaked key in place, also one that consumers read (exception to 1 and 3).

    A successor comes first wherever it can be created. Whatever prevents that does not keep the leaked key alive.
    """
    return [Deactivate(key.id, LEAKED) for key in at.still_leaking]


def leaks_to_announce(at: Situation) -> list[Announce]:
    """Before a run ends, publish the deactivation of every leaked key."""
    return [Announce(key.id) for key in at.quarantined if at.history(key).compromised and not at.history(key).announced]


def readers_have_changed(at: Situation) -> Action | None:
    """Let the readers of the settings, the user by its present ARN, and our roles read the secret.

    The live policy is compared. Where IAM alone decides, a policy of others is none of the steward's business.
    """
    live = at.seen.restriction
    if live is None or at.seen.user is None:
        return None
    wanted = at.enrolment.restriction(at.settings, at.seen.user)
    differs = live != wanted if wanted.readers else bool(live.readers)
    return RestrictReaders(wanted) if differs else None


def policy_locks_us_out(at: Situation) -> Action | None:
    """Replace an old resource policy that denies us the values, because every other rule needs them."""
    return readers_have_changed(at) if at.seen.is_locked_out else None


def replica_is_missing(at: Situation) -> Action | None:
    """Replicate the secret to every region of the settings. No replica is removed: consumers may read it."""
    secret = at.seen.secret
    missing = [region for region in at.settings.replica_regions if secret and region not in secret.replicas]
    return Replicate(tuple(missing)) if missing else None


def backstop_is_missing(at: Situation) -> Action | None:
    """Register our function and the maximum age with Secrets Manager.

    It refuses a registration while a version is pending, and it tests the function with a version of its own, which
    briefly looks like a manual change: so the registration happens while no old key drains.
    """
    secret, function, days = at.seen.secret, at.enrolment.rotation_function, ceil(at.settings.times.max_age_days)
    if secret is None or not function or at.seen.has_pending or at.draining or at.quarantined:
        return None
    known = secret.rotation_function == function and at.seen.record.backstop_days == days
    return None if known else RegisterBackstop(function, days)


RULES: tuple[Rule, ...] = (
    key_has_leaked,
    user_is_gone,
    user_is_another,
    user_is_not_enrolled,
    leak_names_no_key,
    secret_is_not_ours,
    secret_is_deleted,
    policy_locks_us_out,
    label_is_unreadable,
    leaked_key_is_active,
    promotion_is_unrecorded,
    deactivation_is_unannounced,
    older_key_can_return,
    user_is_frozen,
    tags_are_unfit,
    present_key_is_awaited,
    key_is_unattributed,
    current_key_is_inactive,
    current_key_is_missing,
    gone_key_is_remembered,
    readers_have_changed,
    pending_key_waits,
    schedule_asks_too_early,
    key_is_wanted,
    replica_is_missing,
    backstop_is_missing,
    brought_back_by_hand,
    adoption,
    deactivation,
    deletion,
)


def decide(at: Situation, rules: tuple[Rule, ...] = RULES) -> Action:
    """Return the next step. Destructive steps need every fact known: what was not read never counts as unused."""
    action = next((action for rule in rules if (action := rule(at))), None) or resting(at)
    outlasting: list[Action] = [*leaks_to_stop(at), *leaks_to_announce(at)]
    if isinstance(action, Wait | Block) and outlasting:
        return outlasting[0]
    return reported(at, action) if isinstance(action, Wait | Block | Release) else action
