"""The commands of the pages, run in their order, as the person and in the state that the page is for."""

import re

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.docs.test_pages import PROJECT
from tests.pages.commands import COMMANDS
from tests.pages.shell import Shell, needs_aws_cli
from tests.pages.tables import (
    A_CALL_BY_NAME,
    DEPLOYER,
    ELSEWHERE,
    NO_REPLICAS,
    NO_RESTORE,
    NO_SSH,
    PRINTED,
    TABLES,
    Step,
    steady,
)


@pytest.fixture(scope="module")
def template():
    return yaml_parse((PROJECT / "template.yaml").read_text())


@pytest.fixture
def shell(stack, cli_folder, tmp_path):
    names = ("AWS_ENDPOINT_URL", "STEWARD_API_URL", "STEWARD_REGISTRY")
    variables = {name: stack.variables[name] for name in names} | {"PROJECT": str(stack.folder)}
    path = f"{stack.folder / '.local' / 'bin'}:{cli_folder}:/usr/bin:/bin"
    return Shell(tmp_path, {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8", **variables})


def elsewhere(command):
    """The reason for which no stack of the pages runs a command; empty where it is run."""
    printed = PRINTED.get(command.page, "")
    return printed or next((reason for start, reason in ELSEWHERE.items() if re.match(start, command.text)), "")


def on_the_stack(page):
    return [command for command in COMMANDS if command.page == page and not elsewhere(command)]


def start_of(command):
    """The longest beginning of a command that its page's table has; empty where it has none."""
    return max((text for text in TABLES[command.page].steps if command.text.startswith(text)), key=len, default="")


def step_of(command):
    return TABLES[command.page].steps.get(start_of(command), Step())


def follow(page, state, world, shell, skipped=()):
    """Run the commands of a page in their order; each succeeds, and shows what its step says."""
    names = dict(state(world, shell.folder) or {})
    for command in on_the_stack(page):
        step = step_of(command)
        if step.not_run or start_of(command) in skipped:
            continue
        here = names | (step.before(world, shell.folder) if step.before else {})
        text = replaced(replaced(command.text, step.instead), here)

        done = shell.run(text, world.people[step.person])

        assert done.status == 0, f"{command}, {step.person}\n{text}\n{done.shown[-3000:]}"
        assert replaced(step.shows, here) in done.shown, f"{command}\n{text}\n{done.shown[-3000:]}"


def replaced(text, names):
    for on_the_page, here in names.items():
        text = text.replace(on_the_page, here)
    return text


@needs_aws_cli
@pytest.mark.parametrize("page", TABLES)
def test_the_commands_of_a_page_work(page, world, shell):
    follow(page, TABLES[page].state, world, shell)


@needs_aws_cli
def test_the_commands_for_a_leak_work_where_aws_has_not_quarantined_the_user(world, shell):
    follow("docs/runbooks/key-leaked.md", steady, world, shell, skipped={"aws iam list-attached-user-policies"})


def test_every_command_of_every_page_is_run_or_says_why_not():
    assert [str(command) for command in COMMANDS if command.page not in TABLES and not elsewhere(command)] == []


@pytest.mark.parametrize("page", TABLES)
def test_every_step_of_a_table_is_a_command_of_its_page(page):
    assert {start_of(command) for command in on_the_stack(page)} - {""} == TABLES[page].steps.keys()


def test_every_target_of_make_on_a_page_exists():
    written = {command.text.partition("#")[0].split()[1] for command in COMMANDS if command.text.startswith("make ")}
    targets = re.findall(r"^([a-z-]+(?: [a-z-]+)*):", (PROJECT / "Makefile").read_text(), re.MULTILINE)

    assert written <= {target for line in targets for target in line.split()}


@pytest.mark.parametrize("page", TABLES)
def test_what_only_a_deployer_may_do_says_so_in_a_runbook(page):
    needs = [step_of(command).person == DEPLOYER for command in on_the_stack(page)]

    if page.startswith("docs/runbooks/") and any(needs):
        assert "deployer" in (PROJECT / page).read_text()


OPERATIONS = {
    "logs tail": "logs:FilterLogEvents",
    "lambda invoke": "lambda:InvokeFunction",
    "s3api get-object": "s3:GetObjectVersion",
    "s3api list-object-versions": "s3:ListBucketVersions",
    "sts get-caller-identity": "",
}
"""Commands whose right has another name; the last one needs none."""


OF_DEPLOYERS = {NO_RESTORE, NO_REPLICAS, NO_SSH, A_CALL_BY_NAME}
"""Commands that are not run here, and are no people on call's on AWS."""


def action_of(service, operation):
    name = "".join(part.capitalize() for part in operation.split("-"))
    return OPERATIONS.get(f"{service} {operation}", f"{service}:{name}")


def test_the_policy_of_people_on_call_allows_the_commands_of_the_runbooks_and_no_more(template):
    runbooks = [command for command in COMMANDS if command.page.startswith("docs/runbooks/")]
    theirs = [command.text for command in runbooks if not elsewhere(command) and may_be_on_call(step_of(command))]
    needed = {action_of(*found) for text in theirs for found in re.findall(r"\baws ([a-z0-9]+) ([a-z-]+)", text)}
    statements = template["Resources"]["OnCallPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    statements = [one["Fn::If"][1] if "Fn::If" in one else one for one in statements]
    granted = {
        action
        for one in statements
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }

    assert granted == needed - {""}


def may_be_on_call(step):
    return step.person != DEPLOYER and step.not_run not in OF_DEPLOYERS
