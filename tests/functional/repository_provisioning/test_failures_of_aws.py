"""AWS fails, or what the operator wrote cannot be used: 503 with a time to wait, and the next call finishes it."""

import json

import pytest
from botocore.exceptions import ConnectTimeoutError

PLAIN = """
callers: [{principals: ["self:*"], repositories: ["**"], may_override: [lifecycle, pull]}]
repositories: [{match: "**", lifecycle: {untagged_after_days: 14}}]
"""


@pytest.mark.parametrize("operation", ["DescribeRepositories", "CreateRepository", "PutLifecyclePolicy", "PutItem"])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", "throttled"),
        ("ServerException", "upstream"),
        ("AccessDeniedException", "service-permission-missing"),
    ],
)
def test_a_failure_of_aws_is_503_and_the_next_call_finishes(
    api, fails, house_rules, heard, ecr, settled, operation, code, kind
):
    house_rules(PLAIN)
    fails(operation, code)

    status, headers, body = api.put("team-a/web")
    settled()
    again, _, _ = api.put("team-a/web")

    assert (status, body["type"], body["code"]) == (503, f"urn:ecr-steward:problem:{kind}", code)
    assert int(headers["Retry-After"]) > 0
    assert again in {200, 201}
    assert "untagged" in ecr.get_lifecycle_policy(repositoryName="team-a/web")["lifecyclePolicyText"]
    assert {event["detail-type"] for event in heard()} == {"RepositoryCreated"}


@pytest.mark.parametrize("operation", ["BatchGetItem", "PutEvents"])
def test_a_failure_to_read_or_to_publish_is_503(api, fails, settled, operation):
    fails(operation, "InternalServerError")

    assert api.put("team-a/web")[0] == 503
    settled()
    assert api.put("team-a/web")[0] in {200, 201}


def test_an_aws_that_cannot_be_reached_is_503(api, fails):
    fails.with_error("DescribeRepositories", ConnectTimeoutError(endpoint_url="ecr"))

    status, _, body = api.put("team-a/web")

    assert (status, body["code"]) == (503, "ConnectTimeoutError")


def test_a_full_registry_is_409_with_the_code_of_aws(api, fails):
    fails("CreateRepository", "LimitExceededException")

    status, _, body = api.put("team-a/web")

    assert (status, body["code"]) == (409, "LimitExceededException")


@pytest.mark.parametrize("code", ["TagPolicyException", "KmsException", "InvalidParameterException"])
def test_what_ecr_refuses_is_422_with_the_code_of_aws(api, fails, code):
    fails("CreateRepository", code)

    status, _, body = api.put("team-a/web")

    assert (status, body["code"]) == (422, code)
    assert f"{code} of CreateRepository" in body["detail"]


def test_a_lifecycle_policy_that_ecr_refuses_all_the_same_is_422_and_the_next_call_finishes(
    api, ecr, settled, house_rules, fails
):
    house_rules(PLAIN)
    fails("PutLifecyclePolicy", "InvalidParameterException")

    refused, _, body = api.put("team-a/web", {"lifecycle": {"keep_last": 3}})
    settled()
    mended, _, _ = api.put("team-a/web")

    assert (refused, mended) == (422, 200)
    assert "ECR rejects it" in body["detail"]
    assert "untagged" in ecr.get_lifecycle_policy(repositoryName="team-a/web")["lifecyclePolicyText"]


def test_a_failing_item_leaves_the_rest_of_the_batch_alone(api, fails):
    fails("CreateRepository", "ThrottlingException")

    status, _, body = api.post("team-a/one", "team-a/two", "team-a/three")

    assert status == 207
    assert sorted(item["status"] for item in body["repositories"]) == [201, 201, 503]


def test_what_does_not_fit_in_the_time_is_503_per_item(api, monkeypatch):
    monkeypatch.setattr("tests.functional.gateway.LambdaContext.get_remaining_time_in_millis", lambda _: 1)

    status, _, body = api.post("team-a/one", "team-a/two")

    assert status == 207
    assert [item["problem"]["type"] for item in body["repositories"]] == ["urn:ecr-steward:problem:time-used-up"] * 2


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (None, "house_rules.yaml: cannot be read"),
        ("", "house_rules.yaml:1: is empty"),
        ("callers: [", "house_rules.yaml:2: is not YAML"),
        (PLAIN + "\ncolour: blue\n", "house_rules.yaml:5: colour: unknown key"),
        (PLAIN.replace("self:*", "*:*"), "house_rules.yaml:2: callers[0].principals[0]: '*:*' is not a principal"),
    ],
)
def test_house_rules_that_cannot_be_used_are_503_and_counted_for_the_alarm(api, house_rules, capsys, rules, says):
    house_rules(rules)

    status, headers, body = api.put("team-a/web")

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (status, body["type"]) == (503, "urn:ecr-steward:problem:settings-unusable")
    assert says in body["detail"]
    assert int(headers["Retry-After"]) > 0
    assert metrics[-1]["SettingsUnusable"] == [1.0]
    assert metrics[-1]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "EcrSteward"


def test_house_rules_that_cannot_be_used_are_503_on_every_route_that_needs_them(api, house_rules):
    house_rules("")

    statuses = [
        api.put("team-a/web")[0],
        api.get("team-a/web")[0],
        api.post("team-a/web")[0],
        api.call("GET", "/whoami")[0],
    ]

    assert statuses == [503, 503, 503, 503]


def test_an_error_of_ours_is_a_problem_with_an_id_and_without_its_text(api, fails, capsys):
    fails.with_error("DescribeRepositories", RuntimeError("with something secret in it"))

    status, headers, body = api.put("team-a/web")

    assert (status, headers["Content-Type"]) == (500, "application/problem+json")
    assert body["type"] == "urn:ecr-steward:problem:internal-error"
    assert "secret" not in json.dumps(body)
    assert '"UnexpectedErrors":[1.0]' in capsys.readouterr().out
