"""What every EventPublisher does, be it the double or EventBridge's adapter."""

import boto3
import pytest

from repository_provisioning.domain.events import RepositoryCreated, RepositoryRequestDenied
from steward.aws.clients import client
from steward.aws.event_bus import EventBridgePublisher
from tests.doubles.recording_publisher import RecordingPublisher
from tests.queues import drained

CREATED = RepositoryCreated("team-a/web", "arn:web", "uri/web", "default", "123456789012:role/ci")
DENIED = RepositoryRequestDenied("team-b/web", "123456789012:role/ci", "it may create team-a/**", ["team-a/**"])


@pytest.fixture
def bus(moto):
    """A bus with a queue that everything on it reaches; reads the queue."""
    events, sqs = boto3.client("events"), boto3.client("sqs")
    events.create_event_bus(Name="steward")
    events.put_rule(Name="all", EventBusName="steward", EventPattern='{"source": [{"prefix": "steward."}]}')
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule="all", EventBusName="steward", Targets=[{"Id": "heard", "Arn": arn}])
    return lambda: drained(sqs, url)


def publisher_on_eventbridge():
    return EventBridgePublisher(
        client("events"),
        bus="steward",
        capability="repository_provisioning",
        account="123456789012",
        region="ca-central-1",
    )


@pytest.fixture(params=["recording", "on EventBridge"])
def publisher_and_kinds(request):
    if request.param == "recording":
        publisher = RecordingPublisher()
        return publisher, lambda: [type(event).__name__ for event in publisher.published]
    heard = request.getfixturevalue("bus")
    return publisher_on_eventbridge(), lambda: [event["detail-type"] for event in heard()]


def test_publishes_all_events_in_order(publisher_and_kinds):
    publisher, kinds = publisher_and_kinds

    publisher.publish([CREATED, DENIED], correlation_id="request-1")

    assert kinds() == ["RepositoryCreated", "RepositoryRequestDenied"]


def test_publishes_more_events_than_one_call_carries(publisher_and_kinds):
    publisher, kinds = publisher_and_kinds

    publisher.publish([DENIED] * 23, correlation_id="request-1")

    assert len(kinds()) == 23


def test_publishes_nothing_where_there_is_nothing(publisher_and_kinds):
    publisher, kinds = publisher_and_kinds

    publisher.publish([], correlation_id="request-1")

    assert kinds() == []


def test_an_event_on_the_bus_carries_who_spoke_and_what_about(bus):
    publisher_on_eventbridge().publish([CREATED], correlation_id="request-1")

    (event,) = bus()
    assert event["source"] == "steward.repository_provisioning"
    assert event["detail"]["metadata"] == {
        "version": "1",
        "correlation_id": "request-1",
        "account": "123456789012",
        "region": "ca-central-1",
    }
    assert event["detail"]["data"]["name"] == "team-a/web"
