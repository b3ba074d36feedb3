"""Two people to try the deployed API with: one who may call it, and one who may only push."""

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_iam import IAMClient

PUSH_POLICY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser"
"""Can push and pull, cannot create a repository."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An IAM user with an access key."""

    name: str
    access_key_id: str
    secret_access_key: str

    def as_variables(self) -> dict[str, str]:
        """The caller's key as environment variables, prefixed with the caller's name."""
        prefix = _prefix(self.name)
        return {f"{prefix}ACCESS_KEY_ID": self.access_key_id, f"{prefix}SECRET_ACCESS_KEY": self.secret_access_key}


def ensure_caller(iam: "IAMClient", name: str, policies: list[str], known: "Mapping[str, str]") -> Caller:
    """Make sure that the user exists with these policies and one access key, and return it.

    Parameters
    ----------
    iam
        The operator's client.
    name, policies
        The user's name, and the ARNs of the policies to attach.
    known
        Variables written earlier, by :meth:`Caller.as_variables`; a key that still exists is used again.
    """
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=name, Path="/demo/")
    for policy in policies:
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
    keys = {key["AccessKeyId"] for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]}
    access_key_id = known.get(f"{_prefix(name)}ACCESS_KEY_ID", "")
    if access_key_id in keys:
        return Caller(name, access_key_id, known[f"{_prefix(name)}SECRET_ACCESS_KEY"])
    for forgotten in keys:
        iam.delete_access_key(UserName=name, AccessKeyId=forgotten)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Caller(name, key["AccessKeyId"], key["SecretAccessKey"])


def _prefix(name: str) -> str:
    return f"{name.upper().replace('-', '_')}_AWS_"
