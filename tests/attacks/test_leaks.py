"""The day a key leaks, in every state that a user can be in: the key dies, and who asks is answered.

All users are brought into their states first, and all leaks are reported at once, so that the tests wait once.
"""

from typing import Any

import pytest

from tests.attacks.attacked_stack import ADMINISTRATOR
from tests.local.aws.launched import ACCOUNT, policy
from tests.local.stack import eventually

QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
STATES = ("steady", "quarantined", "inactive", "frozen", "exempt", "unfit-tag", "table-less", "draining", "untagged")
SECONDS = 60


def _prepare(stack):
    """Bring every user into its state; the key of each that leaks."""
    iam = stack.aws.client("iam")
    names = {state: f"leaked-{state}" for state in STATES}
    for name in names.values():
        stack.enrol(name)
    stack.plan()
    assert eventually(lambda: all(stack.current_key(name) for name in names.values()), 90)
    assert eventually(lambda: all(is_steady(stack, name) for name in names.values()), 90)
    leaked = {state: stack.current_key(name) for state, name in names.items()}
    iam.attach_user_policy(UserName=names["quarantined"], PolicyArn=QUARANTINE)
    iam.tag_user(UserName=names["unfit-tag"], Tags=[{"Key": "steward:max-age-days", "Value": "soon"}])
    iam.untag_user(UserName=names["untagged"], TagKeys=["steward:rotate"])
    stack.change_record(names["frozen"], frozen="a consumer broke", state="FROZEN")
    table = stack.physical_id("RotationState")
    stack.aws.client("dynamodb").delete_item(TableName=table, Key={"id": {"S": f"user#{names['table-less']}"}})
    for state in ("inactive", "draining"):
        rotate(stack, names[state])
    assert eventually(lambda: all(stack.current_key(names[s]) != leaked[s] for s in ("inactive", "draining")), 90)
    iam.update_access_key(UserName=names["inactive"], AccessKeyId=leaked["inactive"], Status="Inactive")
    stack.enrol("leaked-locked")
    stack.enrol("leaked-just-deployed")
    leaked["locked"] = stack.give_key("leaked-locked")
    leaked["just-deployed"] = stack.give_key("leaked-just-deployed")
    stack.die_with_the_lock("leaked-locked")
    return leaked


def is_steady(stack, name):
    """Whether the user has its key, and its run is over."""
    return (stack.recorded(name) or {}).get("state") == "STEADY"


def rotate(stack, name):
    asked = stack.ask("POST", f"/service-users/{name}/rotation", {"reason": "routine"})
    assert asked.status == 202, asked.body


@pytest.fixture(scope="module")
def leaked(stack):
    """State -> the key that leaks of the user in that state; all are reported."""
    keys = _prepare(stack)
    stack.report_leaks(*keys.values())
    return keys


@pytest.mark.parametrize("state", [*STATES, "just-deployed"])
def test_a_leaked_key_dies_in_every_state_of_its_user(stack, leaked, state):
    name = f"leaked-{state}"

    dead = eventually(lambda: stack.keys(name).get(leaked[state]) != "Active", SECONDS)

    assert dead, stack.recorded(name)
    assert eventually(
        lambda: (stack.recorded(name) or {"keys": {}})["keys"].get(leaked[state], {}).get("compromised"), 30
    )


def test_a_leaked_key_does_not_wait_for_the_lock_of_a_run_that_died(stack, leaked):
    dead = eventually(lambda: stack.keys("leaked-locked").get(leaked["locked"]) != "Active", SECONDS)

    assert dead, stack.recorded("leaked-locked")


def is_marked(stack, name, key_id):
    """Whether the leak of a key is on record for good."""
    record = stack.recorded(name) or {"keys": {}}
    return record["keys"].get(key_id, {}).get("compromised")


@pytest.mark.parametrize("state", ["steady", "frozen", "exempt", "unfit-tag"])
def test_consumers_get_another_key_that_works(stack, leaked, state):
    name = f"leaked-{state}"

    assert eventually(lambda: stack.keys(name).get(stack.current_key(name)) == "Active", SECONDS)
    assert stack.current_key(name) != leaked[state]


def test_the_quarantine_is_named_with_the_command_that_ends_it(stack, leaked):
    name = "leaked-quarantined"
    assert eventually(lambda: stack.keys(name).get(leaked["quarantined"]) != "Active", SECONDS)

    shown = eventually(
        lambda: QUARANTINE in str((s := stack.ask("GET", f"/service-users/{name}").document)["blocked_by"]) and s, 30
    )

    assert f"detach-user-policy --user-name {name} --policy-arn {QUARANTINE}" in shown["blocked_by"]


def test_a_leaked_key_that_is_inactive_is_never_brought_back(stack, leaked):
    name = "leaked-inactive"
    marked = eventually(lambda: is_marked(stack, name, leaked["inactive"]), SECONDS)

    answer = stack.ask("POST", f"/service-users/{name}/reactivation", {"reason": "a consumer broke"})

    assert marked
    stack.refusals.append(("reactivating a leaked key", answer.document["detail"]))
    assert answer.status in {403, 409}
    assert stack.keys(name)[leaked["inactive"]] == "Inactive"


def test_a_person_who_brings_a_leaked_key_back_does_so_for_one_run(stack, leaked):
    name = "leaked-inactive"
    assert eventually(lambda: is_marked(stack, name, leaked["inactive"]), SECONDS)
    stack.aws.client("iam").update_access_key(UserName=name, AccessKeyId=leaked["inactive"], Status="Active")
    stack.change_record(name, next_at="2026-01-01T00:00:00+00:00")

    stack.plan()

    assert eventually(lambda: stack.keys(name).get(leaked["inactive"]) != "Active", SECONDS)


def test_a_leak_while_the_older_key_drains_kills_the_leaked_key_and_not_the_older_one(stack, unique):
    """Both slots are taken. What the dry run says comes true."""
    stack.enrol(unique)
    stack.plan()
    assert eventually(lambda: is_steady(stack, unique), 90)
    older = stack.current_key(unique)
    rotate(stack, unique)
    assert eventually(lambda: (stack.recorded(unique) or {}).get("state") == "DRAINING", 90), stack.recorded(unique)
    leak = {"reason": "compromised", "key_id": (leaked := stack.current_key(unique))}

    shown = stack.ask("POST", f"/service-users/{unique}/rotation?dry_run=true", leak).document
    stack.ask("POST", f"/service-users/{unique}/rotation", leak)

    assert eventually(lambda: stack.keys(unique).get(leaked) != "Active", SECONDS), stack.recorded(unique)
    stack.refusals.append(("the healthy older key, removed for a leaked one", f"removes {shown['removes']}"))
    assert [removed["key_id"] for removed in shown["removes"]] == [leaked]
    assert shown["restores"] == older == stack.current_key(unique)
    assert stack.keys(unique)[older] == "Active"


def test_a_rotation_that_fails_says_so_and_blames_the_user_s_missing_right(stack, unique):
    iam = stack.aws.client("iam")
    iam.create_user(UserName=unique, Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}])

    stack.plan()

    failed = eventually(lambda: stack.ask("GET", f"/service-users/{unique}").document.get("last_failure"), SECONDS)
    stack.refusals.append(("a rotation of a user that may not log in to ECR", str(failed)))
    assert failed["cause"] == "user", failed
    assert "ecr:GetAuthorizationToken" in failed["reason"]
    assert failed["next_try_at"]


@pytest.mark.parametrize("key_id", ["AKIA" + "Z" * 16, "AKIAIOSFODNN7EXAMPLE"])
def test_a_leak_of_a_key_that_does_not_exist_asks_for_nothing(stack, events, key_id):
    stack.report_leaks(key_id)

    assert events.about(key_id, seconds=3) == []


def test_before_its_first_run_a_user_is_answered_as_iam_knows_it(stack, unique):
    stack.enrol(unique)
    key = stack.give_key(unique)

    shown = stack.ask("GET", f"/service-users/{unique}")
    asked = stack.ask("POST", f"/service-users/{unique}/rotation", {"reason": "compromised", "key_id": key})
    wrong = stack.ask("GET", "/service-users/no-such-user")

    assert [known["id"] for known in shown.document["keys"]] == [key]
    assert (asked.status, wrong.status) == (202, 404)
    assert eventually(lambda: stack.keys(unique).get(key) != "Active", SECONDS)


def test_a_current_key_that_a_person_deactivated_is_reported(stack, events, alerts, unique):
    stack.enrol(unique)
    stack.plan()
    assert eventually(lambda: stack.current_key(unique), SECONDS)
    assert eventually(lambda: (stack.recorded(unique) or {}).get("state") == "STEADY", 30)
    dead = stack.current_key(unique)
    stack.aws.client("iam").update_access_key(UserName=unique, AccessKeyId=dead, Status="Inactive")

    stack.invoke("SecretProof", {})

    assert [e for e in events.about(unique) if e["detail-type"] == "SecretDoesNotAuthenticate"]


TAGS = {"steward:rotate-after-days": "0.00001", "steward:max-age-days": "9.001"}


def test_tags_do_not_cut_off_a_key_that_was_just_used(stack, unique):
    """A person with tagging rights, while the settings take keys away at their greatest age."""
    stack.enrol(unique)
    stack.plan()
    assert eventually(lambda: is_steady(stack, unique), 90)
    used = stack.current_key(unique)
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    stack.aws.client("iam").tag_user(UserName=unique, Tags=tags)
    stack.change_record(unique, next_at="2026-01-01T00:00:00+00:00")

    stack.plan()

    record = eventually(lambda: (found := stack.recorded(unique)) and found["notice"] and found, 60)
    stack.refusals.append(("tags that shorten a time below what protects consumers", record["notice"]["text"]))
    assert "rotate-after-days" in record["notice"]["text"]
    assert stack.keys(unique) == {used: "Active"}


def test_a_tag_that_does_not_enrol_is_answered(stack, events, unique):
    tags = [{"Key": "steward:rotate", "Value": "True"}]
    stack.aws.client("iam").create_user(UserName=unique, Path="/service/", Tags=tags)
    key = stack.give_key(unique)

    asked = stack.ask("POST", f"/service-users/{unique}/rotation", {"reason": "compromised", "key_id": key})

    assert asked.status == 202
    (reason,) = {
        e["detail"]["data"]["reason"]
        for e in events.about(unique, seconds=SECONDS)
        if e["detail-type"] == "AccessKeyRotationBlocked"
    } or eventually(
        lambda: {
            e["detail"]["data"]["reason"]
            for e in events.about(unique)
            if e["detail-type"] == "AccessKeyRotationBlocked"
        },
        SECONDS,
    )
    assert "steward:rotate" in reason


ADMINISTRATORS: dict[str, dict[str, Any]] = {
    "administrator": {"managed": ADMINISTRATOR},
    "removes-its-boundary": {
        "managed": ADMINISTRATOR,
        "boundary": {"Effect": "Allow", "Action": ["ecr:*", "iam:DeleteUserPermissionsBoundary"]},
    },
    "detaches-its-denial": {
        "managed": ADMINISTRATOR,
        "denial": {"Effect": "Deny", "NotAction": ["ecr:*", "iam:DetachUserPolicy"]},
    },
    "federates": {"Action": "iam:UpdateSAMLProvider"},
    "writes-roles-by-path": {"Action": "iam:PutRolePolicy", "Resource": "arn:aws:iam::*:role/app/*"},
    "passes-roles-to-lambda": {"Action": ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]},
    "assumes-any-role": {"Action": "sts:AssumeRole"},
    "writes-policies-with-mfa": {
        "Action": "iam:PutUserPolicy",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    },
}


@pytest.fixture(scope="module")
def judged(stack):
    """One user for each way to gain privileges, and one without any; all were planned."""
    iam = stack.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="powerful", Path="/app/", AssumeRolePolicyDocument=policy(trust))
    iam.attach_role_policy(RoleName="powerful", PolicyArn=ADMINISTRATOR)
    lambdas = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="of-functions", AssumeRolePolicyDocument=policy(lambdas))
    iam.attach_role_policy(RoleName="of-functions", PolicyArn=ADMINISTRATOR)
    for name, right in ADMINISTRATORS.items():
        stack.enrol(f"judged-{name}")
        if "managed" in right:
            iam.attach_user_policy(UserName=f"judged-{name}", PolicyArn=right["managed"])
            for guard in right.keys() - {"managed"}:
                document = policy({"Resource": "*"} | right[guard])
                arn = iam.create_policy(PolicyName=f"{name}-{guard}", PolicyDocument=document)["Policy"]["Arn"]
                if guard == "boundary":
                    iam.put_user_permissions_boundary(UserName=f"judged-{name}", PermissionsBoundary=arn)
                else:
                    iam.attach_user_policy(UserName=f"judged-{name}", PolicyArn=arn)
        else:
            document = policy({"Effect": "Allow", "Resource": "*"} | right)
            iam.put_user_policy(UserName=f"judged-{name}", PolicyName="rights", PolicyDocument=document)
    stack.enrol("judged-harmless")
    stack.plan()
    assert eventually(lambda: stack.current_key("judged-harmless"), 90)


@pytest.mark.parametrize("name", ADMINISTRATORS)
def test_a_user_that_could_gain_privileges_gets_no_key(stack, judged, name):
    record = eventually(lambda: (found := stack.recorded(f"judged-{name}")) and found["notice"] and found, 60)

    stack.refusals.append((f"a key of a user that {name}", (record["notice"] or {"text": ""})["text"]))
    assert stack.keys(f"judged-{name}") == {}
    assert "could gain privileges" in record["notice"]["text"]


def test_a_harmless_user_gets_its_key(stack, judged):
    assert stack.keys("judged-harmless") == {stack.current_key("judged-harmless"): "Active"}
