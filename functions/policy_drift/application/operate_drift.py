"""Answer operators: list and acknowledge findings, request scans, replace the baseline, adopt findings."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from policy_drift import baseline_document
from policy_drift.application.baseline_in_force import (
    Approved,
    BaselineInForce,
    ComparisonUnfinishedError,
    LargeBaselineError,
)
from policy_drift.application.find_credentials import FindCredentials
from policy_drift.application.ports import (
    AccountReader,
    BaselineUploads,
    Findings,
    Kept,
    ReportLink,
    ReportReplacedError,
    ReportStore,
    ScanTrigger,
    UploadLink,
)
from policy_drift.application.record_findings import LEASE, Outbox, RecordFindings, ScanResult
from policy_drift.application.review_capture import ReviewCapture
from policy_drift.domain import baseline, lifecycle
from policy_drift.domain.access.work import OF_A_BASELINE, OF_A_REQUEST, Work
from policy_drift.domain.account import Account, EntityId
from policy_drift.domain.baseline import Acceptance, Adoption, Baseline, InForce, Origin
from policy_drift.domain.beside_policies import KINDS as BESIDE_POLICIES
from policy_drift.domain.comparison.drifts import Drifts, drifts
from policy_drift.domain.decision import Decision, refuse_own_changes
from policy_drift.domain.dependents import shared_policies
from policy_drift.domain.events import DriftReportRefused
from policy_drift.domain.finding import Acknowledgement, Drift, Finding, Kind, State
from policy_drift.domain.lifecycle import Explanation
from policy_drift.domain.scope import Scope
from policy_drift.report.finding_events import FindingEvents, acknowledgement
from policy_drift.report.remediation import Remediation, Remedies
from steward.clock import Clock
from steward.errors import (
    ConflictError,
    NotFoundError,
    PreconditionFailedError,
    RuleViolationError,
    UpstreamError,
)
from steward.events import EventPublisher
from steward.severities import DriftSeverities

MOST_ADOPTED = 200
FOR_COMPARING = timedelta(seconds=15)
"""After this time of a request no comparison of another principal begins: the gateway waits 29 seconds."""
_NOT_COMPARED = BESIDE_POLICIES | {Kind.BASELINE, Kind.UNREADABLE}
"""Kinds of findings about which a comparison of some entities with the baseline says nothing."""

type Rank = tuple[int, str]
"""A finding's place among others: the most severe first, then by id."""


@dataclass(frozen=True, slots=True)
class AcknowledgementRequest:
    """The body of an acknowledgement."""

    reason: str
    owner: str
    expires: datetime
    fingerprint: str
    reference: str = ""


class OperateDrift:
    """The operators' use cases."""

    def __init__(
        self,
        findings: Findings,
        baseline_in_force: BaselineInForce,
        reader: AccountReader,
        recorder: RecordFindings,
        reports: ReportStore,
        uploads: BaselineUploads,
        trigger: ScanTrigger,
        credentials: FindCredentials,
        review: ReviewCapture,
        publisher: EventPublisher,
        clock: Clock,
        *,
        scope: Scope,
        severities: DriftSeverities,
        account: str,
        largest: int,
        four_eyes: bool = False,
    ) -> None:
        self._findings = findings
        self._baseline = baseline_in_force
        self._reader = reader
        self._recorder = recorder
        self._reports = reports
        self._uploads = uploads
        self._trigger = trigger
        self._credentials = credentials
        self._review = review
        self._publisher = publisher
        self._outbox = Outbox(publisher, clock)
        self._clock = clock
        self._scope = scope
        self._severities = severities
        self._account = account
        self._largest = largest
        self._four_eyes = four_eyes

    def in_states(self, states: Collection[State], after: Rank | None = None) -> list[Finding]:
        """The findings in these states, the most severe first; with ``after``, those that come after that place."""
        now = self._clock.now()
        found = [one for kept in self._findings.all() if (one := lifecycle.at(kept.value, now)).state in states]
        return sorted((one for one in found if after is None or rank(one) > after), key=rank)

    def show(self, finding_id: str) -> Finding:
        """One finding. Raises NotFoundError."""
        return lifecycle.at(self._kept(finding_id).value, self._clock.now())

    def revert(self, finding: Finding) -> Remediation | None:
        """How a finding is reverted, from the account as it is now; None for a resolved one."""
        if finding.state is State.RESOLVED:
            return None
        try:
            approved, _ = self._baseline.known(at_once=True)
            return Remedies(approved.account, self._reader.snapshot().account).of(finding.drift)
        except (ConflictError, UpstreamError) as error:
            return Remediation(refused=f"How to revert it is not known: the account could not be compared ({error}).")

    def acknowledge(self, finding_id: str, given: AcknowledgementRequest, by: Decision, run: str) -> Finding:
        """Acknowledge a finding in its current form; `lifecycle.acknowledged` says what is refused."""
        now = self._clock.now()
        acknowledging = Acknowledgement(
            by.by,
            given.owner.strip(),
            given.reason.strip(),
            given.fingerprint,
            now,
            given.expires,
            by.session,
            given.reference.strip(),
        )
        if captured := self._captured({finding_id: given.fingerprint}):
            finding = lifecycle.acknowledged(Finding(captured[finding_id], State.OPEN, now, now), acknowledging)
            until = given.expires.isoformat()
            kept_until = Acceptance(given.fingerprint, by.by, now.isoformat(), acknowledging.reason,
                                    acknowledging.owner, until)  # fmt: skip
            self._accept({finding_id: kept_until}, captured, by, run)
            return finding
        kept = self._kept(finding_id)
        self._refuse_own(by, kept.value)
        if kept.value.is_unread:
            raise PreconditionFailedError(
                f"the record of {finding_id} cannot be read: request a scan (POST /drift/scans), then read it again"
            )
        finding = lifecycle.acknowledged(kept.value, acknowledging)
        events = [acknowledgement(finding)]
        revision = self._findings.save(finding, after=kept.revision, events=events, until=now + LEASE)
        self._outbox.deliver(self._findings, [(finding.id, revision, events)], run)
        return finding

    def request_scan(self, scan_id: str, by: str) -> None:
        """Request a scan without waiting for it."""
        self._trigger.request(scan_id, by)

    def report(self, extension: str, by: str, run: str) -> ReportLink:
        """A link to the latest report.

        Raises
        ------
        NotFoundError
            There is none yet.
        ReportReplacedError
            The bucket holds another one; that is published.
        """
        try:
            link = self._reports.link(extension)
        except ReportReplacedError as error:
            refused = DriftReportRefused(error.key, error.version, error.expected, error.found, by)
            self._publisher.publish([refused], correlation_id=run)
            raise
        if link is None:
            raise NotFoundError("there is no report yet: request a scan")
        return link

    def baseline(self) -> tuple[InForce, str, list[Finding]]:
        """The version in force, a link to it, and the findings that are acknowledged."""
        record = self._baseline.record()
        if record is None or not record.is_large:
            _, record = self._baseline.known()
        return record, self._baseline.link(record), self.in_states({State.ACKNOWLEDGED})

    def upload_link(self, sha256: str, size: int) -> UploadLink:
        """A link for one text that is too long for a request; nothing of it is in force before `uploaded` names it."""
        if not 0 < size <= self._largest:
            raise RuleViolationError(
                f"a baseline has from 1 to {self._largest} bytes (a stack with more DriftMemory reads more)"
            )
        return self._uploads.link(sha256, size)

    def uploaded(self, sha256: str) -> bytes:
        """The text that was sent to a link. Raises ConflictError."""
        text = self._uploads.read(sha256)
        if text is None or hashlib.sha256(text).hexdigest() != sha256:
            raise ConflictError(f"there is no upload {sha256}: it was not sent, or a day ago; ask for a link again")
        return text

    def upload(self, text: bytes, *, replaces: str | None, by: Decision, run: str) -> InForce | None:
        """Put another baseline in force, and request a scan, which does that with a text that is too large to be read.

        Parameters
        ----------
        replaces
            The version that the caller has seen; None to replace any version.

        Returns
        -------
        InForce or None
            What is in force now; None where the scan puts it in force: it is too large, or too much differs.
        """
        until = self._clock.now() + FOR_COMPARING
        uploaded = baseline_document.read(text, account=self._account) if len(text) <= baseline.AT_ONCE else None
        before = self._baseline.record()
        if replaces is not None and (before is None or before.version != replaces):
            raise PreconditionFailedError("another baseline is in force than the one in If-Match; read it again")
        if uploaded is None or (before and before.is_large):
            self._baseline.propose(text, by=by, run=run, based_on=replaces)
            self._trigger.request(run, by.by)
            return None
        try:
            record = self._baseline.replace(
                uploaded, origin=Origin.UPLOADED, by=by, findings=[], run=run, based_on=replaces, until=until
            ).record
        except ComparisonUnfinishedError:
            record = None
        self._trigger.request(run, by.by)
        return record

    def adopt(self, reviewed: Mapping[str, str], by: Decision, run: str) -> tuple[InForce, list[Drift]]:
        """Approve findings in the form that was reviewed, and nothing else.

        Parameters
        ----------
        reviewed
            Fingerprints by finding id.

        Returns
        -------
        tuple
            What is in force now, and what was approved.

        Raises
        ------
        NotFoundError
            There is no such finding.
        PreconditionFailedError
            The account has moved on: a fingerprint is another one now, or a finding is resolved.
        ConflictError
            The baseline is too large to be changed in a request. It would approve more than was reviewed; the message
            names what must be reviewed with it. Or the time of a request does not suffice to compare what it is about.
        """
        if not reviewed or len(reviewed) > MOST_ADOPTED:
            raise RuleViolationError(f"adopt from 1 to {MOST_ADOPTED} findings at a time")
        if captured := self._captured(reviewed):
            return self._keep(captured, reviewed, by, run)
        wanted = [self._open(finding_id, by) for finding_id in reviewed]
        read_at = self._clock.now()
        until = read_at + FOR_COMPARING
        approved, record = self._baseline.known(at_once=True)
        live = self._reader.snapshot().account
        now = self._compared(approved.account, live, wanted, until, known=wanted)
        beside = [drift for drift in wanted if drift.kind in BESIDE_POLICIES]
        confirmed = [self._credentials.confirmed(drift, approved.account, live) for drift in beside]
        there = {drift.finding_id: drift for drift in (*now.found, *filter(None, confirmed))}
        for drift in wanted:
            _check_is_still(there.get(drift.finding_id), drift.finding_id, reviewed[drift.finding_id])
        adoption = Adoption.of(wanted, shared_policies(approved.account, self._scope))
        adopted = baseline.adopted(approved.account, live, adoption)
        changes = self._changes_of(wanted, approved.account, adopted, now.renamed, until)
        left = self._compared(adopted, live, wanted, until)
        _refuse_to_leave(wanted, left)
        in_force = self._baseline.replace(
            replace(approved, account=adopted),
            origin=Origin.ADOPTED,
            by=by,
            findings=sorted(reviewed),
            run=run,
            based_on=record.version,
            changes=changes,
        )
        self._resolve(in_force, left, live, read_at, wanted, run)
        return in_force.record, [there[drift.finding_id] for drift in wanted]

    def _captured(self, reviewed: Mapping[str, str]) -> dict[str, Drift]:
        """Those of them that the first scan approved in this form, and that are not reviewed yet; by id."""
        try:
            approved, _ = self._baseline.known(at_once=True)
        except LargeBaselineError:
            if all(self._findings.get(one) is None for one in reviewed):
                raise
            return {}
        except ConflictError:
            return {}
        return self._review.found(approved, reviewed, Work(OF_A_REQUEST))

    def _keep(
        self, captured: Mapping[str, Drift], reviewed: Mapping[str, str], by: Decision, run: str
    ) -> tuple[InForce, list[Drift]]:
        """Keep for good what the first scan approved; when nothing is left to review, the baseline is reviewed."""
        if others := sorted(reviewed.keys() - captured.keys()):
            raise RuleViolationError(
                f"adopt {', '.join(others)} in a call of its own: the first scan did not accept it"
            )
        kept = {
            name: Acceptance(drift.fingerprint, by.by, self._clock.now().isoformat(), by.reason)
            for name, drift in captured.items()
        }
        in_force = self._accept(kept, captured, by, run)
        return in_force.record, list(captured.values())

    def _accept(
        self, kept: Mapping[str, Acceptance], captured: Mapping[str, Drift], by: Decision, run: str
    ) -> Approved:
        approved, record = self._baseline.known(at_once=True)
        keys = [drift for name, drift in captured.items() if drift.kind in BESIDE_POLICIES and not kept[name].until]
        account = baseline.adopted(approved.account, approved.account, Adoption.of(keys))
        after = Baseline(account, reviewed=False, accepted={**approved.accepted, **kept})
        left = self._review.of(after, Work(OF_A_REQUEST))
        if not (left.left or left.unread or any(one.until for one in after.accepted.values())):
            after = Baseline(account, reviewed=True)
        return self._baseline.replace(
            after, origin=Origin.ADOPTED, by=by, findings=sorted(kept), run=run, based_on=record.version
        )

    def _changes_of(
        self,
        wanted: "list[Drift]",
        approved: Account,
        adopted: Account,
        renamed: Mapping[EntityId, EntityId],
        until: datetime,
    ) -> tuple[Drift, ...]:
        """What the adoption changes in the baseline. Raises ConflictError if that is more than was reviewed."""
        for flaw in baseline.flaws(adopted):
            raise ConflictError(f"adopt what this names with it: {'.'.join(map(str, flaw.place))}: {flaw.reason}")
        work = Work(OF_A_BASELINE, lambda: self._clock.now() >= until)
        compared = drifts(approved, adopted, severities=self._severities, scope=self._scope, known=wanted, work=work)
        _refuse_unfinished(compared)
        changes = compared.found
        under_live_names = {replace(one, entity=renamed.get(one.entity, one.entity)).finding_id for one in changes}
        if besides := sorted(under_live_names - {drift.finding_id for drift in wanted}):
            raise ConflictError(f"that would approve more than was reviewed: review and add {', '.join(besides)}")
        return changes

    def _compared(
        self,
        approved: Account,
        live: Account,
        wanted: "list[Drift]",
        until: datetime,
        known: Iterable[Drift] = (),
    ) -> Drifts:
        """Compare the entities to adopt alone; a whole account takes longer than a request may."""
        compared = drifts(
            approved,
            live,
            severities=self._severities,
            scope=self._scope,
            only=frozenset(drift.entity for drift in wanted),
            known=known,
            work=Work(OF_A_REQUEST, lambda: self._clock.now() >= until),
        )
        _refuse_unfinished(compared)
        return compared

    def _resolve(
        self, approved: Approved, found: Drifts, live: Account, read_at: datetime, wanted: "list[Drift]", run: str
    ) -> None:
        """Resolve the adopted findings now, not at the next scan."""
        compared, adopted = found.compared or frozenset(), {drift.finding_id for drift in wanted}
        # Of the same entities, what this comparison does not look at stays as it is.
        others = [
            kept.value.drift
            for kept in self._findings.of(compared)
            if kept.value.state is not State.RESOLVED
            and kept.value.drift.kind in _NOT_COMPARED
            and kept.value.id not in adopted
        ]
        result = ScanResult(replace(found, found=(*found.found, *others)), read_at, compared)
        self._recorder.record(result, lambda _: Explanation(), FindingEvents(approved.baseline.account, live), run)

    def _refuse_own(self, by: Decision, finding: Finding) -> None:
        if self._four_eyes:
            refuse_own_changes(by, finding.id, finding.changes)

    def _open(self, finding_id: str, by: Decision) -> Drift:
        finding = self._kept(finding_id).value
        self._refuse_own(by, finding)
        if finding.state is State.RESOLVED:
            raise PreconditionFailedError(
                f"{finding_id} is resolved; if it is there again, the next scan or check opens it: read it then"
            )
        drift = finding.drift
        if drift.kind in baseline.NOT_ADOPTABLE:
            raise RuleViolationError(f"{finding_id} does not describe the current account; it cannot be adopted")
        return drift

    def _kept(self, finding_id: str) -> Kept[Finding]:
        kept = self._findings.get(finding_id)
        if kept is None:
            raise NotFoundError(f"there is no finding {finding_id!r}; GET /drift/findings lists them")
        return kept


def rank(finding: Finding) -> Rank:
    """Its place in a list of findings."""
    return -finding.drift.severity, finding.id


def _refuse_unfinished(compared: Drifts) -> None:
    """Refuse an adoption about which not everything could be compared: too much has changed since the last scan."""
    if compared.left:
        raise ConflictError(
            f"{len(compared.left)} principals are too many to be compared in one call: they have changed since the last"
            " scan (request one, POST /drift/scans), or another policy of theirs differs (adopt its finding with it)"
        )


def _refuse_to_leave(wanted: Iterable[Drift], after: Drifts) -> None:
    """Refuse an adoption after which one of the findings would still be there."""
    if left := sorted({drift.finding_id for drift in after.found} & {drift.finding_id for drift in wanted}):
        raise ConflictError(f"{', '.join(left)} would remain: adopt it with the groups and policies that it is about")


def _check_is_still(drift: Drift | None, finding_id: str, fingerprint: str) -> None:
    if drift is None:
        raise PreconditionFailedError(f"{finding_id} is resolved: the account has changed since")
    if drift.fingerprint != fingerprint:
        raise PreconditionFailedError(
            f"{finding_id} has changed since it was reviewed: its fingerprint is {drift.fingerprint} now; read it again"
        )
