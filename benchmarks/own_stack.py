"""A copy of the project under settings of its own, deployed on a local AWS of its own."""

import json
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.deployment import LOCAL_PYTHON, PROJECT, NoDeploymentError, free_port
from local.environment_file import read_environment
from local.workspace import Workspace

PARTS = ("template.yaml", "samconfig.toml", "functions", "layers")


@contextmanager
def own_stack(
    settings: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, str], *, port: int | None = None
) -> Iterator[dict[str, str]]:
    """Deploy it, and clean it up afterwards.

    Parameters
    ----------
    settings : mapping
        An operator's, by file of ``layers/settings``: only what differs.
    parameters : mapping
        Of the template, beside those of ``samconfig.toml``.
    port : int, optional
        Of the local AWS; a free one by default.

    Yields
    ------
    dict
        The variables by which it is reached, as in ``.local/env``.

    Raises
    ------
    NoDeploymentError
        It cannot be started; the text is what the command said.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder, ours = Path(temporary) / "project", Path(temporary) / "settings"
        ours.mkdir()
        folder.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
            copy(PROJECT / part, folder / part)
        for name, content in settings.items():
            (ours / name).write_text(yaml.safe_dump(dict(content)))
        _override(folder / "samconfig.toml", parameters)
        try:
            _local(folder, "start", "--port", str(port or free_port()), "--settings", str(ours))
            yield read_environment(Workspace(folder).environment_file)
        finally:
            _local(folder, "clean")


def _override(samconfig: Path, parameters: Mapping[str, str]) -> None:
    text = samconfig.read_text()
    shipped = tomllib.loads(text)["local"]["deploy"]["parameters"]["parameter_overrides"]
    ours = dict(override.split("=", 1) for override in shipped) | dict(parameters)
    before, after = (
        f"parameter_overrides = {json.dumps(overrides)}\n"
        for overrides in (shipped, [f"{name}={value}" for name, value in ours.items()])
    )
    if before not in text:
        raise NoDeploymentError(f"{samconfig.name} has no line {before!r}")
    samconfig.write_text(text.replace(before, after))


def _local(folder: Path, *command: str) -> None:
    arguments = [str(LOCAL_PYTHON), "-m", "local", "--project", str(folder), *command]
    done = subprocess.run(arguments, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoDeploymentError(f"{done.stdout} {done.stderr}")
