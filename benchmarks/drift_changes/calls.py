"""The words in which changes are written: documents, and calls of ``aws iam``."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from benchmarks.drift_changes.change import ACCOUNT, Call, Document, Who


def call(operation: str, *, by: Who = "insider", **parameters: str | Document | list[Any]) -> Call:
    """A call; documents and lists are written as JSON."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return Call(operation, texts, by)


def made_by(who: Who, *calls: Call) -> tuple[Call, ...]:
    """The same calls, made by another user."""
    return tuple(replace(one, by=who) for one in calls)


def document(*statements: Mapping[str, Any]) -> Document:
    """A policy document of the present language."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(*actions: str, on: str | list[str] = "*", **more: Any) -> Document:
    """A statement that allows; ``Condition``, ``Sid`` and so on stand as they are."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: str | list[str] = "*", **more: Any) -> Document:
    """A statement that denies."""
    return allow(*actions, on=on, **more) | {"Effect": "Deny"}


def trust(principal: Mapping[str, Any] | str, **more: Any) -> Document:
    """A trust policy of one statement."""
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def policy_arn(name: str) -> str:
    """The ARN of a customer's policy of the account."""
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def role(name: str, who: Document | None = None, **inline: Document) -> tuple[Call, ...]:
    """Make a role that EC2 may assume, or the principal ``who``."""
    assumed_by = who or trust({"Service": "ec2.amazonaws.com"})
    made = call("create-role", RoleName=name, AssumeRolePolicyDocument=assumed_by)
    return (made, *_inline("role", name, inline))


def user(name: str, **inline: Document) -> tuple[Call, ...]:
    """Make a user."""
    return (call("create-user", UserName=name), *_inline("user", name, inline))


def group(name: str, *members: str, **inline: Document) -> tuple[Call, ...]:
    """Make a group with these users, who exist."""
    joined = (call("add-user-to-group", GroupName=name, UserName=member) for member in members)
    return (call("create-group", GroupName=name), *_inline("group", name, inline), *joined)


def policy(name: str, said: Document) -> tuple[Call, ...]:
    """Make a customer's managed policy."""
    return (call("create-policy", PolicyName=name, PolicyDocument=said),)


def put(kind: str, name: str, said: Document, *, inline: str = "rights") -> Call:
    """Write an inline policy."""
    owner: dict[str, Any] = {f"{kind.title()}Name": name}
    return call(f"put-{kind}-policy", **owner, PolicyName=inline, PolicyDocument=said)


def take(kind: str, name: str, *, inline: str = "rights") -> Call:
    """Delete an inline policy."""
    owner: dict[str, Any] = {f"{kind.title()}Name": name}
    return call(f"delete-{kind}-policy", **owner, PolicyName=inline)


def attach(kind: str, name: str, arn: str) -> Call:
    """Attach a managed policy."""
    owner: dict[str, Any] = {f"{kind.title()}Name": name}
    return call(f"attach-{kind}-policy", **owner, PolicyArn=arn)


def detach(kind: str, name: str, arn: str) -> Call:
    """Detach a managed policy."""
    owner: dict[str, Any] = {f"{kind.title()}Name": name}
    return call(f"detach-{kind}-policy", **owner, PolicyArn=arn)


def new_version(arn: str, said: Document) -> Call:
    """Make another version of a policy the default."""
    return call("create-policy-version", PolicyArn=arn, PolicyDocument=said, SetAsDefault="true")


def set_default(arn: str, version: str) -> Call:
    """Make an existing version of a policy the default."""
    return call("set-default-policy-version", PolicyArn=arn, VersionId=version)


def _inline(kind: str, name: str, documents: Mapping[str, Document]) -> Iterable[Call]:
    return (put(kind, name, said, inline=inline) for inline, said in documents.items())
