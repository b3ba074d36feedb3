"""The schedule's entry, and that of a new baseline and of operators: compares the whole account."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from policy_drift.bootstrap import CAPABILITY, half_time, scan_account
from policy_drift.domain.events import DriftScanFailed
from policy_drift.domain.finding import Change
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_scan_account = scan_account()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Scan once. What fails is published; what the bus does not take escapes, so that Lambda invokes again."""
    scan_id = str(event.get("id") or context.aws_request_id)
    outcome = _scan_account.scan(scan_id, writers_in(event), half_time(context))
    if isinstance(outcome, DriftScanFailed):
        logger.error("scan failed", scan=scan_id, reason=outcome.reason, code=outcome.code)
        metrics.add_metric("DriftScansFailed", MetricUnit.Count, 1)
        return {"scan": scan_id, "failed": outcome.reason}
    completed = outcome.event
    logger.info(
        "account scanned",
        scan=scan_id,
        calls=completed.aws_calls,
        seconds=completed.seconds,
        open=completed.open_findings,
    )
    metrics.add_metric("DriftScansCompleted", MetricUnit.Count, 1)
    metrics.add_metric("OpenCritical", MetricUnit.Count, completed.open_findings.get("CRITICAL", 0))
    metrics.add_metric("OpenHigh", MetricUnit.Count, completed.open_findings.get("HIGH", 0))
    metrics.add_metric("OpenMedium", MetricUnit.Count, completed.open_findings.get("MEDIUM", 0))
    metrics.add_metric("OpenLow", MetricUnit.Count, completed.open_findings.get("LOW", 0))
    if outcome.without_event:
        metrics.add_metric("DriftsWithoutEvent", MetricUnit.Count, outcome.without_event)
    return {"scan": scan_id, "open": completed.open_findings, "calls": completed.aws_calls, "report": completed.report}


def writers_in(event: Mapping[str, Any]) -> dict[str, Change]:
    """Who wrote or deleted which version of the baseline, where S3's event says it: an account, and an address.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    detail = event.get("detail") or {}
    version = (detail.get("object") or {}).get("version-id")
    if event.get("source") != "aws.s3" or not version:
        return {}
    change = Change(
        event_id=str(event["id"]),
        event_name=str(event["detail-type"]),
        actor=str(detail.get("requester", "unknown")),
        at=datetime.fromisoformat(event["time"]),
        source_ip=str(detail.get("source-ip-address", "an unknown address")),
    )
    return {str(version): change}
