"""The schedule's handler: publishes which users are due."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, plan_rotations
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_planner = plan_rotations()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Publish which users are due; Lambda retries a failure, and so does the next run."""
    plan = _planner.plan(str(event.get("id") or context.aws_request_id))
    metrics.add_metric("UsersDue", MetricUnit.Count, len(plan.due))
    metrics.add_metric("UsersPostponed", MetricUnit.Count, plan.postponed)
    metrics.add_metric("UsersEnrolled", MetricUnit.Count, plan.enrolled)
    metrics.add_metric("UsersBlocked", MetricUnit.Count, plan.blocked)
    if plan.oldest_key is not None:
        metrics.add_metric("OldestKeyDays", MetricUnit.Count, plan.oldest_key / timedelta(days=1))
    logger.info("users planned", enrolled=plan.enrolled, due=list(plan.due), postponed=plan.postponed)
    return {"enrolled": plan.enrolled, "due": len(plan.due), "postponed": plan.postponed}
