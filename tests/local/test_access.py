"""Who may call what, decided by IAM at the gateway and again by the function on the name."""

import time
import urllib.parse

import pytest

from tests.local.aws.launched import Key, allow
from tests.local.stack import eventually


@pytest.fixture
def everywhere(stack):
    """A caller whom IAM lets call everything, and whom no house rule names."""
    return stack.aws.user(allow("execute-api:Invoke"))


def test_a_caller_limited_to_a_path_creates_below_it_and_not_beside_it(stack, team_a, unique):
    assert stack.put(f"team-a/{unique}", team_a).status == 201

    refused = stack.put(f"team-b/{unique}", team_a)

    assert refused.status == 403
    assert refused.document["type"] == "urn:ecr-steward:problem:access-denied"
    assert not stack.exists(f"team-b/{unique}")


def test_the_gateway_refuses_a_caller_without_the_right_to_invoke(stack, unique):
    nobody = stack.aws.user(allow("ecr:*"))

    refused = stack.put(f"team-a/{unique}", nobody)

    assert (refused.status, refused.document["status"]) == (403, 403)


def test_the_function_refuses_a_caller_outside_its_names_and_says_which_are_its_own(stack, probe, everywhere, unique):
    beside = stack.put(f"team-a/{unique}", probe)
    unnamed = stack.put(f"team-a/{unique}", everywhere)

    assert (beside.status, beside.document["allowed"]) == (403, ["probe/**"])
    assert (unnamed.status, unnamed.document["allowed"]) == (403, [])


@pytest.mark.parametrize("path", ["team-a/../team-b/{}", "team-a%2F..%2Fteam-b/{}", "team-a//{}", "team-a/{}/", "/{}"])
def test_a_path_that_slips_through_the_fence_is_no_name(stack, team_a, unique, path):
    refused = stack.call("PUT", "/repositories/" + path.format(unique), team_a)

    assert refused.status in {400, 403, 404, 422}
    assert not stack.exists(f"team-b/{unique}")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("a", 422),
        ("a" * 257, 422),
        ("Team-A/App", 422),
        ("team-a/ä", 422),
        ("team-a/..", 422),
        ("team-a/a__-b", 422),
        ("team-a/x%00y", 422),
    ],
)
def test_a_malformed_name_is_refused_with_what_is_wrong(stack, probe, name, status):
    refused = stack.call("PUT", "/repositories/" + urllib.parse.quote(name, safe="/%"), probe)

    assert refused.status == status
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.document["detail"]


def test_an_unsigned_call_is_refused_as_a_problem(stack, unique):
    refused = stack.aws.http("PUT", stack.variables["STEWARD_API_URL"] + f"/repositories/team-a/{unique}")

    assert refused.status == 403
    assert refused.document["type"] == "urn:ecr-steward:problem:missing-authentication-token"


@pytest.mark.parametrize(("region", "service"), [("eu-west-1", "execute-api"), ("ca-central-1", "ecr")])
def test_a_signature_for_another_region_or_service_is_refused(stack, team_a, unique, region, service):
    refused = stack.call("PUT", f"/repositories/team-a/{unique}", team_a, region=region, service=service)

    assert refused.status == 403
    assert refused.document["status"] == 403


def test_a_wrong_secret_is_refused(stack, team_a, unique):
    forged = Key(team_a.access_key_id, "not-its-secret", team_a.session_token)

    assert stack.put(f"team-a/{unique}", forged).status == 403


def test_a_session_token_that_is_not_valid_is_refused(stack, team_a, unique):
    forged = Key(team_a.access_key_id, team_a.secret_access_key, "no-such-token")

    assert stack.put(f"team-a/{unique}", forged).status == 403


def test_callers_see_themselves_and_what_they_may_create(stack, team_a):
    me = stack.call("GET", "/whoami", team_a)

    assert me.document == {"caller": "123456789012:role/ci-team-a", "allowed": ["team-a/**"]}


def test_the_policy_of_operators_lets_in_to_their_routes_and_to_no_repository(stack):
    operator = stack.aws.user(managed=[stack.physical_id("OperatorPolicy")])

    assert [stack.call("GET", path, operator).status for path in ("/service-users", "/drift/findings")] == [200, 200]
    assert stack.put("service-users", operator).document["type"] == "urn:ecr-steward:problem:access-denied"


def test_an_unknown_route_is_answered_as_a_problem(stack, probe):
    refused = stack.call("GET", "/no/such/route", probe)

    assert refused.status in {403, 404}
    assert refused.document["type"].startswith("urn:ecr-steward:problem:")


def test_a_call_with_an_expired_session_is_refused_as_a_problem(stack, unique):
    """The local STS forgets an expired session as soon as anybody else opens one: then it is tried again."""

    def refusal():
        short = stack.expiring_session("ci-team-a", seconds=1)
        time.sleep(1.5)
        refused = stack.put(f"team-a/{unique}", short)
        assert refused.status == 403
        return refused.document["type"] == "urn:ecr-steward:problem:expired-token"

    assert eventually(refusal)


def test_only_our_functions_publish_as_steward_on_the_bus(stack):
    events = stack.aws.client("events", stack.aws.user(allow("events:PutEvents")))
    entry = {"EventBusName": "steward", "DetailType": "RepositoryCreated", "Detail": "{}"}

    with pytest.raises(events.exceptions.ClientError) as refused:
        events.put_events(Entries=[entry | {"Source": "steward.repository_provisioning"}])

    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert events.put_events(Entries=[entry | {"Source": "somebody.else"}])["FailedEntryCount"] == 0
