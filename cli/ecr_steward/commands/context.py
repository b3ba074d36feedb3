"""What a command takes from the options before it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ecr_steward.errors import CommandError
from ecr_steward.options import Options

if TYPE_CHECKING:
    from ecr_steward.api import Api


def options_of(context: typer.Context) -> Options:
    """The options, completed from the environment and the configuration file."""
    found = context.find_object(Options) or Options()
    return found.completed()


def api_of(context: typer.Context) -> "Api":
    """The API that the options lead to."""
    from ecr_steward.api import Api

    return Api(options_of(context))


def show(context: typer.Context, value: Any, columns: Sequence[str] = ()) -> None:
    """Show an answer as the options say."""
    from ecr_steward.output import show as write

    write(options_of(context), value, columns)


def note(text: str) -> None:
    """One line beside the answer."""
    sys.stderr.write(f"steward: {text}\n")


def read(path: str) -> str:
    """The text of a file, or of the standard input for ``-``."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {error}", "Give a text file, or - for the standard input") from error
