"""Packs the code that the command line shares with the functions, from where it stands: never copied by hand."""

import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SharedCode(BuildHookInterface):  # type: ignore[type-arg] # the configuration of every builder
    """Adds the files of ``[tool.ecr-steward.shared]`` to the wheel, and below ``shared/`` to the source archive."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        """Say what is packed; a source archive has no repository around it."""
        root = Path(self.root)
        shared = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["ecr-steward"]["shared"]
        for source, target in shared.items():
            found = root / source
            if not found.exists():
                found = root / "shared" / target
            build_data["force_include"][str(found)] = target if self.target_name == "wheel" else f"shared/{target}"
