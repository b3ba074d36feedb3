"""What SAM writes into the ``Body`` of a REST API, imported whole; and one API id for an API's life.

MiniStack imports paths, methods and authorizers. Here also the resource policy, models, request validators, request
parameters and gateway responses; and a changed body changes the API in place, as ``PutRestApi`` does, so that the
URL stays.

Source: "OpenAPI extensions for API Gateway", Amazon API Gateway developer guide.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import apigateway_v1
from ministack.services.cloudformation import provisioners

from local.scratch_account import decoded, scratch_account

GAP = "gateway responses, validators, models and policies in a REST API's body"
RELIES_ON = (
    "services.apigateway_v1._authorizers_v1",
    "services.apigateway_v1._create_model",
    "services.apigateway_v1._create_request_validator",
    "services.apigateway_v1._delete_rest_api",
    "services.apigateway_v1._gateway_responses",
    "services.apigateway_v1._import_path_item",
    "services.apigateway_v1._import_rest_api",
    "services.apigateway_v1._import_security_schemes",
    "services.apigateway_v1._models",
    "services.apigateway_v1._put_gateway_response",
    "services.apigateway_v1._request_validators",
    "services.apigateway_v1._resources",
    "services.apigateway_v1._rest_apis",
    "services.cloudformation.provisioners._RESOURCE_HANDLERS",
)

_TYPE = "AWS::ApiGateway::RestApi"
_PLACES = {"header": "header", "query": "querystring", "path": "path"}

type Document = Mapping[str, Any]


def is_still_missing() -> bool:
    """Whether an imported body's gateway responses are dropped."""
    body = {"paths": {}, "x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": 420}}}
    with scratch_account():
        api_id = apigateway_v1._import_rest_api(body)
        kept = apigateway_v1._gateway_responses[api_id]
        apigateway_v1._delete_rest_api(api_id)
    return not kept


def install() -> None:
    """Import the rest of a body, when an API is made and when its body changes."""
    import_rest_api = apigateway_v1._import_rest_api
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    update_properties = handlers["update"]

    def import_all(body: Document, properties: Document | None = None) -> str:
        api_id: str = import_rest_api(body, properties)
        _import_extensions(api_id, body)
        return api_id

    def update(api_id: str, old: Document, new: Document, stack_name: str, logical_id: str | None = None) -> Any:
        body = new.get("Body")
        if isinstance(body, dict) and body != old.get("Body") and api_id in apigateway_v1._rest_apis:
            _replace_body(api_id, body)
            new = {**new, "Body": old.get("Body")}  # the rest of the update sees no new body
        return update_properties(api_id, old, new, stack_name, logical_id)

    apigateway_v1._import_rest_api = import_all
    handlers["update"] = update


def _replace_body(api_id: str, body: Document) -> None:
    """Take the new body for the whole API, under the id that it has."""
    root = {key: resource for key, resource in apigateway_v1._resources[api_id].items() if resource["path"] == "/"}
    for resource in root.values():
        resource["resourceMethods"] = {}
    apigateway_v1._resources[api_id] = root
    for part in (
        apigateway_v1._models,
        apigateway_v1._request_validators,
        apigateway_v1._gateway_responses,
        apigateway_v1._authorizers_v1,
    ):
        part[api_id] = {}
    apigateway_v1._rest_apis[api_id]["policy"] = None
    schemes = apigateway_v1._import_security_schemes(api_id, body)
    for path, item in (body.get("paths") or {}).items():
        apigateway_v1._import_path_item(api_id, path, item, schemes, body.get("security"))
    _import_extensions(api_id, body)


def _import_extensions(api_id: str, body: Document) -> None:
    if policy := body.get("x-amazon-apigateway-policy"):
        apigateway_v1._rest_apis[api_id]["policy"] = json.dumps(policy)
    schemas = {**(body.get("definitions") or {}), **((body.get("components") or {}).get("schemas") or {})}
    for name, schema in schemas.items():
        apigateway_v1._create_model(api_id, {"name": name, "schema": json.dumps(schema)})
    for kind, response in (body.get("x-amazon-apigateway-gateway-responses") or {}).items():
        status = response.get("statusCode")
        apigateway_v1._put_gateway_response(
            api_id, kind, {**response, "statusCode": str(status) if status is not None else None}
        )
    validators = {
        name: decoded(apigateway_v1._create_request_validator(api_id, {"name": name, **checks}))["id"]
        for name, checks in (body.get("x-amazon-apigateway-request-validators") or {}).items()
    }
    for method, operation in _operations(api_id, body):
        _import_request_checks(method, operation, validators, body.get("x-amazon-apigateway-request-validator"))


def _operations(api_id: str, body: Document) -> Iterator[tuple[dict[str, Any], Document]]:
    """The imported methods of an API, each with the operation that it was imported from."""
    resources = {resource["path"]: resource for resource in apigateway_v1._resources[api_id].values()}
    for path, item in (body.get("paths") or {}).items():
        methods = resources[path].get("resourceMethods", {})
        for verb, operation in item.items():
            if verb.upper() in methods and isinstance(operation, dict):
                yield methods[verb.upper()], operation


def _import_request_checks(
    method: dict[str, Any], operation: Document, validators: Mapping[str, str], default_validator: str | None
) -> None:
    validator = validators.get(operation.get("x-amazon-apigateway-request-validator") or default_validator or "")
    if validator:
        method["requestValidatorId"] = validator
    schemas = [((operation.get("requestBody") or {}).get("content") or {}).get("application/json", {}).get("schema")]
    for parameter in operation.get("parameters") or []:
        if parameter.get("in") == "body":
            schemas.append(parameter.get("schema"))
        elif parameter.get("in") in _PLACES:
            name = f"method.request.{_PLACES[parameter['in']]}.{parameter['name']}"
            method["requestParameters"][name] = bool(parameter.get("required"))
    models = [schema["$ref"].rpartition("/")[2] for schema in schemas if schema and "$ref" in schema]
    if models:
        method["requestModels"] = {"application/json": models[0]}
