"""One shape for every REST route: who calls, what they sent, and errors as RFC 9457 problems.

The status of each branch of the error tree stands here and nowhere else.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from steward.errors import (
    AccessDeniedError,
    ConflictError,
    DeadlineError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    PreconditionFailedError,
    QuotaExceededError,
    RuleViolationError,
    SettingsError,
    StewardError,
    ThrottledError,
    TooLargeError,
    UnsupportedMediaTypeError,
    UpstreamError,
)
from steward.principals import Principal, session_of

MAX_BODY = 256 * 1024
"""Bytes of a request body that we read; the largest sensible batch is a tenth of it."""
MAX_DEPTH = 16
"""Levels of a body; a lifecycle policy document takes a third of them."""
ANSWER_WITHIN = timedelta(seconds=24)
"""API Gateway gives up after 29 seconds; a caller is answered well before that."""

STAGE = "v1"
"""The stage of the API in the template."""

PROBLEM_TYPE = "urn:ecr-steward:problem:"

_STATUS: dict[type[StewardError], tuple[HTTPStatus, str]] = {
    InvalidRequestError: (HTTPStatus.BAD_REQUEST, "malformed-request"),
    RuleViolationError: (HTTPStatus.UNPROCESSABLE_ENTITY, "rule-violation"),
    UnsupportedMediaTypeError: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type"),
    TooLargeError: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large"),
    NotAllowedError: (HTTPStatus.FORBIDDEN, "not-allowed"),
    QuotaExceededError: (HTTPStatus.TOO_MANY_REQUESTS, "quota-exceeded"),
    NotFoundError: (HTTPStatus.NOT_FOUND, "not-found"),
    ConflictError: (HTTPStatus.CONFLICT, "conflict"),
    PreconditionFailedError: (HTTPStatus.PRECONDITION_FAILED, "precondition-failed"),
    SettingsError: (HTTPStatus.SERVICE_UNAVAILABLE, "settings-unusable"),
    UpstreamError: (HTTPStatus.SERVICE_UNAVAILABLE, "upstream"),
    ThrottledError: (HTTPStatus.SERVICE_UNAVAILABLE, "throttled"),
    DeadlineError: (HTTPStatus.SERVICE_UNAVAILABLE, "time-used-up"),
    AccessDeniedError: (HTTPStatus.SERVICE_UNAVAILABLE, "service-permission-missing"),
}


def problem_of(error: StewardError, *, instance: str, request_id: str) -> dict[str, Any]:
    """An error of the tree as an RFC 9457 problem: what a response's body, or one item of a batch, says of it."""
    kind = next(cls for cls in type(error).__mro__ if cls in _STATUS)
    status, slug = _STATUS[kind]
    problem = _problem(status, slug, str(error), instance=instance, request_id=request_id)
    if error.code:
        problem["code"] = error.code
    if isinstance(error, NotAllowedError):
        problem["allowed"] = list(error.allowed)
    return problem


def _problem(status: HTTPStatus, slug: str, detail: str, *, instance: str, request_id: str) -> dict[str, Any]:
    return {
        "type": PROBLEM_TYPE + slug,
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": instance,
        "request_id": request_id,
    }


def _refused(event: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to an event that does not come from the stack's own API."""
    instance, request_id = str(event.get("path", "")), str(request.get("requestId", ""))
    detail = "the event does not come from the stage of this stack's API"
    problem = _problem(HTTPStatus.FORBIDDEN, "not-allowed", detail, instance=instance, request_id=request_id)
    headers = {"Content-Type": ["application/problem+json"]}
    return {"statusCode": HTTPStatus.FORBIDDEN.value, "body": _json(problem), "multiValueHeaders": headers}


def _json(body: object) -> str:
    return msgspec.json.encode(body, enc_hook=str).decode()


class RestApi(APIGatewayRestResolver):
    """A resolver that reads of the request at hand what routes ask for, and logs who asked for what.

    API Gateway's own access log needs a role that is set once for the whole account, so the line is ours.
    """

    def __init__(self, logger: Logger) -> None:
        super().__init__(serializer=_json)
        self._logger = logger

    def resolve(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one request, and log it: the caller, its session, where it came from, and the status.

        An event of another account or stage is refused. Whoever may invoke the function can write any event, so this
        keeps out mistakes and other gateways, and no attacker with that right; Lambda does not say who invokes.
        """
        request = event.get("requestContext") or {}
        came_from = request.get("accountId"), request.get("stage")
        if came_from != (os.environ.get("STEWARD_ACCOUNT"), STAGE):
            self._logger.warning("request of another gateway", account=came_from[0], stage=came_from[1])
            return _refused(event, request)
        answer = super().resolve(event, context)
        identity = request["identity"]
        self._logger.info(
            "request",
            method=event["httpMethod"],
            path=event["path"],
            status=answer["statusCode"],
            caller=identity.get("userArn"),
            session=session_of(identity.get("userArn") or ""),
            source_ip=identity.get("sourceIp"),
            user_agent=identity.get("userAgent"),
            api_request_id=request.get("requestId"),
        )
        return answer

    @property
    def caller(self) -> Principal:
        """The verified caller of a request that passed AWS_IAM authorization.

        Raises
        ------
        NotAllowedError
            The gateway names no principal that rules could speak of.
        """
        arn = self.current_event.request_context.identity.user_arn
        try:
            return Principal.from_arn(arn or "")
        except ValueError as error:
            raise NotAllowedError(f"the caller cannot be identified: {error}") from error

    @property
    def session(self) -> str:
        """The name of the caller's session, for people the user of IAM Identity Center; empty where it has none."""
        return session_of(self.current_event.request_context.identity.user_arn or "")

    @property
    def request_id(self) -> str:
        """API Gateway's id of the request, which also correlates the events that the request leads to."""
        return self.current_event.request_context.request_id or ""

    @property
    def deadline(self) -> datetime:
        """The moment by which the request must be answered, from the Lambda context's remaining time."""
        remaining = timedelta(milliseconds=self.lambda_context.get_remaining_time_in_millis()) - timedelta(seconds=2)
        return datetime.now(UTC) + min(ANSWER_WITHIN, remaining)

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be changed: ``?dry_run=true``. Raises InvalidRequestError."""
        return self.flag("dry_run")

    def flag(self, name: str) -> bool:
        """Whether a query parameter is true; it is false where it is left out. Raises InvalidRequestError."""
        asked = (self.current_event.query_string_parameters or {}).get(name, "false").lower()
        if asked not in {"true", "false"}:
            raise InvalidRequestError(f"{name} must be true or false, not {asked!r}")
        return asked == "true"

    @property
    def media_type(self) -> str:
        """The type of the body, without parameters such as its charset; empty where the request names none."""
        return (self.current_event.headers.get("content-type") or "").partition(";")[0].strip().lower()

    def json_body(self) -> dict[str, Any]:
        """The request's body, a JSON object; empty where there is no body.

        Raises
        ------
        UnsupportedMediaTypeError, TooLargeError, InvalidRequestError
            It is not of type application/json, is larger than ``MAX_BODY``, or is not a JSON object.
        """
        event = self.current_event
        if not event.body:
            return {}
        if self.media_type != "application/json":
            raise UnsupportedMediaTypeError(
                f"send the body as application/json, not as {self.media_type or 'an unspecified type'}"
            )
        size = len(event.body.encode())
        if size > MAX_BODY:
            raise TooLargeError(f"the body has {size} bytes; this API accepts at most {MAX_BODY}")
        try:
            body = msgspec.json.decode(event.decoded_body or "")
        except (ValueError, RecursionError) as error:
            raise InvalidRequestError(f"the body is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise InvalidRequestError(f"the body is a JSON {_JSON_NAMES[type(body)]}; send an object")
        if _nests_deeper(body, MAX_DEPTH):
            raise InvalidRequestError(f"the body nests deeper than the {MAX_DEPTH} levels that this API accepts")
        return body

    def problem_of(self, error: StewardError) -> dict[str, Any]:
        """An error as a problem of this request."""
        return problem_of(error, instance=self.current_event.path, request_id=self.request_id)


def contract_of(capability: str) -> Response[str]:
    """The ``openapi.json`` of a capability's package, as it is committed."""
    text = (files(capability) / "openapi.json").read_text(encoding="utf-8")
    return Response(HTTPStatus.OK, "application/json", text)


def rest_api(logger: Logger, metrics: Metrics) -> RestApi:
    """A resolver that answers every error, also an unexpected one, as a problem and counts it as a metric.

    Each request leaves one line in the log: who called, in which session, from where, and the status of the answer.
    """
    app = RestApi(logger)

    def answer(problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response[str]:
        # As text: Powertools serializes application/json alone, and the gateway makes a 502 of a body that is no text.
        return Response(problem["status"], "application/problem+json", _json(problem), headers=headers)

    @app.exception_handler(StewardError)
    def known(error: StewardError) -> Response[str]:
        problem = app.problem_of(error)
        if isinstance(error, SettingsError | UpstreamError):
            logger.error("request failed", problem=problem)
            name = "SettingsUnusable" if isinstance(error, SettingsError) else "UpstreamFailures"
            metrics.add_metric(name, MetricUnit.Count, 1)
        else:
            logger.info("request refused", problem=problem)
        return answer(problem, {"Retry-After": str(error.after_seconds)} if error.after_seconds else None)

    @app.exception_handler(Exception)
    def unknown(error: Exception) -> Response[str]:
        # The last resort of a request: it is logged with its stack, and the caller gets an id to ask about.
        logger.error("unexpected error", exc_info=error)
        metrics.add_metric("UnexpectedErrors", MetricUnit.Count, 1)
        detail = "internal error; give the request_id to the operator"
        return answer(_here(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", detail))

    @app.not_found
    def no_route(_: RouteNotFoundError) -> Response[str]:
        return answer(_here(HTTPStatus.NOT_FOUND, "no-such-route", "no route of this API has this method and path"))

    def _here(status: HTTPStatus, slug: str, detail: str) -> dict[str, Any]:
        return _problem(status, slug, detail, instance=app.current_event.path, request_id=app.request_id)

    return app


def wired[T](compose: Callable[[], T]) -> Callable[[], T]:
    """The use cases, composed once, and now: while Lambda initialises, which costs a request nothing.

    Unusable settings are raised, and so answered, for every request.
    """
    use_cases = cache(compose)
    with suppress(SettingsError):
        use_cases()
    return use_cases


def _nests_deeper(value: object, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_nests_deeper(item, depth - 1) for item in inner)


_JSON_NAMES = {list: "array", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
