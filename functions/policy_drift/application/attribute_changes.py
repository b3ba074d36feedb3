"""Attribute drifts to the changes behind them: from events at hand, or from CloudTrail's history."""

from collections.abc import Callable, Iterable
from datetime import datetime

from policy_drift.application.ports import ChangeHistory
from policy_drift.domain.account import Account, EntityKind
from policy_drift.domain.changes.change_event import ChangeEvent
from policy_drift.domain.changes.expected_events import LOOKED_BACK, WITHOUT_AUTHOR
from policy_drift.domain.dependents import with_dependents
from policy_drift.domain.finding import Change, Drift
from policy_drift.domain.lifecycle import Explanation
from steward.errors import UpstreamError
from steward.principals import Principal, PrincipalPattern

MOST_LOOKUPS = 30
"""Searches of one scan, of a few calls each: CloudTrail grants two a second, and no flood is explained one by one."""


class AttributeChanges:
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

    def from_history(self, now: datetime) -> Callable[[Drift], Explanation]:
        """Explain the findings of a scan by a search of the history."""
        left = MOST_LOOKUPS

        def explain(drift: Drift) -> Explanation:
            nonlocal left
            if drift.kind in WITHOUT_AUTHOR or drift.entity.kind is EntityKind.ACCOUNT or left == 0:
                return Explanation()
            left -= 1
            try:
                changes = self._history.changes_of(drift.entity, now - LOOKED_BACK)
            except UpstreamError:
                return Explanation()
            return self._explanation(changes, announced=bool(changes))

        return explain

    def from_events(self, events: Iterable[ChangeEvent], accounts: Iterable[Account]) -> Callable[[Drift], Explanation]:
        """Explain a drift by those of these events that changed its entity or something that it depends on."""
        accounts = tuple(accounts)
        reached = [(one.change, with_dependents(one.altered, accounts) | one.handed) for one in events]

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
