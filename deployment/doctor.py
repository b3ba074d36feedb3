"""``python -m deployment.doctor``: what ``GET /health`` answers, asked with the operator's own credentials.

It works when the API does not. The exit code is 0 for a stack that is well, also with warnings, 1 for a broken one, and
2 where something could not be checked. The Makefile's target ``doctor`` runs it.
"""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from importlib import import_module
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployment.saved import Saved
from health.adapters.settings_in_force import SettingsInForce
from health.bootstrap import check_health
from health.domain.report import Report, State
from steward import settings

PROJECT = Path(__file__).parents[1]
EXIT = {State.OK: 0, State.WARNING: 0, State.BROKEN: 1, State.UNKNOWN: 2}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report of the saved stack."""
    parser = argparse.ArgumentParser(prog="make doctor", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--project", type=Path, default=PROJECT, help="folder of samconfig.toml")
    parser.add_argument("--settings", type=Path, help="an operator's folder, with deployment.toml")
    parser.add_argument("--stack-name", help="instead of the saved one")
    options = parser.parse_args(arguments)
    saved = Saved(options.project, options.settings)
    of_shell = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    region = saved.region() or of_shell
    if region is None:
        print(f"{saved.path} names no region: set AWS_REGION, or name your folder with SETTINGS.", file=sys.stderr)
        return EXIT[State.UNKNOWN]
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = region
    try:
        account = boto3.client("sts", region_name=region).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        print(f"Nothing was checked: AWS was not reached with credentials ({error}).", file=sys.stderr)
        return EXIT[State.UNKNOWN]
    if of_shell != region:
        print(f"The commands are for {region}: export AWS_REGION={region} AWS_DEFAULT_REGION={region}")
    return show(
        check_health(
            name=options.stack_name or saved.stack_name(),
            account=account,
            region=region,
            settings=SettingsInForce(partial(settings.locate, folder=options.settings), _warnings(options.settings)),
        ).check()
    )


def _warnings(folder: Path | None) -> list[str]:
    """What the settings checks of all capabilities say on standard error."""
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(io.StringIO()):
        for check in sorted((PROJECT / "functions").glob("*/check_settings.py")):
            module = import_module(f"{check.parent.name}.check_settings")
            module.main([str(folder)] if folder else [])
    return said.getvalue().splitlines()


def show(report: Report) -> int:
    """Print a report, and return the exit code."""
    print(*report.lines(), sep="\n")
    return EXIT[report.state]


if __name__ == "__main__":
    sys.exit(main())
