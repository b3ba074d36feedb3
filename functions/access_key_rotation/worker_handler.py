"""The queue's entry: users that have something to do, each tried again by itself if its run fails."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, rotator
from access_key_rotation.domain.naming import UserName
from access_key_rotation.domain.observation import Standing
from access_key_rotation.domain.situation import Demand, Reason
from steward.errors import ConflictError, StewardError
from steward.observability import observe

JUDGEMENT_KEPT = timedelta(hours=4)
"""How long the planner's finding about a user counts: as long as IAM keeps its credential report."""
SETTLING = frozenset({"CREATING", "ORPHANED_KEY", "CURRENT_KEY_MISSING"})
"""States that wait for seconds only: the queue tries again, sooner than the schedule does."""
SERVICE_USER = Standing(has_password=False, has_mfa=False, administers_iam=False)

logger, metrics = observe(CAPABILITY)
_rotator = rotator()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Advance each user of the batch; the answer names the messages that must come again.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    failed = []
    for message in event["Records"]:
        try:
            advance(json.loads(message["body"]), tried_before=message["attributes"]["ApproximateReceiveCount"] != "1")
        except StewardError as error:
            logger.warning("rotation not finished", reason=str(error), code=error.code, message_id=message["messageId"])
            metrics.add_metric("RotationsToRetry", MetricUnit.Count, 1)
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


def advance(event: dict[str, Any], *, tried_before: bool) -> None:
    """Take the steps that one AccessKeyRotationDue asks for; after a failure, nobody's word is taken for the user."""
    due = event["detail"]["data"]
    name, reason, key_id = UserName(due["user_name"]), due["reason"], due.get("key_id")
    demand = Demand(key_id, Reason(reason)) if key_id and reason in set(Reason) else None
    outcome = _rotator.advance(
        name,
        event["detail"]["metadata"]["correlation_id"],
        demand,
        standing=SERVICE_USER if _is_fresh(due.get("judged_at")) and not tried_before else None,
    )
    logger.info("user advanced", user=name, state=outcome.state, steps=list(outcome.steps))
    metrics.add_metric("StepsTaken", MetricUnit.Count, len(outcome.steps))
    if outcome.state in SETTLING:
        raise ConflictError(f"{name} is {outcome.state}; it settles within a minute")


def _is_fresh(judged_at: str | None) -> bool:
    return judged_at is not None and datetime.now(UTC) - datetime.fromisoformat(judged_at) < JUDGEMENT_KEPT
