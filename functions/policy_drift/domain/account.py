"""IAM of one account at one moment: what the live account has, and what the baseline approves, in the same shape.

Tags, passwords, keys and MFA devices are no part of it: they allow nothing by themselves. Policy documents are kept as
the plain JSON objects that IAM gives, so that the baseline reads well in a diff.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Self

Document = Mapping[str, Any]
"""A policy document, as a JSON object."""


class EntityKind(StrEnum):
    """The kinds of things in IAM that are compared; ``account`` stands for the whole of it."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"
    POLICY = "policy"
    ACCOUNT = "account"


_KINDS = frozenset(EntityKind)


class EntityId(str):
    """An entity's kind and name, such as ``role/deployer``. Names are unique in an account, also across paths.

    A policy of AWS's own is ``policy/aws:AdministratorAccess``, to distinguish it from a customer's of the same name.

    Raises
    ------
    ValueError
        The text is no such id; the message says how to write one.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        kind, slash, name = text.partition("/")
        if kind not in _KINDS or not slash or not name:
            kinds = ", ".join(EntityKind)
            raise ValueError(f"{text!r} is no entity: write <kind>/<name>, such as role/deployer; kinds are {kinds}")
        return super().__new__(cls, text)

    @property
    def kind(self) -> EntityKind:
        """What it is."""
        return EntityKind(self.partition("/")[0])

    @property
    def name(self) -> str:
        """Its name, without the kind."""
        return self.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Entity:
    """What users, groups and roles have alike.

    Attributes
    ----------
    kind : EntityKind
        What it is.
    name, path : str
        As in IAM; the path begins and ends with a slash.
    unique_id : str
        AIDA…, AGPA… or AROA…: another one under the same name is another entity.
    inline : mapping of str to Document
        Inline policies by name.
    attached : tuple of str
        ARNs of the attached managed policies, sorted.
    """

    kind: ClassVar[EntityKind]

    name: str
    path: str
    unique_id: str
    inline: Mapping[str, Document] = field(default_factory=dict)
    attached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group(Entity):
    """A group; who is in it stands at the users."""

    kind: ClassVar[EntityKind] = EntityKind.GROUP


@dataclass(frozen=True, slots=True)
class User(Entity):
    """A user: ``groups`` are names, sorted; ``boundary`` is the ARN of a managed policy, or None."""

    kind: ClassVar[EntityKind] = EntityKind.USER

    groups: tuple[str, ...] = ()
    boundary: str | None = None


@dataclass(frozen=True, slots=True)
class Role(Entity):
    """A role: ``trust`` says who may assume it."""

    kind: ClassVar[EntityKind] = EntityKind.ROLE

    trust: Document = field(default_factory=dict)
    boundary: str | None = None


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A managed policy in its default version; AWS's own have ``aws`` in place of the account in their ARN."""

    arn: str
    unique_id: str
    version: str
    document: Document


@dataclass(frozen=True, slots=True)
class Account:
    """All of it. Users, groups and roles by name, managed policies (all customer's, and AWS's that are used) by ARN.

    ``unreadable`` says, by entity, why it could not be read: nothing may be concluded about those, nor about
    principals that depend on them. ``versions`` are those that managed policies have, by ARN, where IAM listed them; no
    baseline has any. ``beside`` is what a baseline approves beside policies, such as ``access key AKIA…``, by the user,
    role or account that has it: IAM lists none of it with the account.
    """

    id: str
    users: Mapping[str, User] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    policies: Mapping[str, ManagedPolicy] = field(default_factory=dict)
    unreadable: Mapping[EntityId, str] = field(default_factory=dict)
    versions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    beside: Mapping[EntityId, tuple[str, ...]] = field(default_factory=dict)

    def has(self, entity: EntityId) -> bool:
        """Whether it has a user, group, role or managed policy of this name."""
        if entity.kind is EntityKind.POLICY:
            return any(policy_id(arn) == entity for arn in self.policies)
        return entity.name in getattr(self, f"{entity.kind}s")


def policy_id(arn: str) -> EntityId:
    """The entity of a managed policy's ARN.

    Raises
    ------
    ValueError
        The ARN is not one of a managed policy.
    """
    parts = arn.split(":", 5)
    if len(parts) != 6 or not parts[5].startswith("policy/"):  # noqa: PLR2004 - an ARN's parts
        raise ValueError(f"{arn!r} is not the ARN of a managed policy")
    name = parts[5].rsplit("/", 1)[-1]
    return EntityId(f"policy/aws:{name}" if parts[4] == "aws" else f"policy/{name}")
