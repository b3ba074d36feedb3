"""LookupEvents: the calls of the last hours, by who made them and what they named.

MiniStack's own record knows neither the caller nor the answer, and has no refused call. Here the history holds what
CloudTrail's event history holds of IAM, ECR, Secrets Manager and STS, reading included, with pushes to and pulls from
the registry; IAM's calls are found in us-east-1 alone. It is gone after a stop, and LookupEvents is not throttled to
two calls a second.

Sources: AWS CloudTrail API reference, LookupEvents; user guide, "Working with CloudTrail event history".
"""

import base64
import binascii
import json
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudtrail

from local.additions import cloudtrail_events
from local.scratch_account import Reply, decoded, scratch_account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GAP = "CloudTrail's event history"
RELIES_ON = (
    "services.cloudtrail._DISPATCH",
    "services.cloudtrail._err",
    "services.cloudtrail._ok",
)
REPLACES = ("services.cloudtrail._DISPATCH[LookupEvents]",)

KEPT_EVENTS = 20_000
"""How many calls the history holds, of all accounts and regions."""

_LARGEST_PAGE = 50
_ATTRIBUTES = frozenset(
    {
        "AccessKeyId",
        "EventId",
        "EventName",
        "EventSource",
        "ReadOnly",
        "ResourceName",
        "ResourceType",
        "Username",
    }
)
_RESOURCES = {
    "userName": "AWS::IAM::User",
    "accessKeyId": "AWS::IAM::AccessKey",
    "groupName": "AWS::IAM::Group",
    "roleName": "AWS::IAM::Role",
    "policyArn": "AWS::IAM::Policy",
    "roleArn": "AWS::IAM::Role",
    "repositoryName": "AWS::ECR::Repository",
    "secretId": "AWS::SecretsManager::Secret",
}
"""Member of a call's parameters or answer -> type of the resource that it names."""

type Record = dict[str, Any]

_history: deque[Record] = deque(maxlen=KEPT_EVENTS)


def is_still_missing() -> bool:
    """Whether two attributes at once are taken, which CloudTrail refuses."""
    attributes = [{"AttributeKey": "EventName", "AttributeValue": "Probe"}] * 2
    with scratch_account():
        return "Events" in decoded(cloudtrail._DISPATCH["LookupEvents"]({"LookupAttributes": attributes}))


def install() -> None:
    """Keep every recorded call, and answer from what was kept."""
    cloudtrail_events.observers.append(_history.append)
    cloudtrail._DISPATCH["LookupEvents"] = _lookup_events


def _lookup_events(request: "Mapping[str, Any]") -> Reply:
    attributes = request.get("LookupAttributes") or []
    if len(attributes) > 1 or any(attribute["AttributeKey"] not in _ATTRIBUTES for attribute in attributes):
        return _refusal("InvalidLookupAttributesException", "One lookup attribute, of those that CloudTrail knows.")
    size = request.get("MaxResults", _LARGEST_PAGE)
    if not 1 <= size <= _LARGEST_PAGE:
        return _refusal("InvalidMaxResultsException", f"MaxResults is from 1 to {_LARGEST_PAGE}.")
    start = _position(request.get("NextToken"))
    if start is None:
        return _refusal("InvalidNextTokenException", "The token is not one of LookupEvents.")
    events = [event for event in _told_here() if _matches(event, attributes) and _is_within(event, request)]
    end = start + size
    page: dict[str, Any] = {"Events": events[start:end]}
    if end < len(events):
        page["NextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    reply: Reply = cloudtrail._ok(page)
    return reply


def _told_here() -> "Iterator[dict[str, Any]]":
    """The events of the caller's account and region, the latest first."""
    account, region = get_account_id(), get_region()
    for record in reversed(tuple(_history)):
        if record["recipientAccountId"] == account and record["awsRegion"] == region:
            yield _event(record)


def _event(record: Record) -> dict[str, Any]:
    identity = record["userIdentity"]
    event = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "EventSource": record["eventSource"],
        "EventTime": datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp(),
        "ReadOnly": str(record["readOnly"]).lower(),
        "Username": _user_name(identity),
        "AccessKeyId": identity.get("accessKeyId", ""),
        "Resources": list(_resources(record)),
        "CloudTrailEvent": json.dumps(record),
    }
    return {name: value for name, value in event.items() if value != ""}


def _user_name(identity: "Mapping[str, Any]") -> str:
    """A user's name, the name of a role's session, or ``root``."""
    if identity["type"] == "Root":
        return "root"
    session: str = identity.get("arn", "").rpartition("/")[2]
    return str(identity.get("userName") or session)


def _resources(record: Record) -> "Iterator[dict[str, str]]":
    """What a call named: in its parameters, and in what it answered."""
    seen = set()
    for part in (record["requestParameters"], record["responseElements"]):
        for name, value in _members(part):
            if name in _RESOURCES and isinstance(value, str) and value not in seen:
                seen.add(value)
                yield {"ResourceType": _RESOURCES[name], "ResourceName": value}


def _members(document: Any) -> "Iterator[tuple[str, Any]]":
    for name, value in (document or {}).items():
        yield name, value
        if isinstance(value, dict):
            yield from _members(value)


def _matches(event: "Mapping[str, Any]", attributes: list[dict[str, str]]) -> bool:
    for attribute in attributes:
        key, value = attribute["AttributeKey"], attribute["AttributeValue"]
        if key in {"ResourceName", "ResourceType"}:
            return any(resource[key] == value for resource in event["Resources"])
        return bool(event.get(key) == value)
    return True


def _is_within(event: "Mapping[str, Any]", request: "Mapping[str, Any]") -> bool:
    start, end = request.get("StartTime"), request.get("EndTime")
    return (start is None or event["EventTime"] >= start) and (end is None or event["EventTime"] <= end)


def _position(token: str | None) -> int | None:
    """Where a page begins; ``None`` for a token that is not ours."""
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        return None


def _refusal(code: str, message: str) -> Reply:
    reply: Reply = cloudtrail._err(code, message)
    return reply
