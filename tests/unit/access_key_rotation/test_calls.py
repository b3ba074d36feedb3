"""How many AWS calls a rotation takes."""

from access_key_rotation.domain.rules.situation import Demand, Reason
from tests.unit.access_key_rotation.lives import Fault
from tests.unit.access_key_rotation.scenarios import begun

PROBES = {"identify", "log_in_to_ecr"}


def calls_of(life, act):
    before = len(life.stage.calls)
    act()
    return [call for call in life.stage.calls[before:] if call not in PROBES]


def test_a_rotation_by_the_queue_takes_twelve_calls_beside_the_probes():
    """``standing`` is three: GetLoginProfile, ListMFADevices, GetAccountAuthorizationDetails."""
    life = begun()
    demand = Demand(life.account.current_key(life.name), Reason.ROUTINE)

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


def test_a_look_at_a_user_with_nothing_to_do_takes_five():
    life = begun(days=3)

    calls = calls_of(life, lambda: life.rotator.advance(life.name, "c"))

    assert calls == ["claim", "find", "keys", "find", "release"]


def test_a_throttled_attempt_to_make_a_key_is_repeated_since_it_made_none():
    life = begun(fault=None)
    at = len(life.stage.calls) + 5
    life.stage.fault = Fault(at, "throttled")
    demand = Demand(life.account.current_key(life.name), Reason.ROUTINE)

    calls = calls_of(life, lambda: life.rotator.advance(life.name, "c", demand))

    assert calls.count("create_key") == 2
    assert len(life.key_ids()) == 2
