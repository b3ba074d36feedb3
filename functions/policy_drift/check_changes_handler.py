"""The queue's entry: CloudTrail's events of IAM changes, many at a time."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from policy_drift.application.ports import PublicationPendingError
from policy_drift.bootstrap import CAPABILITY, check_changes, half_time
from policy_drift.domain.baseline import NothingApprovedError
from policy_drift.domain.changes.change_event import ChangeEvent, change_event
from steward.errors import StewardError
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_check_changes = check_changes()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Check what the batch's events changed; the answer names the messages to retry.

    All events of a batch lead to one check. If it fails, each entity is checked by itself, so that one that cannot be
    checked does not block the others. If the result cannot be published, all messages are retried: a later run may
    publish it by then, while a second check now would find nothing new and lose the message that starts that run.
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
    failed = _check_all(events, context) if events else []
    return {"batchItemFailures": [{"itemIdentifier": message} for message in (*unread, *failed)]}


def _check_all(events: Mapping[str, ChangeEvent], context: LambdaContext) -> list[str]:
    """Check these events, one entity at a time if that fails; the messages to retry."""
    try:
        failed = _check(events, context)
        if failed and len(events) > 1:
            failed = [message for one in _by_entity(events) for message in _check(one, context)]
    except PublicationPendingError as error:
        logger.warning("change not published", reason=str(error), code=error.code, events=len(events))
        metrics.add_metric("ChangesToRetry", MetricUnit.Count, len(events))
        return list(events)
    return failed


def change_event_in(message: Mapping[str, Any]) -> ChangeEvent | None:
    """The change event in a message of the queue; None if it holds none."""
    try:
        envelope = json.loads(message["body"])
    except ValueError:
        logger.warning("not an event", message_id=message["messageId"])
        return None
    detail = envelope.get("detail") if isinstance(envelope, dict) else None
    return change_event(detail) if isinstance(detail, dict) else None


def _check(events: Mapping[str, ChangeEvent], context: LambdaContext) -> list[str]:
    """Check these events; the messages to retry."""
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
    return []


def _by_entity(events: Mapping[str, ChangeEvent]) -> list[dict[str, ChangeEvent]]:
    groups: dict[frozenset[str], dict[str, ChangeEvent]] = {}
    for message, change in events.items():
        groups.setdefault(frozenset(change.touches), {})[message] = change
    return list(groups.values())
