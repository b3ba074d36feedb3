"""What each kind of target takes and confirms, and what it does on a bad day. Nothing of the key is in any error."""

import json
import socket
import time
from datetime import UTC, datetime

import boto3
import pytest
from moto import mock_aws

from access_key_rotation.adapters.https_json import HttpsJson
from access_key_rotation.adapters.sync_targets import AwsAndCiTargets
from access_key_rotation.application.ports import TargetRefusedError
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.sync import GitHub, GitLab, OtherSecret, Parameter, Target
from steward.errors import StewardError, UpstreamError
from tests.doubles.ci_server import TOKEN, CiServer

REGION = "ca-central-1"
USER = UserName("ecr-push")
MATERIAL = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEY = Credential(USER, "AKIAEXAMPLE000000002", MATERIAL, datetime(2026, 5, 4, tzinfo=UTC))
TOKEN_SECRET = "steward/sync-tokens/ci"


def client_in(service, region, role):
    assert not role
    return boto3.client(
        service, region_name=region or REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
    )


@pytest.fixture
def aws():
    with mock_aws():
        client_in("secretsmanager", "", "").create_secret(Name=TOKEN_SECRET, SecretString=f"{TOKEN}\n")
        yield


@pytest.fixture
def server():
    server = CiServer()
    yield server
    server.close()


@pytest.fixture
def targets(aws):
    quick = lambda url, headers: HttpsJson(url, headers, seconds=0.5)  # noqa: E731 - a constructor with less patience
    return AwsAndCiTargets(client_in, client_in("secretsmanager", "", ""), quick)


def github(server, **where):
    where = where or {"repository": "octo/app"}
    return Target(github=GitHub(token_secret=TOKEN_SECRET, api=server.url, **where))


def gitlab(server, **where):
    where = where or {"project": "group/app"}
    return Target(gitlab=GitLab(token_secret=TOKEN_SECRET, api=f"{server.url}", **where))


def refused(targets, target, kind=TargetRefusedError):
    """The error of a write, which shows nothing of the key and nothing of the token."""
    with pytest.raises(StewardError) as error:
        targets.write(target, KEY)
    assert isinstance(error.value, kind), error.value
    chain, link = str(error.value), error.value.__cause__
    while link is not None:
        chain, link = chain + repr(link), link.__cause__
    assert MATERIAL not in chain
    assert TOKEN not in chain
    return str(error.value)


def test_a_parameter_is_a_secure_string_in_the_form_of_the_secret(targets):
    target = Target(parameter=Parameter(name="/ci/ecr-push", region="eu-west-1"))

    targets.write(target, KEY)
    targets.write(target, KEY)

    found = client_in("ssm", "eu-west-1", "").get_parameter(Name="/ci/ecr-push", WithDecryption=True)["Parameter"]
    assert (found["Type"], found["Version"]) == ("SecureString", 2)
    assert json.loads(found["Value"]) | {"CreatedAt": ""} == {
        "Version": 1, "AccessKeyId": KEY.access_key_id, "SecretAccessKey": MATERIAL, "UserName": USER, "CreatedAt": "",
    }  # fmt: skip


def test_another_secret_is_current_with_the_key(targets):
    client_in("secretsmanager", "", "").create_secret(Name="legacy/ecr-push", SecretString="{}")

    targets.write(Target(secret=OtherSecret(secret="legacy/ecr-push")), KEY)

    value = client_in("secretsmanager", "", "").get_secret_value(SecretId="legacy/ecr-push")["SecretString"]
    assert json.loads(value)["AccessKeyId"] == KEY.access_key_id


def test_a_secret_that_does_not_exist_is_not_created(targets):
    said = refused(targets, Target(secret=OtherSecret(secret="legacy/ecr-push")))

    assert "create it first" in said


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ({"repository": "octo/app"}, "/repos/octo/app/actions"),
        ({"repository": "octo/app", "environment": "pro duction"}, "/repos/octo/app/environments/pro duction"),
        ({"organization": "octo"}, "/orgs/octo/actions"),
        ({"organization": "octo", "visibility": "selected", "repository_ids": (1, 2)}, "/orgs/octo/actions"),
    ],
)
def test_github_gets_both_values_sealed_for_its_key(targets, server, where, place):
    targets.write(github(server, **where), KEY)
    targets.write(github(server, **where), KEY)

    assert server.stored == {
        (place, "AWS_ACCESS_KEY_ID"): KEY.access_key_id,
        (place, "AWS_SECRET_ACCESS_KEY"): MATERIAL,
    }
    assert MATERIAL not in str(server.requests)
    if "visibility" in where:
        assert server.requests[-1][3]["selected_repository_ids"] == [1, 2]


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ({"project": "group/app"}, ("/projects/group/app", "*")),
        ({"project": "12", "environment_scope": "review/*"}, ("/projects/12", "review/*")),
        ({"group": "group"}, ("/groups/group", "*")),
    ],
)
def test_gitlab_gets_masked_variables_created_once_and_updated_then(targets, server, where, place):
    targets.write(gitlab(server, **where), KEY)
    targets.write(gitlab(server, **where), KEY)

    assert server.stored == {
        (*place, "AWS_ACCESS_KEY_ID"): KEY.access_key_id,
        (*place, "AWS_SECRET_ACCESS_KEY"): MATERIAL,
    }
    assert [request[0] for request in server.requests] == ["PUT", "POST", "PUT", "POST", "PUT", "PUT"]
    assert all(body["masked"] and body["protected"] for _, _, _, body in server.requests)


def drips(handler):
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def hangs_up(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)


def half(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"key_id":')
    handler.connection.shutdown(socket.SHUT_RDWR)


def redirects(handler):
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:1/")
    handler.end_headers()


@pytest.mark.parametrize("make", [github, gitlab])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {}), "401: the token is not accepted"),
        ((403, {"message": MATERIAL}), "403"),
        ((422, {"message": f"{TOKEN} {MATERIAL}"}), "422"),
        ((500, {}), "500"),
        ((507, {}), "507"),
        ((299, {}), "299"),
        (redirects, "302"),
        ((200, b"<html>captive portal</html>"), "did not confirm"),
        ((200, b"[" * 100_000), "did not confirm"),
        ((200, {"key": "short", "key_id": 1}), "did not confirm"),
        ((200, b'"' + b"x" * 300_000 + b'"'), "did not confirm"),
        (drips, "did not confirm"),
        (hangs_up, "cannot be reached"),
        (half, "did not confirm"),
    ],
)
def test_a_target_that_is_gone_slow_full_or_answers_nonsense_confirms_nothing(targets, server, make, answer, words):
    server.answers = [answer] * 8

    said = refused(targets, make(server), StewardError)

    assert words in said, said


def test_gitlab_that_stores_another_value_or_does_not_mask_it_confirms_nothing(targets, server):
    for other in ({"value": "another"}, {"masked": False}, {"protected": False}, {"key": "OTHER"}):
        shown = {"key": "AWS_SECRET_ACCESS_KEY", "value": MATERIAL, "masked": True, "protected": True, **other}
        server.answers = [(200, shown)]

        assert "did not store what was sent" in refused(targets, gitlab(server))


def test_half_a_key_is_completed_at_once_if_the_target_recovers(targets, server):
    server.answers = [None, None, (503, {})]  # the public key, the first value, and the second one fails once

    targets.write(github(server), KEY)

    assert len(server.stored) == 2


def test_an_address_without_a_server_is_named_by_its_host_alone(targets, server):
    server.close()

    assert refused(targets, github(server), UpstreamError) == "127.0.0.1 cannot be reached: ConnectionRefusedError"


@pytest.mark.parametrize("token", ["", "a b", "x\r\nX-Evil: 1", '{"token": "…"}'])
def test_a_token_that_is_none_is_sent_nowhere(targets, server, token):
    client_in("secretsmanager", "", "").put_secret_value(SecretId=TOKEN_SECRET, SecretString=token or " ")

    assert "holds no token" in refused(targets, github(server))
    assert server.requests == []
