"""Attribute drifts to the changes behind them: from events at hand, or from CloudTrail's history."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from policy_drift.application.ports import ChangeHistory
from policy_drift.domain.account import Account, EntityId, EntityKind, policy_id
from policy_drift.domain.arns import is_of_aws
from policy_drift.domain.baseline import InForce
from policy_drift.domain.beside_policies import account_entity
from policy_drift.domain.changes.change_event import ChangeEvent
from policy_drift.domain.changes.expected_events import LOOKED_BACK, WITHOUT_AUTHOR
from policy_drift.domain.changes.operations import changes_a_managed_policy, may_explain
from policy_drift.domain.dependents import entity_id, managed_policies_of, with_dependents
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

    def from_history(
        self, now: datetime, approved: Account, live: Account, in_force: InForce | None = None
    ) -> Callable[[Drift], Explanation]:
        """Explain the findings of a scan by a search of the history.

        Searched are the entity and the managed policies by which it may differ, each once: a policy that many have
        costs one search. What was changed before the baseline in force approved it explains nothing.
        """
        found: dict[EntityId, tuple[Change, ...]] = {}

        def explain(drift: Drift) -> Explanation:
            if drift.kind in WITHOUT_AUTHOR or drift.entity.kind is EntityKind.ACCOUNT:
                return Explanation()
            searched = {drift.entity: drift.arn, **_policies_behind(drift, approved, live)}
            for entity, arn in searched.items():
                if entity not in found and len(found) < MOST_LOOKUPS:
                    try:
                        found[entity] = self._history.changes_of(entity, now - LOOKED_BACK, arn)
                    except UpstreamError:
                        return Explanation()
            changes = [
                change
                for entity in searched
                for change in found.get(entity, ())
                if entity == drift.entity or changes_a_managed_policy(change.event_name)
            ]
            settled = in_force.approved_until(drift.finding_id) if in_force else None
            explanation = self._explanation(drift, [one for one in changes if settled is None or one.at >= settled])
            return replace(explanation, announced=bool(explanation.changes) or not searched.keys() <= found.keys())

        return explain

    def from_events(self, events: Iterable[ChangeEvent], accounts: Iterable[Account]) -> Callable[[Drift], Explanation]:
        """Explain a drift by those of these events that changed its entity or something that it depends on."""
        accounts = tuple(accounts)
        reached = [
            (
                one.change,
                with_dependents(one.altered, accounts)
                | one.handed
                | {claim.entity or account_entity(self._account) for claim in one.claims},
            )
            for one in events
        ]

        def explain(drift: Drift) -> Explanation:
            return self._explanation(drift, [change for change, entities in reached if drift.entity in entities])

        return explain

    def _explanation(self, drift: Drift, changes: Iterable[Change]) -> Explanation:
        is_of_policy = drift.entity.kind is EntityKind.POLICY
        return Explanation(
            tuple(
                self.marked(change)
                for change in changes
                if may_explain(change.event_name, drift.kind)
                and (not is_of_policy or changes_a_managed_policy(change.event_name))
            )
        )

    def marked(self, change: Change) -> Change:
        """A change that says whether the settings expect its actor."""
        return replace(change, expected=self._is_expected(change))

    def _is_expected(self, change: Change) -> bool:
        try:
            actor = Principal.from_arn(change.actor)
        except ValueError:
            return False
        return any(pattern.matches(actor, own_account=self._account) for pattern in self._expected)


def _policies_behind(drift: Drift, approved: Account, live: Account) -> dict[EntityId, str]:
    """The customers' managed policies of a principal that differ: ARNs by id."""
    arns = {
        arn
        for account in (approved, live)
        for principals in (account.users, account.groups, account.roles)
        if (principal := principals.get(drift.entity.name)) and entity_id(principal) == drift.entity
        for arn in managed_policies_of(principal)
        if approved.policies.get(arn) != live.policies.get(arn) and not is_of_aws(arn)
    }
    return {policy_id(arn): arn for arn in sorted(arns)}
