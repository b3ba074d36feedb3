"""The event path: an event says where to look, and what is there is read again."""

import json
from dataclasses import replace

import pytest

from policy_drift.domain.account import EntityId, Role
from policy_drift.domain.announcement import announcement
from policy_drift.domain.baseline import NothingApprovedError
from policy_drift.domain.events import PolicyDriftDetected, PolicyDriftResolved
from steward.principals import PrincipalPattern
from tests.doubles.wired_drift import APP, GET, QUIET, TRUST, WIDER, WiredDrift, allowing

CUSTOM = "arn:aws:iam::123456789012:policy/custom"
RECORD = {
    "eventID": "e1",
    "eventName": "PutRolePolicy",
    "eventSource": "iam.amazonaws.com",
    "eventTime": "2026-05-04T12:00:00Z",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/mallory"},
    "sourceIPAddress": "203.0.113.7",
    "requestParameters": {"roleName": "app", "policyName": "own"},
}


@pytest.fixture
def drift():
    wired = WiredDrift()
    wired.scan()
    return wired


def test_a_change_is_told_with_who_did_it(drift):
    drift.role(inline={"own": WIDER})

    drift.check(drift.event(policyName="own"))

    (told,) = drift.told(PolicyDriftDetected)
    assert (told.kind, told.severity, told.verdict) == ("ACCESS", "MEDIUM", "BROADENED")
    assert [change["actor"] for change in told.changes] == ["arn:aws:iam::123456789012:user/mallory"]
    assert told.request["action"] == "s3:PutObject"


def test_what_the_event_says_is_not_believed(drift):
    drift.check(drift.event(policyName="own", policyDocument='{"Version": "2012-10-17", "Statement": "*"'))

    assert drift.told(PolicyDriftDetected) == []


def test_a_change_that_is_taken_back_is_resolved(drift):
    drift.role(inline={"own": WIDER})
    drift.check(drift.event())
    drift.role(inline={"own": GET})
    drift.check(drift.event())

    assert [event.how for event in drift.told(PolicyDriftResolved)] == ["reverted"]


def test_access_that_was_used_and_taken_back_is_told_once(drift):
    given = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    put = drift.event(policyName="more", policyDocument=given)
    taken = drift.event("DeleteRolePolicy", policyName="more")

    for _ in range(3):
        drift.check(put, taken)
        drift.scan()

    (told,) = drift.told(PolicyDriftDetected)
    assert (told.kind, told.severity) == ("TRANSIENT", "CRITICAL")
    assert {change["event_id"] for change in told.changes} == {"event-1", "event-2"}


def test_access_that_was_told_while_it_lasted_is_not_told_again_as_taken_back(drift):
    put = drift.event(
        policyName="own",
        policyDocument=json.dumps(allowing("s3:*")),
    )
    drift.role(inline={"own": allowing("s3:*")})
    drift.check(put)
    drift.role(inline={"own": GET})
    drift.check(drift.event())
    drift.check(put)

    assert [event.kind for event in drift.told(PolicyDriftDetected)] == ["ACCESS"]


def test_a_principal_that_was_made_used_and_deleted_is_told(drift):
    drift.check(
        drift.event("AttachRolePolicy", roleName="ghost", policyArn=CUSTOM),
        drift.event("DeleteRole", roleName="ghost"),
    )

    (told,) = drift.told(PolicyDriftDetected)
    assert (told.kind, told.severity, told.entity) == ("TRANSIENT", "HIGH", "role/ghost")


def test_five_thousand_events_about_one_role_are_one_look(drift):
    drift.role(inline={"own": WIDER})
    before = drift.iam.reads

    drift.check(*(drift.event() for _ in range(5000)))

    assert drift.iam.reads == before + 1
    assert len(drift.told(PolicyDriftDetected)) == 1


def test_expected_actors_are_marked_and_told_all_the_same():
    drift = WiredDrift(expected=[PrincipalPattern("self:role/deploy-*")])
    drift.scan()
    drift.role(inline={"own": WIDER})

    drift.check(drift.event(actor="arn:aws:sts::123456789012:assumed-role/deploy-app/run-7"))

    assert [event.expected for event in drift.told(PolicyDriftDetected)] == [True]


def test_a_change_by_somebody_else_takes_the_mark_away():
    drift = WiredDrift(expected=[PrincipalPattern("self:role/deploy-*")])
    drift.scan()
    drift.role(inline={"own": WIDER})

    drift.check(drift.event(actor="arn:aws:sts::123456789012:assumed-role/deploy-app/run-7"), drift.event())

    assert [event.expected for event in drift.told(PolicyDriftDetected)] == [False]


def test_a_change_that_no_event_announced_says_so(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    unannounced = drift.findings.get("access:role:app").value
    drift.check(drift.event())
    announced = drift.findings.get("access:role:app").value

    assert (unannounced.announced, announced.announced) == (False, True)
    assert len(drift.told(PolicyDriftDetected)) == 1


def test_before_there_is_a_baseline_nothing_is_compared():
    drift = WiredDrift()

    with pytest.raises(NothingApprovedError):
        drift.check(drift.event())


def test_a_new_role_is_told(drift):
    intruder = Role("intruder", "/", "AROA9", inline={"own": allowing("*")}, trust=TRUST)
    drift.iam.account = replace(QUIET, roles={"app": APP, "intruder": intruder})

    drift.check(drift.event("CreateRole", roleName="intruder"))

    assert [(event.kind, event.severity) for event in drift.told(PolicyDriftDetected)] == [("UNMANAGED", "CRITICAL")]


@pytest.mark.parametrize(
    ("changed", "touches"),
    [
        ({}, {"role/app"}),
        ({"eventName": "AnythingNew"}, {"role/app"}),
        (
            {"eventName": "AddUserToGroup", "requestParameters": {"userName": "u", "groupName": "g"}},
            {"user/u", "group/g"},
        ),
        ({"eventName": "UpdateUser", "requestParameters": {"userName": "u", "newUserName": "v"}}, {"user/u", "user/v"}),
        ({"eventName": "SetDefaultPolicyVersion", "requestParameters": {"policyArn": CUSTOM}}, {"policy/custom"}),
        (
            {
                "eventName": "CreatePolicy",
                "requestParameters": {"policyName": "custom"},
                "responseElements": {"policy": {"arn": CUSTOM}},
            },
            {"policy/custom"},
        ),
        (
            {
                "eventName": "CreateServiceLinkedRole",
                "requestParameters": {"aWSServiceName": "ecs.amazonaws.com"},
                "responseElements": {"role": {"roleName": "AWSServiceRoleForECS"}},
            },
            {"role/AWSServiceRoleForECS"},
        ),
        (
            {"requestParameters": {"roleName": "app", "permissionsBoundary": CUSTOM}},
            {"role/app", "policy/custom"},
        ),
    ],
    ids=lambda value: value.get("eventName", "") if isinstance(value, dict) else "",
)
def test_an_event_names_what_it_touches(changed, touches):
    assert announcement(RECORD | changed).touches == {EntityId(entity) for entity in touches}


@pytest.mark.parametrize(
    "changed",
    [
        {"eventName": "GetRole"},
        {"eventName": "SimulatePrincipalPolicy"},
        {"errorCode": "AccessDenied"},
        {"eventSource": "sts.amazonaws.com"},
        {"requestParameters": None},
        {"requestParameters": "truncated"},
        {"requestParameters": {"policyArn": "no arn"}},
        {"requestParameters": {"roleName": 7}},
        {"eventTime": "yesterday"},
        {"eventID": None, "eventTime": None},
    ],
    ids=str,
)
def test_what_changes_nothing_or_says_nothing_is_no_announcement(changed):
    assert announcement(RECORD | changed) is None


def test_a_record_of_a_hostile_actor_is_kept_short():
    long = "arn:aws:iam::123456789012:user/" + "x" * 100_000

    assert len(announcement(RECORD | {"userIdentity": {"arn": long}}).change.actor) == 512
