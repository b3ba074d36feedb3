"""``openapi.json`` as a judge of what the handler answers."""

import json
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[3]
DOCUMENT = json.loads((ROOT / "functions/repository_provisioning/openapi.json").read_text(encoding="utf-8"))
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def resolved(node: Any) -> Any:
    """The node that a reference leads to."""
    while isinstance(node, dict) and "$ref" in node:
        target = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def json_schema(node: Any) -> Any:
    """OpenAPI 3.0's schema as JSON Schema: references followed, ``nullable`` spelt out."""
    node = resolved(node)
    if isinstance(node, list):
        return [json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: json_schema(value) for key, value in node.items() if key not in {"nullable", "example"}}
    return {"anyOf": [schema, {"type": "null"}]} if node.get("nullable") is True else schema


def check(schema: Any, value: Any) -> None:
    """Raise a ValidationError unless the value is as the schema says."""
    Draft202012Validator(json_schema(schema)).validate(value)


def check_response(event: dict[str, Any], answer: dict[str, Any]) -> None:
    """Hold one answer of the handler to the contract: status, media type, headers, body."""
    operation = operations().get((event["httpMethod"].lower(), re.sub(r"\+}$", "}", event["resource"])))
    problem = DOCUMENT["components"]["responses"]["Problem"]
    described = operation["responses"].get(str(answer["statusCode"])) if operation else problem
    assert described is not None, f"{answer['statusCode']} is not in the contract of {event['resource']}"
    described = resolved(described)
    media_type = answer["multiValueHeaders"]["Content-Type"][0]
    body = json.loads(answer["body"])
    check(described["content"][media_type]["schema"], body)
    required = {name for name, header in described.get("headers", {}).items() if resolved(header).get("required")}
    assert required <= answer["multiValueHeaders"].keys()
    assert body.get("status", answer["statusCode"]) == answer["statusCode"]
