"""How bad a difference is, from what became newly possible."""

from collections.abc import Iterable
from dataclasses import dataclass

from iam_policy import Access, Comparison, Verdict, compare, effective_access
from iam_policy.escalation import Caller, Category, Escalation, escalations
from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.account import Document
from policy_drift.domain.severity.trust_openings import openings
from steward.severity import Severity

_ALL_OF_IAM = effective_access(
    [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}}]
)

#: Alerts name so many paths; the rest is counted.
_MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class Assessment:
    """A severity, and why, the worst first."""

    severity: Severity
    reasons: tuple[str, ...] = ()

    def also(self, other: "Assessment") -> "Assessment":
        """Both: the reasons of the worse one come first."""
        first, second = (other, self) if other.severity > self.severity else (self, other)
        return Assessment(first.severity, tuple(dict.fromkeys((*first.reasons, *second.reasons))))


def of_verdict(verdict: Verdict) -> Assessment:
    """What a difference amounts to where nothing else is known of it."""
    if verdict in MAY_BE_MORE:
        undecided = ("what became possible could not be decided",) if verdict is Verdict.UNKNOWN else ()
        return Assessment(Severity.MEDIUM, undecided)
    return Assessment(Severity.LOW if verdict is Verdict.NARROWED else Severity.INFO)


def worst(assessments: Iterable[Assessment]) -> Assessment:
    """All of them together; INFO when there are none."""
    together = Assessment(Severity.INFO)
    for assessment in assessments:
        together = together.also(assessment)
    return together


def of_access(comparison: Comparison, before: Caller | None, now: Caller) -> Assessment:
    """What a change of access amounts to: an administrator, ways to become one, or merely more.

    Parameters
    ----------
    comparison : Comparison
        Of the access before and now.
    before, now : Caller
        Who has it; ``before`` is None where nobody had it.
    """
    assessment = of_verdict(comparison.verdict)
    if comparison.verdict not in MAY_BE_MORE:
        return assessment
    if is_administrator(now.access) and not (before and is_administrator(before.access)):
        return Assessment(Severity.CRITICAL, ("it is now an administrator",)).also(assessment)
    found = escalations(now)
    if found and before:
        open_before = {str(escalation) for escalation in escalations(before)}
        found = tuple(escalation for escalation in found if str(escalation) not in open_before)
    if not found:
        return assessment
    reasons = [str(escalation) for escalation in found[:_MOST_REASONS]]
    if len(found) > _MOST_REASONS:
        reasons.append(f"{len(found) - _MOST_REASONS} more escalation paths are open")
    return Assessment(severity_of(found[0]), tuple(reasons)).also(assessment)


def severity_of(escalation: Escalation) -> Severity:
    """A path that makes its caller an administrator; the others need a target that is worth it."""
    return Severity.CRITICAL if escalation.category is Category.SELF_ESCALATION else Severity.HIGH


def of_boundary(verdict: Verdict, *, removed: bool) -> Assessment:
    """What a change of a permissions boundary amounts to."""
    if verdict not in MAY_BE_MORE:
        return of_verdict(verdict)
    reason = "the permissions boundary was removed" if removed else "the permissions boundary is wider"
    return Assessment(Severity.CRITICAL, (reason,))


def of_trust(
    before: Document | None, now: Document, own_account: str, verdict: Verdict = Verdict.BROADENED
) -> Assessment:
    """What a change of who may assume a role amounts to; ``before`` is None for a role that was not approved.

    Raises
    ------
    PolicyDocumentError
        A document is malformed.
    """
    if verdict not in MAY_BE_MORE:
        return of_verdict(verdict)
    found = [Assessment(severity, (reason,)) for severity, reason in openings(before, now, own_account)]
    return worst([*found, of_verdict(verdict)])


def of_worth(role: Caller) -> Assessment:
    """What it amounts to that more may assume a role, from what the role may do."""
    if is_administrator(role.access):
        return Assessment(Severity.HIGH, ("the role is an administrator",))
    worst_first = escalations(role)
    if not worst_first:
        return Assessment(Severity.INFO)
    return Assessment(
        Severity.HIGH, (f"the role has escalation path {worst_first[0].path.id}: {worst_first[0].path.title}",)
    )


def is_administrator(access: Access) -> bool:
    """Whether somebody may do whatever there is in IAM, and so give itself all the rest."""
    within_iam = Access((*access.layers, *_ALL_OF_IAM.layers))
    return compare(_ALL_OF_IAM, within_iam).verdict is Verdict.EQUIVALENT
