"""The events that policy drift publishes. Examples are in ``events/published/``.

Times are ISO 8601 in UTC; severities and verdicts are names. Texts that come from IAM or CloudTrail (entities,
requests, actors) are untrusted: anyone who displays them must escape them. ``arn`` is the entity's, with its path; it
is empty if there is none, or it was not read.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PolicyDriftDetected:
    """Something differs from what was approved.

    ``why`` is ``opened``, ``worse``, ``changed``, ``reopened``, or ``unexpected``: an unexpected actor
    was missing from the alert before.

    ``added`` and ``removed`` are all of the access that differs, a group of actions a line, the most dangerous first;
    the last line counts what is left out. ``request`` is one request that proves it (principal, action, resource,
    context) and ``request_in_words`` the same as a sentence; both empty if none does. ``changes`` are the events
    behind it (actor, event_name, event_id, at, source_ip, and ``part``, the part of the entity that the call changed):
    at most 20, first those of actors that the alert before did not name; empty if no event announced it.
    ``expected`` says that the settings expect all of these actors.
    ``revert`` are AWS CLI commands that revert it, or a comment (``#``) that says where they are; ``approve`` is how to
    accept it instead. ``holders`` counts the principals that feel the change of a policy that several have.
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
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    holders: int = 0


@dataclass(frozen=True, slots=True)
class PolicyDriftResolved:
    """It is resolved; ``how`` says why.

    ``reverted``: live is as approved again. ``adopted``: the baseline now approves it. ``renamed``: the entity has
    another name, under which differences are reported. ``merged``: what differs is reported once, by the finding of the
    policy that several have. ``out_of_scope``: the settings now exclude it, and whether it
    still differs is unknown.
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
    """An owner is responsible for it until a date."""

    finding_id: str
    entity: str
    kind: str
    severity: str
    by: str
    owner: str
    reason: str
    expires: str
    arn: str = ""
    session: str = ""
    reference: str = ""


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
    """A scan did not complete: nothing is known of what it did not reach.

    What it had recorded before stands, and is reported by separate events. The next scan compares everything again.
    """

    scan_id: str
    reason: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class BaselineChanged:
    """Another baseline is in force. ``how`` is ``captured``, ``uploaded`` or ``adopted``.

    ``severity`` is that of what it approves in addition, CRITICAL if that is unknown; ``findings`` are
    the ids that an adoption took over. ``approved_access`` is all of the access that it approves in addition, in words,
    an entity and a group of actions a line; the last line counts what is left out.
    """

    version: str
    previous_version: str
    how: str
    by: str
    severity: str
    summary: str
    newly_approved: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    approved_access: list[str] = field(default_factory=list)
    session: str = ""
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class BaselineRefused:
    """An upload is invalid; the last good version stays in force. ``line`` is 0 if no line is to blame.

    ``version_in_force`` is empty if the last good version is lost: then nothing is compared.
    """

    version: str
    version_in_force: str
    by: str
    reason: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class DriftReportRefused:
    """The bucket does not hold the report that the latest scan wrote, so that ``by`` got no link to it.

    ``expected`` and ``found`` are SHA-256 in hexadecimal; ``found`` is empty if the bucket holds no such version.
    """

    report: str
    version: str
    expected: str
    found: str
    by: str
