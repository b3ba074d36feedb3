"""Principals that may do what a path takes, in pieces over several policies."""

from iam_policy.escalation import Escalation, Path, PathStep, escalations
from policy_drift.domain.access.effective_policies import effective_policies
from policy_drift.domain.account import Account, Document, Entity
from policy_drift.domain.severity.caller import caller_of
from tests.unit.policy_drift.accounts import account, allow, group, policy, role, user

OWN = policy("own", allow("s3:GetObject"))


def in_pieces(path: Path, *, by_role: bool, **others: object) -> Account:
    """An account whose user ``ann`` or role ``app`` has the steps inline, attached, and by a group or inline again."""
    pieces = [_piece(step) for step in path.steps]
    attached = policy("attached", pieces[1] if len(pieces) > 1 else allow("s3:ListBucket"))
    rest = pieces[2:] or [allow("sqs:SendMessage")]
    if by_role:
        return account(role("app", pieces[0], *rest, attached=[attached, OWN], **others), attached, OWN)
    member = user("ann", pieces[0], attached=[attached, OWN], groups=("team",), **others)
    return account(member, group("team", *rest), attached, OWN)


def found_in(live: Account) -> dict[str, Escalation]:
    """The paths that are open to ann or app, by id."""
    principal: Entity = live.users.get("ann") or live.roles["app"]
    return {one.path.id: one for one in escalations(caller_of(live, principal, effective_policies(live, principal)))}


def _piece(step: PathStep) -> Document:
    return allow(step.action, on=list(step.resources))
