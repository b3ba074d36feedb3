"""What a command takes from the options before it."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ecr_steward.errors import CommandError
from ecr_steward.options import Options

if TYPE_CHECKING:
    from ecr_steward.api import Api

_T = TypeVar("_T")
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]


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


def would(context: typer.Context, does: str, value: Any) -> None:
    """Show what a command would send, and say that nothing was sent."""
    show(context, value)
    note(f"would {does}; nothing was changed")


def progress(items: Sequence[_T], does: str) -> Iterable[_T]:
    """The items, with a bar on the error stream where that is a terminal and there is more than one."""
    if len(items) < 2 or not sys.stderr.isatty():  # noqa: PLR2004 - a bar of one step says nothing
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, does, console=Console(stderr=True), transient=True)


@contextmanager
def waiting(does: str) -> Iterator[None]:
    """Work of unknown length, with a spinner on the error stream where that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(does):
        yield


def note(text: str) -> None:
    """One line beside the answer."""
    sys.stderr.write(f"steward: {text}\n")


def read(path: str) -> str:
    """The text of a file, or of the standard input for ``-``."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = "it is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
        raise CommandError(f"{path}: {what}", "Give a text file, or - for the standard input") from error
