"""One side of a change: IAM as one input describes it, and where in the input each part stands."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ecr_steward.gate import managed_policies
from ecr_steward.gate.opaque import fitted, opaque_document, token
from policy_drift.domain.account import Account, Entity, EntityId, EntityKind, Group, ManagedPolicy, Role, User

_KINDS: dict[EntityKind, type[User] | type[Group] | type[Role]] = {
    EntityKind.USER: User,
    EntityKind.GROUP: Group,
    EntityKind.ROLE: Role,
}

_NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}],
}
"""The trust of a role that is described elsewhere, or of a policy that is judged as if a role had it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entity stands, and what it is called there when it is judged as if it were a role."""

    line: int = 1
    label: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """An account with the places of its entities."""

    account: Account
    places: Mapping[EntityId, Place] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A side under way: entities in any order, then what refers to them.

    Attributes
    ----------
    account : str
        Its number, or what stands for it.
    """

    account: str
    entities: dict[EntityId, User | Group | Role] = field(default_factory=dict)
    policies: dict[str, ManagedPolicy] = field(default_factory=dict)
    places: dict[EntityId, Place] = field(default_factory=dict)

    def entity(self, kind: EntityKind, name: str, place: Place = Place()) -> EntityId:
        """An entity of this name, made when there is none."""
        entity = EntityId(f"{kind}/{name}")
        if entity not in self.entities:
            self.entities[entity] = (
                Role(name, "/", "", trust=_NOBODY) if kind is EntityKind.ROLE else _KINDS[kind](name, "/", "")
            )
            self.places[entity] = place
        return entity

    def describe(self, entity: EntityId, place: Place, **parts: Any) -> None:
        """Set parts of an entity, such as its trust."""
        self.entities[entity] = replace(self.entities[entity], **parts)
        self.places[entity] = place

    def give(self, entity: EntityId, name: str, document: Any) -> None:
        """An inline policy, beside another one of the same name if there is one."""
        held = self.entities[entity].inline
        while name in held:
            name += "'"
        self.entities[entity] = replace(self.entities[entity], inline={**held, name: as_document(document)})

    def attach(self, entity: EntityId, arn: str) -> None:
        """A managed policy."""
        held = self.entities[entity].attached
        arn = as_policy_arn(arn, self.account)
        self.entities[entity] = replace(self.entities[entity], attached=tuple(sorted({*held, arn})))

    def join(self, user: EntityId, group: str) -> None:
        """Put a user into a group."""
        self.entity(EntityKind.GROUP, group)
        held = self.entities[user]
        if isinstance(held, User):
            self.entities[user] = replace(held, groups=tuple(sorted({*held.groups, group})))

    def policy(self, arn: str, document: Any) -> None:
        """A managed policy of one's own."""
        self.policies[arn] = ManagedPolicy(arn, arn, "v1", as_document(document))

    def side(self) -> Side:
        """The account; a managed policy that is not known is opaque."""
        for entity, described in list(self.entities.items()):
            if (
                isinstance(described, Group) and not described.unique_id
            ):  # it is described elsewhere: so is what it gives
                self.give(entity, "<elsewhere>", token(f"{entity.name}.policies"))
        held = {arn for entity in self.entities.values() for arn in references(entity)}
        for arn in sorted(held - self.policies.keys()):
            document = managed_policies.document_of(arn)
            self.policies[arn] = ManagedPolicy(arn, arn, "", document or opaque_document(token(arn)))
        named: dict[EntityKind, dict[str, Any]] = {kind: {} for kind in EntityKind}
        for entity, described in self.entities.items():
            named[entity.kind][entity.name] = described
        users, groups, roles = (named[kind] for kind in (EntityKind.USER, EntityKind.GROUP, EntityKind.ROLE))
        policies = {arn: policy for arn, policy in self.policies.items() if arn in held}
        return Side(Account(self.account, users, groups, roles, policies), self.places)


def references(entity: Entity) -> list[str]:
    """The ARNs of the managed policies that an entity has, and of its boundary."""
    boundary = getattr(entity, "boundary", None)
    return [*entity.attached, *([boundary] if boundary else [])]


def as_document(value: Any) -> Any:
    """A policy document that the engine reads; one of which nothing is known stands for itself."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        with suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, Mapping):
        return fitted(value)
    return opaque_document(value if isinstance(value, str) and value.startswith("<") else token(f"Document.{value}"))


def as_policy_arn(text: str, account: str) -> str:
    """The ARN of a managed policy; an opaque text in the form of one."""
    parts = text.split(":", 5)
    if len(parts) == 6 and parts[5].startswith("policy/") and parts[5] != "policy/":  # noqa: PLR2004 - an ARN's parts
        return text
    return f"arn:aws:iam::{account}:policy/{text.replace('/', '.') or '<empty>'}"
