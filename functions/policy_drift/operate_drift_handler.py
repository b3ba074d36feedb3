"""The operators' REST API: findings, acknowledgements, scans, the baseline."""

import re
from datetime import datetime
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from policy_drift.application.operate_drift import AcknowledgementRequest
from policy_drift.bootstrap import CAPABILITY, operate_drift
from policy_drift.domain.decision import LONGEST_REASON, LONGEST_REFERENCE, Decision
from policy_drift.domain.finding import State
from policy_drift.representation import (
    LONGEST_PAGE,
    USUAL_PAGE,
    adopted_representation,
    baseline_representation,
    detailed,
    export,
    page_in,
    page_of,
    representation_of,
)
from steward.errors import InvalidRequestError, RuleViolationError, UnsupportedMediaTypeError
from steward.observability import observe
from steward.path_segments import identifier_in
from steward.rest_api import contract_of, rest_api, wired

logger, metrics = observe(CAPABILITY)
app = rest_api(logger, metrics)
use_cases = wired(operate_drift)


@app.get("/drift/findings")
def list_findings() -> Response[dict[str, Any]]:
    """The open findings; with ?state=, those in a state, or all. In pages: ?limit=, and ?next= of the page before."""
    query = app.current_event.query_string_parameters or {}
    page = page_in(query["next"]) if "next" in query else None
    asked = query.get("state", page.state if page else State.OPEN).upper()
    if asked != "ALL" and asked not in set(State):
        raise InvalidRequestError(f"state is one of {', '.join(State)} or ALL, not {asked!r}")
    limit = query.get("limit", str(page.limit if page else USUAL_PAGE))
    if not limit.isascii() or not limit.isdecimal() or not 1 <= int(limit) <= LONGEST_PAGE:
        raise InvalidRequestError(f"limit is a number from 1 to {LONGEST_PAGE}, not {limit!r}")
    states = frozenset(State) if asked == "ALL" else {State(asked)}
    found = use_cases().in_states(states, page.after if page else None)
    shown, more = page_of(found, asked, int(limit))
    return Response(HTTPStatus.OK, "application/json", {"findings": shown, "next": more})


@app.get("/drift/findings/<finding_id>")
def show_finding(finding_id: str) -> Response[dict[str, Any]]:
    """One finding: both sides, what proves it, how it is reverted and approved, and how a resolved one ended."""
    finding = use_cases().show(identifier_in(finding_id))
    return Response(HTTPStatus.OK, "application/json", detailed(finding, use_cases().revert(finding)))


@app.post("/drift/findings/<finding_id>/acknowledgement")
def acknowledge(finding_id: str) -> Response[dict[str, Any]]:
    """Answer for a finding until a day: {"reason", "owner", "expires", "fingerprint"}."""
    given = acknowledging(app.json_body())
    finding = use_cases().acknowledge(identifier_in(finding_id), given, _decision(), app.request_id)
    return Response(HTTPStatus.OK, "application/json", representation_of(finding))


@app.post("/drift/scans")
def request_scan() -> Response[dict[str, Any]]:
    """Start a scan; DriftScanCompleted is published under the same id when it ends."""
    use_cases().request_scan(app.request_id, str(app.caller))
    return Response(HTTPStatus.ACCEPTED, "application/json", {"scan_id": app.request_id})


@app.get("/drift/report")
def show_report() -> Response[dict[str, Any]]:
    """A link to the latest report, for some minutes; ?format=json for programs."""
    extension = (app.current_event.query_string_parameters or {}).get("format", "html")
    if extension not in {"html", "json"}:
        raise InvalidRequestError(f"format is html or json, not {extension!r}")
    link = use_cases().report(extension, str(app.caller), app.request_id)
    answer = {"report": link.url, "expires_in": link.seconds, "sha256": link.sha256}
    return Response(HTTPStatus.OK, "application/json", answer)


@app.get("/drift/baseline")
def show_baseline() -> Response[dict[str, Any]]:
    """Which baseline is in force, a link to it, and what is acknowledged beside it."""
    record, link, acknowledged = use_cases().baseline()
    return Response(
        HTTPStatus.OK, "application/json", export(record, link, acknowledged), headers={"ETag": f'"{record.version}"'}
    )


@app.put("/drift/baseline")
def upload_baseline() -> Response[dict[str, Any]]:
    """Put another baseline in force: the body, or ?uploaded=; If-Match names the version that it replaces."""
    event = app.current_event
    condition = event.headers.get("if-match")
    replaces = condition.strip().strip('"') if condition else None
    record = use_cases().upload(_document(), replaces=replaces, by=_decision(), run=app.request_id)
    if record is None:
        return Response(HTTPStatus.ACCEPTED, "application/json", {"scan_id": app.request_id})
    return Response(HTTPStatus.OK, "application/json", baseline_representation(record))


@app.post("/drift/baseline/uploads")
def prepare_upload() -> Response[dict[str, Any]]:
    """A link for a baseline that is too large for a request: {"sha256", "size"}."""
    match app.json_body():
        case {"sha256": str(sha256), "size": int(size), **more} if not more and not isinstance(size, bool):
            link = use_cases().upload_link(_sha256(sha256), size)
        case _:
            raise RuleViolationError('send {"sha256": "…", "size": bytes} and nothing else')
    answer = {"upload": link.url, "headers": dict(link.headers), "expires_in": link.seconds}
    return Response(HTTPStatus.CREATED, "application/json", answer)


@app.post("/drift/baseline/adoptions")
def adopt() -> Response[dict[str, Any]]:
    """Approve findings as they were reviewed: {"findings": [{"id", "fingerprint"}]}, also "reason" and "reference"."""
    body = app.json_body()
    decision = _decision(_short(body, "reason", LONGEST_REASON), _short(body, "reference", LONGEST_REFERENCE))
    record, approved = use_cases().adopt(reviewed(body), decision, app.request_id)
    return Response(HTTPStatus.OK, "application/json", adopted_representation(record, approved))


@app.get("/openapi/drift.json")
def contract() -> Response[str]:
    """The contract of this API."""
    return contract_of("policy_drift")


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the REST API."""
    return app.resolve(event, context)


def _document() -> bytes:
    """The baseline that was sent: in the body, or to a link before."""
    event = app.current_event
    text = (event.decoded_body or "").encode()
    query = event.query_string_parameters or {}
    if "uploaded" in query:
        if text:
            raise RuleViolationError("send a body or uploaded, not both")
        return use_cases().uploaded(_sha256(query["uploaded"]))
    if app.media_type != "application/json":
        raise UnsupportedMediaTypeError("send the baseline as application/json")
    return text


def _sha256(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise RuleViolationError(f"a SHA-256 has 64 hexadecimal digits in lower case, not {text!r}")
    return text


def _decision(reason: str = "", reference: str = "") -> Decision:
    return Decision(str(app.caller), app.session, reason, reference)


def _short(body: dict[str, Any], field: str, longest: int) -> str:
    """Take a text out of the body; empty where it is not there. Raises RuleViolationError."""
    text = body.pop(field, "")
    if not isinstance(text, str) or len(text) > longest:
        raise RuleViolationError(f"{field} is a text of at most {longest} characters")
    return text


def acknowledging(body: dict[str, Any]) -> AcknowledgementRequest:
    """What was sent to answer for a finding. Raises RuleViolationError."""
    reference = _short(body, "reference", LONGEST_REFERENCE)
    fields = {"reason", "owner", "expires", "fingerprint"}
    if body.keys() != fields or not all(isinstance(value, str) for value in body.values()):
        raise RuleViolationError(f"send {', '.join(sorted(fields))}, each a text, and nothing else")
    try:
        expires = datetime.fromisoformat(body["expires"])
    except ValueError as error:
        raise RuleViolationError(f"expires is no time of ISO 8601: {body['expires']!r}") from error
    if expires.tzinfo is None:
        raise RuleViolationError("expires needs a time zone, such as 2027-01-31T00:00:00Z")
    return AcknowledgementRequest(body["reason"], body["owner"], expires, body["fingerprint"], reference)


def reviewed(body: dict[str, Any]) -> dict[str, str]:
    """The fingerprints that were reviewed, by finding id. Raises RuleViolationError."""
    match body:
        case {"findings": [*found]} if found and len(body) == 1:
            pairs = [(item.get("id"), item.get("fingerprint")) for item in found if isinstance(item, dict)]
            sound = {one: other for one, other in pairs if isinstance(one, str) and isinstance(other, str)}
            if len(sound) == len(found):
                return sound
    raise RuleViolationError('send {"findings": [{"id": "…", "fingerprint": "…"}]}, each finding once')
