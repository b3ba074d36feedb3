"""The report of a scan as one plain JSON document: everything that is known, the worst first.

Its fields are explained in ``docs/policy-drift-report.md``; the HTML report is made from this document alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from iam_policy import Witness
from policy_drift.domain.access.live_state import without_shared
from policy_drift.domain.access_keys import AccessKeys
from policy_drift.domain.account import Account
from policy_drift.domain.dependents import shared_policies
from policy_drift.domain.finding import Change, Drift, Finding, State
from policy_drift.domain.scope import Scope
from policy_drift.report import wording
from policy_drift.report.adoption import ROUTE, accepted_in_words, adoption_of, baseline_patch
from policy_drift.report.finding_events import change_fields
from policy_drift.report.remediation import Remedies
from steward.severity import Severity

FORMAT = 2
"""Grows when a field changes its meaning or goes."""

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a scan has read."""

    entities: Mapping[str, int]
    aws_calls: int
    unreadable: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What the reports, JSON and HTML, contain: everything open, acknowledged, and resolved by this scan."""

    account: str
    region: str
    scan_id: str
    started: datetime
    baseline_version: str
    baseline_reviewed: bool
    baseline_changed: datetime | None
    coverage: Coverage
    findings: tuple[Finding, ...]
    not_looked_at: tuple[str, ...] = ()
    left_to_review: tuple[Drift, ...] = ()
    also_approved: tuple[Drift, ...] = ()
    review_unread: tuple[str, ...] = ()
    access_keys: AccessKeys | str = "they were not asked for"
    """A text says why they are not known."""


_ORDER = {State.OPEN: 0, State.ACKNOWLEDGED: 1, State.RESOLVED: 2}


def as_document(report: Report, *, approved: Account, live: Account) -> Json:
    """The report.

    Parameters
    ----------
    report : Report
        What the scan found.
    approved, live : Account
        What it compared: how a drift is reverted and approved comes from both.

    Returns
    -------
    dict
        Plain JSON values; times are ISO 8601, severities and verdicts names. Findings are in a stable order: open ones
        before acknowledged before resolved, the most severe first, then by id.
    """
    remedies, shared = Remedies(approved, live), shared_policies(approved, Scope())
    findings = sorted(report.findings, key=lambda one: (_ORDER[one.state], -one.drift.severity, one.id))
    counts = Counter(finding.drift.severity for finding in findings if finding.state is State.OPEN)
    states = Counter(finding.state for finding in findings)
    return {
        "format": FORMAT,
        "account": report.account,
        "region": report.region,
        "scan_id": report.scan_id,
        "started": report.started.isoformat(),
        "baseline": {
            "version": report.baseline_version,
            "reviewed": report.baseline_reviewed,
            "changed": _time(report.baseline_changed),
        },
        "coverage": {
            "entities": dict(report.coverage.entities),
            "aws_calls": report.coverage.aws_calls,
            "seconds": report.coverage.seconds,
            "unreadable": dict(sorted(report.coverage.unreadable.items())),
            "not_looked_at": list(report.not_looked_at),
        },
        "accepted_without_review": [_accepted(drift) for drift in report.left_to_review],
        "also_approved": [_approved_besides(drift) for drift in report.also_approved],
        "review_unread": list(report.review_unread),
        "access_keys": _access_keys(report.access_keys),
        "open": {severity.name: counts[severity] for severity in reversed(Severity)},
        "states": {state.value: states[state] for state in State},
        "shared_policies": _shared_policies(findings, live),
        "findings": [_finding(finding, remedies, approved, live, shared) for finding in findings],
    }


def _accepted(drift: Drift) -> Json:
    """What the first scan approved and a person has to judge."""
    return {
        "id": drift.finding_id,
        "fingerprint": drift.fingerprint,
        "entity": str(drift.entity),
        "arn": drift.arn,
        "kind": drift.kind.value,
        "severity": drift.severity.name,
        "reasons": list(drift.reasons),
        "access": list(drift.added),
        "adopt": {"route": ROUTE, "body": adoption_of(drift)},
    }


def _approved_besides(drift: Drift) -> Json:
    """What the first scan approved and is not severe, in words."""
    return {"entity": str(drift.entity), "severity": drift.severity.name, "access": list(drift.added)}


def _access_keys(known: AccessKeys | str) -> Json:
    """The listed keys; all null but ``problem`` where they are not known."""
    if isinstance(known, str):
        return {**dict.fromkeys(field.name for field in fields(AccessKeys)), "problem": known}
    return {**asdict(known), "problem": None}


def _shared_policies(findings: Iterable[Finding], live: Account) -> Json:
    """The documents of policies that are reported by themselves, once for all findings that name them."""
    states = [state for one in findings for state in (one.drift.approved, one.drift.live) if isinstance(state, Mapping)]
    named = {arn for state in states for arn in state.get("shared", ())}
    return {arn: live.policies[arn].document for arn in sorted(named & live.policies.keys())}


def _finding(finding: Finding, remedies: Remedies, approved: Account, live: Account, shared: frozenset[str]) -> Json:
    drift = finding.drift
    is_over = finding.state is State.RESOLVED
    return {
        "id": finding.id,
        "entity": str(drift.entity),
        "arn": drift.arn,
        "kind": drift.kind.value,
        "heading": wording.HEADINGS[drift.kind],
        "state": finding.state.value,
        "severity": drift.severity.name,
        "verdict": drift.verdict.value,
        "summary": drift.summary,
        "reasons": list(drift.reasons),
        "added": list(drift.added),
        "removed": list(drift.removed),
        "holders": drift.holders,
        "newly_allowed": _requests(drift.newly_allowed, [wording.possible(drift, one) for one in drift.newly_allowed]),
        "newly_denied": _requests(
            drift.newly_denied, [wording.no_longer_possible(one, drift.entity) for one in drift.newly_denied]
        ),
        "changes": [_change(change) for change in finding.changes],
        "announced": finding.announced and bool(finding.changes),
        "expected": finding.expected,
        "approved": without_shared(drift.approved),
        "live": without_shared(drift.live),
        "fingerprint": drift.fingerprint,
        "revert": None if is_over else asdict(remedies.of(drift)),
        "approve": None if is_over else _approval(finding, approved, live, shared),
        "history": _history(finding),
    }


def _requests(witnesses: Iterable[Witness], sentences: Iterable[str]) -> list[Json]:
    return [{**asdict(witness), "in_words": words} for witness, words in zip(witnesses, sentences, strict=True)]


def _change(change: Change) -> Json:
    return change_fields(change) | {"user_agent": change.user_agent}


def _approval(finding: Finding, approved: Account, live: Account, shared: frozenset[str]) -> Json:
    body = adoption_of(finding.drift)
    return {
        "route": ROUTE if body else "",
        "body": body,
        "accepts": accepted_in_words([finding.drift]) if body else "",
        "baseline_patch": baseline_patch(finding.drift, approved, live, shared),
    }


def _history(finding: Finding) -> Json:
    given = finding.acknowledgement
    return {
        "first_seen": finding.first_seen.isoformat(),
        "last_seen": finding.last_seen.isoformat(),
        "severities": [{"at": at.isoformat(), "severity": severity.name} for at, severity in finding.severities],
        "acknowledgement": given
        and asdict(given) | {"given": given.given.isoformat(), "expires": given.expires.isoformat()},
        "resolved_at": _time(finding.resolved_at),
        "ended": finding.ended and finding.ended.value,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
