"""AWS Health's handler: AWS found one of the account's access keys in public."""

import re
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, replace_exposed_keys
from steward.errors import InvalidRequestError
from steward.observability import observe

KEY_ID = re.compile(r"[A-Z0-9]{16,128}")
"""Capital letters and digits, so that the name of a user is not taken for a key that is gone.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html (AccessKeyId)"""

logger, metrics = observe(CAPABILITY)
_exposed_keys = replace_exposed_keys()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Request the rotation of every service user with a key that the event names.

    An event that names no key, or a key whose owner is not known, ends in the dead letters, where a person sees it.

    Source: https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html
    """
    named = _keys_of(event)
    told = _exposed_keys.report(named, str(event.get("id") or context.aws_request_id))
    metrics.add_metric("ExposedKeys", MetricUnit.Count, len(named))
    logger.warning("exposed keys reported", key_ids=named, of_service_users=told)


def _keys_of(event: dict[str, Any]) -> list[str]:
    try:
        named = [entity["entityValue"] for entity in event["detail"]["affectedEntities"]]
    except (KeyError, TypeError) as error:
        raise InvalidRequestError(
            "an event of AWS Health lists detail.affectedEntities, each with entityValue"
        ) from error
    unfit = [value for value in named if not (isinstance(value, str) and KEY_ID.fullmatch(value))]
    if unfit or not named:
        raise InvalidRequestError(f"AWS Health names no access key: {unfit or 'affectedEntities is empty'}")
    return named
