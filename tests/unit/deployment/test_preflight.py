"""What would make a deployment fail is said before it begins, with what to do; what is not known is never well."""

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from deployment import preflight as module
from deployment.preflight import Plan, preflight
from health.domain.report import State

REGION = "eu-central-1"


class Aws:
    """Clients of moto, with answers of a test's own in their place."""

    def __init__(self):
        self.answers = {
            ("cloudformation", "describe_stacks"): ClientError(
                {"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks"
            ),
            ("account", "get_region_opt_status"): {"RegionOptStatus": "ENABLED_BY_DEFAULT"},
            ("lambda", "get_account_settings"): {
                "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
            },
        }

    def __call__(self, service, region):
        return _Client(boto3.client(service, region_name=region), service, self.answers)


class _Client:
    def __init__(self, client, service, answers):
        self._client = client
        self._service = service
        self._answers = answers

    def __getattr__(self, name):
        answer = self._answers.get((self._service, name))
        if answer is None:
            return getattr(self._client, name)

        def call(*_, **__):
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class Pages:
    """CloudFormation's list of resources, by their physical ids."""

    def __init__(self, *names):
        self._names = names

    def paginate(self, **_):
        return [{"StackResourceSummaries": [{"PhysicalResourceId": name} for name in self._names]}]


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Aws()


def results(aws, stack="ecr-steward", region=REGION, **parameters):
    given = {"DocumentationUrl": "https://git.example.com/docs"} | parameters
    return {result.check: result for result in preflight(Plan(stack, region, given), aws)}


def denied(operation):
    return ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)


def test_in_a_clean_account_nothing_stops_a_deployment(aws):
    assert {result.state for result in results(aws).values()} == {State.OK}


def test_the_defaults_are_those_of_the_template(request):
    template = yaml_parse((request.config.rootpath / "template.yaml").read_text())
    parameters, mappings = template["Parameters"], template["Resources"]

    assert {name: str(parameters[name]["Default"]) for name in module._DEFAULTS} == module._DEFAULTS
    assert parameters["LogRetentionDays"]["AllowedValues"] == list(module.RETENTIONS)
    assert set(parameters["DecisionRetentionDays"]["AllowedValues"]) <= set(module.RETENTIONS)
    most = [
        resource["Properties"]["ScalingConfig"]["MaximumConcurrency"]
        for resource in mappings.values()
        if resource["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    assert {"Ref": "RotationConcurrency"} in most
    assert sum(one for one in most if isinstance(one, int)) == module.OTHER_QUEUES


def test_taken_names_of_groups_and_users_are_named(aws):
    iam = boto3.client("iam")
    iam.create_group(GroupName="ecr-write")
    iam.create_user(UserName="pusher")

    found = results(aws, PushUserName="pusher")["names in IAM"]

    assert found.state is State.BROKEN
    assert "group ecr-write, user pusher" in found.detail


def test_names_do_not_matter_if_the_access_model_is_left_to_another_stack(aws):
    boto3.client("iam").create_group(GroupName="ecr-write")

    assert results(aws, CreateAccessModel="false")["names in IAM"].state is State.OK


def test_a_bus_of_another_stack_is_named(aws):
    boto3.client("events", region_name=REGION).create_event_bus(Name="steward")

    assert results(aws)["bus"].state is State.BROKEN
    assert results(aws, BusName="ours")["bus"].state is State.OK


def test_a_log_policy_of_the_same_name_and_a_full_list_are_named(aws):
    logs = boto3.client("logs", region_name=REGION)
    logs.put_resource_policy(policyName="ecr-steward-events", policyDocument="{}")

    assert results(aws)["log policies"].state is State.BROKEN
    assert results(aws, stack="other")["log policies"].state is State.OK
    for number in range(9):
        logs.put_resource_policy(policyName=f"p{number}", policyDocument="{}")
    assert results(aws, stack="other")["log policies"].state is State.BROKEN


@pytest.mark.parametrize(
    ("whole", "reserved", "state"),
    [
        (1000, "0", State.OK),
        (1000, "20", State.OK),
        (10, "0", State.WARNING),
        (12, "0", State.WARNING),
        (110, "20", State.BROKEN),
        (10, "20", State.BROKEN),
    ],
)
def test_a_new_accounts_concurrency_is_too_small(aws, whole, reserved, state):
    limit = {"ConcurrentExecutions": whole, "UnreservedConcurrentExecutions": whole}
    aws.answers["lambda", "get_account_settings"] = {"AccountLimit": limit}

    found = results(aws, ApiConcurrency=reserved)["concurrency"]

    assert found.state is state
    assert bool(found.mend) == (state is not State.OK)


def test_the_concurrency_of_the_rotation_counts(aws):
    limit = {"ConcurrentExecutions": 50, "UnreservedConcurrentExecutions": 50}
    aws.answers["lambda", "get_account_settings"] = {"AccountLimit": limit}

    assert results(aws, RotationConcurrency="42")["concurrency"].state is State.OK
    assert results(aws, RotationConcurrency="43")["concurrency"].state is State.WARNING


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("ROLLBACK_COMPLETE", "delete-stack"),
        ("REVIEW_IN_PROGRESS", "delete-stack"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("UPDATE_IN_PROGRESS", "make deploy"),
    ],
)
def test_a_stack_that_takes_no_update_is_named_with_what_to_do(aws, status, command):
    aws.answers["cloudformation", "get_paginator"] = Pages()
    aws.answers["cloudformation", "describe_stacks"] = {"Stacks": [{"StackStatus": status}]}

    found = results(aws)["stack"]

    assert found.state is State.BROKEN
    assert command in " ".join(found.mend)


def test_what_the_stack_has_itself_is_not_taken(aws):
    aws.answers["cloudformation", "describe_stacks"] = {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}
    aws.answers["cloudformation", "get_paginator"] = Pages("ecr-read", "steward")
    boto3.client("iam").create_group(GroupName="ecr-read")
    boto3.client("events", region_name=REGION).create_event_bus(Name="steward")

    found = results(aws)

    assert (found["names in IAM"].state, found["bus"].state) == (State.OK, State.OK)


def test_a_region_that_is_not_enabled_is_named(aws):
    aws.answers["account", "get_region_opt_status"] = {"RegionOptStatus": "DISABLED"}

    found = results(aws, region="eu-central-2")["region"]

    assert (found.state, found.mend) == (State.BROKEN, ("aws account enable-region --region-name eu-central-2",))


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_another_partition_is_refused_without_a_call(aws, region):
    assert {name: result.state for name, result in results(aws, region=region).items()} == {"partition": State.BROKEN}


def test_alarms_without_links_to_the_runbooks_are_a_warning_that_stops_nothing(aws):
    found = results(aws, DocumentationUrl="")["documentation"]

    assert (found.state, found.mend) == (State.WARNING, ("make deploy GUIDED=1",))
    assert "documentation" not in results(aws)


@pytest.mark.parametrize("name", ["a" * 50, "under_score"])
def test_a_name_that_functions_cannot_have_is_refused(aws, name):
    assert results(aws, stack=name)["stack name"].state is State.BROKEN


def test_a_retention_that_logs_do_not_take_is_refused_with_one_that_they_take(aws):
    found = results(aws, LogRetentionDays="100")["LogRetentionDays"]

    assert found.state is State.BROKEN
    assert "120" in found.detail


@pytest.mark.parametrize(
    ("service", "operation", "call", "check", "right"),
    [
        ("account", "GetRegionOptStatus", "get_region_opt_status", "region", "account:GetRegionOptStatus"),
        ("cloudformation", "DescribeStacks", "describe_stacks", "stack", "cloudformation:DescribeStacks"),
        ("iam", "GetGroup", "get_group", "names in IAM", "iam:GetGroup"),
        ("events", "DescribeEventBus", "describe_event_bus", "bus", "events:DescribeEventBus"),
        ("lambda", "GetAccountSettings", "get_account_settings", "concurrency", "lambda:GetAccountSettings"),
    ],
)
def test_without_a_right_its_check_is_unknown_and_names_it(aws, service, operation, call, check, right):
    aws.answers[service, call] = denied(operation)

    found = results(aws)

    assert (found[check].state, found[check].missing_right) == (State.UNKNOWN, right)


def test_without_a_network_nothing_is_said_to_be_well(aws):
    aws.answers["sts", "get_caller_identity"] = EndpointConnectionError(endpoint_url="https://sts")

    assert {result.state for result in results(aws).values()} == {State.UNKNOWN}
