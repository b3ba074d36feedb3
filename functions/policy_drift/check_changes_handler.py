"""The queue's entry: CloudTrail's events of IAM changes, many at a time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from policy_drift.application.ports import PublicationPendingError
from policy_drift.bootstrap import CAPABILITY, change_queue, check_changes, half_time
from policy_drift.domain.baseline import NothingApprovedError
from policy_drift.domain.changes.change_event import ChangeEvent, change_event
from policy_drift.domain.changes.wrappings import records_in
from steward.errors import StewardError
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_check_changes = check_changes()
_queue = change_queue()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Check what the batch's events changed; the answer names the messages to retry.

    All events of a batch lead to one check. If it fails, each entity is checked by itself, so that one that cannot be
    checked does not block the others. If the result cannot be published, all messages are retried: a later run may
    publish it by then, while a second check now would find nothing new and lose the message that starts that run.
    A message whose change IAM does not show yet is among them, too, and becomes visible when it is to be checked again.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    events: dict[str, ChangeEvent] = {}
    unread: list[str] = []
    for message in event["Records"]:
        try:
            if change := change_event_in(message):
                events[message["messageId"]] = change
        except Exception as error:  # one message, whatever is wrong with it, must not block the others
            logger.exception("event not read", error=type(error).__name__, message_id=message["messageId"])
            metrics.add_metric("ChangesToRetry", MetricUnit.Count, 1)
            unread.append(message["messageId"])
    again: dict[str, datetime] = {}
    failed = _check_all(events, context, again) if events else []
    _check_again(event["Records"], again)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in (*unread, *failed, *again)]}


def _check_all(events: Mapping[str, ChangeEvent], context: LambdaContext, again: dict[str, datetime]) -> list[str]:
    """Check these events, one entity at a time if that fails; the messages to retry.

    Those to check again, and when, are added to ``again``.
    """
    try:
        failed = _check(events, context, again)
        if failed and len(events) > 1:
            failed = [message for one in _by_entity(events) for message in _check(one, context, again)]
    except PublicationPendingError as error:
        logger.warning("change not published", reason=str(error), code=error.code, events=len(events))
        metrics.add_metric("ChangesToRetry", MetricUnit.Count, len(events))
        again.clear()
        return list(events)
    return failed


def _check_again(messages: list[dict[str, Any]], again: Mapping[str, datetime]) -> None:
    """Let the queue deliver these messages again when it is time."""
    if again:
        now = datetime.now(UTC)
        handles = {message["messageId"]: message["receiptHandle"] for message in messages}
        _queue.show_again({handles[one]: max(1, ceil((at - now).total_seconds())) for one, at in again.items()})
        logger.info("changes not shown by IAM yet", events=len(again))


def change_event_in(message: Mapping[str, Any]) -> ChangeEvent | None:
    """The change event in a message of the queue, also one that passed a topic; None if it holds none."""
    records = list(records_in(message["body"]))
    if len(records) != 1:
        logger.warning("not an event", message_id=message["messageId"], records=len(records))
        return None
    return change_event(records[0])


def _check(events: Mapping[str, ChangeEvent], context: LambdaContext, again: dict[str, datetime]) -> list[str]:
    """Check these events; the messages to retry. Those to check again are added to ``again``."""
    try:
        checked = _check_changes.check(list(events.values()), context.aws_request_id, half_time(context))
    except NothingApprovedError as error:
        logger.info("no baseline yet", reason=str(error), events=len(events))
        return []
    except PublicationPendingError:
        raise
    except StewardError as error:
        logger.warning("change not checked", reason=str(error), code=error.code, events=len(events))
        metrics.add_metric("ChangesToRetry", MetricUnit.Count, len(events))
        return list(events)
    except Exception as error:  # an error of our own in one entity must not block the others
        logger.exception("change not checked", error=type(error).__name__, events=len(events))
        metrics.add_metric("ChangesToRetry", MetricUnit.Count, len(events))
        return list(events)
    logger.info("change checked", events=len(events), entities=len(checked.entities), open=len(checked.findings))
    metrics.add_metric("ChangesLookedAt", MetricUnit.Count, len(events))
    again |= {
        message: checked.again[change.change.event_id]
        for message, change in events.items()
        if change.change.event_id in checked.again
    }
    return []


def _by_entity(events: Mapping[str, ChangeEvent]) -> list[dict[str, ChangeEvent]]:
    groups: dict[frozenset[str], dict[str, ChangeEvent]] = {}
    for message, change in events.items():
        groups.setdefault(frozenset(change.touches), {})[message] = change
    return list(groups.values())
