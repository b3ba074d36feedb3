"""The whole life of a key on the deployed stack, IAM enforced, while a consumer pushes all the time."""

import json

import pytest

from tests.local.access_key_rotation_stack import Pusher, RotationStack
from tests.local.stack import eventually

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
    assert rotating.plan_until(lambda: rotating.has_key("ecr-push"), 90)
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


def test_secrets_manager_rotates_a_key_in_four_steps(rotating):
    assert rotating.plan_until(lambda: rotating.has_key("ecr-pull"), 90)
    before = rotating.secret("ecr-pull")["AccessKeyId"]
    contract = rotating.function("RotationContract")["FunctionArn"]

    rotating.aws.client("secretsmanager").rotate_secret(
        SecretId="steward/service-users/ecr-pull",
        RotationLambdaARN=contract,
        RotationRules={"AutomaticallyAfterDays": 90},
    )
    rotated = eventually(lambda: rotating.secret("ecr-pull")["AccessKeyId"] != before, seconds=60)

    assert rotated
    assert rotating.keys("ecr-pull")[before] == "Active"


def test_a_leaked_key_is_replaced_and_taken_away_in_one_call_and_never_comes_back(rotating):
    leaked = rotating.secret("ecr-pull")["AccessKeyId"]

    asked = rotating.post("ecr-pull", "rotation", {"reason": "compromised", "key_id": leaked})
    gone = eventually(lambda: rotating.keys("ecr-pull").get(leaked) == "Inactive", seconds=90)
    back = rotating.post("ecr-pull", "reactivation", {"reason": "try"})

    assert asked.status == 202
    assert gone
    assert rotating.secret("ecr-pull")["AccessKeyId"] != leaked
    assert (back.status, back.document["type"]) == (403, "urn:ecr-steward:problem:not-allowed")


def test_an_operator_sees_at_a_glance_who_is_where(rotating):
    listed = rotating.call("GET", "/service-users", rotating.key()).document["service_users"]
    shown = rotating.call("GET", "/service-users/ecr-pull", rotating.key()).document

    assert [user["name"] for user in listed] == ["ecr-pull", "ecr-push"]
    assert {key["id"] for key in shown["keys"]} >= rotating.keys("ecr-pull").keys()
    assert shown["still_used_by"].keys() <= {key["id"] for key in shown["keys"]}


def test_the_hourly_proof_finds_nothing_wrong(rotating):
    name = rotating.function("SecretProof")["FunctionName"]

    answer = json.loads(rotating.aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"].read())

    assert (answer["bad"], answer["unclear"]) == ([], 0)
