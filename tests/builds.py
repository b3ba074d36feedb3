"""What `make build` makes of the project, made once for all workers of a run: a build takes as long as many tests."""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from deployment import artefacts
from local.stack import fingerprint
from local.workspace import Workspace, write_record

PROJECT = Path(__file__).parents[1]
PARTS = ("template.yaml", "samconfig.toml", "functions", "layers")
SAM = PROJECT / ".local" / "venv" / "bin" / "python"
MACHINES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}
INTERPRETER = Path(sys.base_prefix) / "bin" / "python3.13"
"""The bare interpreter of the functions' runtime: no environment, no site-packages of ours."""


def built(sources, temporary):
    """SAM's build folder of a project, for this machine and with the shipped settings: to read, not to change.

    ``temporary`` is the temporary folder of the session, or of this worker of it.
    """
    shared = temporary.parent if temporary.name.startswith("popen-") else temporary
    folder = shared / "builds" / _digest(sources)
    project = folder / "project"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other workers wait for the one that builds
        if not (folder / "done").exists():
            shutil.rmtree(project, ignore_errors=True)
            copy_parts(sources, project)
            _build(project)
            (folder / "done").touch()
    return project / ".aws-sam" / "build"


def take(build, project, settings=None):
    """Put a build into a project, as the local AWS's `start` leaves it, with an operator's settings."""
    own = project / ".aws-sam" / "build"
    shutil.copytree(build, own)
    artefacts.add_settings(own / "SettingsLayer" / "python" / "settings", settings)
    record = Workspace(project).deployment_record
    record.parent.mkdir(parents=True, exist_ok=True)
    write_record(record, {"built": fingerprint(project, settings)})


def _digest(sources):
    digest = hashlib.sha256()
    for part in PARTS:
        files = sorted((sources / part).rglob("*")) if (sources / part).is_dir() else [sources / part]
        for path in files:
            if path.is_file() and part != "samconfig.toml" and "__pycache__" not in path.parts:
                digest.update(f"\0{path.relative_to(sources)}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def copy_parts(sources, project):
    """Copy what is deployed."""
    project.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if (sources / part).is_dir():
            shutil.copytree(sources / part, project / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(sources / part, project / part)


def _build(project):
    environment = os.environ | {
        "PATH": f"{INTERPRETER.parent}{os.pathsep}{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "ca-central-1",
        "PYTHONWARNINGS": "ignore",
    }
    architecture = MACHINES[platform.machine().lower()]
    command = [SAM, "-m", "deployment", "build", "--project", str(project), "--architecture", architecture]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
