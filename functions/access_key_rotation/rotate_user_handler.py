"""The queue's handler: advances the users that are due, each retried on its own if its run fails."""

import asyncio
import traceback
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.application.run import Outcome
from access_key_rotation.bootstrap import CAPABILITY, rotate_user
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Demand, Reason
from access_key_rotation.domain.rules.steps import SETTLING
from steward.errors import ConflictError, StewardError
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_rotator = rotate_user()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Advance the users of the batch concurrently; the answer names the messages to retry."""
    processor = AsyncBatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return async_process_partial_response(event, _advance_one, processor, context)


async def _advance_one(record: SQSRecord) -> None:
    """Process one message, in a thread: a rotation mostly waits for IAM to propagate a key."""
    try:
        end = await asyncio.to_thread(advance, record.json_body)
    except StewardError as error:
        logger.warning("rotation not finished", reason=str(error), code=error.code, message_id=record.message_id)
        metrics.add_metric("RotationsToRetry", MetricUnit.Count, 1)
        raise
    except Exception as error:
        kind, where = type(error).__name__, traceback.format_tb(error.__traceback__)
        logger.error(  # noqa: TRY400 - without the error's text: nobody knows what it quotes
            "unexpected error", kind=kind, where=where, message_id=record.message_id
        )
        raise
    logger.info("user advanced", user=end.user, state=end.state, steps=list(end.steps))
    metrics.add_metric("StepsTaken", MetricUnit.Count, len(end.steps))


def advance(event: dict[str, Any]) -> Outcome:
    """Take the steps that one AccessKeyRotationDue requests. The message names a user; all else is read again.

    Raises
    ------
    StewardError
        The message must be retried.
    """
    due = event["detail"]["data"]
    name, correlation_id = UserName(due["user_name"]), event["detail"]["metadata"]["correlation_id"]
    demand = None
    if due["reason"] in set(Reason):
        by, session = due.get("requested_by", ""), due.get("session", "")
        demand = Demand(due.get("key_id") or "", Reason(due["reason"]), correlation_id, by, session)
    outcome = _rotator.advance(name, correlation_id, demand)
    if outcome.state in SETTLING:
        raise ConflictError(f"{name} is {outcome.state}; it settles within a minute")
    return outcome
