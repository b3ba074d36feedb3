"""Secret sync by its handler, over moto's AWS and a CI server on this machine; nothing of the key is in any log."""

import json
import logging

import pytest

from access_key_rotation.domain.names import UserName
from tests.doubles.ci_server import TOKEN, CiServer
from tests.functional.access_key_rotation.test_rotate_user import deliver, message
from tests.functional.gateway import LambdaContext, client_of
from tests.published_events import golden_event

PUSH = UserName("ecr-push")


@pytest.fixture
def server():
    server = CiServer()
    yield server
    server.close()


@pytest.fixture
def synced(hasty, deploy_settings, server, tmp_path):
    """Settings by which the key is written to four targets."""
    token = "steward/sync-tokens/ci"
    targets = [
        {"parameter": {"name": "/ci/ecr-push"}},
        {"secret": {"secret": "legacy/ecr-push"}},
        {"github": {"repository": "octo/app", "token_secret": token, "api": server.url}},
        {"gitlab": {"project": "group/app", "token_secret": token, "api": server.url}},
    ]
    hastily = (tmp_path / "settings" / "rotation.yaml").read_text(encoding="utf-8")
    rule = json.dumps([{"match": "ecr-push", "targets": targets}])
    deploy_settings("rotation.yaml", hastily.replace("sync: []", f"sync: {rule}"))


@pytest.fixture
def user(aws):
    """A service user that has no key yet, and what its targets need."""
    tags = [{"Key": "steward:rotate", "Value": "true"}]
    client_of("iam").create_user(UserName=PUSH, Path="/service/", Tags=tags)
    client_of("secretsmanager").create_secret(Name="steward/sync-tokens/ci", SecretString=TOKEN)
    client_of("secretsmanager").create_secret(Name="legacy/ecr-push", SecretString="{}")


def test_a_new_key_is_in_four_targets_within_one_event_and_in_no_log(
    synced, trail, cold_start, user, server, heard, caplog, capsys
):
    caplog.set_level(logging.DEBUG)
    environment = {"ROTATION_ROLES": "", "ROTATION_FUNCTION": "", "IAM_EVENTS_REGION": "us-east-1"}
    worker = cold_start("access_key_rotation.rotate_user_handler", **environment)
    sync = cold_start("access_key_rotation.sync_secrets_handler")
    deliver(worker, message(PUSH, 1))

    answer = sync.lambda_handler(golden_event("AccessKeyRotated", user_name=PUSH), LambdaContext())

    secrets = client_of("secretsmanager")
    value = json.loads(secrets.get_secret_value(SecretId=PUSH.secret_name, VersionStage="AWSCURRENT")["SecretString"])
    parameter = client_of("ssm").get_parameter(Name="/ci/ecr-push", WithDecryption=True)["Parameter"]["Value"]
    other = secrets.get_secret_value(SecretId="legacy/ecr-push")["SecretString"]
    assert answer == {"confirmed": 4, "failed": [], "unclear": []}
    assert {json.loads(held)["SecretAccessKey"] for held in (parameter, other)} == {value["SecretAccessKey"]}
    assert set(server.stored.values()) == {value["AccessKeyId"], value["SecretAccessKey"]}
    assert [event["detail-type"] for event in heard()].count("SecretSynced") == 4
    logged = caplog.text + "".join(capsys.readouterr())
    item = str(client_of("dynamodb").scan(TableName="sync")["Items"])
    for secret in (value["SecretAccessKey"], TOKEN):
        assert secret not in logged
        assert secret not in item


def test_the_schedule_writes_what_failed_again_and_a_second_time_nothing(
    synced, trail, cold_start, user, server, heard
):
    environment = {"ROTATION_ROLES": "", "ROTATION_FUNCTION": "", "IAM_EVENTS_REGION": "us-east-1"}
    worker = cold_start("access_key_rotation.rotate_user_handler", **environment)
    sync = cold_start("access_key_rotation.sync_secrets_handler")
    deliver(worker, message(PUSH, 1))
    server.answers = [(503, {})] * 2
    first = sync.lambda_handler({"detail-type": "Scheduled Event", "id": "1"}, LambdaContext())

    second = sync.lambda_handler({"detail-type": "Scheduled Event", "id": "2"}, LambdaContext())
    asked = len(server.requests)
    third = sync.lambda_handler({"detail-type": "Scheduled Event", "id": "3"}, LambdaContext())

    assert (first["confirmed"], first["failed"]) == (3, ["github:octo/app:AWS_SECRET_ACCESS_KEY"])
    assert (second["confirmed"], third["confirmed"]) == (1, 0)
    assert len(server.requests) == asked
    assert "SecretSyncFailed" in [event["detail-type"] for event in heard()]


def test_an_operator_sees_the_targets_of_a_user_before_and_after_they_confirmed(
    synced, trail, cold_start, user, server, api
):
    environment = {"ROTATION_ROLES": "", "ROTATION_FUNCTION": "", "IAM_EVENTS_REGION": "us-east-1"}
    worker = cold_start("access_key_rotation.rotate_user_handler", **environment)
    sync = cold_start("access_key_rotation.sync_secrets_handler")
    deliver(worker, message(PUSH, 1))
    before = api.show()[2]
    server.answers = [(503, {})] * 2

    sync.lambda_handler({"detail-type": "Scheduled Event", "id": "1"}, LambdaContext())
    after = api.show()[2]
    sync.lambda_handler({"detail-type": "Scheduled Event", "id": "2"}, LambdaContext())
    at_last = api.show()[2]

    github = "github:octo/app:AWS_SECRET_ACCESS_KEY"
    (current,) = (key["id"] for key in before["keys"])
    states = [{one["target"]: one["state"] for one in body["sync"]} for body in (before, after, at_last)]
    assert [set(each.values()) for each in states] == [{"pending"}, {"confirmed", "failing"}, {"confirmed"}]
    failing = next(one for one in after["sync"] if one["target"] == github)
    assert failing["state"] == "failing"
    assert "503" in failing["reason"]
    assert failing["failing_since"] == failing["last_tried_at"] < failing["next_try_at"]
    assert {one["key_id"] for one in at_last["sync"]} == {current}
    assert all(one["next_try_at"] is None and one["confirmed_at"] for one in at_last["sync"])


def test_a_user_is_shown_although_the_record_of_its_targets_cannot_be_read(
    synced, trail, cold_start, user, server, api, aws
):
    environment = {"ROTATION_ROLES": "", "ROTATION_FUNCTION": "", "IAM_EVENTS_REGION": "us-east-1"}
    deliver(cold_start("access_key_rotation.rotate_user_handler", **environment), message(PUSH, 1))
    client_of("dynamodb").delete_table(TableName="sync")

    body = api.show()[2]

    assert body["state"] == "STEADY"
    assert {one["state"] for one in body["sync"]} == {"unknown"}
    assert all(one["reason"] and one["key_id"] is None for one in body["sync"])
