"""What stands beside policies and grants access, in the words of findings and of the baseline."""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from policy_drift.domain.account import Account, EntityId, EntityKind
from policy_drift.domain.finding import Kind

KINDS = frozenset({Kind.CREDENTIAL, Kind.PROVIDER, Kind.FEDERATION, Kind.PROFILE, Kind.TAG})
"""Kinds of findings that begin with a claim. What is approved of it stands in the baseline's section ``beside``."""
_TAG = re.compile(r"(?:aws:PrincipalTag|aws:ResourceTag|iam:ResourceTag)/([^}\"'\s]+)", re.IGNORECASE)
SINCE = " since "
"""Stands before the time in an item that another one may replace under the same name: a password, or a provider. An
approval of the one is none of the other."""
SPECIFIC = "service-specific credential"
_SORTS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.CREDENTIAL: (
            *("access key ", "console password", "SSH key ", f"{SPECIFIC} ", "signing certificate "),
            *("MFA device ", "no MFA device"),
            *("root access key", "root signing certificate", "root MFA device", "no root MFA device"),
        ),
        Kind.PROVIDER: ("identity provider ",),
        Kind.FEDERATION: ("root sessions", "root credentials management", "outbound web identity federation"),
        Kind.PROFILE: ("instance profile ",),
        Kind.TAG: ("tag ", "no tag "),
    }
)
"""How the items of each kind begin."""


def sorts_of(kind: Kind) -> tuple[str, ...]:
    """How the items of a kind begin."""
    return _SORTS[kind]


def kind_of(item: str) -> Kind | None:
    """The kind of finding that an item belongs to; None for a text that is no item."""
    return next((kind for kind, beginnings in _SORTS.items() if item.startswith(beginnings)), None)


def deciding_tags(accounts: Iterable[Account]) -> frozenset[str]:
    """Keys of tags, in small letters, by which a policy of the accounts decides about access.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_iam-tags.html
    """
    texts = (str(document) for account in accounts for document in _documents(account))
    return frozenset(key.casefold() for text in texts for key in _TAG.findall(text))


def tag_key(item: str) -> str:
    """The key of a tag's item, in small letters."""
    return item.removeprefix("no ").removeprefix("tag ").partition("=")[0].casefold()


def trusting(account: Account, provider: str) -> list[str]:
    """Names of the roles with a trust policy that names an identity provider."""
    return sorted(name for name, role in account.roles.items() if provider and provider in str(role.trust))


def _documents(account: Account) -> Iterator[Any]:
    for entities in (account.users, account.groups, account.roles):
        for entity in entities.values():
            yield from entity.inline.values()
    yield from (role.trust for role in account.roles.values())
    yield from (policy.document for policy in account.policies.values())


def is_of_principal(kind: Kind) -> bool:
    """Whether findings of the kind are about a user or a role, and not about the account."""
    return kind in {Kind.CREDENTIAL, Kind.PROFILE, Kind.TAG}


def account_entity(account: str) -> EntityId:
    """The entity that stands for the whole account."""
    return EntityId(f"{EntityKind.ACCOUNT}/{account}")
