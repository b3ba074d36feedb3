"""What every EventPublisher does, be it the double or EventBridge's adapter."""

from dataclasses import asdict, replace

import boto3
import pytest
from botocore.client import BaseClient

from repository_provisioning.domain.events import RepositoryCreated, RepositoryRequestDenied
from steward.aws.clients import client
from steward.aws.event_bus import EventBridgePublisher
from steward.events import NotPublishedError
from tests.doubles.frozen_clock import FrozenClock
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
        clock=FrozenClock(),
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


def test_publishes_large_events_though_one_call_carries_not_even_two_of_them(publisher_and_kinds):
    publisher, kinds = publisher_and_kinds

    publisher.publish([replace(DENIED, reason="x" * 150_000)] * 3, correlation_id="request-1")

    assert len(kinds()) == 3


def test_an_event_that_is_too_large_for_the_bus_is_published_with_its_longest_part_cut(bus):
    publisher_on_eventbridge().publish([replace(DENIED, reason="\u20ac" * 300_000)], correlation_id="request-1")

    (event,) = bus()
    data = event["detail"]["data"]
    assert set(data["reason"]) == {"\u20ac"}
    assert {**data, "reason": ""} == asdict(replace(DENIED, reason=""))


def test_takes_what_it_can_and_names_what_it_refused(publisher_and_kinds, monkeypatch):
    publisher, kinds = publisher_and_kinds
    if isinstance(publisher, RecordingPublisher):
        publisher.refuses = lambda event: event == DENIED
    else:
        refuse_on_the_wire(monkeypatch, "RepositoryRequestDenied")

    with pytest.raises(NotPublishedError) as failed:
        publisher.publish([DENIED, CREATED, DENIED], correlation_id="request-1")

    assert failed.value.missing == {0, 2}
    assert kinds() == ["RepositoryCreated"]


def refuse_on_the_wire(monkeypatch, kind):
    """EventBridge takes no events of this kind, which moto cannot play."""
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client, operation, parameters):
        if operation != "PutEvents":
            return reached(client, operation, parameters)
        taken = [entry for entry in parameters["Entries"] if entry["DetailType"] != kind]
        if taken:
            reached(client, operation, {"Entries": taken})
        answers = [{"ErrorCode": "X"} if entry not in taken else {"EventId": "1"} for entry in parameters["Entries"]]
        return {"FailedEntryCount": len(answers) - len(taken), "Entries": answers}

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code


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
