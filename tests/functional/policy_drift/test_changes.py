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
    """The drifts that were published since the last call, by entity."""
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


def test_a_change_is_published_with_its_actor_and_address(check, give, drifts):
    give("s3:DeleteObject")

    assert deliver(check, message()) == []

    (detected,) = drifts()
    (change,) = detected["changes"]
    assert (detected["entity"], detected["request"]["action"]) == ("role/ci", "s3:DeleteObject")
    assert (change["event_name"], change["source_ip"]) == ("PutRolePolicy", "203.0.113.7")
    assert "mallory" in change["actor"]


def test_duplicates_and_repetitions_are_published_once(check, give, drifts):
    give("s3:DeleteObject")

    assert deliver(check, message(1), message(2), message(1)) == []
    assert deliver(check, message(1)) == []

    assert len(drifts()) == 1


def test_a_thousand_events_of_one_role_are_one_check(check, give, drifts):
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
def test_an_event_that_changed_nothing_starts_no_check(check, give, drifts, detail):
    give("s3:DeleteObject")

    assert deliver(check, message(detail=detail)) == []

    assert drifts() == []


def test_an_unknown_call_starts_a_check(check, give, drifts):
    give("s3:DeleteObject")

    assert deliver(check, message(detail={"eventName": "EmpowerRole"})) == []

    assert len(drifts()) == 1


def test_a_deleted_role_that_was_never_approved_publishes_nothing(check, drifts):
    assert deliver(check, message(detail={"eventName": "DeleteRole"}, roleName="gone", policyDocument=None)) == []

    assert drifts() == []


def test_access_that_was_given_and_taken_back_before_the_check_is_published(check, drifts):
    assert deliver(check, message()) == []

    assert [detected["kind"] for detected in drifts()] == ["TRANSIENT"]


def test_without_a_baseline_nothing_is_checked(account, cold_start):
    assert deliver(cold_start("policy_drift.check_changes_handler"), message()) == []


def test_an_unreadable_role_is_retried_without_blocking_others(check, give, account, drifts, fails):
    give("s3:DeleteObject")
    account.create_user(UserName="new")
    fails("GetUser", "InternalFailure", times=9)

    assert deliver(check, message(1), message(2, roleName=None, userName="new")) == ["message-2"]

    assert [detected["entity"] for detected in drifts()] == ["role/ci"]


@pytest.mark.parametrize(
    "hostile",
    [
        message(2, detail={"eventTime": "2026-05-04T12:00:00"}),
        message(2, detail={"eventTime": "0001-01-01T00:00:00+14:00"}),
        message(2, detail={"userIdentity": ["arn"], "sourceIPAddress": {}}),
        message(2, policyDocument="[" * 100_000),
        message(2) | {"body": "[" * 100_000},
    ],
    ids=["no zone", "before the first year", "another shape", "a deep document", "a deep message"],
)
def test_an_event_that_breaks_a_check_blocks_no_other(check, give, drifts, hostile):
    give("s3:DeleteObject")

    failed = deliver(check, message(1), hostile, message(3, roleName=None, userName="gone"))

    assert failed in ([], ["message-2"])
    assert {detected["entity"] for detected in drifts()} >= {"role/ci", "user/gone"}


def test_an_error_of_our_own_in_one_entity_is_retried_without_blocking_others(check, give, account, drifts, fails):
    """What IAM answers for the user has no shape that the code knows."""
    give("s3:DeleteObject")
    account.create_user(UserName="new")
    fails.with_error("GetUser", TypeError("a time without a zone"), times=9)

    assert deliver(check, message(1), message(2, roleName=None, userName="new")) == ["message-2"]

    assert [detected["entity"] for detected in drifts()] == ["role/ci"]


def test_a_text_that_no_store_takes_is_reported_as_any_other(check, drifts):
    """A lone surrogate in what the event says: of the policy that was given and taken away, and of who did it."""
    document = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "\\ud800*"}]}'

    assert deliver(check, message(detail={"userAgent": "\ud800"}, policyDocument=document)) == []

    assert [detected["kind"] for detected in drifts()] == ["TRANSIENT"]


def test_a_result_that_cannot_be_published_is_retried_with_all_its_messages(check, give, drifts, fails):
    give("s3:DeleteObject")
    fails("PutEvents", "InternalFailure", times=9)

    assert deliver(check, message(1), message(2)) == ["message-1", "message-2"]

    assert drifts() == []
