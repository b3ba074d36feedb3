"""A stack of its own for the rotation of access keys, and what its operator does with it."""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config

from access_key_rotation.domain.names import UserName
from benchmarks.own_stack import own_stack

_PATIENT = Config(read_timeout=300, retries={"total_max_attempts": 1}, max_pool_connections=32)


class RotatingStack:
    """The deployed stack, as its operator uses it."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._resources: dict[str, str] = {
            summary["LogicalResourceId"]: summary["PhysicalResourceId"]
            for page in self.client("cloudformation")
            .get_paginator("list_stack_resources")
            .paginate(StackName=variables["STEWARD_STACK"])
            for summary in page["StackResourceSummaries"]
        }

    def client(self, service: str) -> Any:
        """An operator's client."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self._variables["AWS_ENDPOINT_URL"],
            region_name=self._variables["AWS_REGION"],
            aws_access_key_id=self._variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._variables["AWS_SECRET_ACCESS_KEY"],
            config=_PATIENT,
        )

    def silence(self) -> None:
        """Let alerting hear nothing: its calls are counted with everybody's, and are not rotation's."""
        self.client("events").disable_rule(Name=self.resource("AlertRule").rpartition("|")[2], EventBusName="steward")

    def resource(self, logical_id: str) -> str:
        """The physical id of a resource."""
        return self._resources[logical_id]

    def add_users(self, names: Sequence[str]) -> None:
        """Make service users that may push."""
        iam, tags = self.client("iam"), [{"Key": "steward:rotate", "Value": "true"}]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: iam.create_user(UserName=name, Path="/service/", Tags=tags), names))
            list(pool.map(lambda name: iam.add_user_to_group(UserName=name, GroupName="ecr-write"), names))

    def request(self, user: UserName, key_id: str, number: str, by: str) -> None:
        """Store a routine rotation, as the API does before it publishes it."""
        stored = {"key_id": key_id, "reason": "routine", "id": number, "by": by, "session": ""}
        self.client("dynamodb").update_item(
            TableName=self.resource("RotationState"),
            Key={"id": {"S": f"user#{user}"}},
            UpdateExpression="ADD requested :stored",
            ExpressionAttributeValues={":stored": {"SS": [json.dumps(stored, separators=(",", ":"))]}},
        )

    def current_key(self, user: UserName) -> str | None:
        """The id of the key that consumers read; None before the first."""
        secrets = self.client("secretsmanager")
        try:
            value = json.loads(secrets.get_secret_value(SecretId=user.secret_name)["SecretString"])
        except secrets.exceptions.ResourceNotFoundException:
            return None
        key: str | None = value["AccessKeyId"]
        return key

    def plan(self) -> dict[str, int]:
        """What the schedule does every hour."""
        answer = self.client("lambda").invoke(FunctionName=self.resource("RotationPlanner"), Payload=b"{}")
        planned: dict[str, int] = json.loads(answer["Payload"].read())
        return planned

    def count_requests(self, **wanted: Any) -> None:
        """Begin to count the requests that reach the local AWS, and throttle some if asked to."""
        self._requests("PUT", json.dumps(wanted).encode())

    def counted(self) -> dict[str, dict[str, int]]:
        """The requests since then, and those that were throttled."""
        return self._requests("GET")

    def waiting(self, queue: str) -> int:
        """Messages in a queue, with those in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        got = self.client("sqs").get_queue_attributes(QueueUrl=self.resource(queue), AttributeNames=names)
        return sum(int(number) for number in got["Attributes"].values())

    def subscribed(self, *detail_types: str) -> str:
        """The URL of a new queue that gets the events of these types from now on."""
        sqs, events = self.client("sqs"), self.client("events")
        url: str = sqs.create_queue(QueueName=f"seen-{time.time_ns()}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule = {"Name": url.rpartition("/")[2], "EventBusName": "steward"}
        events.put_rule(**rule, EventPattern=json.dumps({"detail-type": detail_types}))
        events.put_targets(Rule=rule["Name"], EventBusName="steward", Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def received(self, queue_url: str) -> list[dict[str, Any]]:
        """Everything that came to such a queue."""
        sqs, bodies = self.client("sqs"), list[dict[str, Any]]()
        while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    def _requests(self, method: str, body: bytes | None = None) -> dict[str, dict[str, int]]:
        url = f"{self._variables['AWS_ENDPOINT_URL']}/_local/requests"
        request = urllib.request.Request(url, data=body, method=method)  # noqa: S310 - our own endpoint
        with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - as above
            found: dict[str, dict[str, int]] = json.load(reply)
        return found


@contextmanager
def rotating_stack(settings: Mapping[str, Any]) -> Iterator[RotatingStack]:
    """The stack under ``rotation.yaml`` with these settings in it, without service users of its own and without alerts.

    Raises
    ------
    NoDeploymentError
        It cannot be started; the text is what the command said.
    """
    parameters = {"CreateServiceUsers": "false", "RotationScheduleExpression": "rate(365 days)"}
    with own_stack({"rotation.yaml": settings}, parameters) as variables:
        stack = RotatingStack(variables)
        stack.silence()
        yield stack
