"""Secrets Manager's handler: "Rotate secret immediately", ``aws secretsmanager rotate-secret``, and its schedule."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, rotate_secret
from access_key_rotation.domain.names import UserName
from steward.errors import InvalidRequestError
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_secret_rotation = rotate_secret()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Take one step; Secrets Manager shows an error and retries the step."""
    user, version, step = UserName.of_secret(event["SecretId"]), event["ClientRequestToken"], event["Step"]
    match step:
        case "createSecret":
            _secret_rotation.create_secret(user, version, context.aws_request_id)
        case "setSecret":
            pass  # IAM made the key; there is nothing to set elsewhere
        case "testSecret":
            _secret_rotation.test_secret(user, version)
        case "finishSecret":
            _secret_rotation.finish_secret(user, version, context.aws_request_id)
        case _:
            raise InvalidRequestError(f"{step!r} is no step of a rotation")
    metrics.add_metric("StepsTaken", MetricUnit.Count, 1)
    logger.info("rotation step done", step=step, user=user)
