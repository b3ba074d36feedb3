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
from access_key_rotation.domain.state import Record
from steward.errors import AccessDeniedError, ThrottledError, UpstreamError
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.listed_directory import ListedAdministrators, ListedDirectory
from tests.doubles.recording_publisher import RecordingPublisher
from tests.doubles.rotation_settings import rotation_settings


class RememberedUsers:
    """What the table holds."""

    def __init__(self, records):
        self._records = records

    def all(self):
        return iter([(name, record, busy) for name, (record, busy) in self._records.items()])


def user(name, *, path="/service/", tagged=True, is_person=False):
    tags = {"steward:rotate": "true"} if tagged else {}
    return ListedUser(UserName(name), f"AIDA{name}", f"arn:{name}", path, tags, is_person)


class FailingPermissionCheck(ListedAdministrators):
    """IAM answers the first questions, and fails after them."""

    def __init__(self, error, answers=0):
        super().__init__()
        self._error = error
        self._answers = answers

    def administers_iam(self, arn):
        if self._answers <= 0:
            raise self._error
        self._answers -= 1
        return super().administers_iam(arn)


def planner_of(users, records, publisher, clock, settings=None, permissions=None):
    return plan_rotations(
        directory=ListedDirectory(users),
        permissions=permissions or ListedAdministrators(),
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
    def run(users, records=(), settings=None, administrators=()):
        publisher, permissions = RecordingPublisher(), ListedAdministrators(*administrators)
        planner = planner_of(users, dict(records), publisher, clock, settings, permissions)
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


@pytest.mark.parametrize("is_person", [True, None])
def test_the_planner_vouches_only_for_users_known_to_be_no_person(plan, clock, is_person):
    records = [remembered(clock, "somebody", -1), remembered(clock, "service", -1)]

    _, told = plan([user("somebody", is_person=is_person), user("service")], records)

    assert {event.user_name: event.judged_at is not None for event in told} == {"somebody": False, "service": True}


def test_the_planner_never_vouches_for_an_administrator(plan, clock):
    _, told = plan([user("admin")], [remembered(clock, "admin", -1)], administrators=["arn:admin"])

    assert [event.judged_at for event in told] == [None]


@pytest.mark.parametrize("error", [ThrottledError("busy"), UpstreamError("NoSuchEntity"), AccessDeniedError("no")])
def test_users_that_iam_does_not_judge_are_left_to_the_worker_and_all_are_published(clock, error):
    records = dict(remembered(clock, f"u{number:02}", -1) for number in range(25))
    publisher, users = RecordingPublisher(), [user(f"u{number:02}") for number in range(25)]
    planner = planner_of(users, records, publisher, clock, permissions=FailingPermissionCheck(error, answers=12))

    found = planner.plan("test")

    assert found.due == sorted(records)
    assert [event.judged_at is not None for event in publisher.published] == [True] * 12 + [False] * 13  # type: ignore[attr-defined]


def test_judged_users_are_published_before_the_next_are_judged(clock):
    """A run that is ended from outside has lost the work of a few users, not of all."""
    records = dict(remembered(clock, f"u{number:02}", -1) for number in range(25))
    publisher, users = RecordingPublisher(), [user(f"u{number:02}") for number in range(25)]
    permissions = FailingPermissionCheck(KeyboardInterrupt(), answers=15)
    planner = planner_of(users, records, publisher, clock, permissions=permissions)

    with pytest.raises(KeyboardInterrupt):
        planner.plan("test")

    assert [event.user_name for event in publisher.published] == sorted(records)[:10]  # type: ignore[attr-defined]


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


def test_a_user_that_was_never_seen_is_not_vouched_for(plan):
    _, told = plan([user("new")])

    assert [event.judged_at for event in told] == [None]


@pytest.mark.parametrize(
    "change", [{"user_id": "AIDAanother"}, {"arn": "arn:moved"}, {"tags": {"steward:rotate-after-days": "1"}}], ids=str
)
def test_a_user_that_differs_from_its_record_is_due_and_not_vouched_for(plan, clock, change):
    changed = user("changed")
    changed = replace(changed, **(change | {"tags": changed.tags | change.get("tags", {})}))

    _, told = plan([changed], [remembered(clock, "changed", 100)])

    assert [event.judged_at for event in told] == [None]
