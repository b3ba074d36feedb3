"""Users and groups are renamed with all that they have, and any version of a policy can be made the default."""

import json
import uuid

import pytest

from tests.local.aws.launched import ACCOUNT, allow, policy


@pytest.fixture
def iam(aws):
    return aws.client("iam")


@pytest.fixture
def unique():
    return f"t{uuid.uuid4().hex[:8]}"


def test_a_renamed_user_keeps_what_it_has(aws, iam, unique):
    iam.create_user(UserName=unique)
    iam.put_user_policy(UserName=unique, PolicyName="rights", PolicyDocument=policy(allow("sqs:ListQueues")))
    iam.create_group(GroupName=unique)
    iam.add_user_to_group(GroupName=unique, UserName=unique)
    before = iam.get_user(UserName=unique)["User"]

    iam.update_user(UserName=unique, NewUserName=f"{unique}-now", NewPath="/team/")

    after = iam.get_user(UserName=f"{unique}-now")["User"]
    assert after["UserId"] == before["UserId"]
    assert after["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/{unique}-now"
    assert iam.list_user_policies(UserName=f"{unique}-now")["PolicyNames"] == ["rights"]
    assert [user["UserName"] for user in iam.get_group(GroupName=unique)["Users"]] == [f"{unique}-now"]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName=unique)


def test_a_renamed_group_keeps_its_policies(iam, unique):
    iam.create_group(GroupName=unique)
    iam.put_group_policy(GroupName=unique, PolicyName="rights", PolicyDocument=policy(allow("sqs:ListQueues")))

    iam.update_group(GroupName=unique, NewGroupName=f"{unique}-now")

    assert iam.list_group_policies(GroupName=f"{unique}-now")["PolicyNames"] == ["rights"]


def test_a_name_that_is_taken_is_refused(iam, unique):
    iam.create_user(UserName=unique)
    iam.create_user(UserName=f"{unique}-taken")

    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.update_user(UserName=unique, NewUserName=f"{unique}-taken")


def test_an_older_version_can_be_made_the_default(iam, unique):
    first, second = policy(allow("sqs:ListQueues")), policy(allow("sns:ListTopics"))
    arn = iam.create_policy(PolicyName=unique, PolicyDocument=first)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=second, SetAsDefault=True)

    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")

    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    described = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert described["IsDefaultVersion"]
    assert described["Document"] == json.loads(first)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.set_default_policy_version(PolicyArn=arn, VersionId="v9")
