"""Every call of every life fails in every way, and is tried again in every way; after each call all invariants hold.

The cases are generated from the calls that an undisturbed life makes. The invariants are checked inside, after every
single call (``invariants.py``), and each scenario says what must have come of it in the end.
"""

import pytest

from access_key_rotation.domain.rules import next_key, old_key, order
from tests.unit.access_key_rotation.lives import FAULTS, RETRIES, Fault, without
from tests.unit.access_key_rotation.scenarios import SCENARIOS, whole_life

pytestmark = pytest.mark.no_cover  # thousands of times the same lines, which other tests count

SAMPLE = 97
"""One of so many cases of the other scenarios runs by default; a prime, so that it walks through calls and faults."""
CHANGING = {"create", "create_key", "stage", "promote", "save", "release", "deactivate_key", "delete_key"}


def cases(scenario):
    """Every fault at every call, with every way of trying again."""
    return [(at, kind, retry) for retry in RETRIES for kind in FAULTS for at in range(len(scenario().stage.calls))]


def survive(scenario, chosen):
    """Live through each of the chosen cases."""
    for at, kind, retry in chosen:
        scenario(fault=Fault(at, kind), retry=retry)


@pytest.mark.parametrize("retry", RETRIES)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_whole_life_survives_every_fault_at_every_call(kind, retry):
    survive(whole_life, [case for case in cases(whole_life) if case[1:] == (kind, retry)])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_comes_to_its_end(scenario):
    scenario()


@pytest.mark.parametrize("scenario", SCENARIOS[1:], ids=lambda scenario: scenario.__name__)
def test_it_survives_faults(scenario):
    survive(scenario, cases(scenario)[::SAMPLE])


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS[1:], ids=lambda scenario: scenario.__name__)
def test_it_survives_every_fault_at_every_call(scenario):
    survive(scenario, cases(scenario))


@pytest.mark.parametrize("rule", order.RULES, ids=lambda rule: rule.__name__)
def test_a_missing_rule_is_noticed(rule):
    assert noticed(decide=without(rule.__name__)), f"nothing notices that {rule.__name__} is missing"


@pytest.mark.parametrize("gate", next_key.CREATION_GATES, ids=lambda gate: gate.__name__)
def test_a_missing_condition_of_making_a_key_is_noticed(gate, monkeypatch):
    kept = tuple(other for other in next_key.CREATION_GATES if other is not gate)
    monkeypatch.setattr(next_key, "CREATION_GATES", kept)  # a mutation of the rules, not a stand-in for them
    assert noticed(), f"nothing notices that {gate.__name__} is missing"


@pytest.mark.parametrize("gate", old_key.DEACTIVATION_GATES, ids=lambda gate: gate.__name__)
def test_a_missing_condition_of_deactivating_a_key_is_noticed(gate, monkeypatch):
    kept = tuple(other for other in old_key.DEACTIVATION_GATES if other is not gate)
    monkeypatch.setattr(old_key, "DEACTIVATION_GATES", kept)  # as above
    assert noticed(), f"nothing notices that {gate.__name__} is missing"


def noticed(**how):
    """Whether any scenario, or any fault in a life, ends in a violated invariant or in the wrong state."""
    calls = whole_life().stage.calls
    changing = [at for at, call in enumerate(calls) if call in CHANGING]
    return any(fails(scenario, **how) for scenario in SCENARIOS) or any(
        fails(whole_life, fault=Fault(at, kind), **how) for at in changing for kind in FAULTS
    )


def fails(scenario, **how):
    """Whether a scenario does."""
    try:
        scenario(**how)
    except Exception:  # noqa: BLE001 - whatever it is, the mutation was noticed
        return True
    return False
