"""Who makes the changes, each with a key of its own."""

import json
import re
from collections.abc import Iterable
from typing import Any

import boto3
from botocore.exceptions import ClientError

from benchmarks.deployment import Deployment
from benchmarks.drift_changes.calls import allow, document, trust
from benchmarks.drift_changes.change import ACCOUNT, NOT_TEXTS, PLACEHOLDER, Call, Who

_EVERYBODY: tuple[Who, ...] = ("insider", "colleague", "outsider", "deployer", "storekeeper")
NAMES: dict[Who, str] = {who: f"drift-changes-{who}" for who in _EVERYBODY}
DEPLOYER = NAMES["deployer"]
_RIGHTS = {
    "insider": document(allow("iam:*")),
    "colleague": document(allow("iam:*")),
    "deployer": document(allow("iam:*", "s3:*")),
    "storekeeper": document(allow("s3:*")),
}


class Players:
    """All are users, but for the deployer, which is a role's session."""

    def __init__(self, stack: Deployment) -> None:
        self._iam: Any = stack.client("iam")
        self._stack = stack
        self._keys = {who: self._session(DEPLOYER) if who == "deployer" else self._user(who) for who in _EVERYBODY}
        self._clients = {who: self.client(who, "iam") for who in _EVERYBODY}

    def prepare(self, calls: Iterable[Call]) -> None:
        """Make what is approved."""
        for call in calls:
            getattr(self._iam, call.method)(**self._parameters(call))

    def play(self, call: Call) -> None:
        """Make one call; the outsider's has to be refused."""
        try:
            getattr(self._clients[call.by], call.method)(**self._parameters(call))
        except ClientError as error:
            if call.by != "outsider":
                raise RuntimeError(f"{call}: {error}") from error
            return
        if call.by == "outsider":
            raise RuntimeError(f"{call}: not refused")

    def client(self, who: Who, service: str) -> Any:
        """A client that signs with the key of one of them."""
        keys, variables = self._keys[who], self._stack.variables
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            region_name=variables["AWS_REGION"],
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys.get("AWS_SESSION_TOKEN"),
        )

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
            name: json.loads(value) if name in NOT_TEXTS else PLACEHOLDER.sub(self._made_up, value)
            for name, value in call.parameters.items()
        }

    def _made_up(self, named: re.Match[str]) -> str:
        kind, name = named.groups()
        if kind == "key":
            return str(self._iam.list_access_keys(UserName=name)["AccessKeyMetadata"][0]["AccessKeyId"])
        if kind == "user":
            return str(self._iam.get_user(UserName=name)["User"]["UserId"])
        return str(self._iam.get_role(RoleName=name)["Role"]["RoleId"])
