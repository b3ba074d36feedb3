"""Access keys: two for each user, and when each was last used."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from tests.local.aws.launched import Key


@pytest.fixture
def user(aws, name):
    """A new user without keys."""
    user = name.rpartition("/")[2]
    aws.client("iam").create_user(UserName=user)
    return user


def new_key(aws, user):
    key = aws.client("iam").create_access_key(UserName=user)["AccessKey"]
    return Key(key["AccessKeyId"], key["SecretAccessKey"])


def last_used(aws, key):
    return aws.client("iam").get_access_key_last_used(AccessKeyId=key.access_key_id)["AccessKeyLastUsed"]


def test_a_third_key_is_refused(aws, user):
    iam = aws.client("iam")
    new_key(aws, user)
    new_key(aws, user)

    with pytest.raises(iam.exceptions.LimitExceededException) as refused:
        iam.create_access_key(UserName=user)

    assert refused.value.response["Error"]["Code"] == "LimitExceeded"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert len(iam.list_access_keys(UserName=user)["AccessKeyMetadata"]) == 2


def test_a_key_that_was_never_used_says_so(aws, user):
    assert last_used(aws, new_key(aws, user)) == {"Region": "N/A", "ServiceName": "N/A"}


def test_the_last_use_has_the_service_and_the_region_that_the_call_was_signed_for(aws, user):
    key = new_key(aws, user)

    aws.client("sts", key).get_caller_identity()
    used = last_used(aws, key)

    assert (used["ServiceName"], used["Region"]) == ("sts", "ca-central-1")
    assert used["LastUsedDate"] > datetime.now(UTC) - timedelta(minutes=2)


def test_a_refused_call_is_a_use_and_a_wrong_signature_is_none(aws, user):
    key, forged = new_key(aws, user), new_key(aws, user)
    ecr = aws.client("ecr", key, region="eu-west-1")
    sts = aws.client("sts", Key(forged.access_key_id, "wrong"))

    with pytest.raises(ecr.exceptions.ClientError, match="AccessDenied"):
        ecr.describe_repositories()
    with pytest.raises(sts.exceptions.ClientError, match="SignatureDoesNotMatch"):
        sts.get_caller_identity()

    assert last_used(aws, key)["ServiceName"] == "ecr"
    assert last_used(aws, key)["Region"] == "eu-west-1"
    assert "LastUsedDate" not in last_used(aws, forged)


def test_the_credential_report_shows_the_use_of_each_key(aws, user):
    key = new_key(aws, user)
    iam = aws.client("iam")
    aws.client("sts", key).get_caller_identity()

    iam.generate_credential_report()
    report = iam.get_credential_report()["Content"]

    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(report.decode()))}
    assert rows[user]["access_key_1_last_used_service"] == "sts"
    assert rows[user]["access_key_1_last_used_region"] == "ca-central-1"
    assert rows[user]["access_key_1_last_used_date"].startswith(datetime.now(UTC).strftime("%Y-"))
    assert rows[user]["access_key_2_last_used_date"] == "N/A"


def test_a_key_is_deleted_for_its_own_user_alone(aws, user):
    iam, other = aws.client("iam"), f"other-{user}"
    iam.create_user(UserName=other)
    key = new_key(aws, user)

    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.delete_access_key(UserName=other, AccessKeyId=key.access_key_id)

    assert iam.list_access_keys(UserName=user)["AccessKeyMetadata"][0]["AccessKeyId"] == key.access_key_id


def test_the_keys_of_a_user_who_does_not_exist_are_not_an_empty_list(aws, name):
    iam = aws.client("iam")

    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.list_access_keys(UserName=name.rpartition("/")[2])


def test_a_push_with_an_inactive_key_is_refused_from_the_login_on(aws, user):
    iam, key = aws.client("iam"), new_key(aws, user)
    iam.update_access_key(UserName=user, AccessKeyId=key.access_key_id, Status="Inactive")
    ecr = aws.client("ecr", key)

    with pytest.raises(ecr.exceptions.ClientError, match="UnrecognizedClientException"):
        ecr.get_authorization_token()
