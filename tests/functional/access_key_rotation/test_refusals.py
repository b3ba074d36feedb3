"""What the operators' API refuses, and what it answers when AWS fails: always a problem, and nothing half-done."""

import json

import pytest

from tests.functional.access_key_rotation.conftest import PUSH
from tests.functional.gateway import sample

PROBLEM = "urn:ecr-steward:problem:"
REASON = {"reason": "a consumer broke"}


def kind_of(answer):
    status, headers, body = answer
    assert headers["Content-Type"] == "application/problem+json"
    return status, body["type"].removeprefix(PROBLEM)


@pytest.mark.parametrize("name", ["a user", "a" * 65, "ecr%2Dpush", "é"])
def test_a_name_that_iam_would_refuse_is_422(api, name):
    assert kind_of(api.show(name)) == (422, "rule-violation")
    assert kind_of(api.rotate(name=name)) == (422, "rule-violation")
    assert kind_of(api.reactivate(REASON, name=name)) == (422, "rule-violation")


def test_a_user_that_was_never_seen_is_404(api):
    assert kind_of(api.show()) == (404, "not-found")
    assert kind_of(api.rotate()) == (404, "not-found")
    assert kind_of(api.reactivate(REASON)) == (404, "not-found")


def test_a_route_that_does_not_exist_is_404(api):
    event = sample("access_key_rotation", "list_service_users") | {"httpMethod": "DELETE"}

    assert kind_of(api.send(event)) == (404, "no-such-route")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"reason": "because"}, "routine or compromised, not 'because'"),
        ({"reason": None}, "routine or compromised, not None"),
        ({"reason": ["routine"]}, "routine or compromised"),
        ({"key_id": 7}, "such as AKIA"),
        ({"key_id": ""}, "leave it out"),
        ({"key": "AKIA"}, "no field 'key'; send reason and key_id"),
    ],
    ids=str,
)
def test_a_rotation_that_cannot_be_understood_is_422_and_says_what_is_right(api, remembered, heard, body, says):
    answer = api.rotate(body)

    assert kind_of(answer) == (422, "rule-violation")
    assert says in answer[2]["detail"]
    assert heard() == []


@pytest.mark.parametrize(
    "body",
    [{}, {"reason": ""}, {"reason": "  "}, {"reason": 7}, {"reason": "x" * 501}, REASON | {"key_id": "A"}],
    ids=str,
)
def test_bringing_a_key_back_takes_a_reason(api, remembered, body):
    remembered.deactivated()

    assert kind_of(api.reactivate(body)) == (422, "rule-violation")
    assert remembered.status(remembered.old) == "Inactive"


@pytest.mark.parametrize("route", ["rotate", "reactivate"])
@pytest.mark.parametrize(
    ("raw", "headers", "kind"),
    [
        ("{", {}, (400, "malformed-request")),
        ("[]", {}, (400, "malformed-request")),
        ("{}", {"Content-Type": "text/plain"}, (415, "unsupported-media-type")),
        (json.dumps({"reason": "x" * 300_000}), {}, (413, "too-large")),
    ],
    ids=["no JSON", "no object", "no JSON type", "too large"],
)
def test_a_body_that_cannot_be_read_is_refused(api, remembered, route, raw, headers, kind):
    headers = {"content-type": headers.get("Content-Type", "application/json")}

    assert kind_of(getattr(api, route)(raw=raw, headers=headers)) == kind


def test_a_dry_run_is_true_or_false(api, remembered, heard):
    assert kind_of(api.rotate(query={"dry_run": "perhaps"})) == (400, "malformed-request")
    assert heard() == []


def test_a_key_that_the_user_does_not_have_is_404(api, remembered, heard):
    assert kind_of(api.rotate({"key_id": "AKIASOMEBODYELSE0000"})) == (404, "not-found")
    assert heard() == []


def test_a_user_that_is_gone_is_404(api, remembered, fails):
    fails("GetUser", "NoSuchEntity")

    assert kind_of(api.rotate()) == (404, "not-found")


def test_a_routine_rotation_of_a_superseded_key_is_409_and_says_which_is_current(api, remembered, heard):
    answer = api.rotate({"key_id": remembered.old})

    assert kind_of(answer) == (409, "conflict")
    assert remembered.current in answer[2]["detail"]
    assert heard() == []


def test_without_a_deactivated_key_there_is_none_to_bring_back(api, remembered):
    assert kind_of(api.reactivate(REASON)) == (409, "conflict")
    assert remembered.record.frozen == ""


def test_another_user_of_the_same_name_gets_no_key_back(api, remembered):
    remembered.deactivated()
    remembered.remember(user_id="AIDAANOTHER")

    assert kind_of(api.reactivate(REASON)) == (409, "conflict")


def test_a_key_that_leaked_is_never_brought_back(api, remembered):
    remembered.deactivated(compromised=True)

    assert kind_of(api.reactivate(REASON)) == (403, "not-allowed")
    assert remembered.status(remembered.old) == "Inactive"


def test_a_user_that_a_run_works_on_is_503_with_a_time_to_wait(api, remembered):
    remembered.deactivated()
    remembered.remember(frozen="a consumer broke", keys=remembered.record.keys)
    remembered.busy()

    status, headers, _ = api.reactivate(REASON)

    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert kind_of(api.rotate()) == (503, "upstream")


def test_an_unknown_caller_is_403(api, remembered):
    event = sample("access_key_rotation", "list_service_users")
    event["requestContext"]["identity"]["userArn"] = None
    event |= {"httpMethod": "POST", "path": f"/service-users/{PUSH}/rotation", "pathParameters": {"name": PUSH}}
    event["resource"] = "/service-users/{name}/rotation"

    assert kind_of(api.send(event)) == (403, "not-allowed")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", "throttled"),
        ("InternalServerError", "upstream"),
        ("AccessDeniedException", "service-permission-missing"),
    ],
)
@pytest.mark.parametrize(
    ("operation", "ask"),
    [
        ("Scan", lambda api: api.list()),
        ("GetItem", lambda api: api.show()),
        ("LookupEvents", lambda api: api.show()),
        ("GetUser", lambda api: api.rotate()),
        ("ListAccessKeys", lambda api: api.reactivate(REASON)),
        ("PutEvents", lambda api: api.rotate()),
        ("UpdateItem", lambda api: api.reactivate(REASON)),
        ("UpdateAccessKey", lambda api: api.reactivate(REASON)),
    ],
    ids=["Scan", "GetItem", "LookupEvents", "GetUser", "ListAccessKeys", "PutEvents", "UpdateItem", "UpdateAccessKey"],
)
def test_a_failure_of_aws_is_503_and_the_next_call_succeeds(api, remembered, fails, operation, ask, code, kind):
    remembered.deactivated()
    fails(operation, code)

    status, headers, body = ask(api)
    again, _, _ = ask(api)

    assert (status, body["type"], body["code"]) == (503, PROBLEM + kind, code)
    assert int(headers["Retry-After"]) > 0
    assert again in {200, 202}


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity", "Throttling"])
def test_a_reactivation_that_iam_refuses_leaves_the_user_as_it_was(api, remembered, fails, code):
    remembered.deactivated()
    before = remembered.record
    fails("UpdateAccessKey", code)

    api.reactivate(REASON)

    assert remembered.status(remembered.old) == "Inactive"
    assert remembered.record == before


def test_a_reactivation_that_iam_may_have_done_keeps_the_user_frozen_and_the_same_call_again_finishes_it(
    api, remembered, fails
):
    remembered.deactivated()
    fails("UpdateAccessKey", "ServiceFailure")

    lost = api.reactivate(REASON)
    frozen = remembered.record
    again = api.reactivate(REASON)

    assert (lost[0], again[0]) == (503, 200)
    assert (frozen.frozen, frozen.history(remembered.old).deactivated_at) != ("", None)
    assert remembered.status(remembered.old) == "Active"
    assert remembered.record.history(remembered.old).deactivated_at is None


def test_an_unexpected_error_is_500_without_details(api, remembered, fails):
    fails.with_error("Scan", RuntimeError("a detail of ours"))

    answer = api.list()

    assert kind_of(answer) == (500, "internal-error")
    assert "a detail of ours" not in answer[2]["detail"]
