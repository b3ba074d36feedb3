"""What IAM's bulk call says of a user's privileges."""

import json

import boto3
import pytest

from access_key_rotation.adapters.iam_privileges import IamPrivileges
from access_key_rotation.adapters.iam_users import IamUsers
from access_key_rotation.domain.names import UserName
from steward.aws.clients import client
from steward.errors import UpstreamError
from tests.doubles.frozen_clock import FrozenClock

PUSH = UserName("ecr-push")


@pytest.fixture
def iam(moto):
    made = boto3.client("iam")
    made.create_user(UserName=PUSH, Path="/service/")
    return made


@pytest.fixture
def escalation(iam):
    return lambda: IamPrivileges(client("iam"), FrozenClock()).escalation(
        IamUsers(client("iam"), client("iam")).find(PUSH)
    )  # type: ignore[arg-type]


def document(action):
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}})


def test_a_user_without_policies_cannot_gain_privileges(escalation):
    assert escalation() == ""


def test_an_attached_policy_is_read(iam, escalation):
    policy = iam.create_policy(PolicyName="all", PolicyDocument=document("*"))["Policy"]
    iam.attach_user_policy(UserName=PUSH, PolicyArn=policy["Arn"])

    assert "escalation path" in escalation()


def test_an_inline_policy_is_read(iam, escalation):
    iam.put_user_policy(UserName=PUSH, PolicyName="own", PolicyDocument=document("iam:PutUserPolicy"))

    assert "iam:PutUserPolicy" in escalation()


def test_the_policies_of_a_group_are_read(iam, escalation):
    iam.create_group(GroupName="admins")
    iam.put_group_policy(GroupName="admins", PolicyName="all", PolicyDocument=document("*"))
    iam.add_user_to_group(GroupName="admins", UserName=PUSH)

    assert "escalation path" in escalation()


def test_users_are_not_judged_where_privileges_are_not_read(iam):
    users = IamUsers(client("iam"), client("iam"))
    user = users.find(PUSH)
    assert user is not None

    with pytest.raises(UpstreamError, match="does not read privileges"):
        users.standing(user)


def test_an_attached_policy_that_is_on_no_page_is_read_by_itself(iam):
    """The local AWS lists no managed policies of AWS, and on AWS a policy may be attached between two pages."""
    reader = client("iam")
    reader.meta.events.register(
        "after-call.iam.GetAccountAuthorizationDetails", lambda parsed, **_: parsed.update(Policies=[])
    )
    user = IamUsers(client("iam"), client("iam")).find(PUSH)
    assert user is not None
    iam.create_group(GroupName="writers")
    iam.add_user_to_group(GroupName="writers", UserName=PUSH)
    harmless, everything = (
        iam.create_policy(PolicyName=name, PolicyDocument=document(action))["Policy"]["Arn"]
        for name, action in (("push", "ecr:PutImage"), ("all", "*"))
    )

    iam.attach_group_policy(GroupName="writers", PolicyArn=harmless)
    assert IamPrivileges(reader, FrozenClock()).escalation(user) == ""
    iam.attach_group_policy(GroupName="writers", PolicyArn=everything)
    assert "escalation path" in IamPrivileges(reader, FrozenClock()).escalation(user)


def test_users_that_are_judged_side_by_side_share_one_reading_of_the_account(iam):
    reader, clock, calls = client("iam"), FrozenClock(), []
    reader.meta.events.register("before-call.iam.GetAccountAuthorizationDetails", lambda **_: calls.append(1))
    iam.create_user(UserName="ecr-pull", Path="/service/")
    users, privileges = IamUsers(client("iam"), client("iam")), IamPrivileges(reader, clock)
    push, pull = users.find(PUSH), users.find(UserName("ecr-pull"))
    assert push is not None
    assert pull is not None

    assert [privileges.escalation(push), privileges.escalation(pull), len(calls)] == ["", "", 1]
    iam.put_user_policy(UserName=PUSH, PolicyName="own", PolicyDocument=document("iam:PutUserPolicy"))
    clock.advance(seconds=31)
    assert "iam:PutUserPolicy" in privileges.escalation(push)


def test_a_user_that_came_after_the_reading_is_judged_by_a_new_one(iam):
    users, privileges = IamUsers(client("iam"), client("iam")), IamPrivileges(client("iam"), FrozenClock())
    push = users.find(PUSH)
    assert push is not None
    privileges.escalation(push)
    iam.create_user(UserName="late", Path="/service/")
    iam.put_user_policy(UserName="late", PolicyName="own", PolicyDocument=document("*"))
    late = users.find(UserName("late"))
    assert late is not None

    assert "escalation path" in privileges.escalation(late)
