"""Answers on the standard output: a table for people, JSON, or values separated by tabs.

Imports little: `ecr_steward.one_name` starts with it.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import zip_longest

from ecr_steward.errors import CommandError

TYPE_CHECKING = False  # typing, which has it, takes time to import
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ecr_steward.options import Options


def show(options: Options, value: Any, columns: Sequence[str] = ()) -> None:
    """Show a JSON value: an object, or a list of objects with these columns.

    Raises
    ------
    CommandError
        ``--query`` is no JMESPath.
    """
    if options.query:
        value, columns = _queried(options.query, value), ()
    write(options.output, value, columns)


def write(form: str, value: Any, columns: Sequence[str] = ()) -> None:
    """Write a JSON value as ``json``, ``tsv`` or ``table``."""
    match form:
        case "json":
            sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        case "tsv":
            for row in _rows(value):
                sys.stdout.write("\t".join(map(_text, _cells(row, columns))) + "\n")
        case _ if sys.stdout.isatty():
            _table(value, columns)
        case _:
            _plain_table(value, columns)


def _queried(query: str, value: Any) -> Any:
    import jmespath

    try:
        return jmespath.search(query, value)
    except jmespath.exceptions.JMESPathError as error:
        raise CommandError(f"--query {query!r} is no JMESPath: {error}", "See jmespath.org") from error


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _cells(row: Any, columns: Sequence[str]) -> list[Any]:
    if isinstance(row, dict):
        return [row.get(column) for column in columns or row]
    return row if isinstance(row, list) else [row]


def _text(value: Any) -> str:
    """A value in one cell, nothing invisible in it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        text = ", ".join(map(str, value))
    else:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    if text.isprintable():
        return text
    from iam_policy.wording import visible

    return visible(text)


def _grid(value: Any, columns: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Headings, and rows of cells: a row for each member of an object, or for each object of a list."""
    if isinstance(value, dict) and not columns:
        return ["", ""], [[key, _text(member)] for key, member in value.items()]
    rows = _rows(value)
    names = columns or (list(rows[0]) if rows and isinstance(rows[0], dict) else [""])
    headings = [name.upper().replace("_", " ") for name in names]
    return headings, [list(map(_text, _cells(row, columns))) for row in rows]


def _plain_table(value: Any, columns: Sequence[str]) -> None:
    """For a program that reads it: nothing is cut, and nothing has a colour."""
    headings, rows = _grid(value, columns)
    widths = [max(map(len, column)) for column in zip_longest(headings, *rows, fillvalue="")]
    for row in [headings, *rows] if any(headings) else rows:
        sys.stdout.write("  ".join(map(str.ljust, row, widths)).rstrip() + "\n")


def _table(value: Any, columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    headings, rows = _grid(value, columns)
    style = "" if os.environ.get("NO_COLOR") else "bold"
    table = Table(box=None, header_style=style, pad_edge=False, show_header=any(headings))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table, crop=False)
