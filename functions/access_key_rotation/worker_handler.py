"""The queue's entry: users that have something to do, each tried again by itself if its run fails."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, worker
from access_key_rotation.domain.naming import UserName
from access_key_rotation.domain.observation import Standing
from access_key_rotation.domain.run import Outcome
from access_key_rotation.domain.situation import Demand, Reason
from steward.errors import ConflictError, StewardError
from steward.observability import observe

JUDGEMENT_KEPT = timedelta(hours=4)
"""How long the planner's finding about a user counts: as long as IAM keeps its credential report."""
SETTLING = frozenset({"CREATING", "ORPHANED_KEY", "CURRENT_KEY_MISSING"})
"""States that wait for seconds only: the queue tries again, sooner than the schedule does."""
SERVICE_USER = Standing(has_password=False, has_mfa=False, administers_iam=False)

logger, metrics = observe(CAPABILITY)
_rotator = worker()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Advance the users of the batch, all at once; the answer names the messages that must come again.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    messages = event["Records"]
    with ThreadPoolExecutor(len(messages)) as pool:  # most of a rotation is waiting for IAM to propagate a key
        ends = list(pool.map(_end_of, messages))
    failed = []
    for message, end in zip(messages, ends, strict=True):
        if isinstance(end, StewardError):
            logger.warning("rotation not finished", reason=str(end), code=end.code, message_id=message["messageId"])
            metrics.add_metric("RotationsToRetry", MetricUnit.Count, 1)
            failed.append({"itemIdentifier": message["messageId"]})
        else:
            logger.info("user advanced", user=end.user, state=end.state, steps=list(end.steps))
            metrics.add_metric("StepsTaken", MetricUnit.Count, len(end.steps))
    return {"batchItemFailures": failed}


def _end_of(message: dict[str, Any]) -> Outcome | StewardError:
    try:
        tried_before = message["attributes"]["ApproximateReceiveCount"] != "1"
        return advance(json.loads(message["body"]), tried_before=tried_before)
    except StewardError as error:
        return error


def advance(event: dict[str, Any], *, tried_before: bool) -> Outcome:
    """Take the steps that one AccessKeyRotationDue asks for; after a failure, nobody's word is taken for the user.

    Raises
    ------
    StewardError
        The message must come again.
    """
    due = event["detail"]["data"]
    name, reason, key_id = UserName(due["user_name"]), due["reason"], due.get("key_id")
    demand = Demand(key_id, Reason(reason)) if key_id and reason in set(Reason) else None
    outcome = _rotator.advance(
        name,
        event["detail"]["metadata"]["correlation_id"],
        demand,
        standing=SERVICE_USER if _is_fresh(due.get("judged_at")) and not tried_before else None,
    )
    if outcome.state in SETTLING:
        raise ConflictError(f"{name} is {outcome.state}; it settles within a minute")
    return outcome


def _is_fresh(judged_at: str | None) -> bool:
    return judged_at is not None and datetime.now(UTC) - datetime.fromisoformat(judged_at) < JUDGEMENT_KEPT
