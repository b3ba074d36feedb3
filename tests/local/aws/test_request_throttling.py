"""Throttling on demand, and the count of requests."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from tests.local.aws.launched import allow

PATH = "/_local/requests"


@pytest.fixture
def iam(aws):
    """A caller that is not root; afterwards nothing is throttled."""
    yield aws.client("iam", aws.user(allow("iam:ListUsers", "iam:ListGroups", "secretsmanager:ListSecrets")))
    begin(aws)


def begin(aws, **wanted):
    return aws.http("PUT", PATH, json.dumps(wanted).encode())


def refusals(call, times):
    refused = []
    for number in range(times):
        try:
            call()
        except ClientError as error:
            refused.append((number, error.response["Error"]["Code"]))
    return refused


def test_every_so_manieth_request_of_a_service_is_throttled_and_all_are_counted(aws, iam):
    begin(aws, every=3, services=["iam"])

    refused = refusals(iam.list_users, 7)
    count = aws.http("GET", PATH).document

    assert refused == [(2, "Throttling"), (5, "Throttling")]
    assert count == {"counted": {"iam.ListUsers": 7}, "throttled": {"iam.ListUsers": 2}}


def test_secrets_manager_has_a_code_of_its_own(aws, iam):
    begin(aws, every=1, services=["secretsmanager"])
    secrets = aws.client("secretsmanager", aws.user(allow("secretsmanager:ListSecrets")))

    assert refusals(secrets.list_secrets, 1) == [(0, "ThrottlingException")]
    assert refusals(iam.list_users, 1) == []


def test_what_exceeds_a_rate_is_throttled_until_time_has_passed(aws, iam):
    begin(aws, rates=[{"operations": ["iam.ListUsers", "iam.ListRoles"], "per_second": 2}])

    refused = refusals(iam.list_users, 12)
    time.sleep(1)

    assert len(refused) >= 6
    assert refusals(iam.list_users, 1) == []
    assert refusals(iam.list_groups, 5) == []


def test_root_is_neither_counted_nor_throttled(aws, iam):
    begin(aws, every=1, services=["iam"])

    assert refusals(aws.client("iam").list_users, 2) == []
    assert aws.http("GET", PATH).document["counted"] == {}


def test_nothing_is_throttled_unless_it_is_switched_on(aws, iam):
    begin(aws)

    assert refusals(iam.list_users, 20) == []
