"""What operators may do, and what not even they may."""

from dataclasses import replace
from datetime import date

import pytest

from access_key_rotation.domain.events import (
    AccessKeyReactivated,
    AccessKeyRotationBlocked,
    AccessKeyRotationDue,
    AccessKeyRotationWithdrawn,
)
from access_key_rotation.domain.leak_response import Removal
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Demand, Reason
from access_key_rotation.domain.settings import Exemption, FreezeWindow, LeakWithoutSlot
from access_key_rotation.domain.state import Label
from steward.errors import ConflictError, NotAllowedError, NotFoundError
from tests.unit.access_key_rotation.lives import SETTINGS
from tests.unit.access_key_rotation.scenarios import begun, foreign, leak

CALLER = "123456789012:role/operator"


def asked_of(life, *, reason=Reason.ROUTINE, key_id=None, settings=None, dry_run=True):
    if settings:
        life.change_settings(settings)
    return life.operation.request_rotation(life.name, reason, key_id, CALLER, "r", dry_run=dry_run)


def test_a_rotation_is_asked_for_by_the_id_of_the_current_key():
    life = begun()

    life.operation.request_rotation(life.name, Reason.ROUTINE, None, CALLER, "r", dry_run=False)

    (due,) = life.publisher.of(AccessKeyRotationDue)
    assert (due.key_id, due.reason) == (life.account.current_key(life.name), "routine")


def test_a_current_key_that_was_deleted_by_hand_is_replaced_on_request():
    life = begun()
    gone = life.account.current_key(life.name)
    life.account.users[life.name].keys.clear()
    life.invariants.accept()
    life.invariants.taken.add(gone)

    asked = life.operation.request_rotation(life.name, Reason.ROUTINE, None, CALLER, "r", dry_run=False)
    life.demand_rotation(key_id=asked.key_id)
    life.run()

    assert life.account.current_key(life.name) not in {gone, None}


def test_a_dry_run_asks_for_nothing():
    life = begun()

    asked = life.operation.request_rotation(life.name, Reason.ROUTINE, None, CALLER, "r", dry_run=True)

    assert asked.dry_run
    assert life.publisher.of(AccessKeyRotationDue) == []


def test_nothing_stands_in_the_way_of_a_user_that_is_steady():
    asked = asked_of(begun())

    assert (asked.waits_for, asked.freeze_reason) == ((), "")


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_routine_rotation_of_a_key_that_is_not_current_is_refused_with_the_one_that_is(dry_run):
    life = begun(days=7)
    current = life.account.current_key(life.name)
    (old,) = life.key_ids() - {current}

    with pytest.raises(ConflictError, match=f"{old} is not the current key .* that is {current}"):
        asked_of(life, key_id=old, dry_run=dry_run)
    assert life.publisher.of(AccessKeyRotationDue) == []


def exempt(life):
    exemption = Exemption(user=life.name, reason="old appliance", until=date(2027, 1, 31))
    return replace(life.settings, exempt=(exemption,))


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_routine_rotation_of_an_exempt_user_is_refused_with_the_reason(dry_run):
    life = begun()

    with pytest.raises(ConflictError, match=r"exempt until 2027-02-01 \(old appliance\)"):
        asked_of(life, settings=exempt(life), dry_run=dry_run)
    assert life.publisher.of(AccessKeyRotationDue) == []


def test_a_leak_of_an_exempt_user_is_answered():
    life = begun()

    assert asked_of(life, reason=Reason.COMPROMISED, settings=exempt(life)).waits_for == ()


def test_a_rotation_waits_for_the_end_of_a_freeze_window():
    life = begun()
    today = life.clock.now().date()
    frozen = replace(life.settings, freeze=(FreezeWindow(starts=today, ends=today),))

    assert asked_of(life, settings=frozen).waits_for == ("the end of the freeze window, 2026-05-07T00:00:00+00:00",)


def test_a_rotation_waits_for_a_free_slot():
    life = begun(days=7)

    (obstacle,) = asked_of(life).waits_for

    assert all(key_id in obstacle for key_id in life.key_ids())


@pytest.mark.parametrize("reason", list(Reason))
def test_a_rotation_waits_for_what_blocks_the_user(reason):
    life = begun()
    key = foreign(life)
    life.clock.advance(minutes=1)
    life.run()

    assert any(f"the key {key.id} is active" in obstacle for obstacle in asked_of(life, reason=reason).waits_for)


def test_a_rotation_waits_for_the_tags_of_the_user():
    life = begun()
    stored = life.account.users[life.name]
    stored.user = replace(stored.user, tags={})
    untagged = asked_of(life).waits_for
    stored.user = replace(stored.user, tags={"steward:rotate": "true", "steward:max-age-days": "soon"})

    assert untagged == ("the tag steward:rotate=true, which the user lacks",)
    assert "tags of user ecr-push make no policy" in asked_of(life).waits_for[0]


def test_a_dry_run_says_which_freeze_the_rotation_ends_and_leaves_it():
    life = begun()
    life.records.records[life.name] = replace(life.records.records[life.name], frozen="a consumer broke")

    assert asked_of(life).freeze_reason == "a consumer broke"
    assert life.records.records[life.name].frozen == "a consumer broke"
    assert asked_of(life, reason=Reason.COMPROMISED).freeze_reason == ""


def test_a_rotation_of_a_key_that_the_user_does_not_have_is_refused():
    life = begun()

    with pytest.raises(NotFoundError, match="AKIASOMEBODYELSE0000"):
        life.operation.request_rotation(
            life.name, Reason.COMPROMISED, "AKIASOMEBODYELSE0000", CALLER, "r", dry_run=False
        )


def unseen():
    """A user with a key in use, and a table that is lost."""
    life = begun()
    life.records.lose()
    return life


def test_a_user_that_iam_does_not_know_is_not_found():
    with pytest.raises(NotFoundError, match="stranger"):
        begun().operation.show(UserName("stranger"))


def test_a_user_outside_of_the_service_path_is_not_found():
    life = begun()
    life.account.add_user("dana", path="/people/")

    with pytest.raises(NotFoundError, match="dana"):
        life.operation.show(UserName("dana"))


def test_a_user_that_no_run_has_seen_is_shown_with_the_keys_that_iam_lists():
    life = unseen()

    shown, uses, sync = life.operation.show(life.name)

    assert shown.record.keys.keys() == shown.record.created.keys() == life.key_ids()
    assert uses == {}
    assert sync.targets == ()


def test_a_leak_of_a_user_that_no_run_has_seen_is_accepted_at_once_and_answered():
    life = unseen()
    leaked = life.account.current_key(life.name)

    asked = asked_of(life, reason=Reason.COMPROMISED, key_id=leaked, dry_run=False)
    leak(life, asked.key_id)

    (due,) = life.publisher.of(AccessKeyRotationDue)
    assert (due.key_id, due.reason) == (leaked, "compromised")
    assert not life.account.users[life.name].keys[leaked].active


@pytest.mark.parametrize("reason", list(Reason))
def test_a_rotation_of_a_user_that_no_run_has_seen_is_of_the_key_that_the_secret_names(reason):
    life = begun(days=7)
    life.records.lose()
    current = life.account.current_key(life.name)
    (old,) = life.key_ids() - {current}
    life.invariants.leaked |= {current} if reason is Reason.COMPROMISED else set()

    asked = asked_of(life, reason=reason, dry_run=False)
    demand = Demand(asked.key_id, reason) if reason is Reason.COMPROMISED else life.requested(asked.key_id)
    life.rotator.advance(life.name, "c", demand)

    record = life.records.find(life.name)
    assert asked.key_id == ""
    assert old in life.key_ids()
    assert record.wanted == current or record.keys[current].compromised


@pytest.mark.parametrize("reason", list(Reason))
def test_a_request_without_a_key_that_is_delivered_twice_rotates_once(reason):
    life = unseen()
    first = life.account.current_key(life.name)
    life.invariants.leaked |= {first} if reason is Reason.COMPROMISED else set()

    life.records.report_leak(life.name, "")
    demand = Demand("", reason, id="the same") if reason is Reason.COMPROMISED else life.requested("", "the same")
    for _ in range(2):
        life.rotator.advance(life.name, "c", demand)

    assert len(life.account.made_by_us) == 2
    assert not life.records.find(life.name).keys[life.account.current_key(life.name)].compromised


def test_a_leak_without_a_key_is_reported_if_the_secret_of_the_user_names_none():
    life = unseen()
    del life.account.secrets[life.name]
    life.records.report_leak(life.name, "")

    life.rotator.advance(life.name, "c", Demand("", Reason.COMPROMISED))

    assert "report it again with key_id" in life.publisher.of(AccessKeyRotationBlocked)[-1].reason


def waiting_request(life):
    """A request that waits for a free slot."""
    current = life.account.current_key(life.name)
    life.rotator.advance(life.name, "c", life.requested(current, "asked", CALLER, "alice"))
    return current


def test_a_request_that_waits_is_on_record_with_who_asked():
    life = begun(days=7)
    current = waiting_request(life)

    record = life.records.find(life.name)

    assert (record.wanted, record.requested.by, record.requested.session) == (current, CALLER, "alice")


def test_a_withdrawn_request_rotates_nothing_even_if_its_message_comes_again():
    life = begun(days=7)
    current = waiting_request(life)

    assert life.operation.withdraw(life.name, CALLER, "w") == current
    waiting_request(life)
    life.days(5)

    assert life.records.find(life.name).wanted == ""
    assert life.account.current_key(life.name) == current


def test_a_withdrawal_is_published_with_its_caller():
    life = begun(days=7)
    current = waiting_request(life)

    life.operation.withdraw(life.name, CALLER, "w", session="alice")

    (event,) = life.publisher.of(AccessKeyRotationWithdrawn)
    assert event == AccessKeyRotationWithdrawn(life.name, current, requested_by=CALLER, session="alice")


def test_every_withdrawn_request_stays_withdrawn():
    life = begun(days=7)
    current = life.account.current_key(life.name)
    for number in ("1", "2", "3"):
        life.rotator.advance(life.name, "c", life.requested(current, number))
        life.operation.withdraw(life.name, CALLER, f"w{number}")

    for number in ("1", "2", "3"):
        life.rotator.advance(life.name, "c", Demand(current, Reason.ROUTINE, number))

    assert life.records.find(life.name).wanted == ""


def test_a_forged_demand_rotates_nothing_and_sends_no_alert():
    """A sender that the queue admits forges one; a message that is delivered after its end looks the same."""
    life = begun(days=1)
    current = life.account.current_key(life.name)

    life.rotator.advance(life.name, "c", Demand(current, Reason.ROUTINE, "forged", "arn:aws:iam::1:user/alice"))
    life.days(2)

    record = life.records.find(life.name)
    assert life.account.current_key(life.name) == current
    assert (record.wanted, record.requested) == ("", None)
    assert not life.publisher.of(AccessKeyRotationBlocked)


@pytest.mark.parametrize("changed", [{"by": "arn:aws:iam::1:user/bob"}, {"session": "bob"}, {"key_id": "AKIAOTHER"}])
def test_a_message_cannot_change_who_made_a_request_or_of_which_key(changed):
    life = begun(days=1)
    current = life.account.current_key(life.name)
    demand = life.requested(current, "asked", CALLER, "alice")

    life.rotator.advance(life.name, "c", replace(demand, **changed))

    assert life.records.find(life.name).requested is None
    assert life.account.current_key(life.name) == current


def test_a_request_through_the_api_is_what_its_message_says():
    life = begun(days=1)
    current = life.account.current_key(life.name)

    asked_of(life, dry_run=False)
    due = life.publisher.of(AccessKeyRotationDue)[-1]
    demand = Demand(due.key_id, Reason(due.reason), "r", due.requested_by, due.session)
    life.rotator.advance(life.name, "c", demand)

    assert life.account.current_key(life.name) != current


def test_there_must_be_a_request_to_withdraw():
    with pytest.raises(ConflictError, match="no requested rotation"):
        begun().operation.withdraw(UserName("ecr-push"), CALLER, "w")


def test_a_leak_is_never_withdrawn():
    life = begun()
    leak(life)

    with pytest.raises(ConflictError, match="no requested rotation"):
        life.operation.withdraw(life.name, CALLER, "w")


def test_a_check_asks_the_worker_to_look_again():
    life = begun()

    life.operation.check(life.name, CALLER, "r", session="alice")

    (due,) = life.publisher.of(AccessKeyRotationDue)
    assert (due.reason, due.key_id, due.requested_by, due.session) == ("scheduled", None, CALLER, "alice")


def full(life):
    """The current key and an older one that drains."""


def without_previous_version(life):
    del life.account.secrets[life.name].labels[Label.PREVIOUS]
    life.run()


@pytest.mark.parametrize("what_makes_room", list(LeakWithoutSlot))
@pytest.mark.parametrize("days", [2, 7, 9.25])
@pytest.mark.parametrize("before", [full, without_previous_version], ids=lambda before: before.__name__)
def test_the_answer_to_a_leak_says_what_the_response_does(days, before, what_makes_room):
    life = begun(replace(SETTINGS, leak_without_slot=what_makes_room), days=days)
    if days != 2:
        before(life)
    worked = {key.id for key in life.account.users[life.name].keys.values() if key.active}
    existed, leaked = life.key_ids(), life.account.current_key(life.name)

    asked = asked_of(life, reason=Reason.COMPROMISED)
    leak(life)
    life.run()

    keys = life.account.users[life.name].keys
    said = {removed.key_id: removed.how for removed in asked.removes}
    assert {key for key, how in said.items() if how is Removal.DELETE} == existed - keys.keys()
    assert said.keys() & worked == {key for key in worked if key not in keys or not keys[key].active}
    assert leaked in said
    assert asked.restores == (life.account.current_key(life.name) if asked.restores else "")
    assert (life.account.current_key(life.name) in existed) == bool(asked.restores)


def test_a_user_that_no_run_has_seen_has_no_key_to_bring_back():
    life = unseen()

    with pytest.raises(ConflictError, match="no run has seen the user"):
        life.operation.reactivate(life.name, CALLER, "please", "r")


def test_a_reactivated_key_works_again_and_the_user_is_left_alone():
    life = begun(days=9)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    current = life.account.current_key(life.name)

    brought_back = life.operation.reactivate(life.name, CALLER, "a consumer broke", "r")
    life.days(6)

    assert brought_back == old
    assert life.account.users[life.name].keys[old].active
    assert life.account.current_key(life.name) == current
    assert life.outcome.state == "FROZEN"
    assert len(life.publisher.of(AccessKeyReactivated)) == 1


def test_a_routine_rotation_ends_the_freeze_and_the_old_key_drains_once_more():
    life = begun(days=9)
    (old,) = life.key_ids() - {life.account.current_key(life.name)}
    life.operation.reactivate(life.name, CALLER, "a consumer broke", "r")

    life.operation.request_rotation(life.name, Reason.ROUTINE, None, CALLER, "r", dry_run=False)
    life.days(3)

    assert not life.account.users[life.name].keys[old].active


def test_a_leaked_key_is_never_brought_back():
    life = begun()
    leak(life)
    life.days(0.5)

    with pytest.raises(NotAllowedError, match="leaked"):
        life.operation.reactivate(life.name, CALLER, "please", "r")


def test_there_must_be_a_key_to_bring_back():
    life = begun()

    with pytest.raises(ConflictError, match="no key"):
        life.operation.reactivate(life.name, CALLER, "please", "r")
