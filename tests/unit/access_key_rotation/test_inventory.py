"""Who has which key, and the way out of each; unknown is never unused, young, or rotated by nobody."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_key_rotation.application.list_access_keys import KeyInventory
from access_key_rotation.application.ports import ListedUser
from access_key_rotation.domain.events import AccessKeysCounted
from access_key_rotation.domain.inventory import (
    ROOT,
    UNUSED_AFTER,
    Holder,
    Report,
    ReportedKey,
    ReportedUser,
    Rotator,
    Use,
    WayOut,
    inventory_of,
    summary_of,
    way_out_of,
)
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import Record
from access_key_rotation.inventory_representation import COLUMNS, csv_of
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.listed_directory import ListedDirectory
from tests.doubles.recording_publisher import RecordingPublisher

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def key(*, days=200, active=True, used_days=1, use=Use.USED, **more):
    used = NOW - used_days * DAY if use is Use.USED else None
    return ReportedKey(active, NOW - days * DAY, use, used, "ecr", "eu-central-1", **more)


def user(*keys, name="build-server", has_password=False, has_mfa=False):
    return ReportedUser(name, f"arn:aws:iam::123456789012:user/{name}", has_password, has_mfa, keys)


def holder(*, enrolled=False, on_path=False, **more):
    return Holder("/service/" if on_path else "/", {}, enrolled, on_path, **more)


@pytest.mark.parametrize(
    ("of", "held_by", "way", "words"),
    [
        (user(key(), name=ROOT), None, WayOut.ROLE, "root user"),
        (user(key(active=False)), holder(), WayOut.UNUSED, "not active"),
        (user(key(used_days=90)), holder(), WayOut.UNUSED, "not used since 2026-02-03"),
        (user(key(use=Use.NEVER, days=90)), holder(), WayOut.UNUSED, "never used since it was created on 2026-02-03"),
        (user(key(use=Use.NEVER, days=89)), holder(), WayOut.ROTATION, "service path"),
        (user(key(use=Use.UNKNOWN)), holder(), WayOut.ROTATION, "service path"),
        (user(key(used_days=90)), holder(enrolled=True, on_path=True), WayOut.UNUSED, "not used since"),
        (user(key()), holder(enrolled=True, on_path=True), WayOut.ROTATION, "the steward rotates it"),
        (user(key(), has_password=True), holder(), WayOut.ROLE, "person"),
        (user(key(), has_mfa=True), holder(), WayOut.ROLE, "person"),
        (user(key(), name="GitHub-deploy"), holder(), WayOut.OIDC, "GitHub"),
        (user(key(), name="gha-push"), holder(), WayOut.OIDC, "gha"),
        (user(key(), name="marghat"), holder(), WayOut.ROTATION, "enrol"),
        (user(key()), holder(on_path=True), WayOut.ROTATION, "enrol the user"),
        (user(key(), has_password=None), holder(), WayOut.ROTATION, "unknown whether its user is a person"),
    ],
)
def test_each_key_has_one_way_out_and_a_reason(of, held_by, way, words):
    found, reason = way_out_of(of, of.keys[0], held_by, NOW)

    assert found is way
    assert words in reason


AGES = st.integers(0, 4000)
KEYS = st.builds(
    lambda active, days, use, used: ReportedKey(
        active, None if days is None else NOW - days * DAY, use, NOW - used * DAY if use is Use.USED else None
    ),
    st.booleans(), st.none() | AGES, st.sampled_from(Use), AGES,
)  # fmt: skip
USERS = st.builds(
    lambda name, password, mfa, keys: user(*keys, name=name, has_password=password, has_mfa=mfa),
    st.sampled_from(["a", "b", "github-c", ROOT]), st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]), st.lists(KEYS, max_size=2),
)  # fmt: skip
HOLDERS = st.dictionaries(
    st.sampled_from(["a", "b", "github-c"]),
    st.builds(lambda enrolled, on_path: holder(enrolled=enrolled and on_path, on_path=on_path), st.booleans(),
              st.booleans()),
)  # fmt: skip


@given(st.lists(USERS, max_size=6), HOLDERS, AGES)
def test_no_key_is_lost_and_unknown_is_never_harmless(users, holders, days):
    found = inventory_of(Report(NOW, tuple(users)), holders, NOW)

    assert len(found.keys) == sum(len(one.keys) for one in users)
    kept = found.older_than(days * DAY)
    assert all(one in kept for one in found.keys if one.age is None)
    for one in found.keys:
        if one.active and one.way_out is WayOut.UNUSED:
            since = one.used_at if one.use is Use.USED else one.created
            assert one.use is not Use.UNKNOWN
            assert since is not None
            assert NOW - since >= UNUSED_AFTER
        if one.user != ROOT and one.user not in holders:
            assert one.rotated_by is Rotator.UNKNOWN
    counted = summary_of(found.keys)
    assert sum(counted.ways_out.values()) == counted.keys == len(found.keys)


def test_ids_come_from_the_record_unless_two_keys_were_created_in_one_second():
    clear = holder(key_ids={NOW - 200 * DAY: "AKIAEXAMPLE000000001"})

    (one,) = inventory_of(Report(NOW, (user(key()),)), {"build-server": clear}, NOW).keys
    (other,) = inventory_of(Report(NOW, (user(key(days=100)),)), {"build-server": clear}, NOW).keys

    assert (one.id, other.id) == ("AKIAEXAMPLE000000001", "")


class GivenReport:
    """A report that was made before."""

    def __init__(self, report):
        self.calls = 0
        self._report = report

    def read(self):
        self.calls += 1
        return self._report


class GivenMemory:
    """Records as the table has them."""

    def __init__(self, **records):
        self._records = records

    def all(self):
        return ((UserName(name), record, False) for name, record in self._records.items())


def inventory(*users, listed=(), publisher=None, **records):
    return KeyInventory(
        GivenReport(Report(NOW, users)),
        ListedDirectory(listed),
        GivenMemory(**records),
        publisher or RecordingPublisher(),
        FrozenClock(NOW),
        "/service/",
    )


def listed(name, path="/service/", user_id="AIDA1", **tags):
    arn = f"arn:aws:iam::123456789012:user{path}{name}"
    return ListedUser(UserName(name), user_id, arn, path, {"steward:rotate": "true", **tags})


def test_the_steward_rotates_users_on_the_path_with_the_tag_and_no_others():
    users = [user(key(), name=name) for name in ("push", "elsewhere", "gone")]

    taken = inventory(*users, listed=[listed("push", owner="team-a"), listed("elsewhere", path="/")]).take()

    assert {one.user: one.rotated_by for one in taken.keys} == {
        "push": Rotator.STEWARD,
        "elsewhere": Rotator.NOBODY,
        "gone": Rotator.UNKNOWN,
    }
    assert {one.user: (one.owner, one.state) for one in taken.keys}["push"] == ("team-a", "UNSEEN")


def test_the_record_of_another_user_of_the_same_name_names_no_key():
    record = Record(user_id="AIDA-BEFORE", created={"AKIAEXAMPLE000000001": NOW - 200 * DAY}, state="STEADY")

    (one,) = inventory(user(key(), name="push"), listed=[listed("push")], push=record).take().keys

    assert (one.id, one.state) == ("", "UNSEEN")


@pytest.fixture
def publisher():
    return RecordingPublisher()


def test_the_numbers_are_published_with_the_moment_that_they_are_of(publisher):
    users = [user(key(), key(use=Use.NEVER, days=100)), user(key(active=False), name="other")]

    inventory(*users, publisher=publisher).count("test")

    (event,) = publisher.of(AccessKeysCounted)
    assert (event.as_of, event.keys, event.active, event.old, event.unused, event.not_rotated) == (
        NOW.isoformat(), 3, 2, 2, 1, 2,
    )  # fmt: skip


@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_no_cell_of_the_csv_is_a_formula(begin):
    held_by = Holder(
        "/", {"owner": f'{begin}HYPERLINK("http://example.com")'}, is_enrolled=False, is_on_service_path=False
    )
    taken = inventory_of(Report(NOW, (user(key(), name=f"{begin}1"),), (f"{begin}2",)), {f"{begin}1": held_by}, NOW)

    head, *lines = csv_of(taken, taken.keys).splitlines()

    assert head == ",".join(COLUMNS)
    assert f"'{begin}HYPERLINK" in lines[0]
    assert all(line.startswith(f"{NOW.isoformat()},'{begin}") for line in lines)
