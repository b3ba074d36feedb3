"""Every AWS operation that an adapter calls, against botocore's model, and against answers that were recorded."""

import ast
import gzip
import json
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from deployment.artefacts import SERVICES
from tests.answers import unlike

PROJECT = Path(__file__).parents[2]
RECORDED = PROJECT.parent / "shared" / "corpora" / "recorded_responses.jsonl.gz"
CLIENTS = {
    "_dynamodb": "dynamodb",
    "_ecr": "ecr",
    "_events": "events",
    "_iam": "iam",
    "_lambda": "lambda",
    "_s3": "s3",
    "_secrets": "secretsmanager",
    "_security_hub": "securityhub",
    "_sns": "sns",
    "_sqs": "sqs",
}
"""What adapters call a client -> its service; every other name is found by the operation."""
NOT_OPERATIONS = {"create_connection"}
"""Methods of others with the name of an operation: a socket's."""
_SESSION = botocore.session.get_session()
MODELS = {service: _SESSION.get_service_model(service) for service in SERVICES}
METHODS = {service: {xform_name(name): name for name in model.operation_names} for service, model in MODELS.items()}


def adapters():
    """Path and syntax tree of every module that calls AWS."""
    folders = [*(PROJECT / "functions").glob("*/adapters"), PROJECT / "layers" / "steward" / "aws"]
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        yield path, ast.parse(path.read_text())


def called(tree):
    """The method, the other positional arguments and the keywords of each call, also of one that is made later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            later = isinstance(node.func, ast.Name) and node.func.id == "partial"
            function, arguments = (node.args[0], node.args[1:]) if later else (node.func, node.args)
            if isinstance(function, ast.Attribute):
                yield function, arguments, [keyword.arg for keyword in node.keywords]


def calls():
    """Service, operation, keyword names (None if some are not written out), and place of every call of an adapter."""
    for path, tree in adapters():
        for function, arguments, given in called(tree):
            method, keywords = function.attr, given
            if method == "get_paginator" and isinstance(arguments[0], ast.Constant):
                method, keywords = str(arguments[0].value), [None]
            elif arguments:
                continue
            client = function.value.attr if isinstance(function.value, ast.Attribute) else ""
            found = [CLIENTS[client]] if client in CLIENTS else SERVICES
            named = [service for service in found if method in METHODS[service]]
            if len(named) == 1:
                place = f"{path.relative_to(PROJECT)}:{function.lineno}"
                yield named[0], METHODS[named[0]][method], None if None in keywords else keywords, place


CALLS = sorted(calls(), key=str)
OPERATIONS = sorted({(service, operation) for service, operation, _, _ in CALLS})


@pytest.fixture(scope="module", autouse=True)
def counted(request):
    """Says at the end how many operations the adapters call, and how many of them were held to what."""
    yield
    answered = len({answer["operation"] for answer in ANSWERS})
    plugins = request.config.pluginmanager
    with plugins.get_plugin("capturemanager").global_and_fixture_disabled():
        plugins.get_plugin("terminalreporter").write_line(
            f"\n{len(OPERATIONS)} operations are called by adapters in {len(CALLS)} places: all are held to botocore's "
            f"model, {answered} also to answers of AWS that were recorded ({len(ANSWERS)} answers)"
        )


def test_the_adapters_call_operations():
    assert len(OPERATIONS) > 60


def test_no_operation_is_named_without_being_checked():
    checked, named = {place for _, _, _, place in CALLS}, {}
    methods = {method for known in METHODS.values() for method in known if "_" in method}
    for path, tree in adapters():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in methods:
                named[f"{path.relative_to(PROJECT)}:{node.lineno}"] = node.attr

    assert {place: method for place, method in named.items() if place not in checked} == {
        place: method for place, method in named.items() if method in NOT_OPERATIONS
    }


@pytest.mark.parametrize(("service", "operation", "keywords", "place"), CALLS, ids=[f"{c[3]}-{c[1]}" for c in CALLS])
def test_a_call_has_parameters_of_the_model_and_all_that_are_required(service, operation, keywords, place):
    shape = MODELS[service].operation_model(operation).input_shape
    if keywords is None:
        assert shape is not None
        return
    assert set(keywords) <= set(shape.members if shape else ()), place
    assert set(shape.required_members if shape else ()) <= set(keywords), place


def recorded():
    if not RECORDED.exists():
        return []
    lines = gzip.decompress(RECORDED.read_bytes()).decode().splitlines()
    answers = [json.loads(line) for line in lines]
    wanted = {f"{service}:{operation}" for service, operation in OPERATIONS}
    return [answer for answer in answers if answer["operation"] in wanted and answer["status"] < 300]


ANSWERS = recorded()
NOT_OF_AWS = {"BatchImportFindings.Findings"}
"""Members that the recording itself has added."""


@pytest.mark.skipif(not RECORDED.exists(), reason="recorded answers are not part of the project")
def test_recorded_answers_of_our_operations_are_as_the_model_says():
    wrong = {}
    for answer in ANSWERS:
        service, _, operation = answer["operation"].partition(":")
        shape = MODELS[service].operation_model(operation).output_shape
        body = {name: each for name, each in answer["response"].items() if name != "ResponseMetadata"}
        if found := set(unlike(shape, body, operation)) - NOT_OF_AWS:
            wrong[answer["source"]] = found

    assert len({answer["operation"] for answer in ANSWERS}) > 15
    assert wrong == {}
