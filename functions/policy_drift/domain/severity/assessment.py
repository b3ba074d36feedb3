"""How bad a difference is, from what became newly possible."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from iam_policy import Access, Comparison, Verdict, effective_access, may_allow
from iam_policy.escalation import Caller, Category, Escalation, escalations
from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import Document
from policy_drift.domain.severity.trust_openings import openings
from steward.severities import DriftSeverities
from steward.severity import Severity, SeverityName

_ALL_OF_IAM = effective_access(
    [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}}]
)

_ANY_ACTION_OF_IAM = "iam:NoActionThatExists"

#: Alerts name so many paths; the rest is counted.
_MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class Assessment:
    """A severity, and why, the worst first."""

    severity: Severity
    reasons: tuple[str, ...] = ()

    @classmethod
    def of(cls, severity: SeverityName, *reasons: str) -> Self:
        """The severity of this name, for these reasons."""
        return cls(Severity[severity], reasons)

    def also(self, other: "Assessment") -> "Assessment":
        """Both: the reasons of the worse one come first."""
        first, second = (other, self) if other.severity > self.severity else (self, other)
        return Assessment(first.severity, tuple(dict.fromkeys((*first.reasons, *second.reasons))))


def of_verdict(verdict: Verdict, severities: DriftSeverities) -> Assessment:
    """What a difference amounts to where nothing else is known of it."""
    if verdict in MAY_BE_MORE:
        undecided = ("what became possible could not be decided",) if verdict is Verdict.UNKNOWN else ()
        return Assessment.of(severities.more_access, *undecided)
    return Assessment.of(severities.less_access if verdict is Verdict.NARROWED else severities.same_access)


def worst(assessments: Iterable[Assessment]) -> Assessment:
    """All of them together; INFO when there are none."""
    together = Assessment(Severity.INFO)
    for assessment in assessments:
        together = together.also(assessment)
    return together


def of_access(
    comparison: Comparison, before: Caller | None, now: Caller, severities: DriftSeverities, questions: Questions
) -> Assessment:
    """What a change of access amounts to: an administrator, ways to become one, or merely more.

    Parameters
    ----------
    comparison : Comparison
        Of the access before and now.
    before, now : Caller
        The principal that has it; ``before`` is None if it had none.
    severities : DriftSeverities
        How severe each is.
    questions : Questions
        How much work to do. A path that it does not decide counts neither as open nor as closed.
    """
    assessment = of_verdict(comparison.verdict, severities)
    if comparison.verdict not in MAY_BE_MORE:
        return assessment
    if is_administrator(now.access, questions) and not (before and is_administrator(before.access, questions)):
        return Assessment.of(severities.administrator, "it is now an administrator").also(assessment)
    found = questions.decided(escalations(now))
    if found and before:
        open_before = {str(escalation) for escalation in questions.decided(escalations(before))}
        found = tuple(escalation for escalation in found if str(escalation) not in open_before)
    if not found:
        return assessment
    reasons = [str(escalation) for escalation in found[:_MOST_REASONS]]
    if len(found) > _MOST_REASONS:
        reasons.append(f"{len(found) - _MOST_REASONS} more escalation paths are open")
    severest = max(severity_of(escalation, severities) for escalation in found)
    return Assessment(severest, tuple(reasons)).also(assessment)


def severity_of(escalation: Escalation, severities: DriftSeverities) -> Severity:
    """A path that makes its caller an administrator; the others need a target that is worth it."""
    to_administrator = escalation.category is Category.SELF_ESCALATION
    return Severity[severities.escalation_to_administrator if to_administrator else severities.other_escalation]


def of_boundary(verdict: Verdict, severities: DriftSeverities, *, removed: bool) -> Assessment:
    """What a change of a permissions boundary amounts to."""
    if verdict not in MAY_BE_MORE:
        return of_verdict(verdict, severities)
    reason = "the permissions boundary was removed" if removed else "the permissions boundary is wider"
    return Assessment.of(severities.wider_boundary, reason)


def of_trust(
    before: Document | None,
    now: Document,
    own_account: str,
    severities: DriftSeverities,
    questions: Questions,
    verdict: Verdict = Verdict.BROADENED,
) -> Assessment:
    """What a change of who may assume a role amounts to; ``before`` is None for a role that was not approved.

    Raises
    ------
    PolicyDocumentError
        A document is malformed.
    """
    if verdict not in MAY_BE_MORE:
        return of_verdict(verdict, severities)
    opened = openings(before, now, own_account, severities, questions)
    found = [Assessment.of(severity, reason) for severity, reason in opened]
    return worst([*found, of_verdict(verdict, severities)])


def of_worth(role: Caller, severities: DriftSeverities, questions: Questions) -> Assessment:
    """What it amounts to that more may assume a role, from what the role may do."""
    if is_administrator(role.access, questions):
        return Assessment.of(severities.trusted_administrator, "the role is an administrator")
    worst_first = questions.decided(escalations(role))
    if not worst_first:
        return Assessment(Severity.INFO)
    path = worst_first[0].path
    return Assessment.of(severities.trusted_escalation, f"the role has escalation path {path.id}: {path.title}")


def is_administrator(access: Access, questions: Questions) -> bool:
    """Whether the access covers all of IAM, so that its holder can give itself everything else."""
    if not may_allow(access, _ANY_ACTION_OF_IAM):
        return False
    within_iam = Access((*access.layers, *_ALL_OF_IAM.layers))
    return questions.compare(_ALL_OF_IAM, within_iam).verdict is Verdict.EQUIVALENT
