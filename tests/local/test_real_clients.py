"""Clients that people have, unmodified: AWS's own host names behind TLS, and a rotation in between."""

import json
import os
import shutil
import sys

import pytest

from local.oci import image_of
from tests.local.aws.launched import ACCOUNT, REGION, allow
from tests.local.conftest import SECRETS_KEY
from tests.local.role_rights import RoleRights
from tests.local.service_users import ServiceUsers, secret_of
from tests.local.skopeo import layout_of, needs_skopeo
from tests.local.stack import MAY_PUSH, eventually
from tests.local.unmodified_hosts import UnmodifiedHosts, can_enter

pytestmark = [
    needs_skopeo,
    pytest.mark.skipif(not can_enter(), reason="this machine lets a test have no namespaces of its own"),
]

REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
HOSTS = [REGISTRY, *(f"{service}.{REGION}.amazonaws.com" for service in ("api.ecr", "secretsmanager", "sts"))]
CREDENTIALS = """import boto3
client = boto3.client("secretsmanager")
print(client.get_secret_value(SecretId={secret!r})["SecretString"])
"""
LOGIN = """import base64, boto3
data = boto3.client("ecr").get_authorization_token()["authorizationData"][0]
print(base64.b64decode(data["authorizationToken"]).decode().partition(":")[2])
"""


class Host:
    """A host with a home of its own, which reads the service user's key through ``credential_process``."""

    def __init__(self, folder, inside, reader, secret):
        self._inside = inside
        (folder / ".aws").mkdir()
        script, reads = folder / "credentials.py", folder / "credentials"
        script.write_text(CREDENTIALS.format(secret=secret))
        keys = f"AWS_ACCESS_KEY_ID={reader.access_key_id} AWS_SECRET_ACCESS_KEY={reader.secret_access_key}"
        reads.write_text(
            f"#!/bin/sh\nexec env -u AWS_PROFILE {keys} AWS_SESSION_TOKEN={reader.session_token} "
            f"{sys.executable} {script}\n"
        )
        reads.chmod(0o700)
        (folder / ".aws" / "config").write_text(f"[profile pusher]\nregion = {REGION}\ncredential_process = {reads}\n")
        self.environment = {
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
            "AWS_PROFILE": "pusher",
            "AWS_SDK_LOAD_CONFIG": "1",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "XDG_RUNTIME_DIR": str(folder),
        }

    def run(self, *command, text="", **more):
        done = self._inside.run(*command, environment=self.environment | more, text=text)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


def with_boto3(host):
    return host.run(sys.executable, "-c", LOGIN).strip()


def with_aws_cli(host):
    return host.run("aws", "ecr", "get-login-password").strip()


def with_ecr_login(host):
    return json.loads(host.run("docker-credential-ecr-login", "get", text=REGISTRY))["Secret"]


LOGINS = {"boto3": with_boto3, "aws": with_aws_cli, "docker-credential-ecr-login": with_ecr_login}
"""What gets a password -> how."""


def log_in(host, client, password):
    """Log in, which asks the registry whether the password is right."""
    auth = f"{host.environment['HOME']}/{client}.json"
    host.run(client, "login", "--authfile", auth, "--username", "AWS", "--password-stdin", REGISTRY, text=password)


@pytest.fixture
def pusher(stack):
    users = ServiceUsers(stack, RoleRights(stack.aws).physical["RotationState"], SECRETS_KEY)
    name, _ = users.with_key("pusher")
    rights = json.dumps({"Version": "2012-10-17", "Statement": [allow(*MAY_PUSH)]})
    stack.aws.client("iam").put_user_policy(UserName=name, PolicyName="push", PolicyDocument=rights)
    return name


@pytest.fixture
def host(stack, pusher, unique, tmp_path):
    reader = stack.aws.session(
        allow("secretsmanager:GetSecretValue", resource=f"*:secret:{secret_of(pusher)}-*"),
        allow("kms:Decrypt"),
        role_name=f"reader-{unique}",
    )
    inside = UnmodifiedHosts(tmp_path, stack.port, HOSTS)
    yield Host(tmp_path, inside, reader, secret_of(pusher))
    inside.close()


def key_in_secret(stack, user):
    value = stack.aws.client("secretsmanager").get_secret_value(SecretId=secret_of(user))
    return json.loads(value["SecretString"])["AccessKeyId"]


def test_real_clients_log_in_and_push_before_and_after_a_rotation(stack, pusher, host, unique, tmp_path):
    """Every client by its own way to a password; the rotation between the two rounds replaces the key."""
    repository = f"team-a/{unique}"
    stack.aws.client("ecr").create_repository(repositoryName=repository)
    found = [name for name in LOGINS if name == "boto3" or shutil.which(name)]
    clients = [name for name in ("skopeo", "podman", "buildah") if shutil.which(name)]
    first = key_in_secret(stack, pusher)

    for when in ("before", "after"):
        for name in found:
            password = LOGINS[name](host)
            for client in clients:
                log_in(host, client, password)
            source = layout_of(image_of(f"Pushed {when} the rotation, with {name}.\n"), tmp_path / f"{when}-{name}")
            target = f"docker://{REGISTRY}/{repository}:{when}-{name}"
            creds = f"--dest-creds=AWS:{password}"
            host.run("skopeo", "--insecure-policy", "copy", creds, source, target)
        if when == "before":
            stack.call("POST", f"/service-users/{pusher}/rotation", stack.key(), b'{"reason": "routine"}')
            assert eventually(lambda: key_in_secret(stack, pusher) != first, seconds=60)

    tags = {one["imageTag"] for one in stack.aws.client("ecr").list_images(repositoryName=repository)["imageIds"]}
    assert tags == {f"{when}-{name}" for when in ("before", "after") for name in found}
