"""Secrets Manager's four steps, on the rules that the schedule follows."""

from dataclasses import replace

import pytest

from access_key_rotation.application.ports import BusyError, NotAuthenticatedError, VersionTakenError
from access_key_rotation.domain.state import Content, Label
from steward.errors import ConflictError
from tests.doubles.in_memory_service_account import InMemoryUsers
from tests.unit.access_key_rotation.scenarios import begun, foreign

TOKEN = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def life():
    life = begun()
    life.account.begin_rotation(life.name, TOKEN)
    return life


@pytest.fixture
def secret_rotation(life):
    return life.secret_rotation()


def test_the_steps_in_turn_make_the_version_current(life, secret_rotation):
    before = life.account.current_key(life.name)

    secret_rotation.create_secret(life.name, TOKEN, "c")
    after_creating = life.account.current_key(life.name)
    secret_rotation.test_secret(life.name, TOKEN)
    secret_rotation.finish_secret(life.name, TOKEN, "c")

    assert after_creating == before
    assert life.account.current_key(life.name) != before
    assert life.account.secrets[life.name].labels[Label.CURRENT] == TOKEN


def test_every_step_may_come_twice(life, secret_rotation):
    secret_rotation.create_secret(life.name, TOKEN, "c")
    life.clock.advance(seconds=10)
    secret_rotation.create_secret(life.name, TOKEN, "c")
    secret_rotation.finish_secret(life.name, TOKEN, "c")
    secret_rotation.finish_secret(life.name, TOKEN, "c")

    assert len(life.key_ids()) == 2
    assert life.account.secrets[life.name].labels[Label.CURRENT] == TOKEN


def test_a_refusal_says_why_and_blocks_no_later_rotation(life, secret_rotation):
    key = foreign(life)
    life.clock.advance(minutes=1)

    with pytest.raises(ConflictError, match=key.id):
        secret_rotation.create_secret(life.name, TOKEN, "c")
    assert Label.PENDING not in life.account.secrets[life.name].labels


def test_a_frozen_user_is_refused(life, secret_rotation):
    life.records.records[life.name] = replace(life.records.records[life.name], frozen="a consumer broke")

    with pytest.raises(ConflictError, match="FROZEN"):
        secret_rotation.create_secret(life.name, TOKEN, "c")
    assert Label.PENDING not in life.account.secrets[life.name].labels


def test_a_test_of_the_configuration_uses_no_key(life, secret_rotation):
    """Its use would pass for a consumer's."""
    assert life.account.secrets[life.name].versions[TOKEN] is Content.NOTHING
    before = len(life.account.authenticated)

    secret_rotation.test_secret(life.name, TOKEN)

    assert len(life.account.authenticated) == before


def test_a_key_that_is_too_young_for_the_schedule_is_kept_and_not_tried(life, secret_rotation):
    secret, before = life.account.secrets[life.name], life.account.current_key(life.name)
    secret.rotates_by = life.clock.now()
    tried = len(life.account.authenticated)

    secret_rotation.create_secret(life.name, TOKEN, "c")
    secret_rotation.test_secret(life.name, TOKEN)
    secret_rotation.finish_secret(life.name, TOKEN, "c")

    assert secret.labels[Label.CURRENT] == TOKEN
    assert (life.account.current_key(life.name), life.key_ids()) == (before, {before})
    assert len(life.account.authenticated) == tried


def test_where_rotation_is_off_the_schedule_makes_no_key_and_blocks_no_later_rotation(life):
    """Not even one that is due: nothing would drain the key before it."""
    life.clock.advance(days=30)
    secret, before = life.account.secrets[life.name], life.key_ids()
    assert life.clock.now() > secret.rotates_by

    with pytest.raises(ConflictError, match=r"rotation is off .*cancel-rotate-secret"):
        life.secret_rotation(follows_schedule=False).create_secret(life.name, TOKEN, "c")

    assert Label.PENDING not in secret.labels
    assert life.key_ids() == before


def test_where_rotation_is_off_a_person_may_still_rotate(life):
    before, off = life.account.current_key(life.name), life.secret_rotation(follows_schedule=False)

    off.create_secret(life.name, TOKEN, "c")
    off.test_secret(life.name, TOKEN)
    off.finish_secret(life.name, TOKEN, "c")

    assert life.account.current_key(life.name) != before


def test_the_current_key_with_another_value_is_never_promoted(life, secret_rotation):
    secret, current = life.account.secrets[life.name], life.account.current_key(life.name)
    value = secret.versions[secret.labels[Label.CURRENT]]
    secret.versions[TOKEN] = replace(value, secret_access_key="mistyped")

    with pytest.raises(ConflictError, match="another value"):
        life.rotator.advance(life.name, "c")

    assert life.account.current_key(life.name) == current
    assert secret.labels[Label.CURRENT] != TOKEN


def test_a_key_that_does_not_authenticate_fails_the_test(life, secret_rotation):
    secret_rotation.create_secret(life.name, TOKEN, "c")
    key = life.account.secrets[life.name].versions[TOKEN].access_key_id
    InMemoryUsers(life.account).deactivate_key(life.name, key)
    life.invariants.accept()

    with pytest.raises(NotAuthenticatedError):
        secret_rotation.test_secret(life.name, TOKEN)


def test_the_lock_is_held_from_the_first_step_to_the_last(life, secret_rotation):
    secret_rotation.create_secret(life.name, TOKEN, "c")
    with pytest.raises(BusyError):
        life.rotator.advance(life.name, "c")
    secret_rotation.test_secret(life.name, TOKEN)
    secret_rotation.finish_secret(life.name, TOKEN, "c")

    assert life.rotator.advance(life.name, "c").state == "DRAINING"


def test_a_step_takes_over_what_another_environment_began(life, secret_rotation):
    secret_rotation.create_secret(life.name, TOKEN, "c")

    life.secret_rotation().test_secret(life.name, TOKEN)
    life.secret_rotation().finish_secret(life.name, TOKEN, "c")

    assert life.account.secrets[life.name].labels[Label.CURRENT] == TOKEN


def test_a_proof_that_is_too_old_is_given_anew(life, secret_rotation):
    secret_rotation.create_secret(life.name, TOKEN, "c")
    secret_rotation.test_secret(life.name, TOKEN)
    life.clock.advance(minutes=2)
    InMemoryUsers(life.account).deactivate_key(life.name, life.account.secrets[life.name].versions[TOKEN].access_key_id)
    life.invariants.accept()

    with pytest.raises(NotAuthenticatedError):
        secret_rotation.finish_secret(life.name, TOKEN, "c")
    assert life.account.secrets[life.name].labels[Label.CURRENT] != TOKEN


def test_a_version_that_another_writer_filled_is_left_alone(life, secret_rotation):
    """Nobody but Secrets Manager knows the version; should it be filled all the same, no key is lost or taken."""
    current = life.account.current_key(life.name)
    life.account.secrets[life.name].versions[TOKEN] = life.account._credential(life.name, "AKIASOMEBODYELSE0000")

    with pytest.raises(VersionTakenError):
        secret_rotation.create_secret(life.name, TOKEN, "c")
    life.clock.advance(minutes=1)
    life.days(3)

    assert life.account.current_key(life.name) == current
    assert life.key_ids() == {current}
