"""What IAM's users do, be it the double, or the adapter on either of its clients."""

import boto3
import pytest

from access_key_rotation.adapters.iam_users import IamUsers
from access_key_rotation.application.ports import KeyNotFoundError, KeySlotsFullError
from access_key_rotation.domain.names import UserName
from steward.aws.clients import client
from tests.doubles.clients_of_service_account import IamClient, no_weather
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_service_account import InMemoryServiceAccount, InMemoryUsers

PUSH = UserName("ecr-push")


@pytest.fixture(params=["in memory", "on clients in memory", "on IAM"])
def users(request):
    if request.param != "on IAM":
        clock = FrozenClock()
        account = InMemoryServiceAccount(clock)
        account.add_user(PUSH)
        account.listed_after = clock.now() - clock.now()
        if request.param == "in memory":
            return InMemoryUsers(account)
        in_memory = IamClient(account, no_weather)
        return IamUsers(in_memory, in_memory)
    request.getfixturevalue("moto")
    iam = boto3.client("iam")
    iam.create_user(UserName=PUSH, Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}])
    return IamUsers(client("iam"), client("iam", once=True))


def test_finds_a_user_with_its_path_and_tags(users):
    user = users.find(PUSH)

    assert (user.name, user.path, user.tags) == (PUSH, "/service/", {"steward:rotate": "true"})
    assert user.arn.endswith(":user/service/ecr-push")
    assert user.user_id


def test_finds_no_user_where_there_is_none(users):
    assert users.find(UserName("nobody")) is None


def test_a_user_that_is_not_there_has_no_keys(users):
    assert users.keys(UserName("nobody")) == ()


def test_a_new_key_is_active_and_listed(users):
    made = users.create_key(PUSH)

    assert [(key.id, key.active) for key in users.keys(PUSH)] == [(made.access_key_id, True)]


def test_there_is_no_third_key(users):
    users.create_key(PUSH)
    users.create_key(PUSH)

    with pytest.raises(KeySlotsFullError) as refused:
        users.create_key(PUSH)
    assert refused.value.code == "LimitExceeded"


def test_a_deactivated_key_stays_and_can_be_brought_back(users):
    made = users.create_key(PUSH)

    users.deactivate_key(PUSH, made.access_key_id)
    inactive = users.keys(PUSH)
    users.reactivate_key(PUSH, made.access_key_id)

    assert [key.active for key in inactive] == [False]
    assert [key.active for key in users.keys(PUSH)] == [True]


def test_a_deleted_key_is_gone_and_may_be_deleted_again(users):
    made = users.create_key(PUSH)

    users.delete_key(PUSH, made.access_key_id)
    users.delete_key(PUSH, made.access_key_id)

    assert users.keys(PUSH) == ()


def test_a_key_that_is_not_there_cannot_be_deactivated(users):
    with pytest.raises(KeyNotFoundError):
        users.deactivate_key(PUSH, "AKIA0000000000009999")


def test_a_key_that_was_never_used_has_no_last_use(users):
    made = users.create_key(PUSH)

    assert users.last_use(made.access_key_id).at is None


def test_a_user_without_attached_policies_is_not_quarantined(users):
    assert users.quarantine(PUSH) == ""
    assert users.quarantine(UserName("nobody")) == ""


@pytest.mark.parametrize("version", ["", "V2", "V3", "V9"])
def test_the_quarantine_of_aws_is_found_in_any_version(moto, version):
    iam = boto3.client("iam")
    iam.create_user(UserName=PUSH, Path="/service/")
    document = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "ecr:*", "Resource": "*"}}'
    for name in ("other", f"AWSCompromisedKeyQuarantine{version}"):
        arn = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_user_policy(UserName=PUSH, PolicyArn=arn)

    assert IamUsers(client("iam"), client("iam")).quarantine(PUSH) == arn
