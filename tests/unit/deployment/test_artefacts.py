"""What is done to artefacts: bytecode that is never stale, and models of the services that are called."""

import shutil
import subprocess
import sys

import pytest

from deployment import artefacts

ASK = "import sys; sys.path.insert(0, sys.argv[1]); import answer; print(answer.ANSWER)"


@pytest.fixture
def build(tmp_path):
    """A build with one module of a function, and the settings layer."""
    folder = tmp_path / "build"
    (folder / "SettingsLayer" / "python" / "settings").mkdir(parents=True)
    (folder / "Function").mkdir()
    (folder / "Function" / "answer.py").write_text("ANSWER = 1\n")
    (folder / "template.yaml").touch()
    return folder


def answered(folder):
    """What a function says that starts from the artefact."""
    command = [sys.executable, "-I", "-B", "-c", ASK, str(folder)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_functions_start_from_bytecode_and_a_new_build_renews_it(build):
    artefacts.finish(build, None)
    (build / "Function" / "answer.py").write_text("ANSWER = 2\n")
    assert answered(build / "Function") == 1  # bytecode it is: Python compares nothing

    artefacts.finish(build, None)
    assert answered(build / "Function") == 2


def test_the_bytecode_is_the_same_wherever_it_is_built(build, tmp_path):
    """A layer that did not change is not deployed again."""
    elsewhere = shutil.copytree(build, tmp_path / "somewhere" / "else")
    for folder in (build, elsewhere):
        artefacts.finish(folder, None)

    (one,), (other,) = ([path.read_bytes() for path in folder.rglob("*.pyc")] for folder in (build, elsewhere))
    assert one == other


def test_a_module_that_does_not_compile_is_refused(build):
    (build / "Function" / "answer.py").write_text("ANSWER =\n")

    with pytest.raises(RuntimeError, match="Function: a module does not compile"):
        artefacts.finish(build, None)


def test_models_of_services_that_no_function_calls_are_left_out(build):
    data = build / "DependenciesLayer" / "python" / "botocore" / "data"
    for name in ("iam", "ec2"):
        (data / name).mkdir(parents=True)
        (data / name / "service-2.json.gz").touch()
    (data / "endpoints.json").touch()

    artefacts.finish(build, None)

    assert {path.name for path in data.iterdir()} == {"iam", "endpoints.json"}
