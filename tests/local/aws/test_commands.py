"""``python -m local``: start, stop, status, logs and clean, as a person runs them."""

import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.local.aws.deployed import Project


def is_running(process_id):
    """Whether a process runs; one that ended and that nobody has taken note of yet does not."""
    state = subprocess.run(
        ["/bin/ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False
    )
    return state.stdout.strip()[:1] not in ("", "Z")


def test_start_deploys_the_stack_and_shows_the_main_job(project):
    printed = project.first_start

    assert printed.returncode == 0, printed.stdout + printed.stderr
    assert "push to demo/hello, which does not exist: refused (name unknown)" in printed.stdout
    assert "PUT by demo-outsider, who may push but not call: refused (403)" in printed.stdout
    assert "PUT by demo-pipeline: created (201)" in printed.stdout
    assert "pull: the same image" in printed.stdout
    assert project.variables["STEWARD_API_URL"] in printed.stdout
    assert len(re.findall(r"^(?:curl|skopeo|AWS_ACCESS_KEY_ID=\S+ AWS_SECRET)", printed.stdout, re.MULTILINE)) == 3


def test_the_environment_file_serves_a_shell_and_a_program(project):
    path = project.folder / ".local" / "env"

    seen_by_shell = subprocess.run(
        ["/bin/sh", "-c", f". {path}; /usr/bin/env"],
        capture_output=True,
        text=True,
        check=True,
        env={"AWS_SESSION_TOKEN": "of-another-account", "AWS_PROFILE": "other"},
    ).stdout.splitlines()

    variables = project.variables
    assert path.stat().st_mode & 0o777 == 0o600
    assert {f"{name}={value}" for name, value in variables.items()} <= set(seen_by_shell)
    assert "other" not in "".join(seen_by_shell)
    assert variables["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{project.port}"
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "ca-central-1"
    assert variables["STEWARD_STACK"] == "fixture"
    assert variables["STEWARD_REGISTRY"] == f"127.0.0.1:{project.port}"
    assert project.aws.client("sts", project.key()).get_caller_identity()["Arn"].endswith(":root")


def test_the_first_command_to_copy_works_as_it_is_printed(project):
    command = next(line for line in project.first_start.stdout.splitlines() if line.startswith("curl "))

    answered = subprocess.run(
        ["/bin/sh", "-c", f"{command} --silent --write-out '%{{http_code}}'"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert answered.stdout.endswith(("200", "201"))


def test_a_second_start_changes_nothing(project):
    cloudformation = project.aws.client("cloudformation", project.key())
    before = cloudformation.describe_stacks(StackName="fixture")["Stacks"][0], project.variables, project.process_id

    second = project.run("start")

    after = cloudformation.describe_stacks(StackName="fixture")["Stacks"][0], project.variables, project.process_id
    assert second.returncode == 0
    assert "already exists (200)" in second.stdout
    assert before == after


def test_changed_sources_are_deployed_and_the_url_stays(project):
    url = project.variables["STEWARD_API_URL"]
    project.edit("StatusCode: 422}", "StatusCode: 422}\n        THROTTLED: {<<: *problem, StatusCode: 420}")

    again = project.run("start")

    api = project.aws.client("apigateway").get_rest_apis()["items"][0]["id"]
    throttled = project.aws.client("apigateway").get_gateway_response(restApiId=api, responseType="THROTTLED")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "deployed in" in again.stdout
    assert throttled["statusCode"] == "420"
    assert project.variables["STEWARD_API_URL"] == url


def test_state_that_was_to_be_kept_makes_the_next_start_quick(project):
    before, key = project.process_id, project.key("DEMO_PIPELINE_")
    project.run("stop")

    again = project.run("start")

    assert not is_running(before)
    assert "the stack is up to date" in again.stdout
    assert "already exists (200)" in again.stdout
    assert project.key("DEMO_PIPELINE_") == key


def test_status_says_what_runs_where_and_since_when(project):
    printed = project.run("status").stdout

    assert f"http://127.0.0.1:{project.port} in ca-central-1, process {project.process_id}" in printed
    assert re.search(r"since +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", printed)
    assert "stack    fixture\n" in printed


def test_logs_shows_what_the_functions_wrote(project):
    assert re.search(r"fixture-Repositories-\S+ (START|END|REPORT) RequestId", project.run("logs").stdout)


def test_a_port_that_differs_from_the_running_one_is_refused_with_what_to_do(project):
    refused = project.run("start", PORT=str(project.port + 1))

    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"The local AWS is already running on port {project.port}; "
        f"use it: PORT={project.port} make start, or stop it first: make stop"
    )


def test_the_environment_of_the_starting_user_reaches_no_function(project):
    environment = Path(f"/proc/{project.process_id}/environ").read_bytes()

    assert b"SECRET_OF_THE_USER" not in environment


@pytest.fixture
def other(tmp_path):
    """Another project, on which nothing has been run."""
    project = Project(tmp_path / "project")
    yield project
    project.run("clean")


def test_keeping_the_state_of_one_that_runs_without_is_refused_with_what_to_do(project, other):
    other.run("start", KEEP="")

    refused = other.run("start")

    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        "The local AWS is already running without KEEP=1, so its state ends with it; "
        "to keep the state of a new one: make stop && KEEP=1 make start"
    )


def test_clean_leaves_nothing_behind_but_the_settings_of_the_project(other):
    before = sorted(other.folder.rglob("*"))
    other.run("start")

    other.run("clean")

    assert [path for path in sorted(other.folder.rglob("*")) if path not in before and path.name != ".local"] == []


@pytest.mark.parametrize("given", [["ecr", "describe-repositories"], ["--endpoint-url", "http://other", "iam", "x"]])
def test_the_aws_on_the_path_calls_the_local_aws_in_every_version(project, tmp_path, given):
    installed = tmp_path / "aws"
    installed.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    installed.chmod(0o755)

    called = subprocess.run(
        ["/bin/sh", "-c", f'. {project.folder}/.local/env; aws "$@"', "sh", *given],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    ).stdout.splitlines()

    own = [] if "--endpoint-url" in given else ["--endpoint-url", project.variables["AWS_ENDPOINT_URL"]]
    assert called == [*own, *given]


def test_an_aws_that_looks_for_itself_on_the_path_does_not_come_back_to_the_wrapper(project, tmp_path):
    shim, real = tmp_path / "shims" / "aws", tmp_path / "aws"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nPATH=$(echo "$PATH" | sed "s#{shim.parent}:##")\nexec aws "$@"\n')
    real.write_text("#!/bin/sh\necho reached\n")
    for file in (shim, real):
        file.chmod(0o755)

    called = subprocess.run(
        ["/bin/sh", "-c", f". {project.folder}/.local/env; aws ecr x"],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
        env={"PATH": f"{shim.parent}:{tmp_path}:/usr/bin:/bin"},
    )

    assert called.stdout == "reached\n"


def test_a_missing_aws_cli_is_named(project, tmp_path):
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")  # /usr/bin may hold an AWS CLI

    refused = subprocess.run(
        ["/bin/sh", "-c", f". {project.folder}/.local/env; aws ecr x"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(tmp_path)},
    )

    assert (refused.returncode, "The AWS CLI is not installed" in refused.stderr) == (127, True)


def test_a_taken_port_ends_with_one_sentence(other):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other.port))
        taken.listen()

        refused = other.run("start")

    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"Port {other.port} is taken by another program; choose one that is free: PORT={other.port + 1} make start"
    )


def test_a_missing_interpreter_ends_with_one_sentence_and_starts_nothing(other):
    gone = "import sys; sys.base_prefix = '/gone'; from local.cli import main; sys.exit(main(sys.argv[1:]))"

    refused = other.run("start", python_code=gone)

    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "The functions need python3.13" in refused.stderr
    assert other.run("status").returncode == 1


def test_a_failed_deployment_ends_with_one_sentence_and_clean_removes_what_was_made(other):
    other.edit("Type: AWS::SQS::Queue", "Type: AWS::Events::Archive")

    refused = other.run("start")

    process_id, private = other.process_id, (other.folder / ".local" / "aws").stat().st_mode & 0o777
    other.run("clean")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stderr.startswith("sam deploy failed: ")
    assert "AWS::Events::Archive" in refused.stderr
    assert f"The log is {other.folder}/.local/aws/deploy.log." in refused.stderr
    assert private == 0o700
    assert not is_running(process_id)
    assert not (other.folder / ".local" / "aws").exists()
    assert not (other.folder / ".aws-sam").exists()


def test_nothing_runs_before_start(other):
    assert other.run("status").stderr.strip() == "The local AWS is not running; start it: make start"
    assert other.run("stop").stdout.strip() == "The local AWS is not running."


def test_stop_ends_no_process_that_took_over_the_id(other):
    with subprocess.Popen(["/bin/sleep", "60"]) as bystander:
        folder = other.folder / ".local" / "aws"
        folder.mkdir(parents=True)
        record = '{"pid": %d, "born": "Mon Jan 1 00:00:00 2024", "since": "2024-01-01T00:00:00+00:00", "port": 1,'
        (folder / "server.json").write_text(
            record % bystander.pid
            + ' "region": "x", "keeps_state": false, "access_key_id": "x", "secret_access_key": "x"}'
        )

        stopped = other.run("stop")

        assert stopped.stdout.strip() == "The local AWS is not running."
        assert is_running(bystander.pid)
        bystander.send_signal(signal.SIGKILL)
