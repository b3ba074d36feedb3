"""The operators' REST API: list service users, rotate now, respond to a leak, reactivate a key."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, operate_service_users
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Reason
from access_key_rotation.representation import detailed, representation_of, requested
from steward.errors import RuleViolationError
from steward.observability import observe
from steward.path_segments import identifier_in
from steward.rest_api import contract_of, rest_api, wired

LONGEST_REASON = 500

logger, metrics = observe(CAPABILITY)
app = rest_api(logger, metrics)
use_cases = wired(operate_service_users)


@app.get("/service-users")
def list_users() -> Response[dict[str, Any]]:
    """List every service user: state, keys, next step, what blocks it."""
    now = datetime.now(UTC)
    users = [representation_of(shown, now) for shown in use_cases().list()]
    return Response(HTTPStatus.OK, "application/json", {"service_users": users})


@app.get("/service-users/<name>")
def show_user(name: str) -> Response[dict[str, Any]]:
    """Return one service user, the latest uses of its old keys, and its targets of secret sync."""
    user = UserName(identifier_in(name))
    shown, uses, sync = use_cases().show(user)
    return Response(HTTPStatus.OK, "application/json", detailed(shown, uses, sync, datetime.now(UTC)))


@app.post("/service-users/<name>/rotation")
def request_rotation(name: str) -> Response[dict[str, Any]]:
    """Request a rotation: {"reason": "routine"}, or {"reason": "compromised", "key_id": "AKIA…"}."""
    body = _body("reason", "key_id")
    try:
        reason = Reason(body.get("reason", "routine"))
    except ValueError as error:
        raise RuleViolationError(f"reason must be routine or compromised, not {body['reason']!r}") from error
    key_id = body.get("key_id")
    if "key_id" in body and not (isinstance(key_id, str) and key_id):
        raise RuleViolationError("key_id is the id of a key, such as AKIA…; leave it out for the current one")
    asked = use_cases().request_rotation(
        UserName(identifier_in(name)),
        reason,
        key_id,
        str(app.caller),
        app.request_id,
        dry_run=app.dry_run,
        session=app.session,
    )
    status = HTTPStatus.OK if asked.dry_run else HTTPStatus.ACCEPTED
    return Response(status, "application/json", requested(asked))


@app.delete("/service-users/<name>/rotation")
def withdraw_rotation(name: str) -> Response[dict[str, Any]]:
    """Withdraw a requested rotation that has not begun."""
    user = UserName(identifier_in(name))
    key_id = use_cases().withdraw(user, str(app.caller), app.request_id, session=app.session)
    return Response(HTTPStatus.OK, "application/json", {"name": user, "key_id": key_id, "withdrawn": True})


@app.post("/service-users/<name>/check")
def check_user(name: str) -> Response[dict[str, Any]]:
    """Have the worker look at one user again, now."""
    user = UserName(identifier_in(name))
    shown = use_cases().check(user, str(app.caller), app.request_id, session=app.session)
    return Response(HTTPStatus.ACCEPTED, "application/json", representation_of(shown, datetime.now(UTC)))


@app.post("/service-users/<name>/reactivation")
def reactivate(name: str) -> Response[dict[str, Any]]:
    """Reactivate the previous key and freeze the user: {"reason": "…"}."""
    reason = _body("reason").get("reason")
    if not isinstance(reason, str) or not reason.strip() or len(reason) > LONGEST_REASON:
        raise RuleViolationError(
            f'say why, in at most {LONGEST_REASON} letters: {{"reason": "the build server cannot read the secret"}}'
        )
    user = UserName(identifier_in(name))
    key_id = use_cases().reactivate(user, str(app.caller), reason, app.request_id, session=app.session)
    return Response(HTTPStatus.OK, "application/json", {"name": user, "key_id": key_id, "frozen": reason})


@app.get("/openapi/service-users.json")
def contract() -> Response[str]:
    """The contract of this API."""
    return contract_of("access_key_rotation")


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the REST API."""
    return app.resolve(event, context)


def _body(*fields: str) -> dict[str, Any]:
    body = app.json_body()
    if unknown := sorted(body.keys() - set(fields)):
        raise RuleViolationError(f"there is no field {unknown[0]!r}; send {' and '.join(fields)}")
    return body
