"""Reading an expanded template: statements of roles, resources of a type, both sides of a condition."""

from collections.abc import Iterator
from typing import Any

AWS_MANAGED_ACTIONS = {
    "AWSLambdaBasicExecutionRole": {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"},
    "AWSXrayWriteOnlyAccess": {"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
}
"""What we rely on of the AWS-managed policies that SAM attaches; the latter also reads sampling rules."""


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: resource.get("Properties", {}) for name, resource in resources.items() if resource["Type"] == kind}


def both_sides(value: Any) -> Iterator[Any]:
    """A value, or what either side of its Fn::If would be; AWS::NoValue is none."""
    if isinstance(value, dict) and "Fn::If" in value:
        for side in value["Fn::If"][1:]:
            yield from both_sides(side)
    elif value != {"Ref": "AWS::NoValue"}:
        yield value


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for statement in as_list(document["Statement"]):
        yield from both_sides(statement)


def statements_of_role(resources: dict[str, Any], role: str) -> Iterator[dict[str, Any]]:
    """Every statement that a role has, inline or by a policy of this template."""
    properties = resources[role]["Properties"]
    for policy in properties.get("Policies", []):
        for sound in both_sides(policy):
            yield from statements(sound["PolicyDocument"])
    for arn in properties.get("ManagedPolicyArns", []):
        for sound in both_sides(arn):
            if isinstance(sound, dict) and "Ref" in sound:
                yield from statements(resources[sound["Ref"]]["Properties"]["PolicyDocument"])


def aws_managed_of_role(resources: dict[str, Any], role: str) -> set[str]:
    arns = resources[role]["Properties"].get("ManagedPolicyArns", [])
    return {
        str(arn).rsplit("/", 1)[-1].rstrip("'}\"") for value in arns for arn in both_sides(value) if "Ref" not in arn
    }
