"""The list of the account's access keys: what its function answers is what the drift report takes."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from access_key_rotation.domain.inventory import Holder, Report, ReportedKey, ReportedUser, Use, inventory_of
from access_key_rotation.inventory_representation import MOST_REPORTED, document_for_reports
from policy_drift.adapters.lambda_key_inventory import REQUEST, LambdaKeyInventory
from steward.aws.clients import client
from steward.errors import UpstreamError

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def reported(name, days, *, use=Use.USED, used_days=1, active=True):
    key = ReportedKey(active, NOON - timedelta(days=days), use, NOON - timedelta(days=used_days), "s3", "us-east-1")
    return ReportedUser(name, f"arn:aws:iam::123456789012:user/{name}", has_password=False, has_mfa=False, keys=(key,))


def listed(*users, enrolled=()):
    report = Report(NOON, users, ("strange",))
    path = "/service/"
    holders = {
        one.name: Holder(path, {"owner": "team-a"}, one.name in enrolled, is_on_service_path=True) for one in users
    }
    return document_for_reports(inventory_of(report, holders, NOON))


def answering(payload, **more):
    functions = client("lambda", once=True, seconds=5)
    stubber = Stubber(functions)
    body = StreamingBody(io.BytesIO(payload), len(payload))
    expected = {"FunctionName": "access-keys", "Payload": json.dumps(REQUEST).encode()}
    stubber.add_response("invoke", {"StatusCode": 200, "Payload": body, **more}, expected)
    stubber.activate()
    return LambdaKeyInventory(functions, "access-keys")


@pytest.fixture(autouse=True)
def region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


def test_the_report_gets_the_active_keys_that_are_old_unused_or_without_rotation_oldest_first():
    users = (
        reported("old", 400),
        reported("enrolled", 30),
        reported("unused", 100, used_days=95),
        reported("young", 3),
        reported("inactive", 500, active=False),
    )

    keys = answering(json.dumps(listed(*users, enrolled={"enrolled", "old"})).encode()).read()

    assert [(key.user, key.way_out) for key in keys.keys] == [
        ("old", "rotation"),
        ("unused", "unused"),
        ("young", "rotation"),
    ]
    assert (keys.keys[0].owner, keys.keys[0].age_days, keys.keys[0].rotated_by) == ("team-a", 400, "steward")
    assert (keys.summary.keys, keys.summary.active, keys.summary.old) == (5, 4, 2)
    assert (keys.as_of, keys.old_days, keys.left_out, keys.unreadable) == (NOON.isoformat(), 90, 0, ("strange",))


def test_a_large_account_is_counted_whole_and_its_oldest_keys_are_listed():
    users = tuple(reported(f"user-{number}", number) for number in range(MOST_REPORTED + 7))

    keys = answering(json.dumps(listed(*users)).encode()).read()

    assert (len(keys.keys), keys.left_out, keys.summary.active) == (MOST_REPORTED, 7, MOST_REPORTED + 7)
    assert keys.keys[0].user == f"user-{MOST_REPORTED + 6}"


@pytest.mark.parametrize("payload", [b"", b"null", b"{}", b'{"as_of": 7}', b"<html>", b'"' + b"x" * 99])
def test_an_answer_that_is_no_list_is_unknown(payload):
    with pytest.raises(UpstreamError, match="access-keys answered no list of keys"):
        answering(payload).read()


def test_a_function_that_failed_is_named_and_its_error_is_not_quoted():
    failed = answering(b'{"errorMessage": "a text of others"}', FunctionError="Unhandled")

    with pytest.raises(UpstreamError, match="access-keys failed; its log says why") as raised:
        failed.read()
    assert "a text of others" not in str(raised.value)
