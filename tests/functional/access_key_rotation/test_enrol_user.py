"""An existing user is enrolled in one call, with and without its present key, and leaves the same way."""

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.domain.names import UserName
from steward.clock import SystemClock
from tests.functional.access_key_rotation.conftest import CONTRACT
from tests.functional.access_key_rotation.test_rotate_user import deliver, message
from tests.functional.gateway import Gateway, client_of, sample

SERVER = UserName("build-server")


class Api(Gateway):
    """Calls of the enrolment."""

    handler = "enrol_user_handler"

    def enrol(self, body=None, **query):
        return self._call("POST", body, query)

    def leave(self, **query):
        return self._call("DELETE", None, query)

    def _call(self, method, body, query):
        event = sample("access_key_rotation", "list_service_users") | {
            "httpMethod": method,
            "path": f"/service-users/{SERVER}/enrolment",
            "resource": "/service-users/{name}/enrolment",
            "pathParameters": {"name": SERVER},
        }
        return self.request(event, body, query=query or None)


@pytest.fixture
def api(aws, cold_start):
    factory = logging.getLogRecordFactory()
    yield Api(CONTRACT, cold_start)
    logging.setLogRecordFactory(factory)  # the handler guards the logs for good


@pytest.fixture
def worker(hasty, trail, cold_start):
    return cold_start(
        "access_key_rotation.rotate_user_handler",
        ROTATION_ROLES="",
        ROTATION_FUNCTION="",
        IAM_EVENTS_REGION="us-east-1",
    )


@pytest.fixture
def key(aws):
    """The key of a user on the service path that is not enrolled."""
    client_of("iam").create_user(UserName=SERVER, Path="/service/")
    return client_of("iam").create_access_key(UserName=SERVER)["AccessKey"]


def record():
    return DynamoDbRotationRecords(client_of("dynamodb"), "state", SystemClock()).find(SERVER)


def tags():
    return {tag["Key"]: tag["Value"] for tag in client_of("iam").list_user_tags(UserName=SERVER)["Tags"]}


def current():
    value = client_of("secretsmanager").get_secret_value(SecretId=SERVER.secret_name, VersionStage="AWSCURRENT")
    return json.loads(value["SecretString"])


def test_the_preview_shows_keys_uses_and_times_and_changes_nothing(api, key, heard):
    status, _, body = api.enrol(dry_run="true")

    assert status == 200
    assert [(k["id"], k["status"]) for k in body["keys"]] == [(key["AccessKeyId"], "Active")]
    assert (body["refused_because"], body["drains"], body["awaits"]) == ([], [key["AccessKeyId"]], None)
    assert len(body["steps"]) == 5
    assert tags() == {}
    assert record() is None
    assert heard() == []


def test_one_call_enrols_and_the_present_key_works_on(api, worker, key, heard):
    status, _, _ = api.enrol({})
    assert {event["detail-type"] for event in heard()} == {"ServiceUserEnrolled", "AccessKeyRotationDue"}

    assert deliver(worker, message(SERVER, 1)) == {"batchItemFailures": []}

    listed = client_of("iam").list_access_keys(UserName=SERVER)["AccessKeyMetadata"]
    assert status == 202
    assert record().state == "DRAINING"
    assert current()["AccessKeyId"] not in {None, key["AccessKeyId"]}
    assert {one["Status"] for one in listed} == {"Active"}
    assert len(listed) == 2


def test_the_present_key_is_stored_by_its_holder_and_becomes_current(api, worker, key):
    assert api.enrol({"first_secret": "present-key"})[2]["awaits"] == key["AccessKeyId"]
    deliver(worker, message(SERVER, 1))
    assert (record().state, current()["AccessKeyId"]) == ("AWAITING_KEY", None)
    value = {
        "Version": 1,
        "AccessKeyId": key["AccessKeyId"],
        "SecretAccessKey": key["SecretAccessKey"],
        "UserName": SERVER,
        "CreatedAt": key["CreateDate"].isoformat(),
    }
    client_of("secretsmanager").put_secret_value(
        SecretId=SERVER.secret_name, SecretString=json.dumps(value), VersionStages=["AWSPENDING"]
    )

    deliver(worker, message(SERVER, 2))

    assert (record().state, current()["AccessKeyId"]) == ("STEADY", key["AccessKeyId"])
    assert len(client_of("iam").list_access_keys(UserName=SERVER)["AccessKeyMetadata"]) == 1


def test_a_key_in_a_request_is_refused_and_not_repeated(api, key):
    status, _, problem = api.enrol({"secret_access_key": key["SecretAccessKey"]})

    assert status == 422
    assert "the API takes no key" in problem["detail"]
    assert key["SecretAccessKey"] not in problem["detail"]


def test_every_reason_against_it_is_named_at_once(api, aws):
    iam = client_of("iam")
    iam.create_user(UserName=SERVER)
    keys = [iam.create_access_key(UserName=SERVER)["AccessKey"]["AccessKeyId"] for _ in range(2)]
    iam.create_login_profile(UserName=SERVER, Password="not-a-service-user-1")
    client_of("secretsmanager").create_secret(Name=SERVER.secret_name, SecretString="{}")

    status, _, preview = api.enrol(dry_run="true")
    refused, _, problem = api.enrol()

    assert (status, refused) == (200, 409)
    reasons = "; ".join(preview["refused_because"])
    assert problem["detail"] == reasons
    for words in (
        "--new-path /service/",
        "console password",
        "both slots are taken",
        "has no tag steward:stack",
        *keys,
    ):
        assert words in reasons
    assert preview["steps"] == []
    assert tags() == {}


def test_a_user_that_does_not_exist_is_not_found(api, aws):
    assert api.enrol()[0] == 404


def test_enrolling_twice_is_refused_and_changes_nothing(api, key):
    api.enrol()
    before = record()

    status, _, problem = api.enrol()

    assert status == 409
    assert "enrolled already" in problem["detail"]
    assert record() == before


def test_a_tag_that_could_not_be_written_is_written_by_the_next_call(api, key, fails):
    fails("TagUser", "ServiceFailure")
    assert api.enrol()[0] == 503

    assert api.enrol()[0] == 202
    assert tags() == {"steward:rotate": "true"}


def test_a_user_leaves_and_its_key_and_its_secret_stay(api, worker, key, heard):
    api.enrol({})
    deliver(worker, message(SERVER, 1))
    before, kept = current(), len(client_of("iam").list_access_keys(UserName=SERVER)["AccessKeyMetadata"])
    preview = api.leave(dry_run="true")
    assert tags() == {"steward:rotate": "true"}
    heard()

    status, _, body = api.leave()

    described = client_of("secretsmanager").describe_secret(SecretId=SERVER.secret_name)
    assert (status, preview[0]) == (200, 200)
    assert body["steps"] == [
        step | {"not_before": new["not_before"]} for step, new in zip(preview[2]["steps"], body["steps"], strict=True)
    ]
    assert (tags(), record(), current()) == ({}, None, before)
    assert not described.get("RotationEnabled")
    assert "steward:stack" not in {tag["Key"] for tag in described.get("Tags", [])}
    assert len(client_of("iam").list_access_keys(UserName=SERVER)["AccessKeyMetadata"]) == kept
    assert [event["detail-type"] for event in heard()] == ["ServiceUserLeft"]


def test_the_leak_of_a_key_stays_on_record_when_its_user_leaves(api, worker, key):
    api.enrol({})
    deliver(worker, message(SERVER, 1))
    records = DynamoDbRotationRecords(client_of("dynamodb"), "state", SystemClock())
    claim = records.claim(SERVER, "a leak", timedelta(minutes=1))
    leaked = claim.record.current_key
    records.release(claim, claim.record.noting(leaked, replace(claim.record.history(leaked), compromised=True)))
    client_of("iam").update_access_key(UserName=SERVER, AccessKeyId=leaked, Status="Inactive")

    assert api.leave()[0] == 200

    assert record().state == "RELEASED"
    assert {key: history.compromised for key, history in record().keys.items()} == {leaked: True}


def test_leaving_that_died_is_finished_by_the_same_call(api, worker, key, fails):
    api.enrol({})
    deliver(worker, message(SERVER, 1))
    fails("UntagResource", "InternalServiceError")
    assert api.leave()[0] == 503

    assert api.leave()[0] == 200
    assert record() is None


def test_a_stranger_has_nothing_to_leave(api, key):
    status, _, problem = api.leave()

    assert status == 409
    assert "not enrolled" in problem["detail"]
