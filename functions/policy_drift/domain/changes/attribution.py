"""Who did it: from the events that announced a change, or from CloudTrail's history where none did."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from policy_drift.domain.account import Account, EntityKind
from policy_drift.domain.changes.announcement import Announcement
from policy_drift.domain.finding import Change, Drift, Finding, Kind
from policy_drift.domain.lifecycle import Explanation
from policy_drift.domain.ports import ChangeHistory
from policy_drift.domain.reach import touched_by
from steward.errors import UpstreamError
from steward.principals import Principal, PrincipalPattern

LOOKED_BACK = timedelta(hours=24)
"""How far the history is searched for a finding of the schedule: four times the time between two scans."""
MOST_LOOKUPS = 30
"""Searches of one scan, of a few calls each: CloudTrail grants two a second, and no flood is explained one by one."""
_WITHOUT_AUTHOR = frozenset({Kind.UPSTREAM, Kind.BASELINE, Kind.UNREADABLE})
_WITHOUT_EVENT = _WITHOUT_AUTHOR | {Kind.DANGLING}
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


class Attribution:
    """Explains drifts.

    Parameters
    ----------
    history
        CloudTrail's.
    expected
        Actors whose changes are expected, such as the roles that deploy.
    own_account
        What ``self`` stands for in their patterns.
    """

    def __init__(self, history: ChangeHistory, expected: Iterable[PrincipalPattern], own_account: str) -> None:
        self._history = history
        self._expected = tuple(expected)
        self._account = own_account

    def of_the_past(self, now: datetime) -> Callable[[Drift], Explanation]:
        """Searches the history, for the schedule's findings."""
        left = MOST_LOOKUPS

        def explain(drift: Drift) -> Explanation:
            nonlocal left
            if drift.kind in _WITHOUT_AUTHOR or drift.entity.kind is EntityKind.ACCOUNT or left == 0:
                return Explanation()
            left -= 1
            try:
                changes = self._history.changes_of(drift.entity, now - LOOKED_BACK)
            except UpstreamError:
                return Explanation()
            return self._explanation(changes, announced=bool(changes))

        return explain

    def of_announcements(
        self, announcements: Iterable[Announcement], accounts: Iterable[Account]
    ) -> Callable[[Drift], Explanation]:
        """Finds the events, among those at hand, that changed the drift's entity, or what it has or is in."""
        accounts = tuple(accounts)
        reached = [(one.change, touched_by(one.altered, accounts) | one.handed) for one in announcements]

        def explain(drift: Drift) -> Explanation:
            return self._explanation([change for change, entities in reached if drift.entity in entities])

        return explain

    def _explanation(self, changes: Iterable[Change], *, announced: bool = True) -> Explanation:
        changes = tuple(changes)
        return Explanation(changes, bool(changes) and all(map(self._is_expected, changes)), announced)

    def _is_expected(self, change: Change) -> bool:
        try:
            actor = Principal.from_arn(change.actor)
        except ValueError:
            return False
        return any(pattern.matches(actor, own_account=self._account) for pattern in self._expected)
