"""The REST API: an event in; the answer, the registry and the bus as they are afterwards."""

import json

import pytest

from tests.functional.repository_provisioning.conftest import CONTRACT, sample

LIMITED = """
callers:
  - {principals: ["self:role/ci-team-a"], repositories: ["team-a/**"], may_override: [lifecycle], daily_limit: 2}
repositories:
  - {match: "team-a/with-cache", companions: ["{name}/cache"]}
  - {match: "**", name: default, lifecycle: {untagged_after_days: 14}}
"""
KEY = "arn:aws:kms:ca-central-1:123456789012:key/k1"


LENIENT = """
    callers: [{principals: ["self:*"], repositories: ["**"], may_override: [lifecycle, tags]}]
    repositories: [{match: "**", mutable_tags: [latest], tags: {namespace: "{namespace}"}}]
"""


def test_a_missing_repository_is_created_and_located(api, ecr, heard):
    status, headers, body = api.send(sample("put_by_user"))

    (there,) = ecr.describe_repositories(repositoryNames=["team-a/web"])["repositories"]
    assert (status, headers["Location"]) == (201, "/v1/repositories/team-a/web")
    assert body["uri"] == there["repositoryUri"]
    assert body["arn"] == there["repositoryArn"]
    assert (body["created"], body["registry_id"], body["region"]) == (True, "123456789012", "ca-central-1")
    assert [event["detail-type"] for event in heard()] == ["RepositoryCreated"]


def test_an_existing_repository_is_answered_with_200_and_nothing_is_published(api, heard):
    api.send(sample("put_by_user"))
    heard()

    status, headers, body = api.send(sample("put_by_user"))

    assert (status, body["created"]) == (200, False)
    assert "Location" not in headers
    assert heard() == []


def test_the_body_of_a_put_overrides_what_the_rule_permits(api, ecr, house_rules):
    house_rules(LENIENT)
    status, _, _ = api.send(sample("put_by_role"))

    policy = json.loads(ecr.get_lifecycle_policy(repositoryName="team-a/web")["lifecyclePolicyText"])
    assert status == 201
    assert policy["rules"][0]["selection"]["countNumber"] == 7


def test_a_repository_says_who_asked_for_it(api, ecr):
    _, _, body = api.put("team-a/web")

    tags = {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=body["arn"])["tags"]}
    assert tags["steward:requested-by"] == "123456789012:role/ci-team-a"
    assert tags["steward:stack"] == "steward"
    assert tags["namespace"] == "team-a"


def test_what_is_there_is_shown_with_all_its_differences(api, ecr):
    api.put("team-a/web")
    ecr.delete_lifecycle_policy(repositoryName="team-a/web")

    status, _, body = api.send(sample("get_by_role"))

    assert status == 200
    assert [difference["setting"] for difference in body["differences"]] == ["lifecycle"]


def test_what_is_not_there_is_404(api):
    status, _, body = api.send(sample("get_by_user"))

    assert status == 404
    assert "PUT it to create it" in body["detail"]


def test_a_dry_run_shows_what_would_be(api, ecr):
    status, _, body = api.put("team-a/web", query={"dry_run": "true"})

    assert (status, body["would_create"], body["dry_run"]) == (200, True, True)
    assert body["configuration"]["tag_mutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert "uri" not in body
    assert ecr.describe_repositories()["repositories"] == []


def test_a_dry_run_of_what_exists_shows_how_it_differs(api, ecr, settled):
    ecr.create_repository(repositoryName="team-a/web")
    settled()

    status, _, body = api.put("team-a/web", query={"dry_run": "true"})

    assert (status, body["would_create"]) == (200, False)
    assert [difference["setting"] for difference in body["differences"]] == ["tag_mutability", "mutable_tags"]


def test_create_only_is_201_once_and_412_then(api):
    first, _, _ = api.put("team-a/web", headers={"If-None-Match": "*"})
    second, _, body = api.put("team-a/web", headers={"if-none-match": "*"})

    assert (first, second) == (201, 412)
    assert body["title"] == "Precondition Failed"


def test_a_caller_can_read_who_it_is_and_what_it_may(api, house_rules):
    house_rules(LIMITED)

    assert api.send(sample("whoami_by_role"))[2] == {"caller": "123456789012:role/ci-team-a", "allowed": ["team-a/**"]}
    assert api.send(sample("whoami_by_user"))[2] == {"caller": "123456789012:user/alex", "allowed": []}


def test_a_name_that_is_not_the_caller_s_is_403_with_what_is(api, house_rules, heard, ecr):
    house_rules(LIMITED)

    status, _, body = api.put("team-b/web")

    assert (status, body["allowed"]) == (403, ["team-a/**"])
    (denied,) = heard()
    assert denied["detail-type"] == "RepositoryRequestDenied"
    assert denied["detail"]["metadata"]["correlation_id"] == body["request_id"]
    assert ecr.describe_repositories()["repositories"] == []


def test_a_caller_that_the_gateway_does_not_name_is_403(api):
    event = sample("put_by_user")
    event["requestContext"]["identity"]["userArn"] = None

    status, _, body = api.send(event)

    assert (status, body["allowed"]) == (403, [])


def test_the_day_s_limit_is_429_with_the_time_until_midnight(api, house_rules):
    house_rules(LIMITED)
    api.put("team-a/one")
    api.put("team-a/two")

    status, headers, body = api.put("team-a/three")

    assert status == 429
    assert 0 < int(headers["Retry-After"]) <= 24 * 60 * 60 + 1
    assert "has created 2 repositories today" in body["detail"]


def test_companions_come_with_the_repository(api, house_rules, ecr):
    house_rules(LIMITED)

    _, _, body = api.put("team-a/with-cache")

    assert body["companions"] == ["team-a/with-cache/cache"]
    names = {repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]}
    assert names == {"team-a/with-cache", "team-a/with-cache/cache"}


def test_another_encryption_of_a_repository_of_ours_is_409(api, ecr, settled):
    ecr.create_repository(
        repositoryName="team-a/web",
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": KEY},
        tags=[{"Key": "steward:stack", "Value": "steward"}],
    )
    settled()

    status, _, body = api.put("team-a/web")

    assert status == 409
    assert "ECR cannot change it" in body["detail"]


def test_another_encryption_of_a_foreign_repository_is_a_difference(api, ecr, settled):
    ecr.create_repository(
        repositoryName="team-a/web",
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": KEY},
    )
    settled()

    status, _, body = api.put("team-a/web")

    assert status == 200
    (difference,) = [one for one in body["differences"] if one["setting"] == "encryption"]
    assert (difference["expected"], difference["actual"]) == ("AES256", KEY)


def test_a_foreign_repository_is_left_as_it_is(api, ecr, settled):
    ecr.create_repository(repositoryName="team-a/web", tags=[{"Key": "owner", "Value": "terraform"}])
    settled()

    status, _, body = api.put("team-a/web")

    assert status == 200
    assert [difference["setting"] for difference in body["differences"]] == ["tag_mutability", "mutable_tags"]
    (there,) = ecr.describe_repositories()["repositories"]
    assert there["imageTagMutability"] == "MUTABLE"


def test_a_batch_answers_each_item_in_the_order_asked(api, house_rules):
    house_rules(LIMITED)

    status, _, body = api.post("team-a/web", "team-b/web", "NOT A NAME", {"name": "team-a/api"}, "team-a/web")

    assert status == 207
    assert [item["status"] for item in body["repositories"]] == [201, 403, 422, 201, 201]
    assert [item["name"] for item in body["repositories"]] == [
        "team-a/web",
        "team-b/web",
        "NOT A NAME",
        "team-a/api",
        "team-a/web",
    ]


def test_a_batch_in_which_all_is_fine_is_200(api, house_rules):
    house_rules(LENIENT)
    first, _, created = api.send(sample("post_by_role"))
    second, _, there = api.send(sample("post_by_user"))

    assert (first, [item["status"] for item in created["repositories"]]) == (200, [201, 201])
    assert (second, [item["status"] for item in there["repositories"]]) == (200, [200, 200])


def test_the_largest_batch_is_done_and_the_same_call_again_finishes_it_on_a_slow_day(api, ecr):
    names = [f"team-a/r{n}" for n in range(200)]

    status, _, body = api.post(*names)
    while status == 207 and {one["status"] for one in body["repositories"]} <= {200, 201, 503}:
        status, _, body = api.post(*names)

    assert {one["name"]: one.get("problem") for one in body["repositories"]} == dict.fromkeys(names)
    assert status == 200
    assert len(ecr.describe_repositories()["repositories"]) == 200


def test_a_batch_of_one_name_twice_creates_it_once(api, heard):
    status, _, body = api.post("team-a/web", "team-a/web")

    assert (status, body["repositories"][0]) == (200, body["repositories"][1])
    assert len(heard()) == 1


def test_one_name_with_different_overrides_in_a_batch_is_refused_where_it_differs(api):
    status, _, body = api.post("team-a/web", {"name": "team-a/web", "lifecycle": {"keep_last": 1}})

    assert (status, [item["status"] for item in body["repositories"]]) == (207, [201, 422])


def test_the_contract_is_served_as_it_is_committed(api):
    status, headers, body = api.send(sample("openapi_by_user"))

    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert body == CONTRACT.document


def test_a_path_that_no_route_has_is_a_problem(api):
    status, _, body = api.call("GET", "/repository")

    assert (status, body["type"]) == (404, "urn:ecr-steward:problem:no-such-route")


def test_what_was_done_is_counted(api, capsys):
    api.post("team-a/one", "NOT A NAME")

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert metrics[0]["RepositoriesCreated"] == [1.0]
    assert metrics[0]["RequestsRefused"] == [1.0]
    assert metrics[0]["service"] == "repository_provisioning"


NARROW = """
    callers:
      - {principals: ["self:role/ci-team-a"], repositories: ["team-a/**"], may_override: [lifecycle]}
      - {principals: ["self:user/*"], repositories: ["users/**"]}
    repositories: [{match: "**", lifecycle: {untagged_after_days: 14}}]
"""


def test_clears_overrides_by_one_call(api, ecr, house_rules):
    house_rules(NARROW)
    api.put("team-a/web", {"lifecycle": {"keep_last": 1}})

    status, _, body = api.put("team-a/web", query={"clear_overrides": "true"})

    text = ecr.get_lifecycle_policy(repositoryName="team-a/web")["lifecyclePolicyText"]
    assert (status, body["differences"]) == (200, [])
    assert '"countNumber": 14' in text


def test_clearing_overrides_and_giving_some_is_ambiguous(api, house_rules):
    house_rules(NARROW)

    status, _, problem = api.put("team-a/web", {"lifecycle": {"keep_last": 1}}, query={"clear_overrides": "true"})

    assert (status, problem["type"]) == (400, "urn:ecr-steward:problem:malformed-request")


def test_shows_a_repository_of_others_by_its_existence_and_its_rule(api, house_rules):
    house_rules(NARROW)
    api.put("team-a/web")

    status, _, body = api.get("team-a/web", by="user")

    assert (status, body) == (200, {"name": "team-a/web", "rule": "@@", "restricted": True})


def test_logs_every_request_with_the_caller_its_session_and_its_source(api, caplog):
    caplog.set_level("INFO")
    api.get("team-a/none")

    (line,) = [record for record in caplog.records if record.message == "request"]
    assert (line.method, line.path, line.status) == ("GET", "/repositories/team-a/none", 404)
    assert line.caller.startswith("arn:aws:sts::123456789012:assumed-role/ci-team-a/")
    assert line.session == line.caller.rpartition("/")[2]
    assert line.source_ip == "203.0.113.7"


@pytest.mark.parametrize(("strict", "expected"), [("false", 207), ("true", 422)])
def test_a_strict_batch_that_fails_in_part_is_422_with_the_same_body(api, strict, expected):
    status, _, body = api.post("team-a/web", "NO NAME", query={"strict": strict})

    assert (status, [item["status"] for item in body["repositories"]]) == (expected, [201, 422])


def test_a_strict_batch_in_which_all_is_fine_is_200(api):
    assert api.post("team-a/web", query={"strict": "true"})[0] == 200


HOST = "123456789012.dkr.ecr.ca-central-1.amazonaws.com"


def test_the_images_of_a_compose_file_are_cut_to_names(api, ecr):
    images = [f"{HOST}/team-a/web:1", f"{HOST}/team-a/web:latest", "postgres:16", f"{HOST}/Team-A/api"]

    status, _, body = api.call("POST", "/repositories", {"images": images})

    assert status == 207
    assert [(item["name"], item["status"]) for item in body["repositories"]] == [
        ("team-a/web", 201),
        ("Team-A/api", 422),
    ]
    assert body["skipped"] == [{"image": "postgres:16", "reason": "names no registry of ECR"}]
    assert [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]] == ["team-a/web"]


@pytest.mark.parametrize(
    "body",
    [
        {"images": []},
        {"images": ["postgres:16"]},
        {"images": [7]},
        {"images": "x"},
        {"images": [f"{HOST}/a/b"], "repositories": ["a/b"]},
        {"repositories": ["a/b"], "strict": True},
        {},
    ],
    ids=str,
)
def test_a_batch_of_nothing_or_of_both_is_refused(api, body):
    assert api.call("POST", "/repositories", body)[0] == 422


def test_too_many_images_are_413(api):
    assert api.call("POST", "/repositories", {"images": [f"{HOST}/a/b:{n}" for n in range(1001)]})[0] == 413


def test_get_says_what_the_registry_does_with_a_repository(api, registry_prefixes):
    registry_prefixes["DescribeRepositoryCreationTemplates"] = {"repositoryCreationTemplates": [{"prefix": "ROOT"}]}
    api.put("team-a/web")

    _, _, body = api.get("team-a/web")

    assert (body["owner"], body["owned_by"]) == ("ours", None)
    assert body["registry"] == {
        "scan_on_push": False,
        "replicated_to": [],
        "signed_by": [],
        "created_by_template": "ROOT",
    }
