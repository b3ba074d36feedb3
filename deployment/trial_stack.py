"""A stack of acceptance's own: a name, a bus, an IAM path and house rules that no other stack has."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deployment.acceptance_account import PREFIX
from deployment.saved import written

PROJECT = Path(__file__).parents[1]
FOLDER = PROJECT / ".local" / "acceptance"
"""Of the settings and answers of the run's own stack, and the log of its deployment."""
_RULES = f"""\
callers:
  - {{principals: ["self:*"], repositories: ["{PREFIX}/**"]}}
"""
_MACHINES = {"aarch64": "arm64", "x86_64": "x86_64", "amd64": "x86_64"}


@dataclass(frozen=True, slots=True)
class TrialStack:
    """How the run's own stack is named and deployed.

    Parameters
    ----------
    run_id
        Of the run.
    region
        The home region.
    on_aws
        Whether it is AWS, or the local one.
    """

    run_id: str
    region: str
    on_aws: bool = True
    folder: Path = FOLDER

    @property
    def name(self) -> str:
        """Also of its bus."""
        return f"{PREFIX}-{self.run_id}"

    @property
    def bucket(self) -> str:
        """For the code: one that SAM makes by itself would stay."""
        return f"{self.name}-code"

    @property
    def path(self) -> str:
        """Of the service users: the stack rotates nobody else's keys."""
        return f"/{self.name}/"

    def parameters(self) -> dict[str, str]:
        """No group, no user, no alarm's mail, no dashboard: nothing that an account has once."""
        machine = platform.machine().lower()
        return {
            "Architecture": "arm64" if self.on_aws else _MACHINES.get(machine, machine),
            "BusName": self.name,
            "CreateAccessModel": "false",
            "CreateServiceUsers": "false",
            "Monitoring": "minimal",
            "ServicePath": self.path,
            **({} if self.on_aws else {"Platform": "local", "DriftEventDelaySeconds": "1"}),
        }

    def deploy(self) -> str:
        """Build and deploy as the Makefile does; "deployed", or the last line that the deployment printed."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "house_rules.yaml").write_text(_RULES)
        (self.folder / "deployment.toml").write_text(self._answers())
        log = self.folder / "deploy.log"
        environment = {
            **os.environ,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "PYTHONPATH": f"{PROJECT / 'functions'}{os.pathsep}{PROJECT / 'layers'}",
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "5" if self.on_aws else "0.5",
        }
        program = [str(PROJECT / ".local" / "venv" / "bin" / "python"), "-m", "deployment"]
        for command in ("build", "deploy"):
            with log.open("ab") as output:
                done = subprocess.run(
                    [*program, command, "--settings", str(self.folder), "--yes"],
                    cwd=PROJECT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
            if done.returncode:
                said = log.read_text(errors="replace").split("\n")
                return (
                    f"{command} failed: {next((line.strip() for line in reversed(said) if line.strip()), '')} ({log})"
                )
        return "deployed"

    def _answers(self) -> str:
        return f"""\
version = 0.1

[default.global.parameters]
stack_name = "{self.name}"

[default.deploy.parameters]
region = "{self.region}"
capabilities = "CAPABILITY_NAMED_IAM"
s3_bucket = "{self.bucket}"
confirm_changeset = false
fail_on_empty_changeset = false
parameter_overrides = '{written(self.parameters())}'
"""
