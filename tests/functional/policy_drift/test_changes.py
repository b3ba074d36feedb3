"""The queue's entry: an event says where to look, and what cannot be looked at comes again."""

import json

import pytest

from tests.functional.gateway import LambdaContext, sample

OPENED = "PolicyDriftDetected"


@pytest.fixture
def check(scan, cold_start):
    """The function, over a baseline that was captured."""
    scan()
    return cold_start("policy_drift.check_changes_handler")


@pytest.fixture
def drifts(heard):
    """The drifts that were told since the last look, by entity."""
    return lambda: [event["detail"]["data"] for event in heard() if event["detail-type"] == OPENED]


def message(number=1, *, detail=None, **asked):
    """What the queue delivers after PutRolePolicy of the role ``ci``."""
    (sent,) = sample("policy_drift", "queued_change")["Records"]
    event = json.loads(sent["body"])
    event["detail"] |= {"eventID": f"event-{number}"} | (detail or {})
    event["detail"]["requestParameters"] |= asked
    return sent | {"messageId": f"message-{number}", "body": json.dumps(event)}


def deliver(check, *messages):
    failed = check.lambda_handler({"Records": list(messages)}, LambdaContext())["batchItemFailures"]
    return [failure["itemIdentifier"] for failure in failed]


def test_a_change_is_told_with_who_made_it_and_from_where(check, give, drifts):
    give("s3:DeleteObject")

    assert deliver(check, message()) == []

    (told,) = drifts()
    (change,) = told["changes"]
    assert (told["entity"], told["request"]["action"]) == ("role/ci", "s3:DeleteObject")
    assert (change["event_name"], change["source_ip"]) == ("PutRolePolicy", "203.0.113.7")
    assert "mallory" in change["actor"]


def test_duplicates_and_repetitions_are_told_once(check, give, drifts):
    give("s3:DeleteObject")

    assert deliver(check, message(1), message(2), message(1)) == []
    assert deliver(check, message(1)) == []

    assert len(drifts()) == 1


def test_a_thousand_events_of_one_role_are_one_look(check, give, drifts):
    give("s3:DeleteObject")

    assert deliver(check, *(message(number) for number in range(1000))) == []

    assert len(drifts()) == 1


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"text"', "null", "{}", '{"detail": 5}', '{"detail": {"eventSource": "iam.amazonaws.com"}}']
)
def test_what_is_no_event_of_a_change_holds_nothing_up(check, give, drifts, body):
    give("s3:DeleteObject")

    assert deliver(check, message(1) | {"body": body}, message(2)) == []

    assert len(drifts()) == 1


@pytest.mark.parametrize(
    "detail",
    [{"errorCode": "AccessDenied"}, {"eventName": "GetRolePolicy"}, {"eventSource": "s3.amazonaws.com"}],
    ids=["it failed", "it only read", "another service"],
)
def test_what_changed_nothing_leads_to_no_look(check, give, drifts, detail):
    give("s3:DeleteObject")

    assert deliver(check, message(detail=detail)) == []

    assert drifts() == []


def test_a_call_that_nobody_has_heard_of_leads_to_a_look(check, give, drifts):
    give("s3:DeleteObject")

    assert deliver(check, message(detail={"eventName": "EmpowerRole"})) == []

    assert len(drifts()) == 1


def test_a_role_that_is_gone_and_never_was_approved_is_nothing_to_tell(check, drifts):
    assert deliver(check, message(detail={"eventName": "DeleteRole"}, roleName="gone", policyDocument=None)) == []

    assert drifts() == []


def test_access_that_was_given_and_taken_back_before_anybody_looked_is_told(check, drifts):
    assert deliver(check, message()) == []

    assert [told["kind"] for told in drifts()] == ["TRANSIENT"]


def test_before_there_is_a_baseline_nothing_is_looked_at(account, cold_start):
    assert deliver(cold_start("policy_drift.check_changes_handler"), message()) == []


def test_a_role_that_cannot_be_read_comes_again_and_holds_nobody_up(check, give, account, drifts, fails):
    give("s3:DeleteObject")
    account.create_user(UserName="new")
    fails("GetUser", "InternalFailure", times=9)

    assert deliver(check, message(1), message(2, roleName=None, userName="new")) == ["message-2"]

    assert [told["entity"] for told in drifts()] == ["role/ci"]


def test_a_text_that_no_store_takes_is_reported_as_any_other(check, drifts):
    """A lone surrogate in what the event says: of the policy that was given and taken away, and of who did it."""
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "\\ud800*"}]}'

    assert deliver(check, message(detail={"userAgent": "\ud800"}, policyDocument=document)) == []

    assert [told["kind"] for told in drifts()] == ["TRANSIENT"]


def test_what_cannot_be_told_comes_again_with_all_its_messages(check, give, drifts, fails):
    give("s3:DeleteObject")
    fails("PutEvents", "InternalFailure", times=9)

    assert deliver(check, message(1), message(2)) == ["message-1", "message-2"]

    assert drifts() == []
