"""What would make a deployment fail, asked of AWS before it begins, each with what to do.

A question that AWS does not answer, for want of a right or of the network, is not known, and never well.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from health.adapters.rights import needing
from health.domain.report import Result, State
from steward.aws.errors import code_of
from steward.errors import AccessDeniedError, UpstreamError

OTHER_QUEUES = 7
"""Executions that the queues of drift and alerting may use at once: the sum of MaximumConcurrency in
``template.yaml`` without that of rotation, which is a parameter."""
UNRESERVED = 100
"""What Lambda keeps for functions that reserve nothing.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html"""
LONGEST_STACK_NAME = 49
"""``<name>-SecretRotation`` is a function's name, which takes 64 characters."""
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Days that CloudWatch Logs takes.
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""
LOG_POLICIES = 10
"""Resource policies of CloudWatch Logs per region and account.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
GROUPS = ("ecr-read", "ecr-write", "ecr-admin")
_NO_UPDATE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"}
_CALLS = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be deployed: the stack's name, its region, and parameters that differ from their defaults."""

    stack: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.parameters.get(name) or _DEFAULTS[name]


_DEFAULTS = {
    "ApiConcurrency": "0",
    "BusName": "steward",
    "CreateAccessModel": "true",
    "CreateServiceUsers": "true",
    "DecisionRetentionDays": "400",
    "DocumentationUrl": "",
    "LogRetentionDays": "90",
    "PullUserName": "ecr-pull",
    "PushUserName": "ecr-push",
    "RotationConcurrency": "5",
}
"""Of ``template.yaml``; a test compares them."""

Client = Callable[..., Any]
"""Of a service, as ``boto3.client``."""


def preflight(plan: Plan, client: Client | None = None) -> Iterator[Result]:
    """Every check, in order. Nothing is changed.

    Parameters
    ----------
    plan
        What is about to be deployed.
    client
        Makes a client of a service and a region; boto3's by default.
    """
    client = client or _client
    yield from _of_the_plan(plan)
    if _partition(plan.region) != "aws":
        return
    caller = _attempted("credentials", lambda: _credentials(client, plan.region))
    yield caller
    if caller.state is not State.OK:
        detail = "not checked: AWS was not reached with credentials"
        yield from (Result(name, State.UNKNOWN, detail) for name in _OF_AWS)
        return
    yield _attempted("region", lambda: _region_is_enabled(client, plan.region))
    there: list[frozenset[str]] = []

    def stack() -> Result:
        result, resources = _stack(client, plan)
        there.append(resources)
        return result

    yield _attempted("stack", stack)
    if not there:
        yield from (Result(name, State.UNKNOWN, "not checked: the stack is not known") for name in _OF_AWS[2:])
        return
    known = there[0]
    yield _attempted("names in IAM", lambda: _iam_names(client, plan, known))
    yield _attempted("bus", lambda: _bus(client, plan, known))
    yield _attempted("log policies", lambda: _log_policies(client, plan, known))
    yield _attempted("concurrency", lambda: _concurrency(client, plan))


_OF_AWS = ("region", "stack", "names in IAM", "bus", "log policies", "concurrency")


def _attempted(name: str, check: Callable[[], Result]) -> Result:
    try:
        return check()
    except AccessDeniedError as error:
        detail = f"not checked: the right {error.code} is missing"
        return Result(name, State.UNKNOWN, detail, missing_right=error.code or "")
    except UpstreamError as error:
        return Result(name, State.UNKNOWN, f"not checked: {error}")


def _of_the_plan(plan: Plan) -> Iterator[Result]:
    """What needs no call."""
    partition = _partition(plan.region)
    if partition != "aws":
        detail = f"{plan.region} is in the partition {partition}: the stack runs in aws alone"
        yield Result("partition", State.BROKEN, detail, ("make deploy GUIDED=1",))
    if len(plan.stack) > LONGEST_STACK_NAME:
        detail = f"{plan.stack} has {len(plan.stack)} characters: names of functions allow {LONGEST_STACK_NAME}"
        yield Result("stack name", State.BROKEN, detail, ("make deploy GUIDED=1",))
    elif not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", plan.stack):
        detail = f"{plan.stack!r} has other characters than letters, digits and hyphens"
        yield Result("stack name", State.BROKEN, detail, ("make deploy GUIDED=1",))
    for name in ("LogRetentionDays", "DecisionRetentionDays"):
        if plan[name] not in map(str, RETENTIONS):
            nearest = next((days for days in RETENTIONS if plan[name].isdigit() and days >= int(plan[name])), 90)
            detail = f"CloudWatch Logs keeps no {plan[name]} days; {nearest}, for example"
            yield Result(name, State.BROKEN, detail, ("make deploy GUIDED=1",))
    if not plan["DocumentationUrl"]:
        detail = "DocumentationUrl is empty: alarms and alerts name the runbooks, and link none of them"
        yield Result("documentation", State.WARNING, detail, ("make deploy GUIDED=1",))


def _partition(region: str) -> str:
    try:
        return str(botocore.session.get_session().get_partition_for_region(region))
    except botocore.exceptions.UnknownRegionError:
        return "aws"  # a region that is newer than botocore; AWS itself is asked


def _credentials(client: Client, region: str) -> Result:
    with needing("sts:GetCallerIdentity"):
        caller = client("sts", region).get_caller_identity()
    return Result("credentials", State.OK, caller["Arn"])


def _region_is_enabled(client: Client, region: str) -> Result:
    with needing("account:GetRegionOptStatus"):
        status = client("account", "us-east-1").get_region_opt_status(RegionName=region)["RegionOptStatus"]
    if status in {"ENABLED", "ENABLED_BY_DEFAULT"}:
        return Result("region", State.OK, f"{region} is enabled")
    command = f"aws account enable-region --region-name {region}"
    return Result("region", State.BROKEN, f"{region} is {status} for this account", (command,))


def _stack(client: Client, plan: Plan) -> tuple[Result, frozenset[str]]:
    """Whether the stack can be created or updated, and the physical ids of what it has."""
    cloudformation = client("cloudformation", plan.region)
    with needing("cloudformation:DescribeStacks"):
        try:
            status = cloudformation.describe_stacks(StackName=plan.stack)["Stacks"][0]["StackStatus"]
        except ClientError as error:
            if code_of(error) == "ValidationError":  # how CloudFormation says that there is none
                return Result("stack", State.OK, f"{plan.stack} will be created"), frozenset()
            raise
    delete = f"aws cloudformation delete-stack --region {plan.region} --stack-name {plan.stack}"
    if status in _NO_UPDATE:
        detail = f"{plan.stack} is {status}, left by a failed deployment, and takes no update"
        return Result("stack", State.BROKEN, detail, (delete, "make deploy")), frozenset()
    with needing("cloudformation:ListStackResources"):
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=plan.stack)
        known = frozenset(
            each.get("PhysicalResourceId", "") for page in pages for each in page["StackResourceSummaries"]
        )
    if status == "UPDATE_ROLLBACK_FAILED":
        command = f"aws cloudformation continue-update-rollback --region {plan.region} --stack-name {plan.stack}"
        return Result("stack", State.BROKEN, f"{plan.stack} is {status}", (command, "make deploy")), known
    if status.endswith("_IN_PROGRESS"):
        return Result("stack", State.BROKEN, f"{plan.stack} is {status}: wait until it ends", ("make deploy",)), known
    return Result("stack", State.OK, f"{plan.stack} is {status} and will be updated"), known


def _iam_names(client: Client, plan: Plan, known: frozenset[str]) -> Result:
    name, iam = "names in IAM", client("iam", plan.region)
    if plan["CreateAccessModel"] != "true":
        return Result(name, State.OK, "no groups and users are created")
    users = (plan["PushUserName"], plan["PullUserName"]) if plan["CreateServiceUsers"] == "true" else ()
    taken = [
        *(f"group {each}" for each in GROUPS if each not in known and _exists("iam:GetGroup", _group(iam, each))),
        *(f"user {each}" for each in users if each not in known and _exists("iam:GetUser", _user(iam, each))),
    ]
    if not taken:
        return Result(name, State.OK, "free, or the stack's own")
    detail = (
        f"taken: {', '.join(taken)}; choose other users (PushUserName, PullUserName), or leave the access model "
        "to its owner (CreateAccessModel=false)"
    )
    return Result(name, State.BROKEN, detail, ("make deploy GUIDED=1",))


def _group(iam: Any, name: str) -> Callable[[], Any]:
    return lambda: iam.get_group(GroupName=name, MaxItems=1)


def _user(iam: Any, name: str) -> Callable[[], Any]:
    return lambda: iam.get_user(UserName=name)


def _exists(action: str, call: Callable[[], Any]) -> bool:
    with needing(action):
        try:
            call()
        except ClientError as error:
            if code_of(error) in {"NoSuchEntity", "ResourceNotFoundException"}:
                return False
            raise
    return True


def _bus(client: Client, plan: Plan, known: frozenset[str]) -> Result:
    bus, events = plan["BusName"], client("events", plan.region)
    if bus in known or not _exists("events:DescribeEventBus", lambda: events.describe_event_bus(Name=bus)):
        return Result("bus", State.OK, f"the name {bus} is free, or the stack's own")
    detail = f"a bus {bus} exists and is not this stack's: choose another BusName, or delete it if nothing uses it"
    return Result("bus", State.BROKEN, detail, ("make deploy GUIDED=1",))


def _log_policies(client: Client, plan: Plan, known: frozenset[str]) -> Result:
    ours, logs = f"{plan.stack}-events", client("logs", plan.region)
    with needing("logs:DescribeResourcePolicies"):
        pages = logs.get_paginator("describe_resource_policies").paginate()
        names: Sequence[str] = [each["policyName"] for page in pages for each in page["resourcePolicies"]]
    command = f"aws logs describe-resource-policies --region {plan.region}"
    if ours in known:
        return Result("log policies", State.OK, f"{ours} is the stack's own")
    if ours in names:
        detail = f"a resource policy {ours} of CloudWatch Logs is left from another stack: delete it"
        delete = f"aws logs delete-resource-policy --region {plan.region} --policy-name {ours}"
        return Result("log policies", State.BROKEN, detail, (command, delete))
    if len(names) >= LOG_POLICIES:
        detail = (
            f"the region has {len(names)} resource policies of CloudWatch Logs, as many as it may: merge or delete one"
        )
        return Result("log policies", State.BROKEN, detail, (command,))
    return Result("log policies", State.OK, f"{len(names)} of {LOG_POLICIES} are used")


def _concurrency(client: Client, plan: Plan) -> Result:
    with needing("lambda:GetAccountSettings"):
        limit = client("lambda", plan.region).get_account_settings()["AccountLimit"]
    whole, unreserved, reserved = (
        limit["ConcurrentExecutions"],
        limit["UnreservedConcurrentExecutions"],
        int(plan["ApiConcurrency"]),
    )
    raise_it = (
        f"aws service-quotas request-service-quota-increase --region {plan.region} --service-code lambda "
        "--quota-code L-B99A9384 --desired-value 1000"
    )
    if reserved and unreserved - reserved < UNRESERVED:
        detail = (
            f"ApiConcurrency={reserved} of {unreserved} unreserved executions leaves less than Lambda's {UNRESERVED}"
        )
        return Result("concurrency", State.BROKEN, detail, ("make deploy GUIDED=1", raise_it))
    queues = OTHER_QUEUES + int(plan["RotationConcurrency"])
    if whole <= queues:
        detail = (
            f"the account runs {whole} functions at once, and the queues alone may use {queues}: "
            "then the API is throttled"
        )
        return Result("concurrency", State.WARNING, detail, (raise_it,))
    return Result("concurrency", State.OK, f"the account runs {whole} functions at once")


def _client(service: str, region: str) -> Any:
    return boto3.client(service, region_name=region, config=_CALLS)  # type: ignore[call-overload]
