"""``.local/env``: one ``NAME=value`` a line, for programs, and a last line that exports them, for ``. .local/env``.

Values need no quotes: URLs, names, and keys of letters, digits and ``/+=_-``.
"""

import re
from typing import TYPE_CHECKING

from local.workspace import write_private

if TYPE_CHECKING:
    from pathlib import Path

_PLAIN = re.compile(r"[\w@%+=:,./-]+")


def write_environment(path: "Path", variables: dict[str, str]) -> None:
    """Write the variables; only the file's owner can read them.

    Raises
    ------
    ValueError
        For a value that a shell would not take as it stands.
    """
    for name, value in variables.items():
        if not _PLAIN.fullmatch(value):
            raise ValueError(f"{name} cannot stand unquoted in a file for the shell.")
    assignments = "".join(f"{name}={value}\n" for name, value in variables.items())
    write_private(path, f"{assignments}export {' '.join(variables)}\n")


def read_environment(path: "Path") -> dict[str, str]:
    """The variables in the file; none when there is no file."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value for name, _, value in pairs}
