"""``GET /access-keys`` for people, the same for the drift report, and the daily count for the weekly digest."""

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from access_key_rotation.bootstrap import CAPABILITY, list_access_keys
from access_key_rotation.inventory_representation import csv_of, document_for_reports, inventory_document
from steward.errors import InvalidRequestError
from steward.observability import observe
from steward.rest_api import rest_api, wired

REQUESTED = "Access Keys Requested"
"""What a report of another capability asks with."""
LONGEST_AGE = 36_500
"""Days; an older key than of a century is a mistake."""

logger, metrics = observe(CAPABILITY)
app = rest_api(logger, metrics)
use_cases = wired(list_access_keys)


@app.get("/access-keys")
def list_keys() -> Response[Any]:
    """List every key of the account, or those of ``older_than`` days (``90d``); ``format`` is json or csv."""
    query = app.current_event.query_string_parameters or {}
    age, form = _age(query.get("older_than")), query.get("format", "json")
    if form not in {"json", "csv"}:
        raise InvalidRequestError(f"format must be json or csv, not {form[:40]!r}")
    inventory = use_cases().take()
    keys = inventory.keys if age is None else inventory.older_than(age)
    if form == "csv":
        name = f'attachment; filename="access-keys-{inventory.as_of:%Y-%m-%dT%H%MZ}.csv"'
        headers = {"Content-Disposition": name, "Last-Modified": f"{inventory.as_of:%a, %d %b %Y %H:%M:%S GMT}"}
        return Response(HTTPStatus.OK, "text/csv; charset=utf-8", csv_of(inventory, keys), headers=headers)
    document = inventory_document(inventory, keys, age, datetime.now(UTC))
    return Response(HTTPStatus.OK, "application/json", document)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the REST API or of a report, or publish the numbers when the schedule asks."""
    if event.get("detail-type") == REQUESTED:
        return document_for_reports(use_cases().take())
    if event.get("detail-type") != "Scheduled Event":
        return app.resolve(event, context)
    inventory = use_cases().count(str(event.get("id") or context.aws_request_id))
    logger.info("access keys counted", keys=len(inventory.keys), unreadable=list(inventory.unreadable))
    return {"keys": len(inventory.keys), "as_of": inventory.as_of.isoformat()}


def _age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})d", text, re.ASCII)
    if not found or int(found[1]) > LONGEST_AGE:
        raise InvalidRequestError(f"older_than is a number of days, such as 90d, and not {text[:40]!r}")
    return timedelta(days=int(found[1]))
