"""IAM as a template describes it: its users, groups, roles and policies, and the resource policies beside them.

An entity is called by its literal name, or else by its logical id. A policy that is nobody's in the template, and a
policy of another resource (a bucket, a queue, a key), is judged as a role of its own would be.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecr_steward.gate.documents import STATEMENTS, documents, statement_of
from ecr_steward.gate.intrinsics import NOTHING, Case, Resolver, canonical, cases, conditions_used
from ecr_steward.gate.opaque import OWN_ACCOUNT, is_opaque, opaque_statement, token
from ecr_steward.gate.side import Draft, Place, Side, as_document, as_policy_arn
from ecr_steward.gate.templates import Template
from policy_drift.domain.account import EntityId, EntityKind

_PRINCIPALS = {
    "AWS::IAM::User": (EntityKind.USER, "UserName"),
    "AWS::IAM::Group": (EntityKind.GROUP, "GroupName"),
    "AWS::IAM::Role": (EntityKind.ROLE, "RoleName"),
}
_OF_ONE = {
    "AWS::IAM::UserPolicy": (EntityKind.USER, "UserName"),
    "AWS::IAM::GroupPolicy": (EntityKind.GROUP, "GroupName"),
    "AWS::IAM::RolePolicy": (EntityKind.ROLE, "RoleName"),
}
_HOLDERS = (("Users", EntityKind.USER), ("Groups", EntityKind.GROUP), ("Roles", EntityKind.ROLE))
_MANAGED = "AWS::IAM::ManagedPolicy"
_DIGEST = re.compile(r"[0-9a-f]{10}$")
_DOCUMENTS = (
    *("PolicyDocument", "KeyPolicy", "ResourcePolicy", "RepositoryPolicyText", "FileSystemPolicy", "Policy"),
    *("AccessPolicies", "AccessPolicy", "PermissionsPolicyDocument", "PolicyText", "NamespaceResourcePolicy"),
)
"""What the properties are called that hold the policy of a resource outside of IAM, which may be opaque as a whole."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a change in one case of the templates' conditions."""

    base: Side
    head: Side
    when: Case


def sides(base: Template, head: Template) -> Iterator[Sides]:
    """Both templates in every case of their conditions; one of them may be empty."""
    changed = changed_definitions(base.body, head.body)
    used = set[str]()
    for template in (base, head):
        for resource in template.resources.values():
            if isinstance(resource, Mapping) and _has_policies(resource):
                used |= conditions_used(resource)
    otherwise = _exist_otherwise(base, head)
    used |= {one for template in (base, head) for name in otherwise if (one := _condition_of(template, name))}
    for case in cases((base.body, head.body), sorted(used - changed)):
        unlike = changed if case is not None else _with_conditions(changed, base.body, head.body)
        perhaps = {name for name in head.resources if _condition_of(head, name) in unlike}
        if case is None:
            perhaps |= otherwise
        yield Sides(
            _Reading(base, case, (), perhaps, is_base=True).side(),
            _Reading(head, case, unlike, perhaps).side(),
            case or {},
        )


def changed_definitions(base: Mapping[str, Any], head: Mapping[str, Any]) -> frozenset[str]:
    """Parameters and mappings that differ, and the conditions that rest on such.

    A condition that is merely written otherwise is none of them: each case says what it is on either side.
    """
    changed: set[str] = set()
    for section in ("Parameters", "Mappings"):
        before, now = base.get(section) or {}, head.get(section) or {}
        for name in before.keys() & now.keys():
            one, other = before[name], now[name]
            if section == "Parameters":  # a description or a constraint decides no value
                one, other = (part.get("Default") if isinstance(part, Mapping) else part for part in (one, other))
            if one != other:
                changed.add(name)
    return _with_what_rests_on_them(changed, base, head)


def _with_conditions(changed: Collection[str], base: Mapping[str, Any], head: Mapping[str, Any]) -> frozenset[str]:
    """The same with the conditions that either side defines otherwise, where no case says what these are."""
    before, now = (_conditions(body) for body in (base, head))
    unlike = {name for name in before.keys() | now.keys() if canonical(before.get(name)) != canonical(now.get(name))}
    return _with_what_rests_on_them({*changed, *unlike}, base, head)


def _with_what_rests_on_them(changed: set[str], *bodies: Mapping[str, Any]) -> frozenset[str]:
    found = True
    while found:
        found = False
        for body in bodies:
            for name, expression in _conditions(body).items():
                if name not in changed and any(f'"{one}"' in json.dumps(expression, default=str) for one in changed):
                    changed.add(name)
                    found = True
    return frozenset(changed)


def _conditions(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get("Conditions")
    return found if isinstance(found, Mapping) else {}


def _has_policies(resource: Mapping[str, Any]) -> bool:
    kind, properties = str(resource.get("Type")), resource.get("Properties")
    is_given = isinstance(properties, Mapping) and (properties.keys() & {*_DOCUMENTS} or any(documents(properties)))
    return kind.startswith("AWS::IAM::") or kind in STATEMENTS or bool(is_given)


def _exist_otherwise(base: Template, head: Template) -> set[str]:
    """The resources that exist on one side alone, or under other conditions there."""
    same_conditions = base.body.get("Conditions") == head.body.get("Conditions")
    names = base.resources.keys() | head.resources.keys()
    pairs = ((name, _condition_of(base, name), _condition_of(head, name)) for name in names)
    return {name for name, one, other in pairs if one != other or (one and not same_conditions)}


def _condition_of(template: Template, name: str) -> str:
    resource = template.resources.get(name)
    condition = resource.get("Condition") if isinstance(resource, Mapping) else None
    return condition if isinstance(condition, str) else ""


class _Reading:
    """One template in one case.

    Of the resources in ``perhaps``, it is not known whether they exist, and where: the base has what they deny, and
    the other side what is not known.
    """

    def __init__(
        self,
        template: Template,
        case: Case | None,
        changed: Collection[str],
        perhaps: Collection[str],
        *,
        is_base: bool = False,
    ) -> None:
        self._is_base = is_base
        self._template = template
        self._draft = Draft(OWN_ACCOUNT)
        self._resources: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._resolver = Resolver(template.body, self._names, case, changed)
        self._perhaps = perhaps
        for logical_id, resource in template.resources.items():
            if not isinstance(resource, Mapping) or self._resolver.is_true(str(resource.get("Condition"))) is False:
                continue
            properties = resource.get("Properties")
            self._resources[logical_id] = (
                str(resource.get("Type")),
                properties if isinstance(properties, Mapping) else {},
            )
        self._entities: dict[str, EntityId] = {}

    def side(self) -> Side:
        for logical_id, (kind, properties) in self._resources.items():
            if kind in _PRINCIPALS:
                self._name(logical_id, *_PRINCIPALS[kind], properties)
            elif kind == _MANAGED:
                name = self._literal(properties.get("ManagedPolicyName")) or logical_id
                path = self._literal(properties.get("Path")) or "/"
                arn = f"arn:aws:iam::{OWN_ACCOUNT}:policy{path}{name}"
                if any(arn == taken for _, taken in self._names.values()):
                    arn = f"arn:aws:iam::{OWN_ACCOUNT}:policy{path}{logical_id}"
                self._names[logical_id] = (arn, arn)
        for logical_id, (kind, properties) in self._resources.items():
            if kind in _PRINCIPALS:
                self._principal(logical_id, properties)
        for logical_id, (kind, properties) in self._resources.items():
            self._policies(logical_id, kind, properties)
        return self._draft.side()

    def _place(self, logical_id: str, label: str = "") -> Place:
        return Place(self._template.line_of(logical_id), label)

    def _existence(self, logical_id: str) -> str:
        """A token for what a resource gives: its condition rests on values that the other side has otherwise."""
        return token(f"{logical_id}.exists,changed")

    def _literal(self, value: Any) -> str:
        """A name that the template says; empty where it says none."""
        name = self._resolver.resolve(value)
        return name if isinstance(name, str) and not is_opaque(name) else ""

    def _name(self, logical_id: str, kind: EntityKind, key: str, properties: Mapping[str, Any]) -> None:
        name = self._literal(properties.get(key)) or logical_id
        if EntityId(f"{kind}/{name}") in self._draft.entities:
            name = logical_id
        path = self._literal(properties.get("Path")) or "/"
        self._entities[logical_id] = self._draft.entity(kind, name)
        self._names[logical_id] = (name, f"arn:aws:iam::{OWN_ACCOUNT}:{kind}{path}{name}")

    def _principal(self, logical_id: str, properties: Mapping[str, Any]) -> None:
        entity = self._entities[logical_id]
        parts: dict[str, Any] = {"path": self._literal(properties.get("Path")) or "/", "unique_id": logical_id}
        resolved = {key: self._resolver.resolve(value) for key, value in properties.items()}
        boundary = resolved.get("PermissionsBoundary")
        if isinstance(boundary, str):
            parts["boundary"] = as_policy_arn(boundary, OWN_ACCOUNT)
        if entity.kind is EntityKind.ROLE:
            parts["trust"] = as_document(resolved.get("AssumeRolePolicyDocument", {"Statement": []}))
        self._draft.describe(entity, self._place(logical_id), **parts)
        if logical_id in self._perhaps:
            if not self._is_base:
                self._draft.give(entity, "Condition", self._existence(logical_id))
            return
        for number, policy in enumerate(_list(resolved.get("Policies"))):
            if isinstance(policy, Mapping):
                self._draft.give(entity, str(policy.get("PolicyName", number)), policy.get("PolicyDocument"))
            elif policy is not NOTHING:
                self._draft.give(entity, str(number), policy)
        for arn in _list(resolved.get("ManagedPolicyArns")):
            self._draft.attach(entity, self._resolver.text(arn))
        for group in _list(resolved.get("Groups")) if entity.kind is EntityKind.USER else ():
            self._draft.join(entity, self._resolver.text(group))

    def _policies(self, logical_id: str, kind: str, properties: Mapping[str, Any]) -> None:
        if kind in _PRINCIPALS:
            return
        resolved = {key: self._resolver.resolve(value) for key, value in properties.items()}
        perhaps = logical_id in self._perhaps
        if perhaps:
            made = {key: self._perhaps_document(logical_id, resolved[key]) for key in resolved.keys() & {*_DOCUMENTS}}
            if self._is_base and not any(made.values()):
                return
            resolved |= made
        if kind == "AWS::IAM::UserToGroupAddition":
            self._membership(logical_id, resolved, perhaps=perhaps)
        elif kind in _OF_ONE:
            holder, key = _OF_ONE[kind]
            self._draft.give(self._holder(holder, resolved.get(key)), logical_id, resolved.get("PolicyDocument"))
        elif kind in ("AWS::IAM::Policy", _MANAGED):
            self._shared_policy(logical_id, kind, resolved)
        elif kind in STATEMENTS:
            self._alone(
                logical_id,
                _label(kind, logical_id),
                trust=self._existence(logical_id) if perhaps else statement_of(resolved),
            )
        elif not kind.startswith("AWS::IAM::"):
            self._resource_policies(logical_id, kind, resolved)

    def _membership(self, logical_id: str, resolved: Mapping[str, Any], *, perhaps: bool) -> None:
        for user in (self._holder(EntityKind.USER, name) for name in _list(resolved.get("Users"))):
            if perhaps:
                self._draft.give(user, logical_id, self._existence(logical_id))
            else:
                self._draft.join(user, self._resolver.text(resolved.get("GroupName")))

    def _perhaps_document(self, logical_id: str, document: Any) -> Any:
        """What a document gives that may be in force on one side alone; None on the base where it denies nothing."""
        said = document.get("Statement") if isinstance(document, Mapping) else None
        denied = [one for one in _list(said) if isinstance(one, Mapping) and one.get("Effect") == "Deny"]
        if self._is_base:
            return {**document, "Statement": denied} if denied else None
        unknown = self._existence(logical_id)
        if not denied:
            return unknown
        perhaps = [{key: one[key] for key in one if key != "NotResource"} | {"Resource": unknown} for one in denied]
        return {**document, "Statement": [*perhaps, opaque_statement(unknown)]}

    def _shared_policy(self, logical_id: str, kind: str, resolved: Mapping[str, Any]) -> None:
        document = resolved.get("PolicyDocument")
        holders = [self._holder(holder, name) for key, holder in _HOLDERS for name in _list(resolved.get(key))]
        if kind == _MANAGED:
            arn = self._names[logical_id][1]
            self._draft.policy(arn, document)
            for holder in holders:
                self._draft.attach(holder, arn)
            attached = {one for described in self._draft.entities.values() for one in described.attached}
            if arn in attached:
                return
        elif holders:
            for holder in holders:
                self._draft.give(holder, logical_id, document)
            return
        self._alone(logical_id, f"policy/{logical_id}", inline=document)

    def _resource_policies(self, logical_id: str, kind: str, properties: Mapping[str, Any]) -> None:
        if kind.startswith("AWS::ApiGateway::"):  # SAM ends their logical ids with a digest of their properties
            logical_id = _DIGEST.sub("", logical_id)
        label = _label(kind, logical_id)
        for key in _DOCUMENTS:
            document = properties.get(key)
            is_text = isinstance(document, str) and not document.lstrip().startswith("{")
            if is_text and is_opaque(document) and (key != "Policy" or kind.endswith(key)):
                self._alone(logical_id, label, trust=document)
        for number, (path, document) in enumerate(documents(properties)):
            self._alone(f"{logical_id}.{path}" if number else logical_id, label, trust=document, at=logical_id)

    def _alone(self, logical_id: str, label: str, *, inline: Any = None, trust: Any = None, at: str = "") -> None:
        """A policy that no principal of the template has."""
        entity = self._draft.entity(EntityKind.ROLE, f"{logical_id}~policy")
        parts = {"unique_id": f"{logical_id}~policy"} | ({"trust": as_document(trust)} if trust else {})
        self._draft.describe(entity, self._place(at or logical_id, label), **parts)
        if inline is not None:
            self._draft.give(entity, logical_id, inline)

    def _holder(self, kind: EntityKind, name: Any) -> EntityId:
        """A principal by name: one of the template, or one that is described elsewhere."""
        text = self._resolver.text(name)
        return self._draft.entity(kind, text or "<unknown>")


def _label(kind: str, logical_id: str) -> str:
    return f"{kind.removeprefix('AWS::')}/{logical_id}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None or value is NOTHING else [value]
