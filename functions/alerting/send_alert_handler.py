"""The queue's entry: events of the bus, each alerted on its own and retried on its own if that fails."""

import json
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from alerting.alert_envelope import bus_event
from alerting.application.ports import DeliveryInProgressError
from alerting.bootstrap import CAPABILITY, send_alert
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_sender = send_alert()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Send the alert of each event of the batch; the answer names the messages that the queue must deliver again."""
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, _send_one, processor, context)


def _send_one(record: SQSRecord) -> None:
    try:
        send(record.body)
    except DeliveryInProgressError:
        raise  # no failure: the other run sends the alert, and the next delivery finds it sent
    except Exception as error:
        logger.exception("alert not delivered", error=type(error).__name__, message_id=record.message_id)
        metrics.add_metric("AlertsToRetry", MetricUnit.Count, 1)
        raise


def send(body: str) -> None:
    """Send the alert of one event of the bus."""
    event = bus_event(json.loads(body))
    taken = _sender.send(event)
    logger.info("alert sent", event_id=event.id, detail_type=event.detail_type, steps=sorted(taken))
    metrics.add_metric("AlertsSent", MetricUnit.Count, int("sent" in taken))
    metrics.add_metric("AlertsDeferred", MetricUnit.Count, int("deferred" in taken))
