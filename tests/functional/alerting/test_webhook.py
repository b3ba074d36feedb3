"""The handler with a webhook: a real server with TLS behind it, and the recipe of the page as its receiver's check."""

import importlib
import json
import re
import time
import warnings
from pathlib import Path

import boto3
import pytest

from tests.doubles.webhook_receiver import WebhookReceiver
from tests.dynamodb_tables import create_table
from tests.functional.alerting.test_alert_handlers import ENVIRONMENT
from tests.functional.gateway import LambdaContext
from tests.mocked_aws import mocked_aws
from tests.published_events import golden_event, store_at_its_source
from tests.queues import drained

SECRET = "0123456789abcdef" * 4
PAGE = (Path(__file__).parents[3] / "docs" / "alerting.md").read_text(encoding="utf-8")


@pytest.fixture
def receiver(tmp_path):
    made = WebhookReceiver(tmp_path)
    yield made
    made.close()


@pytest.fixture
def alert(monkeypatch, no_handler_yet, receiver):
    """The handler of a stack with a webhook; it returns the ids of the messages to be delivered again."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mocked_aws():
        create_table(boto3.client("dynamodb"), "alerts", sort_key="member")
        for table in ("drift", "rotation"):
            create_table(boto3.client("dynamodb"), table)
        boto3.client("securityhub").enable_security_hub()
        topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
        boto3.client("sqs").create_queue(QueueName="read")
        queue = "arn:aws:sqs:ca-central-1:123456789012:read"
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        secret = boto3.client("secretsmanager").create_secret(Name="webhook", SecretString=SECRET)["ARN"]
        stack = {
            "ALERT_TOPIC": topic,
            "WEBHOOK_URL": receiver.url,
            "WEBHOOK_SECRET": secret,
            "PLATFORM": "local",
            "SSL_CERT_FILE": str(receiver.certificate),
        }
        for name, value in stack.items():
            monkeypatch.setenv(name, value)
        # The kernel sets this filter when a handler is first imported; pytest forgets it after every test.
        warnings.filterwarnings("ignore", "No application metrics to publish")
        handler = importlib.import_module("alerting.send_alert_handler")
        monkeypatch.setattr(time, "sleep", lambda _: None)

        def handle(event):
            dynamodb = boto3.client("dynamodb")
            store_at_its_source(dynamodb, event, drift_table="drift", rotation_table="rotation")
            answer = handler.lambda_handler(
                {"Records": [{"messageId": "0", "body": json.dumps(event)}]}, LambdaContext()
            )
            return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

        yield handle


def mails():
    sqs = boto3.client("sqs")
    return drained(sqs, sqs.get_queue_url(QueueName="read")["QueueUrl"])


def recipe():
    """The check that the page gives to receivers."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(code, names)  # noqa: S102 - the page's own code
    return names["is_genuine"]


def test_an_alert_passes_the_check_that_the_page_gives_to_receivers(alert, receiver):
    assert alert(golden_event("PolicyDriftDetected")) == []

    ((_, headers, body),) = receiver.requests
    assert recipe()(SECRET, headers["Steward-Signature"], body)


@pytest.mark.parametrize("forged", ["another secret", "another body", "an old time", "no time", "nothing"])
def test_a_forged_or_replayed_request_fails_that_check(alert, receiver, forged):
    alert(golden_event("PolicyDriftDetected"))
    ((_, headers, body),) = receiver.requests
    header, secret = headers["Steward-Signature"], SECRET
    match forged:
        case "another secret":
            secret = "0" * 64
        case "another body":
            body = body.replace(b"CRITICAL", b"INFO")
        case "an old time":
            from alerting.adapters.webhook import signature  # noqa: PLC0415 - with its true signature

            header = signature(SECRET.encode(), int(time.time()) - 301, body)
        case "no time":
            header = header.partition(",")[2]
        case "nothing":
            header = ""

    assert not recipe()(secret, header, body)


def test_a_webhook_that_fails_is_delivered_again_alone(alert, receiver):
    event = golden_event("PolicyDriftDetected")
    receiver.answers = [404, 200]

    assert alert(event) == ["0"]
    assert alert(event) == []

    assert len(mails()) == 1
    assert len(boto3.client("securityhub").get_findings()["Findings"]) == 1
    first, second = (json.loads(body)["id"] for *_, body in receiver.requests)
    assert first == second == event["id"]


def test_five_hundred_then_two_hundred_is_one_delivery(alert, receiver):
    receiver.answers = [500, 200]

    assert alert(golden_event("PolicyDriftDetected")) == []
    assert len(receiver.requests) == 2


def test_neither_the_secret_nor_the_response_is_in_a_log(alert, receiver, capsys, caplog):
    def talkative(handler):
        handler.send_response(500, "reason of the receiver")
        handler.send_header("Content-Length", "20")
        handler.end_headers()
        handler.wfile.write(b"body of the receiver")

    receiver.answers = [talkative]
    assert alert(golden_event("PolicyDriftDetected")) == ["0"]

    written = caplog.text + "".join(capsys.readouterr())
    assert "the webhook answered 500" in written
    assert not any(text in written for text in (SECRET, "of the receiver"))
