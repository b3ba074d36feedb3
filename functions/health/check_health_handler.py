"""The operators' REST API: the state of the stack."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from health.bootstrap import CAPABILITY, check_health
from steward.observability import observe
from steward.rest_api import contract_of, rest_api, wired

logger, metrics = observe(CAPABILITY)
app = rest_api(logger, metrics)
use_case = wired(check_health)


@app.get("/health")
def show_health() -> Response[dict[str, object]]:
    """Every check with its state; 200 also for a broken stack, because the question was answered."""
    report = use_case().check()
    logger.info("health checked", state=report.state.value)
    return Response(HTTPStatus.OK, "application/json", report.document())


@app.get("/openapi/health.json")
def contract() -> Response[str]:
    """The contract of this API."""
    return contract_of("health")


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the REST API."""
    return app.resolve(event, context)
