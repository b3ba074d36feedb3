"""The registry asks for a login, and IAM decides what whoever logged in may push and pull."""

import base64

import pytest

from tests.local.aws.launched import allow, repository_arn

PUSH = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")
LOGIN = allow("ecr:GetAuthorizationToken")


def error_code(reply):
    return reply.document["errors"][0]["code"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic " + base64.b64encode(b"AWS:ministack-auth-token").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"AWS:AKIAROOTROOTROOTROOT.9999999999.forged").decode()},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic ???"},
    ],
)
def test_who_has_not_logged_in_is_asked_to(aws, headers):
    reply = aws.http("GET", "/v2/", headers=headers)

    assert reply.status == 401
    assert error_code(reply) == "UNAUTHORIZED"
    assert reply.headers["WWW-Authenticate"].startswith("Basic")


def test_who_has_logged_in_is_let_in(aws):
    assert aws.http("GET", "/v2/", headers=aws.login(aws.user(LOGIN))).status == 200


def test_a_push_right_for_one_repository_is_none_for_another(aws, name):
    for repository in (f"{name}/mine", f"{name}/theirs"):
        aws.client("ecr").create_repository(repositoryName=repository)
    login = aws.login(aws.user(LOGIN, allow(*PUSH, resource=repository_arn(f"{name}/mine"))))

    mine, theirs = aws.push(login, f"{name}/mine", "1"), aws.push(login, f"{name}/theirs", "1")

    assert mine.status == 201
    assert (theirs.status, error_code(theirs)) == (403, "DENIED")


def test_a_role_pushes_with_its_session_token(aws, name):
    aws.client("ecr").create_repository(repositoryName=name)
    session = aws.session(LOGIN, allow(*PUSH, resource=repository_arn(name)))

    assert aws.push(aws.login(session), name, "1").status == 201


def test_who_may_push_may_not_pull(aws, name):
    aws.client("ecr").create_repository(repositoryName=name)
    login = aws.login(aws.user(LOGIN, allow(*PUSH)))
    aws.push(login, name, "1")

    assert aws.http("GET", f"/v2/{name}/manifests/1", headers=login).status == 403


def test_a_login_ends_with_its_access_key(aws, name):
    aws.client("ecr").create_repository(repositoryName=name)
    key = aws.user(LOGIN, allow(*PUSH))
    login, iam = aws.login(key), aws.client("iam")
    user = iam.get_access_key_last_used(AccessKeyId=key.access_key_id)["UserName"]

    iam.delete_access_key(UserName=user, AccessKeyId=key.access_key_id)

    assert aws.push(login, name, "1").status == 403


def test_a_push_to_a_missing_repository_is_refused_with_name_unknown(aws, name):
    login = aws.login(aws.user(LOGIN, allow(*PUSH)))

    reply = aws.http("POST", f"/v2/{name}/blobs/uploads/", b"", login)

    assert (reply.status, error_code(reply)) == (404, "NAME_UNKNOWN")


def test_an_operation_that_ecr_does_not_have_is_refused(aws, name):
    reply = aws.http("DELETE", f"/v2/{name}/blobs/sha256:00", headers=aws.login(aws.user(LOGIN, allow("ecr:*"))))

    assert (reply.status, error_code(reply)) == (405, "UNSUPPORTED")
