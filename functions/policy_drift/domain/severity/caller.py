"""A principal of an account as the engine's search of escalation paths takes it."""

from iam_policy.escalation import Caller, CallerKind, Role
from policy_drift.domain.access.effective_policies import EffectivePolicies, access, policies_in
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import Account, Entity
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
        questions.answers.possible if questions else {},
    )
