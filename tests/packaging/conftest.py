import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PARTS = ("template.yaml", "samconfig.toml", "functions", "layers")
SAM = PROJECT / ".local" / "venv" / "bin" / "python"
MACHINES = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}


@pytest.fixture(scope="session")
def interpreter():
    """The bare interpreter of the functions' runtime: no environment, no site-packages of ours."""
    return Path(sys.base_prefix) / "bin" / "python3.13"


@pytest.fixture(scope="session")
def built(tmp_path_factory, interpreter):
    """What `make build` makes of the project, for the machine that the tests run on."""
    project = tmp_path_factory.mktemp("packaging")
    for part in PARTS:
        if (PROJECT / part).is_dir():
            shutil.copytree(PROJECT / part, project / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / part, project / part)
    shutil.copytree(PROJECT / "tests" / "layers" / "settings", project / "layers" / "settings", dirs_exist_ok=True)
    environment = os.environ | {
        "PATH": f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}",
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "ca-central-1",
        "PYTHONWARNINGS": "ignore",
    }
    architecture = MACHINES[platform.machine().lower()]
    command = [SAM, "-m", "deployment", "build", "--project", str(project), "--architecture", architecture]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return project / ".aws-sam" / "build"
