"""The queue's entry: each user of a batch by itself, and nobody's word taken twice."""

import json
from collections import Counter

import pytest
from botocore.client import BaseClient

from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Demand, Reason
from steward.clock import SystemClock
from tests.functional.gateway import LambdaContext, client_of, sample

PULL = "ecr-pull"


@pytest.fixture
def calls(monkeypatch):
    """The operations that are asked of AWS from now on."""
    reached, seen = BaseClient._make_api_call, Counter()  # type: ignore[attr-defined]

    def call(client, operation, parameters):
        seen[operation] += 1
        return reached(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
    return seen


@pytest.fixture
def users(aws):
    tags = [{"Key": "steward:rotate", "Value": "true"}]
    for name in ("ecr-push", PULL):
        client_of("iam").create_user(UserName=name, Path="/service/", Tags=tags)


@pytest.fixture
def worker(hasty, trail, cold_start, users):
    return cold_start(
        "access_key_rotation.rotate_user_handler",
        ROTATION_ROLES="",
        ROTATION_FUNCTION="",
        IAM_EVENTS_REGION="us-east-1",
    )


def message(user, number, *, received="1", **due):
    """What the queue delivers when a user is due."""
    (sent,) = sample("access_key_rotation", "queued_rotation")["Records"]
    event = json.loads(sent["body"])
    event["detail"]["data"] |= {"user_name": user, "reason": "scheduled", "key_id": None} | due
    attributes = {"ApproximateReceiveCount": received}
    return sent | {"messageId": f"message-{number}", "body": json.dumps(event), "attributes": attributes}


def requested(sent):
    """The same message, of a request that the API has stored."""
    detail = json.loads(sent["body"])["detail"]
    data, number = detail["data"], detail["metadata"]["correlation_id"]
    by, session = data.get("requested_by", ""), data.get("session", "")
    records = DynamoDbRotationRecords(client_of("dynamodb"), "state", SystemClock())
    records.request(UserName(data["user_name"]), Demand(data["key_id"], Reason(data["reason"]), number, by, session))
    return sent


def deliver(worker, *messages):
    return worker.lambda_handler({"Records": list(messages)}, LambdaContext())


def current_key(user):
    got = client_of("secretsmanager").get_secret_value(
        SecretId=f"steward/service-users/{user}", VersionStage="AWSCURRENT"
    )
    return json.loads(got["SecretString"])["AccessKeyId"]


def test_every_user_of_a_batch_gets_its_key(worker, heard):
    answer = deliver(worker, message("ecr-push", 1), message(PULL, 2))

    assert answer == {"batchItemFailures": []}
    assert current_key("ecr-push") != current_key(PULL)
    rotated = [event["detail"]["data"]["user_name"] for event in heard() if event["detail-type"] == "AccessKeyRotated"]
    assert sorted(rotated) == [PULL, "ecr-push"]


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"detail": {"data": {"user_name": "no/name"}}}'])
def test_a_message_that_cannot_be_read_comes_again_and_holds_nothing_up(worker, body):
    answer = deliver(worker, message("ecr-push", 1) | {"body": body}, message(PULL, 2))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert current_key(PULL)


def test_only_the_message_of_a_failed_user_is_retried(worker, fails):
    fails("CreateSecret", "InternalServiceError")

    answer = deliver(worker, message("ecr-push", 1))
    again = deliver(worker, message("ecr-push", 1, received="2"), message(PULL, 2))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert again == {"batchItemFailures": []}


def test_what_an_unexpected_error_says_is_not_logged(worker, fails, caplog):
    fails.with_error("DescribeSecret", RuntimeError("SECRET+MATERIAL"))

    answer = deliver(worker, message("ecr-push", 1))

    (logged,) = [vars(line) for line in caplog.records if line.message == "unexpected error"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    assert logged["kind"] == "RuntimeError"
    assert "SECRET+MATERIAL" not in repr(logged)


def test_a_message_without_a_stored_request_rotates_nothing(worker):
    deliver(worker, message("ecr-push", 1))
    before = current_key("ecr-push")

    deliver(worker, message("ecr-push", 2, reason="routine", key_id=before, requested_by="123456789012:user/bob"))

    assert current_key("ecr-push") == before


def test_a_message_is_believed_in_nothing_but_the_name_of_the_user(worker, calls):
    """A claim that the user was judged, which earlier versions wrote and every sender can forge, counts for nothing."""
    deliver(worker, message("ecr-push", 1))
    due = {"reason": "routine", "key_id": current_key("ecr-push"), "judged_at": "2999-01-01T00:00:00+00:00"}
    asked = requested(message("ecr-push", 2, **due))
    calls.clear()

    deliver(worker, asked)

    probes_and_tests = {"GetCallerIdentity", "GetAuthorizationToken", "GetSecretValue"}
    shared = {"GetAccountAuthorizationDetails"}  # one reading of the account serves half a minute
    assert {call: number for call, number in calls.items() if call not in probes_and_tests | shared} == {
        "UpdateItem": 2,
        "GetUser": 1,
        "ListAccessKeys": 1,
        "DescribeSecret": 1,
        "GetLoginProfile": 1,
        "ListMFADevices": 1,
        "CreateAccessKey": 1,
        "PutSecretValue": 1,
        "UpdateSecretVersionStage": 1,
        "PutEvents": 1,
    }


def test_an_administrator_gets_no_key_when_a_message_claims_that_it_was_judged(worker, heard):
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    client_of("iam").put_user_policy(UserName="ecr-push", PolicyName="all", PolicyDocument=document)

    deliver(worker, message("ecr-push", 1, judged_at="2999-01-01T00:00:00+00:00"))

    (blocked,) = [event for event in heard() if event["detail-type"] == "AccessKeyRotationBlocked"]
    assert "could gain privileges (escalation path" in blocked["detail"]["data"]["reason"]
    assert client_of("iam").list_access_keys(UserName="ecr-push")["AccessKeyMetadata"] == []
