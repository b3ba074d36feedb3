"""A shell in which the commands of a page run one after the other, as the person whom the page is for."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from tests.docs.test_pages import BLOCK, DOCS
from tests.local.aws.launched import REGION

ON_PATH = tuple(Path(folder) for folder in os.get_exec_path())


@cache
def aws_cli():
    """The first AWS CLI 2 on PATH; `aws logs tail` is not in version 1. None where there is none.

    A shim is passed over: which version it runs depends on the folder and the environment, which are others in a page.
    """
    for path in (folder / "aws" for folder in ON_PATH if folder.name != "shims"):
        if path.exists():
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            if said.startswith("aws-cli/2"):
                return path
    return None


needs_aws_cli = pytest.mark.skipif(
    aws_cli() is None or shutil.which("jq") is None, reason="the pages need the AWS CLI 2 and jq"
)


def preamble():
    """The functions that the pages define for all others: `call` and `segment`, `output` and `resources`."""
    call = re.search(r"^call\(\) \{.*?^\}", (DOCS / "api.md").read_text(), re.MULTILINE | re.DOTALL)[0]
    segment = re.search(r"^segment\(\) .*$", (DOCS / "api.md").read_text(), re.MULTILINE)[0]
    (_, functions), *_ = BLOCK.findall((DOCS / "runbooks" / "README.md").read_text())
    return f"{call}\n{segment}\n{functions}"


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    status: int
    shown: str
    """What it printed, on both outputs."""


@dataclass
class Shell:
    """Keeps variables, functions and files from one command to the next.

    Attributes
    ----------
    folder
        The current folder of all commands.
    environment
        The variables of `.local/env`, and PATH with its wrapper.
    """

    folder: Path
    environment: dict
    _state: Path = field(init=False)

    def __post_init__(self):
        self._state = self.folder / ".state"
        self._state.write_text(preamble())

    def run(self, script, key, region=REGION):
        """Run a script with the key of a person; it ends at the first command that fails."""
        text = (
            f"source {self._state}; set -eo pipefail\n{script}\n"
            f"{{ declare -p | grep -v '^declare -[a-z]*r' | grep -v '^declare -[-a-z]* AWS_'; declare -f; }} "
            f">{self._state} 2>/dev/null\n"
        )
        credentials = {
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_SESSION_TOKEN": key.session_token or "",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_PAGER": "",
        }
        done = subprocess.run(
            ["/bin/bash", "-c", text],
            cwd=self.folder,
            env=self.environment | credentials,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        return Done(done.returncode, done.stdout)
