"""The JSON Schemas with which editors complete and check settings: as the dataclasses are, and as the loader reads."""

import json

import jsonschema
import pytest
import yaml

from scripts.settings_schemas import schema, schema_path, settings_files, text_of
from steward import settings

FILES = {file.name: file for file in settings_files()}
PARTIAL = {
    "house_rules.yaml": "callers: [{principals: ['self:role/ci-*'], repositories: [a/**]}]",
    "rotation.yaml": "times: {drain_days: 10}",
    "alerting.yaml": "flood: {individual_limit: 3}",
    "drift.yaml": "scope: {include: [role/ci-*]}",
}
WRONG = {
    "house_rules.yaml": "callers: [{principals: ['self:role/ci-*'], repositories: [a/**], weekly_limit: 3}]",
    "rotation.yaml": "times: {quite_days: 10}",
    "alerting.yaml": "routes: [{channels: [pager]}]",
    "drift.yaml": "expected_actors: role/ci",
}


@pytest.fixture(params=FILES.values(), ids=FILES)  # type: ignore[call-overload]
def file(request):
    return request.param


@pytest.fixture
def valid(file):
    validator = jsonschema.Draft202012Validator(json.loads(schema_path(file).read_text()))
    return lambda text: validator.is_valid(json.loads(json.dumps(yaml.safe_load(text), default=str)))


def test_every_file_that_is_shipped_has_a_schema_and_a_check():
    assert {path.name for path in settings.shipped().glob("*.yaml")} == FILES.keys()


def test_the_schema_is_what_the_dataclasses_say_now_or_run_make_schemas(file):
    assert schema_path(file).read_text() == text_of(schema(file.into))


def test_the_schema_is_named_by_the_file_and_passes_it(file, valid):
    text = settings.shipped(file.name).read_text()

    assert text.startswith(f"# yaml-language-server: $schema={schema_path(file).name}\n")
    assert valid(text)


def test_a_file_with_only_what_differs_passes_and_a_mistake_does_not(file, valid):
    assert valid(PARTIAL.get(file.name, "{}"))
    assert not valid(WRONG.get(file.name, "no_such_key: 1"))
