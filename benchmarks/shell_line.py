"""Fifty repositories through one call, against the shell line that pipelines have instead, name by name.

The line is ``aws ecr describe-repositories --repository-names X || aws ecr create-repository --repository-name X``,
with the AWS CLI from PyPI in an environment of its own. Both speak to the same endpoint, in turns.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from benchmarks.deployment import PROJECT, Deployment
from benchmarks.figures import Figure, Target, median_and_least

REPOSITORIES = 50
CLI_PACKAGE = "awscli==1.46.3"
TARGET = Target("at least", 20)
_TURNS = 2
LINE = """
for name in "$@"; do
  aws ecr describe-repositories --repository-names "$name" || aws ecr create-repository --repository-name "$name"
done
"""


def measure(stack: Deployment) -> list[Figure]:
    """How many times faster the call is: when all repositories are missing, and when all exist."""
    cli = aws_cli()
    version = subprocess.run([cli / "aws", "--version"], capture_output=True, text=True, check=True).stdout.split()[0]
    stack.call("GET", "/whoami")  # the first call of a fresh stack waits for its function to start
    figures = []
    for case in ("missing", "existing"):
        shell, calls = _in_turns(stack, cli, case)
        call, least = median_and_least(calls)
        detail = f"{version} {shell:.1f} s, {len(calls)} calls of POST /repositories {call:.2f} s (least {least:.2f} s)"
        figures.append(
            Figure(f"{REPOSITORIES} {case}: the call against the shell line", shell / call, "times", TARGET, detail)
        )
    return figures


def _in_turns(stack: Deployment, cli: Path, case: str) -> tuple[float, list[float]]:
    """Seconds of the shell line for all its names, and of each call for as many; each has names of its own."""
    share = REPOSITORIES // _TURNS
    shell_names = [f"{stack.names}/shell-{number}" for number in range(REPOSITORIES)]
    shell, calls = 0.0, []
    for turn in range(_TURNS + 1):
        names = [f"{stack.names}/call-{turn}-{number}" for number in range(REPOSITORIES)]
        calls.append(_timed(lambda names=names: _call(stack, names, case)))  # type: ignore[misc]
        mine = shell_names[turn * share : (turn + 1) * share]
        if mine:
            shell += _timed(lambda mine=mine: _run(stack, cli, mine))  # type: ignore[misc]
    return shell, calls


def _call(stack: Deployment, names: list[str], case: str) -> None:
    reply = stack.call("POST", "/repositories", {"repositories": names})
    expected = {HTTPStatus.CREATED if case == "missing" else HTTPStatus.OK}
    seen = {item["status"] for item in reply.document["repositories"]}
    if seen != expected:
        raise RuntimeError(f"of {len(names)} {case} repositories the API says {seen}, not {expected}")


def _run(stack: Deployment, cli: Path, names: list[str]) -> None:
    environment = stack.operator_environment | {"PATH": f"{cli}{os.pathsep}{os.defpath}", "AWS_PAGER": ""}
    command = ["/bin/sh", "-c", LINE, "sh", *names]
    subprocess.run(command, env=environment, capture_output=True, check=True)


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def aws_cli() -> Path:
    """The folder of the ``aws`` command, in an environment that is made where there is none."""
    home = PROJECT / ".local" / "awscli"
    folder = home / "bin"
    if not (folder / "aws").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        install = [
            str(folder / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            CLI_PACKAGE,
        ]
        subprocess.run(install, check=True)
    return folder
