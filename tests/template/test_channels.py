"""Every channel inside the account is closed by its own policy: who has IAM permissions for it may still not use it."""

import json

import pytest

from tests.template.reading import as_list, both_sides, of_type, statements

QUEUES = {
    "RotationQueue": ("RotationDueRule", "RotationWorkerRole"),
    "DriftQueue": ("IamChangeRule", "DriftCheckRole"),
    "AlertQueue": ("AlertRule", "AlertsRole"),
}
"""Queue -> the rule that sends to it and the role of the function that receives from it."""
POLICIES = {
    "AWS::SQS::QueuePolicy": ("AWS::SQS::Queue", "Queues"),
    "AWS::SNS::TopicPolicy": ("AWS::SNS::Topic", "Topics"),
    "AWS::S3::BucketPolicy": ("AWS::S3::Bucket", "Bucket"),
    "AWS::Events::EventBusPolicy": ("AWS::Events::EventBus", "EventBusName"),
}
TAKING = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:ReceiveMessage"}
WRITING = {"s3:PutObject", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:PutObjectAcl"}
WEAKENING = {
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
}


def arn_of(name):
    return {"Fn::GetAtt": [name, "Arn"]}


def policy_of(resources, name):
    """The statements of a resource's own policy, by Sid."""
    found = {}
    for kind, (_, member) in POLICIES.items():
        for policy in of_type(resources, kind).values():
            if {"Ref": name} in as_list(policy[member]) and "PolicyDocument" in policy:
                found |= {statement["Sid"]: statement for statement in statements(policy["PolicyDocument"])}
    return found


@pytest.mark.parametrize("kind", POLICIES)
def test_every_queue_topic_bucket_and_bus_has_a_policy(resources, kind):
    of, member = POLICIES[kind]
    closed = {name["Ref"] for policy in of_type(resources, kind).values() for name in as_list(policy[member])}

    assert closed == of_type(resources, of).keys()


@pytest.mark.parametrize("queue", QUEUES)
def test_only_its_rule_sends_to_a_queue(resources, queue):
    rule, _ = QUEUES[queue]
    allowed, denied = (policy_of(resources, queue)[sid] for sid in ("AllowRule", "DenyForeignSends"))
    (target,) = resources[rule]["Properties"]["Targets"]

    assert target["Arn"] == arn_of(queue)
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": arn_of(rule)}}
    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "sqs:SendMessage")
    assert denied["Condition"]["ArnNotEquals"] == {"aws:SourceArn": arn_of(rule)}
    assert denied["Condition"].keys() == {"ArnNotEquals", "ArnNotLike"}


@pytest.mark.parametrize("queue", QUEUES)
def test_only_its_function_receives_from_a_queue(resources, queue):
    _, role = QUEUES[queue]
    (function,) = (f for f in of_type(resources, "AWS::Lambda::EventSourceMapping").values() if queue in json.dumps(f))
    denied = policy_of(resources, queue)["DenyForeignReads"]

    assert resources[function["FunctionName"]["Ref"]]["Properties"]["Role"] == arn_of(role)
    assert set(denied["Action"]) == TAKING
    assert denied["Condition"]["ArnNotEquals"] == {"aws:PrincipalArn": arn_of(role)}


@pytest.mark.parametrize("sid", ["DenyForeignSends", "DenyForeignReads"])
@pytest.mark.parametrize("queue", QUEUES)
def test_without_operators_no_principal_is_exempt(resources, queue, sid):
    exempt = policy_of(resources, queue)[sid]["Condition"]["ArnNotLike"]["aws:PrincipalArn"]

    assert list(both_sides(exempt)) == [{"Ref": "ChannelOperators"}, arn_of(QUEUES[queue][1])]


def test_dead_letters_come_from_the_rules_and_the_functions_that_leave_them(resources):
    kept = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    functions = of_type(resources, "AWS::Lambda::Function")
    roles = [functions[config["FunctionName"]["Ref"]]["Role"] for config in kept]
    denied = policy_of(resources, "DeadLetters")["DenyForeignSends"]["Condition"]

    assert denied.keys() == {"ArnNotEquals"}
    assert sorted(map(str, denied["ArnNotEquals"]["aws:PrincipalArn"])) == sorted(map(str, roles))
    rules = [arn_of(name) for name in of_type(resources, "AWS::Events::Rule")]
    assert sorted(map(str, denied["ArnNotEquals"]["aws:SourceArn"])) == sorted(map(str, rules))


def test_no_principal_sends_to_the_dead_letters_of_queues(resources):
    """SQS moves messages there without a principal."""
    denied = policy_of(resources, "QueueDeadLetters")["DenySends"]

    assert (denied["Effect"], denied["Principal"], denied["Action"]) == ("Deny", "*", "sqs:SendMessage")
    assert denied["Condition"] == {"Null": {"aws:PrincipalArn": "false"}}


def test_only_alerting_publishes_alerts_and_only_alarms_publish_alarms(resources):
    alerts = policy_of(resources, "AlertTopic")
    alarms = policy_of(resources, "AlarmTopic")

    roles = [arn_of("AlertsRole"), arn_of("ScheduledAlertsRole")]
    assert alerts["DenyForeignMessages"]["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": roles}}
    assert alerts["AllowIamPrincipals"]["Principal"]["AWS"]["Fn::Sub"].endswith(":root"), "IAM must allow it, too"
    (alarm_arns,) = alarms["AllowAlarms"]["Condition"]["ArnLike"].values()
    assert alarms["AllowAlarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["DenyForeignMessages"]["Condition"] == {"ArnNotLike": {"aws:SourceArn": alarm_arns}}
    assert "${AWS::AccountId}:alarm:" in alarm_arns["Fn::Sub"]


@pytest.mark.parametrize(
    ("bucket", "writing"),
    [
        ("BaselineBucket", "DenyForeignBaselineWrites"),
        ("ReportsBucket", "DenyForeignReports"),
        ("ReportsBucket", "DenyForeignUploads"),
    ],
)
def test_no_action_that_writes_or_weakens_a_bucket_is_left_open(resources, bucket, writing):
    policy = policy_of(resources, bucket)

    assert set(policy[writing]["Action"]) >= WRITING
    assert set(policy["DenyForeignBucketChanges"]["Action"]) >= WEAKENING
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion"} <= {
        action for s in policy.values() for action in as_list(s["Action"]) if s["Effect"] == "Deny"
    }
    assert resources[bucket]["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}


def test_the_scan_alone_writes_reports_and_the_api_alone_uploads(resources):
    """An upload is no version of the baseline: no notification follows, and it is deleted after a day."""
    policy, bucket = policy_of(resources, "ReportsBucket"), resources["ReportsBucket"]["Properties"]
    uploads = {"Fn::Sub": "${ReportsBucket.Arn}/uploads/*"}

    reports, sent = policy["DenyForeignReports"], policy["DenyForeignUploads"]
    assert (reports["NotResource"], sent["Resource"]) == (uploads, uploads)
    assert reports["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": arn_of("DriftScanRole")}}
    assert sent["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": arn_of("DriftApiRole")}}
    assert "NotificationConfiguration" not in bucket
    (rule,) = [one for one in bucket["LifecycleConfiguration"]["Rules"] if one["Prefix"] == "uploads/"]
    assert (rule["Status"], rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]) == (
        "Enabled", 1, {"NoncurrentDays": 1},
    )  # fmt: skip


def test_a_call_through_cloudformation_is_like_any_other(resources):
    """Everybody who may deploy some stack can make CloudFormation call S3."""
    policies = [r for r in resources.values() if r["Type"] in POLICIES]

    assert [policy for policy in policies if "aws:CalledVia" in json.dumps(policy)] == []


def test_every_queue_topic_and_bucket_refuses_plain_text(resources):
    """On AWS; the local AWS has no TLS."""
    named = {name for kind, _ in POLICIES.values() for name in of_type(resources, kind)} - {"Bus"}

    assert named
    for name in named:
        denied = policy_of(resources, name)["DenyPlainText"]
        assert (denied["Effect"], denied["Principal"]) == ("Deny", "*"), name
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}, name


def test_no_policy_of_a_queue_exceeds_the_quotas_of_sqs(resources):
    """Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html"""
    for name, policy in of_type(resources, "AWS::SQS::QueuePolicy").items():
        found = list(statements(policy["PolicyDocument"]))
        assert len(found) <= 20, name
        assert sum(len(block) for s in found for block in s.get("Condition", {}).values()) <= 10, name
        assert all(len(as_list(statement["Action"])) <= 7 for statement in found), name


def test_events_of_aws_count_only_from_this_account_and_only_when_they_are_new(resources):
    for name in ("FailedPushRule", "IamChangeRule"):
        pattern = resources[name]["Properties"]["EventPattern"]
        assert pattern["account"] == [{"Ref": "AWS::AccountId"}], name
        assert pattern["replay-name"] == [{"exists": False}], name


def test_keys_of_repositories_are_granted_to_ecr_alone(resources):
    policy = resources["ProvisionRepositories"]["Properties"]["PolicyDocument"]
    by_action = {s["Action"]: s["Condition"] for s in statements(policy) if "kms" in str(s["Action"])}

    through_ecr = {"kms:ViaService": "ecr.*.amazonaws.com"}
    assert by_action == {
        "kms:CreateGrant": {"Bool": {"kms:GrantIsForAWSResource": "true"}, "StringLike": through_ecr},
        "kms:DescribeKey": {"StringLike": through_ecr},
    }
