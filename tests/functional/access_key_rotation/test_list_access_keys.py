"""The inventory of access keys over the API, and its numbers on the bus."""

import csv
import io
from datetime import UTC, datetime

import msgspec
import pytest
from botocore.client import BaseClient

from policy_drift.adapters.lambda_key_inventory import REQUEST
from policy_drift.domain.access_keys import AccessKeys
from tests.functional.access_key_rotation.conftest import CONTRACT, PUSH
from tests.functional.gateway import Gateway, LambdaContext, client_of, sample


class Api(Gateway):
    """Calls of the inventory."""

    handler = "list_access_keys_handler"

    def list(self, **query):
        event = sample("access_key_rotation", "list_service_users")
        event |= {"httpMethod": "GET", "path": "/access-keys", "resource": "/access-keys"}
        return self.request(event, query=query or None)


@pytest.fixture
def api(aws, cold_start):
    return Api(CONTRACT, cold_start)


@pytest.fixture
def calls(monkeypatch):
    """The operations that are called of AWS."""
    reached, operations = BaseClient._make_api_call, []  # type: ignore[attr-defined]

    def call(client, operation, parameters):
        operations.append(operation)
        return reached(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
    return operations


def add_user(name, keys=1):
    client_of("iam").create_user(UserName=name, Tags=[{"Key": "owner", "Value": "team-a"}])
    return [client_of("iam").create_access_key(UserName=name)["AccessKey"] for _ in range(keys)]


def test_every_key_of_the_account_is_listed_as_of_a_moment(api, remembered):
    (foreign,) = add_user("build-server")

    status, _, body = api.list()

    of = {(key["user"], key["status"]): key for key in body["keys"]}
    assert status == 200
    assert len(body["keys"]) == body["summary"]["keys"] == 3
    assert datetime.fromisoformat(body["as_of"]) < datetime.fromisoformat(body["read_at"]) <= datetime.now(UTC)
    own = of["build-server", "Active"]
    assert (own["owner"], own["path"], own["rotated_by"], own["way_out"]) == ("team-a", "/", "nobody", "rotation")
    assert of[PUSH, "Active"]["rotated_by"] == "steward"
    assert foreign["SecretAccessKey"] not in str(body)


def test_only_keys_of_an_age_are_listed_and_the_answer_says_which(api):
    add_user("build-server")

    assert len(api.list(older_than="0d")[2]["keys"]) == 1
    _, _, body = api.list(older_than="90d")

    assert (body["keys"], body["older_than_days"], body["summary"]["keys"]) == ([], 90, 0)


def test_auditors_get_a_file_with_the_same_and_its_moment(api):
    add_user("build-server")

    status, headers, text = api.list(format="csv")

    (line,) = csv.DictReader(io.StringIO(text))
    assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert (line["user"], line["owner"], line["way_out"]) == ("build-server", "team-a", "rotation")
    assert datetime.fromisoformat(line["as_of"])
    assert "Last-Modified" in headers


@pytest.mark.parametrize(
    "query", [{"older_than": "90"}, {"older_than": "99999d"}, {"older_than": ""}, {"format": "xml"}]
)
def test_a_question_that_makes_no_sense_is_refused_with_what_would(api, query):
    status, _, problem = api.list(**query)

    assert status == 400
    assert "90d" in problem["detail"] or "json or csv" in problem["detail"]


def test_an_account_that_cannot_be_read_is_no_empty_account(api, fails):
    fails("GetCredentialReport", "AccessDenied")

    status, _, problem = api.list()

    assert (status, problem["type"].rpartition(":")[2]) == (503, "service-permission-missing")


def test_the_number_of_calls_does_not_grow_with_the_keys(api, calls):
    api.list()  # the first one makes the report
    few = _calls_of(api, calls)
    for number in range(20):
        add_user(f"user-{number}", keys=1 + number % 2)

    assert _calls_of(api, calls) == few
    assert few == ["GenerateCredentialReport", "GetAccountAuthorizationDetails", "GetCredentialReport", "Scan"]


def _calls_of(api, calls):
    calls.clear()
    assert api.list()[0] == 200
    return sorted(calls)


def test_the_schedule_publishes_the_numbers(aws, heard, cold_start):
    add_user("build-server")
    handler = cold_start("access_key_rotation.list_access_keys_handler")

    answer = handler.lambda_handler({"detail-type": "Scheduled Event", "id": "1"}, LambdaContext())

    (event,) = heard()
    assert answer["keys"] == 1
    assert (event["detail-type"], event["detail"]["data"]["active"]) == ("AccessKeysCounted", 1)


def test_the_drift_report_gets_the_keys_that_are_old_unused_or_without_rotation(aws, cold_start, remembered):
    add_user("build-server")

    document = cold_start("access_key_rotation.list_access_keys_handler").lambda_handler(REQUEST, LambdaContext())

    keys = msgspec.convert(document, AccessKeys)
    assert [(key.user, key.rotated_by, key.way_out) for key in keys.keys] == [("build-server", "nobody", "rotation")]
    assert (keys.summary.active, keys.summary.not_rotated) == (3, 1)
