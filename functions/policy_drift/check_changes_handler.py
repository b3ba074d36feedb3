"""The queue's entry: CloudTrail's events of IAM changes, many at a time."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from policy_drift.application.ports import NotToldError
from policy_drift.bootstrap import CAPABILITY, check_changes
from policy_drift.domain.baseline import NothingApprovedError
from policy_drift.domain.changes.change_event import Announcement, announcement
from steward.errors import StewardError
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_check_changes = check_changes()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Check again what the batch's events touch; the answer names the messages that must come again.

    All events of a batch lead to one check. If that fails, it is taken apart, so that one entity that cannot be
    checked holds nobody else up. If what it found cannot be published, all of them come again: by then a later run may
    publish it, while a second check now would find nothing new and lose the message that brings that run.
    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    announced: dict[str, Announcement] = {}
    for message in event["Records"]:
        told = announcement_in(message)
        if told:
            announced[message["messageId"]] = told
    if not announced:
        return {"batchItemFailures": []}
    try:
        failed = _look(announced, context.aws_request_id)
        if failed and len(announced) > 1:
            failed = [message for one in _by_entity(announced) for message in _look(one, context.aws_request_id)]
    except NotToldError as error:
        logger.warning("change not told", reason=str(error), code=error.code, events=len(announced))
        metrics.add_metric("ChangesToRetry", MetricUnit.Count, len(announced))
        failed = list(announced)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}


def announcement_in(message: Mapping[str, Any]) -> Announcement | None:
    """What a message of the queue announces; None for what is no event of a change."""
    try:
        envelope = json.loads(message["body"])
    except ValueError:
        logger.warning("not an event", message_id=message["messageId"])
        return None
    detail = envelope.get("detail") if isinstance(envelope, dict) else None
    return announcement(detail) if isinstance(detail, dict) else None


def _look(announced: Mapping[str, Announcement], run: str) -> list[str]:
    """The messages that must come again."""
    try:
        checked = _check_changes.check(list(announced.values()), run)
    except NothingApprovedError as error:
        logger.info("no baseline yet", reason=str(error), events=len(announced))
        return []
    except NotToldError:
        raise
    except StewardError as error:
        logger.warning("change not looked at", reason=str(error), code=error.code, events=len(announced))
        metrics.add_metric("ChangesToRetry", MetricUnit.Count, len(announced))
        return list(announced)
    logger.info("change looked at", events=len(announced), entities=len(checked.entities), open=len(checked.findings))
    metrics.add_metric("ChangesLookedAt", MetricUnit.Count, len(announced))
    return []


def _by_entity(announced: Mapping[str, Announcement]) -> list[dict[str, Announcement]]:
    groups: dict[frozenset[str], dict[str, Announcement]] = {}
    for message, told in announced.items():
        groups.setdefault(frozenset(told.touches), {})[message] = told
    return list(groups.values())
