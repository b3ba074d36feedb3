"""Whom a trust policy names."""

import re
from collections.abc import Iterator, Mapping

from policy_drift.domain.account import Account, Document

_UNIQUE_ID = re.compile(r"A(IDA|ROA)[A-Z0-9]{12,}")


def gone(trust: Document, live: Account) -> list[str]:
    """Users and roles of the account that a trust policy names and that are not there: IAM refuses such a policy."""
    ours = re.compile(rf"arn:[^:]+:iam::{re.escape(live.id)}:(user|role)/(?:.*/)?([^/]+)")
    names = {"user": live.users, "role": live.roles}
    found = []
    for text in _texts(trust):
        named = ours.fullmatch(text)
        if _UNIQUE_ID.fullmatch(text) or (named and named[2] not in names[named[1]]):
            found.append(text)
    return found


def _texts(value: object) -> Iterator[str]:
    """Every text in a JSON value; ARNs of users and roles mean the same wherever they stand."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)
