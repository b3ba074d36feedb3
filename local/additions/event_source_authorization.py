"""IAM decides about an event source mapping on the function that it invokes.

MiniStack gives the condition key ``lambda:FunctionArn`` no value, so that a statement with this condition never
applies, and lets everybody change and delete mappings, because it has no action for these calls.

Which function an update is decided on that names another one, AWS does not say. Here it is decided on the present one.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Lambda",
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
"""

import json
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import lambda_svc

from local.scratch_account import scratch_account

GAP = "IAM decisions on the function of an event source mapping"
RELIES_ON = (
    "core.iam_actions._lambda_action",
    "core.iam_actions.request_tag_context",
    "core.iam_evaluator.enforce",
    "services.lambda_svc._esms",
    "services.lambda_svc._func_arn",
    "services.lambda_svc._resolve_request_scoped_name_and_qualifier",
)

_CREATES = "lambda:CreateEventSourceMapping"
_OF_ONE = {"GET": "GetEventSourceMapping", "PUT": "UpdateEventSourceMapping", "DELETE": "DeleteEventSourceMapping"}
_PATH = "event-source-mappings"
_KEY = "lambda:FunctionArn"


def is_still_missing() -> bool:
    """Whether the function of a new mapping is unknown to IAM."""
    body = json.dumps({"FunctionName": "probe"}).encode()
    with scratch_account():
        context = iam_actions.request_tag_context("lambda", _CREATES, body, {})
    return not any(key.lower() == _KEY.lower() for key in context)


def install() -> None:
    """Give the evaluator the actions on one mapping, and the function of each."""
    lambda_action, request_tags = iam_actions._lambda_action, iam_actions.request_tag_context
    enforce = iam_evaluator.enforce

    def action_of(method: str, path: str) -> str | None:
        parts = [part for part in path.split("/") if part]
        if _PATH in parts[:-1] and "functions" not in parts:
            return _OF_ONE.get(method)
        action: str | None = lambda_action(method, path)
        return action

    def tag_context(service: str, iam_action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = request_tags(service, iam_action, body, parameters)
        return ({_KEY: _named_function(body)} | context) if iam_action == _CREATES else context

    def enforce_with_function(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        _, is_mapping, mapping = resource_arn.partition(":event-source-mapping:")
        if is_mapping and (found := lambda_svc._esms.get(mapping)):
            service_context = {_KEY: found["FunctionArn"]} | (service_context or {})
        return enforce(access_key_id, iam_action, service, region, resource_arn, service_context)

    iam_actions._lambda_action = action_of
    iam_actions.request_tag_context = tag_context
    iam_evaluator.enforce = enforce_with_function


def _named_function(body: bytes) -> str:
    """The ARN of the function that a request names, by its name or by a whole or partial ARN."""
    try:
        named = str(json.loads(body)["FunctionName"])
    except (ValueError, KeyError, TypeError):
        return ""
    name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(named)
    arn: str = lambda_svc._func_arn(name)
    return f"{arn}:{qualifier}" if qualifier else arn
