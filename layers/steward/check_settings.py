"""Whether a settings file is sound: what ``python -m CAPABILITY.check_settings [FILE]`` does for every capability."""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from steward import settings
from steward.errors import Place, SettingsError


def check[T](
    arguments: list[str] | None,
    *,
    what: str,
    file: str,
    into: type[T],
    summary: Callable[[T], str],
    warnings: Callable[[T], Iterable[tuple[Place, str]]] = lambda _: (),
) -> int:
    """Print what is wrong with a settings file, as ``file:line: what``, or in one line what it says.

    Parameters
    ----------
    arguments
        The command's: a path, or nothing for the file that is shipped; None for those of the process.
    what
        What the file holds, in words.
    file
        The name of the file that is shipped.
    warnings
        What is allowed and surely not meant, each with its place in the file; an empty place is the whole file.

    Returns
    -------
    int
        The exit code: 1 if the file cannot be used, else 0.
    """
    parser = argparse.ArgumentParser(prog="check_settings", description=f"Check {what}.")
    parser.add_argument("file", type=Path, nargs="?", default=settings.locate(file))
    path: Path = parser.parse_args(arguments).file
    try:
        wanted = settings.load(path, into)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    for place, warning in warnings(wanted):
        where = settings.position(path, place) if place else path.name
        print(f"{where}: warning: {warning}", file=sys.stderr)
    print(f"{path.name}: {summary(wanted)}")
    return 0
