"""CloudTrail's records: found in what carries them, with the actor that they name."""

import base64
import gzip
import json

import pytest

from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.changes.wrappings import records_in

ACCOUNT = "111122223333"
ISSUER = {"sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:role/ci/deploy"}}}
RECORD = {
    "eventID": "e1",
    "eventName": "PutRolePolicy",
    "eventSource": "iam.amazonaws.com",
    "eventTime": "2026-05-04T12:00:00Z",
    "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory"},
    "requestParameters": {"roleName": "app", "policyName": "own"},
}
EVENT = {"detail-type": "AWS API Call via CloudTrail", "detail": RECORD}
LOGS = {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": json.dumps(RECORD)}]}


def encoded(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


def compressed(value):
    return base64.b64encode(gzip.compress(json.dumps(value).encode())).decode()


WRAPPED = {
    "a record": RECORD,
    "its text": json.dumps(RECORD),
    "a trail's file": {"Records": [RECORD]},
    "EventBridge": EVENT,
    "a queue": {"Records": [{"messageId": "m", "body": json.dumps(EVENT)}]},
    "a received message": {"Messages": [{"Body": json.dumps(EVENT)}]},
    "a topic": {"Records": [{"Sns": {"Message": json.dumps(EVENT)}}]},
    "a topic's queue": {"Records": [{"body": json.dumps({"Type": "Notification", "Message": json.dumps(EVENT)})}]},
    "a log group": LOGS,
    "a subscription": {"awslogs": {"data": compressed(LOGS)}},
    "Kinesis": {"Records": [{"kinesis": {"data": encoded(EVENT)}}]},
    "Firehose": {"records": [{"recordId": "1", "data": compressed(LOGS)}]},
    "LookupEvents": {"Events": [{"EventId": "e", "CloudTrailEvent": json.dumps(RECORD)}]},
}


@pytest.mark.parametrize("carrier", WRAPPED)
def test_a_record_is_found_in_what_carries_it(carrier):
    assert list(records_in(WRAPPED[carrier])) == [RECORD]


@pytest.mark.parametrize(
    "value",
    [
        *(None, 7, "", "{", "text", [], {}, {"detail": "text"}, {"Records": None}, {"body": "[]"}),
        *({"data": "%%%"}, {"data": "H4sI"}, {"data": encoded("text")}, {"awslogs": {"data": 7}}),
        "[" * 10 + "]" * 10,
    ],
)
def test_what_carries_no_record_has_none(value):
    assert list(records_in(value)) == []


def test_wrappings_without_an_end_have_none():
    value = RECORD
    for _ in range(500):
        value = {"detail": value}

    assert list(records_in(value)) == []


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}, f"arn:aws:iam::{ACCOUNT}:root"),
        ({"type": "AWSService", "invokedBy": "sso.amazonaws.com"}, "sso.amazonaws.com"),
        (
            {"type": "AssumedRole", "principalId": "AROAX:run", **ISSUER},
            f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run",
        ),
        ({"type": "AssumedRole", **ISSUER}, f"arn:aws:iam::{ACCOUNT}:role/ci/deploy"),
        (
            {"type": "AWSAccount", "accountId": "444455556666", "principalId": "AIDAX"},
            "AWSAccount 444455556666 AIDAX",
        ),
        ({"type": "Unknown"}, "Unknown"),
        ({}, "unknown"),
        (None, "unknown"),
    ],
)
def test_the_actor_is_what_the_record_says_of_it(identity, actor):
    event = change_event(RECORD | {"userIdentity": identity})

    assert event is not None
    assert event.change.actor == actor
