"""AWS Health's entry: what it asks for, and what it refuses to guess."""

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from steward.errors import InvalidRequestError, UpstreamError
from tests.functional.gateway import LambdaContext, client_of, sample

FOREIGN = "AKIAFOREIGNFOREIGN00"


@pytest.fixture
def handler(aws, cold_start):
    return cold_start("access_key_rotation.replace_exposed_keys_handler")


@pytest.fixture
def key(aws):
    """The key of a service user."""
    client_of("iam").create_user(UserName="ecr-push", Path="/service/")
    return client_of("iam").create_access_key(UserName="ecr-push")["AccessKey"]["AccessKeyId"]


@pytest.fixture
def _iam_refuses_foreign_keys(monkeypatch):
    """What moto lacks: AWS's answer for the key of another account."""
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client, operation, parameters):
        if parameters.get("AccessKeyId") == FOREIGN:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, operation)
        return reached(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code


def finding(*key_ids):
    """AWS Health's event about these keys."""
    event = sample("access_key_rotation", "exposed_key")
    return event | {"detail": event["detail"] | {"affectedEntities": [{"entityValue": key_id} for key_id in key_ids]}}


def due(heard):
    return [event["detail"]["data"] for event in heard() if event["detail-type"] == "AccessKeyRotationDue"]


def test_the_key_of_a_user_is_to_be_replaced_at_once(handler, key, heard):
    handler.lambda_handler(finding(key), LambdaContext())

    (asked,) = due(heard)
    assert (asked["user_name"], asked["key_id"], asked["reason"]) == ("ecr-push", key, "compromised")


def test_a_key_that_is_named_twice_is_asked_for_once(handler, key, heard):
    handler.lambda_handler(finding(key, key), LambdaContext())

    assert len(due(heard)) == 1


def test_an_event_that_comes_twice_asks_again(handler, key, heard):
    """Harmless: a leak that is recorded already changes nothing."""
    handler.lambda_handler(finding(key), LambdaContext())
    handler.lambda_handler(finding(key), LambdaContext())

    assert [asked["key_id"] for asked in due(heard)] == [key, key]


@pytest.mark.usefixtures("_iam_refuses_foreign_keys")
def test_a_key_of_an_unknown_owner_needs_a_person_and_delays_no_other(handler, key, heard):
    with pytest.raises(UpstreamError, match=FOREIGN):
        handler.lambda_handler(finding(FOREIGN, key), LambdaContext())

    assert [asked["key_id"] for asked in due(heard)] == [key]


@pytest.mark.parametrize(
    ("detail", "says"),
    [
        (None, "affectedEntities"),
        ({}, "affectedEntities"),
        ({"affectedEntities": None}, "affectedEntities"),
        ({"affectedEntities": []}, "is empty"),
        ({"affectedEntities": ["AKIAEXAMPLE000000001"]}, "entityValue"),
        ({"affectedEntities": [{"entityArn": "arn"}]}, "entityValue"),
        ({"affectedEntities": [{"entityValue": 7}]}, "names no access key"),
        ({"affectedEntities": [{"entityValue": "i-0abc"}]}, "i-0abc"),
        ({"affectedEntities": [{"entityValue": "build_server_of_team_a"}]}, "build_server_of_team_a"),
    ],
)
def test_an_event_that_names_no_key_says_so(handler, heard, detail, says):
    with pytest.raises(InvalidRequestError, match=says):
        handler.lambda_handler(finding() | {"detail": detail}, LambdaContext())

    assert due(heard) == []


def test_a_truncated_event_says_so(handler):
    with pytest.raises(InvalidRequestError, match="affectedEntities"):
        handler.lambda_handler({"id": "1"}, LambdaContext())
