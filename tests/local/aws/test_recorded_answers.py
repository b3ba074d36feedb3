"""Answers of the local AWS are kept as they came over the wire, and held to what AWS says of each operation."""

import asyncio
import json

import pytest

from local.recorded_answers import RecordedAnswers
from tests.local.aws.held_answers import answers, unlike_the_model_of_aws

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261129/ca-central-1/{}/aws4_request, SignedHeaders=host, Signature=0"
)
WHO = "<GetCallerIdentityResponse><GetCallerIdentityResult>{}</GetCallerIdentityResult></GetCallerIdentityResponse>"


def ask(application, service, body="", *, target="", form="", method="POST", path="/", query=""):
    """One request to an application that answers with the body."""
    headers = {"authorization": SIGNED.format(service)} if service else {}
    headers |= {"x-amz-target": target} if target else {"content-type": "application/x-www-form-urlencoded"}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": form.encode(), "more_body": False}

    async def send(message):
        sent.append(message)

    application.body = body.encode()
    asyncio.run(application.recorded(scope, receive, send))
    return sent


class Application:
    """Reads the request, and answers in two parts."""

    def __init__(self, file):
        self.recorded = RecordedAnswers(self, file)
        self.body = b""

    async def __call__(self, _scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.body[:3], "more_body": True})
        await send({"type": "http.response.body", "body": self.body[3:]})


@pytest.fixture
def file(tmp_path):
    return tmp_path / "answers.jsonl"


@pytest.fixture
def application(file):
    return Application(file)


def test_an_answer_arrives_as_it_was_and_is_kept_whole(application, file):
    sent = ask(
        application, "sts", WHO.format("<Account>1</Account>"), form="Action=GetCallerIdentity&Version=2011-06-15"
    )

    assert b"".join(message.get("body", b"") for message in sent).decode() == WHO.format("<Account>1</Account>")
    ((service, operation, answer),) = answers(file)
    assert (service, operation) == ("sts", "GetCallerIdentity")
    assert answer["body"] == WHO.format("<Account>1</Account>")


def test_the_same_kind_of_answer_is_kept_once_and_an_unsigned_one_is_not(application, file):
    for account in ("111122223333", "444455556666"):
        ask(application, "sts", WHO.format(f"<Account>{account}</Account>"), form="Action=GetCallerIdentity")
    ask(application, "", "public")

    assert len(file.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("service", "request_", "operation"),
    [
        ("dynamodb", {"target": "DynamoDB_20120810.GetItem"}, "GetItem"),
        ("s3", {"method": "GET", "path": "/bucket", "query": "versions&prefix=a"}, "ListObjectVersions"),
        ("s3", {"method": "GET", "path": "/bucket", "query": "versioning"}, "GetBucketVersioning"),
        ("s3", {"method": "GET", "path": "/bucket/a/key", "query": "versionId=1"}, "GetObject"),
        ("s3", {"method": "GET", "path": "/bucket", "query": "publicAccessBlock"}, "GetPublicAccessBlock"),
        ("lambda", {"path": "/2015-03-31/functions/worker/invocations"}, "Invoke"),
    ],
)
def test_the_operation_of_an_answer_is_known(application, file, service, request_, operation):
    ask(application, service, "{}", **request_)

    assert [name for _, name, _ in answers(file)] == [operation]


@pytest.mark.parametrize(
    ("service", "request_", "body", "wrong"),
    [
        ("dynamodb", {"target": "DynamoDB_20120810.GetItem"}, {"Item": {"id": {"S": "a"}}}, set()),
        ("dynamodb", {"target": "DynamoDB_20120810.GetItem"}, {"Itme": {}}, {"GetItemOutput.Itme"}),
        (
            "secretsmanager",
            {"target": "secretsmanager.DescribeSecret"},
            {"RotationEnabled": "true"},
            {"DescribeSecretResponse.RotationEnabled: str is no boolean"},
        ),
    ],
)
def test_what_aws_would_not_answer_is_found(application, file, service, request_, body, wrong):
    ask(application, service, json.dumps(body), **request_)

    assert set().union(*unlike_the_model_of_aws(file).values()) == wrong


def test_what_aws_would_not_answer_in_xml_is_found(application, file):
    ask(application, "sts", WHO.format("<Acount>1</Acount>"), form="Action=GetCallerIdentity")

    assert unlike_the_model_of_aws(file) == {"sts:GetCallerIdentity": {"GetCallerIdentityResponse.Acount"}}
