"""Who makes the changes, each by the AWS CLI with a key of its own."""

import json
import os
import re
import subprocess
from collections.abc import Iterable
from typing import Any

from benchmarks.deployment import Deployment
from benchmarks.drift_changes.calls import allow, document, trust
from benchmarks.drift_changes.change import ACCOUNT, Call, Who
from benchmarks.shell_line import aws_cli

NAMES: dict[Who, str] = {who: f"drift-changes-{who}" for who in ("insider", "outsider", "deployer", "storekeeper")}
DEPLOYER = NAMES["deployer"]
_RIGHTS = {
    "insider": document(allow("iam:*")),
    "deployer": document(allow("iam:*", "s3:*")),
    "storekeeper": document(allow("s3:*")),
}
_UNIQUE_ID = re.compile(r"<(user|role)/([\w-]+)>")
_NOT_TEXTS = frozenset({"Tags", "SetAsDefault"})


class Players:
    """The insider, the outsider and the storekeeper are users; the deployer is a role's session."""

    def __init__(self, stack: Deployment) -> None:
        self._iam: Any = stack.client("iam")
        self._stack = stack
        self._cli = aws_cli()
        self._keys = {who: self._user(who) for who in ("insider", "outsider", "storekeeper")}
        self._keys["deployer"] = self._session(DEPLOYER)

    def prepare(self, calls: Iterable[Call]) -> None:
        """Make what is approved, without the CLI, which takes a second a call."""
        for call in calls:
            getattr(self._iam, call.method)(**self._parameters(call))

    def play(self, call: Call) -> None:
        """Make one call; the outsider's has to be refused."""
        command = ["iam", call.operation, "--cli-input-json", json.dumps(self._parameters(call))]
        done = self.run(call.by, command)
        if (done.returncode == 0) is (call.by == "outsider"):
            raise RuntimeError(f"aws {' '.join(command)}: {done.stderr.strip() or 'not refused'}")

    def run(self, who: Who, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run the AWS CLI."""
        environment = self._stack.operator_environment | self._keys[who]
        environment |= {"PATH": f"{self._cli}{os.pathsep}{os.defpath}", "AWS_PAGER": ""}
        program = str(self._cli / "aws")
        return subprocess.run([program, *command], env=environment, capture_output=True, text=True, check=False)

    def _user(self, who: Who) -> dict[str, str]:
        name = NAMES[who]
        self._iam.create_user(UserName=name)
        if who in _RIGHTS:
            self._iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(_RIGHTS[who]))
        key = self._iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def _session(self, name: str) -> dict[str, str]:
        trusted = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
        self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trusted))
        rights = json.dumps(_RIGHTS["deployer"])
        self._iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=rights)
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        key = self._stack.client("sts").assume_role(RoleArn=arn, RoleSessionName="pipeline")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": key["SessionToken"],
        }

    def _parameters(self, call: Call) -> dict[str, Any]:
        return {
            name: json.loads(value) if name in _NOT_TEXTS else _UNIQUE_ID.sub(self._unique_id, value)
            for name, value in call.parameters.items()
        }

    def _unique_id(self, named: re.Match[str]) -> str:
        kind, name = named.groups()
        if kind == "user":
            return str(self._iam.get_user(UserName=name)["User"]["UserId"])
        return str(self._iam.get_role(RoleName=name)["Role"]["RoleId"])
