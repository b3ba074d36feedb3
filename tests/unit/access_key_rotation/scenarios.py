"""What may happen to a user, each with the end that it must come to, whatever call of it fails."""

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from access_key_rotation.application.ports import KeySlotsFullError
from access_key_rotation.domain.events import (
    AccessKeyDeactivated,
    AccessKeyDeleted,
    AccessKeyReactivated,
    AccessKeyRotated,
    AccessKeyRotationBlocked,
    SecretReadersChanged,
)
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Demand, Reason
from access_key_rotation.domain.settings import AtMaxAge, Exemption, FreezeWindow, LeakWithoutSlot
from access_key_rotation.domain.state import Cause, Content, Label, Standing
from steward.errors import ConflictError, NotAllowedError
from tests.doubles.in_memory_service_account import OUR_ROLES, QUARANTINE, InMemoryVault
from tests.unit.access_key_rotation import scenarios_of_enrolment, scenarios_of_sync
from tests.unit.access_key_rotation.lives import FUNCTION, SETTINGS, Life

FIRST_DAY = date(2026, 5, 4)
DEPLOY = "arn:aws:iam::123456789012:role/deploy"
CALLER = "123456789012:role/operator"


def ends(life, state, *, keys=None):
    """The life came to this state; the given keys, and no others, are there."""
    assert life.outcome is not None, "no run ended well"
    assert life.outcome.state == state, life.outcome.end
    if keys is not None:
        assert life.key_ids() == keys, life.key_ids()
    return life


def begun(settings=SETTINGS, days=2, **how):
    """A user whose first key is in use."""
    life = Life(settings=settings, **how)
    life.account.add_user(life.name)
    return life.days(days)


def foreign(life, **how):
    """A key that somebody else made."""
    key = life.account.make_key(life.name, **how)
    life.invariants.foreign.add(key.id)
    life.invariants.accept()
    return key


def by_hand(life, key_id, *, active):
    """Somebody changes a key in IAM, past the steward."""
    stored = life.account.users[life.name]
    stored.keys[key_id] = replace(stored.keys[key_id], active=active)
    life.invariants.accept()


def stops_using(life):
    """No consumer does anything any more."""
    life.consumer.key, life.consumer.read_at = None, life.clock.now() + timedelta(days=90)


def is_active(life, key_id):
    """Whether AWS takes the key."""
    return life.account.users[life.name].keys[key_id].active


def reports(life):
    """What people were asked to check, in words."""
    return [event.reason for event in life.publisher.of(AccessKeyRotationBlocked)]


def leak(life, key_id=None):
    """Somebody reports that a key has leaked."""
    key_id = key_id or life.account.current_key(life.name)
    life.invariants.leaked.add(key_id)
    life.demand_rotation(Reason.COMPROMISED, key_id)
    return key_id


def whole_life(**how):
    """Bootstrap, rotation, drain, quarantine, deletion."""
    life = begun(days=6.5, **how)
    old = {key_id for key_id in life.key_ids() if life.records.find(life.name).history(key_id).superseded_at}
    life.days(4.5)
    assert old <= {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
    assert old <= {event.key_id for event in life.publisher.of(AccessKeyDeleted)}
    assert not [error for error in life.errors if isinstance(error, KeySlotsFullError)]
    assert life.account.secrets[life.name].rotation == (FUNCTION, SETTINGS.times.max_age_days)
    return ends(life, "STEADY", keys={life.account.current_key(life.name)})


def consumer_that_slept(**how):
    """An old key that was unused for long still drains for ``drain_days`` after it is replaced."""
    life = begun(days=2, **how)
    key = life.consumer.key
    life.consumer.key, life.consumer.read_at = None, life.clock.now() + timedelta(days=90)
    life.days(4.5)
    life.consumer.read_at = None
    life.days(1.5)
    assert key in life.key_ids()
    assert life.account.users[life.name].keys[key].active
    return life


def consumer_that_never_moves(**how):
    """The old key stays active while somebody uses it, and people are told."""
    life = begun(days=6, **how)
    life.consumer.read_at = life.clock.now() + timedelta(days=90)
    life.days(12)
    assert "older than the limit" in life.outcome.end.notice
    return ends(life, "DRAINING")


def nobody_uses_the_new_key(**how):
    """Without a use of the new key, the old one stays, even if it is unused."""
    life = begun(days=6, **how)
    life.consumer.key, life.consumer.read_at = None, life.clock.now() + timedelta(days=90)
    life.days(12)
    assert len(life.key_ids()) == 2
    return ends(life, "DRAINING")


def limit_that_deactivates(**how):
    """With at_max_age: deactivate, the limit is kept, used or not."""
    life = begun(replace(SETTINGS, at_max_age=AtMaxAge.DEACTIVATE), days=6, **how)
    old = life.consumer.key
    life.consumer.key, life.consumer.read_at = None, life.clock.now() + timedelta(days=90)
    life.days(5)
    assert not life.account.users[life.name].keys[old].active
    return life


def limit_that_deactivates_after_the_drain(**how):
    """A key that is past its limit when it is replaced still drains: its consumers have not had time to switch."""
    life = Life(settings=replace(SETTINGS, at_max_age=AtMaxAge.DEACTIVATE), **how)
    life.account.add_user(life.name)
    old = key_of_before(life).id
    life.clock.advance(days=12)
    life.days(1.5)
    assert life.account.current_key(life.name) != old
    assert is_active(life, old)
    life.days(1.5)
    assert not is_active(life, old)
    return life


def replica_that_lags(**how):
    """Nothing is taken away while a region's consumers may read the old value."""
    life = begun(replace(SETTINGS, replica_regions=("away",)), days=11, **how)
    assert "not in sync" in life.outcome.end.notice
    assert life.account.secrets[life.name].replicas == {"away": False}
    life.account.secrets[life.name].replicas["away"] = True
    return ends(life.days(1), "QUARANTINED")


def freeze_window_on_rotation(**how):
    """Nothing starts in a freeze window."""
    window = FreezeWindow(starts=FIRST_DAY + timedelta(days=5), ends=FIRST_DAY + timedelta(days=9))
    life = begun(replace(SETTINGS, freeze=(window,)), days=9, **how)
    return ends(life, "FROZEN", keys={life.consumer.key})


def freeze_window_on_drain(**how):
    """Nothing is taken away in a freeze window."""
    window = FreezeWindow(starts=FIRST_DAY + timedelta(days=8), ends=FIRST_DAY + timedelta(days=20))
    life = begun(replace(SETTINGS, freeze=(window,)), days=11, **how)
    assert all(key.active for key in life.account.users[life.name].keys.values())
    return ends(life, "DRAINING")


def freeze_window_on_quarantine(**how):
    """Nothing is deleted in a freeze window."""
    window = FreezeWindow(starts=FIRST_DAY + timedelta(days=10), ends=FIRST_DAY + timedelta(days=20))
    life = begun(replace(SETTINGS, freeze=(window,)), days=11.75, **how)
    assert len(life.key_ids()) == 2
    return ends(life, "QUARANTINED")


def freeze_window_on_pending(**how):
    """A stored key is not promoted in a freeze window."""
    window = FreezeWindow(starts=FIRST_DAY + timedelta(days=2), ends=FIRST_DAY + timedelta(days=20))
    life = begun(replace(SETTINGS, freeze=(window,)), days=1.5, **how)
    current = life.consumer.key
    key = life.account.make_key(life.name)
    secret = life.account.secrets[life.name]
    secret.versions["stored"] = life.account._credential(life.name, key.id)
    secret.labels[Label.PENDING] = "stored"
    life.invariants.accept()
    life.days(1).run()
    assert life.account.current_key(life.name) == current
    return ends(life, "CREATED")


def exempt_user(**how):
    """An exempt user keeps its key until the exemption ends, and not a day longer."""
    exemption = Exemption(user="ecr-push", reason="appliance without updates", until=FIRST_DAY + timedelta(days=8))
    life = Life(settings=replace(SETTINGS, exempt=(exemption,)), **how)
    life.account.add_user(life.name)
    key = key_of_before(life)
    ends(life.days(8), "EXEMPT", keys={key.id})
    life.days(1.5)
    assert life.account.current_key(life.name) != key.id
    return life


def exempt_user_that_drains(**how):
    """An appliance that is exempt keeps the key that it uses, whatever its age."""
    exemption = Exemption(user="ecr-push", reason="appliance without updates", until=FIRST_DAY + timedelta(days=20))
    life = begun(replace(SETTINGS, at_max_age=AtMaxAge.DEACTIVATE), days=6.5, **how)
    life.change_settings(replace(life.settings, exempt=(exemption,)))
    old, life.consumer.read_at = life.consumer.key, life.clock.now() + timedelta(days=90)
    life.days(6)
    assert is_active(life, old)
    return ends(life, "EXEMPT")


def exempt_user_without_a_key(**how):
    """An exempt user whose key somebody deleted gets one all the same."""
    exemption = Exemption(user="ecr-push", reason="appliance without updates", until=FIRST_DAY + timedelta(days=20))
    life = begun(replace(SETTINGS, exempt=(exemption,)), **how)
    gone = life.consumer.key
    life.account.users[life.name].keys.clear()
    life.invariants.accept()
    life.invariants.taken.add(gone)
    life.run()
    life.days(3)
    return ends(life, "STEADY", keys={life.account.current_key(life.name)})


def key_brought_back_by_hand(**how):
    """A key that a person reactivated drains once more, and is reported."""
    life = begun(days=9.25, **how)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    assert not is_active(life, old)
    by_hand(life, old, active=True)
    life.run()
    ends(life.days(1.5), "DRAINING")
    assert is_active(life, old)
    assert old in {event.key_id for event in life.publisher.of(AccessKeyReactivated) if not event.frozen}
    life.days(1)
    assert not is_active(life, old)
    return life


def draining_key_deactivated_and_brought_back_by_hand(**how):
    """A person deactivates a key that drains, a consumer breaks, and they reactivate it: it drains once more."""
    life = begun(days=7, **how)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    by_hand(life, old, active=False)
    life.invariants.taken.add(old)
    life.days(3)
    by_hand(life, old, active=True)
    life.run()
    ends(life.days(1.5), "DRAINING")
    assert is_active(life, old)
    assert old in {event.key_id for event in life.publisher.of(AccessKeyReactivated) if not event.frozen}
    life.days(1)
    assert not is_active(life, old)
    return life


def key_brought_back_while_blocked_and_deactivated_again(**how):
    """A key that a person reactivated and deactivated again is theirs: the steward does not delete it."""
    life = begun(days=9.25, **how)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    assert not is_active(life, old)
    stops_using(life)
    by_hand(life, life.account.current_key(life.name), active=False)
    by_hand(life, old, active=True)
    life.run()
    ends(life, "BLOCKED")
    by_hand(life, old, active=False)
    life.invariants.taken.add(old)
    life.demand_rotation()  # there is no slot for its key
    return ends(life.days(8), "STEADY", keys={old, life.account.current_key(life.name)})


def key_brought_back_by_an_operator(**how):
    """The user is frozen with its old key until somebody asks for a rotation; then that key drains once more."""
    life = begun(days=9.25, **how)
    current = life.account.current_key(life.name)
    (old,) = life.key_ids() - {current}
    life.operate(_reactivation(life.name))
    assert is_active(life, old)
    ends(life.days(2), "FROZEN", keys={old, current})
    life.operate(lambda operation: _routine_rotation(operation, life.name))
    life.days(1.5)
    assert is_active(life, old)
    life.days(3)
    assert old not in life.key_ids()
    return life


def _reactivation(name):
    """Asked for again after a reply that was lost, it may find nothing left to do."""

    def act(operation):
        with suppress(ConflictError):
            operation.reactivate(name, CALLER, "a consumer broke", "r")

    return act


def _refused_reactivation(name):
    """A leaked key is refused, and that is the end of it."""

    def act(operation):
        try:
            key_id = operation.reactivate(name, CALLER, "a consumer broke", "r")
        except NotAllowedError:
            return
        raise AssertionError(f"the leaked key {key_id} was reactivated")

    return act


def _routine_rotation(operation, name):
    operation.request_rotation(name, Reason.ROUTINE, None, CALLER, "r", dry_run=False)


def key_of_before(life):
    """A user whose key somebody put into the secret before the steward came."""
    key = life.account.make_key(life.name)
    InMemoryVault(life.account).create(life.name)
    life.account.put_value(life.name, key.id)
    life.clock.advance(minutes=1)
    life.invariants.accept()
    return key


def leaked_key(**how):
    """A leak: the new key is current at once, the leaked one is inactive, and is never brought back by itself."""
    life = begun(**how)
    leaked = leak(life)
    life.days(0.5)
    assert not life.account.users[life.name].keys[leaked].active
    assert life.account.current_key(life.name) != leaked
    current = life.account.current_key(life.name)
    assert any(event.waived for event in life.publisher.of(AccessKeyRotated) if event.key_id == current)
    assert leaked in {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
    return ends(life.days(3), "STEADY", keys={life.account.current_key(life.name)})


def leaked_key_with_full_slots(**how):
    """A leak while an older key drains: the older one is current again, and nobody who uses it is cut off."""
    life = begun(days=7, **how)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    life.consumer.key, life.consumer.read_at = old, life.clock.now() + timedelta(days=1)
    leaked = leak(life)
    life.run()
    assert is_active(life, old)
    assert not is_active(life, leaked)
    assert life.account.current_key(life.name) == old
    assert leaked in {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
    assert old in {event.key_id for event in life.publisher.of(AccessKeyRotated) if event.waived}
    life.days(4)
    assert not life.consumer.refused
    assert life.account.current_key(life.name) not in {old, leaked}
    assert leaked not in life.key_ids()
    return life


def leaked_key_that_makes_room_on_request(**how):
    """An operator who requests a rotation gets the successor at once: the dead leaked key makes room."""
    life = begun(days=7, **how)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    leaked = leak(life)
    life.run()
    life.demand_rotation(key_id=old)
    life.days(0.5)
    assert leaked not in life.key_ids()
    assert is_active(life, old)
    assert life.account.current_key(life.name) not in {old, leaked}
    return ends(life, "DRAINING")


def leaked_key_whose_predecessor_is_in_no_version(**how):
    """The older key cannot become current again, and stays all the same: the leaked one makes room."""
    life = begun(days=7, **how)
    leaked = life.account.current_key(life.name)
    (old,) = life.key_ids() - {leaked}
    del life.account.secrets[life.name].labels[Label.PREVIOUS]
    leak(life)
    life.days(0.5)
    assert leaked not in life.key_ids()
    assert is_active(life, old)
    assert life.account.current_key(life.name) not in {old, leaked}
    return ends(life, "DRAINING")


def leaked_key_with_full_slots_and_settings_for_room(**how):
    """With delete-older-key, the older key makes room, and the leaked one works until its successor does."""
    settings = replace(SETTINGS, leak_without_slot=LeakWithoutSlot.DELETE_OLDER_KEY)
    life = begun(settings, days=6.5, **how)
    old = life.key_ids() - {life.account.current_key(life.name)}
    leaked = leak(life)
    life.days(0.5)
    assert not old & life.key_ids()
    assert old <= {event.key_id for event in life.publisher.of(AccessKeyDeleted) if event.was_active}
    assert leaked != life.account.current_key(life.name)
    assert not life.account.users[life.name].keys[leaked].active
    return life


def leaked_key_of_an_account_that_cannot_be_read(**how):
    """Nobody knows whether the user may get a key: it gets none, and the leaked one is dead within the minute."""
    life = begun(**how)
    life.account.unreadable_standing = True
    leaked = life.account.current_key(life.name)
    life.invariants.leaked.add(leaked)
    life.demand = Demand(leaked, Reason.COMPROMISED)
    began = life.clock.now()
    assert not life._run(life.rotator) or how
    if not how:
        assert life.clock.now() - began < timedelta(minutes=1)
        assert not is_active(life, leaked)
        assert life.key_ids() == {leaked}
        assert leaked in {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
        failure = life.records.find(life.name).failure
        assert (failure.step, failure.cause) == ("ReadStanding", Cause.AWS)
    life.account.unreadable_standing = False
    life.days(1)
    assert not is_active(life, leaked)
    assert life.account.current_key(life.name) != leaked
    return ends(life, "QUARANTINED")


def leaked_key_that_drains(**how):
    """A leak of the superseded key: it goes at once."""
    life = begun(days=7, **how)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    leak(life, old)
    life.days(0.5)
    assert not life.account.users[life.name].keys[old].active
    return life


def leaked_key_of_a_user_in_quarantine_by_aws(**how):
    """AWS denies the login to ECR to the user of an exposed key; the leaked key dies all the same, and at once."""
    life = begun(**how)
    life.account.aws_quarantines.add(life.name)
    leaked = leak(life)
    life.days(0.5)
    assert not is_active(life, leaked)
    assert life.account.current_key(life.name) != leaked
    (waived,) = {tuple(event.waived) for event in life.publisher.of(AccessKeyRotated) if event.waived}
    assert "ECR login" in waived
    detach = f"detach-user-policy --user-name {life.name} --policy-arn {QUARANTINE}"
    assert any(detach in said for said in reports(life))
    assert detach in life.records.find(life.name).notice.text
    life.account.aws_quarantines.clear()
    life.days(1.25)
    assert life.records.find(life.name).notice is None
    return ends(life, "QUARANTINED")


def leaked_key_of_a_user_in_quarantine_by_aws_in_four_steps(**how):
    """The four steps, too, replace a leaked key while AWS denies the login to ECR."""
    life = begun(**how)
    life.account.aws_quarantines.add(life.name)
    record, leaked = life.records.find(life.name), life.account.current_key(life.name)
    life.invariants.leaked.add(leaked)
    life.records.records[life.name] = record.noting(leaked, replace(record.history(leaked), compromised=True))
    life.rotate_secret("token-of-secrets-manager", environments=1)
    life.days(0.5)
    assert not is_active(life, leaked)
    return ends(life, "QUARANTINED")


def leaked_key_that_is_inactive(**how):
    """Scanners find keys after their rotation: a reported key never works again, whoever reactivates it."""
    life = begun(days=9.25, **how)
    current = life.account.current_key(life.name)
    (old,) = life.key_ids() - {current}
    assert not is_active(life, old)
    leak(life, old)
    life.operate(_refused_reactivation(life.name))
    by_hand(life, old, active=True)
    life.run()
    assert not is_active(life, old)
    assert life.account.current_key(life.name) == current
    return life


def leaked_current_key_that_is_inactive(**how):
    """A current key that somebody deactivated before the leak was reported is replaced at once."""
    life = begun(**how)
    leaked = life.account.current_key(life.name)
    by_hand(life, leaked, active=False)
    life.invariants.taken.add(leaked)
    leak(life, leaked)
    life.days(0.5)
    assert life.account.current_key(life.name) not in {leaked, None}
    return life


def leaked_key_in_a_freeze(**how):
    """A leak is stronger than a freeze by an operator and by the calendar."""
    window = FreezeWindow(starts=FIRST_DAY + timedelta(days=2), ends=FIRST_DAY + timedelta(days=20))
    life = begun(replace(SETTINGS, freeze=(window,)), **how)
    life.records.records[life.name] = replace(life.records.records[life.name], frozen="a consumer broke")
    leaked = leak(life)
    life.days(0.5)
    assert not life.account.users[life.name].keys[leaked].active
    assert leaked in {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
    return ends(life, "FROZEN")


def leaked_drainer_beside_a_foreign_key(**how):
    """What blocks the user does not keep a leaked key alive."""
    life = begun(days=7, **how)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    key = foreign(life)
    life.clock.advance(minutes=1)
    life.run()
    ends(life.days(0.5), "BLOCKED")
    leak(life, old)
    life.days(0.5)
    assert not is_active(life, old)
    assert is_active(life, key.id)
    return ends(life, "BLOCKED")


def leaked_key_beside_a_foreign_key(**how):
    """The leaked key makes room for its successor; the foreign key stays, and blocks the user as before."""
    life = begun(**how)
    key = foreign(life)
    life.clock.advance(minutes=1)
    life.run()
    ends(life.days(0.5), "BLOCKED")
    leaked = leak(life)
    life.run()
    assert leaked not in life.key_ids()
    assert is_active(life, key.id)
    return ends(life.days(0.5), "BLOCKED", keys={life.account.current_key(life.name), key.id})


def leaked_foreign_key(**how):
    """A key that somebody else made and that leaked is deactivated: the report says whose it is."""
    life = begun(**how)
    key = foreign(life)
    life.clock.advance(minutes=1)
    leak(life, key.id)
    life.days(0.5)
    assert not is_active(life, key.id)
    assert {event.reason for event in life.publisher.of(AccessKeyDeactivated)} == {"compromised"}
    life.days(3)
    return ends(life, "STEADY", keys={life.consumer.key})


def leaked_key_of_a_deleted_secret(**how):
    """The leaked key dies at once, and its successor is made when the secret is restored."""
    life = begun(**how)
    life.account.secrets[life.name].deleted = True
    life.run()
    ends(life, "BLOCKED")
    leaked = leak(life, life.consumer.key)
    assert not is_active(life, leaked)
    assert leaked in {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
    life.days(1)
    life.account.secrets[life.name].deleted = False
    life.days(1)
    assert life.account.current_key(life.name) != leaked
    return life


def leaked_key_with_unfit_tags(**how):
    """Anyone who may tag the user can break its settings, and cannot keep a leaked key alive by it."""
    life = begun(**how)
    stored = life.account.users[life.name]
    stored.user = replace(stored.user, tags=dict(stored.user.tags) | {"steward:max-age-days": "soon"})
    life.run()
    ends(life, "BLOCKED")
    assert "make no policy" in reports(life)[-1]
    leaked = leak(life)
    life.days(0.5)
    assert life.account.current_key(life.name) != leaked
    assert not is_active(life, leaked)
    return ends(life.days(8), "BLOCKED")


def leaked_key_before_its_replica(**how):
    """A replica that lags keeps no leaked key alive."""
    life = begun(replace(SETTINGS, replica_regions=("away",)), **how)
    leaked = leak(life)
    life.days(0.5)
    assert not is_active(life, leaked)
    return life


def leaked_key_while_the_secret_changes(**how):
    """What else is to be done for the user comes after the death of the leaked key."""
    life = begun(**how)
    life.change_settings(replace(SETTINGS, replica_regions=("away",)))
    before = len(life.stage.calls)
    leaked = leak(life)
    life.days(0.5)
    assert not is_active(life, leaked)
    calls = life.stage.calls[before:]
    assert "replicate" not in calls[: calls.index("deactivate_key")]
    return life


def leak_without_a_key_id(**how):
    """The key that the secret names is meant; if it names none, people hear that the report needs the key."""
    life = begun(**how)
    life.records.lose()
    life.account.secrets.pop(life.name, None)
    life.demand = Demand("", Reason.COMPROMISED)
    life.run()
    assert any("report it again with key_id" in reason for reason in reports(life))
    return ends(life, "BLOCKED", keys={life.consumer.key})


def leak_of_a_key_that_is_inactive(**how):
    """There is nothing to answer."""
    life = begun(days=9.25, **how)
    keys = life.key_ids()
    (old,) = keys - {life.account.current_key(life.name)}
    assert not is_active(life, old)
    life.demand_rotation(Reason.COMPROMISED, old)
    return ends(life, "QUARANTINED", keys=keys)


def leaked_key_of_a_user_that_is_not_enrolled(**how):
    """It is reported as often as somebody reports it, and neither touched nor remembered."""
    life = Life(**how)
    life.account.add_user(life.name, path="/people/")
    key = foreign(life)
    life.clock.advance(minutes=1)
    leak(life, key.id)
    life.days(2)
    assert {key.id in reason and "not enrolled" in reason for reason in reports(life)} == {True}
    assert life.records.find(life.name) is None
    return ends(life, "RELEASED", keys={key.id})


def leaked_key_that_is_pending(**how):
    """A stored key that leaks is dropped, and another one is made."""
    life = begun(days=1, **how)
    secret = life.account.secrets[life.name]
    key = life.account.make_key(life.name, ours=True)
    secret.versions["stored"] = life.account._credential(life.name, key.id)
    secret.labels[Label.PENDING] = "stored"
    life.invariants.accept()
    life.clock.advance(minutes=1)
    leak(life, key.id)
    life.days(0.5)
    assert life.account.current_key(life.name) != key.id
    assert not life.account.users[life.name].keys[key.id].active
    return life


def foreign_second_key(**how):
    """A key that we do not know blocks everything, and stays."""
    life = begun(**how)
    key = foreign(life)
    life.days(6)
    return ends(life, "BLOCKED", keys={life.consumer.key, key.id})


def three_keys(**how):
    """More than two keys are possible, and nothing is guessed about the third."""
    life = begun(days=7, **how)
    key = foreign(life)
    assert len(life.key_ids()) == 3
    life.days(6)
    assert key.id in life.key_ids()
    return ends(life, "BLOCKED")


def key_of_a_person(**how):
    """A person's unused key, made after an attempt of ours that died, is no orphan of ours."""
    life = begun(**how)
    life.records.claim(life.name, "died", timedelta(minutes=5))
    key = foreign(life)
    life.clock.advance(minutes=6)
    life.run()
    life.days(3)
    assert key.id in life.key_ids()
    return ends(life, "BLOCKED")


def lost_key(**how):
    """A key that we made and whose secret was lost is deleted, on proof, and nothing else is."""
    life = begun(**how)
    life.records.claim(life.name, "died", timedelta(minutes=5))
    life.account.make_key(life.name, ours=True)
    life.invariants.accept()
    life.clock.advance(minutes=6)
    life.run()
    life.days(4)
    return ends(life, "STEADY", keys={life.consumer.key})


def lost_key_in_use(**how):
    """A key of ours in no secret that somebody uses is left alone."""
    life = begun(**how)
    life.records.claim(life.name, "died", timedelta(minutes=5))
    key = life.account.make_key(life.name, ours=True)
    life.invariants.accept()
    life.clock.advance(minutes=6)
    life.account.use(life.name, key.id)
    life.run()
    life.days(4)
    assert key.id in life.key_ids()
    return ends(life, "BLOCKED")


def user_recreated(**how):
    """A user of the same name is another user."""
    life = begun(**how)
    life.account.recreate_user(life.name)
    life.consumer.key, life.consumer.read_at = None, life.clock.now() + timedelta(days=90)
    life.invariants.accept()
    ends(life.days(8), "ORPHANED_SECRET", keys=set())
    del life.account.secrets[life.name]
    life.invariants.accept()
    life.consumer.read_at = None
    life.days(2)
    return ends(life, "STEADY", keys={life.account.current_key(life.name)})


def user_renamed(**how):
    """The old name leaves a secret, the new one has a key that its secret never held: both are for a person."""
    life = begun(**how)
    old, new, key = life.name, UserName("ecr-push-2"), life.consumer.key
    stored = life.account.users[new] = life.account.users.pop(old)
    stored.user = replace(stored.user, name=new, arn=stored.user.arn.replace(old, new))
    stops_using(life)
    life.invariants.accept()
    life.run()
    ends(life, "ORPHANED_SECRET")
    life.name = new
    ends(life.days(2), "BLOCKED", keys={key})
    assert is_active(life, key)
    return life


def user_moved(**how):
    """A user that is moved below the path reads its secret under its new ARN, too."""
    life = begun(replace(SETTINGS, secret_readers=(DEPLOY,)), **how)
    stored = life.account.users[life.name]
    arn = stored.user.arn.replace("/service/", "/service/team-a/")
    stored.user = replace(stored.user, path="/service/team-a/", arn=arn)
    life.invariants.accept()
    life.days(5)
    assert life.account.secrets[life.name].readers == tuple(sorted((DEPLOY, arn, *OUR_ROLES)))
    return life


def stack_deployed_again(**how):
    """The table is gone, and the secret lets nobody read but roles of another name."""
    life = begun(replace(SETTINGS, secret_readers=(DEPLOY,)), **how)
    life.records.lose()
    life.account.secrets[life.name].readers = (DEPLOY, "arn:aws:iam::123456789012:role/of-a-former-stack")
    life.days(2)
    assert set(OUR_ROLES) <= set(life.account.secrets[life.name].readers)
    return ends(life, "STEADY", keys={life.consumer.key})


def user_deleted(**how):
    """A secret whose user is gone is reported, and kept."""
    life = begun(**how)
    del life.account.users[life.name]
    life.consumer.key, life.consumer.read_at = None, life.clock.now() + timedelta(days=90)
    life.invariants.accept()
    ends(life.days(8), "ORPHANED_SECRET")
    assert set(reports(life)) == {"the user does not exist"}
    return life


def user_and_secret_deleted(**how):
    """Nobody hears of a user whose secret waits for its deletion, and nothing is remembered once it is gone."""
    life = begun(**how)
    del life.account.users[life.name]
    life.account.secrets[life.name].deleted = True
    stops_using(life)
    life.invariants.accept()
    life.run()
    ends(life.days(3), "ORPHANED_SECRET")
    del life.account.secrets[life.name]
    life.invariants.accept()
    ends(life.days(3), "RELEASED")
    assert life.records.find(life.name) is None
    assert reports(life) == []
    return life


def user_elsewhere(**how):
    """The tag alone enrols nobody, and nothing is remembered of who is not enrolled."""
    life = Life(**how)
    life.account.add_user(life.name, path="/people/")
    life.demand_rotation(key_id="AKIASOMEKEY000000000")
    assert life.records.find(life.name) is None
    return ends(life, "RELEASED", keys=set())


def user_not_enrolled_any_more(**how):
    """Somebody takes the tag away: nothing is touched, and the secret is for a person to judge."""
    life = begun(**how)
    stored = life.account.users[life.name]
    stored.user = replace(stored.user, tags={})
    life.invariants.accept()
    return ends(life.days(8), "ORPHANED_SECRET", keys={life.consumer.key})


def administrator_moved_and_tagged(**how):
    """Whoever can tag and move an administrator does not get its key."""
    life = Life(**how)
    administrator = Standing(has_password=False, has_mfa=False, escalation="escalation path iam-007 is open")
    life.account.add_user(life.name, standing=administrator)
    return ends(life.days(2), "BLOCKED", keys=set())


def secret_deleted(**how):
    """A secret that is scheduled for deletion stops everything."""
    life = begun(**how)
    life.account.secrets[life.name].deleted = True
    life.consumer.read_at = life.clock.now() + timedelta(days=90)
    return ends(life.days(8), "BLOCKED", keys={life.consumer.key})


def secret_of_another_stack(**how):
    """Two stacks do not rotate one user."""
    life = begun(**how)
    life.account.secrets[life.name].owner = "another-stack"
    return ends(life.days(8), "BLOCKED", keys={life.consumer.key})


def frozen_by_an_operator(**how):
    """A frozen user is left as it is."""
    life = begun(**how)
    life.records.records[life.name] = replace(life.records.records[life.name], frozen="a consumer broke")
    ends(life.days(7), "FROZEN", keys={life.consumer.key})
    assert reports(life) == []
    life.days(1)
    heard = reports(life)
    assert {life.consumer.key in reason and "older than the limit" in reason for reason in heard} == {True}
    life.days(1)
    assert len(reports(life)) > len(heard)
    return ends(life, "FROZEN", keys={life.consumer.key})


def current_key_deactivated_in_a_freeze(**how):
    """A freeze stops changes, not reports: consumers that read a dead key are an outage."""
    life = begun(**how)
    life.records.records[life.name] = replace(life.records.records[life.name], frozen="a consumer broke")
    current = life.account.current_key(life.name)
    by_hand(life, current, active=False)
    life.invariants.taken.add(current)
    life.days(1)
    life.run()
    assert any(f"the current key {current} is inactive" in report for report in reports(life))
    return ends(life, "FROZEN", keys={current})


def frozen_past_the_limit(**how):
    """No key grows old in silence in a freeze window either."""
    window = FreezeWindow(starts=FIRST_DAY + timedelta(days=5), ends=FIRST_DAY + timedelta(days=40))
    life = begun(replace(SETTINGS, freeze=(window,)), days=9.75, **how)
    heard = reports(life)
    assert "older than the limit" in heard[-1]
    life.days(2.25)
    assert len(reports(life)) > len(heard)
    return ends(life, "FROZEN", keys={life.consumer.key})


def unreadable_value(**how):
    """A value that is not ours to read stops everything."""
    life = begun(**how)
    secret = life.account.secrets[life.name]
    secret.versions["by-hand"] = Content.UNREADABLE
    secret.labels[Label.CURRENT] = "by-hand"
    life.consumer.read_at = life.clock.now() + timedelta(days=90)
    life.invariants.accept()
    return ends(life.days(8), "BLOCKED", keys={life.consumer.key})


def current_key_deactivated_by_hand(**how):
    """Somebody deactivated the current key; that is not for us to undo."""
    life = begun(**how)
    stored = life.account.users[life.name]
    stored.keys = {key_id: replace(key, active=False) for key_id, key in stored.keys.items()}
    life.consumer.key, life.consumer.read_at = None, life.clock.now() + timedelta(days=90)
    life.invariants.accept()
    return ends(life.days(8), "BLOCKED", keys=set(stored.keys))


def inactive_current_key_on_demand(**how):
    """An operator who asks for a rotation gets another key in place of one that somebody deactivated."""
    life = begun(**how)
    gone = life.account.current_key(life.name)
    life.invariants.taken.add(gone)
    by_hand(life, gone, active=False)
    life.demand_rotation()
    life.days(0.5)
    assert life.account.current_key(life.name) != gone
    assert is_active(life, life.account.current_key(life.name))
    return life


def current_key_deleted_by_hand(**how):
    """A key that consumers read and that is gone is replaced, after a second look."""
    life = begun(**how)
    gone = life.account.current_key(life.name)
    life.account.users[life.name].keys.clear()
    life.invariants.accept()
    life.invariants.taken.add(gone)
    life.demand = None
    life.days(5)
    return ends(life, "STEADY", keys={life.account.current_key(life.name)})


def secret_names_a_strangers_key(**how):
    """A value with a key that the user never had."""
    life = begun(**how)
    life.account.put_value(life.name, "AKIASOMEBODYELSE0000")
    life.consumer.read_at = life.clock.now() + timedelta(days=90)
    life.invariants.accept()
    return ends(life.days(8), "BLOCKED", keys={life.consumer.key})


def stored_key_that_is_gone(**how):
    """A stored key that somebody deleted never becomes current, and does not block the next rotation."""
    life = begun(days=1, **how)
    secret = life.account.secrets[life.name]
    secret.versions["stored"] = life.account._credential(life.name, "AKIADELETEDBYHAND000")
    secret.labels[Label.PENDING] = "stored"
    return ends(life.days(11), "STEADY")


def rotate_secret(**how):
    """An empty version that Secrets Manager made is filled and becomes current."""
    life = begun(**how)
    life.account.begin_rotation(life.name, "token-of-secrets-manager")
    life.run()
    life.days(1)
    assert life.account.secrets[life.name].labels[Label.CURRENT] == "token-of-secrets-manager"
    return life


def registration_under_test(**how):
    """Secrets Manager tests a new registration with an empty version, which asks for no key."""
    life = begun(**how)
    life.account.secrets[life.name].rotation = None
    life.run()
    before, registered_at = life.key_ids(), life.records.find(life.name).registered_at
    life.account.begin_rotation(life.name, "test-of-secrets-manager")
    life.run()
    # A run that was stopped before it recorded its registration does not know of the test.
    is_tested = life.clock.now() < registered_at + timedelta(minutes=1)
    assert not is_tested or life.key_ids() == before
    return life


def four_steps(**how):
    """Secrets Manager's four steps, one after another in one execution environment."""
    life = begun(**how)
    life.rotate_secret("token-of-secrets-manager", environments=1)
    assert life.account.secrets[life.name].labels[Label.CURRENT] == "token-of-secrets-manager"
    return ends(life.days(5), "STEADY")


def four_steps_in_three_environments(**how):
    """The same, where no step meets the environment of the one before."""
    life = begun(**how)
    life.rotate_secret("token-of-secrets-manager", environments=3)
    assert life.account.secrets[life.name].labels[Label.CURRENT] == "token-of-secrets-manager"
    return ends(life.days(5), "STEADY")


def schedule_of_secrets_manager(**how):
    """Its schedule knows nothing of the planner's rotations: a young key is kept, and the rotation counts as done."""
    life = begun(days=10.5, **how)
    kept = life.key_ids()
    due_by_schedule(life, "token-of-the-schedule")
    assert life.account.secrets[life.name].labels[Label.CURRENT] == "token-of-the-schedule"
    assert life.key_ids() <= kept
    return life


def schedule_before_adoption(**how):
    """A rotation that changes nothing is no use of the new key, so that the old one stays."""
    life = begun(days=6, **how)
    life.consumer.key, life.consumer.read_at = None, life.clock.now() + timedelta(days=90)
    life.days(1)
    due_by_schedule(life, "token-of-the-schedule")
    life.days(4)
    assert len(life.key_ids()) == 2
    return ends(life, "DRAINING")


def planner_that_died(**how):
    """Secrets Manager's schedule alone replaces a key that is too old."""
    life = begun(**how)
    old = life.account.current_key(life.name)
    life.clock.advance(days=7)
    due_by_schedule(life, "token-of-the-schedule")
    assert life.account.secrets[life.name].labels[Label.CURRENT] == "token-of-the-schedule"
    assert life.account.current_key(life.name) != old
    return ends(life, "DRAINING")


def due_by_schedule(life, token):
    """The date comes that Secrets Manager has set itself."""
    life.account.secrets[life.name].rotates_by = life.clock.now()
    life.rotate_secret(token, environments=3)
    life.run()


def rotation_on_demand(**how):
    """An operator asks for a rotation before its time, and gets exactly one."""
    life = begun(**how)
    asked = life.account.current_key(life.name)
    life.demand_rotation().days(1)
    first = life.account.current_key(life.name)
    life.demand_rotation(key_id=asked)
    assert first != asked
    assert life.account.current_key(life.name) == first
    return life


def restriction_lifted_by_another_writer(**how):
    """The live policy counts: what another writer makes of it is reported, and mended."""
    life = begun(replace(SETTINGS, secret_readers=(DEPLOY,)), **how)
    secret = life.account.secrets[life.name]
    wanted = secret.readers
    for readers, other, change, added in (
        ((), "", "removed", []),
        ((), "a statement", "replaced", []),
        (
            (*wanted, "arn:aws:iam::123456789012:role/thief"),
            "",
            "readers-added",
            ["arn:aws:iam::123456789012:role/thief"],
        ),
    ):
        secret.readers, secret.other_policy = readers, other
        life.run()
        assert (secret.readers, secret.other_policy) == (wanted, "")
        reported = [(event.change, event.added) for event in life.publisher.of(SecretReadersChanged)]
        if not how:  # a run that dies between the change and its event publishes none
            assert (change, added) in reported
    return ends(life, "STEADY")


def readers_added(**how):
    """The secret's readers follow the settings."""
    life = begun(replace(SETTINGS, secret_readers=(DEPLOY,)), **how)
    life.account.secrets[life.name].readers = ()
    life.records.records[life.name] = replace(life.records.records[life.name], readers="")
    life.days(5)
    itself = life.account.users[life.name].user.arn
    assert life.account.secrets[life.name].readers == tuple(sorted((DEPLOY, itself, *OUR_ROLES)))
    return life


def table_lost(**how):
    """Without its memory the steward waits longer, and takes nothing away that it does not know."""
    life = begun(days=7, **how)
    keys = life.key_ids()
    life.records.lose()
    life.days(1.5)
    assert keys <= life.key_ids()
    assert all(key.active for key in life.account.users[life.name].keys.values())
    return life.days(4)


SCENARIOS = (
    whole_life, consumer_that_slept, consumer_that_never_moves, nobody_uses_the_new_key,
    limit_that_deactivates, limit_that_deactivates_after_the_drain, replica_that_lags,
    freeze_window_on_rotation, freeze_window_on_drain, freeze_window_on_quarantine, freeze_window_on_pending,
    exempt_user, exempt_user_that_drains, exempt_user_without_a_key,
    leaked_key, leaked_key_with_full_slots, leaked_key_that_makes_room_on_request,
    leaked_key_whose_predecessor_is_in_no_version, leaked_key_with_full_slots_and_settings_for_room,
    leaked_key_of_an_account_that_cannot_be_read, leaked_key_of_a_user_in_quarantine_by_aws,
    leaked_key_of_a_user_in_quarantine_by_aws_in_four_steps, leaked_key_that_is_inactive,
    leaked_current_key_that_is_inactive, leaked_key_that_drains, leaked_key_in_a_freeze,
    leaked_drainer_beside_a_foreign_key, leaked_key_beside_a_foreign_key, leaked_foreign_key,
    leaked_key_of_a_deleted_secret, leaked_key_with_unfit_tags, leaked_key_before_its_replica,
    leaked_key_while_the_secret_changes, leak_without_a_key_id,
    leak_of_a_key_that_is_inactive, leaked_key_of_a_user_that_is_not_enrolled, leaked_key_that_is_pending,
    key_brought_back_by_hand, draining_key_deactivated_and_brought_back_by_hand,
    key_brought_back_while_blocked_and_deactivated_again, key_brought_back_by_an_operator,
    foreign_second_key, three_keys, key_of_a_person, lost_key, lost_key_in_use,
    user_recreated, user_renamed, user_moved, user_deleted, user_and_secret_deleted, user_elsewhere,
    user_not_enrolled_any_more, administrator_moved_and_tagged, stack_deployed_again, secret_deleted,
    secret_of_another_stack, frozen_by_an_operator, current_key_deactivated_in_a_freeze,
    frozen_past_the_limit, unreadable_value,
    current_key_deactivated_by_hand, inactive_current_key_on_demand,
    current_key_deleted_by_hand, secret_names_a_strangers_key, stored_key_that_is_gone, rotate_secret,
    registration_under_test, four_steps, four_steps_in_three_environments, schedule_of_secrets_manager,
    schedule_before_adoption, planner_that_died, rotation_on_demand, restriction_lifted_by_another_writer,
    readers_added, table_lost,
    *scenarios_of_enrolment.SCENARIOS, *scenarios_of_sync.SCENARIOS,
)  # fmt: skip
