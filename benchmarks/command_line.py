"""``steward`` against what people type without it: the shell line, curl, and ``aws --version``, all in one run.

``steward`` is the program of the wheel, installed into an environment of its own, and a new process each time, as in a
pipeline. The shell line takes one name after another, so a tenth of the names is run and its time multiplied.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.deployment import PROJECT, Deployment
from benchmarks.distant import distant
from benchmarks.figures import Figure, Target, median_and_least
from benchmarks.shell_line import LINE, aws_cli

NAMES, SHARE = 200, 10
TURNS = 15
DELAY = 0.05
"""Seconds that the distant API takes longer: about what a gateway, a function and one call of ECR take."""
_PUT = (
    'curl --silent --fail-with-body --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" '
    '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -X PUT "$STEWARD_API_URL/repositories/$0"'
)


def measure(stack: Deployment) -> list[Figure]:
    """Ratios of the time of ``steward`` to the time of what it replaces."""
    cli = aws_cli()
    stack.call("GET", "/whoami")  # the first call of a fresh stack starts its function
    with TemporaryDirectory() as folder:
        steward = _installed(Path(folder))
        figures = _many(stack, steward, cli)
        figures.append(_one(stack, steward, "one existing name, against curl --aws-sigv4", _ONE, {}))
        with distant(stack.variables["STEWARD_API_URL"], DELAY) as elsewhere:
            what = f"the same by TLS, {DELAY * 1000:.0f} ms away"
            figures.append(_one(stack, steward, what, None, elsewhere.environment))
        return [*figures, _help(stack, steward, cli)]


def _installed(folder: Path) -> str:
    """The program ``steward`` of the wheel, started as a present pip or uv writes it."""
    subprocess.run([sys.executable, "-m", "venv", "--upgrade-deps", folder], check=True, capture_output=True)
    install = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*install, "./layers/iam_policy", "./cli"], cwd=PROJECT, check=True)
    return str(folder / "bin" / "steward")


def _many(stack: Deployment, program: str, cli: Path) -> list[Figure]:
    """Two hundred names of a file: missing, then existing."""
    figures = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "names.txt"
        names = [f"{stack.names}/many-{number}" for number in range(NAMES)]
        file.write_text("\n".join(names), encoding="utf-8")
        others = [f"{stack.names}/shell-{number}" for number in range(NAMES // SHARE)]
        for case in ("missing", "existing"):
            steward = _timed(stack, program, "ensure", "--file", str(file))
            line = _timed(stack, "/bin/sh", "-c", LINE, "sh", *others, path=cli, caller="") * SHARE
            detail = f"steward {steward:.1f} s, the line {line:.0f} s ({NAMES // SHARE} names, times {SHARE})"
            figures.append(Figure(f"{NAMES} {case}: faster than the shell line", line / steward, "times", None, detail))
    return figures


def _one(stack: Deployment, program: str, what: str, target: Target | None, elsewhere: dict[str, str]) -> Figure:
    """One name that exists, in turns with curl."""
    name = f"{stack.names}/many-0"
    python = str(Path(program).with_name("python"))
    ours, theirs, bare = [], [], []
    _timed(stack, program, "ensure", name, more=elsewhere)  # Python keeps the bytecode
    for _ in range(TURNS):
        bare.append(_timed(stack, python, "-c", "pass"))
        theirs.append(_timed(stack, "/bin/sh", "-c", _PUT, name, more=elsewhere))
        ours.append(_timed(stack, program, "ensure", name, more=elsewhere))
    (ours_median, ours_least), (curl_median, curl_least) = median_and_least(ours), median_and_least(theirs)
    detail = (
        f"steward {ours_median:.3f} s (least {ours_least:.3f}), curl {curl_median:.3f} s (least {curl_least:.3f}), "
        f"Python that does nothing {min(bare):.3f} s"
    )
    return Figure(what, ours_least / curl_least, "times", target, detail)


def _help(stack: Deployment, program: str, cli: Path) -> Figure:
    """The help, in turns with the version of the AWS CLI."""
    ours, theirs = [], []
    _timed(stack, program, "--help")
    for _ in range(TURNS):
        theirs.append(_timed(stack, str(cli / "aws"), "--version"))
        ours.append(_timed(stack, program, "--help"))
    (_, ours_least), (_, theirs_least) = median_and_least(ours), median_and_least(theirs)
    detail = f"steward {ours_least:.2f} s, aws {theirs_least:.2f} s, the least of {TURNS}"
    return Figure("steward --help, against aws --version", ours_least / theirs_least, "times", _HELP, detail)


_ONE, _HELP = Target("at most", 1.5), Target("at most", 1)


def _timed(
    stack: Deployment,
    *command: str,
    path: Path | None = None,
    caller: str = "DEMO_PIPELINE_",
    more: Mapping[str, str] | None = None,
) -> float:
    """Seconds of a process, which runs as the pipeline; as the operator where ``caller`` is empty."""
    key = {name: stack.variables[f"{caller}{name}"] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    found = os.pathsep.join(filter(None, (str(path or ""), os.environ["PATH"])))
    environment = stack.operator_environment | key | {"PATH": found, "AWS_PAGER": ""}
    environment |= {"STEWARD_API_URL": stack.variables["STEWARD_API_URL"]} | dict(more or {})
    began = time.perf_counter()
    subprocess.run(command, env=environment, capture_output=True, check=True)
    return time.perf_counter() - began
