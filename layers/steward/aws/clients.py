"""AWS clients, configured once: timeouts that fit a function, botocore's own retries, a user agent of ours."""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_sns import SNSClient

CONNECTIONS = 16
"""Connections that a client keeps open: more than a use case has calls in flight, so that none waits for a socket."""

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=CONNECTIONS,
    user_agent_extra="ecr-steward",
)


_ONCE = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
_S3 = _CONFIG.merge(
    Config(signature_version="s3v4", s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"})
)
"""Without these botocore signs links for the global endpoint, in four of ten measured regions with signature version 2.
S3 redirects from there while a bucket is new, which breaks the signature; for buckets of regions since 2019 it answers
400. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"""
_ONE_AT_A_TIME = Lock()
"""Sessions are not safe to share between threads, clients are."""


@overload
def client(service: Literal["cloudtrail"], *, region: str) -> "CloudTrailClient": ...
@overload
def client(service: Literal["cloudformation", "cloudwatch", "sqs"]) -> Any: ...
@overload
def client(service: Literal["ecr"], *, once: bool = False) -> "ECRClient": ...
@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["events"], *, region: str | None = None) -> "EventBridgeClient": ...
@overload
def client(service: Literal["iam"], *, once: bool = False) -> "IAMClient": ...
@overload
def client(service: Literal["lambda"], *, once: bool = False, seconds: float | None = None) -> "LambdaClient": ...
@overload
def client(service: Literal["s3"], *, region: str | None = None) -> "S3Client": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["securityhub"]) -> "SecurityHubClient": ...
@overload
def client(service: Literal["sns"]) -> "SNSClient": ...
def client(service: str, *, region: str | None = None, once: bool = False, seconds: float | None = None) -> Any:
    """A client of ``service``, safe to share between threads.

    Throttled calls and server errors are tried up to five times with jittered, growing pauses ("standard" mode).
    Adaptive mode is not used here: its client-side rate limit would slow a whole batch for one throttled call.

    Parameters
    ----------
    region
        Where it calls; None for the function's own region.
    once
        Never try a call twice: for calls that a repetition would do again, and for callers that pace themselves.
    seconds
        How long an answer may take: for calls of functions that read much; None for what calls of AWS take.
    """
    config = _ONCE if once else _S3 if service == "s3" else _CONFIG
    config = config.merge(Config(read_timeout=seconds)) if seconds else config
    return boto3.client(service, region_name=region, config=config)  # type: ignore[call-overload]


def client_with_key(service: str, region: str, access_key_id: str, secret_access_key: str) -> Any:
    """A client that signs with a given key instead of the function's role."""
    with _ONE_AT_A_TIME:
        return _session().client(  # type: ignore[call-overload]
            service,
            region_name=region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            config=_CONFIG,
        )


def client_under_role(service: str, region: str, role: str, *, session_name: str) -> Any:
    """A client in a region that signs as a role of any account; without a role, as the function's own.

    Raises
    ------
    botocore.exceptions.ClientError
        The role may not be taken.
    """
    keys: dict[str, str] = {}
    if role:
        sts = boto3.client("sts", region_name=region, config=_CONFIG)
        taken = sts.assume_role(RoleArn=role, RoleSessionName=session_name, DurationSeconds=900)["Credentials"]
        keys = {
            "aws_access_key_id": taken["AccessKeyId"],
            "aws_secret_access_key": taken["SecretAccessKey"],
            "aws_session_token": taken["SessionToken"],
        }
    return boto3.client(service, region_name=region, config=_CONFIG, **keys)  # type: ignore[call-overload]


@cache
def _session() -> boto3.Session:
    """One for all keys, none of which it keeps: it has read the services' models, which takes longer than a call."""
    return boto3.Session()
