"""Secret material is only ever in memory and in Secrets Manager, whatever is logged, at whatever level."""

import io
import json
import logging
import socket
import traceback
from contextlib import suppress
from datetime import UTC, datetime

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.parsers import ResponseParserError

from access_key_rotation.adapters.aws_authenticator import AwsAuthenticator
from access_key_rotation.adapters.cloudtrail_history import CloudTrailHistory
from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.adapters.dynamodb_sync import DynamoDbSyncRecords
from access_key_rotation.adapters.iam_privileges import IamPrivileges
from access_key_rotation.adapters.iam_users import IamUsers
from access_key_rotation.adapters.secrets_manager_vault import SecretsManagerVault
from access_key_rotation.application.ports import OutcomeUnknownError
from access_key_rotation.bootstrap import rotate_user
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Demand, Enrolment, Reason
from steward.aws.clients import client, client_with_key
from steward.aws.wire_logs import redact_wire_logs
from steward.errors import StewardError, UpstreamError
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.recording_publisher import RecordingPublisher
from tests.doubles.rotation_settings import rotation_settings
from tests.dynamodb_tables import create_table
from tests.mocked_aws import mocked_aws

USER = UserName("ecr-push")
REGION = "ca-central-1"


class Listener(logging.Handler):
    """Keeps every line that anybody logs, with its stack, if it has one."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@pytest.fixture
def listener(monkeypatch):
    """Everything is logged at DEBUG, the AWS SDK's own lines too."""
    listener, root, factory = Listener(), logging.getLogger(), logging.getLogRecordFactory()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    for name in ("boto3", "botocore", "urllib3"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    yield listener
    root.removeHandler(listener)
    root.setLevel(level)
    logging.setLogRecordFactory(factory)


@pytest.fixture
def aws(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mocked_aws():
        boto3.client("iam").create_user(
            UserName=USER, Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}]
        )
        create_table(boto3.client("dynamodb"), "rotation")
        yield


class TraceDaemon:
    """Where Lambda's tracing sends segments to, and whoever else takes the daemon's address from the environment."""

    def __init__(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self.address = "{}:{}".format(*self._socket.getsockname())

    def heard(self):
        """Every segment that was sent so far."""
        segments = []
        with suppress(BlockingIOError):
            while True:
                segments.append(self._socket.recv(65_536).decode())
        return segments

    def close(self):
        self._socket.close()


@pytest.fixture
def traced(monkeypatch):
    """The environment of a function with active tracing, whose invocation is sampled."""
    daemon = TraceDaemon()
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", daemon.address)
    monkeypatch.setenv("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    monkeypatch.setenv("LAMBDA_TASK_ROOT", "/var/task")
    yield daemon
    daemon.close()


class Life:
    """The steward on its real adapters, with a clock that can be moved."""

    def __init__(self):
        self.clock = FrozenClock(datetime.now(UTC))  # the doubles of AWS date what they make by the machine's clock
        self.publisher = RecordingPublisher()
        self.tokens = iter(f"{number:032d}" for number in range(100))
        self.vault = SecretsManagerVault(client("secretsmanager"), stack="ecr-steward")
        self.authenticator = AwsAuthenticator(
            lambda s, r, key: client_with_key(s, r, key.access_key_id, key.secret_access_key)
        )
        self.records = DynamoDbRotationRecords(client("dynamodb"), "rotation", self.clock)
        self.rotator = rotate_user(
            users=IamUsers(client("iam"), client("iam", once=True), IamPrivileges(client("iam"), self.clock)),
            vault=self.vault,
            records=self.records,
            trail=CloudTrailHistory(client("cloudtrail", region="us-east-1"), []),
            sync=DynamoDbSyncRecords(client("dynamodb"), "sync", self.clock),
            authenticator=self.authenticator,
            publisher=self.publisher,
            clock=self.clock,
            settings=rotation_settings(),
            enrolment=Enrolment("/service/", "ecr-steward"),
            home_region=REGION,
            new_token=lambda: next(self.tokens),
        )

    def advance(self, demand=None):
        return self.rotator.advance(USER, "test", demand)

    def requested(self):
        """A routine rotation as its message says it, stored as the API stores it."""
        demand = Demand(self.current(), Reason.ROUTINE)
        self.records.request(USER, demand)
        return demand

    def whole(self):
        """First key, second key, a leak, the deletion of what leaked, a third key; every material that there was."""
        self.advance()
        materials = [self.material()]
        self.advance(self.requested())
        materials.append(self.material())
        self.records.report_leak(USER, self.current())
        self.advance(Demand(self.current(), Reason.COMPROMISED))
        materials.append(self.material())
        self.clock.advance(days=15)
        self.advance()
        self.advance(self.requested())
        materials.append(self.material())
        return set(materials)

    def value(self):
        got = boto3.client("secretsmanager").get_secret_value(SecretId=USER.secret_name, VersionStage="AWSCURRENT")
        return json.loads(got["SecretString"])

    def current(self):
        return self.value()["AccessKeyId"]

    def material(self):
        return self.value()["SecretAccessKey"]


def test_the_whole_life_of_a_key_shows_its_material_nowhere(aws, listener, traced):
    redact_wire_logs()
    life = Life()

    materials = life.whole()

    items = boto3.client("dynamodb").scan(TableName="rotation")["Items"]
    told = json.dumps([*map(repr, life.publisher.published), *map(repr, items), *listener.lines, *traced.heard()])
    assert len(materials) == 3
    assert len(listener.lines) > 100
    assert [material for material in materials if material in told] == []


def test_tracing_is_lambdas_own_and_carries_nothing_of_ours(aws, traced):
    """No SDK of X-Ray takes part, so that no call, and no parameter of one, becomes a segment."""
    Life().whole()

    assert traced.heard() == []


def test_without_the_guard_the_sdk_would_log_it(aws, listener):
    materials = Life().whole()

    assert any(material in line for material in materials for line in listener.lines)


def test_an_error_shows_it_nowhere_either(aws):
    life = Life()
    life.advance()
    material = life.material()
    boto3.client("secretsmanager").delete_secret(SecretId=USER.secret_name, ForceDeleteWithoutRecovery=True)

    with pytest.raises(StewardError) as raised:
        life.vault.stage("x" * 32, Credential(USER, "AKIA1", material, life.clock.now()))

    assert material not in "".join(traceback.format_exception(raised.value))


MATERIAL = "SECRET+MATERIAL"
CUT_OFF = f"<CreateAccessKeyResponse><AccessKey><SecretAccessKey>{MATERIAL}</SecretAcc"
INCOMPLETE = (
    f"<R><CreateAccessKeyResult><AccessKey><SecretAccessKey>{MATERIAL}</SecretAccessKey></AccessKey>"
    "</CreateAccessKeyResult></R>"
)


class Body(io.BytesIO):
    """An answer's body, as urllib3 hands it on."""

    def stream(self):
        yield self.read()


def shown(error):
    """Whatever a log or a report of an error may quote."""
    return "".join(traceback.format_exception(error))


@pytest.mark.parametrize("answer", [CUT_OFF, INCOMPLETE], ids=["cut off", "incomplete"])
def test_an_answer_with_a_key_that_cannot_be_read_is_an_unknown_outcome_and_is_not_quoted(aws, answer):
    """botocore's own error quotes the whole answer."""
    once = client("iam", once=True)
    response = AWSResponse("https://iam.amazonaws.com", 200, {}, Body(answer.encode()))
    once.meta.events.register("before-send.iam.CreateAccessKey", lambda **_: response)

    with pytest.raises(OutcomeUnknownError) as raised:
        IamUsers(client("iam"), once).create_key(USER)

    assert MATERIAL not in shown(raised.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda life, _: life.vault.read(USER, "v" * 32),
        lambda life, key: life.vault.stage("v" * 32, key),
        lambda life, key: life.authenticator.identify(key, REGION),
        lambda life, key: life.authenticator.log_in_to_ecr(key, REGION),
    ],
    ids=["read", "stage", "identify", "log_in_to_ecr"],
)
def test_no_answer_that_cannot_be_read_is_quoted(aws, monkeypatch, call):
    life = Life()
    life.advance()

    def broken(*_):
        raise ResponseParserError(f"cannot parse {MATERIAL}")

    monkeypatch.setattr(BaseClient, "_make_api_call", broken)  # the wire, not our own code

    with pytest.raises(UpstreamError) as raised:
        call(life, Credential(USER, "AKIA1", MATERIAL, life.clock.now()))

    assert MATERIAL not in shown(raised.value)
