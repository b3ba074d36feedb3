"""``steward accounts``: two states of an account, or two accounts."""

from pathlib import Path
from typing import Annotated

import typer

from ecr_steward.commands.policy import Format, Written
from ecr_steward.errors import FINDINGS

app = typer.Typer(help="Compare accounts.", no_args_is_help=True)
_File = "An answer of aws iam get-account-authorization-details, or a baseline."


@app.callback()
def group() -> None:
    """Compare accounts."""


@app.command(
    epilog="Example: steward accounts compare monday.json friday.json. "
    "Exit code: 0 the same access, 1 another, 2 an input cannot be used."
)
def compare(
    base: Annotated[Path, typer.Argument(metavar="A", help=_File)],
    head: Annotated[Path, typer.Argument(metavar="B", help=_File)],
    form: Written = Format.TEXT,
) -> None:
    """Say what each principal of B may do that the one of the same name in A may not, and the other way round."""
    from ecr_steward.gate.formats import FORMATS
    from ecr_steward.gate.inputs import Text, compared_accounts
    from ecr_steward.gate.sources import read_file

    answer = compared_accounts(Text(str(base), read_file(base)), Text(str(head), read_file(head)))
    typer.echo(FORMATS[form](answer, answer.findings), nl=False)
    if answer.findings:
        raise typer.Exit(FINDINGS)
