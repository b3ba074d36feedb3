"""The principals that a trust policy names, and those of them that no longer exist."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy_drift.domain.account import Account, Document, Entity
from policy_drift.domain.arns import arn_of

_UNIQUE_ID = re.compile(r"A(IDA|ROA|GPA|NPA|IPA|KIA)[A-Z0-9]{12,124}", re.ASCII)


def deleted_principals(trust: Document) -> frozenset[str]:
    """The unique ids that a trust policy names: IAM shows one where the user or role that was named is deleted.

    AWS: "AWS JSON policy elements: Principal", on IAM user and role principals.
    """
    return frozenset(value for _, value in principals_of(trust) if _UNIQUE_ID.fullmatch(value))


def with_deleted_as_approved(trust: Document, approved: Document, account: Account) -> Document:
    """The live trust policy, with each deleted principal that the approved one names by ARN under that ARN again.

    A deleted principal cannot return: the other spelling does not change who may assume the role.
    """
    entities = (*account.users.values(), *account.roles.values())
    gone = deleted_principals(trust) - deleted_principals(approved)
    names = {entity.unique_id: arn_of(account, entity) for entity in entities if entity.unique_id in gone}
    return _renamed(trust, names) if names else trust


def principals_of(trust: Document) -> Iterator[tuple[str, str]]:
    """The type and the value of each principal that a trust policy names, ``*`` as one of AWS."""
    for statement in _as_list(trust.get("Statement", [])):
        named = statement.get("Principal", {}) if isinstance(statement, Mapping) else {}
        for kind, values in named.items() if isinstance(named, Mapping) else [("AWS", named)]:
            yield from ((kind, value) for value in _as_list(values) if isinstance(value, str))


def conditions_of(trust: Document) -> Iterator[tuple[str, str]]:
    """The key and each value of every condition in a trust policy."""
    for statement in _as_list(trust.get("Statement", [])):
        conditions = statement.get("Condition", {}) if isinstance(statement, Mapping) else {}
        for tests in conditions.values() if isinstance(conditions, Mapping) else ():
            for key, values in tests.items() if isinstance(tests, Mapping) else ():
                yield from ((key, str(value)) for value in _as_list(values))


def gone(trust: Document, live: Account) -> list[str]:
    """Users and roles of the account that a trust policy names and that are not there: IAM refuses such a policy."""
    deleted = sorted(deleted_principals(trust))
    return [*deleted, *(arn for arn, name, section in _own_principals(trust, live) if name not in section)]


def strangers(trust: Document, approved: Account, live: Account) -> list[str]:
    """Users and roles that a trust policy names by ARN and that were recreated: IAM would take the new one for it."""
    before = {arn: section[name] for arn, name, section in _own_principals(trust, approved) if name in section}
    return [
        arn
        for arn, name, section in _own_principals(trust, live)
        if arn in before and name in section and section[name].unique_id != before[arn].unique_id
    ]


def _own_principals(trust: Document, account: Account) -> Iterator[tuple[str, str, Mapping[str, Entity]]]:
    """The ARN and the name of each user and role of the account that a trust policy names, and where it would be."""
    ours = re.compile(rf"arn:[^:]+:iam::{re.escape(account.id)}:(user|role)/(?:.*/)?([^/]+)")
    sections: Mapping[str, Mapping[str, Entity]] = {"user": account.users, "role": account.roles}
    for kind, value in principals_of(trust):
        if kind == "AWS" and (named := ours.fullmatch(value)):
            yield value, named[2], sections[named[1]]


def _renamed(trust: Document, names: Mapping[str, str]) -> Document:
    def statement_renamed(statement: Any) -> Any:
        named = statement.get("Principal")
        if not isinstance(named, Mapping) or "AWS" not in named:
            return statement
        renamed = [names.get(value, value) for value in _as_list(named["AWS"])]
        return {**statement, "Principal": {**named, "AWS": renamed}}

    return {**trust, "Statement": [statement_renamed(statement) for statement in _as_list(trust["Statement"])]}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
