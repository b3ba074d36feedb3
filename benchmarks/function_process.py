"""Runs a program of :mod:`benchmarks.in_function` as the function runs: on the built artefact, in its environment."""

import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.artefacts import module_path
from benchmarks.deployment import PROJECT, Deployment


def function_environment(stack: Deployment) -> dict[str, str]:
    """The variables of the deployed function, and those by which its modules and the local AWS are found."""
    path = os.pathsep.join(str(folder) for folder in module_path())
    return {"PATH": os.defpath} | stack.function_environment() | stack.operator_environment | {"PYTHONPATH": path}


def run(program: str, stack: Deployment) -> Any:
    """What ``benchmarks.in_function.<program>`` prints, read as JSON.

    Raises
    ------
    RuntimeError
        It failed; the text is what it wrote to standard error.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.in_function.{program}", stack.names],
        cwd=PROJECT,
        env=function_environment(stack),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)
