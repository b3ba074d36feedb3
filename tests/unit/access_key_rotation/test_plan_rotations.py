"""Who is due, and how many calls it takes to find out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_key_rotation.application.ports import ListedUser
from access_key_rotation.bootstrap import plan_rotations
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.settings import settings_of
from access_key_rotation.domain.state import UNREADABLE, Notice, Record
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.listed_directory import ListedDirectory
from tests.doubles.recording_publisher import RecordingPublisher
from tests.doubles.rotation_settings import rotation_settings


class RememberedUsers:
    """What the table holds."""

    def __init__(self, records):
        self._records = records

    def all(self):
        return iter([(name, record, busy) for name, (record, busy) in self._records.items()])


def user(name, *, path="/service/", tagged=True):
    tags = {"steward:rotate": "true"} if tagged else {}
    return ListedUser(UserName(name), f"AIDA{name}", f"arn:{name}", path, tags)


def planner_of(users, records, publisher, clock, settings=None):
    return plan_rotations(
        directory=ListedDirectory(users),
        memory=RememberedUsers(records),
        publisher=publisher,
        clock=clock,
        settings=settings or rotation_settings(),
        service_path="/service/",
    )


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def plan(clock):
    def run(users, records=(), settings=None):
        publisher = RecordingPublisher()
        planner = planner_of(users, dict(records), publisher, clock, settings)
        return planner.plan("test"), publisher.published

    return run


def remembered(clock, name, hours, *, busy=False, settings=None):
    policy = settings_of(settings or rotation_settings(), UserName(name), {}).fingerprint
    next_at = clock.now() + timedelta(hours=hours)
    return UserName(name), (Record(user_id=f"AIDA{name}", arn=f"arn:{name}", next_at=next_at, policy=policy), busy)


def test_a_user_that_was_never_seen_is_due(plan):
    found, told = plan([user("new")])

    assert found.due == ["new"]
    assert [event.user_name for event in told] == ["new"]


def test_a_user_is_due_when_its_time_has_come_and_not_before(plan, clock):
    records = [remembered(clock, "early", 1), remembered(clock, "late", -1)]

    found, _ = plan([user("early"), user("late")], records)

    assert found.due == ["late"]


def test_the_path_and_the_tag_enrol_together(plan):
    found, told = plan([user("moved", path="/people/"), user("untagged", tagged=False)])

    assert (found.enrolled, told) == (0, [])


def test_a_user_that_a_run_works_on_is_left_to_it(plan, clock):
    found, _ = plan([user("busy")], [remembered(clock, "busy", -1, busy=True)])

    assert found.due == []


def test_a_user_with_changed_settings_is_due(plan, clock):
    settings = rotation_settings(replica_regions=("eu-west-1",))

    found, _ = plan([user("old")], [remembered(clock, "old", 100)], settings)

    assert found.due == ["old"]


def test_a_user_that_is_gone_is_due_at_its_time(plan, clock):
    found, _ = plan([], [remembered(clock, "gone", -1)])

    assert found.due == ["gone"]


def test_a_run_starts_at_most_as_many_users_as_the_settings_allow_longest_overdue_first(plan, clock):
    records = [remembered(clock, "a", -1), remembered(clock, "b", -3), remembered(clock, "c", -2)]

    found, _ = plan([user("a"), user("b"), user("c")], records, rotation_settings(max_users_per_run=2))

    assert (found.due, found.postponed) == (["b", "c"], 0 + 1)


@given(
    overdue=st.lists(st.integers(-50, -1), min_size=1, max_size=30), newcomers=st.integers(0, 10), cap=st.integers(1, 8)
)
def test_every_due_user_is_published_within_as_many_runs_as_the_cap_takes(overdue, newcomers, cap):
    """Even when those that a run has published are due again in the next: they stand behind all others."""
    clock = FrozenClock()
    records = dict(remembered(clock, f"u{number:02}", hours) for number, hours in enumerate(overdue))
    users = [user(name) for name in records] + [user(f"new-{number}") for number in range(newcomers)]
    settings, published = rotation_settings(max_users_per_run=cap), set()

    for _ in range(-(-len(users) // cap)):
        publisher = RecordingPublisher()
        planner_of(users, records, publisher, clock, settings).plan("test")
        clock.advance(hours=1)
        records |= dict(remembered(clock, event.user_name, 0) for event in publisher.published)  # type: ignore[attr-defined]
        published |= {event.user_name for event in publisher.published}  # type: ignore[attr-defined]

    assert published == {listed.name for listed in users}


@pytest.mark.parametrize(
    "change", [{"user_id": "AIDAanother"}, {"arn": "arn:moved"}, {"tags": {"steward:rotate-after-days": "1"}}], ids=str
)
def test_a_user_that_differs_from_its_record_is_due(plan, clock, change):
    changed = user("changed")
    changed = replace(changed, **(change | {"tags": changed.tags | change.get("tags", {})}))

    found, _ = plan([changed], [remembered(clock, "changed", 100)])

    assert found.due == ["changed"]


def test_the_plan_counts_blocked_users_and_knows_the_oldest_key(plan, clock):
    blocked = Record(notice=Notice("two keys", clock.now()), created={"AKIA1": clock.now() - timedelta(days=70)})
    sound = Record(created={"AKIA2": clock.now() - timedelta(days=9), "AKIA3": clock.now() - timedelta(days=3)})
    gone = Record(created={"AKIA4": clock.now() - timedelta(days=300)})
    records = {UserName("a"): (blocked, False), UserName("b"): (sound, False), UserName("gone"): (gone, False)}

    made, _ = plan([user("a"), user("b"), user("new")], records)

    assert (made.enrolled, made.blocked, made.oldest_key) == (3, 1, timedelta(days=70))


def test_no_age_is_made_up_while_no_key_is_recorded(plan):
    made, _ = plan([user("new")])

    assert made.oldest_key is None


def test_a_user_with_a_damaged_record_is_due_every_time_and_counts_as_blocked(plan):
    result, published = plan([user("a"), user("b")], {UserName("a"): (Record(state=UNREADABLE), False)})

    assert result.blocked == 1
    assert [event.user_name for event in published] == ["a", "b"]
