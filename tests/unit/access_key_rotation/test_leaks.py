"""Leaks on a bad day: the user is untagged, another run has the lock, a call fails, a message comes late."""

from dataclasses import replace
from datetime import timedelta

import pytest

from access_key_rotation.application.ports import BusyError
from access_key_rotation.application.rotate_user import LOCK_TRIED_EVERY
from access_key_rotation.domain.events import AccessKeyDeactivated, AccessKeyRotated, AccessKeyRotationFailed
from access_key_rotation.domain.rules.situation import Demand, Reason
from steward.errors import UpstreamError
from tests.unit.access_key_rotation.lives import Fault, Life
from tests.unit.access_key_rotation.scenarios import begun, by_hand, foreign, is_active, leak, reports


def tag(life, tags):
    """Somebody changes the tags of the user."""
    stored = life.account.users[life.name]
    stored.user = replace(stored.user, tags=tags)


def move(life, path):
    """Somebody changes the path of the user."""
    stored = life.account.users[life.name]
    stored.user = replace(stored.user, path=path, arn=stored.user.arn.replace(stored.user.path, path))


def test_a_leaked_key_dies_without_the_tag_and_gets_its_successor_when_the_user_has_it_again():
    """Whoever may tag cannot keep a leaked key alive."""
    life = begun()
    tag(life, {})
    life.run()
    leaked = leak(life)
    assert not is_active(life, leaked)
    assert life.account.current_key(life.name) == leaked

    tag(life, {"steward:rotate": "true"})
    life.days(0.5)

    assert not is_active(life, leaked)
    assert life.account.current_key(life.name) != leaked


def test_the_answer_to_a_leak_names_the_tag_that_the_user_lacks():
    life = begun()
    tag(life, {})

    asked = life.operation.request_rotation(life.name, Reason.COMPROMISED, None, "c", "r", dry_run=True)

    assert asked.waits_for == ("the tag steward:rotate=true, which the user lacks: until then it gets no new key",)


def test_a_leaked_key_of_a_user_outside_of_the_path_is_not_touched_and_is_published():
    life = begun()
    move(life, "/people/")
    life.run()

    leaked = leak(life)

    assert is_active(life, leaked)
    command = f"aws iam update-access-key --user-name {life.name} --access-key-id {leaked} --status Inactive"
    assert any(f"the key {leaked} has leaked and is still active" in said and command in said for said in reports(life))


def test_a_leaked_key_of_a_user_that_was_recreated_dies():
    life = begun()
    life.account.recreate_user(life.name)
    life.invariants.accept()
    key = life.account.make_key(life.name).id
    life.clock.advance(minutes=2)
    life.invariants.accept()
    life.invariants.leaked.add(key)
    life.demand = Demand(key, Reason.COMPROMISED)

    life.run()

    assert not is_active(life, key)


def test_a_leak_of_an_inactive_key_is_remembered_when_the_user_is_not_enrolled_any_more():
    """It is the only key of the user that the steward knows; a person who reactivates it does so for an hour."""
    life = begun()
    leaked = leak(life)
    life.run()
    tag(life, {})
    life.account.secrets[life.name].owner = "another-stack"
    life.run()
    assert life.records.find(life.name).state == "RELEASED"

    by_hand(life, leaked, active=True)
    next_at = life.records.find(life.name).next_at
    life.run()

    assert next_at <= life.clock.now() + timedelta(hours=1)
    assert not is_active(life, leaked)


def test_a_leaked_key_does_not_wait_for_the_lock_of_a_run_that_died():
    life = begun(days=3)
    leaked = life.account.current_key(life.name)
    life.invariants.leaked.add(leaked)
    life.records.report_leak(life.name, leaked)
    life.records.claim(life.name, "a run that died", timedelta(minutes=6))

    with pytest.raises(BusyError):
        life.rotator.advance(life.name, "c", Demand(leaked, Reason.COMPROMISED))

    life.clock.advance(minutes=7)
    life.run()
    assert leaked in {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
    assert life.records.find(life.name).history(leaked).deactivated_at
    assert life.account.current_key(life.name) != leaked
    tries = life.stage.calls[: life.stage.calls.index("deactivate_key")].count("claim")
    assert not is_active(life, leaked)
    assert tries * LOCK_TRIED_EVERY <= 30


def test_a_forged_leak_takes_no_key_away_while_another_run_has_the_lock():
    life = begun(days=3)
    key = life.account.current_key(life.name)
    life.records.claim(life.name, "a run that died", timedelta(minutes=6))

    with pytest.raises(BusyError):
        life.rotator.advance(life.name, "c", Demand(key, Reason.COMPROMISED))

    assert is_active(life, key)


def test_a_user_that_aws_quarantines_before_any_report_gets_its_key_and_the_quarantine_is_named():
    life = Life()
    life.account.add_user(life.name)
    life.account.aws_quarantines.add(life.name)

    life.run()

    assert life.account.current_key(life.name)
    assert "AWS quarantines the user by AWSCompromisedKeyQuarantineV3" in life.records.find(life.name).notice.text
    assert [event.waived for event in life.publisher.of(AccessKeyRotated)] == [["ECR login"]]


def test_a_leak_that_only_a_message_reports_takes_no_key_away_and_is_published():
    """A sender that the queue admits: no report of it is stored."""
    life = begun()
    key = life.account.current_key(life.name)

    life.rotator.advance(life.name, "c", Demand(key, Reason.COMPROMISED))

    assert is_active(life, key)
    assert life.account.current_key(life.name) == key
    (said,) = reports(life)
    assert said.startswith(f"a message says that {key} has leaked, and no report of it is stored")
    assert life.records.find(life.name).notice.text == said


def test_a_leak_on_record_needs_no_report_again():
    life = begun()
    leaked = leak(life)
    life.run()

    life.rotator.advance(life.name, "c", Demand(leaked, Reason.COMPROMISED))

    assert all("no report of it is stored" not in said for said in reports(life))


def answered_while(life, call):
    """A leak of the current key is reported while a call to AWS fails; the leaked key."""
    leaked = life.account.current_key(life.name)
    life.invariants.leaked.add(leaked)
    life.records.report_leak(life.name, leaked)
    number = len(life.stage.calls)
    life.stage.fault = Fault(number + call, "fails before")
    with pytest.raises(UpstreamError):
        life.rotator.advance(life.name, "c", Demand(leaked, Reason.COMPROMISED))
    return leaked


@pytest.mark.parametrize("call", [1, 2], ids=["GetUser", "ListAccessKeys"])
def test_a_leaked_key_is_deactivated_although_the_keys_of_its_user_cannot_be_listed(call):
    life = begun()

    leaked = answered_while(life, call)
    assert not is_active(life, leaked)

    life.demand = Demand(leaked, Reason.COMPROMISED)
    life.run()
    assert leaked in {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
    assert life.account.current_key(life.name) != leaked


def test_a_leak_that_cannot_be_answered_is_published_with_its_key_and_the_reason():
    life = begun()

    leaked = answered_while(life, 0)

    assert life.stage.calls[-2:] == ["deactivate_key", "publish"]
    (failed,) = life.publisher.of(AccessKeyRotationFailed)
    assert failed.reason == f"the key {leaked} is reported as leaked and is not active any more: claim failed"
    assert not is_active(life, leaked)


def test_a_leak_is_published_with_its_key_if_no_report_of_it_is_stored():
    life = begun()
    key = life.account.current_key(life.name)
    life.stage.fault = Fault(len(life.stage.calls), "fails before")

    with pytest.raises(UpstreamError):
        life.rotator.advance(life.name, "c", Demand(key, Reason.COMPROMISED))

    (failed,) = life.publisher.of(AccessKeyRotationFailed)
    assert failed.reason.startswith(f"the key {key} is reported as leaked and may still be active: claim failed")
    assert failed.reason.endswith("cannot be deactivated without the lock: no report of it is stored")
    assert is_active(life, key)


CALLS_WITHOUT_LOCK = ("has_leaked", "keys", "stop", "deactivate_key")


@pytest.mark.parametrize("call", CALLS_WITHOUT_LOCK)
def test_a_leaked_key_that_cannot_be_deactivated_without_the_lock_is_published_with_the_reason(call):
    """Nothing else would show that a right is missing which only this way needs."""
    life = begun()
    leaked = life.account.current_key(life.name)
    life.records.report_leak(life.name, leaked)
    claim = len(life.stage.calls)

    def fail_once_more():
        life.stage.fault = Fault(claim + 1 + CALLS_WITHOUT_LOCK.index(call), "fails before")

    life.stage.fault, life.stage.meanwhile = Fault(claim, "fails before"), fail_once_more
    with pytest.raises(UpstreamError):
        life.rotator.advance(life.name, "c", Demand(leaked, Reason.COMPROMISED))

    (failed,) = life.publisher.of(AccessKeyRotationFailed)
    assert failed.reason.endswith(f"claim failed; it cannot be deactivated without the lock: {call} failed")


def test_a_leak_without_a_key_that_cannot_be_answered_is_published_with_the_reason():
    life = begun()
    life.records.report_leak(life.name, "")
    life.stage.fault = Fault(len(life.stage.calls), "fails before")

    with pytest.raises(UpstreamError):
        life.rotator.advance(life.name, "c", Demand("", Reason.COMPROMISED))

    (failed,) = life.publisher.of(AccessKeyRotationFailed)
    assert failed.reason.startswith("the key that consumers read is reported as leaked and may still be active: ")
    assert failed.reason.endswith("without the lock: the report does not name it")


def test_a_leak_that_another_run_holds_up_is_published():
    life = begun()
    leaked = life.account.current_key(life.name)
    life.invariants.leaked.add(leaked)
    life.records.report_leak(life.name, leaked)
    life.records.claim(life.name, "a run that died", timedelta(minutes=6))

    with pytest.raises(BusyError):
        life.rotator.advance(life.name, "c", Demand(leaked, Reason.COMPROMISED))

    (failed,) = life.publisher.of(AccessKeyRotationFailed)
    assert f"the key {leaked} is reported as leaked and is not active any more: another run works on" in failed.reason


def test_a_leak_waits_for_the_lock_of_another_run():
    life = begun()
    leaked = life.account.current_key(life.name)
    life.invariants.leaked.add(leaked)
    life.records.report_leak(life.name, leaked)
    life.records.claim(life.name, "another run", timedelta(seconds=50))

    life.rotator.advance(life.name, "c", Demand(leaked, Reason.COMPROMISED))

    assert not is_active(life, leaked)


def test_a_leaked_key_that_a_person_reactivates_is_dead_again_within_the_hour():
    life = begun(days=9.25)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    life.invariants.leaked.add(old)
    life.demand = Demand(old, Reason.COMPROMISED)
    life.run()
    life.demand = None

    by_hand(life, old, active=True)
    next_at = life.records.find(life.name).next_at
    life.run()

    assert next_at <= life.clock.now() + timedelta(hours=1)
    assert not is_active(life, old)


def test_a_leak_without_a_key_that_another_run_overtook_is_reported():
    life = begun(days=7)

    life.rotator.advance(life.name, "c", Demand("", Reason.COMPROMISED, "r"))

    assert any("report it again with key_id" in reason for reason in reports(life))


def test_a_leaked_key_that_cannot_be_deactivated_keeps_no_other_one_alive():
    life = begun(days=7)
    current = life.account.current_key(life.name)
    (old,) = life.key_ids() - {current}
    for key_id in (old, current):
        record = life.records.find(life.name)
        life.records.records[life.name] = record.noting(key_id, replace(record.history(key_id), compromised=True))
    life.invariants.leaked |= {old, current}

    life.account.stuck.add(old)
    life._run(life.rotator)

    assert is_active(life, old)
    assert not is_active(life, current)


@pytest.mark.parametrize("is_current_first", [True, False])
def test_of_two_leaked_keys_neither_works_and_consumers_get_a_third(is_current_first):
    life = begun(days=7)
    current = life.account.current_key(life.name)
    (old,) = life.key_ids() - {current}

    for key_id in (current, old) if is_current_first else (old, current):
        leak(life, key_id)
    life.run()

    third = life.account.current_key(life.name)
    assert third not in {current, old}
    assert [key.id for key in life.account.users[life.name].keys.values() if key.active] == [third]


def test_an_active_leaked_key_is_reported_after_its_secret_was_scheduled_for_deletion():
    life = begun()
    leaked = life.account.current_key(life.name)
    life.account.secrets[life.name].deleted = True
    move(life, "/people/")
    leak(life, leaked)

    life.days(2)

    assert is_active(life, leaked)
    assert f"the key {leaked} has leaked and is still active" in life.records.find(life.name).notice.text


def test_a_blocked_user_is_due_at_the_next_run_of_the_planner():
    life = begun()
    foreign(life)
    life.clock.advance(minutes=1)

    life.run()

    assert life.outcome.state == "BLOCKED"
    assert life.records.find(life.name).next_at < life.clock.now() + timedelta(hours=1)


def test_a_leaked_key_that_a_person_deactivated_before_the_report_gives_way_to_the_older_key():
    life = begun(days=7)
    leaked = life.account.current_key(life.name)
    (old,) = life.key_ids() - {leaked}
    by_hand(life, leaked, active=False)
    life.invariants.taken.add(leaked)

    leak(life, leaked)

    assert life.account.current_key(life.name) == old
    assert life.records.find(life.name).history(leaked).compromised
