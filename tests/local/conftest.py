"""The project's own stack, deployed as a newcomer deploys it, under house rules and callers of the tests."""

import shutil
import uuid
from pathlib import Path

import pytest

from tests.doubles.ci_server import TOKEN, CiServer
from tests.local.aws.held_answers import unlike_the_model_of_aws
from tests.local.aws.launched import ACCOUNT, REGION, allow, policy
from tests.local.stack import Stack

SETTINGS = Path(__file__).parent / "settings"
"""An operator's folder, with house rules and times of the tests."""
SECRETS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/mrk-00000000000000000000000000000001"
"""The key of the secrets; IAM decides on it, and nobody asks it."""
PARAMETERS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/legacy/*"
OTHER_SECRETS = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:legacy/*"
"""Where secret sync may write."""
TARGETS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000002"
"""The key of secrets that secret sync writes to; IAM decides on it, too."""
SYNC_ROLE = f"arn:aws:iam::{ACCOUNT}:role/secret-sync"
"""A role that alone may write some targets, as one of another account; the local AWS has one account."""
OWNER = f"arn:aws:iam::{ACCOUNT}:root"
"""Whose key the tests deploy and deliver messages with."""
SPEAKER = "              - !GetAtt RepositoryApiRole.Arn\n"
DRIFT_ROLE = "arn:aws:iam::${AWS::AccountId}:role/drift-of-the-tests"
"""A role of the tests that the bus lets speak as steward.policy_drift, without an account that drifts."""


@pytest.fixture(scope="session")
def ci_server():
    """A server on this machine that answers as GitHub and GitLab."""
    server = CiServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory, ci_server):
    """The stack of template.yaml, with the safety net set to create, secrets under a key of the customer's, and a bus
    that hears the tests' own drift.
    """
    stack = Stack(tmp_path_factory.mktemp("stack"))
    settings = tmp_path_factory.mktemp("own") / "settings"
    shutil.copytree(SETTINGS, settings)
    rotation = settings / "rotation.yaml"
    rotation.write_text(rotation.read_text().replace("http://127.0.0.1:1", ci_server.url))
    parameters = (
        '"Platform=local", "PushSafetyNet=create", "OwnSecretAccess=true", '
        f'"SyncParameterArns={PARAMETERS}", "SyncSecretArns={OTHER_SECRETS}", "SyncRoleArns={SYNC_ROLE}", '
        f'"SyncKeyArns={TARGETS_KEY}", '
        f'"SecretsKeyArn={SECRETS_KEY}", "ChannelOperators={OWNER}"'
    )
    stack.edit('"Platform=local"', parameters, file="samconfig.toml")
    stack.edit(SPEAKER, f"{SPEAKER}{SPEAKER.replace('!GetAtt RepositoryApiRole.Arn', '!Sub ' + DRIFT_ROLE)}")
    stack.take_build(settings)
    started = stack.run("start", "--settings", str(settings))
    assert started.returncode == 0, started.stdout + started.stderr
    stack.started = started.stdout  # type: ignore[attr-defined]
    prepare_targets(stack)
    yield stack
    stack.run("clean")
    assert unlike_the_model_of_aws(stack.answers) == {}


def prepare_targets(stack):
    """What targets of secret sync need: the token of the CI systems, and a role to take."""
    stack.aws.client("secretsmanager").create_secret(Name="steward/sync-tokens/ci", SecretString=TOKEN)
    iam = stack.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="secret-sync", AssumeRolePolicyDocument=policy(trust))
    secrets = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:elsewhere/*"
    rights = allow("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", resource=secrets)
    iam.put_role_policy(RoleName="secret-sync", PolicyName="write", PolicyDocument=policy(rights))


@pytest.fixture
def unique():
    """A name component that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture(scope="session")
def team_a(stack):
    """A pipeline's role session: it may push, and may call for names of team-a; it may not create."""
    return stack.pipeline("ci-team-a", "PUT/repositories/team-a/*", "GET/repositories/team-a/*", "GET/whoami")


@pytest.fixture(scope="session")
def probe(stack):
    """A caller who may use every route; the house rules give it probe/**."""
    return stack.pipeline("probe", "*")


@pytest.fixture(scope="session")
def drift(stack):
    """The key of a session that may put events of policy drift on the bus."""
    return stack.aws.session(allow("events:PutEvents"), role_name="drift-of-the-tests")
