"""The contract is sound in itself, and the template has the same routes."""

import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.functional.repository_provisioning.contract import DOCUMENT, ROOT, check, json_schema, operations, resolved


class _Template(yaml.SafeLoader):
    """CloudFormation's YAML, its functions read as plain values."""


_Template.add_multi_constructor(
    "!", lambda loader, _, node: loader.construct_yaml_str(node) if isinstance(node, yaml.ScalarNode) else None
)


def template_routes():
    template = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), _Template)  # noqa: S506 - a SafeLoader
    events = template["Resources"]["RepositoryApi"]["Properties"]["Events"].values()
    return {(e["Properties"]["Method"], re.sub(r"\+}$", "}", e["Properties"]["Path"])) for e in events}


def every(node):
    yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from every(child)


def test_the_contract_has_the_routes_of_the_template_and_no_others():
    assert operations().keys() == template_routes()


def test_every_reference_leads_somewhere():
    references = [node for node in every(DOCUMENT) if isinstance(node, dict) and "$ref" in node]

    assert references
    assert all(resolved(reference) for reference in references)


def test_every_component_is_used():
    used = {node["$ref"] for node in every(DOCUMENT) if isinstance(node, dict) and "$ref" in node}
    kinds = ("schemas", "responses", "parameters", "headers")

    assert used == {f"#/components/{kind}/{name}" for kind in kinds for name in DOCUMENT["components"][kind]}


def test_the_contract_says_nothing_in_extensions():
    keys = {key for node in every(DOCUMENT) if isinstance(node, dict) for key in node}

    assert not {key for key in keys if key.startswith("x-")}


def test_every_operation_has_a_name_of_its_own_and_says_what_happens_when_it_fails():
    names = [operation["operationId"] for operation in operations().values()]

    assert len(set(names)) == len(names)
    assert all({"403", "429", "503", "500", "default"} <= o["responses"].keys() for o in operations().values())


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_a_schema(name):
    Draft202012Validator.check_schema(json_schema(DOCUMENT["components"]["schemas"][name]))


@pytest.mark.parametrize("key", operations(), ids="-".join)
def test_every_example_is_as_its_schema_says(key):
    operation = operations()[key]
    bodies = [resolved(response) for response in operation["responses"].values()]
    media = [
        medium for body in [*bodies, operation.get("requestBody", {})] for medium in body.get("content", {}).values()
    ]
    examples = [
        (medium["schema"], example)
        for medium in media
        for example in [*(e["value"] for e in medium.get("examples", {}).values()), medium.get("example")]
        if example is not None
    ]

    assert examples
    for schema, example in examples:
        check(schema, example)
