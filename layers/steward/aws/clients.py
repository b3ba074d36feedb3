"""AWS clients, configured once: timeouts that fit a function, botocore's own retries, a user agent of ours."""

from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_events import EventBridgeClient

CONNECTIONS = 16
"""Connections that a client keeps open: more than a use case has calls in flight, so that none waits for a socket."""

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=CONNECTIONS,
    user_agent_extra="ecr-steward",
)


@overload
def client(service: Literal["ecr"]) -> "ECRClient": ...
@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["events"]) -> "EventBridgeClient": ...
def client(service: str) -> Any:
    """A client of ``service``, safe to share between threads.

    Throttled calls and server errors are tried up to five times with jittered, growing pauses ("standard" mode).
    Adaptive mode is not used here: its client-side rate limit would slow a whole batch for one throttled call.
    """
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]
