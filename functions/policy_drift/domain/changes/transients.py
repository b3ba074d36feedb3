"""Access that an event gave and that is not there any more: used, maybe, and taken away before anybody checked."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from iam_policy import Budget, PolicyDocumentError, Verdict
from policy_drift.domain.access.live_state import relation
from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.access.work import Questions, Work
from policy_drift.domain.account import Account, Entity, EntityId, EntityKind
from policy_drift.domain.changes.change_event import ChangeEvent
from policy_drift.domain.changes.grants import Grant, applied, grants_of, is_unknown
from policy_drift.domain.comparison.counterparts import counterpart
from policy_drift.domain.comparison.drifts import drifts
from policy_drift.domain.dependents import entity_id
from policy_drift.domain.finding import Drift, Finding, Kind
from policy_drift.domain.lifecycle import principal_of
from policy_drift.domain.scope import Scope
from steward.severities import DriftSeverities
from steward.severity import Severity

_OF_A_RELATION = 400_000
"""Steps that may be taken to decide whether an alert has shown what is gone."""


@dataclass(frozen=True, slots=True)
class Given:
    """Access that is not there any more: the drift that it was, while it lasted."""

    grant: Grant
    drift: Drift

    def is_reported(self, findings: Iterable[Finding]) -> bool:
        """Whether an alert reported it, while it lasted or as a transient.

        That a finding names the event is not enough: of what was there together, an alert may have shown the other.
        """
        change = self.grant.event.change
        for finding in findings:
            if change.event_id in finding.settled:
                return True
            if finding.drift.kind is Kind.TRANSIENT and change.event_id in {one.event_id for one in finding.changes}:
                return True
            if finding.drift.kind is self.drift.kind and finding.alerted_at and finding.alerted_at >= change.at:
                questions = Questions(Budget(_OF_A_RELATION))
                said = relation(self.drift.kind, finding.alerted_live, self.drift.live, questions)
                return said not in MAY_BE_MORE
        return False

    def as_transient(self) -> Drift:
        """As a finding of its own."""
        entity, by = self.drift.entity, self.grant.by
        summary = f"{entity} had more access than was approved, by {by}, and has it no more."
        if self.drift.kind is Kind.TRANSIENT:
            summary = self.drift.summary
        elif entity.kind is EntityKind.POLICY:
            summary = f"{entity}, which several have, allowed more than was approved, by {by}, and does no more."
        event_id = self.grant.event.change.event_id
        fingerprint = hashlib.sha256(event_id.encode()).hexdigest()
        return replace(
            self.drift,
            kind=Kind.TRANSIENT,
            summary=summary,
            fingerprint=fingerprint,
            reasons=tuple(map(in_the_past, self.drift.reasons)),
        )


_PAST = {
    " is open": " was open",
    " are open": " were open",
    " may be open": " may have been open",
    " can now ": " could ",
    "it is now an administrator": "it was an administrator",
    " is an administrator": " was an administrator",
    " is newly trusted": " was trusted",
    "the permissions boundary is wider": "the permissions boundary was wider",
    "the role has escalation path": "the role had escalation path",
}
"""What reasons say of the present -> of what is over."""


def in_the_past(reason: str) -> str:
    """A reason of access that is gone."""
    for present, past in _PAST.items():
        reason = reason.replace(present, past)
    return reason


def transients(
    events: Iterable[ChangeEvent],
    approved: Account,
    live: Account,
    scope: Scope,
    severities: DriftSeverities,
    work: Work,
) -> Iterator[Given]:
    """Access beyond the approved that these events gave to entities in scope, and that is gone now."""
    grants = [
        grant
        for event in _last_of_each(events)
        for grant in grants_of(event, lambda arn: _holders(arn, (approved, live)))
    ]
    for number, grant in enumerate(grants):
        with work.part(len(grants) - number) as part:
            for drift in _given_and_gone(grant, approved, live, severities, part):
                if drift.entity in scope or _approved_name(drift.entity, approved, live) in scope:
                    yield Given(grant, drift)


def _last_of_each(events: Iterable[ChangeEvent]) -> Collection[ChangeEvent]:
    """The latest of those that the same actor did: a flood of one call is compared once."""
    by_call = {
        (one.change.event_name, principal_of(one.change), json.dumps(one.parameters, sort_keys=True, default=str)): one
        for one in sorted(events, key=lambda one: one.change.at)
    }
    return by_call.values()


def _given_and_gone(
    grant: Grant, approved: Account, live: Account, severities: DriftSeverities, work: Work
) -> list[Drift]:
    if is_unknown(grant, approved, live):
        return [_of_unknown_access(grant, entity, severities) for entity in sorted(grant.entities)]
    policies = {**approved.policies, **live.policies}
    try:
        with work.part(2) as half:
            gave = _broader(approved, applied(approved, grant, policies), grant, severities, half)
        lacks = gave and _broader(live, applied(live, grant, policies), grant, severities, work)
    except PolicyDocumentError:
        return []
    # What was taken from a deleted principal was taken to delete it, and a missing principal is reported anyway.
    return [
        drift for entity, drift in gave.items() if entity in lacks or (not live.has(entity) and not grant.takes_away)
    ]


def _broader(
    before: Account, after: Account, grant: Grant, severities: DriftSeverities, work: Work
) -> Mapping[EntityId, Drift]:
    """By entity, the most severe way in which it can do more."""
    before_read, after_read = replace(before, unreadable={}), replace(after, unreadable={})
    found = drifts(before_read, after_read, severities=severities, only={grant.changed}, work=work).found
    more: dict[EntityId, Drift] = {}
    for drift in found:
        if (
            drift.entity in grant.entities | {grant.changed}
            and drift.verdict in MAY_BE_MORE
            and drift.entity not in before.unreadable
        ):
            more.setdefault(drift.entity, drift)
    return more


def _holders(arn: str, accounts: Iterable[Account]) -> frozenset[EntityId]:
    principals_of_all: Iterator[Entity] = (
        principal
        for account in accounts
        for principals in (account.users, account.groups, account.roles)
        for principal in principals.values()
    )
    return frozenset(
        entity_id(one) for one in principals_of_all if arn in one.attached or getattr(one, "boundary", None) == arn
    )


def _approved_name(entity: EntityId, approved: Account, live: Account) -> EntityId:
    """The name under which it was approved, where that is another one."""
    if entity.kind is EntityKind.POLICY:
        return entity
    now = getattr(live, f"{entity.kind}s").get(entity.name)
    before = now and counterpart(getattr(approved, f"{entity.kind}s"), now)
    return entity_id(before) if before else entity


def _of_unknown_access(grant: Grant, entity: EntityId, severities: DriftSeverities) -> Drift:
    what = f"{grant.by} of {grant.policy}" if grant.policy else grant.by
    return Drift(
        entity=entity,
        arn="",
        kind=Kind.TRANSIENT,
        verdict=Verdict.UNKNOWN,
        severity=Severity[severities.transient_of_unknown_access],
        summary=f"{entity} may have had more access than was approved, by {what}: what it allowed is not known now.",
        fingerprint="",
    )
