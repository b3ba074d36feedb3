"""The schedule's entry, and that of operators: compares every repository of the registry with the house rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from repository_provisioning.bootstrap import CAPABILITY, scan_fleet
from steward.observability import observe

RESERVE = timedelta(seconds=60)
"""What a run leaves of its time: for a part that is slower than those before it, and for what follows the last one."""

logger, metrics = observe(CAPABILITY)
_scan_fleet = scan_fleet()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Scan, or go on with a scan; what fails escapes, so that Lambda invokes again."""
    run_id = str(event.get("id") or context.aws_request_id)
    stop_at = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis()) - RESERVE
    outcome = _scan_fleet.scan(run_id, stop_at, requested="requested_by" in event)
    if outcome.completed is None:
        scan = outcome.running
        logger.info("scan not complete", run=run_id, reason=outcome.reason, cursor=scan.cursor if scan else None)
        return {"scan": scan.scan_id if scan else None, "complete": False, "reason": outcome.reason}
    done, totals = outcome.completed, outcome.completed.totals
    logger.info(
        "registry scanned",
        scan=done.scan_id,
        repositories=totals.repositories,
        owners=totals.owners,
        calls=totals.aws_calls,
        seconds=totals.seconds,
    )
    metrics.add_metric("FleetScansCompleted", MetricUnit.Count, 1)
    return {"scan": done.scan_id, "complete": True, "repositories": totals.repositories, "calls": totals.aws_calls}
