"""A capability's ``openapi.json`` as a judge of what its handler answers."""

import json
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


def described(method: str, path: str) -> tuple[str, str]:
    """The operation of a contract that a route of the gateway is.

    A parameter that spans slashes must be the last part of a route: the gateway has none for what follows a name.
    """
    if (method, path) == ("post", "/repositories/{name+}"):
        return method, "/repositories/{name}/adoption"
    return method, re.sub(r"\+}$", "}", path)


class Contract:
    """The contract of one capability's part of the API."""

    def __init__(self, capability: str) -> None:
        self.capability = capability
        text = (ROOT / "functions" / capability / "openapi.json").read_text(encoding="utf-8")
        self.document: dict[str, Any] = json.loads(text)

    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {
            (method, path): operation
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        }

    def resolved(self, node: Any) -> Any:
        """The node that a reference leads to."""
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def json_schema(self, node: Any) -> Any:
        """The schema with its references followed; OpenAPI 3.1's are JSON Schema."""
        node = self.resolved(node)
        if isinstance(node, list):
            return [self.json_schema(item) for item in node]
        return {key: self.json_schema(value) for key, value in node.items()} if isinstance(node, dict) else node

    def check(self, schema: Any, value: Any) -> None:
        """Raise a ValidationError unless the value is as the schema says."""
        Draft202012Validator(self.json_schema(schema)).validate(value)

    def check_response(self, event: dict[str, Any], answer: dict[str, Any]) -> None:
        """Hold one answer of the handler to the contract: status, media type, headers, body."""
        operation = self.operations().get(described(event["httpMethod"].lower(), event["resource"]))
        problem = self.document["components"]["responses"]["Problem"]
        answers = operation["responses"].get(str(answer["statusCode"])) if operation else problem
        assert answers is not None, f"{answer['statusCode']} is not in the contract of {event['resource']}"
        answers = self.resolved(answers)
        media_type = answer["multiValueHeaders"]["Content-Type"][0]
        is_json = "json" in media_type
        body = json.loads(answer["body"]) if is_json else answer["body"]
        self.check(answers["content"][media_type]["schema"], body)
        headers = answers.get("headers", {})
        required = {name for name, header in headers.items() if self.resolved(header).get("required")}
        assert required <= answer["multiValueHeaders"].keys()
        assert not is_json or body.get("status", answer["statusCode"]) == answer["statusCode"]
