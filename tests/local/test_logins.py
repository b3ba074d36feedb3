"""Logins that the command line makes, used by clients that are nobody's doubles: skopeo, podman, buildah."""

import base64
import json
import os
import shutil
import subprocess
import sys

import pytest

from local.oci import image_of
from tests.local.aws.launched import REGION, REPOSITORY, allow
from tests.local.conftest import SECRETS_KEY
from tests.local.role_rights import RoleRights
from tests.local.service_users import ServiceUsers, secret_of
from tests.local.skopeo import layout_of, needs_skopeo
from tests.local.stack import MAY_PUSH

HELPER = "docker-credential-steward"


@pytest.fixture
def host(stack, tmp_path):
    """A host with a home of its own: runs a command there, as the holder of a key."""
    path = ":".join(str(REPOSITORY / part) for part in ("cli", "functions", "layers"))
    for name, module in (("steward", "ecr_steward"), (HELPER, "ecr_steward.credential_helper")):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {sys.executable} -P -m {module} "$@"\n')
        command.chmod(0o755)

    def run(*command, key, text="", **more):
        environment = {
            "HOME": str(tmp_path),
            "PATH": f"{tmp_path}/bin:/usr/local/bin:/usr/bin:/bin",
            "AWS_ENDPOINT_URL": stack.aws.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            **({"AWS_SESSION_TOKEN": key.session_token} if key.session_token else {}),
            "STEWARD_API_URL": stack.variables["STEWARD_API_URL"],
            **more,
        }
        return subprocess.run(
            list(map(str, command)),
            env=environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    return run


def test_clients_find_the_login_that_ensure_made(stack, team_a, host, unique, tmp_path):
    done = host("steward", "ensure", "--login", f"team-a/{unique}", key=team_a)

    assert done.returncode == 0, done.stderr
    (registry,) = json.loads((tmp_path / ".docker" / "config.json").read_text())["auths"]
    assert registry.endswith(".amazonaws.com")
    clients = [client for client in ("skopeo", "podman", "buildah") if shutil.which(client) or os.environ.get("CI")]
    for client in clients:
        asked = host(client, "login", "--get-login", registry, key=team_a)
        assert asked.stdout == "AWS\n", client + asked.stderr
    kept = json.loads((tmp_path / ".config" / "containers" / "auth.json").read_text())["auths"][registry]["auth"]
    password = base64.b64decode(kept).decode().partition(":")[2]
    login = ("skopeo", "login", "--tls-verify=false", "-u", "AWS", "-p", password, f"127.0.0.1:{stack.port}")
    assert host(*login, key=team_a).returncode == 0


@needs_skopeo
def test_skopeo_pushes_with_the_key_of_the_service_user_of_the_registry(stack, host, unique, tmp_path):
    """The caller may read the secret and nothing of ECR; the service user may push."""
    users = ServiceUsers(stack, RoleRights(stack.aws).physical["RotationState"], SECRETS_KEY)
    user, _ = users.with_key("pusher")
    rights = json.dumps({"Version": "2012-10-17", "Statement": [allow(*MAY_PUSH)]})
    stack.aws.client("iam").put_user_policy(UserName=user, PolicyName="push", PolicyDocument=rights)
    reader = stack.aws.session(
        allow("secretsmanager:GetSecretValue", resource=f"*:secret:{secret_of(user)}-*"),
        allow("kms:Decrypt"),
        role_name=f"reader-{unique}",
    )
    stack.aws.client("ecr").create_repository(repositoryName=f"team-a/{unique}")
    registry = f"127.0.0.1:{stack.port}"
    (tmp_path / ".config" / "steward").mkdir(parents=True)
    (tmp_path / ".config" / "steward" / "config.toml").write_text(f'[registries]\n"{registry}" = "{user}"\n')
    auth = tmp_path / "auth.json"
    auth.write_text(json.dumps({"credHelpers": {registry: "steward"}}))
    source = layout_of(image_of("An image that a service user pushes.\n"), tmp_path / "layout")
    copy = ("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", source)

    pushed = host(*copy, f"docker://{registry}/team-a/{unique}:1", key=reader, REGISTRY_AUTH_FILE=str(auth))

    assert pushed.returncode == 0, pushed.stderr
    images = stack.aws.client("ecr").list_images(repositoryName=f"team-a/{unique}")["imageIds"]
    assert [one["imageTag"] for one in images] == ["1"]
    stranger = stack.aws.session(allow("ecr:*"), role_name=f"stranger-{unique}")
    refused = host(*copy, f"docker://{registry}/team-a/{unique}:2", key=stranger, REGISTRY_AUTH_FILE=str(auth))
    assert refused.returncode != 0
    assert f"the secret {secret_of(user)} cannot be read" in refused.stderr
