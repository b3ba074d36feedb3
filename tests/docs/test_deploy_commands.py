"""What the Makefile's targets hand on: an operator's folder, and whether to ask."""

import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SETTINGS = "SETTINGS=../our settings"
FOLDER = '--settings "../our settings"'


def commands(*arguments):
    """The commands that make would run, each on one line."""
    shown = subprocess.run(
        ["/usr/bin/env", "-u", "MAKEFLAGS", "-u", "SETTINGS", "make", "--dry-run", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return shown.replace("\\\n", " ").splitlines()


def command(target, *arguments):
    (found,) = [line for line in commands(target, *arguments) if f"-m deployment {target} " in f"{line} "]
    return found


@pytest.mark.parametrize("target", ["build", "deploy", "deploy-global-events"])
def test_an_operators_folder_and_the_architecture_reach_the_command(target):
    plain, given = command(target), command(target, SETTINGS, "ARCHITECTURE=x86_64")

    assert "--settings" not in plain
    assert FOLDER in given
    assert "--architecture x86_64" in given


@pytest.mark.parametrize("target", ["deploy", "deploy-global-events"])
def test_parameters_are_asked_for_when_that_is_wanted_and_a_pipeline_is_asked_nothing(target):
    assert not {"--guided", "--yes"} & set(command(target).split())
    assert "--guided" in command(target, "GUIDED=1").split()
    assert "--yes" in command(target, "YES=1").split()


@pytest.mark.parametrize("target", ["check", "build", "deploy", "start", "settings"])
def test_an_operators_folder_is_checked_before_anything_is_made_of_it(target):
    lines = commands(target, SETTINGS)

    (checked,) = [number for number, line in enumerate(lines) if "check_settings" in line and "-m" in line]
    assert '"../our settings"' in "".join(lines[checked:])
    assert all("-m deployment" not in line and "-m local" not in line for line in lines[:checked])


def test_the_laptops_stack_has_an_operators_folder():
    assert any(f"-m local start --headlines {FOLDER}" in line for line in commands("start", SETTINGS))
