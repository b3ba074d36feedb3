"""What a change of IAM is made of: calls of the AWS CLI, and what must be told of them.

A change is plain data, so that it can be played on any IAM: by the AWS CLI on a deployed stack, by boto3 elsewhere.
Each has users, groups, roles and policies of its own, so that all of them can be under way at once.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ACCOUNT = "123456789012"
_NAMES = ("UserName", "GroupName", "RoleName", "NewUserName", "NewGroupName")
_MAKES_POLICY = "create-policy"
_MAKES_SERVICE_ROLE = "create-service-linked-role"

type Document = dict[str, Any]
type Who = Literal["insider", "outsider"]
"""The insider administers IAM; the outsider may do nothing, and tries."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of ``aws iam``.

    Attributes
    ----------
    operation : str
        As the CLI spells it, such as ``attach-role-policy``.
    parameters : mapping
        As the API spells them. ``<user/NAME>`` in a text stands for the unique id of that user, ``<role/NAME>`` of that
        role: whoever plays the call puts it in.
    by : Who
        Who makes it.
    """

    operation: str
    parameters: Mapping[str, str]
    by: Who = "insider"

    @property
    def method(self) -> str:
        """The name of the operation in boto3."""
        return self.operation.replace("-", "_")

    @property
    def entities(self) -> frozenset[str]:
        """The users, groups and roles that it names, and the policy that it makes, as ``<kind>/<name>``."""
        named = {
            f"{name.removeprefix('New').removesuffix('Name').lower()}/{self.parameters[name]}"
            for name in _NAMES
            if name in self.parameters
        }
        if self.operation == _MAKES_POLICY:
            named.add(f"policy/{self.parameters['PolicyName']}")
        if self.operation == _MAKES_SERVICE_ROLE:
            service = self.parameters["AWSServiceName"].partition(".")[0]
            named.add(f"role/AWSServiceRoleFor{service.capitalize()}")
        return frozenset(named)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An operator answers for a finding in the form in which it was told."""

    finding: str


@dataclass(frozen=True, slots=True)
class Told:
    """What must be told: which finding, how bad, and what live is to the baseline.

    ``action`` is that of the request that proves it; empty where none can.
    """

    finding: str
    severity: str
    verdict: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done in one go, and everything that must be told of it; nothing else may be."""

    calls: tuple[Call | Acknowledged, ...]
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A change of IAM from beginning to end.

    Attributes
    ----------
    name : str
        In words; what is made for it has names that begin with ``slug``.
    given : tuple of Call
        What makes the state that is approved.
    steps : tuple of Step
        What is done.
    undo : tuple of Call
        What leads back to what was approved: the alerts are over then, by ``reverted``.
    adopted : tuple of str
        Findings that no call can take back, and that are adopted instead.
    lasting : frozenset of str
        Findings that stay: what was used and taken back is not undone by anything.
    """

    name: str
    given: tuple[Call, ...]
    steps: tuple[Step, ...]
    undo: tuple[Call, ...] = ()
    adopted: tuple[str, ...] = ()
    lasting: frozenset[str] = field(default_factory=frozenset)

    @property
    def entities(self) -> frozenset[str]:
        """Everything that its calls name."""
        calls = (*self.given, *self.undo, *(call for step in self.steps for call in step.calls))
        return frozenset[str]().union(*(call.entities for call in calls if isinstance(call, Call)))

    @property
    def reverted(self) -> frozenset[str]:
        """The findings that are over when it is undone."""
        told = {one.finding for step in self.steps for one in step.told}
        return frozenset(told - set(self.adopted) - self.lasting)


def call(operation: str, *, by: Who = "insider", **parameters: str | Document | list[Any]) -> Call:
    """A call; documents and lists are written as JSON."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
    return Call(operation, texts, by)


def told(  # noqa: D103 - as Told
    kind: str, entity: str, severity: str, verdict: str, action: str = ""
) -> Told:
    return Told(finding(kind, entity), severity, verdict, action)


def finding(kind: str, entity: str) -> str:
    """The id of a finding about ``<kind>/<name>``."""
    return f"{kind}:{entity.replace('/', ':', 1)}"


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
    """Make a role that EC2 may assume, or whoever ``who`` says."""
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
