"""Calls that change something reach EventBridge as CloudTrail delivers them."""

import pytest

from tests.local.aws.launched import ACCOUNT, ROOT, allow, repository_arn


def record_of(event_name, source, **detail):
    return {
        "source": [source],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventName": [event_name]} | detail,
    }


def test_a_push_that_finds_no_repository_is_delivered_with_its_caller(aws, name):
    queue = aws.queue_of(record_of("InitiateLayerUpload", "aws.ecr", errorCode=["RepositoryNotFoundException"]))
    pusher = aws.session(allow("ecr:*"), role_name=f"ci-{name[-8:]}")

    aws.http("POST", f"/v2/{name}/blobs/uploads/", b"", aws.login(pusher))

    event = aws.receive(queue)
    detail, identity = event["detail"], event["detail"]["userIdentity"]
    assert event["region"] == "ca-central-1"
    assert detail["eventSource"] == "ecr.amazonaws.com"
    assert detail["requestParameters"] == {"registryId": ACCOUNT, "repositoryName": name}
    assert detail["responseElements"] is None
    assert name in detail["errorMessage"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/ci-{name[-8:]}/test"
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == f"arn:aws:iam::{ACCOUNT}:role/ci-{name[-8:]}"


def test_a_push_that_succeeds_is_delivered_without_an_error(aws, name):
    queue = aws.queue_of(record_of("PutImage", "aws.ecr", errorCode=[{"exists": False}]))
    aws.client("ecr").create_repository(repositoryName=name)

    aws.push(aws.login(aws.user(allow("ecr:*"))), name, "1")

    assert aws.receive(queue)["detail"]["requestParameters"]["repositoryName"] == name


def test_a_repository_that_is_created_is_delivered(aws, name):
    queue = aws.queue_of(record_of("CreateRepository", "aws.ecr"))

    aws.client("ecr").create_repository(repositoryName=name, tags=[{"Key": "team", "Value": "a"}])

    detail = aws.receive(queue)["detail"]
    assert detail["userIdentity"] == {
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "accountId": ACCOUNT,
        "accessKeyId": ROOT.access_key_id,
    }
    assert detail["requestParameters"] == {"repositoryName": name, "tags": [{"key": "team", "value": "a"}]}
    assert detail["responseElements"]["repository"]["repositoryArn"] == repository_arn(name)


def test_a_refused_call_is_delivered_with_its_error(aws, name):
    queue = aws.queue_of(record_of("CreateRepository", "aws.ecr", errorCode=[{"prefix": "AccessDenied"}]))
    nobody = aws.client("ecr", aws.user())

    with pytest.raises(nobody.exceptions.ClientError):
        nobody.create_repository(repositoryName=name)

    detail = aws.receive(queue)["detail"]
    assert detail["userIdentity"]["type"] == "IAMUser"
    assert detail["userIdentity"]["userName"].startswith("user-")
    assert detail["responseElements"] is None


def test_iams_events_arrive_in_us_east_1_with_structured_parameters(aws, name):
    queue = aws.queue_of(record_of("CreateUser", "aws.iam"), region="us-east-1")

    aws.client("iam").create_user(
        UserName=name[-8:], Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}]
    )

    detail = aws.receive(queue, region="us-east-1")["detail"]
    assert detail["awsRegion"] == "us-east-1"
    assert detail["requestParameters"] == {
        "userName": name[-8:],
        "path": "/service/",
        "tags": [{"key": "steward:rotate", "value": "true"}],
    }
    assert detail["responseElements"]["user"]["userName"] == name[-8:]


def test_no_secret_is_in_an_event(aws, name):
    key_queue = aws.queue_of(record_of("CreateAccessKey", "aws.iam"), region="us-east-1")
    secret_queue = aws.queue_of(record_of("CreateSecret", "aws.secretsmanager"))
    key = aws.user()

    aws.client("secretsmanager").create_secret(Name=name, SecretString="do-not-tell")

    told = aws.receive(key_queue, region="us-east-1")
    assert told["detail"]["responseElements"]["accessKey"]["accessKeyId"] == key.access_key_id
    assert key.secret_access_key not in str(told)
    assert "do-not-tell" not in str(aws.receive(secret_queue))


def test_reading_is_not_delivered(aws, name):
    queue = aws.queue_of({"source": ["aws.ecr"], "detail": {"eventName": [{"prefix": "Describe"}]}})
    aws.client("ecr").create_repository(repositoryName=name)

    aws.client("ecr").describe_repositories(repositoryNames=[name])

    assert aws.receive(queue, seconds=1) is None
