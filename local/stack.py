"""The stack of ``template.yaml`` on the local AWS: built and deployed by SAM, as for production.

``samconfig.toml``'s block ``local`` says the stack's name and region. What has not changed is not built or deployed
again.
"""

import hashlib
import os
import platform
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions

from deployment import artefacts
from local.errors import LocalAwsError
from local.launcher import HOME_REGION
from local.workspace import Workspace, read_record, write_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.server import Server

STACK_NAME = "ecr-steward"
_ENVIRONMENT, _GLOBAL = "local", "global-events"
_SAM = Path(__file__).with_name("sam.py")
_RUNTIME = (3, 13)
_SOURCES = ("template.yaml", "global-events.yaml", "samconfig.toml", "functions", "layers")
_ARCHITECTURES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}
_IN_PLACE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


@dataclass(frozen=True, slots=True)
class Stack:
    """The deployed stack, as far as a caller needs to know it."""

    name: str
    api_url: str
    outputs: dict[str, str]
    physical_ids: dict[str, str]
    """The names that CloudFormation gave the resources, by logical id."""


def session(server: "Server") -> boto3.Session:
    """A session of the operator, who is root. Clients still need ``endpoint_url=server.endpoint``."""
    return boto3.Session(
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
        region_name=server.region,
    )


def home_region(project: Path) -> str:
    """The region that the project deploys to on the laptop."""
    return str(_settings(project, "deploy").get("region", HOME_REGION))


def stack_name(project: Path) -> str:
    """The name of the project's stack on the laptop."""
    return str(_settings(project, "deploy").get("stack_name", STACK_NAME))


def fingerprint(project: Path, settings: Path | None = None) -> str:
    """A digest of everything that the build and the deployment read: the project, and an operator's settings."""
    digest = hashlib.sha256(f"{sys.version} {platform.machine()}".encode())
    for path in _source_files(project):
        digest.update(f"\0{path.relative_to(project)}\0".encode())
        digest.update(path.read_bytes())
    for path in sorted(settings.glob("*.yaml")) if settings else ():
        digest.update(f"\0{path.name}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_built(workspace: Workspace, sources: str) -> bool:
    """Whether SAM's build folder holds the build of these sources."""
    built = (workspace.project / ".aws-sam" / "build" / "template.yaml").exists()
    return built and read_record(workspace.deployment_record).get("built") == sources


def is_deployed(workspace: Workspace, server: "Server", sources: str) -> bool:
    """Whether these sources are what the running local AWS has in place."""
    return (
        read_record(workspace.deployment_record).get("deployed") == sources
        and _status(server, stack_name(workspace.project)) in _IN_PLACE
    )


def deployed_settings(workspace: Workspace) -> Path | None:
    """The operator's folder that was deployed last; None for the shipped settings alone."""
    folder = read_record(workspace.deployment_record).get("settings")
    return Path(folder) if folder else None


def find_interpreter() -> Path:
    """The interpreter of the functions' runtime: the one that this environment was made with.

    Raises
    ------
    LocalAwsError
        When it is of another version, gone, or without pip.
    """
    name = f"python{_RUNTIME[0]}.{_RUNTIME[1]}"
    interpreter = Path(sys.base_prefix) / "bin" / name
    if sys.version_info[:2] != _RUNTIME or not interpreter.exists():
        raise LocalAwsError(
            f"The functions need {name}, but this environment was made with Python {platform.python_version()} "
            f"of {sys.base_prefix}; install Python {name.removeprefix('python')} and make the environment again."
        )
    pip = [str(interpreter), "-m", "pip", "--version"]
    if subprocess.run(pip, capture_output=True, check=False).returncode:  # noqa: S603 - the interpreter found above
        raise LocalAwsError(f"sam build needs pip in {interpreter}; install it: {interpreter} -m ensurepip")
    return interpreter


def build(workspace: Workspace, server: "Server", sources: str, settings: Path | None = None) -> None:
    """``sam build``, with the interpreter of the functions' runtime on the PATH, and an operator's settings.

    Raises
    ------
    LocalAwsError
        When that interpreter is missing, or SAM fails.
    """
    interpreter = find_interpreter()
    link = workspace.interpreters / f"python{_RUNTIME[0]}.{_RUNTIME[1]}"  # the name that SAM looks for on the PATH
    link.unlink(missing_ok=True)
    link.symlink_to(interpreter)
    _sam(workspace, server, _ENVIRONMENT, "build")
    artefacts.finish(workspace.project / ".aws-sam" / "build", settings)
    write_record(workspace.deployment_record, read_record(workspace.deployment_record) | {"built": sources})


def deploy(workspace: Workspace, server: "Server", sources: str, settings: Path | None = None) -> None:
    """``sam deploy`` with the settings of the block ``local``.

    Raises
    ------
    LocalAwsError
        When SAM or CloudFormation fails.
    """
    _sam(workspace, server, _ENVIRONMENT, "deploy")
    write_record(
        workspace.deployment_record,
        read_record(workspace.deployment_record) | {"deployed": sources, "settings": str(settings or "")},
    )


def describe(workspace: Workspace, server: "Server") -> Stack:
    """The stack's outputs, and its API's address on this machine, found from the API that the stack has."""
    name = stack_name(workspace.project)
    client = session(server).client("cloudformation", endpoint_url=server.endpoint)
    described = client.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    by_type: dict[str, str] = {}
    physical_ids: dict[str, str] = {}
    for page in client.get_paginator("list_stack_resources").paginate(StackName=name):
        for resource in page["StackResourceSummaries"]:
            by_type.setdefault(resource["ResourceType"], resource.get("PhysicalResourceId", ""))
            physical_ids[resource["LogicalResourceId"]] = resource.get("PhysicalResourceId", "")
    api, stage = (by_type.get(f"AWS::ApiGateway::{kind}") for kind in ("RestApi", "Stage"))
    if not api or not stage:
        raise LocalAwsError(f"The stack {name} has no REST API with a stage.")
    return Stack(name, f"{server.endpoint}/_aws/execute-api/{api}/{stage}", outputs, physical_ids)


def find(workspace: Workspace, server: "Server") -> Stack | None:
    """The deployed stack; ``None`` when there is none."""
    return describe(workspace, server) if _status(server, stack_name(workspace.project)) else None


def _status(server: "Server", name: str, region: str | None = None) -> str | None:
    client = session(server).client("cloudformation", endpoint_url=server.endpoint, region_name=region)
    try:
        return str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # how CloudFormation says that there is none
            return None
        raise


def are_global_events_deployed(workspace: Workspace, server: "Server", sources: str) -> bool:
    """Whether the stack of us-east-1 is in place as these sources have it; also where the project has none."""
    configuration = _settings(workspace.project, "deploy", _GLOBAL)
    return not configuration or (
        read_record(workspace.deployment_record).get("global_events") == sources
        and _status(server, str(configuration["stack_name"]), str(configuration["region"])) in _IN_PLACE
    )


def deploy_global_events(workspace: Workspace, server: "Server", sources: str) -> None:
    """``sam deploy`` of the small stack in us-east-1, which forwards IAM's events.

    Raises
    ------
    LocalAwsError
        When SAM or CloudFormation fails.
    """
    _sam(workspace, server, _GLOBAL, "deploy", "--no-confirm-changeset")
    write_record(workspace.deployment_record, read_record(workspace.deployment_record) | {"global_events": sources})


def _sam(workspace: Workspace, server: "Server", environment: str, command: str, *options: str) -> None:
    log = workspace.log(command if environment == _ENVIRONMENT else f"{command}-{environment}")
    arguments = [sys.executable, "-P", str(_SAM), command, "--config-env", environment, *options]
    if environment == _GLOBAL:
        arguments += ["--parameter-overrides", f"HomeRegion={server.region}"]
    elif overrides := _parameter_overrides(workspace.project, command):
        arguments += ["--parameter-overrides", *overrides]
    with log.open("wb") as file:
        result = subprocess.run(  # noqa: S603 - SAM CLI of this environment
            arguments,
            cwd=workspace.project,
            env=_sam_environment(workspace, server),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode:
        raise LocalAwsError(f"sam {command} failed: {_reason(log.read_text(errors='replace'))} The log is {log}.")


def _sam_environment(workspace: Workspace, server: "Server") -> dict[str, str]:
    """The user's environment without any other AWS account in it, and with the local one."""
    users = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
    return users | {
        "PATH": f"{workspace.interpreters}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": server.region,
        "AWS_DEFAULT_REGION": server.region,
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.5",  # seconds; the 5 that SAM waits by itself are for AWS
        "PYTHONWARNINGS": "ignore",
    }


def _parameter_overrides(project: Path, command: str) -> list[str]:
    """The block's own overrides, and this machine's architecture where the template takes one."""
    configured = _settings(project, command).get("parameter_overrides", [])
    overrides = configured.split() if isinstance(configured, str) else list(configured)
    takes_architecture = re.search(r"^  Architecture:", (project / "template.yaml").read_text(), re.MULTILINE)
    machine = platform.machine().lower()
    if takes_architecture and not any(override.startswith("Architecture=") for override in overrides):
        overrides.append(f"Architecture={_ARCHITECTURES.get(machine, machine)}")
    return overrides


def _settings(project: Path, command: str, environment: str = _ENVIRONMENT) -> dict[str, Any]:
    """The parameters of one SAM command in a block of ``samconfig.toml``."""
    configuration = tomllib.loads((project / "samconfig.toml").read_text())
    block = configuration.get(environment, {})
    parameters: dict[str, Any] = block.get("global", {}).get("parameters", {}) | block.get(command, {}).get(
        "parameters", {}
    )
    return parameters


def _source_files(project: Path) -> "Iterator[Path]":
    for source in (project / name for name in _SOURCES):
        files = source.rglob("*") if source.is_dir() else [source]
        yield from sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts)


def _reason(log: str) -> str:
    """The last sentence in a log that says what went wrong."""
    lines = [line.strip() for line in log.splitlines() if re.search(r"error|failed", line, re.IGNORECASE)]
    return lines[-1].rstrip(".") + "." if lines else "no reason was given."
