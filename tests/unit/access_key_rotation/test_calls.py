"""How many AWS calls a rotation takes."""

from dataclasses import replace

from access_key_rotation.domain.settings import Times, Verification
from tests.unit.access_key_rotation.lives import SETTINGS, Fault
from tests.unit.access_key_rotation.scenarios import begun

PROBES = {"identify", "log_in_to_ecr"}


def calls_of(life, act):
    before = len(life.stage.calls)
    act()
    return [call for call in life.stage.calls[before:] if call not in PROBES]


def test_a_rotation_by_the_queue_takes_twelve_calls_beside_the_probes():
    """``standing`` is three: GetLoginProfile, ListMFADevices, GetAccountAuthorizationDetails."""
    life = begun()
    demand = life.requested()

    calls = calls_of(life, lambda: life.rotator.advance(life.name, "c", demand))

    assert calls == [
        "claim", "find", "keys", "find", "standing", "create_key", "stage", "promote", "publish", "release"
    ]  # fmt: skip


def test_a_rotation_by_the_four_steps_takes_twelve_calls_beside_the_probes():
    """``standing`` is three calls, as above."""
    life = begun()

    calls = calls_of(life, lambda: life.rotate_secret("token", environments=1))

    assert calls == [
        "claim", "keys", "find", "standing", "create_key", "stage",
        "read",
        "promote", "publish", "release",
    ]  # fmt: skip


def test_steps_that_meet_three_environments_take_six_more():
    life = begun()

    calls = calls_of(life, lambda: life.rotate_secret("token", environments=3))

    assert calls == [
        "claim", "keys", "find", "standing", "create_key", "stage",
        "read", "find", "find", "read",
        "claim", "keys", "find", "read", "read", "promote", "publish", "release",
    ]  # fmt: skip


def test_the_sixty_days_of_a_key_take_five_looks_and_forty_two_calls():
    """Its rotation, adoption, deactivation, deletion; under the shipped times, from one rotation to the next."""
    times = Times(rotate_after_days=60, max_age_days=90, drain_days=8, adoption_timeout_days=7, keep_inactive_days=14)
    life = begun(replace(SETTINGS, times=times, verify=Verification(regions=("home",))), days=61)

    calls = calls_of(life, lambda: life.days(60))

    assert (calls.count("claim"), len(calls) + 2 * calls.count("standing")) == (5, 42)


def test_a_look_at_a_user_with_nothing_to_do_takes_five():
    life = begun(days=3)

    calls = calls_of(life, lambda: life.rotator.advance(life.name, "c"))

    assert calls == ["claim", "find", "keys", "find", "release"]


def test_a_throttled_attempt_to_make_a_key_is_repeated_since_it_made_none():
    life = begun(fault=None)
    at = len(life.stage.calls) + 5
    life.stage.fault = Fault(at, "throttled")
    demand = life.requested()

    calls = calls_of(life, lambda: life.rotator.advance(life.name, "c", demand))

    assert calls.count("create_key") == 2
    assert len(life.key_ids()) == 2
