"""What an enrolment means for each key, and what is refused: pure, of any facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_key_rotation.domain.enrolment import Facts, FirstSecret, departure_of, enrolment_of
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.settings import settings_of
from access_key_rotation.domain.state import AccessKey, KeyHistory, LastUse, Record, Secret, Standing, User
from tests.unit.access_key_rotation.lives import SETTINGS

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
NAME = UserName("build-server")
ARN = "arn:aws:secretsmanager:ca-central-1:123456789012:secret:steward/service-users/build-server-AbCdEf"


def key(number=1, *, active=True, days=100):
    return AccessKey(f"AKIAEXAMPLE00000000{number}", active=active, created=NOW - timedelta(days=days))


def facts(*keys, path="/service/", tags=None, standing=None, secret=None, record=None, usage=None):
    return Facts(
        user=User(NAME, "AIDA1", f"arn:aws:iam::123456789012:user{path}{NAME}", path, tags or {}),
        keys=keys,
        usage=usage if usage is not None else {one.id: LastUse(NOW, "ecr") for one in keys},
        standing=standing or Standing(has_password=False, has_mfa=False),
        secret=secret,
        record=record or Record(),
        settings=settings_of(SETTINGS, NAME, {}),
        unfit_tags="",
        path="/service/",
        stack="ecr-steward",
        now=NOW,
    )


def secret(owner="ecr-steward", *, deleted=False):
    return Secret(ARN, owner, deleted, {}, {})


@pytest.mark.parametrize(
    ("of", "first", "words"),
    [
        (facts(key(), path="/"), FirstSecret.NEW_KEY, "--new-path /service/"),
        (facts(key(), standing=Standing(has_password=True, has_mfa=True)), FirstSecret.NEW_KEY, "MFA device"),
        (facts(key(1), key(2), usage={}), FirstSecret.NEW_KEY, "its last use could not be read"),
        (facts(key(1), key(2)), FirstSecret.PRESENT_KEY, "both slots are taken"),
        (facts(key(active=False)), FirstSecret.NEW_KEY, "takes the slot of the next rotation"),
        (facts(), FirstSecret.PRESENT_KEY, "no active key"),
        (facts(key(), secret=secret("another-stack")), FirstSecret.NEW_KEY, "belongs to another-stack"),
        (facts(key(), secret=secret()), FirstSecret.NEW_KEY, "no run of the steward is known to have made it"),
        (facts(key(), secret=secret(None)), FirstSecret.NEW_KEY, "check who wrote it and its resource policy"),
        (facts(key(), secret=secret(deleted=True)), FirstSecret.NEW_KEY, "scheduled for deletion"),
        (facts(key(), record=Record(user_id="AIDA0")), FirstSecret.NEW_KEY, "another user of this name"),
        (facts(tags={"steward:rotate": "true"}), FirstSecret.NEW_KEY, "enrolled already"),
        (
            facts(key(), record=Record(keys={key().id: KeyHistory(compromised=True)})),
            FirstSecret.NEW_KEY,
            "leaked",
        ),
    ],
)
def test_what_stands_against_it_is_named_and_nothing_is_planned(of, first, words):
    plan = enrolment_of(of, first)

    assert any(words in reason for reason in plan.refused_because), plan.refused_because
    assert (plan.steps, plan.drains, plan.awaits) == ((), (), "")


def test_a_user_that_a_foreign_key_blocks_may_be_enrolled_with_that_key():
    plan = enrolment_of(facts(key(), tags={"steward:rotate": "true"}), FirstSecret.NEW_KEY)

    assert (plan.refused_because, plan.drains) == ((), (key().id,))


def test_the_steps_come_when_the_settings_say():
    plan = enrolment_of(facts(key(days=1)), FirstSecret.NEW_KEY)

    times = SETTINGS.times
    assert [step.at for step in plan.steps] == [
        NOW,
        NOW,
        NOW + timedelta(days=times.drain_days),
        NOW + timedelta(days=times.drain_days + times.keep_inactive_days),
        NOW + timedelta(days=times.max_age_days - 1),
    ]


KEYS = st.lists(st.builds(key, st.sampled_from([1, 2]), active=st.booleans()), max_size=2, unique_by=lambda one: one.id)
HISTORIES = st.builds(
    lambda promoted, superseded, leaked: KeyHistory(
        promoted_at=NOW if promoted else None, superseded_at=NOW if superseded else None, compromised=leaked
    ),
    st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip
RECORDS = st.builds(
    lambda histories, user_id: Record(user_id=user_id, keys=histories),
    st.dictionaries(st.sampled_from([key(1).id, key(2).id]), HISTORIES),
    st.sampled_from([None, "AIDA1", "AIDA0"]),
)
FACTS = st.builds(
    lambda keys, path, tagged, person, kept, record: facts(
        *keys, path=path, tags={"steward:rotate": "true"} if tagged else {},
        standing=Standing(has_password=person, has_mfa=False), secret=kept, record=record,
    ),
    KEYS, st.sampled_from(["/", "/service/", "/service/ci/"]), st.booleans(), st.booleans(),
    st.sampled_from([None, secret(), secret(None), secret("other"), secret(deleted=True)]), RECORDS,
)  # fmt: skip


@given(FACTS, st.sampled_from(FirstSecret))
def test_a_plan_touches_only_keys_that_the_steward_does_not_know_and_leaves_a_slot(of, first):
    plan = enrolment_of(of, first)

    if plan.refused_because:
        assert (plan.steps, plan.drains, plan.awaits) == ((), (), "")
        return
    touched = {*plan.drains, *([plan.awaits] if plan.awaits else [])}
    known = {key_id for key_id, history in of.record.keys.items() if history.promoted_at or history.superseded_at}
    assert touched <= {one.id for one in of.keys if one.active} - known
    assert len(of.keys) < 2
    assert of.user.path.startswith("/service/")
    assert not of.standing.has_password
    assert of.secret is None or (of.secret.owner == "ecr-steward" and not of.secret.deleted)
    assert bool(plan.awaits) == (first is FirstSecret.PRESENT_KEY)


@given(FACTS)
def test_a_user_that_leaves_names_every_key_and_no_foreign_secret(of):
    plan = departure_of(of)

    if plan.refused_because:
        assert plan.steps == ()
    else:
        text = " ".join(step.what for step in plan.steps)
        assert all(one.id in text for one in of.keys)
        assert of.secret is None or of.secret.owner == "ecr-steward"
        assert not [one for one in of.keys if one.active and of.record.history(one.id).compromised]


def test_no_user_leaves_in_the_middle_of_a_rotation():
    began = facts(key(), tags={"steward:rotate": "true"}, secret=secret(), record=Record(state="CREATED"))

    assert "has begun" in departure_of(began).refused_because[0]
    assert departure_of(replace(began, record=Record(state="STEADY"))).refused_because == ()
