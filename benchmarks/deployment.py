"""The deployed stack on the local AWS: found or started, called with signed requests, cleaned up."""

import json
import socket
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from local.environment_file import read_environment
from local.server import running_server
from local.stack import fingerprint, is_deployed
from local.workspace import Workspace

PROJECT = Path(__file__).parents[1]
BUILD = PROJECT / ".aws-sam" / "build"
LOCAL_PYTHON = PROJECT / ".local" / "venv" / "bin" / "python"
_PATIENCE_SECONDS = 120
_CONNECTIONS = 64


class NoDeploymentError(Exception):
    """There is nothing to measure; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the API."""

    status: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deployment:
    """The stack as an operator and as a pipeline reach it.

    ``names`` begins the name of every repository that this run makes, and of none that anybody else did.
    """

    variables: Mapping[str, str]
    names: str = field(default_factory=lambda: f"benchmark/{uuid.uuid4().hex[:8]}")
    _http: URLLib3Session = field(
        default_factory=lambda: URLLib3Session(timeout=_PATIENCE_SECONDS, max_pool_connections=_CONNECTIONS)
    )

    def client(self, service: str, *, region: str | None = None) -> Any:
        """An operator's client of the local AWS."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            region_name=region or self.variables["AWS_REGION"],
            aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
        )

    @property
    def operator_environment(self) -> dict[str, str]:
        """The variables by which an AWS client acts as the operator only."""
        wanted = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        return {name: self.variables[name] for name in wanted} | {
            "AWS_DEFAULT_REGION": self.variables["AWS_REGION"],
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def call(self, method: str, path: str, body: object = None, *, caller: str = "DEMO_PIPELINE_") -> Reply:
        """One request to the API, signed as the pipeline; as the operator where ``caller`` is empty."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        data = json.dumps(body).encode() if body is not None else b""
        request = AWSRequest(method, self.variables["STEWARD_API_URL"] + path, headers=headers, data=data)
        key = Credentials(
            self.variables[f"{caller}AWS_ACCESS_KEY_ID"], self.variables[f"{caller}AWS_SECRET_ACCESS_KEY"]
        )
        SigV4Auth(key, "execute-api", self.variables["AWS_REGION"]).add_auth(request)
        reply = self._http.send(request.prepare())
        return Reply(reply.status_code, json.loads(reply.content))

    def resource(self, logical_id: str) -> str:
        """The physical id of one resource of the stack."""
        detail = self.client("cloudformation").describe_stack_resource(
            StackName=self.variables["STEWARD_STACK"], LogicalResourceId=logical_id
        )
        return str(detail["StackResourceDetail"]["PhysicalResourceId"])

    def function_environment(self) -> dict[str, str]:
        """The variables that the template gives the API's function."""
        function = self.client("lambda").get_function_configuration(FunctionName=self.resource("RepositoryApi"))
        variables: dict[str, str] = function["Environment"]["Variables"]
        return variables

    def delete_repositories(self) -> None:
        """Delete what this run made, and what the stack remembers of it."""
        ecr, dynamodb, table = self.client("ecr"), self.client("dynamodb"), self.resource("ProvisioningState")
        for page in ecr.get_paginator("describe_repositories").paginate():
            for repository in page["repositories"]:
                name = repository["repositoryName"]
                if name.startswith(f"{self.names}/"):
                    ecr.delete_repository(repositoryName=name, force=True)
                    dynamodb.delete_item(TableName=table, Key={"id": {"S": f"repository#{name}"}})


@contextmanager
def deployment(port: int | None = None) -> Iterator[Deployment]:
    """The stack that runs already, or one that is started (on ``port``, or a free one) and stopped afterwards.

    Raises
    ------
    NoDeploymentError
        What runs is not what the sources say, or nothing can be started.
    """
    workspace = Workspace(PROJECT)
    started = running_server(workspace) is None
    if started:
        _local_aws("start", "--port", str(port or free_port()))
    try:
        server = running_server(workspace)
        if server is None or not is_deployed(workspace, server, fingerprint(PROJECT)):
            raise NoDeploymentError("What runs is not the stack of these sources; deploy it: make start")
        stack = Deployment(read_environment(workspace.environment_file))
        try:
            yield stack
        finally:
            stack.delete_repositories()
    finally:
        if started:
            _local_aws("stop")


def free_port() -> int:
    """A port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _local_aws(*command: str) -> None:
    if not LOCAL_PYTHON.exists():
        raise NoDeploymentError("The environment of the local AWS is missing; make it: make start")
    done = subprocess.run(
        [LOCAL_PYTHON, "-m", "local", *command], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoDeploymentError(done.stderr.strip())
