"""Small accounts to compare."""

from collections.abc import Iterable
from typing import Any

from policy_drift.domain.account import Account, Document, Group, ManagedPolicy, Role, User

ID = "111122223333"
FOREIGN = "999988887777"
EC2 = {"Service": "ec2.amazonaws.com"}


def allow(*actions: str, on: Any = "*", effect: str = "Allow", condition: Any = None) -> Document:
    """A policy of one statement."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": on}
    extra = {} if condition is None else {"Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement | extra]}


def deny(*actions: str) -> Document:
    """A policy that denies."""
    return allow(*actions, effect="Deny")


def trusting(principal: Any, condition: Any = None) -> Document:
    """A trust policy of one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    extra = {} if condition is None else {"Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement | extra]}


def policy(name: str, document: Document, *, owner: str = ID, version: str = "v1") -> ManagedPolicy:
    """A managed policy."""
    return ManagedPolicy(f"arn:aws:iam::{owner}:policy/{name}", f"ANPA{name.upper()}", version, document)


def role(name: str = "app", *policies: Document, attached: Iterable[ManagedPolicy] = (), **others: Any) -> Role:
    """A role with inline policies."""
    fields = {"path": "/", "unique_id": f"AROA{name.upper()}", "trust": trusting(EC2)} | others
    return Role(name, inline=_named(policies), attached=_arns(attached), **fields)


def user(name: str = "ann", *policies: Document, attached: Iterable[ManagedPolicy] = (), **others: Any) -> User:
    """A user with inline policies."""
    fields = {"path": "/", "unique_id": f"AIDA{name.upper()}"} | others
    return User(name, inline=_named(policies), attached=_arns(attached), **fields)


def group(name: str = "team", *policies: Document, attached: Iterable[ManagedPolicy] = (), **others: Any) -> Group:
    """A group with inline policies."""
    fields = {"path": "/", "unique_id": f"AGPA{name.upper()}"} | others
    return Group(name, inline=_named(policies), attached=_arns(attached), **fields)


def account(*parts: User | Group | Role | ManagedPolicy, **others: Any) -> Account:
    """An account of these."""
    return Account(
        ID,
        {one.name: one for one in parts if isinstance(one, User)},
        {one.name: one for one in parts if isinstance(one, Group)},
        {one.name: one for one in parts if isinstance(one, Role)},
        {one.arn: one for one in parts if isinstance(one, ManagedPolicy)},
        **others,
    )


def _named(policies: Iterable[Document]) -> dict[str, Document]:
    return {f"policy-{number}": document for number, document in enumerate(policies)}


def _arns(policies: Iterable[ManagedPolicy]) -> tuple[str, ...]:
    return tuple(sorted(one.arn for one in policies))
