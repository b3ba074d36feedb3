"""The Terraform module against the template that it deploys. No Terraform runs here: python-hcl2 reads the files."""

import re

import hcl2
import pytest

from ecr_steward.installation.stack import SETTINGS_TAG, VERSION_TAG
from scripts.terraform_variables import OWN, TARGET, parameters, snake, written
from tests.integrations.composite_action import PROJECT

MODULE = PROJECT / "integrations" / "terraform"


def plain(value):
    """A value as HCL means it: without the quotes and the marks that the parser keeps."""
    if isinstance(value, dict):
        return {plain(key): plain(member) for key, member in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(member) for member in value]
    if not isinstance(value, str):
        return value
    return value[1:-1] if value.startswith('"') else value.removeprefix("${").removesuffix("}")


def read(name):
    return plain(hcl2.loads((MODULE / name).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def variables():
    return {name: body for block in read("variables.tf")["variable"] for name, body in block.items()}


@pytest.fixture(scope="module")
def main():
    return read("main.tf")


@pytest.fixture(scope="module")
def resources(main):
    return {
        (kind, name): body for block in main["resource"] for kind, one in block.items() for name, body in one.items()
    }


def test_the_variables_are_those_that_the_script_writes():
    assert TARGET.read_text(encoding="utf-8") == written()


def test_every_parameter_has_a_variable_and_no_variable_is_without_one(variables):
    own = set(re.findall(r'^variable "(\w+)"', OWN, re.MULTILINE))

    assert variables.keys() - own == {snake(name) for name in parameters()}


def test_a_parameter_that_is_not_named_keeps_the_default_of_the_template(variables):
    assert {name for name in map(snake, parameters()) if variables[name].get("default", "none") is not None} == set()


def test_every_variable_is_passed_as_its_parameter(main):
    (local,) = [block["parameters"] for block in main["locals"] if "parameters" in block]
    passed = {name: re.search(r"var\.(\w+)", str(value))[1] for name, value in local.items() if name != "Architecture"}

    assert passed == {name: snake(name) for name in parameters()}


def test_lists_are_lists_and_numbers_are_numbers(variables):
    kinds = {snake(name): one["Type"] for name, one in parameters().items()}

    assert {name for name, kind in kinds.items() if kind == "Number"} == {
        name for name, body in variables.items() if body["type"] == "number"
    }
    assert {name for name, kind in kinds.items() if kind == "CommaDelimitedList"} == {
        name for name, body in variables.items() if body["type"].startswith("list")
    }


def test_the_stack_has_the_tags_that_steward_deploy_sets(resources):
    stack = resources["aws_cloudformation_stack", "steward"]

    assert set(stack["tags"]) == {VERSION_TAG, SETTINGS_TAG}
    assert set(stack["capabilities"]) == {"CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"}


def test_archives_of_before_stay_until_the_stack_has_changed(resources):
    lifecycles = [resources["aws_s3_object", name]["lifecycle"] for name in ("archive", "template")]

    assert [one["create_before_destroy"] for (one,) in lifecycles] == [True, True]
    assert "aws_s3_object.archive" in str(resources["aws_cloudformation_stack", "steward"]["depends_on"])


def test_the_template_names_each_archive_in_the_bucket():
    """Terraform's ``replace`` with this pattern, done by Python, which reads it alike."""
    pattern = re.search(r'"/(\(CodeUri.*)/",$', (MODULE / "main.tf").read_text(), re.MULTILINE)[1].replace("\\\\", "\\")
    packed = "      CodeUri: Alerts.zip\n      ContentUri: StewardLayer.zip\n      Other: x.zip\n"

    assert re.sub(pattern, r"\1: s3://bucket/folder/\2", packed) == (
        "      CodeUri: s3://bucket/folder/Alerts.zip\n"
        "      ContentUri: s3://bucket/folder/StewardLayer.zip\n"
        "      Other: x.zip\n"
    )
