"""The answers of ``make deploy GUIDED=1``: a file of the operator's, ``deployment.toml``, that SAM writes and reads.

It lies in the operator's folder of settings; without one in the project, where git ignores it. It begins with what
``samconfig.toml`` has, which is never written.
"""

import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "deployment.toml"
HOME, GLOBAL_EVENTS = "default", "global-events"
GLOBAL_REGION = "us-east-1"
_BLOCKS = re.compile(rf"\[({HOME}\.(global|deploy)|{GLOBAL_EVENTS})\b")
_HEAD = """\
# What `make deploy GUIDED=1` asked for and saved; `make deploy` uses it. It holds no secrets.
version = 0.1

"""


class NotDeployableError(Exception):
    """The deployment cannot begin; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Where the answers are, or will be.

    Parameters
    ----------
    project
        The folder of ``samconfig.toml``.
    folder
        The operator's; None for the project itself.
    """

    project: Path
    folder: Path | None = None

    @property
    def path(self) -> Path:
        """The file."""
        return ((self.folder or self.project) / NAME).resolve()

    def ensure(self, *, guided: bool) -> None:
        """Make the file where there is none: of what ``samconfig.toml`` has, as older versions saved it there.

        Raises
        ------
        NotDeployableError
            Nothing was ever saved, and this run will not ask.
        """
        if self.path.exists():
            return
        begin = (self.project / "samconfig.toml").read_text()
        if not guided and not _region(tomllib.loads(begin), HOME):
            raise NotDeployableError(
                f"There is no {self.path}: answer the questions once with GUIDED=1, or name the folder that has it "
                "with SETTINGS=folder."
            )
        sections = re.split(r"^(?=\[)", begin, flags=re.MULTILINE)
        self.path.write_text(_HEAD + "\n".join(_bare(each) for each in sections if _BLOCKS.match(each)))

    def overrides(self, block: str = HOME) -> str:
        """The parameters of a block, as SAM takes and writes them: ``Name="value" …``."""
        saved = _parameters(self._read(), block).get("parameter_overrides", "")
        return saved if isinstance(saved, str) else " ".join(saved)

    def region(self) -> str | None:
        """The home region, if it was saved."""
        return _region(self._read(), HOME)

    def stack_name(self) -> str:
        """The name of the stack in the home region."""
        return str(_parameters(self._read(), HOME).get("stack_name", "ecr-steward"))

    def global_events_overrides(self, home: str) -> str:
        """The parameters of the small stack: the home region and its bus, where its alarms go, and what they link.

        They go where those of the home region go, unless another address was saved.
        """
        ours, theirs = values(self.overrides()), values(self.overrides(GLOBAL_EVENTS))
        chosen = {
            "HomeRegion": home,
            "BusName": ours.get("BusName"),
            "AlarmEmail": theirs.get("AlarmEmail") or ours.get("AlarmEmail"),
            "DocumentationUrl": ours.get("DocumentationUrl"),
        }
        return written({name: value for name, value in chosen.items() if value})

    def _read(self) -> dict[str, Any]:
        path = self.path if self.path.exists() else self.project / "samconfig.toml"
        return tomllib.loads(path.read_text())


def values(overrides: str) -> dict[str, str]:
    """The parameters by name."""
    return dict(each.split("=", 1) for each in shlex.split(overrides))


def written(parameters: dict[str, str]) -> str:
    """The parameters as SAM writes them."""
    return " ".join(
        '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"')) for name, value in parameters.items()
    )


def _parameters(configuration: dict[str, Any], block: str) -> dict[str, Any]:
    of_block = configuration.get(block, {})
    merged: dict[str, Any] = {}
    for command in ("global", "deploy"):
        merged |= of_block.get(command, {}).get("parameters", {})
    return merged


def _region(configuration: dict[str, Any], block: str) -> str | None:
    region = _parameters(configuration, block).get("region")
    return str(region) if region else None


def _bare(section: str) -> str:
    """Without the comments that stand at its end, which speak of the next one."""
    return re.sub(r"(\n(#.*)?)+\Z", "\n", section)
