"""What all commands have alike: which stack, as which caller, and how the answer is shown."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ecr_steward.errors import CommandError

_SETTINGS = {"stack", "api_url", "profile", "region"}


class Output(StrEnum):
    """How an answer is shown."""

    TABLE = "table"
    JSON = "json"
    TSV = "tsv"


@dataclass(frozen=True, slots=True)
class Options:
    """The options before the command; empty texts and None for what is not given."""

    stack: str = ""
    api_url: str = ""
    profile: str = ""
    region: str = ""
    output: Output = Output.TABLE
    query: str = ""

    def completed(self, environment: Mapping[str, str] = os.environ) -> "Options":
        """With what the environment and the configuration file say; an option comes first, then the environment.

        Raises
        ------
        CommandError
            The configuration file cannot be read.
        """
        said = _configured(environment)
        return Options(
            stack=self.stack or ("" if environment.get("STEWARD_API_URL") else said.get("stack", "")),
            api_url=self.api_url
            or ("" if self.stack else environment.get("STEWARD_API_URL") or said.get("api_url", "")),
            profile=self.profile or environment.get("AWS_PROFILE", "") or said.get("profile", ""),
            region=self.region
            or environment.get("AWS_REGION", "")
            or environment.get("AWS_DEFAULT_REGION", "")
            or said.get("region", ""),
            output=self.output,
            query=self.query,
        )


def configuration_file(environment: Mapping[str, str]) -> Path:
    """``steward/config.toml`` in the folder for configuration."""
    folder = environment.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "steward" / "config.toml"


def _configured(environment: Mapping[str, str]) -> dict[str, str]:
    path = configuration_file(environment)
    try:
        said: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {error}", "Correct the file, or remove it") from error
    if unknown := said.keys() - _SETTINGS:
        raise CommandError(f"{path}: {min(unknown)} is no setting", f"Settings are {', '.join(sorted(_SETTINGS))}")
    return {key: str(value) for key, value in said.items()}
