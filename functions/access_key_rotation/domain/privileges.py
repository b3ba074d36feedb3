"""Whether a user could gain privileges with its key: the escalation paths open to it, or to what it can become.

A key in a secret belongs to everyone who reads the secret. So a user with an open path gets none, and neither does a
user that can assume a role with one. What is not known counts as open.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from iam_policy.access import PolicyDocument, stored_access
from iam_policy.errors import PolicyDocumentError
from iam_policy.escalation import Caller, CallerKind, Escalation, Removal, Role, escalations

ASSUME_ROLE = ["sts:AssumeRole"]
_NOBODY: PolicyDocument = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"},
}


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, group or role with its policies as IAM returned them."""

    arn: str
    unique_id: str
    inline: tuple[PolicyDocument, ...] = ()
    attached: tuple[str, ...] = ()
    """ARNs of its managed policies."""
    boundary: str | None = None
    """ARN of its permissions boundary."""
    groups: tuple[str, ...] = ()
    """Names of the groups that a user is in."""
    trust: PolicyDocument = field(default_factory=lambda: _NOBODY)
    """A role's trust policy."""


@dataclass(frozen=True, slots=True)
class Account:
    """The principals of the account and the default versions of its managed policies, as of one moment."""

    users: Mapping[str, Principal]
    """By unique id."""
    groups: Mapping[str, Principal]
    """By name."""
    roles: Mapping[str, Principal]
    """By ARN."""
    policies: Mapping[str, PolicyDocument]
    """By ARN."""


def escalation_of(account: Account, user_id: str) -> str:
    """The first way to more privileges that a user has, in words; empty if it has none.

    Parameters
    ----------
    user_id
        The user's unique id.
    """
    user = account.users.get(user_id)
    if user is None:
        return "its policies are not listed"
    try:
        return _Search(account).first(user, CallerKind.USER)
    except PolicyDocumentError as error:
        return f"a policy cannot be read: {error}"
    except KeyError as error:
        return f"the policy or group {error.args[0]} is not listed"


class _Search:
    """One search. A role that is searched already is not searched again, so that roles may trust each other."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._seen: dict[str, str] = {}

    def first(self, principal: Principal, kind: CallerKind) -> str:
        self._seen[principal.arn] = ""
        self._seen[principal.arn] = self._own(principal, kind) or self._of_trusting_roles(principal)
        return self._seen[principal.arn]

    def _own(self, principal: Principal, kind: CallerKind) -> str:
        found = escalations(self._caller(principal, kind, only_escalating=False))
        if found and all(_assumes_a_role(escalation) for escalation in found):
            found = escalations(self._caller(principal, kind, only_escalating=True))
        return str(found[0]) if found else ""

    def _of_trusting_roles(self, principal: Principal) -> str:
        """Search the roles that a principal can assume without a permission, because their trust policies name it.

        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
        """
        for role in self._account.roles.values():
            trust = json.dumps(role.trust)
            is_named = f'"{principal.arn}"' in trust or f'"{principal.unique_id}"' in trust
            if is_named and (opened := self._of_role(role)):
                return f"it can assume {role.arn}: {opened}"
        return ""

    def _of_role(self, role: Principal) -> str:
        return self._seen[role.arn] if role.arn in self._seen else self.first(role, CallerKind.ROLE)

    def _caller(self, principal: Principal, kind: CallerKind, *, only_escalating: bool) -> Caller:
        """With ``only_escalating``, a role that has no path itself counts as one that trusts no principal."""
        groups = [self._account.groups[name] for name in principal.groups]
        attached = [*principal.attached, *(arn for group in groups for arn in group.attached)]

        def role_of(arn: str) -> Role | None:
            role = self._account.roles.get(arn)
            if role is None:
                return None
            is_harmless = only_escalating and not self._of_role(role)
            return Role(_NOBODY if is_harmless else role.trust, frozenset(role.attached))

        inline, documents = list(principal.inline), self._documents(principal.attached)
        shared = [document for group in groups for document in (*group.inline, *self._documents(group.attached))]
        boundary = self._account.policies[principal.boundary] if principal.boundary else None
        return Caller(
            kind,
            principal.arn,
            stored_access([*inline, *documents], shared, boundary),
            frozenset(group.arn for group in groups),
            frozenset(attached),
            principal.unique_id,
            role_of,
            removals=tuple(self._removals(principal, kind, groups)),
        )

    def _removals(self, principal: Principal, kind: CallerKind, groups: list[Principal]) -> Iterator[Removal]:
        """What holds a principal back, and what it may do without: Deny statements, of groups too, and the boundary."""
        inline, attached = list(principal.inline), self._documents(principal.attached)
        shared = [[*group.inline, *self._documents(group.attached)] for group in groups]
        boundary = self._account.policies[principal.boundary] if principal.boundary else None
        of_groups = [document for documents in shared for document in documents]
        name = kind.capitalize()
        for verb, documents in (("Delete", inline), ("Detach", attached)):
            for document in filter(_denies, documents):
                left = [other for other in (*inline, *attached) if other is not document]
                access = stored_access(left, of_groups, boundary)
                yield Removal(f"iam:{verb}{name}Policy", principal.arn, access)
        for group, documents in zip(groups, shared, strict=True):
            if any(map(_denies, documents)):
                others = [document for other in shared if other is not documents for document in other]
                access = stored_access([*inline, *attached], others, boundary)
                yield Removal("iam:RemoveUserFromGroup", group.arn, access)
        if boundary is not None:
            free = stored_access([*inline, *attached], of_groups, None)
            for verb in ("Delete", "Put"):
                yield Removal(f"iam:{verb}{name}PermissionsBoundary", principal.arn, free)

    def _documents(self, arns: tuple[str, ...]) -> list[PolicyDocument]:
        return [self._account.policies[arn] for arn in arns]


def _denies(document: PolicyDocument) -> bool:
    return any(not statement.allows for statement in stored_access([document], [], None).layers[0])


def _assumes_a_role(escalation: Escalation) -> bool:
    return [step.action for step in escalation.path.steps] == ASSUME_ROLE
