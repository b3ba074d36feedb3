"""What a REST API refuses by itself, answered through its gateway responses.

MiniStack answers a refusal by IAM and a function that failed in its own words, so that a client sees
``application/problem+json`` from the function and something else from the gateway; it takes bodies of any size, and
signatures that were made for another service or region. Here these are ``ACCESS_DENIED``, ``DEFAULT_5XX`` with status
502, ``REQUEST_TOO_LARGE`` and ``INVALID_SIGNATURE``, as on AWS.

Sources: "Gateway response types" and "Quotas for configuring and running a REST API" (payload size: 10 MB),
Amazon API Gateway developer guide.
"""

import json
import re
from typing import Any

from ministack import app
from ministack.core.responses import new_uuid, request_scope
from ministack.services import apigateway_v1

from local.scratch_account import Reply, answer, scratch_account

GAP = "gateway responses for what a REST API refuses by itself"
RELIES_ON = (
    "app._enforce_execute_api",
    "app._execute_api_authorization_type",
    "services.apigateway_v1._GatewayError",
    "services.apigateway_v1._create_rest_api",
    "services.apigateway_v1._delete_rest_api",
    "services.apigateway_v1._deployed_gateway_responses",
    "services.apigateway_v1._gateway_error_response",
    "services.apigateway_v1._invoke_lambda_proxy_v1",
    "services.apigateway_v1._lambda_proxy_response",
    "services.apigateway_v1._stages_v1",
    "services.apigateway_v1.find_api_scope",
    "services.apigateway_v1.handle_execute",
    "services.apigateway_v1.stages_for_api",
)

LARGEST_BODY = 10 * 1024 * 1024
"""The largest request that a REST API takes, in bytes."""

_SERVICE = "execute-api"
_SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]*)/(?P<service>[^/]*)/aws4_request")
_FORBIDDEN, _BAD_GATEWAY = 403, 502


class _FunctionFailedError(Exception):
    """The function behind a proxy integration ended with an error."""


def is_still_missing() -> bool:
    """Whether a body of more than 10 MB reaches the API's methods."""
    with scratch_account():
        api_id = json.loads(apigateway_v1._create_rest_api({"name": "probe"})[2])["id"]
        apigateway_v1._stages_v1[api_id] = {"v1": {"stageName": "v1"}}
        reply = answer(apigateway_v1.handle_execute(api_id, "v1", "PUT", "/", {}, bytes(LARGEST_BODY + 1), {}))
        apigateway_v1._delete_rest_api(api_id)
    return reply[0] != 413  # noqa: PLR2004 - Content Too Large


def install() -> None:
    """Answer them through the stage's gateway responses."""
    _deny_through_gateway_responses()
    _refuse_large_bodies()
    _fail_through_gateway_responses()
    _send_every_header_once()


def _deny_through_gateway_responses() -> None:
    enforce = app._enforce_execute_api

    def enforce_execute_api(
        api_id: str,
        stage: str,
        method: str,
        path: str,
        headers: dict[str, str],
        query: dict[str, Any],
        *rest: Any,
        **options: Any,
    ) -> Reply | None:
        if app._execute_api_authorization_type(api_id, stage, method, path) == "AWS_IAM":
            message = _wrong_scope(api_id, headers)
            if message:
                return _gateway_response(api_id, stage, "INVALID_SIGNATURE", message, headers, query)
        refused: Reply | None = enforce(api_id, stage, method, path, headers, query, *rest, **options)
        message = _denial(refused)
        if message is None:
            return refused
        return _gateway_response(api_id, stage, "ACCESS_DENIED", message, headers, query) or refused

    app._enforce_execute_api = enforce_execute_api


def _wrong_scope(api_id: str, headers: dict[str, str]) -> str | None:
    """What is wrong with what a signature was made for; ``None`` for the right scope, and without a signature."""
    signed_for = _SCOPE.search(headers.get("authorization", ""))
    home = apigateway_v1.find_api_scope(api_id)
    if signed_for is None or home is None:
        return None
    if signed_for["service"] != _SERVICE:
        return f"Credential should be scoped to correct service: '{_SERVICE}'."
    return (
        None
        if signed_for["region"] == home[1]
        else f"Credential should be scoped to a valid region, not '{signed_for['region']}'."
    )


def _denial(refused: Reply | None) -> str | None:
    """The message of a refusal by IAM that MiniStack put in its own words."""
    if refused is None or refused[0] != _FORBIDDEN:
        return None
    document = json.loads(refused[2])
    is_denial = str(document.get("__type", "")).startswith("AccessDenied")
    return str(document.get("message") or document.get("Message") or "") if is_denial else None


def _refuse_large_bodies() -> None:
    handle_execute = apigateway_v1.handle_execute

    async def handle(
        api_id: str, stage: str, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Reply:
        if len(body or b"") > LARGEST_BODY:
            message = "Request Too Large"
            refused = _gateway_response(api_id, stage, "REQUEST_TOO_LARGE", message, headers, query)
            if refused:
                return refused
        reply: Reply = await handle_execute(api_id, stage, method, path, headers, body, query)
        return reply

    apigateway_v1.handle_execute = handle


def _fail_through_gateway_responses() -> None:
    proxy_response, invoke = apigateway_v1._lambda_proxy_response, apigateway_v1._invoke_lambda_proxy_v1

    def proxy_response_or_failure(result: dict[str, Any]) -> tuple[Any, None]:
        response, error = proxy_response(result)
        if error:
            raise _FunctionFailedError(error)
        return response, None

    async def invoke_function(*arguments: Any, **options: Any) -> Any:
        try:
            return await invoke(*arguments, **options)
        except _FunctionFailedError:
            failure = apigateway_v1._GatewayError("DEFAULT_5XX", "Internal server error")
            failure.is_function_failure = True
            return failure

    apigateway_v1._lambda_proxy_response = proxy_response_or_failure
    apigateway_v1._invoke_lambda_proxy_v1 = invoke_function


def _send_every_header_once() -> None:
    gateway_error_response = apigateway_v1._gateway_error_response

    def error_response(error: Any, request: dict[str, Any]) -> Reply:
        status, headers, body = gateway_error_response(error, request)
        once = {name.lower(): (name, value) for name, value in headers.items()}
        return _failure_status(error, request) or status, dict(once.values()), body

    apigateway_v1._gateway_error_response = error_response


def _failure_status(error: Any, request: dict[str, Any]) -> int | None:
    """502 for a function that failed, unless the API says another status for ``DEFAULT_5XX``."""
    if not getattr(error, "is_function_failure", False):
        return None
    deployed = apigateway_v1._deployed_gateway_responses.get(request["api_id"], {})
    customized = deployed.get(request["stage"].get("deploymentId")) or {}
    return None if customized.get("DEFAULT_5XX", {}).get("statusCode") else _BAD_GATEWAY


def _gateway_response(
    api_id: str, stage: str, kind: str, message: str, headers: dict[str, str], query: dict[str, Any]
) -> Reply | None:
    """A gateway response of a stage; ``None`` when it is no REST API or has no such stage."""
    scope = apigateway_v1.find_api_scope(api_id)
    settings = apigateway_v1.stages_for_api(api_id).get(stage) if scope else None
    if settings is None:
        return None
    request = {
        "api_id": api_id,
        "stage_name": stage,
        "stage": settings,
        "headers": headers,
        "query_params": query,
        "path_params": {},
        "resource_path": "",
        "request_id": new_uuid(),
    }
    with request_scope(*scope):
        response: Reply = apigateway_v1._gateway_error_response(apigateway_v1._GatewayError(kind, message), request)
    return response
