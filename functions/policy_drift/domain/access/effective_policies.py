"""The policies that apply to a principal, and the steps from the approved ones to the live ones, one cause each.

The access of a principal is that of its own policies and those of its groups, within its boundary. It changes when AWS
changes a policy of its own, when a policy of several holders changes, when a group's policies change, when the user
joins or leaves groups, when the boundary changes, and when its own policies do. Each step is reported for its cause
alone, so that nothing is reported twice; together they make up the whole change, so that nothing is left out.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from iam_policy import Access, PolicyDocumentError
from policy_drift.domain.access.reading import Statements, read, same, together
from policy_drift.domain.account import Account, Document, Entity, EntityId, EntityKind, Role, User, policy_id
from policy_drift.domain.arns import is_of_aws
from policy_drift.domain.finding import Kind

Documents = Mapping[str, Document]
"""Policies by where they are: ``inline:<name>`` or the ARN of a managed one."""

INLINE = "inline:"
"""What the place of an inline policy begins with."""


class UnreadError(Exception):
    """Something that the access depends on could not be read. The comparison catches it."""

    def __init__(self, entity: EntityId, reason: str) -> None:
        super().__init__(reason)
        self.entity = entity
        self.reason = reason


@dataclass(frozen=True, slots=True)
class EffectivePolicies:
    """The policies that give a principal access, and the boundary that limits it, AWS's own among them."""

    own: Documents = field(default_factory=dict)
    groups: Mapping[str, Documents] = field(default_factory=dict)
    boundary: Documents = field(default_factory=dict)

    def __iter__(self) -> Iterator[Documents]:
        """Each set of policies."""
        yield self.own
        yield from self.groups.values()
        yield self.boundary


@dataclass(frozen=True, slots=True)
class Step:
    """One cause of a change of access: a policy that is reported by itself, a group, or what is the principal's own."""

    cause: EntityId | Kind
    before: EffectivePolicies
    after: EffectivePolicies


def effective_policies(account: Account, principal: Entity) -> EffectivePolicies:
    """The effective policies of a user, group or role.

    Raises
    ------
    UnreadError
        A policy or a group that it refers to was not read.
    """
    groups = {}
    for name in principal.groups if isinstance(principal, User) else ():
        group = account.groups.get(name)
        entity = EntityId(f"{EntityKind.GROUP}/{name}")
        if group is None or entity in account.unreadable:
            raise UnreadError(entity, account.unreadable.get(entity, "a user is in it, and it was not found"))
        groups[name] = _policies(account, group)
    boundary = principal.boundary if isinstance(principal, User | Role) else None
    return EffectivePolicies(
        _policies(account, principal), groups, {boundary: managed(account, boundary)} if boundary else {}
    )


def managed(account: Account, arn: str) -> Document:
    """The document of a managed policy.

    Raises
    ------
    UnreadError
        It was not read.
    """
    policy = account.policies.get(arn)
    entity = policy_id(arn)
    if policy is None or entity in account.unreadable:
        raise UnreadError(entity, account.unreadable.get(entity, "somebody refers to it, and it was not found"))
    return policy.document


def access(held: EffectivePolicies) -> Access:
    """The effective access.

    Raises
    ------
    PolicyDocumentError
        A document is malformed; see `malformed`.
    """
    identity = [document for documents in (held.own, *held.groups.values()) for document in _read(documents)]
    boundary = _read(held.boundary)
    return together(identity, boundary[0] if boundary else None)


def steps(
    approved: EffectivePolicies, live: EffectivePolicies, shared: Collection[str] = frozenset()
) -> Iterator[Step]:
    """The steps from the approved policies to the live ones, in the order above; none for a different spelling.

    ``shared`` are the ARNs of customers' policies that several have: like AWS's, each is a cause of its own.

    Raises
    ------
    PolicyDocumentError
        A document that changed is malformed; see `malformed`.
    """
    live = _respelled(live, approved)
    now = approved
    for arn in sorted(reported_apart(approved, live, shared), key=lambda arn: (not is_of_aws(arn), arn)):
        current = next((documents[arn] for documents in live if arn in documents), None)
        if current is not None and any(documents.get(arn, current) != current for documents in now):
            after = _with_policy(now, arn, current)
            yield Step(policy_id(arn), now, after)
            now = after
    for name in sorted(now.groups.keys() & live.groups.keys()):
        if now.groups[name] != live.groups[name]:
            after = replace(now, groups={**now.groups, name: live.groups[name]})
            yield Step(EntityId(f"{EntityKind.GROUP}/{name}"), now, after)
            now = after
    for cause, after in (
        (Kind.MEMBERSHIP, replace(now, groups=live.groups)),
        (Kind.BOUNDARY, replace(now, groups=live.groups, boundary=live.boundary)),
        (Kind.ACCESS, live),
    ):
        if after != now:
            yield Step(cause, now, after)
            now = after


def reported_apart(approved: EffectivePolicies, live: EffectivePolicies, shared: Collection[str]) -> set[str]:
    """The managed policies of a principal that are reported by themselves: approved and still there."""
    here = {arn for documents in live for arn in _managed_in(documents)}
    return {
        arn
        for documents in approved
        for arn in _managed_in(documents)
        if arn in here and (is_of_aws(arn) or arn in shared)
    }


def policies_in(held: EffectivePolicies) -> set[str]:
    """ARNs of the managed policies that give access; those that bound it do not count."""
    return {arn for documents in (held.own, *held.groups.values()) for arn in _managed_in(documents)}


def malformed(account: Account, principal: Entity) -> Iterator[tuple[EntityId | None, str]]:
    """The policies of a principal that cannot be read: the policy (None for an inline one), and why."""
    for place, document in _policies(account, principal).items():
        try:
            read(document)
        except PolicyDocumentError as error:
            yield (None, f"{place}: {error}") if place.startswith(INLINE) else (policy_id(place), str(error))


def _policies(account: Account, principal: Entity) -> Documents:
    inline = {f"{INLINE}{name}": document for name, document in principal.inline.items()}
    return inline | {arn: managed(account, arn) for arn in principal.attached}


def _respelled(live: EffectivePolicies, approved: EffectivePolicies) -> EffectivePolicies:
    """Live, with the approved spelling of what is merely spelled otherwise."""
    return EffectivePolicies(
        _respelled_documents(live.own, approved.own),
        {name: _respelled_documents(held, approved.groups.get(name, {})) for name, held in live.groups.items()},
        _respelled_documents(live.boundary, approved.boundary),
    )


def _respelled_documents(live: Documents, approved: Documents) -> Documents:
    return {
        place: approved[place] if place in approved and same(approved[place], document) else document
        for place, document in live.items()
    }


def _managed_in(documents: Documents) -> list[str]:
    return [place for place in documents if not place.startswith(INLINE)]


def _with_policy(held: EffectivePolicies, arn: str, document: Document) -> EffectivePolicies:
    def put_in(documents: Documents) -> Documents:
        return {**documents, arn: document} if arn in documents else documents

    groups = {name: put_in(documents) for name, documents in held.groups.items()}
    return EffectivePolicies(put_in(held.own), groups, put_in(held.boundary))


def _read(documents: Documents) -> list[Statements]:
    return [read(document) for document in documents.values()]
