"""Each contract is sound in itself, and the template has the same routes."""

import re

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.functional.contract import ROOT, Contract

FUNCTIONS = {
    "repository_provisioning": "RepositoryApi",
    "access_key_rotation": "ServiceUserApi",
    "policy_drift": "DriftApi",
}
CONTRACTS = tuple(Contract(capability) for capability in FUNCTIONS)


@pytest.fixture(params=CONTRACTS, ids=lambda contract: contract.capability)
def contract(request):
    return request.param


class _Template(yaml.SafeLoader):
    """CloudFormation's YAML, its functions read as plain values."""


_Template.add_multi_constructor(
    "!", lambda loader, _, node: loader.construct_yaml_str(node) if isinstance(node, yaml.ScalarNode) else None
)


def template_routes(function):
    template = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), _Template)  # noqa: S506 - a SafeLoader
    events = template["Resources"][function]["Properties"]["Events"].values()
    return {(e["Properties"]["Method"], re.sub(r"\+}$", "}", e["Properties"]["Path"])) for e in events}


def every(node):
    yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from every(child)


def test_the_contract_has_the_routes_of_the_template_and_no_others(contract):
    assert contract.operations().keys() == template_routes(FUNCTIONS[contract.capability])


def test_every_reference_leads_somewhere(contract):
    references = [node for node in every(contract.document) if isinstance(node, dict) and "$ref" in node]

    assert references
    assert all(contract.resolved(reference) for reference in references)


def test_every_component_is_used(contract):
    used = {node["$ref"] for node in every(contract.document) if isinstance(node, dict) and "$ref" in node}
    kinds = ("schemas", "responses", "parameters", "headers")

    assert used == {f"#/components/{kind}/{name}" for kind in kinds for name in contract.document["components"][kind]}


def test_the_contract_says_nothing_in_extensions(contract):
    keys = {key for node in every(contract.document) if isinstance(node, dict) for key in node}

    assert not {key for key in keys if key.startswith("x-")}


def test_every_operation_has_a_name_of_its_own_and_says_what_happens_when_it_fails(contract):
    names = [operation["operationId"] for operation in contract.operations().values()]

    assert len(set(names)) == len(names)
    assert all({"403", "429", "503", "500", "default"} <= o["responses"].keys() for o in contract.operations().values())


@pytest.mark.parametrize(
    ("contract", "name"),
    [(contract, name) for contract in CONTRACTS for name in contract.document["components"]["schemas"]],
)
def test_every_schema_is_a_schema(contract, name):
    Draft202012Validator.check_schema(contract.json_schema(contract.document["components"]["schemas"][name]))


@pytest.mark.parametrize(
    ("contract", "key"), [(contract, key) for contract in CONTRACTS for key in contract.operations()]
)
def test_every_example_is_as_its_schema_says(contract, key):
    operation = contract.operations()[key]
    bodies = [contract.resolved(response) for response in operation["responses"].values()]
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
        contract.check(schema, example)


def test_what_the_contracts_say_of_problems_is_the_same():
    said = [contract.json_schema({"$ref": "#/components/schemas/Problem"}) for contract in CONTRACTS]

    assert said == [said[0]] * len(CONTRACTS)
