"""The scripts behind every pipeline: run as a job of GitLab or a step of Jenkins runs them."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.integrations.composite_action import PROJECT, runner_environment

INTEGRATIONS = PROJECT / "integrations"


def gitlab_job(name, **inputs):
    """A component's job with these inputs, which GitLab puts into the texts of the file after reading it."""
    header, jobs = yaml.safe_load_all((INTEGRATIONS / "gitlab" / "templates" / f"{name}.yml").read_text())
    given = {key: declared.get("default") for key, declared in header["spec"]["inputs"].items()} | inputs

    def filled(value):
        match value:
            case dict():
                return {key: filled(inner) for key, inner in value.items()}
            case list():
                return [filled(inner) for inner in value]
            case str():
                return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: str(given[found[1]]), value)
        return value

    (job,) = jobs.values()
    return filled(job)


def run(script, folder, **variables):
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],  # noqa: S607
        cwd=folder,
        env=runner_environment(sys.executable, **variables),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_component_of_gitlab_fails_for_added_access_and_leaves_a_report(repository, released):
    repository.commit("s3:GetObject", "s3:PutObject")
    job = gitlab_job("policy-gate", source=released, base=repository.base)

    done = run("\n".join(job["script"]), repository.folder, **job["variables"])

    assert done.returncode == 1, done.stderr
    assert "Adds: s3:PutObject" in done.stdout
    assert 'failures="1"' in (repository.folder / job["artifacts"]["reports"]["junit"]).read_text()


def test_the_step_of_jenkins_fails_for_added_access(repository, released):
    step = (INTEGRATIONS / "jenkins" / "vars" / "stewardPolicyGate.groovy").read_text()
    script = (INTEGRATIONS / "jenkins" / "vars" / "stewardScript.groovy").read_text().split("'''")[1]
    repository.commit("s3:GetObject", "s3:PutObject")
    values = {"BASE": repository.base, "HEAD": ".", "FAIL_ON": "LOW", "ALLOW": "", "RESULTS": "policy-gate"}
    assert re.findall(r'"([A-Z_]+)=', step) == list(values)

    done = run(
        script,
        repository.folder,
        STEWARD_SCRIPT=re.search(r"stewardScript\('([\w.-]+)'", step)[1],
        STEWARD_SOURCE=released,
        STEWARD_VERSION="v0.1.0",
        **values,
    )

    assert done.returncode == 1, done.stderr
    assert "Adds: s3:PutObject" in done.stdout
    assert json.loads((repository.folder / "policy-gate" / "gate.json").read_text())["failed"] is True


def test_a_version_that_does_not_exist_is_named(repository, released):
    job = gitlab_job("policy-gate", source=released, base=repository.base, version="v9.9.9")

    done = run("\n".join(job["script"]), repository.folder, **job["variables"])

    assert done.returncode != 0
    assert "v9.9.9" in done.stderr


def test_the_folder_of_the_results_is_not_judged(repository, released):
    repository.commit("s3:GetObject", "s3:PutObject")
    job = gitlab_job("policy-gate", source=released, base=repository.base)

    first = run("\n".join(job["script"]), repository.folder, **job["variables"])
    second = run("\n".join(job["script"]), repository.folder, **job["variables"])

    assert first.stdout == second.stdout


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_a_python_that_is_too_old_or_absent_is_one_line(tmp_path, python):
    copy = tmp_path / "integrations" / "steward"
    copy.parent.mkdir()
    shutil.copy(INTEGRATIONS / "steward", copy)
    environment = runner_environment("", PYTHON=python)

    done = subprocess.run(
        [str(copy), "--version"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr == f"steward: needs Python 3.11 or later, and {python} is not: set PYTHON to one\n"
