"""``steward deploy`` and ``steward upgrade``: a release into an account, from its files alone."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecr_steward.commands.context import note, options_of, progress, show, waiting
from ecr_steward.errors import FINDINGS, CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecr_steward.installation.stack import Stack
    from ecr_steward.options import Options

_COLUMNS = ("action", "resource", "type", "replaced")


class Architecture(StrEnum):
    """Of the functions."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


def install(
    context: typer.Context,
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="The folder of a release.", exists=True)],
    bucket: Annotated[str, typer.Option(help="Your bucket, in the same region, for what is deployed.")],
    settings: Annotated[
        Path | None,
        typer.Option(help="Your folder of settings: it holds only what differs.", exists=True, file_okay=False),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter; the others stay as they are.")
    ] = None,
    architecture: Annotated[
        Architecture | None, typer.Option(help="Of the functions; by default that of the stack, arm64 for a new one.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
) -> None:
    """Install a release. Settings and checksums are checked, and the changes are shown, before any is made."""
    from ecr_steward.installation.release import read_release
    from ecr_steward.installation.stack import parsed

    given = parsed(parameter or [])
    stack = _stack(options_of(context), bucket)
    before = stack.described()
    given["Architecture"] = chosen = _architecture(architecture, given, before)
    if context.info_name == "upgrade":
        _show_what_is_new(stack, before, release)
    _keep_settings(before, settings)
    files = read_release(release, chosen)
    if settings is not None:
        files = files.with_settings(settings)
    url = stack.upload(files, lambda archives: progress(archives, "Uploading"))
    with waiting("CloudFormation prepares the changes"):
        change_set, changes = stack.propose(url, given, files)
    if not change_set:
        note(f"{stack.name} is as version {files.version} and these settings make it: nothing to change")
        return
    show(context, changes, _COLUMNS)
    if dry_run or not (yes or _confirmed(len(changes))):
        stack.withdraw(change_set)
        note("nothing was changed")
        raise typer.Exit(0 if dry_run else FINDINGS)
    with waiting("CloudFormation makes the changes"):
        outputs = stack.execute(change_set)
    show(context, [{"output": name, "value": value} for name, value in sorted(outputs.items())])


def package(
    release: Annotated[Path, typer.Argument(metavar="RELEASE", help="The folder of a release.", exists=True)],
    output: Annotated[Path, typer.Option(help="A new folder.")],
    settings: Annotated[
        Path | None,
        typer.Option(help="Your folder of settings: it holds only what differs.", exists=True, file_okay=False),
    ] = None,
    architecture: Annotated[Architecture, typer.Option(help="Of the functions.")] = Architecture.ARM64,
) -> None:
    """Write a release with your settings into a folder, for Terraform. Settings and checksums are checked."""
    from ecr_steward.installation.release import read_release

    files = read_release(release, architecture.value)
    if settings is not None:
        files = files.with_settings(settings)
    files.write(output, architecture.value)
    note(f"wrote version {files.version} for {architecture.value} into {output}")


def _show_what_is_new(stack: "Stack", before: "Mapping[str, Any] | None", release: Path) -> None:
    from ecr_steward.installation.stack import VERSION_TAG

    if before is None:
        raise CommandError(f"there is no stack {stack.name}", "Install it first: steward deploy")
    note(f"{stack.name} is version {_tags(before).get(VERSION_TAG, 'unknown')}")
    notes = release / "NOTES.md"
    if notes.is_file():
        sys.stderr.write(notes.read_text(encoding="utf-8"))


def _confirmed(changes: int) -> bool:
    if not sys.stdin.isatty():
        raise CommandError("there is no terminal to ask at", "Use --yes, or see the changes with --dry-run")
    return typer.confirm(f"Make these {changes} changes?", err=True)


def _stack(options: "Options", bucket: str) -> "Stack":
    from botocore.session import Session

    from ecr_steward.installation.stack import Stack

    session = Session(profile=options.profile or None)
    region = options.region or session.get_config_variable("region")
    if not region:
        raise CommandError("the region is not known", "Use --region, or set AWS_REGION")
    cloudformation, s3 = (session.create_client(name, region_name=region) for name in ("cloudformation", "s3"))
    return Stack(options.stack or "ecr-steward", cloudformation, s3, bucket)


def _keep_settings(before: "Mapping[str, Any] | None", settings: Path | None) -> None:
    """Refuse to replace an operator's settings by the shipped ones because an option was forgotten."""
    from ecr_steward.installation.release import SHIPPED
    from ecr_steward.installation.stack import SETTINGS_TAG

    if settings is None and _tags(before).get(SETTINGS_TAG, SHIPPED) != SHIPPED:
        raise CommandError(
            "the stack was deployed with settings of its own",
            "Name their folder with --settings; an empty one has none",
        )


def _architecture(asked: Architecture | None, given: "Mapping[str, str]", before: "Mapping[str, Any] | None") -> str:
    """What the command says, or else what the stack has."""
    deployed = {one["ParameterKey"]: one["ParameterValue"] for one in (before or {}).get("Parameters", ())}
    chosen = asked or given.get("Architecture") or deployed.get("Architecture") or Architecture.ARM64
    try:
        return Architecture(chosen).value
    except ValueError as error:
        raise CommandError(f"{chosen} is no architecture of a release", f"Use {' or '.join(Architecture)}") from error


def _tags(stack: "Mapping[str, Any] | None") -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in (stack or {}).get("Tags", ())}
