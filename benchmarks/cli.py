"""The command ``python -m benchmarks``."""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import artefacts, aws_calls, cold_start, command_line, one_name, shell_line, slow_ecr
from benchmarks.deployment import Deployment, NoDeploymentError, deployment
from benchmarks.figures import Figure, Findings, all_met, as_json, as_table

type Measurement = Callable[[Deployment], list[Figure]]

MEASUREMENTS: dict[str, tuple[str, Measurement]] = {
    "shell-line": ("50 repositories in one call, against describe || create with the AWS CLI", shell_line.measure),
    "aws-calls": ("AWS calls per ensure", aws_calls.measure),
    "slow-ecr": ("200 repositories a call while ECR takes 150 ms a request", slow_ecr.measure),
    "one-name": ("200 ensures of one name", one_name.measure),
    "cold-start": ("import and set-up of every handler, against a bare ECR client", cold_start.measure),
    "command-line": ("steward, against the shell line, curl and aws --version", command_line.measure),
    "artefacts": ("size of each built artefact", artefacts.measure),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 when every target is met, 1 when one is missed, 2 when nothing could be measured."""
    options = _parser().parse_args(arguments)
    findings: Findings = {}
    before = _load()
    try:
        with deployment(options.port) as stack:
            for name in options.measurement or MEASUREMENTS:
                title, measure = MEASUREMENTS[name]
                print(f"measuring {name}: {title} …", file=sys.stderr)
                findings[name] = measure(stack)
    except NoDeploymentError as error:
        print(error, file=sys.stderr)
        return 2
    conditions: dict[str, Any] = {
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}",
        "load": f"{before:.1f} before, {_load():.1f} after",
    }
    print((as_json if options.format == "json" else as_table)(findings, conditions))
    return 0 if all_met(findings) else 1


def _load() -> float:
    """The processes that wanted a processor, averaged over the last minute."""
    return os.getloadavg()[0]


def _parser() -> argparse.ArgumentParser:
    titles = "\n".join(f"  {name:12} {title}" for name, (title, _) in MEASUREMENTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure ECR Steward on the local AWS, against what you would use instead.",
        epilog=f"measurements:\n{titles}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "measurement", nargs="*", metavar="MEASUREMENT", type=_measurement, help="all of them by default"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of the findings")
    parser.add_argument(
        "--port", type=int, help="where to start the local AWS, should it not run (default: one that is free)"
    )
    return parser


def _measurement(name: str) -> str:
    if name not in MEASUREMENTS:
        raise argparse.ArgumentTypeError(f"there is no measurement {name!r}, but {', '.join(MEASUREMENTS)}")
    return name
