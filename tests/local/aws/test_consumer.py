"""The consumers' helper in a profile: clients follow a rotation by themselves, and reading stays with the readers."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import botocore.exceptions
import pytest

from tests.consumer.aws_cli import REAL, install
from tests.local.aws.launched import ACCOUNT, REGION, allow, policy

PROJECT = Path(__file__).parents[3]
HELPER = PROJECT / "consumer" / "ecr_steward_credentials.py"
PAGE = PROJECT / "docs" / "consumers.md"


class ServiceUser:
    """A user at the path of service users, whose secret holds the current key."""

    def __init__(self, aws, name):
        self.name, self.secret = name, f"steward/service-users/{name}"
        self._iam, self._secrets = aws.client("iam"), aws.client("secretsmanager")
        self._iam.create_user(UserName=name, Path="/service/")
        arn = self._secrets.create_secret(Name=self.secret, SecretString=json.dumps(self._new_key()))["ARN"]
        rights = policy(allow("ecr:GetAuthorizationToken"), allow("secretsmanager:GetSecretValue", resource=arn))
        self._iam.put_user_policy(UserName=name, PolicyName="service", PolicyDocument=rights)

    def rotate(self):
        """Put a new key into the secret; the old one stays active."""
        self._secrets.put_secret_value(SecretId=self.secret, SecretString=json.dumps(self._new_key()))
        return self.current

    @property
    def current(self):
        return json.loads(self._secrets.get_secret_value(SecretId=self.secret)["SecretString"])

    def deactivate(self, key):
        self._iam.update_access_key(UserName=self.name, AccessKeyId=key["AccessKeyId"], Status="Inactive")

    def _new_key(self):
        key = self._iam.create_access_key(UserName=self.name)["AccessKey"]
        return {"Version": 1, **{part: key[part] for part in ("UserName", "AccessKeyId", "SecretAccessKey")}}


@pytest.fixture
def user(aws, name):
    return ServiceUser(aws, name.rpartition("/")[2])


@pytest.fixture
def host(aws, tmp_path, monkeypatch):
    """A machine with the AWS CLI's stand-in, on which ``profiles`` writes the configuration of AWS clients."""
    install(tmp_path / "bin", REAL)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def profiles(**profiles):
        lines = [f"[profile {name}]\nregion = {REGION}\n{line}\n" for name, line in profiles.items()]
        (tmp_path / "config").write_text("\n".join(lines))

    return profiles


def process(user, *options):
    return f"credential_process = {sys.executable} {HELPER} {user.name} {' '.join(options)}"


def reader(aws, user):
    """A profile of somebody else who may read the secret."""
    right = allow(
        "secretsmanager:GetSecretValue", resource=f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{user.secret}-*"
    )
    key = aws.user(right)
    return f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}"


def seed(user):
    subprocess.run([sys.executable, HELPER, user.name, "--seed"], input=json.dumps(user.current), text=True, check=True)


def who(profile):
    return boto3.Session(profile_name=profile).client("sts").get_caller_identity()["Arn"]


def test_a_profile_needs_no_helper(aws, user, host):
    """What the documentation shows first."""
    (recipe,) = re.findall(r"^credential_process = (aws secretsmanager .*)$", PAGE.read_text(), re.MULTILINE)
    command = recipe.replace("ecr-push", user.name).replace("eu-central-1", REGION)
    host(**{"secret-reader": reader(aws, user), "pusher": f"credential_process = {command}"})

    before = who("pusher")
    old, new = user.current, user.rotate()
    user.deactivate(old)

    assert before == f"arn:aws:iam::{ACCOUNT}:user/service/{user.name}"
    assert boto3.Session(profile_name="pusher").get_credentials().access_key == new["AccessKeyId"]
    assert who("pusher") == before


def test_a_profile_acts_as_the_service_user(aws, user, host):
    host(reader=reader(aws, user), pusher=process(user, "--profile reader"))

    assert who("pusher") == f"arn:aws:iam::{ACCOUNT}:user/service/{user.name}"


def test_a_new_session_takes_the_new_key_and_the_old_can_go(aws, user, host):
    host(reader=reader(aws, user), pusher=process(user, "--profile reader"))
    old = user.current
    before = boto3.Session(profile_name="pusher").get_credentials().access_key

    new = user.rotate()
    user.deactivate(old)

    assert before == old["AccessKeyId"]
    assert boto3.Session(profile_name="pusher").get_credentials().access_key == new["AccessKeyId"]
    assert who("pusher").endswith(user.name)


def test_a_long_running_client_asks_again_when_the_key_expires_and_not_before(aws, user, host, monkeypatch):
    host(reader=reader(aws, user), pusher=process(user, "--profile reader"))
    session = boto3.Session(profile_name="pusher")
    credentials, old = session.get_credentials(), user.current
    calls = [credentials.get_frozen_credentials().access_key for _ in range(3)]

    new = user.rotate()
    unexpired = credentials.get_frozen_credentials().access_key
    monkeypatch.setattr(credentials, "_advisory_refresh_timeout", 30 * 60)  # as if 15 minutes had passed
    refreshed = credentials.get_frozen_credentials().access_key

    assert calls == [old["AccessKeyId"]] * 3
    assert unexpired == old["AccessKeyId"]
    assert refreshed == new["AccessKeyId"]


def test_the_users_own_key_leads_from_one_rotation_to_the_next(user, host):
    host(pusher=process(user, f"--own-key --region {REGION}"))
    seed(user)

    first, second = user.current, user.rotate()
    taken = boto3.Session(profile_name="pusher").get_credentials().access_key
    user.deactivate(first)

    assert taken == second["AccessKeyId"]
    assert who("pusher").endswith(user.name)


def test_a_host_that_may_not_read_the_secret_prints_so(aws, user, host):
    stranger = aws.user(allow("ecr:*"))
    host(
        stranger=f"aws_access_key_id = {stranger.access_key_id}\naws_secret_access_key = {stranger.secret_access_key}",
        pusher=process(user, "--profile stranger"),
    )

    with pytest.raises(botocore.exceptions.CredentialRetrievalError, match="AccessDenied"):
        who("pusher")


def test_an_outage_is_bridged(aws, user, host, monkeypatch):
    host(reader=reader(aws, user), pusher=process(user, "--profile reader"))
    key = boto3.Session(profile_name="pusher").get_credentials().access_key

    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")

    assert boto3.Session(profile_name="pusher").get_credentials().access_key == key
    assert who("pusher").endswith(user.name)


def test_a_profile_that_reads_through_itself_ends_with_a_reason(user, host):
    host(pusher=process(user, "--profile pusher"))

    with pytest.raises(botocore.exceptions.CredentialRetrievalError, match="Name another"):
        who("pusher")
