"""A rotation with four targets of secret sync, each failing at each of its steps: the old key lives until all confirm.

The targets are moto's Systems Manager and Secrets Manager, and a server on this machine that answers as GitHub and
GitLab; the life around them is simulated.
"""

import logging
from dataclasses import dataclass, replace

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from access_key_rotation.adapters.https_json import HttpsJson
from access_key_rotation.adapters.sync_targets import AwsAndCiTargets
from access_key_rotation.domain.events import SecretSyncFailed
from access_key_rotation.domain.sync import GitHub, GitLab, OtherSecret, Parameter, Sync, Target
from tests.doubles.ci_server import TOKEN, CiServer
from tests.unit.access_key_rotation.lives import SETTINGS, Life

TOKENS = {name: f"steward/sync-tokens/{name}" for name in ("github", "gitlab")}
PARAMETER, SECRET = "parameter:/ci/ecr-push", "secret:legacy/ecr-push"
GITHUB, GITLAB = "github:octo/app:AWS_SECRET_ACCESS_KEY", "gitlab:group/app:AWS_SECRET_ACCESS_KEY"
AWS_STEPS = {
    "PutParameter /ci/ecr-push": PARAMETER,
    "GetParameter /ci/ecr-push": PARAMETER,
    "PutSecretValue legacy/ecr-push": SECRET,
    "GetSecretValue legacy/ecr-push": SECRET,
    f"GetSecretValue {TOKENS['github']}": GITHUB,
    f"GetSecretValue {TOKENS['gitlab']}": GITLAB,
}
"""Calls of AWS -> the target that makes them."""
HTTP_STEPS = {
    "GET /repos/octo/app/actions/secrets/public-key": GITHUB,
    "PUT /repos/octo/app/actions/secrets/AWS_SECRET_ACCESS_KEY": GITHUB,
    "PUT /repos/octo/app/actions/secrets/AWS_ACCESS_KEY_ID": GITHUB,
    "PUT /projects/group%2Fapp/variables/AWS_SECRET_ACCESS_KEY": GITLAB,
    "PUT /projects/group%2Fapp/variables/AWS_ACCESS_KEY_ID": GITLAB,
}
NONSENSE = "nonsense"
AWS_FAILURES = ("AccessDeniedException", "ThrottlingException", "InternalServiceError", "no connection", NONSENSE)
HTTP_FAILURES = ((401, {}), (403, {}), (422, {}), (429, {}), (500, {}), (507, {}), (200, b"<html>portal</html>"))
BY_STEP = [(*step, AWS_FAILURES) for step in AWS_STEPS.items()] + [
    (*step, HTTP_FAILURES) for step in HTTP_STEPS.items()
]
CASES = [
    pytest.param(step, target, failure, marks=() if at == turn % len(failures) else pytest.mark.slow, id=f"{step}-{at}")
    for turn, (step, target, failures) in enumerate(BY_STEP)
    for at, failure in enumerate(failures)
]
"""One failure of each step; the others are slow tests."""


@dataclass
class Broken:
    """The step that fails, and how; none at first."""

    step: str = ""
    failure: object = None


class Server(CiServer):
    """Answers as GitHub and GitLab, but at the broken step."""

    def __init__(self, broken):
        self._broken = broken
        super().__init__()

    def answer(self, method, path, headers, body):
        if f"{method} {path.partition('?')[0]}" == self._broken.step:
            return self._broken.failure
        return super().answer(method, path, headers, body)


class Targets:
    """Real targets, and what each confirmed; the material of every key that was written."""

    def __init__(self, targets):
        self._targets = targets
        self.names, self.held, self.material = [], {}, set()

    def write(self, target, credential):
        self.material.add(credential.secret_access_key)
        self._targets.write(target, credential)
        self.held[target.name] = credential.access_key_id


@pytest.fixture
def broken():
    return Broken()


@pytest.fixture
def server(broken):
    server = Server(broken)
    yield server
    server.close()


@pytest.fixture
def wire(broken, monkeypatch):
    """AWS on this machine, but for the broken step."""
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client, operation, parameters):
        step = f"{operation} {parameters.get('Name') or parameters.get('SecretId')}"
        if step != broken.step:
            return reached(client, operation, parameters)
        if broken.failure == NONSENSE:
            return {"Parameter": {}}
        if broken.failure == "no connection":
            raise EndpointConnectionError(endpoint_url="https://ssm.invalid")
        raise ClientError({"Error": {"Code": broken.failure, "Message": str(parameters)}}, operation)

    with mock_aws():
        client = client_in("secretsmanager", "", "")
        for name in TOKENS.values():
            client.create_secret(Name=name, SecretString=TOKEN)
        client.create_secret(Name="legacy/ecr-push", SecretString="{}")
        monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
        yield


def client_in(service, region, _role):
    return boto3.client(
        service,
        region_name=region or "ca-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def life(wire, server):
    """A user whose first key is in four targets."""
    four = (
        Target(parameter=Parameter(name="/ci/{user}")),
        Target(secret=OtherSecret(secret="legacy/{user}")),
        Target(github=GitHub(repository="octo/app", token_secret=TOKENS["github"], api=server.url)),
        Target(gitlab=GitLab(project="group/app", token_secret=TOKENS["gitlab"], api=server.url)),
    )
    life = Life(settings=replace(SETTINGS, sync=(Sync(match="ecr-push", targets=four),)))
    life.account.add_user(life.name)
    quick = lambda url, headers: HttpsJson(url, headers, seconds=5)  # noqa: E731 - a constructor
    real = AwsAndCiTargets(client_in, client_in("secretsmanager", "", ""), quick)
    life.targets = Targets(real)  # type: ignore[assignment]
    life.targets.names = [target.of(life.name).name for target in four]
    life.invariants.watch_targets(life.targets, life.targets.names)
    life.days(5)
    assert sorted(life.targets.held) == sorted([PARAMETER, SECRET, GITHUB, GITLAB])
    return life


@pytest.mark.parametrize(("step", "target", "failure"), CASES)
def test_the_old_key_lives_until_the_target_that_failed_at_a_step_has_the_new_one(
    life, broken, caplog, step, target, failure
):
    caplog.set_level(logging.DEBUG, logger="access_key_rotation")
    old = life.account.current_key(life.name)
    broken.step, broken.failure = step, failure

    life.days(6)
    new, confirmed = life.account.current_key(life.name), life.sync_records.find(life.name).targets
    is_alive = life.account.users[life.name].keys[old].active
    broken.step = ""
    life.days(2)

    assert new != old
    assert is_alive
    assert {name for name, one in confirmed.items() if one.key_id == new} == {*life.targets.names} - {target}
    assert {event.target for event in life.publisher.of(SecretSyncFailed)} == {target}
    assert life.targets.held == dict.fromkeys(life.targets.names, life.account.current_key(life.name))
    assert not life.account.users[life.name].keys[old].active
    shown = caplog.text + str(life.publisher.published) + str(life.sync_records.records) + str(life.errors)
    for value in (*life.targets.material, TOKEN):
        assert value not in shown
