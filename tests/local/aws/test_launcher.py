"""The launcher starts only what the additions are written for, on this machine only, and keeps state if asked."""

import re
import signal
import socket
import subprocess
import time

import pytest

from local.errors import LocalAwsError
from local.server import running_server, start_server
from local.workspace import Workspace
from tests.local.aws.functions import deploy_function
from tests.local.aws.launched import PYTHON, REPOSITORY, environment, launch, stop
from tests.local.stack import eventually

CHECK = "import local.launcher; local.launcher.main(['--check'])"


def run(temporary, code, **changed):
    return subprocess.run(
        [PYTHON, "-c", code],
        cwd=REPOSITORY,
        env=environment(temporary) | changed,
        capture_output=True,
        text=True,
        check=False,
    )


def processes_of(folder):
    """The functions that run with their code below a folder; one that has ended has no command line any more."""
    lines = subprocess.run(["/bin/ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in lines if f"{folder}/ministack-lambda" in line]


def test_the_pinned_ministack_lacks_everything_that_is_added(tmp_path):
    report = run(tmp_path, CHECK).stdout.splitlines()

    assert len(report) == len(list((REPOSITORY / "local" / "additions").glob("[a-z]*.py")))
    assert all(line.startswith("added") for line in report)


def test_the_additions_name_the_pinned_version():
    pinned = re.search(r"^ministack==(.+)$", (REPOSITORY / "requirements" / "local.in").read_text(), re.MULTILINE)
    written_for = re.search(
        r'^MINISTACK_VERSION = "(.+)"$', (REPOSITORY / "local" / "additions" / "__init__.py").read_text(), re.MULTILINE
    )

    assert pinned[1] == written_for[1]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("ministack.services.iam", "_groups"),
        ("ministack.services.ecr", "_v2_put_manifest"),
        ("ministack.app", "save_all"),
    ],
)
def test_a_name_that_ministack_lost_is_named_before_anything_starts(tmp_path, module, name):
    lost = f"import os, {module}; del {module}.{name}; {CHECK}"

    ended = run(tmp_path, lost)

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert f"{module}.{name}" in ended.stderr
    assert "1.5.33" in ended.stderr


def test_what_ministack_has_gained_is_used_and_named(tmp_path):
    gained = (
        "from ministack.services.cloudformation import provisioners;"
        f"provisioners._RESOURCE_HANDLERS['AWS::IAM::Group'] = {{}}; {CHECK}"
    )

    ended = run(tmp_path, gained)

    assert "gained local.additions.iam_groups" in ended.stdout
    assert "delete local.additions.iam_groups" in ended.stderr


def test_it_does_not_start_without_a_root_key(tmp_path):
    ended = run(tmp_path, CHECK, AWS_SECRET_ACCESS_KEY="")

    assert ended.returncode == 1
    assert ended.stderr.strip() == "AWS_SECRET_ACCESS_KEY must be set: it is the root key of the local AWS."


def test_other_machines_cannot_reach_it(aws):
    with socket.socket() as outside, pytest.raises(ConnectionRefusedError):
        outside.connect(("127.0.0.2", aws.port))


def test_it_ends_with_the_process_that_started_it_and_its_functions_with_it(tmp_path):
    with subprocess.Popen(["/bin/sleep", "600"]) as killed:
        running = launch(tmp_path, "--end-with", str(killed.pid))
        function = deploy_function(running, "worker", "def handler(event, context): return event")
        running.client("lambda").invoke(FunctionName=function)
        functions = processes_of(tmp_path)

        killed.send_signal(signal.SIGKILL)

    assert running.process.wait(timeout=20) == 0
    assert len(functions) == 1
    assert eventually(lambda: processes_of(tmp_path) == [], seconds=30)


@pytest.mark.parametrize(("signal_number", "wait"), [(signal.SIGTERM, 0), (signal.SIGKILL, 4)])
def test_state_outlives_the_process_if_asked_even_when_it_is_killed(tmp_path, signal_number, wait):
    first = launch(tmp_path, "--data", str(tmp_path / "data"))
    first.client("ecr").create_repository(repositoryName="team-a/kept")
    time.sleep(wait)
    stop(first, signal_number)

    second = launch(tmp_path, "--data", str(tmp_path / "data"))
    repositories = second.client("ecr").describe_repositories()["repositories"]
    stop(second)

    assert [repository["repositoryName"] for repository in repositories] == ["team-a/kept"]
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_one_that_is_too_slow_is_stopped_and_the_error_says_that_the_machine_may_be_busy(tmp_path):
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    workspace = Workspace(tmp_path)

    with pytest.raises(LocalAwsError, match=r"did not answer within 0 s and was stopped: the machine may be busy"):
        start_server(workspace, port, keep_state=False, seconds=0)

    assert running_server(workspace) is None
