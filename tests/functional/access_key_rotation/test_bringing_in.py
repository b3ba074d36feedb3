"""A user who has a key is brought in as the page says, and nobody is cut off."""

import json
import re
from pathlib import Path

import pytest

from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.domain.names import UserName
from steward.clock import SystemClock
from tests.functional.access_key_rotation.test_rotate_user import deliver, message, requested
from tests.functional.gateway import client_of

PAGE = (Path(__file__).parents[3] / "docs" / "access-key-rotation.md").read_text(encoding="utf-8")
STEPS = PAGE.partition("## Bring in a user who has a key")[2].partition("\n## ")[0]
SERVER = UserName("build-server")


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
    """The key of a user who is not on the service path."""
    client_of("iam").create_user(UserName=SERVER)
    return client_of("iam").create_access_key(UserName=SERVER)["AccessKey"]


def value_of(key):
    """What the page has jq make of the user's name, the key, and its creation as the AWS CLI prints it."""
    (form,) = re.findall(r"'({Version: .*?})'", STEPS)
    values = {
        "$key": key["AccessKeyId"],
        "env.SECRET": key["SecretAccessKey"],
        "$user": SERVER,
        "$created": key["CreateDate"].isoformat(),
    }
    for variable, value in values.items():
        form = form.replace(variable, json.dumps(value))
    return re.sub(r"(\w+): ", r'"\1": ', form)


def follow_the_steps(key):
    iam, secrets = client_of("iam"), client_of("secretsmanager")
    (tag,) = re.findall(r'create-secret [\s\S]*?--tags "Key=([^,]+),Value=\$STACK"', STEPS)
    (path,) = re.findall(r"--new-path (\S+)", STEPS)
    enrols, on = re.findall(r"tag-user .*Key=([^,]+),Value=(\S+)", STEPS)[0]

    secrets.create_secret(Name=SERVER.secret_name, SecretString=value_of(key), Tags=[{"Key": tag, "Value": "steward"}])
    iam.update_user(UserName=SERVER, NewPath=path)
    iam.tag_user(UserName=SERVER, Tags=[{"Key": enrols, "Value": on}])


def record():
    return DynamoDbRotationRecords(client_of("dynamodb"), "state", SystemClock()).find(SERVER)


def keys():
    listed = client_of("iam").list_access_keys(UserName=SERVER)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in listed}


def test_the_key_that_consumers_hold_becomes_the_current_one(worker, heard, key):
    follow_the_steps(key)

    assert deliver(worker, message(SERVER, 1)) == {"batchItemFailures": []}

    assert (record().state, record().notice) == ("STEADY", None)
    assert record().history(key["AccessKeyId"]).promoted_at
    assert keys() == {key["AccessKeyId"]: "Active"}
    assert "AccessKeyRotationBlocked" not in {event["detail-type"] for event in heard()}


def test_a_key_is_replaced_on_request_and_works_on(worker, key):
    follow_the_steps(key)
    deliver(worker, message(SERVER, 1))

    deliver(worker, requested(message(SERVER, 2, reason="routine", key_id=key["AccessKeyId"])))

    assert record().state == "DRAINING"
    assert keys()[key["AccessKeyId"]] == "Active"
    assert len(keys()) == 2


def test_without_its_secret_the_user_is_blocked(worker, key):
    client_of("iam").update_user(UserName=SERVER, NewPath="/service/")
    client_of("iam").tag_user(UserName=SERVER, Tags=[{"Key": "steward:rotate", "Value": "true"}])

    deliver(worker, message(SERVER, 1))

    assert record().state == "BLOCKED"
    assert key["AccessKeyId"] in record().notice.text
