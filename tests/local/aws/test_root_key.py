"""Root is one key, and its signature is checked."""

import pytest

from tests.local.aws.launched import ACCOUNT, REGION, ROOT, Key, allow


def test_the_configured_key_is_root(aws):
    assert aws.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_the_root_key_with_another_secret_is_refused(aws):
    impostor = aws.client("sts", Key(ROOT.access_key_id, "wrong"))

    with pytest.raises(impostor.exceptions.ClientError, match="SignatureDoesNotMatch"):
        impostor.get_caller_identity()


@pytest.mark.parametrize("access_key_id", ["test", ACCOUNT, "000000000000", "AKIANOBODYNOBODYNOBO"])
def test_no_other_key_is_root(aws, access_key_id):
    stranger = aws.client("iam", Key(access_key_id, "test"))

    with pytest.raises(stranger.exceptions.ClientError, match="InvalidClientTokenId"):
        stranger.list_users()


@pytest.fixture(scope="module")
def _object_of_root(aws):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="secrets", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="secrets", Key="of-the-root", Body=b"secret")


@pytest.mark.usefixtures("_object_of_root")
@pytest.mark.parametrize("authorization", ["Bearer x", "Basic QVdTOng=", "AWS4-HMAC-SHA256 nonsense"])
@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("POST", "/", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"),
        ("POST", "/", "secretsmanager.ListSecrets"),
        ("GET", "/?Action=ListUsers&Version=2010-05-08", ""),
        ("GET", "/secrets/of-the-root", ""),
    ],
)
def test_an_authorization_that_is_no_signature_opens_nothing(aws, method, path, target, authorization):
    reply = aws.http(method, path, headers={"X-Amz-Target": target, "Authorization": authorization})

    assert reply.status in (400, 401, 403)


def test_a_user_may_do_what_the_policies_say_and_no_more(aws):
    limited = aws.client("iam", aws.user(allow("iam:ListUsers")))

    assert limited.list_users()["Users"]
    with pytest.raises(limited.exceptions.ClientError, match="AccessDenied"):
        limited.list_roles()
