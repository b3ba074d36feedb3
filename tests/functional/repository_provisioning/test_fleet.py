"""Adoptions and the fleet over the REST API: an event in; the answer, the registry and the bus afterwards."""

import importlib

import pytest

from tests.functional.gateway import LambdaContext

RULES = """
callers:
  - {principals: ["self:role/ci-team-a"], repositories: ["team-a/**"], may_adopt: true}
  - {principals: ["self:user/*"], repositories: ["users/**"]}
repositories:
  - {match: "**", name: default, lifecycle: {untagged_after_days: 14}, tags: {namespace: "{namespace}"}}
"""

pytestmark = pytest.mark.usefixtures("registry_prefixes")


@pytest.fixture(autouse=True)
def rules(house_rules):
    house_rules(RULES)


@pytest.fixture
def legacy(ecr):
    ecr.create_repository(repositoryName="team-a/legacy", tags=[{"Key": "owner", "Value": "alex"}])
    return "team-a/legacy"


@pytest.fixture
def scan():
    """Runs the scan's function as its schedule does."""

    def run(**event):
        handler = importlib.import_module("repository_provisioning.scan_fleet_handler")
        context = LambdaContext()
        context.get_remaining_time_in_millis = lambda: 900_000  # type: ignore[method-assign]
        return handler.lambda_handler(event, context)

    return run


def adopt(api, name, body=None, **request):
    return api.call("POST", f"/repositories/{name}/adoption", body, **request)


def test_an_adoption_is_shown_first_and_then_done(api, ecr, legacy, heard):
    status, _, shown = adopt(api, legacy, query={"dry_run": "true"})
    done, _, body = adopt(api, legacy, {"fingerprint": shown["fingerprint"]})

    (there,) = ecr.describe_repositories(repositoryNames=[legacy])["repositories"]
    tags = {t["Key"]: t["Value"] for t in ecr.list_tags_for_resource(resourceArn=there["repositoryArn"])["tags"]}
    assert (status, done, shown["owner"]) == (200, 200, "unmanaged")
    assert body["changed"] == ["lifecycle", "tag_mutability", "tags"]
    assert there["imageTagMutability"] == "IMMUTABLE"
    assert (tags["owner"], tags["namespace"], tags["steward:stack"]) == ("alex", "team-a", "steward")
    assert [event["detail-type"] for event in heard()] == ["RepositoryRetentionShortened", "RepositoryAdopted"]


def test_an_adoption_without_its_dry_run_is_refused(api, legacy):
    status, _, problem = adopt(api, legacy, {})

    assert (status, "?dry_run=true" in problem["detail"]) == (422, True)


def test_what_changed_since_the_dry_run_is_412(api, ecr, legacy):
    _, _, shown = adopt(api, legacy, query={"dry_run": "true"})
    ecr.put_image_tag_mutability(repositoryName=legacy, imageTagMutability="IMMUTABLE")

    assert adopt(api, legacy, {"fingerprint": shown["fingerprint"]})[0] == 412


def test_a_path_without_adoption_is_no_route(api):
    status, _, problem = api.call("POST", "/repositories/team-a/legacy", {})

    assert (status, problem["type"]) == (404, "urn:ecr-steward:problem:no-such-route")


def test_another_caller_is_refused(api, legacy):
    assert adopt(api, legacy, query={"dry_run": "true"}, by="user")[0] == 403


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "half"},
        {"fingerprint": 7},
        {"name": 7},
        {"force": True},
    ],
    ids=str,
)
def test_a_body_that_makes_no_sense_is_refused(api, legacy, body):
    assert adopt(api, legacy, body, query={"dry_run": "true"})[0] in {400, 422}


def test_a_batch_has_a_result_for_each(api, ecr, legacy):
    ecr.create_repository(repositoryName="team-a/two")
    names = [legacy, "team-b/web", "team-a/none", "team-a/two"]
    status, _, shown = api.call(
        "POST", "/fleet/adoptions", {"scope": "tags", "repositories": names}, query={"dry_run": "true"}
    )
    items = [
        {"name": one["name"], "fingerprint": one["adoption"]["fingerprint"]}
        for one in shown["repositories"]
        if "adoption" in one
    ]

    done, _, body = api.call("POST", "/fleet/adoptions", {"scope": "tags", "repositories": items})

    assert (status, [one["status"] for one in shown["repositories"]]) == (207, [200, 403, 404, 200])
    assert (done, [one["adoption"]["changed"] for one in body["repositories"]]) == (200, [["tags"], ["tags"]])


def test_a_strict_batch_in_which_all_is_fine_is_200(api, legacy):
    _, _, shown = adopt(api, legacy, {"scope": "tags"}, query={"dry_run": "true"})
    items = [{"name": legacy, "fingerprint": shown["fingerprint"]}]

    status, _, _ = api.call(
        "POST", "/fleet/adoptions", {"scope": "tags", "repositories": items}, query={"strict": "true"}
    )

    assert status == 200


@pytest.mark.parametrize(("strict", "expected"), [("false", 207), ("true", 422)])
@pytest.mark.parametrize("path", ["/fleet/adoptions", "/fleet/reconciliations"])
def test_a_strict_batch_that_fails_in_part_is_422_with_the_same_body(api, legacy, path, strict, expected):
    items = [{"name": legacy, "fingerprint": "of something else"}, {"name": "NO NAME", "fingerprint": "of nothing"}]

    status, _, body = api.call("POST", path, {"repositories": items}, query={"strict": strict})

    assert (status, [one["name"] for one in body["repositories"]]) == (expected, [legacy, "NO NAME"])
    assert all(one["problem"]["status"] == one["status"] for one in body["repositories"])


@pytest.mark.parametrize("path", ["/fleet/adoptions", "/fleet/reconciliations"])
@pytest.mark.parametrize(
    "body", [{}, {"repositories": []}, {"repositories": "team-a/web"}, {"repositories": [7]}, {"repositories": [{}]}]
)
def test_a_batch_that_makes_no_sense_is_refused(api, path, body):
    assert api.call("POST", path, body, query={"dry_run": "true"})[0] == 422


def test_a_reconciliation_brings_back_what_a_person_changed(api, ecr):
    api.put("team-a/web")
    ecr.delete_lifecycle_policy(repositoryName="team-a/web")
    asked = {"repositories": ["team-a/web"]}
    _, _, shown = api.call("POST", "/fleet/reconciliations", asked, query={"dry_run": "true"})
    fingerprint = shown["repositories"][0]["adoption"]["fingerprint"]

    status, _, body = api.call(
        "POST", "/fleet/reconciliations", {"repositories": [{"name": "team-a/web", "fingerprint": fingerprint}]}
    )

    assert (status, body["repositories"][0]["adoption"]["changed"]) == (200, ["lifecycle"])
    assert ecr.get_lifecycle_policy(repositoryName="team-a/web")["lifecyclePolicyText"]


def test_a_reconciliation_has_no_scope(api):
    asked = {"scope": "tags", "repositories": ["team-a/web"]}

    assert api.call("POST", "/fleet/reconciliations", asked, query={"dry_run": "true"})[0] == 400


def test_before_the_first_scan_the_fleet_is_404(api):
    status, _, problem = api.call("GET", "/repositories")

    assert (status, "POST /fleet/scans" in problem["detail"]) == (404, True)


def test_who_may_see_one_repository_sees_no_registry_by_a_slash_at_the_end(api, legacy, scan):
    """IAM takes /repositories/ for a repository, as the policy of pipelines allows it, the router for the list."""
    scan()

    status, _, problem = api.call("GET", "/repositories/")

    assert (status, problem["type"]) == (404, "urn:ecr-steward:problem:no-such-route")


def test_the_fleet_is_shown_as_the_scan_found_it(api, ecr, legacy, scan, heard):
    api.put("team-a/web")
    ecr.create_repository(repositoryName="other/web")
    heard()

    scanned = scan()
    status, _, body = api.call("GET", "/repositories")

    assert (scanned["complete"], scanned["repositories"]) == (True, 3)
    found = {one["name"]: one for one in body["repositories"]}
    assert status == 200
    assert found["other/web"] == {"name": "other/web", "rule": "default", "restricted": True}
    assert (found[legacy]["owner"], found[legacy]["empty"], found[legacy]["would_change"]) == (
        "unmanaged",
        True,
        ["lifecycle", "tag_mutability", "tags"],
    )
    assert (found["team-a/web"]["owner"], found["team-a/web"]["differences"]) == ("ours", [])
    assert body["totals"]["owners"] == {"ours": 1, "unmanaged": 2}
    assert (body["age_seconds"] < 60, body["stale"], body["running"]) == (True, False, None)
    assert [event["detail-type"] for event in heard()] == ["RepositoryFleetScanned"]


def test_the_fleet_comes_in_pages_of_one_owner(api, ecr, scan):
    for n in range(5):
        ecr.create_repository(repositoryName=f"team-a/r{n}")
    api.put("team-a/ours")
    scan()

    _, _, first = api.call("GET", "/repositories", query={"owner": "unmanaged", "limit": "3"})
    _, _, second = api.call("GET", "/repositories", query={"next": first["next"]})

    names = [one["name"] for page in (first, second) for one in page["repositories"]]
    assert names == [f"team-a/r{n}" for n in range(5)]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": "0"}, 400),
        ({"limit": "1001"}, 400),
        ({"limit": "ten"}, 400),
        ({"owner": "me"}, 422),
        ({"next": "x"}, 400),
        ({"next": "e30"}, 400),
        ({"next": "é"}, 400),
    ],
)
def test_a_page_that_cannot_be_is_refused(api, query, status):
    assert api.call("GET", "/repositories", query=query)[0] == status


def test_a_page_of_a_scan_that_is_not_kept_is_404(api, legacy, scan):
    scan()
    token = "eyJzY2FuX2lkIjoieCIsInBhcnRzIjoxLCJwYXJ0IjowLCJvZmZzZXQiOjAsIm93bmVyIjpudWxsLCJsaW1pdCI6MX0"

    status, _, problem = api.call("GET", "/repositories", query={"next": token})

    assert (status, "not kept" in problem["detail"]) == (404, True)


def test_a_scan_can_be_requested(api, registry_prefixes):
    registry_prefixes["Invoke"] = {"StatusCode": 202}

    status, _, body = api.call("POST", "/fleet/scans")

    assert (status, bool(body["scan_id"])) == (202, True)


def test_a_throttled_registry_is_read_more_slowly(api, ecr, legacy, scan, fails):
    fails("DescribeImages", "ThrottlingException", times=3)

    assert scan()["complete"] is True


def test_a_registry_that_cannot_be_read_fails_the_run_and_keeps_the_last_result(api, legacy, scan, fails):
    scan()
    fails("DescribeRepositories", "ServerException", times=10)

    with pytest.raises(Exception, match="DescribeRepositories"):
        scan(requested_by="x", id="second")

    assert len(api.call("GET", "/repositories")[2]["repositories"]) == 1
    assert api.call("GET", "/repositories")[2]["running"]["repositories"] == 0
