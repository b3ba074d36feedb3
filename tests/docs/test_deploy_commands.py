"""What `make deploy` hands to SAM: what was saved, and for both of its commands the same."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SAVED = 'AlertEmail="a@example.com" DigestSchedule="cron(0 7 ? * MON *)" RepositoryKeyArns="" Architecture="arm64"'


def commands(*arguments):
    """The SAM commands that make would run."""
    shown = subprocess.run(
        ["/usr/bin/env", "make", "--dry-run", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    return [line for line in shown.splitlines() if line.startswith(".local/venv/bin/sam ")]


def overrides(command, folder):
    """What the shell makes of a command's overrides, in a folder whose samconfig.toml has SAVED."""
    (argument,) = re.findall(r'--parameter-overrides (".*")$', command)
    done = subprocess.run(
        ["/bin/bash", "-c", f"printf %s {argument}"], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def saved(tmp_path):
    (tmp_path / "samconfig.toml").write_text(f"[default.deploy.parameters]\nparameter_overrides = '{SAVED}'\n")
    (tmp_path / ".local" / "venv" / "bin").mkdir(parents=True)
    (tmp_path / ".local" / "venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def test_a_deployment_keeps_the_parameters_that_were_saved(saved):
    build, deploy = commands("deploy")

    assert overrides(build, saved) == overrides(deploy, saved) == SAVED
    assert "--guided" not in deploy


def test_another_architecture_is_for_build_and_functions_and_replaces_nothing_else(saved):
    build, deploy = commands("deploy", "ARCHITECTURE=x86_64")

    assert overrides(build, saved) == overrides(deploy, saved) == f"{SAVED} Architecture=x86_64"


def test_parameters_are_asked_for_when_that_is_wanted():
    assert all("--guided" in command for command in commands("deploy", "GUIDED=1")[1:])
    assert all("--guided" in command for command in commands("deploy-global-events", "GUIDED=1"))


def test_a_pipeline_is_asked_nothing():
    assert "--no-confirm-changeset" in commands("deploy", "YES=1")[-1]
    assert "--no-confirm-changeset" in commands("deploy-global-events", "YES=1")[-1]


def test_there_is_something_saved_from_the_start():
    configuration = tomllib.loads((PROJECT / "samconfig.toml").read_text())

    assert "Architecture" in configuration["default"]["deploy"]["parameters"]["parameter_overrides"]
