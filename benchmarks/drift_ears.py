"""Hears what policy drift says on the bus, with the time at which it arrived."""

import json
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from benchmarks.deployment import Deployment

SOURCE = "steward.policy_drift"
BUS = "steward"


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as it arrived; ``at`` is in seconds since the epoch."""

    at: float
    kind: str
    data: dict[str, Any]


class Ears(threading.Thread):
    """A queue on the bus, emptied without rest until ``stop``."""

    def __init__(self, stack: Deployment) -> None:
        super().__init__(daemon=True)
        self._sqs: Any = stack.client("sqs")
        self._queue = _queue_of_the_bus(stack)
        self._ended = threading.Event()
        self._heard: list[Heard] = []

    def run(self) -> None:
        """Listen."""
        while not self._ended.is_set():
            got = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in got.get("Messages", []):
                event = json.loads(message["Body"])
                self._heard.append(Heard(time.time(), event["detail-type"], event["detail"]["data"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])

    def since(self, moment: float) -> list[Heard]:
        """What arrived after a moment."""
        return [heard for heard in list(self._heard) if heard.at >= moment]

    def stop(self) -> None:
        """Listen no more."""
        self._ended.set()
        self.join(timeout=10)


def _queue_of_the_bus(stack: Deployment) -> str:
    name = f"drift-changes-{uuid.uuid4().hex[:8]}"
    sqs, events = stack.client("sqs"), stack.client("events")
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventBusName=BUS, EventPattern=json.dumps({"source": [SOURCE]}))
    events.put_targets(Rule=name, EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])
    return url
