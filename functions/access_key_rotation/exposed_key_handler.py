"""AWS Health's entry: AWS found one of the account's access keys in public."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, exposed_keys
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_exposed_keys = exposed_keys()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:  # noqa: ARG001 - Lambda's signature
    """Ask for the rotation of every service user whose key the event names.

    Source: https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html
    """
    named = [entity["entityValue"] for entity in event["detail"].get("affectedEntities", [])]
    told = _exposed_keys.report(named, str(event["id"]))
    logger.warning("exposed keys reported", key_ids=named, of_service_users=told)
