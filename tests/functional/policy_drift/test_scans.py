"""The scheduled look: what it compares, what it tells, and what it does when the baseline or IAM fails it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policy_drift.adapters.dynamodb_findings import DynamoDbBaselineRecords
from policy_drift.application.ports import PublicationPendingError
from steward.aws.clients import client
from tests.functional.gateway import ACCOUNT, client_of
from tests.functional.policy_drift.conftest import KEY, TRUST, allow

OPENED, OVER = "PolicyDriftDetected", "PolicyDriftResolved"


@pytest.fixture
def published(heard):
    """Names of the events since the last look."""
    return lambda: [event["detail-type"] for event in heard()]


@pytest.fixture
def drift(heard):
    """The data of the one event of a kind since the last look."""

    def data(kind=OPENED):
        (found,) = [event["detail"]["data"] for event in heard() if event["detail-type"] == kind]
        return found

    return data


def s3_event(name, version):
    """What S3 tells EventBridge of a version of the baseline."""
    return {
        "id": "s3-event",
        "source": "aws.s3",
        "detail-type": name,
        "time": "2026-05-04T12:00:00Z",
        "detail": {
            "object": {"key": KEY, "version-id": version},
            "requester": "123456789012",
            "source-ip-address": "203.0.113.7",
        },
    }


def reports():
    return [each["Key"] for each in client_of("s3").list_objects_v2(Bucket="reports").get("Contents", [])]


def test_the_first_scan_captures_the_account_and_finds_nothing(scan, baseline, published):
    answer = scan()

    assert answer["open"] == {}
    assert baseline.read()["reviewed"] is False
    assert set(published()) == {"BaselineChanged", "DriftScanCompleted"}


def test_a_scan_without_new_findings_publishes_its_end_alone(scan, published):
    scan()
    published()

    scan()

    assert published() == ["DriftScanCompleted"]


def test_new_access_is_published_with_a_request_that_proves_it(scan, give, drift, published):
    scan()
    published()
    give("s3:DeleteObject")

    answer = scan()

    found = drift()
    assert answer["open"] == {"MEDIUM": 1}
    assert found["entity"] == "role/ci"
    assert found["request"]["action"] == "s3:DeleteObject"
    assert any("delete-role-policy" in command and "more" in command for command in found["revert"])


def test_the_actor_is_looked_up_if_no_event_arrived(scan, give, history, drift, published):
    scan()
    published()
    give("s3:DeleteObject")
    history["ci"] = [
        {
            "eventID": "e-1",
            "eventName": "PutRolePolicy",
            "eventSource": "iam.amazonaws.com",
            "eventTime": "2099-05-04T12:00:00Z",
            "sourceIPAddress": "203.0.113.7",
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/mallory", "userName": "mallory"},
            "requestParameters": {"roleName": "ci", "policyName": "more"},
        }
    ]

    scan()

    (change,) = drift()["changes"]
    assert change["event_name"] == "PutRolePolicy"
    assert "mallory" in change["actor"]


def test_a_drift_is_published_once_and_its_end_once(scan, give, account, published):
    scan()
    give("s3:DeleteObject")
    scan()
    assert OPENED in published()

    scan()
    assert OPENED not in published()

    account.delete_role_policy(RoleName="ci", PolicyName="more")
    scan()
    scan()
    assert published().count(OVER) == 1


def test_what_is_severe_in_a_captured_baseline_is_listed_until_it_is_reviewed(scan, account, baseline):
    stranger = TRUST.replace('{"Service": "ec2.amazonaws.com"}', '{"AWS": "arn:aws:iam::999999999999:root"}')
    account.create_role(RoleName="open", AssumeRolePolicyDocument=stranger)
    account.create_role(RoleName="admin", AssumeRolePolicyDocument=TRUST)
    account.put_role_policy(RoleName="admin", PolicyName="all", PolicyDocument=allow("*"))

    def listed():
        key = scan()["report"].replace(".html", ".json")
        report = json.loads(client_of("s3").get_object(Bucket="reports", Key=key)["Body"].read())
        return {one["entity"]: (one["severity"], one["reasons"][0]) for one in report["accepted_without_review"]}

    assert listed() == {
        "role/admin": ("CRITICAL", "it is now an administrator"),
        "role/open": ("CRITICAL", "the foreign account 999999999999 can now assume it"),
    }
    baseline.write(json.dumps(baseline.read() | {"reviewed": True}))
    assert listed() == {}


def test_every_scan_leaves_a_report_for_people_and_one_for_programs(scan):
    key = scan()["report"]

    assert [name for name in reports() if name.startswith(key.rpartition(".")[0])]
    assert {name.rpartition(".")[2] for name in reports()} == {"html", "json"}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda _: "", "empty"),
        (lambda text: text[: len(text) // 2], "JSON"),
        (lambda text: text.replace("123456789012", "210987654321"), "210987654321"),
        (lambda _: "[]", "object"),
        (lambda text: text.replace('"Allow"', '"Alow"'), "Alow"),
    ],
    ids=["empty", "truncated", "another account", "no object", "misspelt"],
)
def test_a_baseline_that_cannot_be_used_is_refused_and_the_last_good_one_stays(
    scan, give, baseline, heard, spoil, words
):
    scan()
    heard()
    give("s3:DeleteObject")

    baseline.write(spoil(json.dumps(baseline.read())))
    answer = scan()

    events = {event["detail-type"]: event["detail"]["data"] for event in heard()}
    assert words in json.dumps(events["BaselineRefused"])
    assert answer["open"] == {"HIGH": 1, "MEDIUM": 1}


def test_a_baseline_that_is_gone_is_critical_and_never_made_up_again(scan, baseline, give, published):
    scan()
    baseline.delete()
    give("s3:DeleteObject")

    answer = scan()

    assert answer["open"] == {"CRITICAL": 1, "MEDIUM": 1}
    assert client_of("s3").list_objects_v2(Bucket="baseline").get("KeyCount") == 0


def test_the_writer_of_the_baseline_is_named_as_s3_names_it(scan, baseline, heard):
    scan()
    baseline.write(json.dumps(baseline.read() | {"reviewed": True}))
    version = client_of("s3").head_object(Bucket="baseline", Key=KEY)["VersionId"]
    heard()

    scan(**s3_event("Object Created", version))

    (changed,) = [event["detail"]["data"] for event in heard() if event["detail-type"] == "BaselineChanged"]
    assert changed["by"] == "123456789012 from 203.0.113.7"


def test_the_deleter_of_the_baseline_is_named_as_s3_names_it(scan, baseline, drift, published):
    scan()
    published()
    marker = client_of("s3").delete_object(Bucket="baseline", Key=KEY)["VersionId"]

    scan(**s3_event("Object Deleted", marker))

    (change,) = drift()["changes"]
    assert (change["actor"], change["source_ip"], change["event_id"]) == ("123456789012", "203.0.113.7", "s3-event")


def test_a_baseline_that_was_deleted_for_good_is_critical_until_a_good_one_is_uploaded(scan, baseline, heard):
    scan()
    text = json.dumps(baseline.read())
    version = client_of("s3").head_object(Bucket="baseline", Key=KEY)["VersionId"]
    client_of("s3").delete_object(Bucket="baseline", Key=KEY, VersionId=version)
    heard()

    failed = scan()
    lost = {event["detail-type"]: event["detail"]["data"] for event in heard()}
    baseline.write(text)
    scan()
    back = {event["detail-type"]: event["detail"]["data"] for event in heard()}

    assert "Upload a good one" in failed["failed"]
    assert (lost[OPENED]["kind"], lost[OPENED]["severity"]) == ("BASELINE", "CRITICAL")
    assert back["BaselineChanged"]["severity"] == "CRITICAL"
    assert back[OVER]["kind"] == "BASELINE"


def test_a_baseline_that_approves_a_grant_is_as_severe_as_the_grant(scan, baseline, heard):
    scan()
    heard()
    approved = baseline.read()
    text = json.dumps(approved).replace('"s3:GetObject"', '"iam:*"')

    baseline.write(text)
    scan()

    (changed,) = [event["detail"]["data"] for event in heard() if event["detail-type"] == "BaselineChanged"]
    assert changed["severity"] == "CRITICAL"


@pytest.mark.parametrize("operation", ["GetAccountAuthorizationDetails", "GetObject", "Scan", "PutObject"])
def test_a_scan_that_fails_says_so_and_opens_and_resolves_nothing(scan, give, published, fails, operation):
    scan()
    give("s3:DeleteObject")
    scan()
    published()
    fails(operation, "InternalFailure", times=9)

    answer = scan()

    assert "InternalFailure" in answer["failed"]
    assert published() == ["DriftScanFailed"]


LONE = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*", '
LONE += '"Condition": {"StringEquals": {"aws:username": "\\ud800"}}}]}'


def test_a_text_that_no_store_accepts_does_not_block_the_comparison_of_others(scan, account, give, drift, published):
    """A lone surrogate is ASCII in JSON, and IAM takes it; UTF-8 does not."""
    scan()
    published()
    account.put_role_policy(RoleName="ci", PolicyName="odd", PolicyDocument=LONE)
    account.create_policy(PolicyName="odd", PolicyDocument=LONE)

    answer = scan()

    assert answer["open"] == {"MEDIUM": 1, "LOW": 1}
    scan()
    assert published().count(OPENED) == 2


def test_lambda_repeats_a_scan_when_the_bus_refuses_its_alert(scan, give, fails, published):
    scan()
    published()
    give("s3:DeleteObject")
    fails("PutEvents", "InternalFailure", times=9)

    with pytest.raises(PublicationPendingError, match="yet to be published"):
        scan()

    assert published() == []


def test_a_finding_without_an_event_is_counted_in_a_metric(scan, give, history, capsys):
    """The change is long ago, and later than the baseline in force."""
    scan()
    give("s3:DeleteObject")
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    record = {"eventID": "e-1", "eventName": "PutRolePolicy", "eventSource": "iam.amazonaws.com"}
    history["ci"] = [record | {"eventTime": an_hour_ago.isoformat(), "requestParameters": {"roleName": "ci"}}]
    approved_before(an_hour_ago - timedelta(hours=1))

    scan()

    assert '"DriftsWithoutEvent":[1.0]' in capsys.readouterr().out


def approved_before(moment):
    """As if the baseline had come into force then."""
    records = DynamoDbBaselineRecords(client("dynamodb"), "state", ACCOUNT)
    kept = records.get()
    records.save(replace(kept.value, since=moment, captured=moment), after=kept.revision)


def test_a_scan_that_was_denied_names_what_it_was_denied(scan, fails, published):
    fails("GetAccountAuthorizationDetails", "AccessDenied")

    assert "GetAccountAuthorizationDetails" in scan()["failed"]
