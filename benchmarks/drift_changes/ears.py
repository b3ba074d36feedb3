"""Hears what policy drift says on the bus, and what the topic makes of it, each with the time at which it arrived."""

import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.deployment import Deployment

SOURCE = "steward.policy_drift"
BUS = "steward"
_EVENT_ID = re.compile(r"^event ([^,\s]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Alert:
    """One message of the topic as a mail reader gets it; ``at`` is in seconds since the epoch."""

    at: float
    event_id: str
    subject: str
    text: str
    channels: frozenset[str]
    severity: str

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """The message in what SNS puts into a queue."""
        attributes, text = body["MessageAttributes"], body["Message"]
        named = _EVENT_ID.search(text)
        channels = frozenset(json.loads(attributes["channels"]["Value"]))
        return cls(
            time.time(),
            named.group(1) if named else "",
            body["Subject"],
            text,
            channels,
            attributes["severity"]["Value"],
        )

    def fact(self, label: str) -> str:
        """What stands behind a label; empty where it does not stand there."""
        found = re.search(rf"^{label}: (.*)$", self.text, re.MULTILINE)
        return found.group(1) if found else ""


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as it arrived on the bus, and the alerts that the topic had of it; ``at`` as in `Alert`."""

    at: float
    kind: str
    data: dict[str, Any]
    id: str
    alerts: tuple[Alert, ...] = ()


class Ears:
    """Two queues, one on the bus and one on the topic, emptied without rest until ``stop``."""

    def __init__(self, stack: Deployment) -> None:
        self._events: list[Heard] = []
        self._alerts: list[Alert] = []
        self._ended = threading.Event()
        queues = ((_queue_of_the_bus(stack), self._hear_bus), (_queue_of_the_topic(stack), self._hear_topic))
        self._threads = [
            threading.Thread(target=self._empty, args=(stack.client("sqs"), *queue), daemon=True) for queue in queues
        ]

    def start(self) -> None:
        """Listen."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def since(self, moment: float) -> list[Heard]:
        """The events that arrived after a moment, each with its alerts so far."""
        alerts = list(self._alerts)
        return [
            Heard(one.at, one.kind, one.data, one.id, tuple(each for each in alerts if each.event_id == one.id))
            for one in list(self._events)
            if one.at >= moment
        ]

    def alerts_since(self, moment: float) -> list[Alert]:
        """Everything that the topic said of policy drift after a moment, and messages without an event."""
        return [alert for alert in list(self._alerts) if alert.at >= moment]

    def _empty(self, sqs: Any, queue: str, hear: Callable[[dict[str, Any]], None]) -> None:
        while not self._ended.is_set():
            got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in got.get("Messages", []):
                hear(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def _hear_bus(self, event: dict[str, Any]) -> None:
        self._events.append(Heard(time.time(), event["detail-type"], event["detail"]["data"], event["id"]))

    def _hear_topic(self, body: dict[str, Any]) -> None:
        self._alerts.append(Alert.read(body))


def _queue_of_the_bus(stack: Deployment) -> str:
    name, url, arn = _queue(stack)
    events = stack.client("events")
    events.put_rule(Name=name, EventBusName=BUS, EventPattern=json.dumps({"source": [SOURCE]}))
    events.put_targets(Rule=name, EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def _queue_of_the_topic(stack: Deployment) -> str:
    """Hears what is for readers of drift: alerts of it, floods and digests."""
    _, url, arn = _queue(stack)
    topic = stack.resource("AlertTopic")
    lets_in = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [lets_in]})
    stack.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    stack.client("sns").subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn,
        Attributes={"FilterPolicy": json.dumps({"capability": ["policy_drift", "alerting"]})},
    )
    return url


def _queue(stack: Deployment) -> tuple[str, str, str]:
    """A new one: its name, URL and ARN."""
    name, sqs = f"drift-changes-{uuid.uuid4().hex[:8]}", stack.client("sqs")
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return name, url, arn
