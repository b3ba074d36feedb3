"""Names of service users, and of the secrets that hold their keys."""

import re
from typing import Self

from steward.errors import RuleViolationError

SECRET_PREFIX = "steward/service-users/"  # noqa: S105 - a name
TAG_PREFIX = "steward:"
ROTATE_TAG = f"{TAG_PREFIX}rotate"
"""Enrols a user, with the value ``true`` and on the service path; alone it does nothing."""

_USER = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_ESCAPES = {"=": "=3D", ",": "=2C"}


_ACCOUNT = r"arn:aws[a-z-]*:iam::\d{12}"
_READER = re.compile(
    rf"{_ACCOUNT}:(?:user|role)/[!-~]+|{_ACCOUNT}:root|arn:aws[a-z-]*:sts::\d{{12}}:federated-user/[!-~]+"
)
_SESSION = re.compile(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/.*")


class ReaderArn(str):
    """The ARN of a secret's reader, as in ``aws:PrincipalArn``; ``*`` and ``?`` match as in ``ArnNotEquals``.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (aws:PrincipalArn)

    Raises
    ------
    ValueError
        No principal has such an ARN, so the restriction would shut out the intended reader.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        if session := _SESSION.fullmatch(text):
            partition, account, role = session.groups()
            raise ValueError(
                f"{text!r} is a session: write its role, arn:{partition}:iam::{account}:role/{role}, with its path "
                "where it has one"
            )
        if not _READER.fullmatch(text):
            raise ValueError(
                f"{text!r} is the ARN of no reader: write arn:aws:iam::123456789012:role/NAME or …:user/NAME, with its "
                "path where it has one"
            )
        return super().__new__(cls, text)


class UserName(str):
    """The name of an IAM user, without its path.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names

    Raises
    ------
    RuleViolationError
        IAM allows no such name.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        if not _USER.fullmatch(text):
            raise RuleViolationError(
                f"{text[:80]!r} is not the name of an IAM user: 1 to 64 letters, digits and _+=,.@-, without a path"
            )
        return super().__new__(cls, text)

    @property
    def secret_name(self) -> str:
        """The name of the user's secret: ``,``, which secret names lack, is written ``=2C``, and ``=`` itself ``=3D``.

        Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html (Name)
        """
        return SECRET_PREFIX + "".join(_ESCAPES.get(letter, letter) for letter in self)

    @classmethod
    def of_secret(cls, secret: str) -> Self:
        """The user that the secret of this name or ARN belongs to.

        Raises
        ------
        RuleViolationError
            It is not the secret of a service user.
        """
        name = secret
        if secret.startswith("arn:"):
            name = secret.partition(":secret:")[2]
            name = re.sub(r"-[A-Za-z0-9]{6}$", "", name)
        if not name.startswith(SECRET_PREFIX):
            raise RuleViolationError(
                f"{secret!r} is not the secret of a service user: those begin with {SECRET_PREFIX}"
            )
        return cls(name.removeprefix(SECRET_PREFIX).replace("=2C", ",").replace("=3D", "="))
