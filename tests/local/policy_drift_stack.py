"""The stack with policy drift at work: IAM's events are forwarded home, alerts are heard, baselines are captured."""

import json
import time
import uuid

from tests.local.aws.launched import ACCOUNT, REGION, REPOSITORY
from tests.local.stack import Stack
from tests.queues import drained

GLOBAL = "us-east-1"
SOURCE = "steward.policy_drift"


class DriftStack(Stack):
    """A deployed copy of the project, with the small stack that forwards IAM's events."""

    def forward_iam_events(self):
        cloudformation = self.aws.client("cloudformation", region=GLOBAL)
        cloudformation.create_stack(
            StackName="ecr-steward-global-events",
            TemplateBody=(REPOSITORY / "global-events.yaml").read_text(),
            Parameters=[
                {"ParameterKey": "HomeRegion", "ParameterValue": REGION},
                {"ParameterKey": "BusName", "ParameterValue": "steward"},
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName="ecr-steward-global-events", WaiterConfig={"Delay": 0.1})

    def physical(self, logical_id):
        """The name that CloudFormation gave a resource."""
        described = self.aws.client("cloudformation").describe_stack_resources(StackName="ecr-steward")
        return next(
            r["PhysicalResourceId"] for r in described["StackResources"] if r["LogicalResourceId"] == logical_id
        )

    def scan(self):
        """What the schedule does; the answer of the function."""
        name = self.function("DriftScan")["FunctionName"]
        payload = json.dumps({"id": f"scan-{uuid.uuid4().hex[:8]}"}).encode()
        answer = self.aws.client("lambda").invoke(FunctionName=name, Payload=payload)
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body

    def ask(self, method, path, body=None, key=None):
        """An operator's call; by default, of the account's owner."""
        return self.call(method, path, key or self.key(), json.dumps(body).encode() if body is not None else None)

    def adopt(self, findings):
        """Adopt findings, and again while a check of changes holds the account: 409 asks for that."""
        deadline = time.monotonic() + 60
        while True:
            adopted = self.ask("POST", "/drift/baseline/adoptions", {"findings": findings})
            if adopted.status != 409 or time.monotonic() > deadline:
                return adopted
            time.sleep(1)

    def ears(self):
        """Hears everything that policy drift says from now on."""
        return Ears(self.aws)


class Ears:
    """A queue on the bus."""

    def __init__(self, aws):
        self._sqs = aws.client("sqs")
        self._url = aws.queue_of({"source": [SOURCE]}, bus="steward")
        self.heard = []

    def listen(self):
        """Take what has come, without waiting."""
        self.heard += [(event["detail-type"], event["detail"]["data"]) for event in drained(self._sqs, self._url)]
        return self.heard

    def of(self, detail_type, /, **wanted):
        """What was heard of a kind so far, whose data has these values."""
        return [data for told, data in self.listen() if told == detail_type and wanted.items() <= data.items()]

    def wait_for(self, detail_type, /, seconds=60, **wanted):
        """The first event of a kind with these values, heard in time; None if there was none."""
        deadline = time.monotonic() + seconds
        while not (found := self.of(detail_type, **wanted)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found[0] if found else None


def role_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"
