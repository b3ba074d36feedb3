"""A principal of an account as the engine's search of escalation paths takes it."""

from collections.abc import Iterator
from dataclasses import replace

from iam_policy.escalation import Caller, CallerKind, Removal, Role
from policy_drift.domain.access.effective_policies import INLINE, EffectivePolicies, access, policies_in
from policy_drift.domain.access.reading import read
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import Account, Document, Entity
from policy_drift.domain.arns import arn_of


def caller_of(
    account: Account, principal: Entity, held: EffectivePolicies, questions: Questions | None = None
) -> Caller:
    """A user, group or role with the access of what it holds, among the roles of its account.

    Without ``questions``, each question about it has a budget of its own.

    Raises
    ------
    PolicyDocumentError
        A document is malformed.
    """

    def role_of(arn: str) -> Role | None:
        role = account.roles.get(arn.rpartition("/")[2])
        return Role(role.trust, frozenset(role.attached)) if role and arn_of(account, role) == arn else None

    return Caller(
        CallerKind(principal.kind),
        arn_of(account, principal),
        access(held),
        frozenset(arn_of(account, account.groups[name]) for name in held.groups if name in account.groups),
        frozenset(policies_in(held)),
        principal.unique_id,
        role_of,
        questions.budget if questions else None,
        removals=tuple(_removals(account, principal, held)),
        answers=questions.answers.possible if questions else {},
    )


def _removals(account: Account, principal: Entity, held: EffectivePolicies) -> Iterator[Removal]:
    """The guards of a principal, and what it may do without each of them."""
    kind, arn = principal.kind.capitalize(), arn_of(account, principal)
    for name in [name for name, document in held.own.items() if _denies(document)]:
        without = {other: document for other, document in held.own.items() if other != name}
        verb = "Delete" if name.startswith(INLINE) else "Detach"
        yield Removal(f"iam:{verb}{kind}Policy", arn, access(replace(held, own=without)))
    for name, documents in held.groups.items():
        if name in account.groups and any(map(_denies, documents.values())):
            left = {other: group for other, group in held.groups.items() if other != name}
            group = arn_of(account, account.groups[name])
            yield Removal("iam:RemoveUserFromGroup", group, access(replace(held, groups=left)))
            for guard in [guard for guard, document in documents.items() if _denies(document)]:
                rest = {other: document for other, document in documents.items() if other != guard}
                verb = "Delete" if guard.startswith(INLINE) else "Detach"
                unfenced = access(replace(held, groups={**left, name: rest}))
                yield Removal(f"iam:{verb}GroupPolicy", group, unfenced)
    if held.boundary:
        free = access(replace(held, boundary={}))
        for verb in ("Delete", "Put"):
            yield Removal(f"iam:{verb}{kind}PermissionsBoundary", arn, free)


def _denies(document: Document) -> bool:
    return any(not statement.allows for statement in read(document).layers[0])
