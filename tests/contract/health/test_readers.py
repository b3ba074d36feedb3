"""The readers of health, on moto: what is there is read as it is, what is gone is not an error."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from health.adapters.channels import Channels
from health.adapters.cloudformation_stack import CloudFormationStack
from health.adapters.cloudtrail_events import CloudTrailEvents
from health.adapters.registry import Registry
from health.adapters.storage import Storage
from health.domain.facts import Bucket, CreationTemplate, Quarantine, Rule, Subscription, Table
from steward.clock import SystemClock
from steward.errors import AccessDeniedError, NotFoundError
from tests.contract.conftest import ACCOUNT, REGION, TABLE


@pytest.fixture
def trails(moto):
    return CloudTrailEvents(
        boto3.client("cloudtrail", region_name=REGION),
        boto3.client("cloudtrail", region_name="us-east-1"),
        boto3.client("events", region_name="us-east-1"),
        boto3.client("cloudwatch"),
        SystemClock(),
        account=ACCOUNT,
    )


def test_a_stack_is_read_with_its_parameters_and_resources(moto):
    cloudformation = boto3.client("cloudformation")
    with Stubber(cloudformation) as stub:
        described = {
            "StackName": "steward",
            "CreationTime": datetime(2026, 5, 4, tzinfo=UTC),
            "StackStatus": "CREATE_COMPLETE",
            "Parameters": [{"ParameterKey": "Bus", "ParameterValue": "b"}],
        }
        resources = [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": f"steward-{name}",
                "ResourceType": "AWS::SQS::Queue",
                "LastUpdatedTimestamp": datetime(2026, 5, 4, tzinfo=UTC),
                "ResourceStatus": status,
            }
            for name, status in (("Q", "CREATE_COMPLETE"), ("Gone", "DELETE_COMPLETE"))
        ]
        stub.add_response("describe_stacks", {"Stacks": [described]}, {"StackName": "steward"})
        stub.add_response("list_stack_resources", {"StackResourceSummaries": resources}, {"StackName": "steward"})

        stack = CloudFormationStack(cloudformation, None, "steward").stack()

    assert (stack.status, stack.parameters) == ("CREATE_COMPLETE", {"Bus": "b"})
    assert stack.resources == {"Q": "steward-Q"}


def test_a_missing_stack_is_not_found(moto):
    cloudformation = boto3.client("cloudformation")
    with Stubber(cloudformation) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", "Stack with id none does not exist")
        with pytest.raises(NotFoundError):
            CloudFormationStack(cloudformation, None, "none").stack()


def test_only_raised_alarms_of_the_stack_are_read(moto):
    cloudwatch = boto3.client("cloudwatch")
    for name, state in (("steward-a", "ALARM"), ("steward-b", "OK"), ("other-c", "ALARM")):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            MetricName="m",
            Namespace="n",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")

    raised = CloudFormationStack(None, cloudwatch, "steward").raised_alarms()

    assert list(raised) == ["steward-a"]


def test_a_trail_is_read_once_with_its_state_and_its_selectors(moto, trails):
    boto3.client("s3").create_bucket(Bucket="trail-of-tests", CreateBucketConfiguration={"LocationConstraint": REGION})
    cloudtrail = boto3.client("cloudtrail")
    cloudtrail.create_trail(Name="all", S3BucketName="trail-of-tests", IsMultiRegionTrail=True)
    cloudtrail.start_logging(Name="all")

    (trail,) = trails.trails()

    assert (trail.name, trail.multi_region, trail.logging) == ("all", True, True)


@pytest.mark.parametrize(
    ("selectors", "writes"),
    [
        ({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}, True),
        ({"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]}, False),
        ({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": False}]}, False),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]},
            True,
        ),
        (
            {
                "AdvancedEventSelectors": [
                    {
                        "FieldSelectors": [
                            {"Field": "eventCategory", "Equals": ["Management"]},
                            {"Field": "readOnly", "Equals": ["true"]},
                        ]
                    }
                ]
            },
            False,
        ),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}, False),
    ],
)
def test_selectors_of_both_kinds_are_understood(moto, selectors, writes):
    client = boto3.client("cloudtrail")
    with Stubber(client) as stub:
        stub.add_response("get_event_selectors", {"TrailARN": "arn", **selectors}, {"TrailName": "arn"})
        reader = CloudTrailEvents(client, client, None, None, SystemClock(), account=ACCOUNT)

        assert reader._has_writes(client, "arn") is writes


def test_rules_that_forward_are_read_with_their_state(moto, trails):
    events, bus = (
        boto3.client("events", region_name="us-east-1"),
        f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/steward",
    )
    for name in ("on", "off"):
        events.put_rule(Name=name, EventPattern='{"source": ["aws.iam"]}')
        events.put_targets(Rule=name, Targets=[{"Id": "home", "Arn": bus}])
    events.disable_rule(Name="off")

    assert sorted(trails.forwarding_rules(bus), key=lambda rule: rule.name) == [
        Rule("off", enabled=False),
        Rule("on", enabled=True),
    ]


def test_subscriptions_of_a_topic_are_read(moto):
    sns = boto3.client("sns")
    arn = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.com")

    reader = Channels(sns, boto3.client("sqs"), boto3.client("securityhub"))

    assert [each.endpoint for each in reader.subscriptions(arn)] == ["a@example.com"]


def test_a_pending_subscription_has_no_arn(moto):
    sns = boto3.client("sns")
    pending = {"SubscriptionArn": "PendingConfirmation", "Owner": ACCOUNT, "TopicArn": "t"}
    with Stubber(sns) as stub:
        answer = {"Subscriptions": [{**pending, "Protocol": "email", "Endpoint": "a@example.com"}]}
        stub.add_response("list_subscriptions_by_topic", answer, {"TopicArn": "t"})

        assert Channels(sns, None, None).subscriptions("t") == [Subscription("email", "a@example.com", confirmed=False)]


def test_messages_are_counted(moto):
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m")

    assert Channels(boto3.client("sns"), sqs, None).messages(url) == 1


@pytest.mark.parametrize("code", ["InvalidAccessException", "ResourceNotFoundException"])
def test_security_hub_that_is_not_enabled_is_an_answer(moto, code):
    hub = boto3.client("securityhub")
    with Stubber(hub) as stub:
        stub.add_client_error("describe_hub", code)

        assert Channels(None, None, hub).security_hub_enabled() is False


def test_tables_are_read_also_one_that_is_gone(table):
    dynamodb = boto3.client("dynamodb")
    reader = Storage(dynamodb, boto3.client("s3"))

    assert reader.table(TABLE) == Table("ACTIVE", recoverable=False)
    assert reader.table("gone") == Table(None, None)


def test_buckets_are_read_as_they_are_and_a_missing_one_is_no_error(moto):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="plain", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.create_bucket(Bucket="safe", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="safe", VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(
        Bucket="safe",
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    reader = Storage(boto3.client("dynamodb"), s3)

    assert reader.bucket("safe", ACCOUNT) == Bucket(exists=True, versioned=True, private=True, notifies=False)
    assert reader.bucket("plain", ACCOUNT) == Bucket(exists=True)
    assert reader.bucket("gone-bucket", ACCOUNT) == Bucket(exists=False)


def test_a_bucket_announces_uploads_if_it_says_so(moto):
    s3 = boto3.client("s3")
    with Stubber(s3) as stub:
        stub.add_response("get_bucket_versioning", {"Status": "Enabled"})
        stub.add_client_error("get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
        stub.add_response("get_bucket_notification_configuration", {"EventBridgeConfiguration": {}})

        bucket = Storage(None, s3).bucket("baseline", ACCOUNT)

    assert bucket == Bucket(exists=True, versioned=True, private=False, notifies=True)


def test_creation_templates_are_read(moto):
    ecr = boto3.client("ecr")
    with Stubber(ecr) as stub:
        template = {"prefix": "ROOT", "appliedFor": ["CREATE_ON_PUSH"]}
        stub.add_response("describe_repository_creation_templates", {"repositoryCreationTemplates": [template]}, {})

        assert Registry(ecr, None).creation_templates() == [CreationTemplate("ROOT", ("CREATE_ON_PUSH",))]


def test_quarantined_users_are_read_and_a_retired_policy_is_no_error(moto):
    iam = boto3.client("iam")
    with Stubber(iam) as stub:
        stub.add_response("list_entities_for_policy", {"PolicyUsers": [{"UserName": "ecr-push"}]})
        stub.add_client_error("list_entities_for_policy", "NoSuchEntity")
        stub.add_response("list_entities_for_policy", {"PolicyUsers": []})

        found = Registry(None, iam).quarantines()

    assert found == [Quarantine("ecr-push", "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine")]


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "AuthorizationError", "403"])
def test_a_denial_names_the_right(moto, code):
    sqs = boto3.client("sqs")
    with Stubber(sqs) as stub:
        stub.add_client_error("get_queue_attributes", code)
        with pytest.raises(AccessDeniedError) as denied:
            Channels(None, sqs, None).messages("https://queue")

    assert denied.value.code == "sqs:GetQueueAttributes"
