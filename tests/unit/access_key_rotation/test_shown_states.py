"""What operators see of a user at every moment of every life: the state, its next step, of when it is, and a reason."""

import pytest

from access_key_rotation.application.operate_service_users import Shown
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.next_step import NextStep
from access_key_rotation.domain.state import UNREADABLE, Record
from access_key_rotation.representation import representation_of
from tests.doubles.frozen_clock import FrozenClock
from tests.unit.access_key_rotation.lives import Life
from tests.unit.access_key_rotation.scenarios import SCENARIOS

pytestmark = pytest.mark.no_cover  # the same lines, which other tests count

GO_THEIR_WAY = {"STEADY", "CREATED", "DRAINING", "QUARANTINED", "RELEASED"}
"""States in which time passes, and nothing is in the way."""


@pytest.fixture
def seen(monkeypatch):
    """What operators see of the users of lives after each tick."""
    found, tick = [], Life.tick

    def watched(life):
        tick(life)
        found.extend(representation_of(shown, life.clock.now()) for shown in life.operation.list())

    monkeypatch.setattr(Life, "tick", watched)
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_every_state_has_a_next_step_and_a_reason_if_something_is_in_the_way(scenario, seen):
    scenario()

    for shown in seen:
        assert isinstance(shown["next_step"], NextStep)
        assert shown["as_of"] or shown["state"] in {"UNSEEN", "FAILING"}
        assert shown["next_step_at"]
        assert shown["blocked_by"] or shown["state"] in GO_THEIR_WAY, shown
        assert (shown["state"] == "FROZEN") <= bool(shown["freeze"])
        if shown["freeze"]:
            assert f"frozen by {shown['freeze']['by'] or 'an operator'}" in shown["blocked_by"]


def test_a_damaged_record_is_shown_with_its_reason_and_no_promise():
    shown = representation_of(Shown(UserName("ecr-push"), Record(state=UNREADABLE)), FrozenClock().now())

    assert (shown["state"], shown["next_step"], shown["as_of"]) == ("UNREADABLE", NextStep.LOOK_AGAIN, None)
    assert shown["blocked_by"] == "its record is damaged: runbook restore-the-table"
