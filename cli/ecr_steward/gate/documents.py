"""Policies of resources outside of IAM, wherever their properties hold them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

STATEMENTS = frozenset(
    {"AWS::Lambda::Permission", "AWS::Lambda::LayerVersionPermission", "AWS::Events::EventBusPolicy"}
    | {"aws_lambda_permission", "aws_lambda_layer_version_permission", "aws_cloudwatch_event_permission"}
    | {"awscc_lambda_permission", "awscc_lambda_layer_version_permission", "awscc_events_event_bus_policy"}
)
"""Resources that are one statement of a policy each, of CloudFormation and of Terraform's provider."""

_CONDITIONS = {
    "sourcearn": ("ArnLike", "aws:SourceArn"),
    "sourceaccount": ("StringEquals", "aws:SourceAccount"),
    "principalorgid": ("StringEquals", "aws:PrincipalOrgID"),
    "organizationid": ("StringEquals", "aws:PrincipalOrgID"),
    "functionurlauthtype": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "eventsourcetoken": ("StringEquals", "lambda:EventSourceToken"),
}
_RESOURCES = ("functionname", "layerversionarn", "layername", "eventbusname")


def documents(value: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every policy document inside of a resource's properties, also as JSON text, with the way to it."""
    if isinstance(value, str) and value.lstrip().startswith("{") and "Statement" in value:
        try:
            value = json.loads(value)
        except ValueError:
            return
    if isinstance(value, Mapping):
        if _is_document(value):
            yield path, value
            return
        for key, member in value.items():
            yield from documents(member, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from documents(member, f"{path}.{number}")


def _is_document(value: Mapping[str, Any]) -> bool:
    said = value.get("Statement")
    listed = said if isinstance(said, list) else [said]
    return any(isinstance(one, str) or (isinstance(one, Mapping) and "Effect" in one) for one in listed)


def statement_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a resource that is one statement; names of properties as in CloudFormation or in Terraform."""
    said = {str(key).replace("_", "").lower(): value for key, value in properties.items() if value is not None}
    whole = said.get("statement")
    if isinstance(whole, Mapping) and "Effect" in whole:
        return {"Version": "2012-10-17", "Statement": [whole]}
    resource = next((said[name] for name in _RESOURCES if name in said), "*")
    named = (
        f"arn:aws:resource:::{resource}"
        if isinstance(resource, str) and resource[:4] not in ("arn:", "*")
        else resource
    )
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": _principal(said.get("principal")),
        "Action": said.get("action", "*"),
        "Resource": named,
    }
    conditions: dict[str, dict[str, Any]] = {}
    for name, (operator, key) in _CONDITIONS.items():
        if said.get(name):
            conditions.setdefault(operator, {})[key] = said[name]
    for own in said["condition"] if isinstance(said.get("condition"), list) else [said.get("condition")]:
        if isinstance(own, Mapping):
            parts = {str(key).lower(): value for key, value in own.items()}
            conditions.setdefault(str(parts.get("type")), {})[str(parts.get("key"))] = parts.get("value")
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": conditions} if conditions else {})]}


def _principal(name: Any) -> Any:
    """A principal as a policy has it: everyone, a service, or an account or an ARN."""
    if name == "*" or name is None:
        return "*"
    is_service = isinstance(name, str) and name.endswith((".amazonaws.com", ".amazonaws.com.cn")) and "<" not in name
    return {"Service" if is_service else "AWS": name}
