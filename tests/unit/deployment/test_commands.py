"""What the commands hand to SAM: what was saved, for build and deployment the same, and nothing into tracked files."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
SAVED = """\
version = 0.1
[default.global.parameters]
stack_name = "ecr-steward"
region = "eu-central-1"
[default.deploy.parameters]
parameter_overrides = 'AlertEmail="a@example.com" BusName="ours" AlarmEmail="b@example.com" Architecture="arm64"'
"""
OVERRIDES = 'AlertEmail="a@example.com" BusName="ours" AlarmEmail="b@example.com" Architecture="arm64"'
SAM = "import json, os, sys; print('SAM', json.dumps(sys.argv[1:]))"


class Clone:
    """A clone, a folder of the operator's, and a SAM that prints what it is called with."""

    def __init__(self, folder):
        self.project, self.ours, self._path = folder / "clone", folder / "ours", folder / "path"
        for each in (self.project, self.ours, self._path / "samcli"):
            each.mkdir(parents=True)
        shutil.copy(PROJECT / "samconfig.toml", self.project)
        (self._path / "samcli" / "__main__.py").write_text(SAM)
        (self._path / "samcli" / "__init__.py").touch()
        (self.project / ".aws-sam" / "build" / "SettingsLayer" / "python" / "settings").mkdir(parents=True)

    def run(self, command, *options, **environment):
        """The command's answer: its exit code, and what it said on either stream."""
        return subprocess.run(
            [sys.executable, "-m", "deployment", command, "--project", str(self.project), *options],
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{self._path}:functions:layers"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def sam(self, command, *options, **environment):
        """The options that SAM is called with, by name."""
        done = self.run(command, *options, **environment)
        assert done.returncode == 0, done.stderr
        (called,) = [line for line in done.stdout.splitlines() if line.startswith("SAM ")]
        _, *words = json.loads(called.removeprefix("SAM "))
        names = [index for index, word in enumerate(words) if word.startswith("--")]
        return {words[i]: (words[i + 1] if i + 1 < len(words) and i + 1 not in names else True) for i in names}


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


@pytest.fixture
def saved(clone):
    """The clone, with saved answers in the operator's folder."""
    (clone.ours / "deployment.toml").write_text(SAVED)
    return clone


def test_build_and_deployment_have_the_parameters_that_were_saved(saved):
    settings = "--settings", str(saved.ours)

    assert saved.sam("build", *settings)["--parameter-overrides"] == OVERRIDES
    deployed = saved.sam("deploy", *settings)
    assert deployed["--parameter-overrides"] == OVERRIDES
    assert deployed["--config-file"] == str(saved.ours / "deployment.toml")
    assert "--guided" not in deployed


def test_what_lies_in_the_bucket_of_artifacts_is_never_taken_for_what_was_built(saved):
    """Also with answers that were saved before this was a default."""
    for command in ("deploy", "deploy-global-events"):
        assert saved.sam(command, "--yes", "--settings", str(saved.ours))["--force-upload"] is True


def test_another_architecture_is_for_build_and_functions_and_replaces_nothing_else(saved):
    options = "--settings", str(saved.ours), "--architecture", "x86_64"

    for command in ("build", "deploy"):
        assert saved.sam(command, *options)["--parameter-overrides"] == f"{OVERRIDES} Architecture=x86_64"


def test_a_first_deployment_that_asks_nothing_is_refused(clone):
    refused = clone.run("deploy", "--yes")

    assert refused.returncode == 1
    assert "answer the questions once with GUIDED=1, or name the folder that has it with SETTINGS=" in refused.stderr


@pytest.mark.parametrize("folder", ["ours", "project"])
def test_the_first_answers_are_saved_outside_of_what_git_tracks(clone, folder):
    settings = ["--settings", str(clone.ours)] if folder == "ours" else []
    before = (clone.project / "samconfig.toml").read_bytes()

    called = clone.sam("deploy", "--guided", *settings)

    path = getattr(clone, folder) / "deployment.toml"
    assert called["--config-file"] == str(path)
    assert tomllib.loads(path.read_text()).keys() == {"version", "default", "global-events"}
    assert tomllib.loads(path.read_text())["default"].keys() == {"global", "deploy"}
    assert (clone.project / "samconfig.toml").read_bytes() == before


def test_git_ignores_the_saved_answers():
    assert "deployment.toml" in (PROJECT / ".gitignore").read_text().splitlines()


def test_answers_that_an_older_version_saved_in_samconfig_are_taken_over(clone):
    path = clone.project / "samconfig.toml"
    text = path.read_text().replace("[default.deploy.parameters]", '[default.deploy.parameters]\nregion = "eu-west-1"')
    path.write_text(text.replace('"Architecture=arm64"', "'AlertEmail=\"a@example.com\"'"))

    assert clone.sam("deploy")["--parameter-overrides"] == 'AlertEmail="a@example.com"'
    assert tomllib.loads((clone.project / "deployment.toml").read_text())["default"]["deploy"]["parameters"]["region"]


@pytest.mark.parametrize(
    ("options", "region"),
    [(["--guided"], "us-west-2"), ([], None)],
    ids=["asked again: the shell's is the default", "not asked: the saved one holds"],
)
def test_the_shells_region_is_offered_and_never_silently_another_one(saved, options, region):
    called = saved.sam("deploy", *options, "--settings", str(saved.ours), AWS_REGION="us-west-2")

    assert called.get("--region") == region


def test_the_small_stack_forwards_to_the_saved_home_region_and_bus_without_a_question(saved):
    called = saved.sam("deploy-global-events", "--yes", "--settings", str(saved.ours))

    assert called == {
        "--config-file": str(saved.ours / "deployment.toml"),
        "--config-env": "global-events",
        "--force-upload": True,
        "--no-confirm-changeset": True,
        "--region": "us-east-1",
        "--parameter-overrides": 'HomeRegion="eu-central-1" BusName="ours" AlarmEmail="b@example.com"',
    }


def test_the_small_stacks_own_alarm_address_is_kept_and_its_home_region_is_that_of_the_stack(saved):
    path = saved.ours / "deployment.toml"
    path.write_text(
        f"{SAVED}[global-events.deploy.parameters]\n"
        'parameter_overrides = \'HomeRegion="eu-west-3" AlarmEmail="c@example.com"\'\n'
    )

    called = saved.sam("deploy-global-events", "--guided", "--settings", str(saved.ours))

    assert called["--parameter-overrides"] == 'HomeRegion="eu-central-1" BusName="ours" AlarmEmail="c@example.com"'
    assert called["--guided"]


def test_no_small_stack_is_made_where_home_is_already(saved):
    path = saved.ours / "deployment.toml"
    path.write_text(SAVED.replace("eu-central-1", "us-east-1"))

    done = saved.run("deploy-global-events", "--yes", "--settings", str(saved.ours))

    assert (done.returncode, "no second stack is needed" in done.stdout, "SAM" in done.stdout) == (0, True, False)


def test_the_small_stack_needs_a_home_region(clone):
    refused = clone.run("deploy-global-events", "--yes")

    assert refused.returncode == 1
    assert "names no home region: deploy its stack first" in refused.stderr


def test_a_folder_that_is_not_there_is_refused(clone):
    assert "is no folder" in clone.run("build", "--settings", "nowhere").stderr


def test_a_build_has_the_operators_settings_and_none_of_an_earlier_one(clone):
    layer = clone.project / ".aws-sam" / "build" / "SettingsLayer" / "python" / "settings"
    (clone.ours / "drift.yaml").write_text("expected_actors: []\n")
    (clone.ours / "deployment.toml").write_text(SAVED)

    clone.sam("build", "--settings", str(clone.ours))
    assert [path.name for path in (layer / "operator").iterdir()] == ["drift.yaml"]

    clone.sam("build")
    assert not (layer / "operator").exists()
