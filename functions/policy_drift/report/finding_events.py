"""Findings as the events that are published."""

from dataclasses import asdict
from typing import Any

from policy_drift.domain.access.live_state import more_than
from policy_drift.domain.account import Account
from policy_drift.domain.arns import arn_in
from policy_drift.domain.events import PolicyDriftAcknowledged, PolicyDriftDetected, PolicyDriftResolved
from policy_drift.domain.finding import Change, Ending, Finding
from policy_drift.domain.lifecycle import Why, in_order_of_news
from policy_drift.report import adoption
from policy_drift.report.remediation import Lookups, Remedies
from policy_drift.report.wording import possible

MOST_COMMANDS = 20
MOST_OF_COMMANDS = 40_000
"""Characters of all commands of an alert together: mail, chat and the bus take so much, and nobody reads more."""
IN_THE_REPORT = "# {} commands revert it, too long for an alert: read them in the report, GET /drift/report"


class FindingEvents:
    """Makes the events of findings between an approved and a live account."""

    def __init__(self, approved: Account, live: Account, lookups: Lookups | None = None) -> None:
        self._accounts = live, approved
        self._remedies = Remedies(approved, live, lookups=lookups)

    def detection(self, finding: Finding, why: Why, known: Finding | None = None) -> PolicyDriftDetected:
        """That it opened, came back or got worse.

        The request of a ``known`` finding proves what was added since the last alert or acknowledgement; otherwise a
        second grant would be published with the request of the first.
        """
        drift = finding.drift
        added = more_than(known.alerted_live, drift.live) if known and why in {Why.WORSE, Why.CHANGED} else ()
        witness = next(iter(added or drift.newly_allowed), None)
        commands = self._remedies.of(drift).commands
        fits = len(commands) <= MOST_COMMANDS and sum(map(len, commands)) <= MOST_OF_COMMANDS
        return PolicyDriftDetected(
            finding_id=finding.id,
            entity=str(drift.entity),
            kind=drift.kind.value,
            severity=drift.severity.name,
            verdict=drift.verdict.value,
            summary=drift.summary,
            why=why.value,
            fingerprint=drift.fingerprint,
            first_seen=finding.first_seen.isoformat(),
            reasons=list(drift.reasons),
            request=_plain(asdict(witness)) if witness else {},
            request_in_words=possible(drift, witness) if witness else "",
            changes=[change_fields(change) for change in in_order_of_news(finding, known)],
            expected=finding.expected,
            revert=list(commands) if fits else [IN_THE_REPORT.format(len(commands))],
            approve=adoption.in_one_line(drift),
            arn=drift.arn or arn_in(self._accounts, drift.entity),
            added=list(drift.added),
            removed=list(drift.removed),
            holders=drift.holders,
        )


def resolution(finding: Finding, how: Ending) -> PolicyDriftResolved:
    """That it is resolved."""
    drift, at = finding.drift, finding.resolved_at or finding.last_seen
    return PolicyDriftResolved(
        finding_id=finding.id,
        entity=str(drift.entity),
        kind=drift.kind.value,
        severity=drift.severity.name,
        summary=drift.summary,
        how=how.value,
        first_seen=finding.first_seen.isoformat(),
        resolved_at=at.isoformat(),
        arn=drift.arn,
    )


def acknowledgement(finding: Finding) -> PolicyDriftAcknowledged:
    """That an owner is responsible for it; it has an acknowledgement."""
    drift, given = finding.drift, finding.acknowledgement
    if given is None:
        raise ValueError(f"{finding.id} is not acknowledged")
    return PolicyDriftAcknowledged(
        finding_id=finding.id,
        entity=str(drift.entity),
        kind=drift.kind.value,
        severity=drift.severity.name,
        by=given.by,
        owner=given.owner,
        reason=given.reason,
        expires=given.expires.isoformat(),
        arn=drift.arn,
        session=given.session,
        reference=given.reference,
    )


def change_fields(change: Change) -> dict[str, str]:
    """Who did it, as texts."""
    return {
        "event_id": change.event_id,
        "event_name": change.event_name,
        "actor": change.actor,
        "at": change.at.isoformat(),
        "source_ip": change.source_ip,
        "part": change.part,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list | tuple) else value
