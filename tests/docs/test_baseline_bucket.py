"""The policy for a bucket that exists already is the one that the stack's own bucket has."""

import json
import re
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.template.reading import statements

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "baseline-bucket.md").read_text()
POLICY = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])


@pytest.fixture(scope="module")
def template():
    return yaml_parse((PROJECT / "template.yaml").read_text())["Resources"]


def denied(policy):
    """What is denied, and under conditions on which keys."""
    return {
        statement["Sid"]: (
            statement["Action"],
            {(operator, key) for operator, keys in statement["Condition"].items() for key in keys},
        )
        for statement in statements(policy)
        if statement["Effect"] == "Deny"
    }


def test_the_documented_policy_denies_what_the_policy_of_the_stacks_own_bucket_denies(template):
    own = template["BaselineBucketPolicy"]["Properties"]["PolicyDocument"]

    assert denied(POLICY) == denied(own)


@pytest.mark.parametrize("function", ["DriftScan", "DriftCheck", "DriftApi"])
def test_the_documented_policy_lets_each_function_do_what_its_role_may(template, function):
    allowed = actions(
        statement
        for statement in POLICY["Statement"]
        if statement["Effect"] == "Allow" and f"-{function}Role-" in json.dumps(statement)
    )
    of_the_role = [
        statement
        for policy in template[function]["Properties"]["Policies"]
        for statement in policy.get("Statement", [])
        if "${Bucket}" in json.dumps(statement["Resource"])
    ]

    assert of_the_role
    assert actions(of_the_role) <= allowed


def actions(of):
    found = [statement["Action"] for statement in of]
    return {action for one in found for action in ([one] if isinstance(one, str) else one)}
