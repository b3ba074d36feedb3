"""What reading IAM gives: in bulk and one by one, the same."""

import json

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from policy_drift.adapters.iam_account import IamAccount
from policy_drift.application.ports import Subjects
from policy_drift.domain.account import EntityId
from steward.aws.clients import client
from steward.errors import UpstreamError
from tests.contract.conftest import ACCOUNT
from tests.doubles.drift_under_test import GET, TRUST, WIDER

CUSTOM = f"arn:aws:iam::{ACCOUNT}:policy/custom"


@pytest.fixture
def iam(moto):
    """An account with one of everything."""
    iam = boto3.client("iam")
    iam.create_policy(PolicyName="custom", PolicyDocument=json.dumps(GET))
    iam.create_group(GroupName="staff")
    iam.put_group_policy(GroupName="staff", PolicyName="g", PolicyDocument=json.dumps(GET))
    iam.create_user(UserName="ann", Path="/people/")
    iam.add_user_to_group(GroupName="staff", UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="u", PolicyDocument=json.dumps(WIDER))
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "a", "Value": "b"}])
    iam.attach_role_policy(RoleName="app", PolicyArn=CUSTOM)
    return iam


@pytest.fixture
def reader(iam):
    return IamAccount(client("iam"), ACCOUNT)


def test_a_snapshot_has_users_groups_roles_and_policies_with_all_that_they_refer_to(reader):
    account = reader.snapshot().account

    assert account.users["ann"].groups == ("staff",)
    assert account.users["ann"].path == "/people/"
    assert account.users["ann"].inline == {"u": WIDER}
    assert account.groups["staff"].inline == {"g": GET}
    assert (account.roles["app"].attached, account.roles["app"].trust) == ((CUSTOM,), TRUST)
    assert account.policies[CUSTOM].document == GET
    assert account.unreadable == {}


def test_one_by_one_an_entity_reads_as_in_bulk_with_what_it_depends_on(reader):
    whole = reader.snapshot().account

    read = reader.read(Subjects(frozenset({EntityId("user/ann"), EntityId("role/app")})))

    assert (read.users, read.roles, read.groups) == (whole.users, whole.roles, whole.groups)
    assert read.policies[CUSTOM].document == whole.policies[CUSTOM].document


def test_what_is_not_there_is_left_out(reader):
    read = reader.read(Subjects(frozenset({EntityId("role/gone")}), frozenset({f"{CUSTOM}-gone"})))

    assert (dict(read.roles), dict(read.policies), dict(read.unreadable)) == ({}, {}, {})


def test_holders_and_members_are_found(reader):
    assert reader.holders(CUSTOM) >= {EntityId("role/app")}
    assert reader.members("staff") == {EntityId("user/ann")}
    assert reader.holders(f"{CUSTOM}-gone") == frozenset()
    assert reader.members("gone") == frozenset()


def test_a_version_of_a_policy_is_there_until_it_is_deleted(iam, reader):
    iam.create_policy_version(PolicyArn=CUSTOM, PolicyDocument=json.dumps(WIDER), SetAsDefault=True)
    before = reader.has_version(CUSTOM, "v1"), reader.snapshot().account.versions[CUSTOM]
    iam.delete_policy_version(PolicyArn=CUSTOM, VersionId="v1")

    assert before == (True, {"v1", "v2"})
    assert not reader.has_version(CUSTOM, "v1")
    assert reader.snapshot().account.versions[CUSTOM] == {"v2"}


def test_a_page_that_fails_fails_the_snapshot(iam):
    failing = client("iam")
    failing.meta.events.register("before-call.iam.GetAccountAuthorizationDetails", _unreachable)

    with pytest.raises(UpstreamError):
        IamAccount(failing, ACCOUNT).snapshot()


def _unreachable(**_):
    raise EndpointConnectionError(endpoint_url="https://iam.amazonaws.com")
