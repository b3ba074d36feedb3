"""The schedules' entry: every few minutes the summary of a flood, every week the digest."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from alerting.bootstrap import CAPABILITY, send_scheduled_alerts
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_sender = send_scheduled_alerts()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's signature
    """Send what the schedule's input asks for: `{"tell": "flood"}` or `{"tell": "week"}`."""
    if event["tell"] == "week":
        logger.info("digest sent", open_items=_sender.send_digest())
        return
    sent = _sender.send_flood()
    if sent:  # a metric of zeros would cost as much as one of numbers
        metrics.add_metric("AlertsGrouped", MetricUnit.Count, sent)
        logger.warning("flood sent", alerts=sent)
