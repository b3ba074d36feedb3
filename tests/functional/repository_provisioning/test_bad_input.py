"""What bad input gets: a clear problem, never a 500, and nothing half-created."""

import pytest

from tests.functional.repository_provisioning.conftest import sample

PROBLEM = "urn:ecr-steward:problem:"
EXPIRED_BY_PULL = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 30},
    "action": {"type": "expire"},
}


@pytest.fixture(autouse=True)
def _nothing_is_created(api, ecr):
    yield
    assert ecr.describe_repositories()["repositories"] == []


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a" * 257,
        "Team-A/web",
        "team-a/..",
        "../web",
        "team-a/../team-b",
        "a..b",
        "-a",
        "a-",
        "café/web",
        "тест/веб",
        "team-a/\x00",
        "\x00\x00",
        "team a/web",
        "team-a/web:latest",
        "team-a/web@sha256",
        "team-a/web\u202e",
        "team-a/😀",
    ],
)
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_name_that_ecr_would_refuse_is_422_and_says_what_is_right(api, method, name):
    status, headers, body = api.call(method, f"/repositories/{name}")

    assert (status, headers["Content-Type"]) == (422, "application/problem+json")
    assert body["type"] == PROBLEM + "rule-violation"
    assert "ECR accepts" in body["detail"]
    assert body["instance"] == f"/repositories/{name}"
    assert body["request_id"] == "5d3c9f0e-2f4b-4a53-9d0b-0a4f0f6f7c11"


HOST = "123456789012.dkr.ecr.ca-central-1.amazonaws.com"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (f"{HOST}/team-a/web", f"leave out the registry {HOST}, and write team-a/web"),
        (f"{HOST}/team-a/web:latest", f"leave out the registry {HOST} and the tag :latest, and write team-a/web"),
        (HOST, f"leave out the registry {HOST}"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b", "leave out the registry 123456789012.dkr.ecr.cn"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws/a/b", "leave out the registry 123456789012.dkr-ecr.eu-west-1.on.aws"),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/a/b", "leave out the registry 123456789012.dkr.ecr-fips"),
        ("public.ecr.aws/nginx/nginx", "leave out the registry public.ecr.aws, and write nginx/nginx"),
        ("docker.io/library/nginx", "leave out the registry docker.io, and write library/nginx"),
        ("ghcr.io/org/app:1.2", "leave out the registry ghcr.io and the tag :1.2, and write org/app"),
        ("mine.azurecr.io/team-a/web", "leave out the registry mine.azurecr.io, and write team-a/web"),
        ("localhost:5000/team-a/web", "leave out the registry localhost:5000, and write team-a/web"),
        ("team-a/web:latest", "leave out the tag :latest, and write team-a/web"),
        (f"team-a/web@sha256:{'0' * 64}", f"leave out the digest @sha256:{'0' * 64}, and write team-a/web"),
        (
            f"ghcr.io/a/b:1@sha256:{'0' * 64}",
            f"leave out the registry ghcr.io and the tag :1 and the digest @sha256:{'0' * 64}, and write a/b",
        ),
        ("team-a/Web:latest", "leave out the tag :latest, and write team-a/web"),
        ("Team-A/Web", "; write team-a/web"),
        ("team-a/web/", "; write team-a/web"),
        (" team-a/web", "; write team-a/web"),
        ("dkr.ecr.eu-central-1.amazonaws.com/team-a/web", "leave out the registry dkr.ecr.eu-central-1.amazonaws.com"),
        ("1234.dkr.ecr.eu-central-1.amazonaws.com/team-a/web", "and write team-a/web"),
        (
            "arn:aws:ecr:eu-central-1:123456789012:repository/team-a/web",
            "leave out arn:aws:ecr:eu-central-1:123456789012:repository/, and write team-a/web",
        ),
    ],
)
def test_an_image_is_not_a_name_and_what_to_leave_out_is_said(api, name, says):
    status, _, body = api.put(name)
    _, _, batch = api.post(name)

    assert (status, body["type"]) == (422, PROBLEM + "rule-violation")
    assert says in body["detail"]
    assert says in batch["repositories"][0]["problem"]["detail"]


@pytest.mark.parametrize("name", ["https://{HOST}/team-a/web", "docker://ghcr.io/org/app"])
def test_an_address_is_not_a_name(api, name):
    _, _, batch = api.post(name.replace("{HOST}", HOST))

    assert "leave out" in batch["repositories"][0]["problem"]["detail"]


@pytest.mark.parametrize("name", ["team-a%2Fweb", "%2e%2e/web", "team-a/web%00", "100%"])
def test_a_percent_encoded_name_is_400_and_says_how_to_write_it(api, name):
    status, _, body = api.put(name)

    assert (status, body["type"]) == (400, PROBLEM + "malformed-request")
    assert "no percent-encoding" in body["detail"]


@pytest.mark.parametrize("sent", ["team-a%2Fweb", "team-a//web", "/team-a/web", "team-a/web/"])
def test_a_path_of_which_the_gateway_made_another_name_is_400(api, sent):
    event = api_event(sent, name="team-a/web")

    status, _, body = api.send(event)

    assert status == 400
    assert "with single slashes and no percent-encoding" in body["detail"]


@pytest.mark.parametrize("name", ["team-a//web", "/team-a/web", "team-a/web/"])
def test_a_name_with_a_slash_too_many_is_422(api, name):
    status, _, body = api.put(name)

    assert status == 422
    assert "separated by single '/'" in body["detail"]


def test_an_empty_name_is_not_a_route(api):
    status, _, body = api.send(sample("whoami_by_user") | {"httpMethod": "PUT", "path": "/repositories/"})

    assert (status, body["type"]) == (404, PROBLEM + "no-such-route")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("{", "is not JSON"),
        ("not json", "is not JSON"),
        ('{"a": NaN}', "is not JSON"),
        ('{"a": "\\ud800"}', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is a JSON array; send an object"),
        ('"team-a/web"', "is a JSON string; send an object"),
        ("5", "is a JSON number; send an object"),
        ("true", "is a JSON boolean; send an object"),
        ("null", "is a JSON null; send an object"),
        ('{"a": ' * 40 + "1" + "}" * 40, "nests deeper than"),
        ('{"repositories": ' + "[" * 200 + "]" * 200 + "}", "nests deeper than"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("PUT", "/repositories/team-a/web"), ("POST", "/repositories")])
def test_a_body_that_is_not_a_json_object_is_400(api, method, path, raw, says):
    status, _, body = api.call(method, path, raw=raw)

    assert (status, body["type"]) == (400, PROBLEM + "malformed-request")
    assert says in body["detail"]


def test_a_body_that_claims_to_be_base64_and_is_not_is_400(api):
    event = api_event("team-a/web", name="team-a/web") | {"body": "\x01\x02", "isBase64Encoded": True}
    event["headers"]["Content-Type"] = "application/json"

    assert api.send(event)[0] == 400


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_media_type_is_415(api, media_type):
    status, _, body = api.call("PUT", "/repositories/team-a/web", raw="{}", headers={"Content-Type": media_type})

    assert (status, body["type"]) == (415, PROBLEM + "unsupported-media-type")
    assert "send the body as application/json" in body["detail"]


@pytest.mark.parametrize("filling", ["x" * (256 * 1024), "é" * (128 * 1024), "x" * (11 * 1024 * 1024)])
def test_a_body_that_is_too_large_is_413(api, filling):
    status, _, body = api.call("POST", "/repositories", raw=f'{{"repositories": ["{filling}"]}}')

    assert (status, body["type"]) == (413, PROBLEM + "too-large")
    assert "accepts at most 262144" in body["detail"]


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"colour": "blue"}, "colour: unknown key; known keys are encryption, immutable_tags, lifecycle"),
        ({"name": "other"}, "name: unknown key"),
        ({"lifecycle": {"keep": 3}}, "lifecycle"),
        ({"lifecycle": {"keep_last": 3, "colour": 1}}, "lifecycle.colour: unknown key"),
        ({"lifecycle": {"keep_last": 0}}, "must be at least 1"),
        ({"lifecycle": {"keep_last": "3"}}, "lifecycle.keep_last"),
        ({"lifecycle": {}}, "write one or more of untagged_after_days"),
        ({"lifecycle": {"rules": []}}, "lifecycle.rules: write a list of at least one rule"),
        ({"lifecycle": {"rules": [{}]}}, "lifecycle.rules[0]: rulePriority, selection, action is missing"),
        (
            {"lifecycle": {"rules": [EXPIRED_BY_PULL]}},
            "lifecycle.rules[0].action.type: sinceImagePulled goes with transition only",
        ),
        ({"lifecycle": {"rules": [EXPIRED_BY_PULL], "keep_last": 1}}, "or the rules of a lifecycle policy document"),
        (
            {"lifecycle": {"delete_archived_after_days": 30}},
            "delete_archived_after_days: must be at least 90",
        ),
        ({"tag_mutability": "SOMETIMES"}, "MUTABLE, IMMUTABLE"),
        ({"encryption": "ROT13"}, "AES256"),
        ({"encryption": {"kms_key": "alias/mine"}}, "is not the ARN of a KMS key"),
        ({"mutable_tags": ["a b"]}, "is not a tag filter"),
        ({"mutable_tags": ["a"] * 6}, "at most 5"),
        ({"pull": {"accounts": ["12345"]}}, "write its 12 digits"),
        ({"pull": {"accounts": ["*"]}}, "is not an account id"),
        ({"pull": {"organizations": ["acme"]}}, "is not an organization id"),
        ({"tags": {"steward:stack": "mine"}}, "cannot be set"),
        ({"tags": {"STEWARD:stack": "mine"}}, "cannot be set"),
        ({"tags": {"aws:x": "y"}}, "reserved"),
        ({"tags": {"a": "x" * 257}}, "too long"),
        ({"tags": {"": "x"}}, "too long"),
        ({"tags": {"a": "<b>"}}, "has a character other than"),
        ({"tags": ["a"]}, "tags"),
        (
            {"tag_mutability": "MUTABLE"},
            "may not override tag_mutability of team-a/web; it may override nothing",
        ),
    ],
)
def test_overrides_that_break_a_rule_are_422_and_say_where(api, overrides, says):
    status, _, body = api.put("team-a/web", overrides)

    assert (status, body["type"]) == (422, PROBLEM + "rule-violation")
    assert says in body["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"repositories": []},
        {"repositories": "team-a/web"},
        {"repos": ["team-a/web"]},
        {"repositories": {}},
        {"repositories": ["team-a/web"], "dry_run": True},
    ],
)
def test_a_batch_of_another_shape_is_422_and_shows_the_right_one(api, body):
    status, _, problem = api.call("POST", "/repositories", body)

    assert status == 422
    assert 'send {"repositories": […]}' in problem["detail"]


@pytest.mark.parametrize("items", [["team-a/web"] * 201, ["NOT A NAME"] + ["team-a/web"] * 200, [1] * 201])
def test_a_batch_of_more_than_two_hundred_is_413(api, items):
    status, _, body = api.post(*items)

    assert (status, body["type"]) == (413, PROBLEM + "too-large")
    assert "at most 200 repositories; this one has 201" in body["detail"]


@pytest.mark.parametrize("item", [1, None, True, [], {}, {"lifecycle": {"keep_last": 1}}, {"name": 5}, {"name": None}])
def test_an_item_that_names_nothing_fails_by_itself_without_a_name(api, item):
    status, _, body = api.post(item)

    (result,) = body["repositories"]
    assert (status, result["status"]) == (207, 422)
    assert "an item is a name, or an object with a name and overrides" in result["problem"]["detail"]
    assert "name" not in result


@pytest.mark.parametrize("item", ["", "a", "A/B", "a//b", "a/../b", "\0", {"name": "team-a/web", "colour": "blue"}])
def test_an_item_that_breaks_a_rule_fails_by_itself(api, item):
    status, _, body = api.post(item)

    (result,) = body["repositories"]
    assert (status, result["status"], result["problem"]["type"]) == (207, 422, PROBLEM + "rule-violation")


@pytest.mark.parametrize("value", ["", "yes", "1", "truefalse"])
def test_a_dry_run_that_is_neither_true_nor_false_is_400(api, value):
    status, _, body = api.put("team-a/web", query={"dry_run": value})

    assert status == 400
    assert "dry_run must be true or false" in body["detail"]


@pytest.mark.parametrize("value", ['"abc"', "", "W/*"])
def test_a_condition_other_than_a_star_is_400(api, value):
    status, _, body = api.put("team-a/web", headers={"If-None-Match": value})

    assert status == 400
    assert "must be *" in body["detail"]


def api_event(sent, *, name):
    """A PUT whose path and name the gateway gives differently."""
    return sample("put_by_user") | {"path": f"/repositories/{sent}", "pathParameters": {"name": name}}
