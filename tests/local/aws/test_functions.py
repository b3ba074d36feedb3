"""Execution environments of functions, as the local AWS starts them."""

import io
import json
import zipfile

import pytest

from tests.local.aws.functions import deploy_function

WHERE = """
import os, shared
def handler(event, context):
    return {"layer": os.path.realpath(shared.__file__), "says": shared.SAYS}
"""


@pytest.fixture
def layer(aws):
    """Publishes a version of a layer with one module."""

    def publish(says):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as package:
            package.writestr("python/shared.py", f"SAYS = {says!r}\n")
        published = aws.client("lambda").publish_layer_version(
            LayerName="shared", Content={"ZipFile": archive.getvalue()}
        )
        return published["LayerVersionArn"]

    return publish


@pytest.fixture
def answer(aws):
    """What a function that has a layer answers."""

    def ask(name, layer):
        function, functions = deploy_function(aws, name, WHERE), aws.client("lambda")
        functions.update_function_configuration(FunctionName=function, Layers=[layer])
        return json.loads(functions.invoke(FunctionName=function)["Payload"].read())

    return ask


def test_functions_share_the_unpacked_files_of_a_layer(layer, answer):
    version = layer("one")

    assert answer("first", version) == answer("second", version)


def test_another_version_of_a_layer_is_unpacked_by_itself(layer, answer):
    one, other = answer("with-one", layer("one")), answer("with-other", layer("two"))

    assert (one["says"], other["says"]) == ("one", "two")
    assert one["layer"] != other["layer"]
