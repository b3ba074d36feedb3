"""Answers on the standard output: a table for people, JSON, or values separated by tabs."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ecr_steward.errors import CommandError
from ecr_steward.options import Options, Output


def show(options: Options, value: Any, columns: Sequence[str] = ()) -> None:
    """Show a JSON value: an object, or a list of objects with these columns.

    Raises
    ------
    CommandError
        ``--query`` is no JMESPath.
    """
    if options.query:
        value, columns = _queried(options.query, value), ()
    match options.output:
        case Output.JSON:
            sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
        case Output.TSV:
            for row in _rows(value):
                sys.stdout.write("\t".join(map(_text, _cells(row, columns))) + "\n")
        case Output.TABLE:
            _table(value, columns)


def _queried(query: str, value: Any) -> Any:
    import jmespath

    try:
        return jmespath.search(query, value)
    except jmespath.exceptions.JMESPathError as error:
        raise CommandError(f"--query {query!r} is no JMESPath: {error}", "See jmespath.org") from error


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _cells(row: Any, columns: Sequence[str]) -> list[Any]:
    if isinstance(row, Mapping):
        return [row.get(column) for column in columns or row]
    return row if isinstance(row, list) else [row]


def _text(value: Any) -> str:
    """A value in one cell, nothing invisible in it."""
    from iam_policy.wording import visible

    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(one, list | Mapping) for one in value):
        return visible(", ".join(map(str, value)))
    return visible(json.dumps(value, ensure_ascii=False) if isinstance(value, list | Mapping) else str(value))


def _table(value: Any, columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = _rows(value)
    table = Table(box=None, header_style="bold", pad_edge=False)
    if isinstance(value, Mapping) and not columns:
        table.add_column("")
        table.add_column("")
        for key, member in value.items():
            table.add_row(key, Text(_text(member)))
    else:
        names = columns or (list(rows[0]) if rows and isinstance(rows[0], Mapping) else [""])
        for name in names:
            table.add_column(name.upper().replace("_", " "))
        for row in rows:
            table.add_row(*(Text(_text(cell)) for cell in _cells(row, columns)))
    console = Console(soft_wrap=not sys.stdout.isatty())
    console.print(table, crop=False)
