"""The settings of a secret are put where they are missing, once, and what they leave somebody without is told."""

from dataclasses import replace

from access_key_rotation.domain.events import SecretReaderMissing, SecretReadersChanged
from access_key_rotation.domain.state import Label
from tests.doubles.in_memory_service_account import OUR_ROLES
from tests.unit.access_key_rotation.lives import FUNCTION, SETTINGS
from tests.unit.access_key_rotation.scenarios import begun, leak

BREAK_GLASS = "arn:aws:iam::123456789012:role/break-glass"
ITSELF = "arn:aws:iam::123456789012:user/service/ecr-push"
DEPLOY = "arn:aws:iam::123456789012:role/deploy"


def told_of_readers(*readers):
    life = begun(replace(SETTINGS, secret_readers=readers))
    return [event.user_name for event in life.publisher.of(SecretReaderMissing)]


def calls(life, name):
    return life.stage.calls.count(name)


def test_a_secret_that_only_its_user_reads_is_reported_once():
    assert told_of_readers(ITSELF) == ["ecr-push"]


def test_another_reader_is_enough():
    assert told_of_readers(ITSELF, DEPLOY) == []


def test_a_secret_without_readers_in_the_settings_is_not_reported():
    assert told_of_readers() == []


def test_a_secret_is_restricted_before_it_holds_a_key():
    life = begun(replace(SETTINGS, secret_readers=(DEPLOY,)))

    assert life.stage.calls.index("restrict_readers") < life.stage.calls.index("create_key")


def test_a_secret_is_registered_once():
    life = begun(days=5)

    assert calls(life, "register") == 1


def test_a_registration_that_was_missed_or_taken_away_is_made_again():
    life = begun()
    life.account.secrets[life.name].rotation = None

    life.run()

    assert life.account.secrets[life.name].rotation == (FUNCTION, 9)


def test_the_test_of_a_registration_is_no_request_for_a_key():
    """Secrets Manager tries a new registration with an empty version, which it removes some seconds later."""
    life = registered_just_now()
    before = life.key_ids()
    life.account.begin_rotation(life.name, "test of the registration")

    life.run()

    assert (life.outcome.state, life.key_ids()) == ("CREATING", before)


def test_an_empty_version_that_stays_is_a_request():
    life = registered_just_now()
    life.account.begin_rotation(life.name, "a rotation")
    life.run()

    life.clock.advance(minutes=1)
    life.run()

    assert life.account.secrets[life.name].labels[Label.CURRENT] == "a rotation"


def test_a_rotation_that_is_requested_at_once_after_a_registration_is_done():
    life = registered_just_now()

    life.rotate_secret("a rotation", environments=1)

    assert life.account.secrets[life.name].labels[Label.CURRENT] == "a rotation"


def test_a_requested_rotation_does_not_wait_for_the_test_of_a_registration():
    life = registered_just_now()
    before = life.account.current_key(life.name)
    life.account.begin_rotation(life.name, "test of the registration")

    life.demand_rotation()

    assert len(life.key_ids()) == 2
    assert life.account.current_key(life.name) != before


def test_a_leak_does_not_wait_for_the_test_of_a_registration():
    life = registered_just_now()
    life.account.begin_rotation(life.name, "test of the registration")

    leaked = leak(life)

    assert leaked not in [key_id for key_id, key in life.account.users[life.name].keys.items() if key.active]
    assert life.account.current_key(life.name) != leaked


def registered_just_now():
    life = begun()
    life.account.secrets[life.name].rotation = None
    life.run()
    return life


def test_another_greatest_age_is_registered():
    life = begun()
    stored = life.account.users[life.name]
    tighter = {"steward:rotate": "true", "steward:max-age-days": "8", "steward:rotate-after-days": "4"}
    stored.user = replace(stored.user, tags=tighter)

    life.run()

    assert life.account.secrets[life.name].rotation == (FUNCTION, 8)


def test_a_region_that_is_added_to_the_settings_gets_its_replica_and_none_is_taken_away():
    life = begun(replace(SETTINGS, replica_regions=("away",)))
    life.account.secrets[life.name].replicas = {"elsewhere": True}

    life.days(5)

    assert life.account.secrets[life.name].replicas == {"elsewhere": True, "away": False}
    assert calls(life, "replicate") == 2


def test_a_policy_of_others_stays_where_iam_alone_decides():
    life = begun()
    life.account.secrets[life.name].other_policy = "a statement for another account"
    life.records.lose()

    life.run()

    assert life.account.secrets[life.name].other_policy == "a statement for another account"
    assert calls(life, "restrict_readers") == 0


def test_a_restriction_that_the_settings_drop_is_lifted_without_a_report():
    life = begun(replace(SETTINGS, secret_readers=(DEPLOY,)))
    life.change_settings(SETTINGS)

    life.run()

    assert life.account.secrets[life.name].readers == ()
    assert life.publisher.of(SecretReadersChanged) == []


def test_only_the_steward_and_the_policy_editors_may_change_a_restriction():
    life = begun(replace(SETTINGS, secret_readers=(DEPLOY,), policy_editors=(BREAK_GLASS,)))

    assert set(life.account.secrets[life.name].editors) == {BREAK_GLASS, *OUR_ROLES}


def test_the_live_policy_is_read_only_where_a_restriction_is_wanted():
    life = begun()
    before = calls(life, "restriction")

    life.run()

    assert calls(life, "restriction") == before
