"""Service users and their keys, on IAM."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from access_key_rotation.application.ports import KeyNotFoundError, KeySlotsFullError, OutcomeUnknownError
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import AccessKey, LastUse, Standing, User
from steward.aws.errors import THROTTLING, code_of, translated, unless, upstream
from steward.errors import UpstreamError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.literals import StatusTypeType
    from mypy_boto3_iam.type_defs import EvaluationResultTypeDef

ADMINISTRATION = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
)
"""Each of these gives its caller permissions, or control over a principal that has them.

Source: https://pathfinding.cloud (the paths of IAM alone), and Rhino Security Labs' "AWS IAM Privilege Escalation" (for
SetDefaultPolicyVersion).
"""
TAKING_OVER = frozenset({"iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"})
"""These give the permissions of the target user; applied to the caller itself, they give none."""
NO_SUCH_ENTITY = "NoSuchEntity"
_SERVER_ERROR = 500


class IamUsers:
    """The users of the account.

    Parameters
    ----------
    client
        For all but making keys.
    once
        For making keys: a client that never repeats a call, because a repetition would make another key.
    """

    def __init__(self, client: "IAMClient", once: "IAMClient") -> None:
        self._iam = client
        self._once = once

    def find(self, name: UserName) -> User | None:
        """The user with its tags."""
        with translated(), unless(NO_SUCH_ENTITY):
            found = self._iam.get_user(UserName=name)["User"]
            tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
            return User(name, found["UserId"], found["Arn"], found["Path"], tags)
        return None

    def keys(self, name: UserName) -> tuple[AccessKey, ...]:
        """All keys; two fit in one page, and more are read to the end."""
        with translated(), unless(NO_SUCH_ENTITY):
            return tuple(
                AccessKey(key["AccessKeyId"], active=key["Status"] == "Active", created=key["CreateDate"])
                for page in self._iam.get_paginator("list_access_keys").paginate(UserName=name)
                for key in page["AccessKeyMetadata"]
            )
        return ()

    def last_use(self, key_id: str) -> LastUse:
        """The last use; a key that was never used has no date."""
        with translated():
            used = self._iam.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]
        return LastUse(used.get("LastUsedDate"), used.get("ServiceName", ""))

    def owner(self, key_id: str) -> UserName | None:
        """The user that has the key; GetAccessKeyLastUsed is the only call that returns it.

        For a key of another account AWS answers AccessDenied, as it does when our own role lacks the right: that is
        raised, never read as "nobody's".
        """
        with translated(), unless(NO_SUCH_ENTITY):
            answer = self._iam.get_access_key_last_used(AccessKeyId=key_id)
            return UserName(answer["UserName"]) if answer.get("UserName") else None
        return None

    def standing(self, user: User) -> Standing:
        """Its password, its MFA devices, and IAM's own judgement of its rights."""
        has_password = False
        with translated(), unless(NO_SUCH_ENTITY):
            self._iam.get_login_profile(UserName=user.name)
            has_password = True
        with translated():
            devices = self._iam.list_mfa_devices(UserName=user.name)["MFADevices"]
        return Standing(has_password, bool(devices), self.administers_iam(user.arn))

    def administers_iam(self, arn: str) -> bool:
        """Whether IAM would let the user do any of ``ADMINISTRATION``, to itself or to anybody. One call.

        A simulation without resources asks for all of them at once, ``*``, which a policy on ``arn:aws:iam::…:*`` does
        not allow. So it is asked for the user itself, and for one user, group, role and policy of the account, of names
        that no policy means in particular.
        """
        account = arn.partition(":user/")[0]
        resources = [arn, *(f"{account}:{kind}/any-other" for kind in ("user", "group", "role", "policy"))]
        pages = self._iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=arn, ActionNames=list(ADMINISTRATION), ResourceArns=resources
        )
        with translated():
            allowed = [found for page in pages for result in page["EvaluationResults"] for found in _allowed(result)]
        return any(resource != arn or action not in TAKING_OVER for action, resource in allowed)

    def create_key(self, name: UserName) -> Credential:
        """Create a key, in one attempt."""
        try:
            made = self._once.create_access_key(UserName=name)["AccessKey"]
            return Credential(name, made["AccessKeyId"], made["SecretAccessKey"], made["CreateDate"])
        except (EndpointConnectionError, ConnectTimeoutError) as error:
            raise upstream(error) from error  # nothing was sent
        except ClientError as error:
            code = code_of(error)
            if code == "LimitExceeded":
                raise KeySlotsFullError(f"the user {name} has as many keys as IAM allows", code=code) from error
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status >= _SERVER_ERROR and code not in THROTTLING:
                raise _unknown(code) from error
            raise upstream(error) from error
        except Exception as error:  # noqa: BLE001 - any error: a key may exist, and the text may quote it
            raise _unknown(type(error).__name__) from None

    def deactivate_key(self, name: UserName, key_id: str) -> None:
        """Deactivate the key."""
        self._set_status(name, key_id, "Inactive")

    def reactivate_key(self, name: UserName, key_id: str) -> None:
        """Activate the key."""
        self._set_status(name, key_id, "Active")

    def _set_status(self, name: UserName, key_id: str, status: "StatusTypeType") -> None:
        absent = KeyNotFoundError(f"the user {name} has no key {key_id}", code=NO_SUCH_ENTITY)
        with translated({NO_SUCH_ENTITY: absent}):
            self._iam.update_access_key(UserName=name, AccessKeyId=key_id, Status=status)

    def delete_key(self, name: UserName, key_id: str) -> None:
        """Delete the key, if it still exists."""
        with translated(), unless(NO_SUCH_ENTITY):
            self._iam.delete_access_key(UserName=name, AccessKeyId=key_id)


def _allowed(result: "EvaluationResultTypeDef") -> Iterator[tuple[str, str]]:
    """The action with each resource on which a simulation allows it."""
    action = result["EvalActionName"]
    if result["EvalDecision"] == "allowed":
        yield action, result.get("EvalResourceName", "*")
    for one in result.get("ResourceSpecificResults", []):
        if one["EvalResourceDecision"] == "allowed":
            yield action, one["EvalResourceName"]


def _unknown(code: str) -> UpstreamError:
    return OutcomeUnknownError(f"CreateAccessKey got no clear answer ({code}): it may have made a key", code=code)
