"""How findings and the baseline look to a client of the REST API; ``openapi.json`` describes the same."""

import base64
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import msgspec

from policy_drift.application.operate_drift import Rank, rank
from policy_drift.domain.baseline import InForce
from policy_drift.domain.finding import Drift, Finding, State
from policy_drift.report.adoption import accepted_in_words, adoption_of
from policy_drift.report.finding_events import change_fields
from policy_drift.report.remediation import Remediation
from policy_drift.report.wording import possible
from steward.errors import InvalidRequestError
from steward.path_segments import segment_of
from steward.severity import Severity

USUAL_PAGE, LONGEST_PAGE = 200, 1_000
"""Findings of a page."""
LARGEST_PAGE = 4_000_000
"""Bytes of findings in one answer; an answer of Lambda takes 6 MB.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def representation_of(finding: Finding) -> dict[str, Any]:
    """What an operator sees in a list."""
    drift, given = finding.drift, finding.acknowledgement
    return {
        "id": finding.id,
        "path": f"/drift/findings/{segment_of(finding.id)}",
        "entity": str(drift.entity),
        "kind": drift.kind.value,
        "state": finding.state.value,
        "severity": drift.severity.name,
        "verdict": drift.verdict.value,
        "summary": drift.summary,
        "holders": drift.holders,
        "fingerprint": drift.fingerprint,
        "first_seen": finding.first_seen.isoformat(),
        "last_seen": finding.last_seen.isoformat(),
        "resolved_at": finding.resolved_at.isoformat() if finding.resolved_at else None,
        "ended": finding.ended.value if finding.ended else None,
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


@dataclass(frozen=True, slots=True)
class Page:
    """A page that follows another: which findings it lists, how many at most, and after which place."""

    state: str
    limit: int
    after: Rank


def page_of(findings: Sequence[Finding], state: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """The first findings, as many as one answer takes, and a token of the next page; None where there is none."""
    shown: list[dict[str, Any]] = []
    size = 0
    for finding in islice(findings, limit):
        one = representation_of(finding)
        size += len(msgspec.json.encode(one))
        if shown and size > LARGEST_PAGE:
            break
        shown.append(one)
    if len(shown) == len(findings):
        return shown, None
    return shown, _token(Page(state, limit, rank(findings[len(shown) - 1])))


def page_in(token: str) -> Page:
    """The page that a token names. Raises InvalidRequestError for a token that no page gave."""
    try:
        text = base64.urlsafe_b64decode(f"{token}===".encode()).decode()
        state, limit, after = text.split("|", 2) if "|" in text.partition("/")[0] else ("OPEN", str(USUAL_PAGE), text)
        severity, _, finding_id = after.partition("/")
        return Page(state, int(limit), (-Severity[severity], finding_id))
    except (ValueError, KeyError) as error:
        raise InvalidRequestError(f"next is what the page before gave, not {token!r}") from error


def _token(page: Page) -> str:
    """All of a page in one parameter: curl before 8.3 signs two parameters in the order in which they are sent."""
    place, finding_id = page.after
    text = f"{page.state}|{page.limit}|{Severity(-place).name}/{finding_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def detailed(finding: Finding, revert: Remediation | None) -> dict[str, Any]:
    """The same, with what is approved, what is live, requests that prove it, and how it is reverted and approved."""
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
        "in_words": [possible(drift, witness) for witness in drift.newly_allowed],
        "approved": drift.approved,
        "live": drift.live,
        "severities": [{"at": at.isoformat(), "severity": severity.name} for at, severity in finding.severities],
        "revert": None if revert is None else asdict(revert),
        "adoption": adoption_of(drift) if revert else {},
        "accepts": accepted_in_words([drift]) if revert and adoption_of(drift) else "",
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


def adopted_representation(record: InForce, approved: Sequence[Drift]) -> dict[str, Any]:
    """The same after an adoption, with what it has approved, and how much."""
    return {
        **baseline_representation(record),
        "accepted": accepted_in_words(approved),
        "added": [f"{drift.entity}: {line}" for drift in approved for line in drift.added],
        "removed": [f"{drift.entity}: {line}" for drift in approved for line in drift.removed],
    }


def export(record: InForce, link: str, acknowledged: Sequence[Finding]) -> dict[str, Any]:
    """The same, with a link to the document, and what is acknowledged beside it, or the first page of that."""
    shown, more = page_of(acknowledged, State.ACKNOWLEDGED, LONGEST_PAGE)
    return {**baseline_representation(record), "document": link, "acknowledged": shown, "more_acknowledged": more}
