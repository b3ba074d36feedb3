"""What a authenticator finds out about a credential, be it the double or the adapter on STS and ECR."""

from datetime import timedelta

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectTimeoutError

from access_key_rotation.adapters.aws_authenticator import REFUSED, AwsAuthenticator
from access_key_rotation.application.ports import NotAuthenticatedError
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from steward.aws.clients import client_with_key
from steward.errors import ThrottledError, UpstreamError
from tests.doubles.clients_of_service_account import SignedClient, no_weather
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_service_account import InMemoryAuthenticator, InMemoryServiceAccount, InMemoryUsers

PUSH, HERE = UserName("ecr-push"), "ca-central-1"


@pytest.fixture
def wire(monkeypatch):
    """What moto lacks: AWS's answer to a key that is Inactive. Makes the calls of a key fail with an error."""
    reached, failing = BaseClient._make_api_call, {}  # type: ignore[attr-defined]

    def call(client, operation, parameters):
        key = client._request_signer._credentials.access_key
        if key in failing:
            raise failing[key](operation)
        return reached(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
    return failing


@pytest.fixture(params=["in memory", "on clients in memory", "on STS and ECR"])
def known(request):
    """A authenticator, a credential that works, one that does not, and the user's id and ARN."""
    if request.param != "on STS and ECR":
        clock = FrozenClock()
        account = InMemoryServiceAccount(clock, propagation=timedelta())
        account.add_user(PUSH)
        users = InMemoryUsers(account)
        works, dead = users.create_key(PUSH), users.create_key(PUSH)
        users.deactivate_key(PUSH, dead.access_key_id)
        user = account.users[PUSH].user
        known = works, dead, (user.user_id, user.arn)
        if request.param == "in memory":
            return InMemoryAuthenticator(account), *known
        return AwsAuthenticator(lambda _, region, key: SignedClient(account, no_weather, region, key)), *known
    request.getfixturevalue("moto")
    wire = request.getfixturevalue("wire")
    iam = boto3.client("iam")
    user = iam.create_user(UserName=PUSH, Path="/service/")["User"]  # type: ignore[assignment]
    works, dead = (_credential(iam.create_access_key(UserName=PUSH)["AccessKey"]) for _ in range(2))
    wire[dead.access_key_id] = _error("InvalidClientTokenId")
    return authenticator(), works, dead, (user["UserId"], user["Arn"])


def authenticator():
    return AwsAuthenticator(lambda s, r, key: client_with_key(s, r, key.access_key_id, key.secret_access_key))


def _credential(key):
    return Credential(PUSH, key["AccessKeyId"], key["SecretAccessKey"], key["CreateDate"])


def _error(code):
    return lambda operation: ClientError({"Error": {"Code": code}, "ResponseMetadata": {}}, operation)


def test_a_key_that_works_is_its_users(known):
    probe, works, _, (user_id, arn) = known

    identity = probe.identify(works, HERE)

    assert (identity.user_id, identity.arn) == (user_id, arn)


def test_a_key_that_works_logs_in_to_the_registry(known):
    probe, works, _, _ = known

    assert probe.log_in_to_ecr(works, HERE) is None


def test_a_dead_key_is_refused_everywhere_and_the_error_shows_no_material(known):
    probe, _, dead, _ = known

    for ask in (probe.identify, probe.log_in_to_ecr):
        with pytest.raises(NotAuthenticatedError, match=dead.access_key_id) as refused:
            ask(dead, HERE)
        assert dead.secret_access_key not in str(refused.value)
        assert refused.value.code == "InvalidClientTokenId"


@pytest.mark.parametrize("code", sorted(REFUSED | {"AccessDenied"}))
def test_every_error_code_for_a_refusal_is_one(moto, wire, code):
    wire["AKIA1"] = _error(code)

    with pytest.raises(NotAuthenticatedError):
        authenticator().identify(Credential(PUSH, "AKIA1", "material", FrozenClock().now()), HERE)


def test_a_user_without_the_permission_to_log_in_is_named_and_its_key_is_not_blamed(moto, wire):
    wire["AKIA1"] = _error("AccessDeniedException")
    credential = Credential(PUSH, "AKIA1", "material", FrozenClock().now())

    with pytest.raises(NotAuthenticatedError, match="the user ecr-push may not call ecr:GetAuthorizationToken"):
        authenticator().log_in_to_ecr(credential, HERE)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (_error("Throttling"), ThrottledError),
        (_error("InternalFailure"), UpstreamError),
        (lambda _: ConnectTimeoutError(endpoint_url="https://sts"), UpstreamError),
    ],
)
def test_no_answer_is_no_refusal(moto, wire, failure, kind):
    wire["AKIA1"] = failure

    with pytest.raises(kind):
        authenticator().identify(Credential(PUSH, "AKIA1", "material", FrozenClock().now()), HERE)
