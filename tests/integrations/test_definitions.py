"""The files that CI systems read: valid by the systems' own schemas, pinned, and safe against text from outside."""

import json
import re
from importlib.resources import files

import jsonschema
import pytest
import yaml

from tests.integrations.composite_action import PROJECT

INTEGRATIONS = PROJECT / "integrations"
ACTIONS = sorted((INTEGRATIONS / "github").glob("*/action.yml"))
COMPONENTS = sorted((INTEGRATIONS / "gitlab" / "templates").glob("*.yml"))
STEPS = [INTEGRATIONS / "jenkins" / "vars" / f"steward{name}.groovy" for name in ("Ensure", "PolicyGate")]
PAGE = (PROJECT / "docs" / "pipelines.md").read_text(encoding="utf-8")
WORKFLOWS = re.findall(r"```yaml github\n(.*?)```", PAGE, re.DOTALL)
PIPELINES = re.findall(r"```yaml gitlab\n(.*?)```", PAGE, re.DOTALL)


def schema(name):
    """A schema of the system's own, as check-jsonschema carries it."""
    text = (files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{name}.json").read_text(encoding="utf-8")
    return jsonschema.validators.validator_for(json.loads(text))(json.loads(text))


def by_name(path):
    return path.parent.name if path.name == "action.yml" else path.name


def test_all_of_them_are_here():
    assert (len(ACTIONS), len(COMPONENTS)) == (2, 2)
    assert (len(WORKFLOWS), len(PIPELINES)) == (2, 2)


@pytest.mark.parametrize("path", ACTIONS, ids=by_name)
def test_an_action_is_valid(path):
    schema("github-actions").validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("path", ACTIONS, ids=by_name)
def test_the_scripts_of_an_action_hold_no_expression(path):
    """An expression in a script is replaced before the shell reads it: text of a pull request would run."""
    for step in yaml.safe_load(path.read_text())["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", ACTIONS, ids=by_name)
def test_other_actions_are_pinned_by_their_commit(path):
    for line in path.read_text().splitlines():
        if "uses:" in line:
            assert re.search(r"uses: [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("path", COMPONENTS, ids=by_name)
def test_a_component_is_valid(path):
    header, jobs = yaml.safe_load_all(path.read_text())

    schema("gitlab-ci").validate(header)
    schema("gitlab-ci").validate(jobs)


@pytest.mark.parametrize("path", COMPONENTS, ids=by_name)
def test_a_component_uses_the_inputs_that_it_declares(path):
    header, _ = yaml.safe_load_all(path.read_text())

    assert set(re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", path.read_text())) == set(header["spec"]["inputs"])


@pytest.mark.parametrize("path", COMPONENTS, ids=by_name)
def test_the_scripts_of_a_component_hold_no_input(path):
    _, jobs = yaml.safe_load_all(path.read_text())

    for job in jobs.values():
        assert not any("$[[" in line for line in job["script"])


@pytest.mark.parametrize("text", WORKFLOWS)
def test_a_workflow_of_the_page_is_valid(text):
    schema("github-workflows").validate(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506 - `on` is a text there


@pytest.mark.parametrize("text", WORKFLOWS)
def test_a_workflow_of_the_page_uses_inputs_that_the_action_has(text):
    for job in yaml.safe_load(text)["jobs"].values():
        for step in job["steps"]:
            found = re.fullmatch(r"OWNER/ecr-steward/integrations/github/([\w-]+)@v\d+\.\d+\.\d+", step.get("uses", ""))
            if found:
                action = yaml.safe_load((INTEGRATIONS / "github" / found[1] / "action.yml").read_text())
                assert step.get("with", {}).keys() <= action["inputs"].keys()


@pytest.mark.parametrize("text", PIPELINES)
def test_a_pipeline_of_the_page_is_valid_and_gives_what_the_component_needs(text):
    pipeline = yaml.safe_load(text)
    schema("gitlab-ci").validate(pipeline)

    for include in pipeline["include"]:
        name = include["component"].partition("@")[0].rpartition("/")[2]
        header, _ = yaml.safe_load_all((INTEGRATIONS / "gitlab" / "templates" / f"{name}.yml").read_text())
        declared = header["spec"]["inputs"]
        needed = {one for one, what in declared.items() if "default" not in what}
        assert needed <= include["inputs"].keys() <= declared.keys()


def test_the_script_of_the_jenkins_steps_reads_variables_that_they_set():
    text = (INTEGRATIONS / "jenkins" / "vars" / "stewardScript.groovy").read_text()

    used = set(re.findall(r"\$([A-Z_]+)", text.split("'''")[1]))
    assert used == set(re.findall(r'"([A-Z_]+)=', text))


@pytest.mark.parametrize("path", STEPS, ids=by_name)
def test_a_jenkins_step_sets_variables_that_its_script_reads(path):
    script = re.search(r"stewardScript\('([\w.-]+)'", path.read_text())[1]

    for name in re.findall(r'"([A-Z_]+)=', path.read_text()):
        assert f"${{{name}:-" in (INTEGRATIONS / script).read_text()


def test_the_page_counts_the_lines_that_it_replaces():
    by_hand = re.search(r"```bash before\n(.*?)```", PAGE, re.DOTALL)[1]
    (github, _), (gitlab, _) = WORKFLOWS, PIPELINES
    lines = {
        "by hand, as above": by_hand.count("\n"),
        "GitHub Actions": len(re.search(r"- uses: OWNER.*?(?=      - run)", github, re.DOTALL)[0].splitlines()),
        "GitLab CI/CD": gitlab.count("\n"),
    }

    for name, count in lines.items():
        assert f"| {name} | {count} |" in PAGE


def test_the_configuration_of_renovate_is_valid_and_finds_what_it_updates():
    configured = json.loads((PROJECT / "renovate.json").read_text(encoding="utf-8"))

    schema("renovate").validate(configured)
    (manager,) = configured["customManagers"]
    pattern = manager["matchStrings"][0].replace("(?<", "(?P<")
    assert re.search(pattern, (PROJECT / "benchmarks" / "shell_line.py").read_text(encoding="utf-8"))["currentValue"]
    for name in ("github-actions", "pip-compile"):
        for pattern in configured[name]["managerFilePatterns"]:
            files_found = [
                str(path.relative_to(PROJECT))
                for path in PROJECT.glob("[a-z]*/**/*")
                if path.suffix in {".txt", ".yml"}
            ]
            assert any(re.search(pattern.strip("/"), one) for one in files_found), pattern
