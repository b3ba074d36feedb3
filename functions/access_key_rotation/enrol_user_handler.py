"""``POST`` and ``DELETE /service-users/{name}/enrolment``: a user that exists is enrolled, or leaves."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.application.enrol_user import Caller
from access_key_rotation.bootstrap import CAPABILITY, enrol_user
from access_key_rotation.domain.enrolment import FirstSecret
from access_key_rotation.domain.names import UserName
from access_key_rotation.representation import planned_document
from steward.errors import RuleViolationError
from steward.observability import observe
from steward.path_segments import identifier_in
from steward.rest_api import rest_api, wired

logger, metrics = observe(CAPABILITY)
app = rest_api(logger, metrics)
use_cases = wired(enrol_user)


@app.post("/service-users/<name>/enrolment")
def enrol(name: str) -> Response[dict[str, Any]]:
    """Enrol a user: {"first_secret": "new-key"} or "present-key". A key itself is never part of a request."""
    body = app.json_body()
    if unknown := sorted(body.keys() - {"first_secret"}):
        hint = "; the API takes no key: its holder stores it in the secret" if "key" in unknown[0].lower() else ""
        raise RuleViolationError(f"there is no field {unknown[0][:40]!r}; send first_secret{hint}")
    try:
        first = FirstSecret(body.get("first_secret", FirstSecret.NEW_KEY))
    except ValueError as error:
        raise RuleViolationError("first_secret must be new-key or present-key") from error
    dry_run = app.dry_run
    planned = use_cases().enrol(UserName(identifier_in(name)), first, _caller(), dry_run=dry_run)
    return Response(HTTPStatus.OK if dry_run else HTTPStatus.ACCEPTED, "application/json", planned_document(planned))


@app.delete("/service-users/<name>/enrolment")
def leave(name: str) -> Response[dict[str, Any]]:
    """Let a user leave: its keys and its secret stay as they are, without rotation."""
    planned = use_cases().leave(UserName(identifier_in(name)), _caller(), dry_run=app.dry_run)
    return Response(HTTPStatus.OK, "application/json", planned_document(planned))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the REST API."""
    return app.resolve(event, context)


def _caller() -> Caller:
    return Caller(str(app.caller), app.session, app.request_id)
