"""``.local/env``: one ``NAME=value`` a line, for programs, and lines that export them, for ``. .local/env``.

The last lines put the wrapper ``aws`` on the shell's PATH and forget another account's session. Programs skip lines
that begin with ``export`` or ``unset``.

Values need no quotes: URLs, names, and keys of letters, digits and ``/+=_-``.
"""

import re
import shlex
from typing import TYPE_CHECKING

from local.workspace import write_private

if TYPE_CHECKING:
    from pathlib import Path

_FORGOTTEN = "unset AWS_SESSION_TOKEN AWS_PROFILE\n"
"""Of another account: with the session's token, the local AWS would refuse its own key."""
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
    commands = shlex.quote(str((path.parent / "bin").absolute()))
    write_private(path, f"{assignments}export {' '.join(variables)}\nexport PATH={commands}:$PATH\n{_FORGOTTEN}")


def read_environment(path: "Path") -> dict[str, str]:
    """The variables in the file; none when there is no file."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("export "))
    return {name: value for name, _, value in pairs}
