"""``$context.path`` in gateway responses: the path that was asked for, with its stage.

MiniStack leaves the variable as it is written.

Source: Amazon API Gateway developer guide, "Variables for data transformations for API Gateway", context.path.
"""

import contextvars
import urllib.parse
from typing import Any

from ministack import app
from ministack.services import apigateway_v1

from local.scratch_account import Reply, scratch_account

GAP = "$context.path in gateway responses"
RELIES_ON = (
    "app._enforce_execute_api",
    "services.apigateway_v1._GatewayError",
    "services.apigateway_v1._gateway_error_response",
    "services.apigateway_v1._gateway_responses",
    "services.apigateway_v1.handle_execute",
)

_VARIABLE = b"$context.path"

_path = contextvars.ContextVar("path", default="")


def is_still_missing() -> bool:
    """Whether the variable is left as it is written."""
    request = {"api_id": "probe", "stage_name": "v1", "stage": {}, "headers": {}, "query_params": {}, "path_params": {}}
    template = {"responseTemplates": {"application/json": _VARIABLE.decode()}}
    with scratch_account():
        apigateway_v1._gateway_responses["probe"] = {"DEFAULT_4XX": {"statusCode": "400"} | template}
        error = apigateway_v1._GatewayError("THROTTLED", "probe")
        reply = apigateway_v1._gateway_error_response(error, request | {"resource_path": "", "request_id": ""})
        apigateway_v1._gateway_responses.pop("probe")
    return bool(reply[2] == _VARIABLE)


def install() -> None:
    """Keep the path of a request, and write it where a gateway response asks for it."""
    enforce, handle_execute = app._enforce_execute_api, apigateway_v1.handle_execute
    gateway_error_response = apigateway_v1._gateway_error_response

    def enforce_execute_api(api_id: str, stage: str, method: str, path: str, *rest: Any, **options: Any) -> Any:
        _path.set(_with_stage(stage, path))
        return enforce(api_id, stage, method, path, *rest, **options)

    async def handle(api_id: str, stage: str, method: str, path: str, *rest: Any, **options: Any) -> Reply:
        _path.set(_with_stage(stage, path))
        reply: Reply = await handle_execute(api_id, stage, method, path, *rest, **options)
        return reply

    def error_response(error: Any, request: dict[str, Any]) -> Reply:
        status, headers, body = gateway_error_response(error, request)
        return status, headers, body.replace(_VARIABLE, _path.get().encode())

    app._enforce_execute_api = enforce_execute_api
    apigateway_v1.handle_execute = handle
    apigateway_v1._gateway_error_response = error_response


def _with_stage(stage: str, path: str) -> str:
    return urllib.parse.quote(f"/{stage}/{path.lstrip('/')}", safe="/%")
