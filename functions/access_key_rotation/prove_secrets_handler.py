"""The hourly schedule's handler: verifies that the keys that consumers read still authenticate."""

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, prove_secrets
from steward.observability import observe

logger, metrics = observe(CAPABILITY)
_secret_proof = prove_secrets()


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Verify the current secrets, publish those that AWS refuses, and count those that could not be verified, too."""
    proof = _secret_proof.prove(str(event.get("id") or context.aws_request_id))
    metrics.add_metric("SecretsThatDoNotAuthenticate", MetricUnit.Count, len(proof.bad))
    metrics.add_metric("SecretsNotProven", MetricUnit.Count, len(proof.unclear))
    logger.info("secrets proven", good=proof.good, bad=list(proof.bad), unclear=dict(proof.unclear))
    return {"good": proof.good, "bad": list(proof.bad), "unclear": len(proof.unclear)}
