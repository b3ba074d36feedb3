"""The fixture's stack, deployed as users deploy: by the commands of ``python -m local``."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.local.aws.launched import PYTHON, REGION, REPOSITORY, Key, LocalAws, free_port

FIXTURE = Path(__file__).parent / "fixtures" / "stack"


class Project:
    """A copy of the fixture's project, with a port of its own, and the commands to run on it."""

    def __init__(self, folder, port=None, source=FIXTURE, parts=(".",)):
        self.folder = folder
        self.port = port or free_port()
        ignored = shutil.ignore_patterns(".local", ".aws-sam", "__pycache__")
        for part in parts:
            if (source / part).is_dir():
                shutil.copytree(source / part, folder / part, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(source / part, folder / part)

    def run(self, command, *arguments, python_code=None, **environment):
        program = ["-c", python_code] if python_code else ["-m", "local"]
        if command == "start":
            arguments = ("--end-with", str(os.getpid()), "--answers", str(self.answers), *arguments)
        return subprocess.run(
            [PYTHON, *program, "--project", str(self.folder), command, *arguments],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PORT": str(self.port), "KEEP": "1"}
            | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def edit(self, old, new, file="template.yaml"):
        template = self.folder / file
        assert old in template.read_text()
        template.write_text(template.read_text().replace(old, new))

    @property
    def answers(self):
        """The file that keeps what the local AWS answers."""
        return self.folder.with_name(f"{self.folder.name}-answers.jsonl")

    @property
    def variables(self):
        lines = (self.folder / ".local" / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("export "))

    @property
    def process_id(self):
        return json.loads((self.folder / ".local" / "aws" / "server.json").read_text())["pid"]

    @property
    def aws(self):
        return LocalAws(self.port, None, self.key())

    def key(self, prefix=""):
        variables = self.variables
        return Key(variables[f"{prefix}AWS_ACCESS_KEY_ID"], variables[f"{prefix}AWS_SECRET_ACCESS_KEY"])

    def call(self, method, path, key, body=None, region=REGION, service="execute-api"):
        """A signed call of the stack's API."""
        return self.aws.signed(method, self.variables["STEWARD_API_URL"] + path, key, body, region, service)
