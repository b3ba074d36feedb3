"""``steward policy``: which access a change adds, proven by requests, before it is deployed."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecr_steward.errors import FINDINGS, NOTHING, CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ecr_steward.gate.check import Finding
    from ecr_steward.gate.inputs import Answer

app = typer.Typer(help="Compare access: two files, or a pull request.", no_args_is_help=True)


class Format(StrEnum):
    """How the answer is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    JUNIT = "junit"


class FailOn(StrEnum):
    """Which findings make the command fail: from a severity on, all that may add access, or escalation paths."""

    BROADENED = "broadened"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"
    ESCALATION = "escalation"
    NEVER = "never"


Written = Annotated[Format, typer.Option("--format", help="How the answer is written.", case_sensitive=False)]


@app.command(
    epilog="Example: steward policy compare before.json after.json. "
    "Exit code: 0 the same access, 1 another, 2 an input cannot be used."
)
def compare(
    base: Annotated[str, typer.Argument(metavar="A", help="The file, folder or git revision before.")],
    head: Annotated[str, typer.Argument(metavar="B", help="The same after the change.")],
    form: Written = Format.TEXT,
) -> None:
    """Say what B allows that A does not, and the other way round."""
    answer = _change(base, head)
    sys.stdout.write(_formatted(answer, answer.findings, form))
    raise typer.Exit(FINDINGS if answer.findings else NOTHING)


@app.command(
    epilog="Example: steward policy check --base origin/main --fail-on HIGH --format markdown. "
    "Exit code: 0 nothing to look at, 1 findings, 2 an input cannot be used."
)
def check(
    base: Annotated[
        str | None,
        typer.Option(help="A git revision, folder or file before the change; a plan of Terraform needs none."),
    ] = None,
    head: Annotated[str, typer.Option(help="The same after the change; the working folder by default.")] = ".",
    form: Written = Format.TEXT,
    write: Annotated[
        list[str] | None,
        typer.Option(help="Write the answer to a file as well, such as sarif=gate.sarif.", metavar="FORMAT=FILE"),
    ] = None,
    fail_on: Annotated[FailOn, typer.Option(help="Which findings make it fail.", case_sensitive=False)] = (
        FailOn.BROADENED
    ),
    allow: Annotated[
        Path | None, typer.Option(help="A file of accepted additions: entity, reason, expires.", metavar="FILE")
    ] = None,
) -> None:
    """Find the access that a change adds: policies, roles and trust in templates, plans and documents."""
    from ecr_steward.gate.allowances import accepted, read_allowances
    from ecr_steward.gate.inputs import Answer
    from ecr_steward.gate.sources import read_file

    files = [_file(one) for one in write or ()]
    allowances = read_allowances(read_file(allow), str(allow)) if allow else ()
    answer = _change(base, head)
    findings = accepted(answer.findings, allowances, datetime.now(UTC).date())
    answer = Answer(findings, answer.unjudged, answer.files)
    failing = tuple(_failing(findings, fail_on))
    for also, path in files:
        _write_file(path, _formatted(answer, failing, also))
    sys.stdout.write(_formatted(answer, failing, form))
    raise typer.Exit(FINDINGS if failing else NOTHING)


def _file(option: str) -> tuple[Format, Path]:
    form, _, path = option.partition("=")
    if form not in set(Format) or not path:
        raise CommandError(
            f"{option!r} is no format and file", f"Example: --write sarif=gate.sarif. Formats: {', '.join(Format)}"
        )
    return Format(form), Path(path)


def _write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", "Choose another file for --write") from None


def _change(base: str | None, head: str) -> "Answer":
    from ecr_steward.commands.context import waiting
    from ecr_steward.gate.sources import change

    with waiting("Comparing"):
        return change(base, head)


def _failing(findings: "Iterable[Finding]", fail_on: FailOn) -> "Iterable[Finding]":
    from steward.severity import Severity

    for one in findings:
        match fail_on:
            case FailOn.NEVER:
                fails = False
            case FailOn.BROADENED:
                fails = one.adds
            case FailOn.ESCALATION:
                fails = bool(one.escalations) or one.severity is Severity.CRITICAL
            case _:
                fails = one.severity >= Severity[fail_on.value]
        if fails and not one.accepted:
            yield one


def _formatted(answer: "Answer", failing: "tuple[Finding, ...]", form: Format) -> str:
    from ecr_steward.gate.formats import FORMATS

    return FORMATS[form](answer, failing)
