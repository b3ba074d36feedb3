"""The principal of a request, and the principals that a Principal or NotPrincipal element names.

A principal is written as in a policy: an ARN, an account id, a unique id, a service or provider name, ``*`` for someone
anonymous. Where the text does not tell the type it is put before it: ``Federated:login.example.amazonaws.com``.

AWS: "AWS JSON policy elements: Principal" and "… NotPrincipal".
"""

import re
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain, count
from typing import TYPE_CHECKING

from iam_policy.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Hashable, Iterable, Mapping

TYPES = ("AWS", "CanonicalUser", "Federated", "Service")
EVERYONE = "*"

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_UNIQUE_ID = re.compile(r"A[A-Z0-9]{15,127}", re.ASCII)
_CANONICAL_USER = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ARN_PARTS = 6
_ACCOUNT_PART = 4
_COGNITO = "cognito-identity.amazonaws.com"


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """One principal: its type, as the Principal element names it, and its value."""

    type: str
    value: str

    def __str__(self) -> str:
        return self.value if _type_of(self.value) == self.type else f"{self.type}:{self.value}"

    @property
    def account(self) -> str:
        """The account id of an AWS principal's ARN, else empty."""
        if self.type != "AWS":
            return ""
        parts = self.value.split(":", _ARN_PARTS - 1)
        return parts[_ACCOUNT_PART] if len(parts) == _ARN_PARTS else ""

    @property
    def is_account(self) -> bool:
        """Whether this is an account (which is written as its root)."""
        return self.type == "AWS" and self.value.endswith(":root") and self.value.count(":") == _ARN_PARTS - 1

    @property
    def role_of_session(self) -> str:
        """Account and name of the role of an assumed-role session, else empty."""
        parts = self.value.split(":", _ARN_PARTS - 1)
        if self.type != "AWS" or len(parts) != _ARN_PARTS or not parts[5].startswith("assumed-role/"):
            return ""
        return f"{parts[4]}/{parts[5].split('/')[1]}"

    @property
    def role(self) -> str:
        """Account and name (without path) of a role, else empty."""
        parts = self.value.split(":", _ARN_PARTS - 1)
        if self.type != "AWS" or len(parts) != _ARN_PARTS or not parts[5].startswith("role/"):
            return ""
        return f"{parts[4]}/{parts[5].rsplit('/', 1)[1]}"


ANONYMOUS = Principal("AWS", EVERYONE)


@dataclass(frozen=True, slots=True)
class Principals:
    """The Principal or NotPrincipal element of a statement."""

    named: frozenset[Principal]
    negated: bool

    def match(self, asking: Principal) -> bool:
        """Whether the element applies to who asks.

        An account named in Principal stands for everybody in it, a role for its sessions, ``*`` for everyone.
        In NotPrincipal an account stands for itself alone: AWS checks the account, the role and the session each, so
        that all of them must be listed to be spared.
        """
        if ANONYMOUS in self.named:
            return not self.negated
        if self.negated:
            return asking not in self.named
        return not reached_by(asking).isdisjoint(key for named in self.named for key in reach(named))


def parse(text: str) -> Principal:
    """The principal that a request's text means: with its type in front, or of the type that the text shows."""
    before, colon, value = text.partition(":")
    if colon and before in TYPES:
        return named(before, value)
    return named(_type_of(text), text)


def named(kind: str, value: str) -> Principal:
    """The principal of a type and a value, with an account id turned into the ARN of its root."""
    if kind == "AWS" and _ACCOUNT.fullmatch(value):
        value = f"arn:aws:iam::{value}:root"
    return Principal(kind, value)


def problem_of(kind: str, value: str) -> str | None:
    """What is wrong with a value of the Principal element, or None."""
    if not value:
        return "an empty principal"
    if value == EVERYONE:
        return None if kind in {"AWS", "Federated", "Service"} else f"'*' is no {kind}"
    if "*" in value or "?" in value:
        return f"{quoted(value)} has a wildcard; a principal is named in full or is '*'"
    if kind == "AWS" and not (_ACCOUNT.fullmatch(value) or _UNIQUE_ID.fullmatch(value)):
        parts = value.split(":", _ARN_PARTS - 1)
        if len(parts) < _ARN_PARTS or parts[0] != "arn" or not parts[1] or not parts[2] or not parts[5]:
            return f"{quoted(value)} is no ARN, account id or unique id"
    return None


def examples(elements: "Iterable[Principals]") -> list[Principal]:
    """One principal for each way in which these elements can distinguish principals, the most ordinary first."""
    listed = {principal for element in elements for principal in element.named}
    unlisted = cache(partial(_unlisted, listed))
    found = [unlisted("AWS", "arn:aws:iam::111122223333:user/example")]
    for principal in sorted(listed):
        if principal.is_account:
            partition = principal.value.split(":")[1]
            found.append(unlisted("AWS", f"arn:{partition}:iam::{principal.account}:user/example"))
        if principal.role:
            partition, account, name = principal.value.split(":")[1], *principal.role.split("/")
            found.append(unlisted("AWS", f"arn:{partition}:sts::{account}:assumed-role/{name}/example"))
            found.append(unlisted("AWS", f"arn:{partition}:iam::{account}:user/example"))
        found.append(principal)
    found += [
        unlisted("Service", "example", ".amazonaws.com"),
        unlisted("Federated", "arn:aws:iam::111122223333:saml-provider/example"),
        unlisted("CanonicalUser", "", width=64),
        ANONYMOUS,
    ]
    return list(dict.fromkeys(found))


def _unlisted(listed: "Container[Principal]", kind: str, before: str, after: str = "", *, width: int = 0) -> Principal:
    """The first principal of a numbered kind of value (the first without its number) that no element lists."""
    numbered = (Principal(kind, f"{before}{number:0>{width}}{after}") for number in chain([""], map(str, count(2))))
    return next(principal for principal in numbered if principal not in listed)


def reach(named: Principal) -> "tuple[Hashable, ...]":
    """What a principal in a Principal element stands for: itself, and a group where it is an account or a role."""
    if named.is_account:
        return named, (_partition(named), named.account)
    return (named, (_partition(named), named.role)) if named.role else (named,)


def reached_by(asking: Principal) -> "set[Hashable]":
    """What a Principal element may name, as `reach` puts it, to include a principal."""
    groups: set[Hashable] = {asking, Principal(asking.type, EVERYONE)}
    if asking.account:
        groups.add((_partition(asking), asking.account))
    if asking.role_of_session:
        groups.add((_partition(asking), asking.role_of_session))
    return groups


def matching(elements: "Mapping[Principals, int]") -> "Callable[[Principal], int]":
    """`Principals.match` of many elements at once: the bits of those that apply, at a price that is not theirs."""
    always = negated = 0
    reached: dict[Hashable, int] = {}
    spared: dict[Principal, int] = {}
    for element, bits in elements.items():
        if ANONYMOUS in element.named:
            always |= 0 if element.negated else bits
        elif element.negated:
            negated |= bits
            for principal in element.named:
                spared[principal] = spared.get(principal, 0) | bits
        else:
            for key in (key for principal in element.named for key in reach(principal)):
                reached[key] = reached.get(key, 0) | bits

    def match(asking: Principal) -> int:
        met = always | negated & ~spared.get(asking, 0)
        for key in reached_by(asking):
            met |= reached.get(key, 0)
        return met

    return match


def _partition(principal: Principal) -> str:
    return principal.value.split(":", 2)[1]


def _type_of(text: str) -> str:
    if text == EVERYONE or _ACCOUNT.fullmatch(text) or _UNIQUE_ID.fullmatch(text):
        return "AWS"
    if text.startswith("arn:"):
        return "Federated" if ":saml-provider/" in text or ":oidc-provider/" in text else "AWS"
    if _CANONICAL_USER.fullmatch(text):
        return "CanonicalUser"
    if text != _COGNITO and (text.endswith((".amazonaws.com", ".amazonaws.com.cn", ".aws.internal"))):
        return "Service"
    return "Federated"
