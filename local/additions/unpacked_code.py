"""Code and layers of functions, unpacked once for all execution environments, which may not write to them, as on AWS.

MiniStack unpacks all layers anew for every environment that it starts, which takes longer than everything else about
it. Here an environment gets links, and with them the bytecode that the first one compiled.
"""

import hashlib
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

GAP = "sharing of unpacked code and layers between execution environments"
RELIES_ON = ("core.lambda_runtime.zipfile",)
REPLACES = ("core.lambda_runtime.zipfile",)


def is_still_missing() -> bool:
    """Whether every environment unpacks for itself, with the standard library's ``ZipFile``."""
    return lambda_runtime.zipfile is zipfile


def install() -> None:
    """Give the module that starts environments another ``ZipFile``."""
    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=SharedZipFile, BadZipFile=zipfile.BadZipFile, LargeFileError=zipfile.LargeZipFile
    )


class SharedZipFile(zipfile.ZipFile):
    """A zip file that is unpacked where it was never unpacked before, and linked to everywhere else."""

    def namelist(self) -> list[str]:
        """The names that are yet to be checked: none of what is unpacked already."""
        return [] if self._unpacked.exists() else super().namelist()

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        """Make the empty folder ``path`` a link to what the file contains."""
        if path is None or members is not None or pwd is not None:
            raise NotImplementedError("only whole files are unpacked, and into a folder")
        if not self._unpacked.exists():
            self._unpacked.parent.mkdir(exist_ok=True)
            folder = tempfile.mkdtemp(dir=self._unpacked.parent)
            super().extractall(folder)
            try:
                Path(folder).rename(self._unpacked)
            except OSError:  # another environment was quicker
                if not self._unpacked.exists():
                    raise
        Path(path).rmdir()
        Path(path).symlink_to(self._unpacked, target_is_directory=True)

    @property
    def _unpacked(self) -> Path:
        contents = repr([(entry.filename, entry.CRC, entry.file_size) for entry in self.infolist()])
        return Path(tempfile.gettempdir()) / "unpacked" / hashlib.sha256(contents.encode()).hexdigest()
