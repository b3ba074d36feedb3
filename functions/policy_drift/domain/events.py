"""What policy drift tells the world. Golden examples are in ``events/published/``.

Times are ISO 8601 in UTC; severities and verdicts are names. Texts that come from IAM or CloudTrail (entities,
requests, actors) were chosen by others: whoever shows them escapes them. ``arn`` is the entity's, with its path; it is
empty where there is none, or it was not read.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PolicyDriftDetected:
    """Something differs from what was approved.

    ``why`` is ``opened``, ``worse``, ``changed``, ``reopened``, or ``unexpected``: it was reported as expected, and
    somebody else had a hand in it.

    ``request`` is one request that proves it (principal, action, resource, context) and ``request_in_words`` the same
    as a sentence; both empty where none does. ``changes`` are the events behind it (actor, event_name, event_id, at,
    source_ip), and empty where none announced it. ``expected`` says that the settings expect all of these actors.
    ``revert`` are AWS CLI commands that revert it, or a comment (``#``) that says where they are; ``approve`` is how to
    accept it instead.
    """

    finding_id: str
    entity: str
    kind: str
    severity: str
    verdict: str
    summary: str
    why: str
    fingerprint: str
    first_seen: str
    reasons: list[str] = field(default_factory=list)
    request: dict[str, Any] = field(default_factory=dict)
    request_in_words: str = ""
    changes: list[dict[str, str]] = field(default_factory=list)
    expected: bool = False
    revert: list[str] = field(default_factory=list)
    approve: str = ""
    arn: str = ""


@dataclass(frozen=True, slots=True)
class PolicyDriftResolved:
    """It is resolved, and ``how`` says by what.

    ``reverted``: live is as approved again. ``adopted``: the baseline approves it now. ``renamed``: the entity has
    another name, under which what differs is reported. ``out_of_scope``: the settings exclude it now, and whether it
    still differs is not known.
    """

    finding_id: str
    entity: str
    kind: str
    severity: str
    summary: str
    how: str
    first_seen: str
    resolved_at: str
    arn: str = ""


@dataclass(frozen=True, slots=True)
class PolicyDriftAcknowledged:
    """Somebody answers for it until a day."""

    finding_id: str
    entity: str
    kind: str
    severity: str
    by: str
    owner: str
    reason: str
    expires: str
    arn: str = ""


@dataclass(frozen=True, slots=True)
class DriftScanCompleted:
    """The account was compared. ``open_findings`` counts by severity; ``report`` is the key of the report's HTML."""

    scan_id: str
    baseline_version: str
    baseline_reviewed: bool
    entities: dict[str, int]
    aws_calls: int
    seconds: float
    unreadable: list[str]
    open_findings: dict[str, int]
    report: str


@dataclass(frozen=True, slots=True)
class DriftScanFailed:
    """A scan did not come to its end: of what it did not reach, nothing is known.

    What it had recorded before stands, and is reported by events of its own. The next scan compares everything again.
    """

    scan_id: str
    reason: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class BaselineChanged:
    """The approved state is another one. ``how`` is ``captured``, ``uploaded`` or ``adopted``.

    ``severity`` is that of what it approves in addition, CRITICAL where nobody can say what that is; ``findings`` are
    the ids that an adoption took over.
    """

    version: str
    previous_version: str
    how: str
    by: str
    severity: str
    summary: str
    newly_approved: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BaselineRefused:
    """An upload cannot be used; the last good version stays in force. ``line`` is 0 where no line is to blame.

    ``version_in_force`` is empty where the last good version is lost: then nothing is compared.
    """

    version: str
    version_in_force: str
    by: str
    reason: str
    line: int = 0
