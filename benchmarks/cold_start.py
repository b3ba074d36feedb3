"""Import and set-up of every function's handler in a fresh interpreter, against a bare ECR client from the same layer.

Lambda's folders are read-only: without bytecode in them, a cold start compiles every module that it imports. That is
the case of the bare client, which is how any function begins, and of ``compiling``, which is the same code as the plain
``sam build`` makes it. Runs take turns, and the figures are ratios of processor time, because a machine is
rarely quiet. ``python -m benchmarks.cold_start`` measures the last build.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from benchmarks.artefacts import module_path
from benchmarks.deployment import BUILD, PROJECT, Deployment
from benchmarks.figures import Figure, Target, as_table

BARE = "import boto3; boto3.client('ecr')"
TARGETS = {"RepositoryApi": Target("at most", 0.6)}
ROUNDS = 7
_TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began, time.process_time())"
_IN_USE = {
    "AWS_REGION": "ca-central-1",
    "AWS_DEFAULT_REGION": "ca-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_LAMBDA_FUNCTION_NAME": "measured",
    "EVENT_DELAY_SECONDS": "30",
    "IAM_EVENTS_REGION": "us-east-1",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "PUSH_SAFETY_NET": "report",
    "ROTATION_ROLES": "",
    "ROTATION_FUNCTION": "arn:aws:lambda:ca-central-1:123456789012:function:rotation",
    "STEWARD_ACCOUNT": "123456789012",
}
"""Variables of the template that handlers look at; the others hold their own names."""


def measure(_: Deployment | None = None) -> list[Figure]:
    """For each function how many times as long as the bare client it takes, from bytecode and compiling."""
    template = yaml_parse((PROJECT / "template.yaml").read_text())
    functions = {
        n: r["Properties"] for n, r in template["Resources"].items() if r["Type"].endswith("Serverless::Function")
    }
    shared = template["Globals"]["Function"]
    names = {name for scope in (shared, *functions.values()) for name in _variables(scope)}
    statements = {name: f"import {p['Handler'].rpartition('.')[0]}" for name, p in functions.items()}
    variables = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"} | {name: name for name in names} | _IN_USE
    with TemporaryDirectory() as folder:
        plain = shutil.copytree(BUILD, Path(folder) / "build", ignore=shutil.ignore_patterns("__pycache__"))
        runs = {("bare", "compiling"): (BARE, _with_modules(variables, "RepositoryApi", plain))}
        for name, statement in statements.items():
            runs[name, "compiling"] = statement, _with_modules(variables, name, plain)
            runs[name, "bytecode"] = statement, _with_modules(variables, name, BUILD)
        seconds: dict[tuple[str, str], list[tuple[float, float]]] = {run: [] for run in runs}
        for number in range(ROUNDS + 1):  # the first fills the file cache
            for run, (statement, environment) in runs.items():
                taken = _seconds(statement, environment)
                if number:
                    seconds[run].append(taken)
    walls = {run: median(wall for wall, _ in taken) for run, taken in seconds.items()}
    processors = {run: median(processor for _, processor in taken) for run, taken in seconds.items()}
    bare = processors["bare", "compiling"]
    return [
        Figure(
            f"cold start of {name} against boto3.client('ecr')",
            processors[name, "bytecode"] / bare,
            "times",
            TARGETS.get(name),
            f"{walls[name, 'bytecode'] * 1000:.0f} ms; compiling {walls[name, 'compiling'] * 1000:.0f} ms, "
            f"{processors[name, 'compiling'] / bare:.2f} times; "
            f"boto3 alone {walls['bare', 'compiling'] * 1000:.0f} ms; "
            f"bytecode takes {processors[name, 'bytecode'] / processors[name, 'compiling']:.2f} of compiling",
        )
        for name in statements
    ]


def _variables(scope: dict[str, Any]) -> dict[str, Any]:
    variables: dict[str, Any] = scope.get("Environment", {}).get("Variables", {})
    return variables


def _with_modules(variables: dict[str, str], function: str, build: Path) -> dict[str, str]:
    return variables | {"PYTHONPATH": os.pathsep.join(str(folder) for folder in module_path(function, build))}


def _seconds(statement: str, environment: dict[str, str]) -> tuple[float, float]:
    """Wall and processor time of a statement, in an interpreter that knows no packages but the built ones."""
    interpreter = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(interpreter), "-S", "-P", "-c", _TIMED.format(statement)]
    done = subprocess.run(command, env=environment, cwd=os.path.sep, stdout=subprocess.PIPE, text=True, check=True)
    wall, processor = done.stdout.split()[-2:]
    return float(wall), float(processor)


if __name__ == "__main__":
    print(as_table({"cold-start": measure()}, {}))
