"""The first look is at once: what IAM does not show yet is looked at again, and nothing is concluded from it."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_drift.domain.account import EntityId, Group, ManagedPolicy, User
from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.changes.visibility import is_shown, next_look
from policy_drift.domain.events import PolicyDriftDetected, PolicyDriftResolved
from policy_drift.domain.finding import Kind
from tests.doubles.drift_under_test import ACCOUNT, APP, GET, QUIET, TRUST, WIDER, DriftUnderTest

DELAY = timedelta(seconds=30)
CUSTOM = f"arn:aws:iam::{ACCOUNT}:policy/custom"
ANN, TEAM = User("ann", "/", "AIDAANN", groups=("team",)), Group("team", "/", "AGPATEAM")
KEY = "access key AKIA1"
OF_ANN = (EntityId("user/ann"), Kind.CREDENTIAL)


@pytest.fixture
def drift():
    wired = DriftUnderTest(replace(QUIET, users={"ann": ANN}, groups={"team": TEAM}))
    wired.delay = DELAY
    wired.scan()
    return wired


def detected(drift):
    return [(event.kind, event.entity) for event in drift.published(PolicyDriftDetected)]


def grant(drift):
    return drift.event(policyName="own", policyDocument=json.dumps(WIDER))


def later(drift, seconds):
    drift.clock.advance(seconds=seconds)


def test_a_change_that_iam_shows_is_reported_at_once_and_not_checked_again(drift):
    drift.role(inline={"own": WIDER})

    checked = drift.check(grant(drift))

    assert detected(drift) == [("ACCESS", "role/app")]
    assert checked.again == {}


def test_a_change_that_iam_shows_later_is_found_by_a_later_look(drift):
    event, made = grant(drift), drift.clock.now()

    looks = [drift.check(event).again]
    later(drift, 31)
    looks.append(drift.check(event).again)
    drift.role(inline={"own": WIDER})
    later(drift, 60)
    looks.append(drift.check(event).again)

    assert looks == [{"event-1": made + DELAY}, {"event-1": made + 3 * DELAY}, {}]
    assert detected(drift) == [("ACCESS", "role/app")]


def test_what_was_given_and_taken_back_is_reported_when_iam_must_show_it(drift):
    event = grant(drift)

    drift.check(event)
    assert detected(drift) == []
    later(drift, 91)

    assert drift.check(event).again == {}
    assert detected(drift) == [("TRANSIENT", "role/app")]


def test_an_event_that_comes_late_is_checked_once(drift):
    event = grant(drift)
    later(drift, 300)

    assert drift.check(event).again == {}
    assert detected(drift) == [("TRANSIENT", "role/app")]


def test_another_change_is_reported_although_one_is_not_shown_yet(drift):
    drift.role(inline={"own": WIDER})
    not_shown = drift.event("AddUserToGroup", roleName=None, userName="ann", groupName="admins")

    checked = drift.check(grant(drift), not_shown)

    assert detected(drift) == [("ACCESS", "role/app")]
    assert checked.again.keys() == {"event-1"}


def test_a_revert_that_iam_does_not_show_yet_is_resolved_by_a_later_look(drift):
    drift.role(inline={"own": WIDER})
    drift.check(grant(drift))
    revert = drift.event(policyName="own", policyDocument=json.dumps(GET))

    assert drift.check(revert).again.keys() == {"event-2"}
    assert drift.published(PolicyDriftResolved) == []
    drift.role(inline={"own": GET})
    later(drift, 31)

    assert drift.check(revert).again == {}
    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["reverted"]


def test_a_credential_that_iam_does_not_show_yet_is_neither_reported_nor_gone(drift):
    event = made_key(drift)

    assert drift.check(event).again.keys() == {"event-1"}
    assert detected(drift) == []
    drift.credentials.items[OF_ANN] = {KEY}
    later(drift, 31)

    assert drift.check(event).again == {}
    assert detected(drift) == [("CREDENTIAL", "user/ann")]


def test_a_credential_that_iam_never_showed_is_transient_in_the_end(drift):
    event = made_key(drift)
    drift.check(event)
    later(drift, 91)

    assert drift.check(event).again == {}
    assert detected(drift) == [("TRANSIENT", "user/ann")]


def test_a_deleted_credential_is_checked_again_only_while_its_finding_stands(drift):
    delete = {"roleName": None, "userName": "ann", "accessKeyId": "AKIA1"}
    assert drift.check(drift.event("DeleteAccessKey", **delete)).again == {}

    drift.credentials.items[OF_ANN] = {KEY}
    drift.check(made_key(drift))
    deleted = drift.event("DeleteAccessKey", **delete)

    assert drift.check(deleted).again.keys() == {deleted.change.event_id}
    drift.credentials.items.clear()
    later(drift, 31)
    assert drift.check(deleted).again == {}
    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["reverted"]


def test_without_a_delay_no_change_is_checked_again(drift):
    drift.delay = timedelta()

    assert drift.check(grant(drift)).again == {}
    assert detected(drift) == [("TRANSIENT", "role/app")]


def made_key(drift):
    event = drift.event("CreateAccessKey", roleName=None, userName="ann")
    answered = {"accessKey": {"userName": "ann", "accessKeyId": "AKIA1"}}
    record = {
        "eventID": event.change.event_id,
        "eventName": "CreateAccessKey",
        "eventSource": "iam.amazonaws.com",
        "eventTime": drift.clock.now().isoformat(),
        "userIdentity": {"type": "IAMUser", "arn": event.change.actor},
        "requestParameters": {"userName": "ann"},
        "responseElements": answered,
    }
    return change_event(record)


WITH_POLICY = replace(APP, attached=(CUSTOM,))
BOUNDED = replace(APP, boundary=CUSTOM)
POLICY = ManagedPolicy(CUSTOM, "ANPA", "v2", WIDER)
EMPTY = replace(QUIET, roles={})


def having(**parts):
    return replace(QUIET, **parts)


@pytest.mark.parametrize(
    ("name", "asked", "before", "after"),
    [
        (
            "PutRolePolicy",
            {"policyName": "own", "policyDocument": WIDER},
            QUIET,
            having(roles={"app": replace(APP, inline={"own": WIDER})}),
        ),
        ("DeleteRolePolicy", {"policyName": "own"}, QUIET, having(roles={"app": replace(APP, inline={})})),
        ("AttachRolePolicy", {"policyArn": CUSTOM}, QUIET, having(roles={"app": WITH_POLICY})),
        ("DetachRolePolicy", {"policyArn": CUSTOM}, having(roles={"app": WITH_POLICY}), QUIET),
        ("PutRolePermissionsBoundary", {"permissionsBoundary": CUSTOM}, QUIET, having(roles={"app": BOUNDED})),
        ("DeleteRolePermissionsBoundary", {}, having(roles={"app": BOUNDED}), QUIET),
        ("UpdateAssumeRolePolicy", {"policyDocument": GET}, QUIET, having(roles={"app": replace(APP, trust=GET)})),
        ("CreateRole", {"assumeRolePolicyDocument": TRUST}, EMPTY, QUIET),
        ("DeleteRole", {}, QUIET, EMPTY),
        (
            "AddUserToGroup",
            {"roleName": None, "userName": "ann", "groupName": "team"},
            having(users={"ann": replace(ANN, groups=())}),
            having(users={"ann": ANN}),
        ),
        (
            "RemoveUserFromGroup",
            {"roleName": None, "userName": "ann", "groupName": "team"},
            having(users={"ann": ANN}),
            having(users={"ann": replace(ANN, groups=())}),
        ),
        (
            "UpdateUser",
            {"roleName": None, "userName": "ann", "newUserName": "eve"},
            having(users={"ann": ANN}),
            having(users={"eve": replace(ANN, name="eve")}),
        ),
        ("DeletePolicy", {"roleName": None, "policyArn": CUSTOM}, having(policies={CUSTOM: POLICY}), QUIET),
        (
            "CreatePolicyVersion",
            {"roleName": None, "policyArn": CUSTOM, "policyDocument": GET, "setAsDefault": True},
            having(policies={CUSTOM: POLICY}),
            having(policies={CUSTOM: replace(POLICY, document=GET, version="v3")}),
        ),
        (
            "SetDefaultPolicyVersion",
            {"roleName": None, "policyArn": CUSTOM, "versionId": "v1"},
            having(policies={CUSTOM: POLICY}),
            having(policies={CUSTOM: replace(POLICY, version="v1")}),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_account_shows_a_change_from_then_on(drift, name, asked, before, after):
    asked = {key: json.dumps(value) if isinstance(value, dict) else value for key, value in asked.items()}
    event = drift.event(name, **asked)

    assert not is_shown(event, before)
    assert is_shown(event, after)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("PutRolePolicy", {"policyName": "own"}),
        ("PutRolePolicy", {"policyName": "own", "policyDocument": '{"Version": "2012-1'}),
        ("UpdateAssumeRolePolicy", {}),
        ("EmpowerRole", {}),
        ("UpdateUser", {"roleName": None, "userName": "ann", "newPath": "/b/"}),
    ],
)
def test_an_event_that_does_not_say_enough_is_never_shown(drift, name, asked):
    assert not is_shown(drift.event(name, **asked), QUIET)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("UpdateRole", {"description": "x"}),
        ("CreatePolicyVersion", {"roleName": None, "policyArn": CUSTOM, "policyDocument": json.dumps(GET)}),
        ("DeletePolicyVersion", {"roleName": None, "policyArn": CUSTOM, "versionId": "v1"}),
    ],
)
def test_what_changes_no_access_is_shown(drift, name, asked):
    assert is_shown(drift.event(name, **asked), QUIET)


def test_an_entity_that_could_not_be_read_is_not_shown_as_deleted(drift):
    unreadable = replace(EMPTY, unreadable={EntityId("role/app"): "changes while it is read"})

    assert not is_shown(drift.event("DeleteRole"), unreadable)
    assert not is_shown(drift.event("DetachRolePolicy", policyArn=CUSTOM), unreadable)


@given(visible_after=st.floats(0, 60), arrives_after=st.floats(0, 200), delay=st.floats(20, 900))
def test_a_change_that_iam_shows_within_three_delays_is_seen_by_one_of_at_most_three_looks(
    visible_after, arrives_after, delay
):
    made, delay = DriftUnderTest().clock.now(), timedelta(seconds=delay)
    look: datetime | None = made + timedelta(seconds=arrives_after)
    looks = []
    while look is not None:
        looks.append(look)
        look = next_look(made, look, delay)

    assert looks[-1] >= made + timedelta(seconds=visible_after)
    assert len(looks) <= 3


def test_a_clock_that_is_behind_does_not_postpone_the_looks():
    now = DriftUnderTest().clock.now()

    assert next_look(now + timedelta(hours=1), now, DELAY) == now + DELAY
