"""The main job, shown on the deployed stack: refused, created by one signed ``PUT``, pushed, pulled back.

Run again, it finds the repository in place and repeats what can be repeated; it never deletes anything.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from local.callers import PUSH_POLICY, Caller, ensure_caller
from local.errors import LocalAwsError
from local.oci import PushRefusedError, Registry, image_of
from local.stack import Stack, session

if TYPE_CHECKING:
    from local.server import Server

REPOSITORY = "demo/hello"
TAG = "1"
_IMAGE = image_of("Hello from a repository that did not exist a moment ago.\n")
_POLICY_OUTPUT = "PipelinePolicyArn"

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Callers:
    """Who the demonstration acts as."""

    pipeline: Caller
    outsider: Caller


def ensure_callers(server: "Server", stack: Stack, known: Mapping[str, str]) -> Callers:
    """Make sure of both callers: both may push, one may also call the API, neither may create a repository.

    Raises
    ------
    LocalAwsError
        When the stack does not say which policy lets a pipeline call.
    """
    if _POLICY_OUTPUT not in stack.outputs:
        raise LocalAwsError(f"The stack {stack.name} has no output {_POLICY_OUTPUT}, so no caller can be authorized.")
    iam = session(server).client("iam", endpoint_url=server.endpoint)
    return Callers(
        pipeline=ensure_caller(iam, "demo-pipeline", [PUSH_POLICY, stack.outputs[_POLICY_OUTPUT]], known),
        outsider=ensure_caller(iam, "demo-outsider", [PUSH_POLICY], known),
    )


def demonstrate(server: "Server", stack: Stack, callers: Callers, say: Say) -> None:
    """Show the main job and check every step of it.

    Parameters
    ----------
    say
        Called with each step that has succeeded.

    Raises
    ------
    LocalAwsError
        When a step does not end as it should.
    """
    registry = _login(server, callers.pipeline)
    if not _exists(server, REPOSITORY):
        _expect_name_unknown(registry)
        say(f"push to {REPOSITORY}, which does not exist: refused (name unknown)")
    status, _ = put_repository(server, stack, callers.outsider)
    _expect(status == HTTPStatus.FORBIDDEN, f"the call of {callers.outsider.name} was answered {status}, not 403")
    say(f"PUT by {callers.outsider.name}, who may push but not call: refused (403)")
    status, answer = put_repository(server, stack, callers.pipeline)
    _expect(
        status in (HTTPStatus.CREATED, HTTPStatus.OK),
        f"the call of {callers.pipeline.name} was answered {status}: {json.dumps(answer)}",
    )
    created = "created" if status == HTTPStatus.CREATED else "already exists"
    say(f"PUT by {callers.pipeline.name}: {created} ({status.value})")
    pushed = registry.push(_IMAGE, REPOSITORY, TAG)
    say(f"push again: succeeded, {REPOSITORY}:{TAG} {pushed[:19]}…")
    pulled, layer = registry.pull(REPOSITORY, TAG)
    _expect((pulled, layer) == (pushed, _IMAGE.layer), f"what was pulled, {pulled}, is not what was pushed, {pushed}")
    say("pull: the same image")


def put_repository(server: "Server", stack: Stack, caller: Caller) -> tuple[HTTPStatus, dict[str, Any]]:
    """Ask the API, signed as the caller, that the repository exists; its answer and its status."""
    request = AWSRequest("PUT", f"{stack.api_url}/repositories/{REPOSITORY}")
    credentials = Credentials(caller.access_key_id, caller.secret_access_key)
    SigV4Auth(credentials, "execute-api", server.region).add_auth(request)
    reply = URLLib3Session().send(request.prepare())
    try:
        answer: dict[str, Any] = json.loads(reply.content)
    except ValueError:
        answer = {"detail": reply.text}
    return HTTPStatus(reply.status_code), answer


def commands_to_copy(server: "Server", stack: Stack, callers: Callers) -> list[str]:
    """Three commands that do the same by hand: create, push, look."""
    caller, registry = callers.pipeline, f"127.0.0.1:{server.port}"
    key = f"{caller.access_key_id}:{caller.secret_access_key}"
    sign = f"--aws-sigv4 aws:amz:{server.region}:execute-api --user {key}"
    keys = f"AWS_ACCESS_KEY_ID={caller.access_key_id} AWS_SECRET_ACCESS_KEY={caller.secret_access_key}"
    ecr = f"{keys} aws --endpoint-url {server.endpoint} --region {server.region} ecr"
    destination = f"--dest-tls-verify=false --dest-creds AWS:$({ecr} get-login-password)"
    return [
        f"curl {sign} -X PUT {stack.api_url}/repositories/demo/by-hand",
        f"skopeo copy {destination} docker://docker.io/library/alpine:latest docker://{registry}/demo/by-hand:1",
        f"{ecr} describe-repositories --repository-names demo/by-hand",
    ]


def _login(server: "Server", caller: Caller) -> Registry:
    ecr = boto3.client(
        "ecr",
        endpoint_url=server.endpoint,
        region_name=server.region,
        aws_access_key_id=caller.access_key_id,
        aws_secret_access_key=caller.secret_access_key,
    )
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    return Registry(f"127.0.0.1:{server.port}", user, password)


def _exists(server: "Server", name: str) -> bool:
    ecr = session(server).client("ecr", endpoint_url=server.endpoint)
    try:
        ecr.describe_repositories(repositoryNames=[name])
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "RepositoryNotFoundException":
            return False
        raise
    return True


def _expect_name_unknown(registry: Registry) -> None:
    try:
        registry.push(_IMAGE, REPOSITORY, TAG)
    except PushRefusedError as refused:
        _expect(refused.code == "NAME_UNKNOWN", f"the push to a missing repository was refused with {refused.code}")
    else:
        raise LocalAwsError("The demonstration failed: a push to a repository that does not exist succeeded.")


def _expect(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_so:
        raise LocalAwsError(f"The demonstration failed: {otherwise}.")
