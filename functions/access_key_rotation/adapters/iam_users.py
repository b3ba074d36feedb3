"""Service users and their keys, on IAM."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from access_key_rotation.application.ports import KeyNotFoundError, KeySlotsFullError, OutcomeUnknownError, Privileges
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import AccessKey, LastUse, Standing, User
from steward.aws.errors import THROTTLING, code_of, translated, unless, upstream
from steward.errors import UpstreamError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.literals import StatusTypeType

QUARANTINE = "AWSCompromisedKeyQuarantine"
"""How the names of AWS's quarantine policies begin.

Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html
"""
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
    privileges
        Judges a user's policies; without it no user has a ``standing``.
    """

    def __init__(self, client: "IAMClient", once: "IAMClient", privileges: Privileges | None = None) -> None:
        self._iam = client
        self._once = once
        self._privileges = privileges

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

    def quarantine(self, name: UserName) -> str:
        """The first of its attached policies that AWS names as a quarantine, of any version."""
        with translated(), unless(NO_SUCH_ENTITY):
            for page in self._iam.get_paginator("list_attached_user_policies").paginate(UserName=name):
                for policy in page["AttachedPolicies"]:
                    if policy["PolicyName"].startswith(QUARANTINE):
                        return policy["PolicyArn"]
        return ""

    def standing(self, user: User) -> Standing:
        """Its password, its MFA devices, and whether its policies let it gain privileges."""
        if self._privileges is None:
            raise UpstreamError("this function does not read privileges, so that it cannot judge a user")
        has_password = False
        with translated(), unless(NO_SUCH_ENTITY):
            self._iam.get_login_profile(UserName=user.name)
            has_password = True
        with translated():
            devices = self._iam.list_mfa_devices(UserName=user.name)["MFADevices"]
        return Standing(has_password, bool(devices), self._privileges.escalation(user))

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


def _unknown(code: str) -> UpstreamError:
    return OutcomeUnknownError(f"CreateAccessKey got no clear answer ({code}): it may have made a key", code=code)
