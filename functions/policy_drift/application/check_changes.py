"""Check the entities that CloudTrail's events name: an event says where to look, and IAM is read again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from policy_drift.application.attribute_changes import AttributeChanges
from policy_drift.application.baseline_in_force import BaselineInForce
from policy_drift.application.find_credentials import Beside, FindCredentials
from policy_drift.application.ports import AccountReader, Findings, Subjects
from policy_drift.application.record_findings import RecordFindings, ScanResult
from policy_drift.domain.access.work import OF_A_CHECK, OF_RECORDING, OF_TRANSIENTS, Work
from policy_drift.domain.account import Account, EntityId, EntityKind, policy_id
from policy_drift.domain.changes.change_event import ChangeEvent
from policy_drift.domain.changes.operations import OPERATIONS, Part
from policy_drift.domain.changes.transients import transients
from policy_drift.domain.changes.visibility import is_shown, is_to_come, next_look
from policy_drift.domain.comparison.drifts import drifts_in_rounds
from policy_drift.domain.dependents import with_dependents
from policy_drift.domain.finding import Drift, Finding
from policy_drift.domain.lifecycle import with_its_actor_alerted
from policy_drift.domain.scope import Scope
from policy_drift.report.finding_events import FindingEvents
from steward.clock import Clock
from steward.severities import DriftSeverities

MOST_READ_ALONE = 60
"""Principals that are read one by one, in about six calls each; of more, the whole account is read in pages."""
_BESIDE_POLICIES = {Part.CREDENTIALS, Part.FEDERATION, Part.PROFILES, Part.PROVIDERS, Part.TAGS}
"""What operations change that the account as read does not hold."""
_PRINCIPALS = {EntityKind.USER, EntityKind.GROUP, EntityKind.ROLE}


@dataclass(frozen=True, slots=True)
class Checked:
    """The entities that were compared, their findings, and when to check which events again, by their ids."""

    entities: frozenset[EntityId]
    findings: tuple[Finding, ...]
    again: Mapping[str, datetime] = field(default_factory=dict)


class CheckChanges:
    """Checks entities that changed."""

    def __init__(
        self,
        reader: AccountReader,
        baseline_in_force: BaselineInForce,
        findings: Findings,
        recorder: RecordFindings,
        attribution: AttributeChanges,
        credentials: FindCredentials,
        clock: Clock,
        scope: Scope,
        severities: DriftSeverities,
        delay: timedelta,
        steps: int = OF_A_CHECK,
    ) -> None:
        self._reader = reader
        self._baseline = baseline_in_force
        self._findings = findings
        self._recorder = recorder
        self._attribution = attribution
        self._credentials = credentials
        self._clock = clock
        self._scope = scope
        self._severities = severities
        self._delay = delay
        self._steps = steps

    def check(self, events: Sequence[ChangeEvent], run: str, until: datetime | None = None) -> Checked:
        """Read what the events touch, once for all of them, and compare it: what is cheap is recorded first.

        An event of the last minutes whose change the read does not show is to be checked again: IAM may show it later,
        and until then nothing counts as given and gone.

        Parameters
        ----------
        events
            Where to look.
        run
            Correlates the events that this publishes.
        until
            When no other comparison may begin; never by default. The next scan begins with what is left.

        Raises
        ------
        NothingApprovedError
            There is no baseline yet.
        UpstreamError
            IAM could not be read: retry the same events.
        """
        read_at = self._clock.now()
        baseline, in_force = self._baseline.known()
        approved = baseline.account
        distinct = _respelled({one.change.event_id: one for one in events}.values(), approved)
        live = self._read(distinct, approved)
        distinct = _respelled(distinct, live)
        altered, handed = _altered(distinct), _handed(distinct)
        early = {
            one.change.event_id: look
            for one in distinct
            if (look := next_look(one.change.at, read_at, self._delay)) is not None
        }
        shown = [one for one in distinct if one.change.event_id not in early or not is_to_come(one, approved, live)]
        explain = self._attribution.from_events(shown, (approved, live))
        events_of = FindingEvents(approved, live, self._reader)
        rounds = drifts_in_rounds(
            approved,
            live,
            severities=self._severities,
            scope=self._scope,
            only=altered,
            alone=handed,
            work=Work(self._steps, lambda: until is not None and self._clock.now() >= until),
        )
        recording = Work(OF_RECORDING)
        beside: Beside | None = None
        for found in rounds:
            if beside is None:
                beside = self._credentials.found(distinct, found.compared, approved, live, early.keys())
                settled = [one for one in distinct if one.change.event_id not in early]
                others = (*self._transient(settled, approved, live), *beside.drifts)
            result = ScanResult(
                replace(found, found=(*found.found, *others)), read_at, work=recording, in_force=in_force
            )
            findings = self._recorder.record(result, explain, events_of, run)
        again = {
            one.change.event_id: early[one.change.event_id]
            for one in distinct
            if one.change.event_id in early and not (beside and _is_seen(one, live, beside))
        }
        return Checked(found.compared or frozenset(), tuple(findings), again)

    def _read(self, events: Collection[ChangeEvent], approved: Account) -> Account:
        """Read what the events name, the dependents of what they change, and the holders of policies they hand on."""
        altered, handed = _altered(events), _handed(events)
        policies = frozenset[str]().union(*(one.policies for one in events))
        reached = set(with_dependents(altered, (approved,)))
        for arn in policies:
            if policy_id(arn) in altered:
                reached |= self._reader.holders(arn)
        for group in [entity for entity in reached if entity.kind is EntityKind.GROUP]:
            reached |= self._reader.members(group.name)
        for arn in policies:
            if policy_id(arn) in handed - altered:
                reached |= self._reader.holders(arn)
        reached = reached.union(*(one.principals for one in events))
        principals = frozenset(entity for entity in reached if entity.kind in _PRINCIPALS)
        if len(principals) > MOST_READ_ALONE:
            return self._reader.snapshot().account
        return self._reader.read(Subjects(principals, policies))

    def _transient(self, events: Iterable[ChangeEvent], approved: Account, live: Account) -> list[Drift]:
        """Access that was given and is gone, unless an alert has reported it."""
        gone = list(transients(events, approved, live, self._scope, self._severities, Work(OF_TRANSIENTS)))
        known = [kept.value for kept in self._findings.of({one.drift.entity for one in gone})] if gone else []
        of_entity = {one.drift.entity: [f for f in known if f.drift.entity == one.drift.entity] for one in gone}
        return _most_severe_of_each(
            one.as_transient()
            for one in gone
            if not one.is_reported(
                with_its_actor_alerted(of_entity[one.drift.entity], self._attribution.marked(one.grant.event.change))
            )
        )


def _is_seen(event: ChangeEvent, live: Account, beside: Beside) -> bool:
    """Whether what was read surely shows the change; what ends without a claim matters where a finding still stands."""
    if event.claims:
        return event.change.event_id not in beside.unconfirmed
    if OPERATIONS.get(event.change.event_name) in _BESIDE_POLICIES:
        return event.principals.isdisjoint(drift.entity for drift in beside.drifts)
    return is_shown(event, live)


def _respelled(events: Iterable[ChangeEvent], account: Account) -> list[ChangeEvent]:
    return [one.respelled((account,)) for one in events]


def _altered(events: Iterable[ChangeEvent]) -> frozenset[EntityId]:
    return frozenset(entity for one in events for entity in one.altered)


def _handed(events: Iterable[ChangeEvent]) -> frozenset[EntityId]:
    return frozenset(entity for one in events for entity in one.handed)


def _most_severe_of_each(drifts_found: Iterable[Drift]) -> list[Drift]:
    """One for each finding."""
    by_id: dict[str, Drift] = {}
    for drift in drifts_found:
        if drift.finding_id not in by_id or drift.severity > by_id[drift.finding_id].severity:
            by_id[drift.finding_id] = drift
    return list(by_id.values())
