"""Who calls, in one canonical form: account, kind and name, without role path and session name.

The same role looks different in different places: ``userArn`` of an assumed role has no path but ends in a session name
that the caller chose, CloudTrail's ``sessionIssuer.arn`` has a path and no session name. Rules must not depend on where
a request came from, so both become ``123456789012:role/ci-kolla``.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

_ARN = re.compile(r"arn:[^:]+:(?:iam|sts)::(?P<account>\d{12}):(?P<kind>[a-z-]+)(?:/(?P<rest>(?:[^/\s]+/)*[^/\s]+))?")
_PATTERN = re.compile(r"(?P<account>\d{12}|self):(?P<name>\*|(?:role|user|federated-user)/[\w+=,.@*?-]+|root)")
_UNLIKE_ANY = "\N{WHITE SQUARE}"


@dataclass(frozen=True, slots=True)
class Principal:
    """An identity of an account: ``kind`` is ``role``, ``user``, ``federated-user`` or ``root`` (then without name)."""

    account: str
    kind: str
    name: str = ""

    @classmethod
    def from_arn(cls, arn: str) -> Self:
        """The principal that an ARN of IAM or STS names.

        Raises
        ------
        ValueError
            The ARN names no user, role, session or root.
        """
        found = _ARN.fullmatch(arn)
        if found is None:
            raise ValueError(f"{arn!r} is not the ARN of a user, a role, a session or an account's root")
        account, kind, rest = found.group("account", "kind", "rest")
        if kind == "assumed-role" and rest:
            return cls(account, "role", rest.split("/")[0])
        if kind in {"role", "user", "federated-user"} and rest:
            return cls(account, kind, rest.rsplit("/", 1)[-1])
        if kind == "root" and not rest:
            return cls(account, kind)
        raise ValueError(f"{arn!r} is not the ARN of a user, a role, a session or an account's root")

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the principal that ``str`` wrote so. Raises ValueError."""
        account, colon, local = text.partition(":")
        kind, _, name = local.partition("/")
        if not colon or not account or not kind:
            raise ValueError(f"{text!r} is no principal")
        return cls(account, kind, name)

    def __str__(self) -> str:
        return f"{self.account}:{self.local}"

    @property
    def local(self) -> str:
        """Kind and name, without the account."""
        return f"{self.kind}/{self.name}" if self.name else self.kind


def session_of(arn: str) -> str:
    """The name of the session in an assumed role's ARN, empty for any other identity.

    The caller of AssumeRole chooses it, so no rule may depend on it; for people who come through IAM Identity Center it
    is their user name, and so it says who of a role's users it was.
    Source: https://docs.aws.amazon.com/singlesignon/latest/userguide/user-session-logs.html
    """
    found = _ARN.fullmatch(arn)
    if found is None or found["kind"] != "assumed-role" or not found["rest"]:
        return ""
    return found["rest"].partition("/")[2]


class PrincipalPattern(str):
    """Which principals a rule speaks of: ``123456789012:role/ci-*``, or ``self:*`` for all of the stack's own account.

    The account is always named, so that no rule admits the whole world by accident.

    Raises
    ------
    ValueError
        The text is no such pattern; the message says how to write one.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        if not _PATTERN.fullmatch(text):
            raise ValueError(
                f"{text!r} is not a principal: write <account>:<kind>/<name>, such as 123456789012:role/ci-*, "
                "or self:* for every principal of the stack's own account; the account takes no wildcard"
            )
        return super().__new__(cls, text)

    def matches(self, principal: Principal, *, own_account: str) -> bool:
        """Whether ``principal`` is one of those meant; ``self`` stands for ``own_account``."""
        account, _, name = self.partition(":")
        if (own_account if account == "self" else account) != principal.account:
            return False
        return fnmatchcase(principal.local, name)

    def covers(self, other: Self) -> bool:
        """Whether every principal of ``other`` is one of this pattern, as far as examples of ``other`` show."""
        (account, _, name), (other_account, _, other_name) = self.partition(":"), other.partition(":")
        examples = (other_name.replace("?", _UNLIKE_ANY).replace("*", _UNLIKE_ANY * many) for many in (0, 1, 9))
        return account == other_account and all(fnmatchcase(example, name) for example in examples)
