"""Requests as API Gateway hands them to a handler, and clients of moto's AWS for the tests' own use."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import boto3

ACCOUNT, REGION = "123456789012", "ca-central-1"
EVENTS = Path(__file__).parents[2] / "events"


@cache
def client_of(service):
    """A client for the tests' own use; moto answers it afresh in every test."""
    return boto3.client(service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


class LambdaContext:
    function_name = "steward"
    memory_limit_in_mb = 1024
    invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:steward"
    aws_request_id = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        return 600_000  # more than the gateway gives: moto computes each answer here, on a busy machine for long


def sample(capability: str, name: str) -> dict[str, Any]:
    return json.loads((EVENTS / capability / f"{name}.json").read_text(encoding="utf-8"))


class Gateway:
    """Calls a capability's handler as the gateway does, and holds every answer to its contract."""

    handler: str
    """The module of the capability that the gateway calls."""

    def __init__(self, contract, cold_start):
        self._contract = contract
        self._cold_start = cold_start
        self._handler = None

    def restart(self, **environment):
        self._handler = self._cold_start(f"{self._contract.capability}.{self.handler}", **environment)

    def send(self, event):
        if self._handler is None:
            self.restart()
        answer = self._handler.lambda_handler(event, LambdaContext())
        self._contract.check_response(event, answer)
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        is_json = "json" in headers["Content-Type"]
        return answer["statusCode"], headers, json.loads(answer["body"]) if is_json else answer["body"]

    def request(self, event, body=None, *, query=None, headers=None, raw=None):
        """Send the event with this body, these query parameters and these headers."""
        event = event | {"queryStringParameters": query}
        event["multiValueQueryStringParameters"] = query and {name: [value] for name, value in query.items()}
        sent = {"Content-Type": "application/json"} if body is not None or raw is not None else {}
        event["headers"] = {**event["headers"], **sent, **(headers or {})}
        event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
        event["body"] = raw if body is None else json.dumps(body)
        return self.send(event)
