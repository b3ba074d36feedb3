"""A release's folder, as ``make release`` builds it: checked, and completed with an operator's settings."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ecr_steward.errors import CommandError
from ecr_steward.installation import runtime

SHIPPED = "shipped"
"""What stands for the settings of a stack without any of its own."""
ARCHITECTURES = ("arm64", "x86_64")
_CODE = re.compile(r"^(\s+(?:CodeUri|ContentUri): )(\S+\.zip)$", re.MULTILINE)
_SETTINGS = "SettingsLayer.zip"
_LAYERS = ("StewardLayer.zip", "IamPolicyLayer.zip", _SETTINGS)
_OPERATOR = "python/settings/operator"


@dataclass(frozen=True, slots=True)
class Release:
    """The files of one version for one architecture.

    Attributes
    ----------
    version : str
        As the folder's name says.
    template : str
        The template; code is named by archive.
    archives : Mapping of str to bytes
        The archives by name.
    settings : str
        A digest of the operator's settings; empty for the shipped ones alone.
    """

    version: str
    template: str
    archives: Mapping[str, bytes]
    settings: str = ""

    def with_settings(self, folder: Path) -> "Release":
        """With an operator's settings in their layer, in place of any others.

        Raises
        ------
        CommandError
            A setting is wrong: what, in which file and line.
        """
        files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}
        layer = _with_files(self.archives[_SETTINGS], {f"{_OPERATOR}/{name}": text for name, text in files.items()})
        digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16] if files else ""
        completed = Release(self.version, self.template, {**self.archives, _SETTINGS: layer}, digest)
        completed.check_settings(folder)
        return completed

    def check_settings(self, folder: Path) -> None:
        """Let the functions' own code judge the settings that it would load.

        Raises
        ------
        CommandError
            A setting is wrong, or this Python is older than the functions' runtime.
        """
        runtime.require()
        with tempfile.TemporaryDirectory() as unpacked:
            for name, content in self.archives.items():
                if name in _LAYERS or not name.endswith("Layer.zip"):
                    zipfile.ZipFile(io.BytesIO(content)).extractall(unpacked)
            root = Path(unpacked)
            path = os.pathsep.join([str(root / "python"), unpacked])
            for check in sorted(root.glob("*/check_settings.py")):
                command = [sys.executable, "-B", "-m", f"{check.parent.name}.check_settings", str(folder)]
                done = subprocess.run(
                    command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
                )
                if done.returncode:
                    raise CommandError((done.stderr or done.stdout).strip(), "Nothing was deployed")

    def write(self, folder: Path, architecture: str) -> None:
        """Write archives, template and what they are into a folder, for another tool to deploy.

        Raises
        ------
        CommandError
            The folder has files already, or cannot be written.
        """
        about = {"version": self.version, "architecture": architecture, "settings": self.settings or SHIPPED}
        files = {**self.archives, "template.yaml": self.template.encode(), "package.json": json.dumps(about).encode()}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise CommandError(f"{folder} is not empty", "Name a new folder")
            for name, content in files.items():
                (folder / name).write_bytes(content)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}", "Name another folder") from error

    def located(self, addresses: Mapping[str, str]) -> str:
        """The template with the address of each archive."""
        return _CODE.sub(lambda found: found[1] + addresses[found[2]], self.template)


def read_release(folder: Path, architecture: str) -> Release:
    """Read the files of an architecture, each as its checksum says.

    Raises
    ------
    CommandError
        It is no release, or a file is missing or another one.
    """
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        raise CommandError(f"{folder} is no release: it has no SHA256SUMS", "Unpack a release, and name its folder")
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise CommandError(f"{name} is not what {sums} says", "Get the release again, from where you trust it")
    part = folder / architecture
    listed = {line.partition("  ")[2] for line in sums.read_text(encoding="utf-8").splitlines()}
    archives = {path.name: path.read_bytes() for path in sorted(part.glob("*.zip"))}
    if unlisted := {f"{architecture}/{name}" for name in (*archives, "template.yaml")} - listed:
        raise CommandError(f"{min(unlisted)} is not in {sums}", "Get the release again, from where you trust it")
    return Release(
        folder.resolve().name.removeprefix("ecr-steward-"),
        (part / "template.yaml").read_text(encoding="utf-8"),
        archives,
    )


def _with_files(archive: bytes, files: Mapping[str, bytes]) -> bytes:
    """The archive with these files more; the same bytes for the same files."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as before, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            if not entry.filename.startswith(_OPERATOR):
                after.writestr(entry, before.read(entry))
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o100644 << 16
            after.writestr(entry, text)
    return written.getvalue()
