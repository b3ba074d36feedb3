"""The next step that people are shown is the one that comes."""

import pytest

from access_key_rotation.domain.next_step import NextStep, next_step
from access_key_rotation.domain.state import Record
from tests.unit.access_key_rotation.scenarios import begun, foreign

STEP_OF = {
    NextStep.CREATE_KEY: "CreateKey",
    NextStep.CONFIRM_USE: "LatchAdoption",
    NextStep.DEACTIVATE_KEY: "Deactivate",
    NextStep.DELETE_KEY: "Delete",
}


def test_every_step_of_a_life_is_the_one_that_was_announced():
    life, happened = begun(days=0.25), []
    for _ in range(60):
        announced = next_step(life.records.find(life.name))
        before = life.outcome
        life.tick()
        if life.outcome is not before and set(life.outcome.steps) & set(STEP_OF.values()):
            assert STEP_OF[announced] in life.outcome.steps
            happened.append(announced)

    assert set(happened) == set(STEP_OF)


def test_a_key_that_iam_listed_is_shown_with_its_creation():
    life = begun(days=7)

    record = life.records.find(life.name)

    assert record.created == {key.id: key.created for key in life.account.users[life.name].keys.values()}


@pytest.mark.parametrize(
    ("record", "step"),
    [
        (Record(), NextStep.LOOK_AGAIN),
        (Record(state="BLOCKED"), NextStep.LOOK_AGAIN),
        (Record(state="CREATED"), NextStep.PROMOTE_KEY),
        (Record(state="EXEMPT"), NextStep.CREATE_KEY),
        (Record(state="FROZEN"), NextStep.CREATE_KEY),
        (Record(state="FROZEN", frozen="a consumer broke"), NextStep.REQUEST_ROTATION),
    ],
)
def test_where_a_person_or_a_date_decides_it_is_said(record, step):
    assert next_step(record) is step


def test_a_user_that_is_blocked_is_looked_at_again():
    life = begun()
    foreign(life)
    life.clock.advance(minutes=1)
    life.run()

    assert next_step(life.records.find(life.name)) is NextStep.LOOK_AGAIN
