import json
from pathlib import Path
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[2]

AWS_MANAGED = {
    "AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "AWSXrayWriteOnlyAccess": "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
}


class _ManagedPolicies:
    def load(self) -> dict[str, str]:
        return AWS_MANAGED


@pytest.fixture(scope="session")
def source() -> dict[str, Any]:
    """The template as it is written."""
    template: dict[str, Any] = yaml_parse((PROJECT / "template.yaml").read_text())
    return template


@pytest.fixture(scope="session")
def expanded(source: dict[str, Any]) -> dict[str, Any]:
    """The template as CloudFormation gets it, with everything that SAM adds."""
    template = json.loads(json.dumps(source))
    for resource in template["Resources"].values():  # SAM CLI puts uploaded code here
        properties = resource.get("Properties", {})
        for code in ("CodeUri", "ContentUri"):
            if code in properties:
                properties[code] = "s3://bucket/key"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        plain: dict[str, Any] = transform(template, {}, _ManagedPolicies())
    return plain


@pytest.fixture(scope="session")
def resources(expanded: dict[str, Any]) -> dict[str, Any]:
    """All resources, by logical id."""
    found: dict[str, Any] = expanded["Resources"]
    return found
