"""RotateSecret runs its four steps through the function, under the function's own role."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.local.aws.functions import deploy_function
from tests.local.aws.launched import ACCOUNT, REGION, allow

ROTATES = """
import boto3

secrets = boto3.client("secretsmanager")


def handler(event, context):
    secret, token = event["SecretId"], event["ClientRequestToken"]
    description = secrets.describe_secret(SecretId=secret)
    steps = description["Description"] + " " + event["Step"]
    secrets.update_secret(SecretId=secret, Description=steps)
    if event["Step"] == "createSecret":
        try:
            secrets.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
        except secrets.exceptions.ResourceNotFoundException:
            secrets.put_secret_value(
                SecretId=secret, ClientRequestToken=token, SecretString="new", VersionStages=["AWSPENDING"]
            )
    if event["Step"] == "testSecret" and "broken" in description["Name"]:
        raise ValueError("does not authenticate")
    if event["Step"] == "finishSecret":
        labels = description["VersionIdsToStages"].items()
        current = next(version for version, stages in labels if "AWSCURRENT" in stages)
        secrets.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )
"""
OWN_SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:team-a/*"
STEPS = " createSecret setSecret testSecret finishSecret"


def permit(aws, function):
    """Let Secrets Manager invoke the function."""
    aws.client("lambda").add_permission(
        FunctionName=function,
        StatementId="secrets-manager",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
        SourceAccount=ACCOUNT,
    )


@pytest.fixture(scope="module")
def function(aws):
    """A rotation function that Secrets Manager may invoke."""
    name = f"rotates-{uuid.uuid4().hex[:8]}"
    arn = deploy_function(aws, name, ROTATES, allow("secretsmanager:*", resource=OWN_SECRETS))
    permit(aws, arn)
    return arn


@pytest.fixture
def secrets(aws):
    return aws.client("secretsmanager")


def create(secrets, name):
    return secrets.create_secret(Name=name, SecretString="old")["VersionId"]


def told(aws, name):
    """A queue of what CloudTrail tells about the rotation of a secret."""
    detail = {"eventName": [name], "eventType": ["AwsServiceEvent"]}
    return aws.queue_of({"source": ["aws.secretsmanager"], "detail": detail})


def eventually(happened, seconds=15):
    deadline = time.monotonic() + seconds
    while not (result := happened()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return result


def test_the_steps_put_a_new_value_in_the_place_of_the_old(aws, secrets, name, function):
    queue, old = told(aws, "RotationSucceeded"), create(secrets, name)

    token = secrets.rotate_secret(
        SecretId=name, RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": 90}
    )["VersionId"]

    event = aws.receive(queue)
    described = secrets.describe_secret(SecretId=name)
    assert event["detail-type"] == "AWS Service Event via CloudTrail"
    assert event["detail"]["additionalEventData"]["SecretId"] == described["ARN"]
    assert described["Description"] == STEPS
    assert described["VersionIdsToStages"] == {old: ["AWSPREVIOUS"], token: ["AWSPENDING", "AWSCURRENT"]}
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "new"
    assert described["LastRotatedDate"] > datetime.now(UTC) - timedelta(minutes=1)
    assert described["NextRotationDate"] - described["LastRotatedDate"] == timedelta(days=90)


def test_a_failed_test_leaves_the_current_value_and_the_pending_one(aws, secrets, name, function):
    queue, broken = told(aws, "RotationFailed"), f"{name}-broken"
    old = create(secrets, broken)

    token = secrets.rotate_secret(SecretId=broken, RotationLambdaARN=function)["VersionId"]

    event = aws.receive(queue)
    assert "testSecret" in event["detail"]["errorMessage"]
    assert secrets.describe_secret(SecretId=broken)["VersionIdsToStages"] == {
        old: ["AWSCURRENT"],
        token: ["AWSPENDING"],
    }
    assert "LastRotatedDate" not in secrets.describe_secret(SecretId=broken)


def test_a_rotation_that_is_not_complete_is_taken_up_again_with_its_token(aws, secrets, name, function):
    queue, broken = told(aws, "RotationFailed"), f"{name}-broken"
    old = create(secrets, broken)
    token = secrets.rotate_secret(SecretId=broken, RotationLambdaARN=function)["VersionId"]
    aws.receive(queue)

    with pytest.raises(secrets.exceptions.InvalidRequestException, match="isn't complete"):
        secrets.rotate_secret(SecretId=broken)

    assert aws.receive(queue)
    assert secrets.describe_secret(SecretId=broken)["VersionIdsToStages"] == {
        old: ["AWSCURRENT"],
        token: ["AWSPENDING"],
    }


def test_the_pending_version_has_no_value_before_the_function_gives_it_one(aws, secrets, name):
    create(secrets, name)
    slow = deploy_function(
        aws, f"slow-{name[-8:]}", "import time\n\n\ndef handler(event, context):\n    time.sleep(1)\n"
    )
    permit(aws, slow)

    token = secrets.rotate_secret(SecretId=name, RotationLambdaARN=slow)["VersionId"]

    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.get_secret_value(SecretId=name, VersionId=token, VersionStage="AWSPENDING")
    assert secrets.describe_secret(SecretId=name)["VersionIdsToStages"][token] == ["AWSPENDING"]


def test_registering_without_rotating_tests_alone(aws, secrets, name, function):
    queue, old = told(aws, "TestRotationSucceeded"), create(secrets, name)

    secrets.rotate_secret(
        SecretId=name,
        RotationLambdaARN=function,
        RotationRules={"ScheduleExpression": "rate(90 days)"},
        RotateImmediately=False,
    )

    assert aws.receive(queue)
    described = secrets.describe_secret(SecretId=name)
    assert described["Description"] == " testSecret"
    assert described["RotationEnabled"]
    assert described["VersionIdsToStages"] == {old: ["AWSCURRENT"]}
    assert described["NextRotationDate"] > datetime.now(UTC) + timedelta(days=89)


def test_a_function_that_secrets_manager_may_not_invoke_is_refused(aws, secrets, name):
    create(secrets, name)
    closed = deploy_function(aws, f"closed-{name[-8:]}", "def handler(event, context):\n    pass\n")

    with pytest.raises(secrets.exceptions.ClientError, match=r"AccessDenied.*secretsmanager\.amazonaws\.com"):
        secrets.rotate_secret(SecretId=name, RotationLambdaARN=closed)

    assert not secrets.describe_secret(SecretId=name)["RotationEnabled"]


def test_who_rotates_a_secret_may_also_invoke_the_function(aws, secrets, name, function):
    create(secrets, name)
    rights = allow("secretsmanager:RotateSecret", resource=OWN_SECRETS)
    half = aws.client("secretsmanager", aws.session(rights))
    whole = aws.client("secretsmanager", aws.session(rights, allow("lambda:InvokeFunction", resource=function)))

    with pytest.raises(half.exceptions.ClientError, match="lambda:InvokeFunction"):
        half.rotate_secret(SecretId=name, RotationLambdaARN=function)

    assert whole.rotate_secret(SecretId=name, RotationLambdaARN=function)["VersionId"]


def test_a_secret_without_a_function_is_not_rotated(secrets, name):
    create(secrets, name)

    with pytest.raises(secrets.exceptions.InvalidRequestException, match="No Lambda rotation function"):
        secrets.rotate_secret(SecretId=name)


def test_rotation_is_switched_off(secrets, name, function):
    create(secrets, name)
    secrets.rotate_secret(SecretId=name, RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": 90})
    eventually(lambda: secrets.describe_secret(SecretId=name).get("LastRotatedDate"))

    secrets.cancel_rotate_secret(SecretId=name)

    assert not secrets.describe_secret(SecretId=name)["RotationEnabled"]
    assert "NextRotationDate" not in secrets.describe_secret(SecretId=name)
