"""Which findings an event should have announced, and by when."""

from datetime import datetime, timedelta

from policy_drift.domain.finding import Finding, Kind

LOOKED_BACK = timedelta(hours=24)
"""How far a scan searches the history for a finding: four times the time between two scans."""
WITHOUT_AUTHOR = frozenset({Kind.UPSTREAM, Kind.BASELINE, Kind.UNREADABLE})
"""Kinds that no event of IAM in this account causes."""
_WITHOUT_EVENT = WITHOUT_AUTHOR | {Kind.DANGLING}
"""Kinds that no event names the entity of: who deletes a principal does not name the roles that trust it."""
EVENTS_TAKE = timedelta(minutes=30)
"""By when the event of a change has led to a check, if events come at all; CloudTrail takes up to 15 minutes."""


def is_without_event(finding: Finding, scanned: datetime, approved_since: datetime) -> bool:
    """Whether a scan was the first to find it, long after its event should have led to a check.

    Not where the event may still be on its way, or where the difference may come from the baseline, which has changed
    since, instead of from IAM.

    Parameters
    ----------
    finding
        As the scan has recorded it.
    scanned
        When the scan began to read.
    approved_since
        When the baseline came into force.
    """
    drift = finding.drift
    if finding.first_seen != scanned or drift.kind in _WITHOUT_EVENT or drift.protected:
        return False
    if not finding.changes:
        return approved_since < scanned - LOOKED_BACK
    return approved_since < finding.changes[0].at < scanned - EVENTS_TAKE
