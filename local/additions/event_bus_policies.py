"""IAM decides on every event that is put on a bus, by its source and detail type, and the bus's own policy counts.

MiniStack does not know the condition keys ``events:source`` and ``events:detail-type``, stores a bus's policy without
asking it, and refuses ``AWS::Events::EventBusPolicy``.

Sources: Amazon EventBridge user guide, "Using IAM policy conditions in Amazon EventBridge" and "Resource-based
policies"; AWS CloudFormation, AWS::Events::EventBusPolicy.
"""

import json
from typing import TYPE_CHECKING, Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.scratch_account import Reply

GAP = "IAM decisions on the source of an event and by the policy of a bus"
RELIES_ON = (
    "app._enforce_data_plane",
    "core.iam_actions.request_tag_context",
    "core.iam_evaluator._RESOURCE_POLICY_LOOKUPS",
    "services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "services.eventbridge._event_bus_policies",
    "services.eventbridge.handle_request",
)
REPLACES = (
    "services.cloudformation.provisioners._RESOURCE_HANDLERS[AWS::Events::EventBusPolicy]",
    "services.eventbridge.bus_policy_for_arn",
)

_TYPE = "AWS::Events::EventBusPolicy"
_PUT = "events:PutEvents"

type Properties = Mapping[str, Any]
type Created = tuple[str, dict[str, str]]


def is_still_missing() -> bool:
    """Whether the source of an event is unknown to IAM."""
    body = json.dumps({"Entries": [{"Source": "probe"}]}).encode()
    return not any("source" in key.lower() for key in iam_actions.request_tag_context("events", _PUT, body, {}))


def install() -> None:
    """Give the evaluator the keys and the policy, decide on every entry, and add the type to CloudFormation."""
    _name_the_condition_keys()
    _decide_on_every_entry()
    eventbridge.bus_policy_for_arn = _bus_policy
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["events"] = ("eventbridge", "bus_policy_for_arn")
    provisioners._RESOURCE_HANDLERS[_TYPE] = {"create": _create, "update": _update, "delete": _delete}


def _name_the_condition_keys() -> None:
    request_tags = iam_actions.request_tag_context

    def tag_context(service: str, iam_action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = request_tags(service, iam_action, body, parameters)
        entries = _entries(body) if iam_action == _PUT else []
        return (_condition_keys(entries[0]) | context) if entries else context

    iam_actions.request_tag_context = tag_context


def _decide_on_every_entry() -> None:
    handle_request = eventbridge.handle_request

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> "Reply":
        if headers.get("x-amz-target", "").endswith(".PutEvents"):
            for entry in _entries(body)[1:]:  # the first has been decided on with the call
                refused: Reply | None = app._enforce_data_plane(
                    "events",
                    _PUT,
                    headers,
                    query,
                    "",
                    resource_arn=_bus_arn(entry.get("EventBusName") or "default"),
                    service_context=_condition_keys(entry),
                )
                if refused:
                    return refused
        reply: Reply = await handle_request(method, path, headers, body, query)
        return reply

    eventbridge.handle_request = handle


def _condition_keys(entry: "Mapping[str, Any]") -> dict[str, Any]:
    return {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}


def _entries(body: bytes) -> list[dict[str, Any]]:
    """The events of a call; a body that is not JSON has none, and EventBridge refuses it later."""
    try:
        entries = json.loads(body or b"{}").get("Entries", [])
    except (ValueError, AttributeError):
        return []
    return [entry for entry in entries if isinstance(entry, dict)]


def _bus_policy(arn: str) -> tuple[str, str] | None:
    """The policy of the bus that an ARN names, and its account; ``None`` for other ARNs."""
    bus = arn.partition(":event-bus/")[2]
    policy = eventbridge._event_bus_policies.get(bus) if bus else None
    return (json.dumps(policy), get_account_id()) if policy else None


def _bus_arn(name_or_arn: str) -> str:
    if name_or_arn.startswith("arn:"):
        return name_or_arn
    return f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{name_or_arn}"


def _create(_logical_id: str, properties: "Properties", _stack_name: str) -> "Created":
    bus, statement_id = properties.get("EventBusName", "default"), properties["StatementId"]
    statement = properties.get("Statement") or {
        "Effect": "Allow",
        "Principal": properties["Principal"],
        "Action": properties["Action"],
        "Resource": _bus_arn(bus),
        **({"Condition": properties["Condition"]} if "Condition" in properties else {}),
    }
    others = _statements_but(bus, statement_id)
    eventbridge._event_bus_policies[bus] = {
        "Version": "2012-10-17",
        "Statement": [*others, {**statement, "Sid": statement_id}],
    }
    return f"{bus}|{statement_id}", {}


def _update(physical_id: str, old: "Properties", new: "Properties", stack_name: str) -> "Created":
    _delete(physical_id, old)
    return _create(physical_id, new, stack_name)


def _delete(_physical_id: str, properties: "Properties") -> None:
    bus = properties.get("EventBusName", "default")
    others = _statements_but(bus, properties["StatementId"])
    if others:
        eventbridge._event_bus_policies[bus]["Statement"] = others
    else:
        eventbridge._event_bus_policies.pop(bus, None)


def _statements_but(bus: str, statement_id: str) -> list[dict[str, Any]]:
    policy = eventbridge._event_bus_policies.get(bus) or {"Statement": []}
    return [statement for statement in policy["Statement"] if statement.get("Sid") != statement_id]
