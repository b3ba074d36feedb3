"""``steward`` against what people type without it: the shell line, curl, and ``aws --version``, all in one run.

``steward`` is a new process each time, as in a pipeline. The shell line takes one name after another, so a tenth of the
names is run and its time multiplied.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.deployment import PROJECT, Deployment
from benchmarks.figures import Figure, Target, median_and_least
from benchmarks.shell_line import LINE, aws_cli

NAMES, SHARE = 200, 10
TURNS = 7
_STEWARD = (sys.executable, "-P", "-m", "ecr_steward")
_PUT = (
    'curl --silent --fail-with-body --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" '
    '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -X PUT "$STEWARD_API_URL/repositories/$0"'
)
_CODE = os.pathsep.join(str(PROJECT / part) for part in ("cli", "functions", "layers"))


def measure(stack: Deployment) -> list[Figure]:
    """Ratios of the time of ``steward`` to the time of what it replaces."""
    cli = aws_cli()
    stack.call("GET", "/whoami")  # the first call of a fresh stack starts its function
    return [*_many(stack, cli), _one(stack), _help(stack, cli)]


def _many(stack: Deployment, cli: Path) -> list[Figure]:
    """Two hundred names of a file: missing, then existing."""
    figures = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "names.txt"
        names = [f"{stack.names}/many-{number}" for number in range(NAMES)]
        file.write_text("\n".join(names), encoding="utf-8")
        others = [f"{stack.names}/shell-{number}" for number in range(NAMES // SHARE)]
        for case in ("missing", "existing"):
            steward = _timed(stack, *_STEWARD, "ensure", "--file", str(file))
            line = _timed(stack, "/bin/sh", "-c", LINE, "sh", *others, path=cli, caller="") * SHARE
            detail = f"steward {steward:.1f} s, the line {line:.0f} s ({NAMES // SHARE} names, times {SHARE})"
            figures.append(Figure(f"{NAMES} {case}: faster than the shell line", line / steward, "times", None, detail))
    return figures


def _one(stack: Deployment) -> Figure:
    """One name that exists, in turns with curl."""
    name = f"{stack.names}/many-0"
    ours, theirs, bare = [], [], []
    _timed(stack, *_STEWARD, "ensure", name)  # Python keeps the bytecode
    for _ in range(TURNS):
        bare.append(_timed(stack, sys.executable, "-P", "-c", "pass"))
        theirs.append(_timed(stack, "/bin/sh", "-c", _PUT, name))
        ours.append(_timed(stack, *_STEWARD, "ensure", name))
    (ours_median, ours_least), (curl_median, curl_least) = median_and_least(ours), median_and_least(theirs)
    detail = (
        f"steward {ours_median:.3f} s (least {ours_least:.3f}), curl {curl_median:.3f} s (least {curl_least:.3f}), "
        f"Python that does nothing {min(bare):.3f} s"
    )
    return Figure("one existing name, against curl --aws-sigv4", ours_least / curl_least, "times", _ONE, detail)


def _help(stack: Deployment, cli: Path) -> Figure:
    """The help, in turns with the version of the AWS CLI."""
    ours, theirs = [], []
    _timed(stack, *_STEWARD, "--help")
    for _ in range(TURNS):
        theirs.append(_timed(stack, str(cli / "aws"), "--version"))
        ours.append(_timed(stack, *_STEWARD, "--help"))
    (_, ours_least), (_, theirs_least) = median_and_least(ours), median_and_least(theirs)
    detail = f"steward {ours_least:.2f} s, aws {theirs_least:.2f} s, the least of {TURNS}"
    return Figure("steward --help, against aws --version", ours_least / theirs_least, "times", _HELP, detail)


_ONE, _HELP = Target("at most", 1.5), Target("at most", 1)


def _timed(stack: Deployment, *command: str, path: Path | None = None, caller: str = "DEMO_PIPELINE_") -> float:
    """Seconds of a process, which runs as the pipeline; as the operator where ``caller`` is empty."""
    key = {name: stack.variables[f"{caller}{name}"] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    found = os.pathsep.join(filter(None, (str(path or ""), os.environ["PATH"])))
    environment = stack.operator_environment | key | {"PATH": found, "PYTHONPATH": _CODE, "AWS_PAGER": ""}
    environment["STEWARD_API_URL"] = stack.variables["STEWARD_API_URL"]
    began = time.perf_counter()
    subprocess.run(command, env=environment, capture_output=True, check=True)
    return time.perf_counter() - began
