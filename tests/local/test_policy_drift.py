"""Policy drift on the deployed stack, IAM enforced: a grant is told within seconds, with who made it; so is its end."""

import json
import time

import pytest

from benchmarks.function_processes import kill
from benchmarks.hostile_policies import denied_outside_of_many_globs
from tests.local.aws.held_answers import unlike_the_model_of_aws
from tests.local.aws.launched import ACCOUNT, allow, policy
from tests.local.policy_drift_stack import DriftStack
from tests.local.stack import eventually

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
TRUST = policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


@pytest.fixture(scope="module")
def drift(tmp_path_factory):
    stack = DriftStack(tmp_path_factory.mktemp("drift"))
    stack.take_build()
    started = stack.run("start")
    assert started.returncode == 0, started.stdout + started.stderr
    stack.forward_iam_events()
    stack.aws.client("iam").create_role(RoleName="app", AssumeRolePolicyDocument=TRUST)
    time.sleep(3)
    yield stack
    stack.run("clean")
    assert unlike_the_model_of_aws(stack.answers) == {}


@pytest.fixture(scope="module")
def captured(drift):
    """What the first scan said."""
    ears = drift.ears()
    drift.scan()
    return [kind for kind, _ in ears.listen()]


@pytest.fixture(scope="module")
def mallory(drift):
    """Somebody who may change IAM."""
    return drift.aws.client("iam", drift.aws.user(allow("iam:*")))


def test_the_first_scan_captures_a_baseline_without_an_alert(captured):
    assert captured == ["BaselineChanged", "DriftScanCompleted"]


def test_a_grant_is_published_within_seconds_with_its_author_and_so_is_its_end(drift, captured, mallory):
    ears = drift.ears()

    mallory.attach_role_policy(RoleName="app", PolicyArn=ADMIN)
    told = ears.wait_for("PolicyDriftDetected", finding_id="access:role:app")
    mallory.detach_role_policy(RoleName="app", PolicyArn=ADMIN)
    over = ears.wait_for("PolicyDriftResolved", finding_id="access:role:app")

    assert (told["severity"], told["verdict"]) == ("CRITICAL", "BROADENED")
    assert told["changes"][0]["actor"].startswith(f"arn:aws:iam::{ACCOUNT}:user/user-")
    assert any("detach-role-policy" in command for command in told["revert"])
    assert over["how"] == "reverted"


def test_a_key_and_a_password_are_published_with_their_author_and_so_is_their_end(drift, captured, mallory):
    ears = drift.ears()
    mallory.create_user(UserName="keyholder")

    key = mallory.create_access_key(UserName="keyholder")["AccessKey"]["AccessKeyId"]
    detected = ears.wait_for("PolicyDriftDetected", finding_id="credential:user:keyholder")
    mallory.delete_access_key(UserName="keyholder", AccessKeyId=key)
    over = ears.wait_for("PolicyDriftResolved", finding_id="credential:user:keyholder")
    mallory.create_login_profile(UserName="keyholder", Password="Correct-horse-1")
    again = ears.wait_for("PolicyDriftDetected", finding_id="credential:user:keyholder", why="reopened")

    assert (detected["kind"], detected["severity"], detected["verdict"]) == ("CREDENTIAL", "MEDIUM", "BROADENED")
    assert f"access key {key}" in detected["summary"]
    assert [change["event_name"] for change in detected["changes"]] == ["CreateAccessKey"]
    assert over["how"] == "reverted"
    assert "console password" in again["summary"]


def test_operators_acknowledge_and_adopt(drift, captured, mallory):
    ears = drift.ears()
    mallory.put_role_policy(RoleName="app", PolicyName="own", PolicyDocument=policy(allow("s3:GetObject")))
    told = ears.wait_for("PolicyDriftDetected", finding_id="access:role:app")
    known = {"id": told["finding_id"], "fingerprint": told["fingerprint"]}

    stale = drift.ask("POST", "/drift/baseline/adoptions", {"findings": [known | {"fingerprint": "stale"}]})
    nameless = drift.ask("POST", "/drift/findings/access:role:app/acknowledgement", {"reason": "because"})
    adopted = drift.ask("POST", "/drift/baseline/adoptions", {"findings": [known]})

    assert (stale.status, nameless.status, adopted.status) == (412, 422, 200), adopted.body
    assert ears.wait_for("PolicyDriftResolved", finding_id="access:role:app")["how"] == "adopted"
    assert ears.wait_for("BaselineChanged")["how"] == "adopted"


def test_a_changed_policy_of_25_roles_is_one_alert_and_one_adoption(drift, captured, mallory):
    arrivals = drift.ears()
    guardrail = mallory.create_policy(PolicyName="guardrail", PolicyDocument=policy(allow("s3:GetObject")))
    arn = guardrail["Policy"]["Arn"]
    for number in range(25):
        mallory.create_role(RoleName=f"holder-{number}", AssumeRolePolicyDocument=TRUST)
        mallory.attach_role_policy(RoleName=f"holder-{number}", PolicyArn=arn)
    created = [f"unmanaged:role:holder-{number}" for number in range(25)]
    drift.scan()
    for one in created:  # whichever run found it first: what is published later is not of the policy
        assert arrivals.wait_for("PolicyDriftDetected", finding_id=one)
    found = {one["id"]: one["fingerprint"] for one in json.loads(drift.ask("GET", "/drift/findings").body)["findings"]}
    assert drift.adopt([{"id": one, "fingerprint": found[one]} for one in created]).status == 200
    ears = drift.ears()

    grown = policy(allow("s3:GetObject", "iam:PutRolePolicy"))
    mallory.create_policy_version(PolicyArn=arn, PolicyDocument=grown, SetAsDefault=True)
    told = ears.wait_for("PolicyDriftDetected", finding_id="policy:policy:guardrail")
    known = {"id": told["finding_id"], "fingerprint": told["fingerprint"]}
    adopted = drift.adopt([known])
    over = ears.wait_for("PolicyDriftResolved", finding_id="policy:policy:guardrail")
    drift.scan()

    assert (told["holders"], told["severity"]) == (25, "CRITICAL")
    assert told["changes"][0]["event_name"] == "CreatePolicyVersion"
    assert adopted.status == 200, adopted.body
    assert over["how"] == "adopted"
    assert [(one["finding_id"], one["why"]) for one in ears.of("PolicyDriftDetected")] == [
        ("policy:policy:guardrail", "opened")
    ]


def test_only_deployers_write_the_baseline_and_its_deletion_is_critical(drift, captured):
    bucket = drift.physical("BaselineBucket")
    intruder = drift.aws.client("s3", drift.aws.user(allow("s3:*")))
    ears = drift.ears()

    with pytest.raises(intruder.exceptions.ClientError, match="AccessDenied"):
        intruder.put_object(Bucket=bucket, Key=f"baseline/{ACCOUNT}.json", Body=b"{}")
    drift.aws.client("s3").delete_object(Bucket=bucket, Key=f"baseline/{ACCOUNT}.json")
    told = ears.wait_for("PolicyDriftDetected", kind="BASELINE")

    assert told["severity"] == "CRITICAL"


@pytest.mark.parametrize(
    ("call", "more"),
    [
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
        ("put_bucket_notification_configuration", {"NotificationConfiguration": {}}),
        ("put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": []}}),
        ("delete_object", {"Key": f"baseline/{ACCOUNT}.json"}),
    ],
)
def test_anyone_who_may_do_everything_in_s3_may_not_loosen_the_bucket_of_the_baseline(drift, captured, call, more):
    intruder = drift.aws.client("s3", drift.aws.user(allow("s3:*")))

    with pytest.raises(intruder.exceptions.ClientError, match="AccessDenied"):
        getattr(intruder, call)(Bucket=drift.physical("BaselineBucket"), **more)


def test_an_upload_that_cannot_be_used_is_refused_and_a_good_one_ends_it(drift, captured):
    bucket, key = drift.physical("BaselineBucket"), f"baseline/{ACCOUNT}.json"
    s3, ears = drift.aws.client("s3"), drift.ears()
    version = drift.ask("GET", "/drift/baseline").document["version"]
    good = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()

    s3.put_object(Bucket=bucket, Key=key, Body=good[: len(good) // 2])
    refused = ears.wait_for("BaselineRefused")
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(json.loads(good) | {"reviewed": True}).encode())
    over = ears.wait_for("PolicyDriftResolved", kind="BASELINE")

    assert refused["line"] > 1
    assert "truncated" in refused["reason"]
    assert over is not None
    assert drift.ask("GET", "/drift/baseline").document["reviewed"] is True


def test_a_scan_leaves_a_report_behind_a_link(drift, captured):
    drift.scan()

    link = drift.ask("GET", "/drift/report").document["report"]

    assert drift.aws.http("GET", link).body.startswith(b"<!")


@pytest.fixture
def unannounced(drift):
    """Events of IAM do not arrive: only a scan finds what changes."""
    events, rule = drift.aws.client("events"), drift.physical("IamChangeRule")
    rule_of_bus = {"EventBusName": "steward", "Name": rule.rpartition("|")[2]}
    events.disable_rule(**rule_of_bus)
    yield
    events.enable_rule(**rule_of_bus)


def test_a_scan_that_is_killed_has_published_what_is_cheap_and_its_retry_publishes_the_rest(
    drift, captured, unannounced
):
    iam, ears = drift.aws.client("iam"), drift.ears()
    cheap = {f"cheap-{number}": policy(allow("s3:GetObject")) for number in range(60)}
    costly = {"costly": json.dumps(denied_outside_of_many_globs())}  # takes seconds, and is compared last
    for name, document in (cheap | costly).items():
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)

    def published():
        return sorted(one["entity"] for one in ears.of("PolicyDriftDetected"))

    function = drift.physical("DriftScan")
    drift.aws.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b'{"id": "killed"}')
    eventually(lambda: len(published()) == len(cheap), seconds=60)
    time.sleep(2)  # the scan notes that they are published; the costly one takes longer
    before, killed = published(), kill(function, drift.port)
    completed = ears.wait_for("DriftScanCompleted", scan_id="killed", seconds=120)

    assert killed > 0
    assert before == sorted(f"role/{name}" for name in cheap)
    assert completed is not None
    assert published() == sorted(f"role/{name}" for name in cheap | costly)
