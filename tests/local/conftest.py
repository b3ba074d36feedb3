"""The project's own stack, deployed as a newcomer deploys it, under house rules and callers of the tests."""

import uuid
from pathlib import Path

import pytest

from tests.local.aws.launched import ACCOUNT, REGION, allow
from tests.local.stack import Stack

SETTINGS = Path(__file__).parent / "settings"
"""An operator's folder, with house rules and times of the tests."""
SECRETS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/mrk-00000000000000000000000000000001"
"""The key of the secrets; IAM decides on it, and nobody asks it."""
OWNER = f"arn:aws:iam::{ACCOUNT}:root"
"""Whose key the tests deploy and deliver messages with."""
SPEAKER = "              - !GetAtt RepositoryApiRole.Arn\n"
DRIFT_ROLE = "arn:aws:iam::${AWS::AccountId}:role/drift-of-the-tests"
"""A role of the tests that the bus lets speak as steward.policy_drift, without an account that drifts."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """The stack of template.yaml, with the safety net set to create, secrets under a key of the customer's, and a bus
    that hears the tests' own drift.
    """
    stack = Stack(tmp_path_factory.mktemp("stack"))
    parameters = (
        '"Platform=local", "PushSafetyNet=create", "OwnSecretAccess=true", '
        f'"SecretsKeyArn={SECRETS_KEY}", "ChannelOperators={OWNER}"'
    )
    stack.edit('"Platform=local"', parameters, file="samconfig.toml")
    stack.edit(SPEAKER, f"{SPEAKER}{SPEAKER.replace('!GetAtt RepositoryApiRole.Arn', '!Sub ' + DRIFT_ROLE)}")
    started = stack.run("start", "--settings", str(SETTINGS))
    assert started.returncode == 0, started.stdout + started.stderr
    stack.started = started.stdout  # type: ignore[attr-defined]
    yield stack
    stack.run("clean")


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
