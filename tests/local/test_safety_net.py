"""A push to a repository that nobody asked for, with the safety net set to create."""

import pytest

from local.oci import PushRefusedError, image_of
from tests.local.stack import eventually

IMAGE = image_of("An image that is pushed without asking.\n")


def test_a_push_without_any_call_succeeds_when_run_again(stack, team_a, unique):
    """The pusher's own rule says on_push: its failed push creates the repository."""
    registry, name = stack.registry(team_a), f"team-a/{unique}"
    with pytest.raises(PushRefusedError):
        registry.push(IMAGE, name, "1")

    assert eventually(lambda: stack.exists(name))

    digest = registry.push(IMAGE, name, "1")
    assert registry.pull(name, "1") == (digest, IMAGE.layer)


def test_what_the_net_creates_is_the_pushers(stack, team_a, unique):
    ecr, name = stack.aws.client("ecr"), f"team-a/{unique}"
    with pytest.raises(PushRefusedError):
        stack.registry(team_a).push(IMAGE, name, "1")

    assert eventually(lambda: stack.exists(name))

    arn = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryArn"]
    tags = {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=arn)["tags"]}
    assert tags["steward:requested-by"] == "123456789012:role/ci-team-a"


def test_a_right_to_push_alone_does_not_become_a_right_to_create(stack, unique):
    """A push by a caller whose rule does not say on_push is reported, with what would have been created."""
    team_b, queue = stack.pipeline("ci-team-b"), stack.subscribe(**{"detail-type": ["PushToMissingRepositoryObserved"]})
    with pytest.raises(PushRefusedError):
        stack.registry(team_b).push(IMAGE, f"team-b/{unique}", "1")

    told = stack.aws.receive(queue, seconds=20)["detail"]["data"]

    assert (told["outcome"], told["would_create"]) == ("reported", "default")
    assert told["pushed_by"] == "123456789012:role/ci-team-b"
    assert not stack.exists(f"team-b/{unique}")


def test_a_push_outside_the_pushers_names_is_reported_and_denied(stack, team_a, unique):
    queue = stack.subscribe(**{"detail-type": ["PushToMissingRepositoryObserved"]})
    with pytest.raises(PushRefusedError):
        stack.registry(team_a).push(IMAGE, f"team-b/{unique}", "1")

    told = stack.aws.receive(queue, seconds=20)["detail"]["data"]

    assert (told["outcome"], told["would_create"]) == ("denied", None)
    assert not stack.exists(f"team-b/{unique}")
