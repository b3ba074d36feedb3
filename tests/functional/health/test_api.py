"""``GET /health``, through the gateway's event, of a stack on moto; every answer is held to ``openapi.json``."""

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from deployment import doctor
from tests.dynamodb_tables import create_table
from tests.functional.contract import Contract
from tests.functional.gateway import ACCOUNT, REGION, Gateway, client_of, sample

TABLES = ("ProvisioningState", "RotationState", "SyncState", "DriftState", "AlertingState")
QUEUES = ("DeadLetters", "QueueDeadLetters", "DriftQueue")
OPERATIONS = {
    "cloudformation:DescribeStacks": "DescribeStacks",
    "cloudformation:ListStackResources": "ListStackResources",
    "cloudtrail:DescribeTrails": "DescribeTrails",
    "cloudtrail:GetEventSelectors": "GetEventSelectors",
    "cloudtrail:GetTrailStatus": "GetTrailStatus",
    "cloudtrail:LookupEvents": "LookupEvents",
    "cloudwatch:DescribeAlarms": "DescribeAlarms",
    "cloudwatch:GetMetricStatistics": "GetMetricStatistics",
    "dynamodb:DescribeContinuousBackups": "DescribeContinuousBackups",
    "dynamodb:DescribeTable": "DescribeTable",
    "ecr:DescribeRepositoryCreationTemplates": "DescribeRepositoryCreationTemplates",
    "events:DescribeRule": "DescribeRule",
    "events:ListRuleNamesByTarget": "ListRuleNamesByTarget",
    "iam:ListEntitiesForPolicy": "ListEntitiesForPolicy",
    "s3:GetBucketNotification": "GetBucketNotificationConfiguration",
    "s3:GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "s3:GetBucketVersioning": "GetBucketVersioning",
    "securityhub:DescribeHub": "DescribeHub",
    "sns:ListSubscriptionsByTopic": "ListSubscriptionsByTopic",
    "sqs:GetQueueAttributes": "GetQueueAttributes",
}
"""Each right of the function's role -> the operation that needs it."""


class Api(Gateway):
    """Calls of the routes of health."""

    handler = "check_health_handler"

    def get(self, path):
        event = sample("policy_drift", "list_findings") | {"httpMethod": "GET", "path": path, "resource": path}
        return self.request(event)

    def checks(self):
        """The document, and its checks by their names."""
        status, _, document = self.get("/health")
        assert status == 200
        return document, {check["check"]: check for check in document["checks"]}


class Deployed:
    """The stack's resources, made on moto, and the answers of the services that moto lacks."""

    def __init__(self):
        home = {"LocationConstraint": REGION}
        buckets = {name: f"{name.lower()}-of-tests" for name in ("BaselineBucket", "ReportsBucket", "trail")}
        for bucket in buckets.values():
            client_of("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=home)
        for name in TABLES:
            create_table(client_of("dynamodb"), name)
        client_of("cloudtrail").create_trail(Name="all", S3BucketName=buckets.pop("trail"), IsMultiRegionTrail=True)
        client_of("cloudtrail").start_logging(Name="all")
        everything = {"ReadWriteType": "All", "IncludeManagementEvents": True}
        client_of("cloudtrail").put_event_selectors(TrailName="all", EventSelectors=[everything])
        topics = {name: client_of("sns").create_topic(Name=name)["TopicArn"] for name in ("AlarmTopic", "AlertTopic")}
        queues = {name: client_of("sqs").create_queue(QueueName=name)["QueueUrl"] for name in QUEUES}
        self.resources = {name: name for name in TABLES} | buckets | topics | queues | {"Bus": "steward"}
        self.gone = False

    def answer(self, operation):
        """The answer to an operation; None where moto has it."""
        if operation == "DescribeRepositoryCreationTemplates":
            return {"repositoryCreationTemplates": []}
        if operation == "DescribeStacks":
            if self.gone:
                raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, operation)
            parameters = [{"ParameterKey": "SecurityHub", "ParameterValue": "on"}]
            return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Parameters": parameters}]}
        if operation == "ListStackResources":
            done = {"ResourceStatus": "CREATE_COMPLETE"}
            named = self.resources.items()
            return {
                "StackResourceSummaries": [
                    {"LogicalResourceId": logical, "PhysicalResourceId": physical, **done}
                    for logical, physical in named
                ]
            }
        return None


@pytest.fixture
def stack(aws, history, monkeypatch):
    """A deployed stack, a trail, and no change of IAM so far."""
    deployed = Deployed()
    history["iam.amazonaws.com"] = []
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client, operation, parameters):
        answer = deployed.answer(operation)
        return reached(client, operation, parameters) if answer is None else answer

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
    return deployed


@pytest.fixture
def api(stack, cold_start):
    return Api(Contract("health"), cold_start)


@pytest.fixture
def forwarding(stack):
    """The rule of us-east-1 that forwards IAM's events."""
    events = boto3.client("events", region_name="us-east-1")
    events.put_rule(Name="global-IamChanges", EventPattern='{"source": ["aws.iam"]}')
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/steward"
    events.put_targets(Rule="global-IamChanges", Targets=[{"Id": "home", "Arn": bus}])


def test_every_check_of_a_stack_is_made_and_says_what_is_wrong(api):
    document, checks = api.checks()

    assert (document["stack"], document["account"], document["region"]) == ("steward", ACCOUNT, REGION)
    assert document["state"] == "broken"
    assert checks["forwarding"]["mend"] == ["make deploy-global-events"]
    assert checks["stack"]["state"] == checks["trail"]["state"] == checks["dead letters"]["state"] == "ok"
    assert [check for check in checks.values() if check["missing_right"]] == []


@pytest.mark.parametrize("right", OPERATIONS)
def test_without_a_right_the_answer_names_it_and_is_never_well(api, forwarding, fails, right):
    _, before = api.checks()
    fails(OPERATIONS[right], "AccessDenied", times=100)

    document, checks = api.checks()

    named = {name for name, check in checks.items() if check["missing_right"] == right}
    assert named
    assert {checks[name]["state"] for name in named} == {"unknown"}
    assert document["state"] in {"unknown", "broken"}
    of_the_stack = right.startswith("cloudformation:")
    assert {name: checks[name] for name in checks.keys() - named if not of_the_stack} == {
        name: before[name] for name in before.keys() - named if not of_the_stack
    }


def test_a_trail_of_another_account_that_cannot_be_read_is_not_known(api, fails, monkeypatch):
    """The organization's trail is read by its owner alone, and no right of this account helps."""
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]

    def of_the_organization(client, operation, parameters):
        answer = reached(client, operation, parameters)
        for trail in answer.get("trailList", []):
            trail["TrailARN"] = trail["TrailARN"].replace(ACCOUNT, "999999999999")
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", of_the_organization)
    for operation in ("GetTrailStatus", "GetEventSelectors"):
        fails(operation, "AccessDeniedException", times=10)

    _, checks = api.checks()

    assert (checks["trail"]["state"], checks["trail"]["missing_right"]) == ("unknown", None)


def test_a_stack_that_is_gone_is_broken(api, stack):
    stack.gone = True

    document, checks = api.checks()

    assert (document["state"], checks["stack"]["state"]) == ("broken", "broken")


def test_the_contract_is_served_as_it_is_committed(api):
    status, _, document = api.get("/openapi/health.json")

    assert status == 200
    assert document == Contract("health").document


@pytest.mark.parametrize(("of_the_shell", "says_so"), [(REGION, False), ("ap-south-1", True)])
def test_make_doctor_asks_the_saved_region_and_says_so_in_a_shell_of_another(
    stack, tmp_path, monkeypatch, capsys, of_the_shell, says_so
):
    saved = f'[default.global.parameters]\nstack_name = "of-tests"\nregion = "{REGION}"\n'
    (tmp_path / "deployment.toml").write_text(saved)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, of_the_shell)

    doctor.main(["--project", str(tmp_path)])

    shown = capsys.readouterr().out
    assert shown.startswith(f"The commands are for {REGION}: export AWS_REGION={REGION} ") == says_so
    assert f"of-tests in {REGION}, account {ACCOUNT}: " in shown
