"""The guard of policies/guard.json, as the boundary of a developer: what no resource's own policy can deny.

Without it, a developer invokes functions and writes tables; SECURITY.md says so.
"""

import json
from pathlib import Path

import pytest

from tests.local.aws.launched import ACCOUNT, Key, allow, policy

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
    names = {
        "ACCOUNT_ID": ACCOUNT,
        "STACK_NAME": stack.variables["STEWARD_STACK"],
        "BUS_NAME": "steward",
        "API_ID": stack.api_id,
        "DEPLOYER_ARN": f"arn:aws:iam::{ACCOUNT}:role/{DEPLOYER}",
    }
    text = GUARD.read_text()
    for name, value in names.items():
        text = text.replace(name, value)
    return json.loads(text)["Statement"]


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
