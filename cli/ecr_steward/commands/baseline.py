"""``steward baseline``: the document of what is approved, made from files."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The document of what is approved, made from files.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Make the document of what is approved from files."""


@app.command(
    epilog="Example: steward baseline build --from details.json > baseline.json, "
    "where aws iam get-account-authorization-details wrote details.json"
)
def build(
    source: Annotated[
        Path, typer.Option("--from", help="An answer of aws iam get-account-authorization-details.", metavar="FILE")
    ],
    reviewed: Annotated[
        bool, typer.Option("--reviewed", help="Say that a person has read it; else the report says that none has.")
    ] = False,
) -> None:
    """Write a baseline on the standard output. Templates and plans are refused: they hold no unique ids."""
    from ecr_steward.gate.inputs import account_in
    from ecr_steward.gate.sources import read_file
    from policy_drift import baseline_document
    from policy_drift.domain.baseline import Baseline

    account = account_in(read_file(source), str(source))
    sys.stdout.write(baseline_document.write(Baseline(account, reviewed)).decode())
