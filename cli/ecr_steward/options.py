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
_REGISTRIES = "registries"


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


@dataclass(frozen=True, slots=True)
class Registry:
    """With which service user the credential helper logs in at a registry.

    Attributes
    ----------
    user : str
        The service user; its key is in the secret ``steward/service-users/USER``.
    profile : str
        The profile of the AWS CLI that reads the secret; empty for what the machine has.
    region : str
        Where the secret is; empty for the profile's region, or else the registry's.
    """

    user: str
    profile: str = ""
    region: str = ""


def registries(environment: Mapping[str, str] = os.environ) -> dict[str, Registry]:
    """The registries of the configuration file, by host; their value is a user, or a table of ``Registry``'s fields.

    Raises
    ------
    CommandError
        The file cannot be read, or a value is neither.
    """
    found = {}
    for host, value in _read(environment).get(_REGISTRIES, {}).items():
        fields = {"user": value} if isinstance(value, str) else value
        try:
            found[host] = Registry(**fields)
        except TypeError as error:
            example = f'"{host}" = {{ user = "ecr-push", profile = "secret-reader" }}'
            raise CommandError(f"{configuration_file(environment)}: {host}: {value!r} is no user", example) from error
    return found


def _configured(environment: Mapping[str, str]) -> dict[str, str]:
    return {key: str(value) for key, value in _read(environment).items() if key != _REGISTRIES}


def _read(environment: Mapping[str, str]) -> dict[str, Any]:
    path = configuration_file(environment)
    try:
        said: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {error}", "Correct the file, or remove it") from error
    if unknown := said.keys() - _SETTINGS - {_REGISTRIES}:
        known = ", ".join(sorted(_SETTINGS | {_REGISTRIES}))
        raise CommandError(f"{path}: {min(unknown)} is no setting", f"Settings are {known}")
    if not isinstance(said.get(_REGISTRIES, {}), dict):
        raise CommandError(f"{path}: {_REGISTRIES} is no table", "See docs/cli.md")
    return said
