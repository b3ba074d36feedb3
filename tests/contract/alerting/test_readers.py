"""The topic and Security Hub, as SNS and Security Hub take what we send, and how their errors are read."""

import json
import re
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from alerting.adapters.dynamodb_memory import DynamoDbDeliveries, DynamoDbOpenItems, DynamoDbPendingAlerts
from alerting.adapters.security_hub import SecurityHubFindings
from alerting.adapters.sns_topic import SnsTopic
from alerting.alert_envelope import bus_event
from alerting.application.ports import FindingRefusedError
from alerting.domain.alert import Channel, PendingAlert
from alerting.domain.foreign_text import is_clean
from alerting.domain.open_items import item_of
from alerting.domain.routing import RoutedAlert
from steward.aws.clients import client
from steward.errors import AccessDeniedError, ThrottledError, UpstreamError
from steward.severity import Severity
from tests.doubles.frozen_clock import FrozenClock
from tests.published_events import alert_about, golden_event

BOTH, CHAT = frozenset({Channel.MAIL, Channel.CHAT}), frozenset({Channel.CHAT})
DRIFT = "PolicyDriftDetected"
TOPIC = "arn:aws:sns:ca-central-1:123456789012:alerts"


def routed(name, channels=frozenset(Channel), **changed):
    """An event's alert, with its open item, on its way to these channels."""
    event = golden_event(name, **changed)
    alert = alert_about(event)
    return RoutedAlert(alert, frozenset(channels), item_of(bus_event(event), alert, None))


@pytest.fixture
def reader(moto):
    """Publishes on a real topic and reads what a queue gets; it may filter as the mail subscription does."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="alerts")["TopicArn"]

    def read(sent, filter_policy=None):
        url = sqs.create_queue(QueueName=f"q{filter_policy is None}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        SnsTopic(client("sns"), topic).send(sent)
        got = sqs.receive_message(QueueUrl=url).get("Messages", [])
        return [json.loads(each["Body"]) for each in got]

    return read


def test_a_subscriber_that_is_no_chat_gets_the_mail(reader):
    (got,) = reader(routed(DRIFT, BOTH))

    assert got["Subject"] == "[123456789012] CRITICAL: Policy drift of role/ci-deploy"
    assert got["Message"].startswith("CRITICAL: Policy drift of role/ci-deploy\n")
    assert got["MessageAttributes"]["severity"]["Value"] == "CRITICAL"
    assert json.loads(got["MessageAttributes"]["channels"]["Value"]) == ["chat", "mail"]


def test_the_mail_s_filter_takes_what_is_for_mail(reader):
    assert len(reader(routed(DRIFT, BOTH), {"channels": ["mail"]})) == 1


def test_the_mail_s_filter_leaves_out_what_is_for_chat(reader):
    assert reader(routed(DRIFT, CHAT), {"channels": ["mail"]}) == []


@pytest.mark.parametrize(("channels", "texts"), [(BOTH, {"default", "https"}), ({Channel.MAIL}, {"default"})])
def test_chat_has_a_text_of_its_own_where_chat_is_meant(channels, texts):
    sns = boto3.client("sns", region_name="ca-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    sent = []
    sns.meta.events.register("provide-client-params.sns.Publish", lambda params, **_: sent.append(params))
    with Stubber(sns) as stubber:
        stubber.add_response("publish", {"MessageId": "1"})
        SnsTopic(sns, TOPIC).send(routed(DRIFT, channels))

    assert json.loads(sent[0]["Message"]).keys() == texts
    assert sent[0]["MessageStructure"] == "json"


@pytest.fixture
def security_hub(moto):
    hub = boto3.client("securityhub")
    hub.enable_security_hub()
    adapter = SecurityHubFindings(client("securityhub"), stack="ecr-steward")

    def import_finding(name, **changed):
        adapter.send(routed(name, **changed))
        return hub.get_findings()["Findings"]

    return import_finding


def test_a_finding_opens_and_is_archived_under_the_same_id(security_hub):
    (opened,) = security_hub("PolicyDriftDetected")
    last = security_hub("PolicyDriftResolved", at="2026-05-04T13:00:00Z")[-1]

    assert (opened["RecordState"], opened["Compliance"]["Status"]) == ("ACTIVE", "FAILED")
    assert (last["RecordState"], last["Compliance"]["Status"]) == ("ARCHIVED", "PASSED")
    assert opened["Id"] == last["Id"] == "ecr-steward/ca-central-1/access:role:ci-deploy"
    assert opened["UpdatedAt"] < last["UpdatedAt"]
    assert opened["Resources"] == [{"Type": "AwsIamRole", "Id": "arn:aws:iam::123456789012:role/deployers/ci-deploy"}]
    assert "Workflow" not in opened


RESOURCES = {
    "a user under a path": ("access:user:ann", "arn:aws:iam::123456789012:user/staff/ann", "AwsIamUser"),
    "a group": ("access:group:team", "arn:aws:iam::123456789012:group/team", "AwsIamGroup"),
    "a policy of the account": ("policy:policy:own", "arn:aws:iam::123456789012:policy/x/own", "AwsIamPolicy"),
    "a policy of AWS": (
        "upstream:policy:aws:AdministratorAccess",
        "arn:aws-cn:iam::aws:policy/AdministratorAccess",
        "AwsIamPolicy",
    ),
}


@pytest.mark.parametrize("what", RESOURCES)
def test_a_finding_is_about_the_resource_that_iam_knows(security_hub, what):
    finding, arn, kind = RESOURCES[what]

    (imported,) = security_hub("PolicyDriftDetected", finding_id=finding, arn=arn)

    assert imported["Resources"] == [{"Type": kind, "Id": arn}]


@pytest.mark.parametrize("finding", ["baseline:account:123456789012", "unreadable:role:gone"])
def test_a_finding_without_an_arn_is_about_the_account(security_hub, finding):
    (imported,) = security_hub("PolicyDriftDetected", finding_id=finding, arn="")

    assert imported["Resources"] == [{"Type": "AwsAccount", "Id": "AWS::::Account:123456789012"}]


REQUIRED = """
AwsAccountId CreatedAt Description GeneratorId Id ProductArn Resources SchemaVersion Severity Title Types UpdatedAt
"""
NAMESPACES = (
    *("Software and Configuration Checks", "TTPs", "Effects", "Unusual Behaviors", "Sensitive Data Identifications"),
)


@pytest.mark.parametrize("name", ["PolicyDriftDetected", "PolicyDriftResolved", "PolicyDriftAcknowledged"])
def test_a_finding_has_the_fields_that_its_format_asks_for(security_hub, name):
    """https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html."""
    (imported,) = security_hub(name)

    assert {*REQUIRED.split()} <= imported.keys()
    assert imported["Types"][0].partition("/")[0] in NAMESPACES
    assert imported["FirstObservedAt"] == imported["CreatedAt"] <= imported["UpdatedAt"] == imported["LastObservedAt"]
    assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", imported[field]) for field in ("CreatedAt", "UpdatedAt"))
    assert all(len(key) <= 128 and 1 <= len(value) <= 2_048 for key, value in imported["ProductFields"].items())
    assert imported["Severity"]["Label"] in {"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"}


def test_a_resolution_that_names_no_arn_is_about_what_was_opened():
    opened = routed(DRIFT).item
    event = golden_event("PolicyDriftResolved", arn="")

    assert item_of(bus_event(event), alert_about(event), opened).arn == opened.arn


def test_an_acknowledged_finding_is_a_warning_with_its_day(security_hub):
    (acknowledged,) = security_hub("PolicyDriftAcknowledged", expires="2026-06-01T00:00:00+00:00")

    assert (acknowledged["RecordState"], acknowledged["Compliance"]["Status"]) == ("ACTIVE", "WARNING")
    assert acknowledged["ProductFields"]["ecr-steward/until"] == "2026-06-01T00:00:00+00:00"


@pytest.mark.parametrize("text", ["x" * 5_000, "\r\n<script>\u202e", "`*_~[](javascript:x)"])
def test_a_finding_of_any_name_fits(security_hub, text):
    (imported,) = security_hub(
        "PolicyDriftDetected", summary=text, entity=text, finding_id=f"access:role:{text}", expires=text
    )

    assert len(imported["Id"]) <= 512
    assert len(imported["Title"]) <= 256
    assert len(imported["Description"]) <= 1_024
    assert len(imported["Remediation"]["Recommendation"]["Text"]) <= 512
    texts = [
        imported["Title"],
        imported["Description"],
        imported["Remediation"]["Recommendation"]["Text"],
        *imported["ProductFields"].values(),
    ]
    assert all(text.strip() and is_clean(text) for text in texts)


def stubbed(service):
    made = boto3.client(service, region_name="ca-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    return made, Stubber(made)


def test_a_finding_that_security_hub_refuses_is_said_with_its_reason():
    hub, stubber = stubbed("securityhub")
    failed = {"Id": "x", "ErrorCode": "InvalidInput", "ErrorMessage": "the reason"}
    stubber.add_response("batch_import_findings", {"FailedCount": 1, "SuccessCount": 0, "FailedFindings": [failed]})

    with stubber, pytest.raises(FindingRefusedError, match="the reason") as refused:
        SecurityHubFindings(hub, stack="s").send(routed(DRIFT))
    assert refused.value.code == "InvalidInput"


ERRORS = {
    "Throttling": ThrottledError,
    "AuthorizationError": AccessDeniedError,
    "AccessDenied": AccessDeniedError,
    "InternalError": UpstreamError,
}


@pytest.mark.parametrize("code", ERRORS)
def test_a_failure_of_sns_is_no_delivery(code):
    sns, stubber = stubbed("sns")
    stubber.add_client_error("publish", code, "nope")

    with stubber, pytest.raises(ERRORS[code]) as failed:
        SnsTopic(sns, TOPIC).send(routed(DRIFT, BOTH))
    assert failed.value.code == code  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("update_item", lambda client: DynamoDbDeliveries(client, "t").begin("e", datetime.now(UTC))),
        (
            "put_item",
            lambda client: DynamoDbOpenItems(client, "t", FrozenClock()).keep(routed(DRIFT).item),
        ),
        ("get_item", lambda client: DynamoDbOpenItems(client, "t", FrozenClock()).find("x#y")),
        ("query", lambda client: DynamoDbOpenItems(client, "t", FrozenClock()).all()),
    ],
)
def test_a_failure_of_dynamodb_is_never_read_as_nothing(operation, call):
    dynamodb, stubber = stubbed("dynamodb")
    stubber.add_client_error(operation, "AccessDeniedException", "nope")

    with stubber, pytest.raises(AccessDeniedError):
        call(dynamodb)


def test_deletions_that_dynamodb_leaves_undone_are_tried_again_and_then_said():
    dynamodb, stubber = stubbed("dynamodb")
    left = {"t": [{"DeleteRequest": {"Key": {"id": {"S": "room#flood"}, "member": {"S": "3#e"}}}}]}
    for _ in range(5):
        stubber.add_response("batch_write_item", {"UnprocessedItems": left})
    pending = DynamoDbPendingAlerts(dynamodb, "t", FrozenClock())

    with stubber, pytest.raises(ThrottledError):
        pending.remove("flood", [PendingAlert("e", "K", Severity.LOW, "t", BOTH)])
