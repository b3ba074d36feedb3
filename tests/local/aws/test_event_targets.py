"""Targets of EventBridge rules: another region's bus, a function that fails, a target that is gone."""

import json

import pytest

from tests.local.aws.functions import deploy_function
from tests.local.aws.launched import ACCOUNT, REGION, allow

FAILS = "def handler(event, context):\n    raise RuntimeError('as asked')\n"


@pytest.fixture
def source(name):
    """A source that only this test's events have."""
    return f"test.{name[-8:]}"


def put(aws, source, detail=None, region=REGION):
    entry = {"Source": source, "DetailType": "Happened", "Detail": json.dumps(detail or {})}
    assert aws.client("events", region=region).put_events(Entries=[entry])["FailedEntryCount"] == 0


def rule(aws, source, target, region=REGION):
    events = aws.client("events", region=region)
    events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=source, Targets=[{"Id": "target"} | target])


def queue(aws, name):
    url = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def test_a_bus_of_another_region_receives_the_event_with_its_first_region(aws, source):
    role = f"arn:aws:iam::{ACCOUNT}:role/forward"
    home_bus = aws.client("events").create_event_bus(Name=source)["EventBusArn"]
    arrived = aws.queue_of({"source": [source]}, bus=source)
    rule(aws, source, {"Arn": home_bus, "RoleArn": role}, region="us-east-1")

    put(aws, source, {"who": "somebody"}, region="us-east-1")

    event = aws.receive(arrived)
    assert event["region"] == "us-east-1"
    assert event["detail"] == {"who": "somebody"}


def test_a_function_that_fails_is_tried_again_and_then_its_failure_is_kept(aws, source):
    failed, failed_arn = queue(aws, f"{source[5:]}-failed")
    arn = deploy_function(aws, source[5:], FAILS, allow("sqs:*"))
    aws.client("lambda").put_function_event_invoke_config(
        FunctionName=arn,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": failed_arn}},
    )
    rule(aws, source, {"Arn": arn})

    put(aws, source, {"who": "somebody"})

    kept = aws.receive(failed)
    logs = aws.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{source[5:]}")["events"]
    assert kept["requestPayload"]["detail"] == {"who": "somebody"}
    assert len([line for line in logs if line["message"].startswith("START")]) == 2


@pytest.mark.parametrize(
    "gone", [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:gone", f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone"]
)
def test_an_event_for_a_target_that_is_gone_is_a_dead_letter(aws, source, gone):
    dead, dead_arn = queue(aws, f"{source[5:]}-dead")
    rule(aws, source, {"Arn": gone, "DeadLetterConfig": {"Arn": dead_arn}})

    put(aws, source, {"who": "somebody"})

    assert aws.receive(dead)["detail"] == {"who": "somebody"}


def test_an_event_that_is_delivered_is_no_dead_letter(aws, source):
    dead, dead_arn = queue(aws, f"{source[5:]}-dead")
    alive, alive_arn = queue(aws, f"{source[5:]}-alive")
    rule(aws, source, {"Arn": alive_arn, "DeadLetterConfig": {"Arn": dead_arn}})

    put(aws, source)

    assert aws.receive(alive)["source"] == source
    assert aws.receive(dead, seconds=1) is None


def test_a_log_group_receives_the_whole_event(aws, source):
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=source)
    rule(aws, source, {"Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{source}"})

    put(aws, source, {"who": "somebody"})

    messages = [event["message"] for event in logs.filter_log_events(logGroupName=source)["events"]]
    assert [json.loads(message)["detail"] for message in messages] == [{"who": "somebody"}]
