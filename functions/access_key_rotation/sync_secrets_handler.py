"""Brings the targets of secret sync up to date: after a rotation, and every quarter of an hour."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, sync_secrets
from access_key_rotation.domain.names import UserName
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_sync = sync_secrets()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Write the current keys where they are late. The event only names a user; all else is read again."""
    correlation_id = str(event.get("id") or context.aws_request_id)
    if event.get("detail-type") == "AccessKeyRotated":
        detail = event["detail"]
        done = _sync.sync(UserName(detail["data"]["user_name"]), detail["metadata"]["correlation_id"])
    else:
        done = _sync.sync_all(correlation_id)
    logger.info("secrets synced", confirmed=done.confirmed, failed=dict(done.failed), unclear=dict(done.unclear))
    return {"confirmed": done.confirmed, "failed": sorted(done.failed), "unclear": sorted(done.unclear)}
