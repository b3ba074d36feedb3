"""The quick look, at what an event says has changed: it says where to look, and the account is read again."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from policy_drift.domain.access.live_state import relation
from policy_drift.domain.account import Account, EntityId, EntityKind, policy_id
from policy_drift.domain.approving import Approvals
from policy_drift.domain.changes.announcement import Announcement
from policy_drift.domain.changes.attribution import Attribution
from policy_drift.domain.changes.grants import Grant, applied, grants_of
from policy_drift.domain.comparison.drifts import drifts
from policy_drift.domain.finding import Drift, Finding, Kind, Severity
from policy_drift.domain.language import PolicyDocumentError, Verdict
from policy_drift.domain.ports import AccountReader, Findings, Subjects
from policy_drift.domain.reach import touched_by
from policy_drift.domain.recording import Look, Recorder
from policy_drift.domain.reporting.detection import Teller
from policy_drift.domain.scope import Scope
from steward.clock import Clock

MOST_READ_ALONE = 60
"""Principals that are read one by one, in about six calls each; of more, the whole account is read in pages."""
_PRINCIPALS = {EntityKind.USER, EntityKind.GROUP, EntityKind.ROLE}
_BROADER = {Verdict.BROADENED, Verdict.INCOMPARABLE, Verdict.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked at, and what stands."""

    entities: frozenset[EntityId]
    findings: tuple[Finding, ...]


class ChangeChecker:
    """Looks again at entities that changed."""

    def __init__(
        self,
        reader: AccountReader,
        approvals: Approvals,
        findings: Findings,
        recorder: Recorder,
        attribution: Attribution,
        clock: Clock,
        scope: Scope,
    ) -> None:
        self._reader = reader
        self._approvals = approvals
        self._findings = findings
        self._recorder = recorder
        self._attribution = attribution
        self._clock = clock
        self._scope = scope

    def check(self, announcements: Sequence[Announcement], run: str) -> Checked:
        """Read what the events touch, once for all of them, and compare it.

        Raises
        ------
        NothingApprovedError
            There is no baseline yet.
        UpstreamError
            IAM could not be read: the same events must come again.
        """
        read_at = self._clock.now()
        told = list({one.change.event_id: one for one in announcements}.values())
        approved = self._approvals.known()[0].account
        altered = frozenset[EntityId]().union(*(one.altered for one in told))
        handed = frozenset[EntityId]().union(*(one.handed for one in told))
        live = self._read(told, altered, handed, approved)
        found = drifts(approved, live, scope=self._scope, only=altered, alone=handed)
        transient = [drift for one in told for drift in self._transient(one, approved, live)]
        if transient:
            found = replace(found, found=(*found.found, *_latest_of_each(transient)))
        explain = self._attribution.of_announcements(told, (approved, live))
        findings = self._recorder.record(Look(found, read_at), explain, Teller(approved, live, self._holders), run)
        return Checked(found.looked_at or frozenset(), tuple(findings))

    def _read(
        self,
        told: Iterable[Announcement],
        altered: frozenset[EntityId],
        handed: frozenset[EntityId],
        approved: Account,
    ) -> Account:
        """What the events name, who has or is in what they change, and who else has the policies that they hand on."""
        policies = frozenset[str]().union(*(one.policies for one in told))
        reached = set(touched_by(altered, (approved,)))
        for arn in policies:
            if policy_id(arn) in altered:
                reached |= self._reader.holders(arn)
        for group in [entity for entity in reached if entity.kind is EntityKind.GROUP]:
            reached |= self._reader.members(group.name)
        for arn in policies:
            if policy_id(arn) in handed - altered:
                reached |= self._reader.holders(arn)
        reached = reached.union(*(one.principals for one in told))
        principals = frozenset(entity for entity in reached if entity.kind in _PRINCIPALS)
        if len(principals) > MOST_READ_ALONE:
            return self._reader.snapshot().account
        return self._reader.read(Subjects(principals, policies))

    def _holders(self, arn: str) -> frozenset[EntityId]:
        return self._reader.holders(arn)

    def _transient(self, announcement: Announcement, approved: Account, live: Account) -> Iterable[Drift]:
        """Access that an event gave and that is not there any more, unless somebody was told of it while it was."""
        for grant in grants_of(announcement):
            if grant.entity not in self._scope:
                continue
            drift = self._used_and_taken_back(grant, approved, live)
            if drift and not self._was_told(drift, grant):
                yield replace(
                    drift,
                    kind=Kind.TRANSIENT,
                    summary=(
                        f"{drift.entity} had more access than was approved, by {announcement.change.event_name}, "
                        "and has it no more."
                    ),
                    fingerprint=hashlib.sha256(announcement.change.event_id.encode()).hexdigest(),
                )

    def _used_and_taken_back(self, grant: Grant, approved: Account, live: Account) -> Drift | None:
        if grant.policy and grant.policy not in {**approved.policies, **live.policies}:
            return _of_unknown_severity(grant)
        policies = {**approved.policies, **live.policies}
        try:
            gave = _broader(approved, applied(approved, grant, policies), grant.entity)
            if gave is None:
                return None
            is_there = grant.entity.name in getattr(live, f"{grant.entity.kind}s")
            if is_there and _broader(live, applied(live, grant, policies), grant.entity) is None:
                return None
        except PolicyDocumentError:
            return None
        return gave

    def _was_told(self, drift: Drift, grant: Grant) -> bool:
        change = grant.announcement.change
        for kept in self._findings.of([grant.entity]):
            finding = kept.value
            if change.event_id in {known.event_id for known in finding.changes}:
                return True
            if finding.drift.kind is drift.kind and finding.told_at and finding.told_at >= change.at:
                return relation(drift.kind, finding.told_live, drift.live) not in _BROADER
        return False


def _broader(before: Account, after: Account, entity: EntityId) -> Drift | None:
    """The most severe way in which an entity can do more."""
    unread = {**before.unreadable}
    found = drifts(replace(before, unreadable={}), replace(after, unreadable={}), only={entity}).found
    return next(
        (one for one in found if one.entity == entity and one.verdict in _BROADER and not unread.get(entity)), None
    )


def _of_unknown_severity(grant: Grant) -> Drift:
    """A policy was given that is deleted by now: nobody can say what it allowed."""
    return Drift(
        entity=grant.entity,
        arn="",
        kind=Kind.TRANSIENT,
        verdict=Verdict.UNKNOWN,
        severity=Severity.HIGH,
        summary=f"{grant.entity} had {grant.policy}, which has been deleted since: what it allowed cannot be told.",
        fingerprint="",
    )


def _latest_of_each(drifts_found: Iterable[Drift]) -> list[Drift]:
    """One for each finding, the most severe."""
    by_id: dict[str, Drift] = {}
    for drift in drifts_found:
        if drift.finding_id not in by_id or drift.severity > by_id[drift.finding_id].severity:
            by_id[drift.finding_id] = drift
    return list(by_id.values())
