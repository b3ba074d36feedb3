"""Import and set-up of the API's handler in a fresh interpreter, against a bare ECR client from the same layer.

Lambda's folders are read-only and ``sam build`` ships no bytecode, so a cold start compiles every module that it
imports: ``compiled`` is that case, for both sides alike. ``from bytecode`` is the case of a laptop's second start.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.deployment import Deployment
from benchmarks.figures import Figure, Target, median_and_least
from benchmarks.function_process import function_environment

BARE = "import boto3; boto3.client('ecr')"
HANDLER = "import repository_provisioning.provision_repositories_handler"
TARGET = Target("at most", 1.6)
ROUNDS = 11
_TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began, time.process_time())"


def measure(stack: Deployment) -> list[Figure]:
    """How many times longer the handler takes, by the medians of runs that take turns."""
    environment = function_environment(stack)
    with TemporaryDirectory() as bytecode:
        return [
            _compared("compiled", environment | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": "1"}),
            _compared("from bytecode", environment | {"PYTHONPYCACHEPREFIX": bytecode}),
        ]


def _compared(case: str, environment: dict[str, str]) -> Figure:
    for statement in (BARE, HANDLER):
        _seconds(statement, environment)  # fills the file cache, and the bytecode where it is kept
    walls: dict[str, list[float]] = {BARE: [], HANDLER: []}
    processors: dict[str, list[float]] = {BARE: [], HANDLER: []}
    for _ in range(ROUNDS):
        for statement in (BARE, HANDLER):
            wall, processor = _seconds(statement, environment)
            walls[statement].append(wall)
            processors[statement].append(processor)
    (bare, bare_least), (handler, handler_least) = (median_and_least(walls[each]) for each in (BARE, HANDLER))
    bare_processor, handler_processor = (median_and_least(processors[each])[0] for each in (BARE, HANDLER))
    detail = (
        f"handler {handler * 1000:.0f} ms (least {handler_least * 1000:.0f}), boto3 alone {bare * 1000:.0f} ms "
        f"(least {bare_least * 1000:.0f}): {handler_least / bare_least:.2f} times by the least, "
        f"{handler_processor / bare_processor:.2f} by processor time; {ROUNDS} runs each"
    )
    return Figure(f"{case}: handler against boto3.client('ecr')", handler / bare, "times", TARGET, detail)


def _seconds(statement: str, environment: dict[str, str]) -> tuple[float, float]:
    """Wall and processor time of a statement, in an interpreter that knows no packages but the built ones."""
    interpreter = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(interpreter), "-S", "-P", "-c", _TIMED.format(statement)]
    done = subprocess.run(command, env=environment, cwd=os.path.sep, capture_output=True, text=True, check=True)
    wall, processor = done.stdout.split()[-2:]
    return float(wall), float(processor)
