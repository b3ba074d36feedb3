"""What only the deployed stack shows of service users: rights, other regions, Secrets Manager's own schedule, leaks."""

import json

import pytest

from tests.local.aws.launched import REGION, REPOSITORY, allow
from tests.local.conftest import SECRETS_KEY
from tests.local.role_rights import RoleRights
from tests.local.rotation_probes import queued
from tests.local.service_users import LONG_AGO, ServiceUsers, secret_of
from tests.local.stack import eventually

GLOBAL = "us-east-1"


@pytest.fixture(scope="module")
def rights(stack):
    return RoleRights(stack.aws)


@pytest.fixture(scope="module")
def users(stack, rights):
    return ServiceUsers(stack, rights.physical["RotationState"], SECRETS_KEY)


@pytest.fixture
def secrets(stack):
    return stack.aws.client("secretsmanager")


@pytest.fixture(scope="module")
def work(stack):
    """Have the worker take a user's next steps; whether it did."""
    name = stack.function("RotationWorker")["FunctionName"]

    def invoke(user):
        answer = stack.aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(queued(user)))
        return json.loads(answer["Payload"].read()) == {"batchItemFailures": []}

    return invoke


@pytest.fixture(scope="module")
def forwarding(stack):
    """The small stack of us-east-1, which forwards to the deployed stack's bus."""
    cloudformation = stack.aws.client("cloudformation", region=GLOBAL)
    cloudformation.create_stack(
        StackName="global-events",
        TemplateBody=(REPOSITORY / "global-events.yaml").read_text(),
        Parameters=[{"ParameterKey": "HomeRegion", "ParameterValue": REGION}],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="global-events", WaiterConfig={"Delay": 0.1})


def test_a_secret_is_read_in_every_region_of_the_settings(stack, users, work):
    name = users.without_key()

    assert work(name)

    key = users.current(name)[1]
    copy = stack.aws.client("secretsmanager", region="us-west-2").get_secret_value(SecretId=secret_of(name))
    assert key is not None
    assert json.loads(copy["SecretString"])["AccessKeyId"] == key


def test_secrets_manager_is_set_to_rotate_at_the_greatest_age_and_rotates_nothing_now(stack, secrets, users, work):
    name = users.without_key()

    assert work(name)
    registered = secrets.describe_secret(SecretId=secret_of(name))
    tested = eventually(lambda: is_at_rest(secrets, name), seconds=60)

    assert tested
    assert registered["RotationEnabled"]
    assert registered["RotationLambdaARN"] == stack.function("SecretRotation")["FunctionArn"]
    assert registered["RotationRules"] == {"AutomaticallyAfterDays": 90}
    assert len(keys_of(stack, name)) == 1


def test_a_registration_that_was_removed_is_made_again(secrets, users, work):
    name, _ = users.with_key()
    work(name)
    eventually(lambda: is_at_rest(secrets, name), seconds=60)
    secrets.cancel_rotate_secret(SecretId=secret_of(name))

    assert work(name)

    assert secrets.describe_secret(SecretId=secret_of(name))["RotationEnabled"]


def test_the_schedule_of_secrets_manager_replaces_no_key_that_is_young(stack, secrets, users):
    name, key = users.with_key()

    token = rotate_as_scheduled(stack, secrets, name)

    assert eventually(lambda: users.current(name)[0] == token, seconds=60)
    assert users.current(name)[1] == key
    assert keys_of(stack, name) == [key]


def test_the_schedule_of_secrets_manager_replaces_a_key_that_is_due(stack, secrets, users):
    name, key = users.with_key("due")

    token = rotate_as_scheduled(stack, secrets, name)

    assert eventually(lambda: users.current(name)[0] == token, seconds=60)
    assert users.current(name)[1] != key
    assert users.status(name, key) == "Active"


def test_a_user_that_is_gone_is_not_found_and_no_failure_of_ours(stack, users):
    """IAM judges who may look at a user that does not exist by its name, without its path."""
    name, key = users.with_key(promoted_at=LONG_AGO)
    iam = stack.aws.client("iam")
    iam.delete_access_key(UserName=name, AccessKeyId=key)
    iam.delete_user_policy(UserName=name, PolicyName="log-in")
    iam.delete_user(UserName=name)

    answer = stack.call("POST", f"/service-users/{name}/rotation", stack.key(), b'{"reason": "routine"}')

    assert (answer.status, answer.document["type"]) == (404, "urn:ecr-steward:problem:not-found")


def test_a_role_that_is_no_reader_is_refused_even_with_every_right_of_its_own(stack, users, work):
    name, key = users.with_key("closed")
    assert work(name)
    may_read = allow("secretsmanager:GetSecretValue", "kms:Decrypt")
    reader = stack.aws.client("secretsmanager", stack.aws.session(may_read, role_name="reader"))
    stranger = stack.aws.client("secretsmanager", stack.aws.session(may_read))

    with pytest.raises(stranger.exceptions.ClientError, match="AccessDenied"):
        stranger.get_secret_value(SecretId=secret_of(name))
    assert json.loads(reader.get_secret_value(SecretId=secret_of(name))["SecretString"])["AccessKeyId"] == key


def test_a_stack_that_was_deployed_again_gets_past_the_policy_that_it_left(stack, secrets, users, work):
    name, key = users.with_key("closed")
    assert work(name)
    users.forget(name)
    assert work(name)
    role = "aws:PrincipalArn"
    policy = json.loads(secrets.get_resource_policy(SecretId=secret_of(name))["ResourcePolicy"])
    readers = policy["Statement"][0]["Condition"]["ArnNotEquals"][role]
    policy["Statement"][0]["Condition"]["ArnNotEquals"][role] = [arn for arn in readers if "Rotation" not in arn]
    secrets.put_resource_policy(SecretId=secret_of(name), ResourcePolicy=json.dumps(policy))
    users.forget(name)

    assert work(name)

    again = json.loads(secrets.get_resource_policy(SecretId=secret_of(name))["ResourcePolicy"])
    assert again["Statement"][0]["Condition"]["ArnNotEquals"][role] == readers
    assert users.current(name)[1] == key


def test_a_key_of_ours_without_its_secret_is_deleted_because_cloudtrail_knows_its_maker(stack, users, rights, work):
    name, current = users.with_key()
    users.remember(name, wanted=current)
    with rights.without("RotationWorkerRole", "secretsmanager:PutSecretValue"):
        assert not work(name)
    (lost,) = set(keys_of(stack, name)) - {current}
    forget_who_made_it(users, name, current, lost)

    assert work(name)

    assert lost not in keys_of(stack, name)


def test_a_key_that_a_person_made_meanwhile_stays(stack, users, work):
    name, current = users.with_key()
    foreign = users.add_key(name)["AccessKeyId"]
    users.remember(name, keys={})
    forget_who_made_it(users, name, current, foreign)

    assert work(name)

    assert foreign in keys_of(stack, name)
    assert "CloudTrail" in users.recorded(name)["notice"]["text"]


def test_a_key_that_aws_health_finds_in_public_is_replaced_and_taken_away(stack, users, forwarding):
    name, exposed = users.with_key()
    detail = {
        "service": "RISK",
        "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED",
        "eventTypeCategory": "issue",
        "affectedEntities": [{"entityValue": exposed}],
    }
    entry = {"Source": "aws.health", "DetailType": "AWS Health Event", "Detail": json.dumps(detail)}

    stack.aws.client("events", region=GLOBAL).put_events(Entries=[entry])

    assert eventually(lambda: users.status(name, exposed) == "Inactive", seconds=90)
    assert users.status(name, users.current(name)[1]) == "Active"


def rotate_as_scheduled(stack, secrets, name):
    """RotateSecret on the day for which the schedule has it; the version that it makes."""
    function = stack.function("SecretRotation")["FunctionArn"]
    rules = {"AutomaticallyAfterDays": 1}
    asked = secrets.rotate_secret(SecretId=secret_of(name), RotationLambdaARN=function, RotationRules=rules)
    return asked["VersionId"]


def is_at_rest(secrets, name):
    """Whether no version waits."""
    labels = secrets.describe_secret(SecretId=secret_of(name))["VersionIdsToStages"].values()
    return ["AWSPENDING"] not in labels


def keys_of(stack, name):
    listed = stack.aws.client("iam").list_access_keys(UserName=name)["AccessKeyMetadata"]
    return [key["AccessKeyId"] for key in listed]


def forget_who_made_it(users, name, current, other):
    """As if a run had died before it could write down what it made, and a later one had seen the key long ago."""
    keys = {current: {"promoted_at": LONG_AGO}, other: {"suspected_at": LONG_AGO}}
    users.remember(name, wanted="", keys=keys)
    users.intend(name, LONG_AGO)
