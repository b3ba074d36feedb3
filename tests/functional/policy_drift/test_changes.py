"""The queue's entry: an event says where to look, and what cannot be looked at comes again."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from steward.errors import UpstreamError
from tests.functional.gateway import LambdaContext, client_of, sample

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


def test_a_change_that_passed_a_topic_is_published(check, give, drifts):
    give("s3:DeleteObject")
    sent = message()

    assert deliver(check, sent | {"body": json.dumps({"Type": "Notification", "Message": sent["body"]})}) == []

    assert [one["entity"] for one in drifts()] == ["role/ci"]


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


@pytest.fixture
def queue(aws):
    """The queue of the changes; takes what is visible in it."""
    sqs = client_of("sqs")
    url = sqs.create_queue(QueueName="changes", Attributes={"VisibilityTimeout": "180"})["QueueUrl"]

    class Queue:
        def send(self, *messages):
            for one in messages:
                sqs.send_message(QueueUrl=url, MessageBody=one["body"])

        def receive(self):
            """As Lambda hands messages to the function."""
            got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            return [{"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "body": m["Body"]} for m in got]

    return Queue()


def just_now(number, seconds_ago, **asked):
    made = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return message(number, detail={"eventTime": made.isoformat()}, **asked)


def test_a_change_that_iam_does_not_show_comes_again_when_it_is_to_be_checked_again(check, queue, give, drifts):
    queue.send(*(just_now(number, 29, roleName=f"unseen-{number}") for number in range(10)))
    received = queue.receive()

    again = deliver(check, *received)

    assert again == [one["messageId"] for one in received]
    assert drifts() == []
    deadline = time.monotonic() + 20
    seen = []
    while len(seen) < len(received) and time.monotonic() < deadline:
        seen += [one["messageId"] for one in queue.receive()]
    assert sorted(seen) == sorted(again)


def test_a_change_that_is_not_shown_holds_back_no_other(check, queue, give, drifts):
    give("s3:DeleteObject")
    queue.send(just_now(1, 29, roleName="unseen"))
    (unseen,) = queue.receive()

    assert deliver(check, unseen, message(2)) == [unseen["messageId"]]

    assert [detected["entity"] for detected in drifts()] == ["role/ci"]


def test_a_queue_that_refuses_fails_the_check_after_all_is_recorded(check, queue, give, drifts, fails):
    give("s3:DeleteObject")
    queue.send(just_now(1, 0, roleName="unseen"))
    (unseen,) = queue.receive()
    fails("ChangeMessageVisibility", "InternalFailure", times=9)

    with pytest.raises(UpstreamError):
        deliver(check, unseen, message(2))

    assert [detected["entity"] for detected in drifts()] == ["role/ci"]
