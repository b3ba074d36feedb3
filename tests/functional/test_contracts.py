"""Each contract is sound in itself, says what the code says, and the template has the same routes."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable

import pytest
import yaml
from jsonschema import Draft202012Validator

from access_key_rotation.domain.leak_response import Removal
from access_key_rotation.domain.next_step import NextStep
from access_key_rotation.domain.rules.situation import Reason
from access_key_rotation.domain.state import Cause
from health.domain.report import State as HealthState
from iam_policy import Verdict
from policy_drift.domain.baseline import Origin
from policy_drift.domain.finding import Ending, Kind, State
from steward.severity import Severity
from tests.functional.contract import ROOT, Contract, described

FUNCTIONS = {
    "repository_provisioning": ("RepositoryApi",),
    "access_key_rotation": ("ServiceUserApi", "AccessKeys", "EnrolmentApi"),
    "policy_drift": ("DriftApi",),
    "health": ("HealthApi",),
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


def template_routes(functions):
    template = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), _Template)  # noqa: S506 - a SafeLoader
    events = [e for name in functions for e in template["Resources"][name]["Properties"]["Events"].values()]
    return {described(e["Properties"]["Method"], e["Properties"]["Path"]) for e in events}


def every(node):
    yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from every(child)


def without_examples(node):
    """A document without its examples: they show what is sent, also headers of AWS."""
    if isinstance(node, dict):
        return {key: without_examples(child) for key, child in node.items() if key not in {"example", "examples"}}
    return [without_examples(child) for child in node] if isinstance(node, list) else node


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
    keys = {key for node in every(without_examples(contract.document)) if isinstance(node, dict) for key in node}

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


VALUES: dict[tuple[str, str, str], Iterable[str]] = {
    ("access_key_rotation", "ServiceUser", "next_step"): NextStep,
    ("access_key_rotation", "ServiceUserInDetail", "next_step"): NextStep,
    ("access_key_rotation", "RotationRequest", "reason"): Reason,
    ("access_key_rotation", "Rotation", "reason"): Reason,
    ("access_key_rotation", "Failure", "cause"): Cause,
    ("access_key_rotation", "RemovedKey", "how"): Removal,
    ("policy_drift", "FindingFields", "kind"): Kind,
    ("policy_drift", "FindingFields", "state"): State,
    ("policy_drift", "FindingFields", "verdict"): Verdict,
    ("policy_drift", "FindingFields", "ended"): Ending,
    ("policy_drift", "FindingFields", "severity"): [severity.name for severity in Severity],
    ("policy_drift", "BaselineFields", "how"): Origin,
    ("health", "Check", "state"): HealthState,
}
"""Capability, schema and property -> the values that the code knows."""


@pytest.mark.parametrize(("capability", "schema", "name"), VALUES)
def test_the_values_of_a_property_are_those_of_the_code(capability, schema, name):
    contract = Contract(capability)
    described = contract.resolved(contract.document["components"]["schemas"][schema]["properties"][name])

    assert {value for value in described["enum"] if value is not None} == set(VALUES[capability, schema, name])


def test_an_answer_has_no_field_that_its_contract_does_not_name(contract):
    answers = [
        contract.resolved(content["schema"])
        for operation in contract.operations().values()
        for response in operation["responses"].values()
        for kind, content in contract.resolved(response)["content"].items()
        if "json" in kind
    ]
    alternatives = [contract.resolved(each) for answer in answers for each in answer.get("oneOf", [answer])]

    closed = ("additionalProperties", "unevaluatedProperties")
    open_to_more = [each for each in alternatives if not any(each.get(name) is False for name in closed)]
    assert open_to_more == [contract.document["components"]["schemas"]["OpenApi"]]


# Rules of Redocly's linter that our documents have broken or could break; the linter itself runs where it is installed.
# https://redocly.com/docs/cli/rules/built-in-rules


def test_every_required_property_is_described(contract):
    nodes = [node for node in every(contract.document) if isinstance(node, dict)]
    schemas = [node for node in nodes if isinstance(node.get("required"), list) and node.get("type") == "object"]

    assert schemas
    assert [node for node in schemas if not set(node["required"]) <= set(node.get("properties", {}))] == []


def test_null_is_a_type_and_no_keyword(contract):
    assert contract.document["openapi"] == "3.1.0"
    assert [node for node in every(contract.document) if isinstance(node, dict) and "nullable" in node] == []


def test_every_parameter_of_a_path_is_described_and_every_tag_declared(contract):
    tags = {tag["name"] for tag in contract.document["tags"]}
    for (_, path), operation in contract.operations().items():
        item = contract.document["paths"][path]
        described = map(contract.resolved, [*item.get("parameters", []), *operation.get("parameters", [])])
        in_path = {parameter["name"] for parameter in described if parameter["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        assert operation["summary"]
        assert set(operation["tags"]) <= tags


REDOCLY = shutil.which("redocly") or shutil.which("redocly", path=ROOT / ".local" / "node_modules" / ".bin")


@pytest.mark.skipif(REDOCLY is None, reason="npm install --prefix .local --ignore-scripts @redocly/cli")
def test_redocly_finds_nothing():
    documents = [f"functions/{capability}/openapi.json" for capability in FUNCTIONS]
    environment = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}

    done = subprocess.run(
        [REDOCLY, "lint", "--max-problems", "20", *documents],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr.lower().replace("deprecation warning", "")
