"""Targets of EventBridge rules: a bus in another region, asynchronous functions, log groups, and dead letters.

MiniStack drops events for a bus in another region and for a log group, tries a function once and drops what fails,
and drops events whose target is gone. Here the bus and the log group receive them, a function has Lambda's
asynchronous retries and on-failure destination, and the target's dead-letter queue receives what cannot be delivered.

Sources: Amazon EventBridge user guide, "Sending and receiving events between AWS Regions" and "Using dead-letter
queues"; AWS Lambda developer guide, "Asynchronous invocation".
"""

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch_logs, eventbridge, lambda_svc, sqs

from local.scratch_account import ACCOUNT, REGION, scratch_account

if TYPE_CHECKING:
    from collections.abc import Collection

GAP = "retries, dead letters, log groups and other regions for EventBridge's targets"
RELIES_ON = (
    "core.arn.parse_arn",
    "services.cloudwatch_logs._create_log_stream",
    "services.cloudwatch_logs._log_groups",
    "services.cloudwatch_logs._put_log_events",
    "services.eventbridge._archive_event",
    "services.eventbridge._dispatch_event",
    "services.eventbridge._dispatch_to_event_bus",
    "services.eventbridge._dispatch_to_lambda",
    "services.eventbridge._dispatch_to_sqs",
    "services.eventbridge._event_buses",
    "services.eventbridge._invoke_target",
    "services.eventbridge._pattern_event_view",
    "services.eventbridge._rule_key",
    "services.lambda_svc._execution_record_for_config",
    "services.lambda_svc._get_func_record_for_ref",
    "services.lambda_svc.invoke_async_with_retry",
    "services.sqs._queue_by_arn",
)
REPLACES = ("services.eventbridge._dispatch_to_lambda",)

type Event = dict[str, Any]


def is_still_missing() -> bool:
    """Whether an event for a function that is gone is dropped, dead-letter queue or not."""
    delivered: list[str] = []
    send_to_queue = eventbridge._dispatch_to_sqs
    eventbridge._dispatch_to_sqs = lambda *arguments: delivered.append(str(arguments[0]))
    try:
        with scratch_account():
            target = {
                "Id": "gone",
                "Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:gone",
                "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead-letters"},
            }
            eventbridge._invoke_target(target, {"Source": "probe", "Detail": "{}"}, {"Name": "probe"})
    finally:
        eventbridge._dispatch_to_sqs = send_to_queue
    return not delivered


def install() -> None:
    """Replace how three kinds of target are reached."""
    dispatch_to_event_bus, invoke_target = eventbridge._dispatch_to_event_bus, eventbridge._invoke_target

    def to_event_bus(bus: Any, event: Event, rule: Event, path: "Collection[str]", payload: str | None = None) -> None:
        if bus.account_id != get_account_id() or bus.region == get_region():
            dispatch_to_event_bus(bus, event, rule, path, payload)
            return
        _send_to_other_region(bus, event, rule, path, payload)

    def to_target_or_dead_letters(target: Event, event: Event, rule: Event, view: Any = None) -> None:
        arn, dead_letters = target.get("Arn", ""), (target.get("DeadLetterConfig") or {}).get("Arn")
        envelope = (view or eventbridge._pattern_event_view(event)).event_with_detail()
        if _is_gone(arn):
            if dead_letters:
                eventbridge._dispatch_to_sqs(parse_arn(dead_letters), json.dumps(envelope))
        elif log_group := _log_group(arn):
            _write_to_log_group(log_group, envelope)
        else:
            invoke_target(target, event, rule, view)

    eventbridge._dispatch_to_event_bus = to_event_bus
    eventbridge._dispatch_to_lambda = _invoke_asynchronously
    eventbridge._invoke_target = to_target_or_dead_letters


def _send_to_other_region(bus: Any, event: Event, rule: Event, path: "Collection[str]", payload: str | None) -> None:
    """Put the event on a bus of another region; the envelope keeps the region that it comes from."""
    rule_key = eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default"))
    if rule_key in path:
        return
    name = bus.resource.partition("/")[2]
    with request_scope(bus.account_id, bus.region):
        if name != "default" and name not in eventbridge._event_buses:
            return
        sent = {**event, "EventBusName": name}
        if payload is not None:
            sent["Detail"] = payload
        eventbridge._dispatch_event({**sent, "_DispatchPath": [*path, rule_key]})
        eventbridge._archive_event(sent)


def _invoke_asynchronously(arn: str, payload: str) -> None:
    function, configuration, _ = lambda_svc._get_func_record_for_ref(arn)
    if function and configuration:
        record = lambda_svc._execution_record_for_config(function, configuration)
        lambda_svc.invoke_async_with_retry(record, json.loads(payload))


def _write_to_log_group(name: str, envelope: Event) -> None:
    """Write the event as one message, in a stream of its own, as EventBridge does."""
    stream = {"logGroupName": name, "logStreamName": str(uuid.uuid4())}
    cloudwatch_logs._create_log_stream(stream)
    message = {"timestamp": int(time.time() * 1000), "message": json.dumps(envelope)}
    cloudwatch_logs._put_log_events({**stream, "logEvents": [message]})


def _log_group(arn: str) -> str:
    """The name of the log group that an ARN names; empty for any other resource."""
    return arn.partition(":log-group:")[2].removesuffix(":*") if ":logs:" in arn else ""


def _is_gone(arn: str) -> bool:
    """Whether the function, the queue or the log group that a target names does not exist."""
    if ":lambda:" in arn:
        return not lambda_svc._get_func_record_for_ref(arn)[0]
    if log_group := _log_group(arn):
        return log_group not in cloudwatch_logs._log_groups
    return ":sqs:" in arn and not sqs._queue_by_arn(arn)
