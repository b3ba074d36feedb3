"""Where the commands keep what they make: everything below ``.local/`` of the project, closed to other users."""

import json
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders and files of one project's local AWS.

    Parameters
    ----------
    project
        The folder with ``template.yaml`` and ``samconfig.toml``.
    """

    project: "Path"

    @property
    def environment_file(self) -> "Path":
        """What a shell sources and a program reads to use the local AWS."""
        return self.project / ".local" / "env"

    @property
    def commands(self) -> "Path":
        """The folder that the environment file puts on the PATH."""
        return self.project / ".local" / "bin"

    @property
    def folder(self) -> "Path":
        """Everything that the commands make, but the environment file and SAM's build."""
        return self.project / ".local" / "aws"

    @property
    def data(self) -> "Path":
        """The state of the local AWS, when it is kept."""
        return self.folder / "data"

    @property
    def temporary(self) -> "Path":
        """The temporary files of the local AWS and its functions."""
        return self.folder / "tmp"

    @property
    def interpreters(self) -> "Path":
        """A folder for PATH, in which SAM finds the interpreter of the functions' runtime."""
        return self.folder / "bin"

    @property
    def launcher_log(self) -> "Path":
        """What the launcher writes."""
        return self.log("launcher")

    @property
    def server_record(self) -> "Path":
        """Which process runs, where and since when."""
        return self.folder / "server.json"

    @property
    def deployment_record(self) -> "Path":
        """What was built and deployed last."""
        return self.folder / "deployment.json"

    def log(self, step: str) -> "Path":
        """The log of one step: ``launcher``, ``build`` or ``deploy``."""
        return self.folder / f"{step}.log"

    def prepare(self) -> None:
        """Make the folders."""
        for folder in (self.folder, self.temporary, self.interpreters):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(PRIVATE_FOLDER)

    def remove(self) -> None:
        """Delete everything that the commands made, SAM's build too."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.project / ".aws-sam", ignore_errors=True)
        shutil.rmtree(self.commands, ignore_errors=True)
        self.environment_file.unlink(missing_ok=True)


def write_private(path: "Path", text: str) -> None:
    """Write a file that only its owner can read, in one step: a reader sees the old or the new text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w") as file:
        file.write(text)
    draft.replace(path)


def read_record(path: "Path") -> dict[str, Any]:
    """The JSON object in a file; empty when there is no file."""
    try:
        record: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return record


def write_record(path: "Path", record: dict[str, Any]) -> None:
    """Write a JSON object that :func:`read_record` reads."""
    write_private(path, json.dumps(record, indent=1))
