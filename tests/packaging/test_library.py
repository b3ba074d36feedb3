"""The distribution of the policy engine: what its wheel and its source archive hold, and that it runs by itself."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LIBRARY = PROJECT / "layers" / "iam_policy"
SETTINGS = tomllib.loads((LIBRARY / "pyproject.toml").read_text())
COMMAND = re.compile(r"^\$ python -m iam_policy baseline.json live.json\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)
DATA = {"known_actions.json", "known_actions.LICENSE.txt", "py.typed"} | {
    f"escalation/{name}" for name in ("escalation_paths.json", "escalation_paths.NOTICE.txt", "more_paths.json")
}


def run(*command, cwd=None):
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def distributions(tmp_path_factory):
    """The folder with the wheel and the source archive, built without the network."""
    source, target = tmp_path_factory.mktemp("library") / "source", tmp_path_factory.mktemp("distributions")
    shutil.copytree(LIBRARY, source, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "hatchling", "build", "-d", target, cwd=source)
    return target


@pytest.fixture(scope="session")
def wheel(distributions):
    (wheel,) = distributions.glob("*.whl")
    return wheel


@pytest.fixture(scope="session", params=[SETTINGS["project"]["requires-python"].removeprefix(">="), "3.13"])
def python(request, wheel, tmp_path_factory):
    """An interpreter of an environment in which nothing but the wheel is installed."""
    found = shutil.which(f"python{request.param}")
    version = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    answer = (
        found and subprocess.run([found, "-c", version], capture_output=True, text=True, check=False).stdout.strip()
    )
    if answer != request.param:
        pytest.skip(f"Python {request.param} is not here")
    environment = tmp_path_factory.mktemp("environment")
    run(found, "-m", "venv", "--without-pip", environment)
    installed = environment / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", installed, "install", "-q", "--no-index", wheel)
    return installed


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(wheel):
    modules = {str(path.relative_to(LIBRARY)) for path in LIBRARY.rglob("*.py")}

    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert held == {f"iam_policy/{name}" for name in modules | DATA}


def test_the_source_archive_builds_the_same_wheel(distributions, wheel, tmp_path):
    (archive,) = distributions.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()

    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "again", cwd=source)

    (again,) = (tmp_path / "again").glob("*.whl")
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_needs_nothing_and_is_typed(wheel):
    files = zipfile.ZipFile(wheel)
    metadata = files.read(next(name for name in files.namelist() if name.endswith("METADATA"))).decode()

    assert "Requires-Dist" not in metadata
    assert "Name: iam-policy-compare" in metadata
    assert "iam_policy/py.typed" in files.namelist()


def test_the_examples_of_the_readme_print_what_they_say(python, tmp_path):
    examples = EXAMPLE.findall((LIBRARY / "README.md").read_text())

    assert len(examples) == 2
    for example in examples:
        assert run(python, "-I", "-c", example, cwd=tmp_path).splitlines() == PRINTED.findall(example)


def test_the_command_of_the_readme_prints_what_it_says(python, tmp_path):
    (printed,) = COMMAND.findall((LIBRARY / "README.md").read_text())
    for name, action in (("baseline", "s3:Get*"), ("live", "s3:*")):
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        (tmp_path / f"{name}.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}))

    def compared(*names):
        command = [python, "-m", "iam_policy", *(tmp_path / name for name in names)]
        return subprocess.run([*map(str, command)], cwd=tmp_path, capture_output=True, text=True, check=False)

    changed, same = compared("baseline.json", "live.json"), compared("live.json", "live.json")

    assert (changed.returncode, changed.stderr) == (1, "")
    assert set(printed.splitlines()) <= set(changed.stdout.splitlines())
    assert (same.returncode, same.stdout) == (0, "EQUIVALENT: Both allow exactly the same requests.\n")
    assert compared("baseline.json", "missing.json").returncode == 2


def test_the_distribution_has_the_licence_of_the_project():
    assert (LIBRARY / "LICENSE").read_text() == (PROJECT / "LICENSE").read_text()


def test_the_build_uses_the_pinned_backend():
    (backend,) = SETTINGS["build-system"]["requires"]

    assert f"\n{backend} \\\n" in (PROJECT / "requirements" / "dev.txt").read_text()
