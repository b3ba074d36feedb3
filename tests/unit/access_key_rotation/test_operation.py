"""What operators may do, and what not even they may."""

import pytest

from access_key_rotation.domain.events import AccessKeyReactivated, AccessKeyRotationDue
from access_key_rotation.domain.naming import UserName
from access_key_rotation.domain.situation import Reason
from steward.errors import ConflictError, NotAllowedError, NotFoundError
from tests.unit.access_key_rotation.scenarios import begun, leak

CALLER = "123456789012:role/operator"


def test_a_rotation_is_asked_for_by_the_id_of_the_current_key():
    life = begun()

    life.operation.request_rotation(life.name, Reason.ROUTINE, None, CALLER, "r", dry_run=False)

    (due,) = life.publisher.of(AccessKeyRotationDue)
    assert (due.key_id, due.reason) == (life.account.current_key(life.name), "routine")


def test_a_current_key_that_somebody_deleted_is_replaced_when_asked_for():
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


def test_nobody_rotates_a_key_that_the_user_does_not_have():
    life = begun()

    with pytest.raises(NotFoundError, match="AKIASOMEBODYELSE0000"):
        life.operation.request_rotation(
            life.name, Reason.COMPROMISED, "AKIASOMEBODYELSE0000", CALLER, "r", dry_run=False
        )


def test_a_user_that_was_never_seen_is_not_found():
    with pytest.raises(NotFoundError, match="stranger"):
        begun().operation.show(UserName("stranger"))


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
