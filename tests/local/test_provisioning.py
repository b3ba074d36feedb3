"""The main job on the deployed stack, with IAM enforced and real OCI clients."""

import json

import pytest

from local.oci import PushRefusedError, image_of

IMAGE = image_of("An image of the tests.\n")


def test_the_demonstration_of_make_start_shows_the_main_job(stack):
    assert "refused (name unknown)" in stack.started
    assert "created (201)" in stack.started
    assert "pull: the same image" in stack.started


def test_a_pipeline_pushes_to_a_repository_that_it_asked_for(stack, team_a, unique):
    """Refused, ensured, pushed, pulled back, by a role without the right to create."""
    registry, name = stack.registry(team_a), f"team-b/{unique}"
    with pytest.raises(PushRefusedError) as refused:
        registry.push(IMAGE, name, "1")
    assert refused.value.code == "NAME_UNKNOWN"
    name = f"team-a/{unique}"

    ensured = stack.put(name, team_a)

    assert ensured.status == 201
    digest = registry.push(IMAGE, name, "1")
    assert registry.pull(name, "1") == (digest, IMAGE.layer)


def test_a_pipeline_has_no_right_to_create(stack, team_a, unique):
    ecr = stack.aws.client("ecr", team_a)

    with pytest.raises(ecr.exceptions.ClientError) as refused:
        ecr.create_repository(repositoryName=f"team-a/{unique}")

    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_created_repository_follows_the_house_rules(stack, team_a, unique):
    ecr, name = stack.aws.client("ecr"), f"team-a/{unique}"

    answer = stack.put(name, team_a).document

    shown = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    tags = {t["Key"]: t["Value"] for t in ecr.list_tags_for_resource(resourceArn=shown["repositoryArn"])["tags"]}
    lifecycle = json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    assert answer["uri"] == shown["repositoryUri"]
    assert shown["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert shown["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "latest"}]
    assert shown["encryptionConfiguration"]["encryptionType"] == "AES256"
    assert lifecycle["rules"][0]["selection"]["countNumber"] == 14
    assert tags["steward:requested-by"] == "123456789012:role/ci-team-a"
    assert tags["steward:stack"] == "ecr-steward"
    assert tags["steward:rule"] == "default"


def test_asking_again_finds_what_is_there(stack, team_a, unique):
    stack.put(f"team-a/{unique}", team_a)

    again = stack.put(f"team-a/{unique}", team_a)

    assert again.status == 200
    assert again.document["created"] is False
    assert again.document["differences"] == []


def test_companions_come_with_it(stack, team_a):
    answer = stack.put("team-a/with-cache", team_a)

    assert answer.document["companions"] == ["team-a/with-cache/cache"]
    assert stack.exists("team-a/with-cache/cache")


def test_a_batch_answers_each_item(stack, probe, unique):
    body = {
        "repositories": [f"probe/{unique}/a", f"team-b/{unique}", {"name": f"probe/{unique}/b", "tags": {"x": "y"}}]
    }

    answer = stack.call("POST", "/repositories", probe, json.dumps(body).encode())

    assert answer.status == 207
    assert [item["status"] for item in answer.document["repositories"]] == [201, 403, 201]
    assert answer.document["repositories"][1]["problem"]["allowed"] == ["probe/**"]


def test_a_dry_run_creates_nothing(stack, team_a, unique):
    answer = stack.call("PUT", f"/repositories/team-a/{unique}?dry_run=true", team_a)

    assert answer.document["would_create"] is True
    assert not stack.exists(f"team-a/{unique}")


def test_a_caller_may_not_create_more_than_its_daily_limit(stack, unique):
    limited = stack.pipeline("ci-limited", "*")

    statuses = [stack.put(f"limited/{unique}/{n}", limited).status for n in range(3)]
    last = stack.put(f"limited/{unique}/3", limited)

    assert statuses == [201, 201, 429]
    assert 0 < int(last.headers["Retry-After"]) <= 86_401


def test_who_asked_is_published(stack, team_a, unique):
    queue = stack.subscribe(**{"detail-type": ["RepositoryCreated"]})

    stack.put(f"team-a/{unique}", team_a)

    event = stack.aws.receive(queue)
    assert event["detail"]["data"]["name"] == f"team-a/{unique}"
    assert event["detail"]["data"]["requested_by"] == "123456789012:role/ci-team-a"
    assert event["detail"]["metadata"].keys() == {"version", "correlation_id", "account", "region"}


def test_every_event_of_the_bus_is_kept_in_the_event_log(stack, team_a, unique):
    stack.put(f"team-a/{unique}", team_a)

    logged = stack.aws.client("logs").filter_log_events(logGroupName="/aws/events/ecr-steward")["events"]

    assert any(f"team-a/{unique}" in event["message"] for event in logged)
