"""`make start` shows all three headlines, and shows them once."""

import json
import re

import pytest

from local.headlines import ADMINISTRATOR, ROLE, USER
from tests.local.stack import eventually


def current_key(stack):
    secrets = stack.aws.client("secretsmanager")
    value = secrets.get_secret_value(SecretId=f"steward/service-users/{USER}")["SecretString"]
    return json.loads(value)["AccessKeyId"]


def attached(stack):
    return stack.aws.client("iam").list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]


def everything_of_the_demonstration(stack):
    """What a start could change: both stacks, users with their keys, the role, queues, subscriptions, repositories."""
    aws, shown = stack.aws, []
    for region, name in (("ca-central-1", "ecr-steward"), ("us-east-1", "ecr-steward-global-events")):
        shown += aws.client("cloudformation", region=region).describe_stacks(StackName=name)["Stacks"]
    iam = aws.client("iam")
    for user in iam.list_users()["Users"]:
        shown += [user, iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]]
    shown += [iam.get_role(RoleName=ROLE)["Role"], attached(stack), current_key(stack)]
    shown += [aws.client("sqs").list_queues()["QueueUrls"], aws.client("sns").list_subscriptions()["Subscriptions"]]
    shown += [aws.client("ecr").describe_repositories()["repositories"]]
    return [*shown, stack.variables, stack.process_id]


@pytest.fixture
def printed(stack):
    return stack.first_start.stdout


def test_a_repository_is_created_on_demand(printed):
    assert "push to demo/hello, which does not exist: refused (name unknown)" in printed
    assert "PUT by demo-pipeline: created (201)" in printed


def test_a_key_rotates_while_a_client_uses_it_and_no_use_is_refused(stack, printed):
    (first,) = re.findall(rf"made the first keys: {USER} has (AKIA\w+)", printed)
    ((new, uses),) = re.findall(
        r"rotated to (AKIA\w+): the client used (\d+) times a key of the secret, refused 0", printed
    )

    assert "POST /service-users/ecr-push/rotation, while a client uses the key: accepted (202)" in printed
    assert first != new == current_key(stack)
    assert int(uses) > 1


def test_drift_is_alerted_and_the_command_of_the_alert_takes_it_back(stack, printed):
    alert = printed.partition("IAM policy drift\n")[2].partition("The rotation")[0]

    assert f"CRITICAL: Policy drift of role/{ROLE}" in alert
    assert "Reason: it is now an administrator" in alert
    assert f"$ aws iam detach-role-policy --role-name {ROLE} --policy-arn {ADMINISTRATOR}" in alert
    assert "the steward reported it resolved after" in alert
    assert attached(stack) == []


def test_a_second_start_shows_the_main_job_and_changes_nothing(stack):
    before = everything_of_the_demonstration(stack)

    second = stack.run("start", "--headlines")

    assert second.returncode == 0, second.stdout + second.stderr
    assert "already exists (200)" in second.stdout
    assert "both were shown on this stack before" in second.stdout
    assert "deploy" not in second.stdout
    assert everything_of_the_demonstration(stack) == before


def test_a_demonstration_that_was_interrupted_is_shown_again(stack):
    iam = stack.aws.client("iam")
    iam.untag_role(RoleName=ROLE, TagKeys=["demonstrated"])
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=ADMINISTRATOR)

    again = stack.run("start", "--headlines")

    assert again.returncode == 0, again.stdout + again.stderr
    assert f"{USER} has rotated before" in again.stdout
    assert "the steward reported it resolved after" in again.stdout
    assert eventually(lambda: attached(stack) == [])
