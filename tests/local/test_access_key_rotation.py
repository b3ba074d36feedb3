"""The whole life of a key on the deployed stack, IAM enforced, while a consumer pushes all the time."""

import json

import pytest

from tests.local.access_key_rotation_stack import Pusher, RotationStack
from tests.local.skopeo import needs_skopeo
from tests.local.stack import eventually

pytestmark = [needs_skopeo, pytest.mark.slow]  # keys must live for a few minutes to be seen living
REPOSITORY = "team-a/pushed"
ROTATED_ON_REQUEST = ["leaks", "rotates-now"]
USERS = ["ecr-pull", "ecr-push", *ROTATED_ON_REQUEST]


@pytest.fixture(scope="module")
def rotating(tmp_path_factory):
    stack = RotationStack(tmp_path_factory.mktemp("rotating"))
    stack.shorten(rotate_after_days=100, max_age_days=600, drain_days=70, keep_inactive_days=20)
    as_shipped = "{rotate_after_days: 60, max_age_days: 90, drain_days: 8, keep_inactive_days: 14}"
    by_request = ", ".join(f"{{match: {user}, times: {as_shipped}}}" for user in ROTATED_ON_REQUEST)
    stack.edit("overrides: []", f"overrides: [{by_request}]", file="layers/settings/rotation.yaml")
    started = stack.run("start")
    assert started.returncode == 0, started.stdout + started.stderr
    stack.aws.client("ecr").create_repository(repositoryName=REPOSITORY)
    for user in ROTATED_ON_REQUEST:
        stack.add_user(user)
    stack.plan()
    assert stack.plan_until(lambda: all(stack.has_key(user) for user in USERS), 180)
    yield stack
    stack.run("clean")


@pytest.fixture
def pusher(rotating, tmp_path):
    """Starts a consumer that pushes all the time."""
    started = []

    def start(user):
        started.append(Pusher(rotating, user, REPOSITORY, tmp_path))
        started[-1].start()
        return started[-1]

    yield start
    for consumer in started:
        consumer.stop()


def test_a_key_is_made_rotated_drained_quarantined_and_deleted_and_no_push_is_refused(rotating, pusher):
    first = rotating.secret("ecr-push")["AccessKeyId"]
    consumer = pusher("ecr-push")

    rotated = rotating.plan_until(lambda: rotating.secret("ecr-push")["AccessKeyId"] != first, 180)
    still_active = rotating.keys("ecr-push").get(first)
    deactivated = rotating.plan_until(lambda: rotating.keys("ecr-push").get(first) == "Inactive", 240)
    deleted = rotating.plan_until(lambda: first not in rotating.keys("ecr-push"), 120)
    consumer.report("the whole life")

    assert (rotated, still_active, deactivated, deleted) == (True, "Active", True, True)
    assert len(consumer.keys) >= 2
    assert (consumer.late, consumer.refused) == ([], [])


def test_secrets_manager_rotates_a_key_in_four_steps_and_no_push_is_refused(rotating, pusher):
    before = rotating.secret("rotates-now")["AccessKeyId"]
    consumer = pusher("rotates-now")

    rotating.aws.client("secretsmanager").rotate_secret(
        SecretId="steward/service-users/rotates-now",
        RotationLambdaARN=rotating.function("SecretRotation")["FunctionArn"],
        RotationRules={"AutomaticallyAfterDays": 90},
    )
    rotated = eventually(lambda: rotating.secret("rotates-now")["AccessKeyId"] != before, seconds=90)
    moved = eventually(lambda: len(consumer.keys) == 2 and consumer.tried > 20, seconds=60)
    consumer.report("rotate-secret")

    assert rotated
    assert moved
    assert rotating.keys("rotates-now")[before] == "Active"
    assert (consumer.late, consumer.refused) == ([], [])


def test_a_leaked_key_is_replaced_and_taken_away_in_one_call_and_never_comes_back(rotating, pusher):
    leaked = rotating.secret("leaks")["AccessKeyId"]
    consumer = pusher("leaks")

    asked = rotating.post("leaks", "rotation", {"reason": "compromised", "key_id": leaked})
    gone = eventually(lambda: rotating.keys("leaks").get(leaked) == "Inactive", seconds=90)
    back = rotating.post("leaks", "reactivation", {"reason": "try"})
    moved = eventually(lambda: len(consumer.keys) == 2 and consumer.tried > 20, seconds=60)
    consumer.report("the leak response")

    assert asked.status == 202
    assert gone
    assert moved
    assert rotating.secret("leaks")["AccessKeyId"] != leaked
    assert (back.status, back.document["type"]) == (403, "urn:ecr-steward:problem:not-allowed")
    assert consumer.refused == []


def test_an_operator_sees_at_a_glance_who_is_where(rotating):
    listed = rotating.call("GET", "/service-users", rotating.key()).document["service_users"]
    shown = rotating.call("GET", "/service-users/ecr-pull", rotating.key()).document

    assert [user["name"] for user in listed] == USERS
    assert {key["id"] for key in shown["keys"]} >= rotating.keys("ecr-pull").keys()
    assert shown["still_used_by"].keys() <= {key["id"] for key in shown["keys"]}


def test_the_hourly_proof_finds_nothing_wrong(rotating):
    name = rotating.function("SecretProof")["FunctionName"]

    answer = json.loads(rotating.aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"].read())

    assert (answer["bad"], answer["unclear"]) == ([], 0)
