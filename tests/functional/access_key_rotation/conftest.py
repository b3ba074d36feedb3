"""The operators' API, over a service user whose keys moto's IAM has and whose record the table has."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import settings
from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import KeyHistory, Record
from steward.clock import SystemClock
from tests.functional.contract import Contract
from tests.functional.gateway import Gateway, client_of, sample

CONTRACT = Contract("access_key_rotation")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PUSH = UserName("ecr-push")


class Api(Gateway):
    """Calls of the operators' routes."""

    handler = "operate_service_users_handler"

    def call(self, method, path, body=None, **request):
        event = sample("access_key_rotation", "list_service_users") | {"httpMethod": method, "path": path}
        prefix, _, rest = path.removeprefix("/").partition("/")
        if prefix != "service-users" or not rest:
            return self.request(event | {"resource": path}, body, **request)
        name, *rest = rest.split("/")
        resource = "/".join(["/service-users/{name}", *rest])
        return self.request(event | {"resource": resource, "pathParameters": {"name": name}}, body, **request)

    def list(self):
        return self.call("GET", "/service-users")

    def show(self, name=PUSH):
        return self.call("GET", f"/service-users/{name}")

    def rotate(self, body=None, name=PUSH, **request):
        return self.call("POST", f"/service-users/{name}/rotation", body, **request)

    def withdraw(self, name=PUSH, **request):
        return self.call("DELETE", f"/service-users/{name}/rotation", **request)

    def check(self, name=PUSH, **request):
        return self.call("POST", f"/service-users/{name}/check", **request)

    def reactivate(self, body=None, name=PUSH, **request):
        return self.call("POST", f"/service-users/{name}/reactivation", body, **request)


class Remembered:
    """One service user: ``old`` is superseded, ``current`` is what consumers read."""

    def __init__(self, records):
        self._records = records
        self._iam = client_of("iam")
        tags = [{"Key": "steward:rotate", "Value": "true"}]
        self.user = self._iam.create_user(UserName=PUSH, Path="/service/", Tags=tags)["User"]
        self.old, self.current = (
            self._iam.create_access_key(UserName=PUSH)["AccessKey"]["AccessKeyId"] for _ in range(2)
        )
        self.remember()

    def remember(self, *, old=None, current=None, **fields):
        """The record as a run left it."""
        histories = {
            self.old: KeyHistory(promoted_at=NOON - timedelta(days=60), superseded_at=NOON, **(old or {})),
            self.current: KeyHistory(made_by_us=True, promoted_at=NOON, **(current or {})),
        }
        known = {"user_id": self.user["UserId"], "arn": self.user["Arn"], "keys": histories, "state": "DRAINING"}
        record = Record(**(known | {"next_at": NOON + timedelta(days=8)} | fields))
        self._records.release(self._records.claim(PUSH, "test", timedelta(minutes=1)), record)

    def deactivated(self, **history):
        """The superseded key is inactive, as the steward left it."""
        self._iam.update_access_key(UserName=PUSH, AccessKeyId=self.old, Status="Inactive")
        self.remember(old={"deactivated_at": NOON, **history}, state="QUARANTINED")

    def busy(self):
        """A run works on the user."""
        self._records.claim(PUSH, "a run", timedelta(minutes=6))

    @property
    def record(self):
        return self._records.find(PUSH)

    def status(self, key_id):
        listed = self._iam.list_access_keys(UserName=PUSH)["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in listed}[key_id]


@pytest.fixture
def remembered(aws):
    return Remembered(DynamoDbRotationRecords(client_of("dynamodb"), "state", SystemClock()))


@pytest.fixture
def trail(history):
    """CloudTrail's answer to LookupEvents, by access key id."""
    return history


@pytest.fixture
def api(aws, trail, cold_start):
    return Api(CONTRACT, cold_start)


@pytest.fixture
def hasty(deploy_settings):
    """The settings as shipped, but that a new key is verified in no time."""
    shipped = Path(settings.__file__).with_name("rotation.yaml").read_text(encoding="utf-8")
    hastily = shipped.replace("over_seconds: 10", "over_seconds: 0.02").replace("seconds: 60", "seconds: 5")
    deploy_settings("rotation.yaml", hastily)
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)  # the handler guards the logs for good
