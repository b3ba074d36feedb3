"""LookupEvents finds who did what, by key, by user and by resource."""

import json

import pytest

from tests.local.aws.launched import Key, allow


@pytest.fixture
def user(aws, name):
    """A user who may do everything with ECR."""
    user, iam = name.rpartition("/")[2], aws.client("iam")
    iam.create_user(UserName=user)
    iam.put_user_policy(
        UserName=user,
        PolicyName="ecr",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow("ecr:*")]}),
    )
    return user


@pytest.fixture
def key(aws, user):
    key = aws.client("iam").create_access_key(UserName=user)["AccessKey"]
    return Key(key["AccessKeyId"], key["SecretAccessKey"])


def lookup(aws, region="ca-central-1", **attribute):
    ((name, value),) = attribute.items()
    events = aws.client("cloudtrail", region=region).get_paginator("lookup_events")
    pages = events.paginate(
        LookupAttributes=[{"AttributeKey": name, "AttributeValue": value}], PaginationConfig={"PageSize": 2}
    )
    return [event for page in pages for event in page["Events"]]


def test_an_access_key_leads_to_all_that_was_done_with_it_the_latest_first(aws, user, key, name):
    login = aws.login(key)
    aws.client("ecr", key).create_repository(repositoryName=name)
    aws.push(login, name, "1")

    events = lookup(aws, AccessKeyId=key.access_key_id)

    assert [event["EventName"] for event in events] == ["PutImage", "CreateRepository", "GetAuthorizationToken"]
    assert {event["Username"] for event in events} == {user}
    assert [event["ReadOnly"] for event in events] == ["false", "false", "true"]
    assert {"ResourceType": "AWS::ECR::Repository", "ResourceName": name} in events[0]["Resources"]
    assert json.loads(events[2]["CloudTrailEvent"])["userIdentity"]["accessKeyId"] == key.access_key_id


def test_a_refused_call_is_in_the_history(aws, key):
    secrets = aws.client("secretsmanager", key)
    with pytest.raises(secrets.exceptions.ClientError, match="AccessDenied"):
        secrets.get_secret_value(SecretId="any")

    (event,) = lookup(aws, AccessKeyId=key.access_key_id)

    assert event["EventName"] == "GetSecretValue"
    assert json.loads(event["CloudTrailEvent"])["errorCode"].startswith("AccessDenied")


def test_who_made_a_key_is_found_by_the_key_in_the_region_of_iam(aws, user, name):
    creator = aws.session(allow("iam:CreateAccessKey"), role_name=f"creator-{name[-8:]}")
    made = aws.client("iam", creator).create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]

    (event,) = lookup(aws, region="us-east-1", ResourceName=made)

    identity = json.loads(event["CloudTrailEvent"])["userIdentity"]
    assert event["EventName"] == "CreateAccessKey"
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == f"creator-{name[-8:]}"
    assert lookup(aws, ResourceName=made) == []


def test_no_secret_is_in_the_history(aws, name):
    secrets = aws.client("secretsmanager")
    secrets.create_secret(Name=name, SecretString="the-value-itself")
    secrets.get_secret_value(SecretId=name)

    events = lookup(aws, ResourceName=name)

    assert [event["EventName"] for event in events] == ["GetSecretValue"]
    assert "the-value-itself" not in json.dumps(lookup(aws, EventSource="secretsmanager.amazonaws.com"), default=str)


def test_two_attributes_at_once_are_refused(aws):
    cloudtrail = aws.client("cloudtrail")
    attribute = {"AttributeKey": "EventName", "AttributeValue": "CreateUser"}

    with pytest.raises(cloudtrail.exceptions.InvalidLookupAttributesException):
        cloudtrail.lookup_events(LookupAttributes=[attribute, attribute])
