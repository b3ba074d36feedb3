"""The whole life of a key on the deployed stack, IAM enforced, while a consumer pushes all the time."""

import pytest

from tests.local.access_key_rotation_stack import Pusher, RotationStack

pytestmark = pytest.mark.slow  # keys must live for a few minutes to be seen living


@pytest.fixture(scope="module")
def rotating(tmp_path_factory):
    stack = RotationStack(tmp_path_factory.mktemp("rotating"))
    stack.shorten(rotate_after_days=100, max_age_days=600, quiet_days=70, keep_inactive_days=20)
    started = stack.run("start")
    assert started.returncode == 0, started.stdout + started.stderr
    yield stack
    stack.run("clean")


def test_a_key_is_made_rotated_drained_quarantined_and_deleted_and_no_push_is_refused(rotating, record_property):
    ecr = rotating.aws.client("ecr")
    ecr.create_repository(repositoryName="team-a/pushed")
    rotating.plan()
    assert rotating.plan_until(lambda: "Active" in rotating.keys("ecr-push").values(), 60)
    assert rotating.plan_until(lambda: rotating.secret("ecr-push")["AccessKeyId"], 60)
    first = rotating.secret("ecr-push")["AccessKeyId"]
    pusher = Pusher(rotating, "ecr-push", "team-a/pushed")
    pusher.start()

    rotated = rotating.plan_until(lambda: rotating.secret("ecr-push")["AccessKeyId"] != first, 180)
    still_active = rotating.keys("ecr-push").get(first)
    deactivated = rotating.plan_until(lambda: rotating.keys("ecr-push").get(first) == "Inactive", 240)
    deleted = rotating.plan_until(lambda: first not in rotating.keys("ecr-push"), 120)
    pusher.stop()

    record_property("pushes tried", pusher.tried)
    print(f"pushes tried: {pusher.tried}, refused: {len(pusher.refused)}, keys: {len(pusher.keys)}")  # noqa: T201
    assert rotated
    assert still_active == "Active"
    assert deactivated
    assert deleted
    assert len(pusher.keys) >= 2
    assert pusher.refused == []
