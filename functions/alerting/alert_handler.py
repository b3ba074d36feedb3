"""The queue's entry: events of the bus, each told by itself and tried again by itself if that fails."""

import json
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from alerting.alert_envelope import bus_event
from alerting.bootstrap import CAPABILITY, bootstrap
from alerting.domain.ports import AlreadyAtItError
from steward.errors import StewardError
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_alerting = bootstrap()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Tell each event of the batch; the answer names the messages that must come again.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    failed = []
    for message in event["Records"]:
        try:
            tell(message["body"])
        except AlreadyAtItError:
            failed.append({"itemIdentifier": message["messageId"]})
        except (StewardError, ValueError) as error:  # ValueError: it is no event of a bus
            logger.warning("alert not delivered", reason=str(error), error=type(error).__name__)
            metrics.add_metric("AlertsToRetry", MetricUnit.Count, 1)
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


def tell(body: str) -> None:
    """Tell one event of the bus."""
    event = bus_event(json.loads(body))
    taken = _alerting.tell(event)
    logger.info("event told", event_id=event.id, detail_type=event.detail_type, steps=sorted(taken))
    metrics.add_metric("AlertsTold", MetricUnit.Count, int("told" in taken))
    metrics.add_metric("AlertsHeld", MetricUnit.Count, int("held" in taken))
