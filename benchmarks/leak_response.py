"""Seconds from AWS Health's event to the leaked key's death, for users in every state, on the deployed stack.

``python -m benchmarks.leak_response``: IAM enforced, the shipped verification of ten seconds, all users at once. The
event is put on the bus as AWS puts it. A key that lives on counts as answered only if GET names the reason and an event
that becomes an alert names the key.
"""

import json
import re
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from access_key_rotation.domain.names import UserName
from benchmarks.figures import Figure, Target, all_met, as_table
from benchmarks.rotating_stack import RotatingStack, rotating_stack

MOST_SECONDS = 60
PATIENCE_SECONDS = 120
SETUP_SECONDS = 240
QUARANTINE = "AWSCompromisedKeyQuarantine"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
EXEMPT = UserName("leak-exempt")
SETTINGS: dict[str, Any] = {
    "exempt": [
        {"user": str(EXEMPT), "reason": "old appliance", "until": f"{(datetime.now(UTC) + timedelta(days=30)).date()}"}
    ]
}

_SPELT = re.compile(r"[^\w]+")
"""What no user's name has."""

type Preparation = Callable[[RotatingStack, UserName], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a leak."""

    seconds: float
    """Until the key was dead; infinity if it lives on."""
    reason: str
    """Why it lives on, as the record that GET shows says it."""


def main() -> int:
    """Print the seconds of each; 0 when every key died within a minute or a reason is shown and published."""
    with rotating_stack(SETTINGS) as stack:
        users = {UserName(f"leak-{_SPELT.sub('-', name).strip('-')}"): prepare for name, prepare in PREPARED.items()}
        stack.add_users(list(users))
        stack.plan()
        _wait_until(lambda: all(stack.current_key(user) for user in users), "every user has its first key")
        _wait_until(lambda: not stack.waiting("RotationQueue"), "the queue is empty")
        late = UserName("leak-just-deployed")
        for user, prepare in users.items():
            prepare(stack, user)
        leaked = {user: str(stack.current_key(user)) for user in users} | {late: _found_at_the_deployment(stack, late)}
        published = stack.subscribed("AccessKeyRotationBlocked")
        _report(stack, leaked)
        with ThreadPoolExecutor(len(leaked)) as pool:
            answers = dict(
                zip(leaked, pool.map(lambda user: _await_death(stack, user, leaked[user]), leaked), strict=True)
            )
        notices = [event["detail"]["data"] for event in stack.received(published)]
    findings = {"a leaked key is dead after": [_figure(user, leaked[user], answers[user], notices) for user in leaked]}
    print(as_table(findings, {}))
    return 0 if all_met(findings) else 1


def _figure(user: UserName, key: str, answer: Answer, notices: list[Mapping[str, Any]]) -> Figure:
    is_published = any(notice["user_name"] == user and key in notice["reason"] for notice in notices)
    lives_on = answer.seconds == float("inf")
    explained = lives_on and bool(answer.reason) and is_published
    target = None if explained else Target("at most", MOST_SECONDS)
    detail = f"{'published' if is_published else 'NOT published'}: {answer.reason}" if lives_on else ""
    return Figure(user.removeprefix("leak-").replace("-", " "), round(answer.seconds, 1), "s", target, detail)


def _as_it_is(_stack: RotatingStack, _user: UserName) -> None:
    """Leave the user alone."""


def _quarantine(stack: RotatingStack, user: UserName) -> None:
    """What AWS does to the user of an exposed key."""
    stack.client("iam").attach_user_policy(UserName=user, PolicyArn=f"arn:aws:iam::aws:policy/{QUARANTINE}V3")


def _quarantine_as_before(stack: RotatingStack, user: UserName) -> None:
    """The version of the policy that AWS attached before."""
    stack.client("iam").attach_user_policy(UserName=user, PolicyArn=f"arn:aws:iam::aws:policy/{QUARANTINE}V2")


def _rotate(stack: RotatingStack, user: UserName) -> None:
    """The former key drains, so that both slots are full."""
    before = stack.current_key(user) or ""
    stack.request(user, before, "benchmark", "benchmark")
    data = {"user_name": user, "reason": "routine", "key_id": before, "requested_by": "benchmark"}
    event = {"detail": {"metadata": {"correlation_id": "benchmark"}, "data": data}}
    message = {"messageId": "1", "attributes": {"ApproximateReceiveCount": "1"}, "body": json.dumps(event)}
    stack.client("lambda").invoke(
        FunctionName=stack.resource("RotationWorker"), Payload=json.dumps({"Records": [message]})
    )
    _wait_until(lambda: stack.current_key(user) != before, "the user has its second key")


def _rotate_and_quarantine(stack: RotatingStack, user: UserName) -> None:
    _rotate(stack, user)
    _quarantine(stack, user)


def _freeze(stack: RotatingStack, user: UserName) -> None:
    table, key = stack.resource("RotationState"), {"id": {"S": f"user#{user}"}}
    dynamodb = stack.client("dynamodb")
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    record = json.loads(item["record"]["S"]) | {"frozen": "a consumer broke", "state": "FROZEN"}
    dynamodb.put_item(TableName=table, Item=item | {"record": {"S": json.dumps(record)}})


def _break_a_tag(stack: RotatingStack, user: UserName) -> None:
    """A tag that is no number of days blocks the user."""
    stack.client("iam").tag_user(UserName=user, Tags=[{"Key": "steward:max-age-days", "Value": "soon"}])


def _make_an_administrator(stack: RotatingStack, user: UserName) -> None:
    """A user that gets no key any more."""
    stack.client("iam").attach_user_policy(UserName=user, PolicyArn=ADMINISTRATOR)


def _lose_the_record(stack: RotatingStack, user: UserName) -> None:
    """As after the loss of the table."""
    key = {"id": {"S": f"user#{user}"}}
    stack.client("dynamodb").delete_item(TableName=stack.resource("RotationState"), Key=key)


def _take_the_tag_away(stack: RotatingStack, user: UserName) -> None:
    """A user that is enrolled no more."""
    stack.client("iam").untag_user(UserName=user, TagKeys=["steward:rotate"])


def _die_with_the_lock(stack: RotatingStack, user: UserName) -> None:
    """A run that died holds the user's lock for as long as a lock lasts."""
    stack.client("dynamodb").update_item(
        TableName=stack.resource("RotationState"),
        Key={"id": {"S": f"user#{user}"}},
        UpdateExpression="SET lease_until = :until, holder = :dead",
        ExpressionAttributeValues={":until": {"N": str(time.time() + 360)}, ":dead": {"S": "a run that died"}},
    )


def _found_at_the_deployment(stack: RotatingStack, user: UserName) -> str:
    """A user with a key made by hand, of which no run has seen anything; the key."""
    stack.add_users([user])
    made: str = stack.client("iam").create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    return made


PREPARED: dict[str, Preparation] = {
    "steady": _as_it_is,
    "quarantined by AWS (V2)": _quarantine_as_before,
    "quarantined by AWS (V3)": _quarantine,
    "both slots full": _rotate,
    "both slots full and quarantined": _rotate_and_quarantine,
    "frozen": _freeze,
    "blocked by a tag": _break_a_tag,
    "blocked as an administrator": _make_an_administrator,
    EXEMPT.removeprefix("leak-"): _as_it_is,
    "without its record": _lose_the_record,
    "without its tag": _take_the_tag_away,
    "locked by a run that died": _die_with_the_lock,
}


def _report(stack: RotatingStack, leaked: Mapping[UserName, str]) -> None:
    """One event for each key, as AWS Health publishes it."""
    details = [
        {
            "service": "RISK",
            "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED",
            "eventTypeCategory": "issue",
            "eventArn": f"arn:aws:health:us-east-1::event/RISK/{uuid.uuid4()}",
            "affectedEntities": [{"entityValue": key}],
        }
        for key in leaked.values()
    ]
    entries = [
        {
            "EventBusName": "steward",
            "Source": "aws.health",
            "DetailType": "AWS Health Event",
            "Detail": json.dumps(each),
        }
        for each in details
    ]
    for start in range(0, len(entries), 10):
        sent = stack.client("events").put_events(Entries=entries[start : start + 10])
        if sent["FailedEntryCount"]:
            raise RuntimeError(f"the events were not taken: {sent}")


def _await_death(stack: RotatingStack, user: UserName, leaked: str) -> Answer:
    began, iam = time.monotonic(), stack.client("iam")
    while time.monotonic() < began + PATIENCE_SECONDS:
        keys = {key["AccessKeyId"]: key["Status"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]}
        if keys.get(leaked) != "Active":
            return Answer(time.monotonic() - began, "")
        time.sleep(0.5)
    return Answer(float("inf"), _reason(stack, user))


def _reason(stack: RotatingStack, user: UserName) -> str:
    """The notice of the record, from which GET is answered."""
    key = {"id": {"S": f"user#{user}"}}
    item = stack.client("dynamodb").get_item(TableName=stack.resource("RotationState"), Key=key).get("Item")
    record = json.loads(item["record"]["S"]) if item else {}
    text: str = (record.get("notice") or {}).get("text", "")
    return text


def _wait_until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SETUP_SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not after {SETUP_SECONDS} seconds: {what}")
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
