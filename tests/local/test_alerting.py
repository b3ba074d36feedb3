"""Events of the bus become messages of the topic, on the deployed stack with IAM enforced."""

import json

import pytest

from ecr_steward.app import main as steward
from tests.local.aws.launched import ACCOUNT, REGION
from tests.local.stack import eventually
from tests.local.subscriber import Subscriber
from tests.published_events import golden_event, store_at_its_source

DRIFT = "PolicyDriftDetected"


@pytest.fixture
def everything(stack):
    return Subscriber(stack)


@pytest.fixture
def mail(stack):
    """Filtered as the template filters the subscription of AlertEmail."""
    return Subscriber(stack, {"channels": ["mail"]})


@pytest.fixture
def publish(stack, drift):
    """Puts events of drift on the bus, ten a call."""
    events = stack.aws.client("events", drift)

    def put(*envelopes):
        for envelope in envelopes:
            store(stack, envelope)
        entries = [
            {
                "EventBusName": "steward",
                "Source": envelope["source"],
                "DetailType": envelope["detail-type"],
                "Detail": json.dumps(envelope["detail"]),
            }
            for envelope in envelopes
        ]
        for start in range(0, len(entries), 10):
            assert events.put_events(Entries=entries[start : start + 10])["FailedEntryCount"] == 0

    return put


@pytest.fixture
def flush(stack):
    """What the schedule does every few minutes, and every week."""

    def tell(what):
        answer = stack.aws.client("lambda").invoke(
            FunctionName=stack.function("ScheduledAlerts")["FunctionName"], Payload=json.dumps({"tell": what})
        )
        assert "FunctionError" not in answer, answer["Payload"].read()

    return tell


def test_a_drift_becomes_a_message_that_says_what_who_and_how_to_take_it_back(publish, everything, mail, unique):
    publish(golden_event(DRIFT, finding_id=f"access:role:{unique}", entity=f"role/{unique}"))

    (told,) = everything.about(unique)

    assert told["Subject"] == f"[123456789012] CRITICAL: Policy drift of role/{unique}"
    assert "iam:CreatePolicyVersion" in told["Message"]
    assert "123456789012:user/mallory from 203.0.113.7" in told["Message"]
    assert "aws iam delete-role-policy --role-name ci-deploy --policy-name break-glass" in told["Message"]
    assert json.loads(told["MessageAttributes"]["channels"]["Value"]) == ["chat", "mail"]
    assert len(mail.about(unique)) == 1


def test_an_operator_sends_a_test_alert_and_no_other(stack, everything, mail, monkeypatch, tmp_path, capsys):
    """With the command, as a holder of the policy for operators."""
    operator = stack.aws.user(managed=[stack.physical_id("OperatorPolicy")])
    settings = {
        "XDG_CONFIG_HOME": tmp_path,
        "AWS_ENDPOINT_URL": stack.aws.endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": operator.access_key_id,
        "AWS_SECRET_ACCESS_KEY": operator.secret_access_key,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    events = stack.aws.client("events", operator)

    assert steward(["--output", "tsv", "--query", "event_id", "alerts", "test"]) == 0
    event_id = capsys.readouterr().out.strip()
    with pytest.raises(events.exceptions.ClientError) as refused:
        events.put_events(Entries=[{"EventBusName": "steward", "Source": "any", "DetailType": "any", "Detail": "{}"}])

    (told,) = everything.about(event_id)
    assert told["Subject"] == f"[{ACCOUNT}] INFO: Test alert: nothing happened"
    assert len(mail.about(event_id)) == 1
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_refused_request_is_alerted_in_chat_and_not_by_mail(stack, probe, everything, mail, unique):
    """Refused by the house rules; what the gateway refuses never reaches the function."""
    refused = stack.put(f"team-b/{unique}", probe)

    (told,) = everything.about(unique)

    assert refused.status == 403
    assert "123456789012:role/probe was denied the repository" in told["Message"]
    assert json.loads(told["MessageAttributes"]["channels"]["Value"]) == ["chat"]
    assert mail.about(unique, seconds=3) == []


def test_a_message_that_is_delivered_often_is_alerted_once(stack, everything, unique):
    event = golden_event(DRIFT, finding_id=f"access:role:{unique}", entity=f"role/{unique}")
    store(stack, event)
    sqs, queue = stack.aws.client("sqs"), stack.physical_id("AlertQueue")
    for _ in range(5):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event))
        assert everything.about(unique)
        assert eventually(lambda: is_empty(sqs, queue), 60)

    assert len(everything.about(unique)) == 1


def test_who_has_no_right_in_iam_does_not_alert_in_our_name(stack):
    """SNS's own default policy would let in everybody of the account."""
    sns = stack.aws.client("sns", stack.aws.user())

    with pytest.raises(sns.exceptions.ClientError) as refused:
        sns.publish(TopicArn=stack.physical_id("AlertTopic"), Message="Click here")

    assert refused.value.response["Error"]["Code"] == "AuthorizationError"


def store(stack, event):
    """Write what the publisher of an event stores of it, by which alerting confirms it."""
    tables = {"drift_table": stack.physical_id("DriftState"), "rotation_table": stack.physical_id("RotationState")}
    store_at_its_source(stack.aws.client("dynamodb"), event, **tables)


def is_empty(sqs, queue):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return all(int(counts[name]) == 0 for name in names)


@pytest.fixture
def two_hundred(unique):
    """160 of medium severity, then 40 that are critical."""
    return [
        golden_event(
            "BaselineChanged",
            by=f"{ACCOUNT}:user/{unique}-{number}",
            severity="CRITICAL" if number >= 160 else "MEDIUM",
        )
        for number in range(200)
    ]


def of_ours_that_wait(stack, unique):
    """How many alerts wait for the flood's one message, and have the text in their title."""
    pages = (
        stack.aws.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=stack.physical_id("AlertingState"),
            KeyConditionExpression="id = :room",
            ExpressionAttributeValues={":room": {"S": "room#flood"}},
        )
    )
    return sum(unique in item["title"]["S"] for page in pages for item in page["Items"])


def test_a_flood_becomes_few_messages_with_the_right_counts_and_the_worst_named_first(
    stack, publish, flush, everything, unique, two_hundred
):
    """Functions of the stack may publish, too, meanwhile: what is theirs counts for nothing."""
    stack.aws.client("events").disable_rule(Name=stack.physical_id("FloodSchedule"))
    sqs, queue = stack.aws.client("sqs"), stack.physical_id("AlertQueue")
    publish(*two_hundred)
    assert eventually(lambda: is_empty(sqs, queue), 120)
    waiting = of_ours_that_wait(stack, unique)

    flush("flood")

    singly = [m for m in everything.about(unique) if "more alerts" not in m["Subject"]]
    together = [m for m in everything.messages if "more alerts" in m["Subject"]]
    counts = [int(m["Message"].split(" more alerts")[0].rsplit(" ", 1)[1]) for m in together]
    print(f"200 events: {len(singly)} single messages, {waiting} in {len(together)} together")  # noqa: T201
    assert len(singly) <= 2 * (20 + 5)
    assert len(together) <= 2
    assert len(singly) + waiting == 200
    assert sum(counts) >= waiting
    assert of_ours_that_wait(stack, unique) == 0
    named = [line.split(":")[0] for line in together[-1]["Message"].splitlines() if unique in line]
    assert named[0] == "CRITICAL"
    assert named == sorted(named)


def test_the_weekly_digest_lists_what_is_open(publish, flush, everything, unique):
    publish(golden_event(DRIFT, finding_id=f"access:role:{unique}", entity=f"role/{unique}"))
    everything.about(unique)

    flush("week")

    (digest,) = everything.about("Weekly digest:")[-1:]
    assert "open finding" in digest["Subject"]
    assert f"Policy drift of role/{unique}" in digest["Message"]


def test_what_is_no_event_is_left_for_the_dead_letters_and_holds_nothing_up(stack, everything, unique):
    function = stack.function("Alerts")["FunctionName"]
    good = golden_event(DRIFT, finding_id=f"access:role:{unique}", entity=f"role/{unique}")
    records = [{"messageId": "bad", "body": "[]"}, {"messageId": "good", "body": json.dumps(good)}]

    answer = stack.aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"Records": records}))

    assert json.loads(answer["Payload"].read()) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert everything.about(unique)
