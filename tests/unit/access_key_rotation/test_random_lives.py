"""A few random lives come to their end without a violation, and without a rule one does not."""

import pytest

from access_key_rotation.domain.rules import order
from tests.unit.access_key_rotation.random_lives import FEW, NEEDS, first_noticed, live_through

pytestmark = pytest.mark.no_cover  # thousands of times the same lines, which other tests count


def test_the_invariants_hold_in_a_few_random_lives():
    violated, calls, acts = live_through(range(FEW))

    assert violated == {}
    assert len(acts) > 20
    assert {"dies after", "reply lost", "late"} <= calls.keys()


def test_the_invariants_hold_in_lives_in_which_people_do_one_thing_only():
    assert {what: live_through(range(1), possible=what)[0] for what in set(NEEDS.values())} == {
        what: {} for what in NEEDS.values()
    }


@pytest.mark.parametrize("rule", order.RULES, ids=lambda rule: rule.__name__)
def test_a_missing_rule_shows_in_random_lives(rule):
    assert first_noticed(rule.__name__, range(FEW)) is not None
