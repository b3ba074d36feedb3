"""The guard of policies/guard.json, as the boundary of a developer: what no resource's own policy can deny.

Without it, a developer invokes functions and writes tables; SECURITY.md says so.
"""

import json
import time
from pathlib import Path

import pytest

from tests.local.aws.launched import ACCOUNT, Key, allow, policy
from tests.local.stack import eventually

GUARD = Path(__file__).parents[2] / "policies" / "guard.json"
DEPLOYER = "deployer-of-the-steward"
EVERYTHING = allow("*")
FORGED_CALL = {
    "httpMethod": "POST",
    "path": "/service-users/bob/rotation",
    "requestContext": {"identity": {"userArn": f"arn:aws:iam::{ACCOUNT}:user/alice"}, "accountId": ACCOUNT},
}
FORGED_LEAK = {
    "source": "aws.health",
    "detail": {
        "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED",
        "affectedEntities": [{"entityValue": "AKIA" + "A" * 16}],
    },
}
FUNCTIONS = [
    ("RepositoryApi", FORGED_CALL),
    ("ServiceUserApi", FORGED_CALL),
    ("DriftApi", FORGED_CALL),
    ("ExposedKey", FORGED_LEAK),
    ("RotationWorker", {"Records": [{"messageId": "1", "body": "{}"}]}),
    ("DriftCheck", {"Records": [{"messageId": "1", "body": "{}"}]}),
    ("Alerts", {"Records": [{"messageId": "1", "body": "{}"}]}),
    ("SecretRotation", {}),
    ("EnrolmentApi", FORGED_CALL),
    ("AccessKeys", {"detail-type": "Access Keys Requested"}),
    ("SecretSync", {"detail-type": "AccessKeyRotated"}),
    ("FleetScan", {}),
    ("HealthApi", FORGED_CALL),
]


def guard_of(stack):
    """The statements, with the names of the deployed stack."""
    return json.loads(filled_in(stack, GUARD.read_text()))["Statement"]


def filled_in(stack, text):
    """A text with the names of the deployed stack."""
    names = {
        "ACCOUNT_ID": ACCOUNT,
        "STACK_NAME": stack.variables["STEWARD_STACK"],
        "BUS_NAME": "steward",
        "API_ID": stack.api_id,
        "DEPLOYER_ARN": f"arn:aws:iam::{ACCOUNT}:role/{DEPLOYER}",
    }
    for name, value in names.items():
        text = text.replace(name, value)
    return text


@pytest.fixture(scope="module")
def boundary(stack):
    """The guard, as a policy that can be the boundary of a role."""
    document = policy(*guard_of(stack), EVERYTHING)
    return stack.aws.client("iam").create_policy(PolicyName="guard", PolicyDocument=document)["Policy"]["Arn"]


def session_of(stack, role, boundary):
    """The key of a session of a role that may do everything within the boundary."""
    iam = stack.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    created = iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(trust), PermissionsBoundary=boundary)[
        "Role"
    ]["Arn"]
    iam.put_role_policy(RoleName=role, PolicyName="rights", PolicyDocument=policy(EVERYTHING))
    got = stack.aws.client("sts").assume_role(RoleArn=created, RoleSessionName="test")["Credentials"]
    return Key(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])


@pytest.fixture(scope="module")
def guarded(stack, boundary):
    """An administrator of everything but the steward."""
    return session_of(stack, "guarded", boundary)


@pytest.fixture(scope="module")
def deployer(stack, boundary):
    """The role that deploys the steward, under the same guard."""
    return session_of(stack, DEPLOYER, boundary)


@pytest.mark.parametrize(("function", "event"), FUNCTIONS)
def test_a_guarded_developer_invokes_no_function(stack, guarded, refused, function, event):
    with refused(f"a forged event for {function}"):
        stack.invoke(function, event, guarded)


def test_a_guarded_developer_changes_no_function(stack, guarded, refused):
    functions, name = stack.aws.client("lambda", guarded), stack.function("Alerts")["FunctionName"]

    with refused("other settings of a function"):
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {}})
    with refused("a permission to invoke a function"):
        functions.add_permission(FunctionName=name, StatementId="x", Action="lambda:InvokeFunction", Principal="*")


def test_a_guarded_developer_gives_a_function_no_other_queue_and_takes_none_away(stack, guarded, refused, unique):
    functions, sqs = stack.aws.client("lambda", guarded), stack.aws.client("sqs", guarded)
    url, worker = sqs.create_queue(QueueName=unique)["QueueUrl"], stack.function("RotationWorker")["FunctionName"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = stack.physical_id("RotationQueueMapping")

    with refused("another queue of a function"):
        functions.create_event_source_mapping(FunctionName=worker, EventSourceArn=queue)
    with refused("a function that no longer reads its queue"):
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    with refused("a function that loses its queue"):
        functions.delete_event_source_mapping(UUID=mapping)

    assert stack.aws.client("lambda").get_event_source_mapping(UUID=mapping)["State"] == "Enabled"


@pytest.mark.parametrize("table", ["RotationState", "SyncState", "DriftState", "AlertingState", "ProvisioningState"])
def test_a_guarded_developer_writes_no_table(stack, guarded, refused, table):
    tables, name = stack.aws.client("dynamodb", guarded), stack.physical_id(table)

    with refused(f"an item of {table}"):
        tables.put_item(TableName=name, Item={"id": {"S": "forged"}, "member": {"S": "-"}})
    with refused(f"deleting {table}"):
        tables.delete_table(TableName=name)


@pytest.fixture(scope="module")
def secret(stack):
    """The secret of a service user that has its key."""
    stack.enrol("guarded-user")
    stack.plan()
    assert eventually(lambda: (stack.recorded("guarded-user") or {}).get("state") == "STEADY", 90)
    return "steward/service-users/guarded-user"


def test_a_guarded_developer_changes_no_secret_of_a_service_user(stack, guarded, refused, secret):
    secrets, root = stack.aws.client("secretsmanager", guarded), stack.aws.client("secretsmanager")
    current, versions = stack.current_key("guarded-user"), root.describe_secret(SecretId=secret)["VersionIdsToStages"]
    another = json.dumps({"Version": 1, "UserName": "x", "AccessKeyId": "AKIA" + "E" * 16, "SecretAccessKey": "x"})
    policy_of_all = policy({"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:Get*", "Resource": "*"})

    with refused("another key in a secret"):
        secrets.put_secret_value(SecretId=secret, SecretString=another)
    with refused("another current version of a secret"):
        moved = {"VersionStage": "AWSCURRENT", "MoveToVersionId": next(iter(versions))}
        secrets.update_secret_version_stage(SecretId=secret, **moved)
    with refused("a secret that no one reads"):
        secrets.put_resource_policy(SecretId=secret, ResourcePolicy=policy_of_all)
    with refused("a secret without rotation"):
        secrets.cancel_rotate_secret(SecretId=secret)
    with refused("deleting a secret"):
        secrets.delete_secret(SecretId=secret)

    assert stack.current_key("guarded-user") == current
    assert secrets.get_secret_value(SecretId=secret)["SecretString"]


def test_a_guarded_developer_neither_forges_nor_deletes_decisions(stack, guarded, refused):
    logs, group, stream = stack.aws.client("logs", guarded), stack.physical_id("DecisionLog"), "forged"
    stack.aws.client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
    forged = {"timestamp": int(time.time() * 1000), "message": "{}"}

    with refused("a forged decision"):
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[forged])
    with refused("decisions that are kept for one day"):
        logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    with refused("deleting the decisions"):
        logs.delete_log_group(logGroupName=group)

    assert logs.filter_log_events(logGroupName=group, logStreamNames=[stream])["events"] == []


def test_a_guarded_developer_changes_no_alarm(stack, guarded, refused):
    """By its name; about lists of alarms the local AWS decides on every alarm of the account."""
    cloudwatch, alarm = stack.aws.client("cloudwatch", guarded), stack.physical_id("DeadLettersAlarm")
    never = {"Namespace": "x", "MetricName": "x", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}

    with refused("an alarm that says OK"):
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="x")
    with refused("an alarm of another number"):
        cloudwatch.put_metric_alarm(AlarmName=alarm, Threshold=9, ComparisonOperator="GreaterThanThreshold", **never)


def test_a_guarded_developer_switches_no_function_and_no_rule_off(stack, guarded, refused):
    functions, events = stack.aws.client("lambda", guarded), stack.aws.client("events", guarded)
    rule = stack.physical_id("IamChangeRule").rpartition("|")[2].rpartition("/")[2]

    with refused("a function that never runs"):
        functions.put_function_concurrency(
            FunctionName=stack.function("DriftCheck")["FunctionName"], ReservedConcurrentExecutions=0
        )
    with refused("a rule that is disabled"):
        events.disable_rule(Name=rule, EventBusName="steward")
    with refused("a rule without targets"):
        events.remove_targets(Rule=rule, EventBusName="steward", Ids=["queue"])


def test_calls_without_a_resource_are_denied_by_the_statement_of_the_guide(stack, refused, unique):
    """What the guard cannot limit to the steward, `policies/README.md` denies in the whole account."""
    printed = GUARD.with_name("README.md").read_text().partition("```json")[2].partition("```")[0]
    statement = json.loads(filled_in(stack, printed))
    key = stack.aws.session(EVERYTHING, statement, role_name=unique)
    sqs = stack.aws.client("sqs")
    url = sqs.create_queue(QueueName=unique)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    reader = {"Protocol": "sqs", "Endpoint": queue, "ReturnSubscriptionArn": True}
    found = stack.aws.client("sns").subscribe(TopicArn=stack.physical_id("AlertTopic"), **reader)["SubscriptionArn"]
    sns, events = stack.aws.client("sns", key), stack.aws.client("events", key)

    with refused("a reader of alerts that hears nothing"):
        sns.set_subscription_attributes(SubscriptionArn=found, AttributeName="FilterPolicy", AttributeValue="{}")
    with refused("a reader of alerts that is unsubscribed"):
        sns.unsubscribe(SubscriptionArn=found)
    with refused("lifting the policy of the bus"):
        events.remove_permission(EventBusName="steward", StatementId="DenyForeignStewardEvents")
    with refused("a log without the permission to be written"):
        stack.aws.client("logs", key).delete_resource_policy(policyName="any")


def test_a_guarded_developer_changes_neither_rules_nor_roles_nor_the_stack(stack, guarded, refused):
    rule = stack.physical_id("AlertRule").rpartition("|")[2].rpartition("/")[2]

    with refused("another pattern of a rule"):
        stack.aws.client("events", guarded).put_rule(
            Name=rule, EventBusName="steward", EventPattern='{"source": ["x"]}'
        )
    with refused("more rights of a function's role"):
        stack.aws.client("iam", guarded).put_role_policy(
            RoleName=stack.physical_id("AlertsRole"), PolicyName="x", PolicyDocument=policy(EVERYTHING)
        )
    with refused("a role that looks like one of the stack"):
        stack.aws.client("iam", guarded).create_role(
            RoleName="ecr-steward-OurRole-1", AssumeRolePolicyDocument=policy(EVERYTHING)
        )
    with refused("deleting the stack"):
        stack.aws.client("cloudformation", guarded).delete_stack(StackName=stack.variables["STEWARD_STACK"])


def test_a_guarded_developer_still_calls_the_api_and_does_other_work(stack, guarded, unique):
    me = stack.call("GET", "/whoami", guarded)
    stack.aws.client("sqs", guarded).create_queue(QueueName=unique)
    stack.aws.client("iam", guarded).create_role(RoleName=unique, AssumeRolePolicyDocument=policy(EVERYTHING))

    assert me.document["caller"] == f"{ACCOUNT}:role/guarded"


def test_the_role_that_deploys_may_change_what_the_guard_protects(stack, deployer):
    name = stack.function("ScheduledAlerts")["FunctionName"]

    stack.aws.client("lambda", deployer).update_function_configuration(FunctionName=name, Description="changed")

    assert stack.invoke("ScheduledAlerts", {"tell": "flood"}, deployer) is None


def test_the_guard_is_short_enough_for_a_service_control_policy():
    """5,120 characters: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html."""
    assert len(json.dumps(json.loads(GUARD.read_text()), separators=(",", ":"))) < 4_000
