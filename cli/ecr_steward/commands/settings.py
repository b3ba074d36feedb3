"""``steward settings``: an operator's folder, judged by the code that reads it when it is deployed."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecr_steward.commands.context import DryRun, note
from ecr_steward.errors import FINDINGS, CommandError
from ecr_steward.installation import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steward.check_settings import SettingsFile

app = typer.Typer(help="Your settings: a folder with what differs from the shipped ones.", no_args_is_help=True)
_Folder = Annotated[
    Path | None, typer.Argument(metavar="FOLDER", help="Your folder; without it, the settings that are shipped.")
]
_SCHEMAS = ".schemas"
_START = """\
# yaml-language-server: $schema=.schemas/house_rules.schema.json
# Who may create which repositories. A list takes the place of the shipped one, by which every principal of the account
# may create any name: with this rule, only roles called ci-… may.
callers:
  - principals: ["self:role/ci-*"]
    repositories: ["**"]
    daily_limit: 300
"""


@app.command(epilog="Example: steward settings show ../our-steward")
def show(folder: _Folder = None) -> None:
    """Print the settings that are in force, and the file and line of each value."""
    _judged(folder, "--show")


@app.command(epilog="Example: steward settings check ../our-steward. Exit code: 0 usable, 1 not, with file and line")
def check(folder: _Folder = None) -> None:
    """Say whether settings can be used; a mistake is named with its file and line."""
    _judged(folder)


@app.command(epilog="Example: steward settings init ../our-steward")
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder, or yours.")], dry_run: DryRun = False
) -> None:
    """Begin a folder of settings: rules for roles called ci-…, and the schemas that editors complete by."""
    from steward.settings import shipped

    rules = folder / "house_rules.yaml"
    if rules.exists():
        raise CommandError(f"{rules} is there already", f"Check it: steward settings check {folder}")
    if dry_run:
        note(f"would write {rules}, and the schemas into {folder / _SCHEMAS}; nothing was changed")
        return
    try:
        (folder / _SCHEMAS).mkdir(parents=True, exist_ok=True)
        for schema in sorted(shipped().glob("*.schema.json")):
            shutil.copyfile(schema, folder / _SCHEMAS / schema.name)
        rules.write_text(_START, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{folder} cannot be written: {error.strerror}", "Name another folder") from None
    note(f"wrote {rules}: say in it who may create what. Then: steward settings check {folder}")


def _judged(folder: Path | None, *options: str) -> None:
    from steward.check_settings import check as judge

    if judge([*options, *([str(folder)] if folder else [])], *_files()):
        raise typer.Exit(FINDINGS)


def _files() -> "Iterator[SettingsFile[Any]]":
    """The settings files of every capability."""
    from access_key_rotation.check_settings import FILES as ROTATION
    from alerting.check_settings import FILES as ALERTING
    from policy_drift.check_settings import FILES as DRIFT
    from repository_provisioning.check_settings import FILES as PROVISIONING

    yield from (*PROVISIONING, *ROTATION, *DRIFT, *ALERTING)


@app.callback()
def group() -> None:
    """Your settings: a folder with what differs from the shipped ones."""
    runtime.require()
