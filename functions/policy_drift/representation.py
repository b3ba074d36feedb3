"""How findings and the baseline look to a client of the REST API; ``openapi.json`` describes the same."""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

import msgspec

from policy_drift.application.operate_drift import Rank, rank
from policy_drift.domain.baseline import InForce
from policy_drift.domain.finding import Finding
from policy_drift.report.adoption import adoption_of
from policy_drift.report.finding_events import change_fields
from policy_drift.report.wording import newly_possible
from steward.errors import InvalidRequestError
from steward.severity import Severity

LARGEST_PAGE = 4_000_000
"""Bytes of findings in one answer; an answer of Lambda takes 6 MB.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def representation_of(finding: Finding) -> dict[str, Any]:
    """What an operator sees in a list."""
    drift, given = finding.drift, finding.acknowledgement
    return {
        "id": finding.id,
        "entity": str(drift.entity),
        "kind": drift.kind.value,
        "state": finding.state.value,
        "severity": drift.severity.name,
        "verdict": drift.verdict.value,
        "summary": drift.summary,
        "fingerprint": drift.fingerprint,
        "first_seen": finding.first_seen.isoformat(),
        "last_seen": finding.last_seen.isoformat(),
        "resolved_at": finding.resolved_at.isoformat() if finding.resolved_at else None,
        "expected": finding.expected,
        "announced": finding.announced,
        "changes": [change_fields(change) for change in finding.changes],
        "acknowledgement": {
            "by": given.by,
            "owner": given.owner,
            "reason": given.reason,
            "given": given.given.isoformat(),
            "expires": given.expires.isoformat(),
            "session": given.session,
            "reference": given.reference,
        }
        if given
        else None,
    }


def page_of(findings: Sequence[Finding], limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """The first findings, as many as one answer takes, and where the next page begins; None where there is none."""
    shown: list[dict[str, Any]] = []
    size = 0
    for finding in islice(findings, limit):
        one = representation_of(finding)
        size += len(msgspec.json.encode(one))
        if shown and size > LARGEST_PAGE:
            break
        shown.append(one)
    return shown, _token(rank(findings[len(shown) - 1])) if len(shown) < len(findings) else None


def rank_in(token: str) -> Rank:
    """The place where a page ended. Raises InvalidRequestError for what no page gave."""
    try:
        severity, _, finding_id = base64.urlsafe_b64decode(f"{token}===".encode()).decode().partition("/")
        return -Severity[severity], finding_id
    except (ValueError, KeyError) as error:
        raise InvalidRequestError(f"next is what the page before gave, not {token!r}") from error


def _token(place: Rank) -> str:
    return base64.urlsafe_b64encode(f"{Severity(-place[0]).name}/{place[1]}".encode()).decode().rstrip("=")


def detailed(finding: Finding) -> dict[str, Any]:
    """The same, with what is approved, what is live, and requests that prove it."""
    drift = finding.drift
    return {
        **representation_of(finding),
        "arn": drift.arn,
        "reasons": list(drift.reasons),
        "protected": drift.protected,
        "added": list(drift.added),
        "removed": list(drift.removed),
        "newly_allowed": [asdict(witness) for witness in drift.newly_allowed],
        "newly_denied": [asdict(witness) for witness in drift.newly_denied],
        "in_words": [newly_possible(witness, drift.entity) for witness in drift.newly_allowed],
        "approved": drift.approved,
        "live": drift.live,
        "severities": [{"at": at.isoformat(), "severity": severity.name} for at, severity in finding.severities],
        "adoption": adoption_of(drift),
    }


def baseline_representation(record: InForce) -> dict[str, Any]:
    """Which baseline is in force, and who put it there."""
    return {
        "version": record.version,
        "reviewed": record.reviewed,
        "how": record.how.value,
        "by": record.by,
        "since": record.since.isoformat(),
        "session": record.session,
        "reason": record.reason,
        "reference": record.reference,
    }


def export(record: InForce, link: str, acknowledged: Sequence[Finding]) -> dict[str, Any]:
    """The same, with a link to the document, and what is acknowledged beside it, or the first page of that."""
    shown, more = page_of(acknowledged, len(acknowledged))
    return {**baseline_representation(record), "document": link, "acknowledged": shown, "more_acknowledged": more}
