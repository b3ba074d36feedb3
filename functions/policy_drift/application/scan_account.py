"""Scan the whole account: the guarantee that nothing is missed."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from policy_drift.application.attribute_changes import AttributeChanges
from policy_drift.application.baseline_in_force import Approved, BaselineInForce, BaselineLostError
from policy_drift.application.find_credentials import FindCredentials
from policy_drift.application.ports import AccountReader, KeyInventory, PublicationPendingError, ReportStore, Snapshot
from policy_drift.application.record_findings import RecordFindings, ScanResult
from policy_drift.application.review_capture import ReviewCapture
from policy_drift.domain.access.work import OF_A_SCAN, OF_RECORDING, Work
from policy_drift.domain.access_keys import AccessKeys
from policy_drift.domain.account import Account
from policy_drift.domain.baseline import InForce
from policy_drift.domain.changes.expected_events import is_without_event
from policy_drift.domain.comparison.drifts import Drifts, drifts_in_rounds
from policy_drift.domain.events import DriftScanCompleted, DriftScanFailed
from policy_drift.domain.finding import Change, Drift, Finding, Kind, State
from policy_drift.domain.lifecycle import Explanation
from policy_drift.domain.scope import Scope
from policy_drift.report.document import Coverage, Report, as_document
from policy_drift.report.finding_events import FindingEvents
from policy_drift.report.html import render
from steward.clock import Clock
from steward.errors import StewardError
from steward.events import EventPublisher
from steward.severities import DriftSeverities
from steward.severity import Severity

NOT_COVERED = (
    "Credentials, identity providers, instance profiles and tags, but for changes that an event announced",
    "Session lengths, account aliases and the password policy",
    "Resource policies, service control policies and session policies",
)
"""Not in GetAccountAuthorizationDetails, or not read by the comparison."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A scan that compared the account; ``without_event`` counts new findings without an event that announced them."""

    event: DriftScanCompleted
    findings: tuple[Finding, ...]
    without_event: int


class ScanAccount:
    """Scans one account."""

    def __init__(
        self,
        reader: AccountReader,
        baseline_in_force: BaselineInForce,
        recorder: RecordFindings,
        attribution: AttributeChanges,
        credentials: FindCredentials,
        review: ReviewCapture,
        keys: KeyInventory,
        reports: ReportStore,
        publisher: EventPublisher,
        clock: Clock,
        *,
        scope: Scope,
        severities: DriftSeverities,
        account: str,
        region: str,
        steps: int = OF_A_SCAN,
    ) -> None:
        self._reader = reader
        self._baseline = baseline_in_force
        self._recorder = recorder
        self._attribution = attribution
        self._credentials = credentials
        self._review = review
        self._keys = keys
        self._reports = reports
        self._publisher = publisher
        self._clock = clock
        self._scope = scope
        self._severities = severities
        self._account = account
        self._region = region
        self._steps = steps

    def scan(
        self, scan_id: str, writers: Mapping[str, Change], until: datetime | None = None
    ) -> Completed | DriftScanFailed:
        """Compare, record, report and publish: what is cheap to compare is recorded first. A failure is published, too.

        Parameters
        ----------
        scan_id
            Correlates its events.
        writers
            Who uploaded or deleted versions of the baseline, if an event said so.
        until
            When no other comparison may begin; never by default. The next scan begins with what is left.

        Raises
        ------
        PublicationPendingError
            What was found is recorded, and not every alert is published: scan again.
        UpstreamError
            The bus did not take the end of the scan.
        """
        started = self._clock.now()
        try:
            snapshot = self._reader.snapshot()
            approved = self._approved(scan_id, started, snapshot, writers)
            completed = self._compare(scan_id, started, snapshot, approved, until)
        except PublicationPendingError:
            raise
        except StewardError as error:
            failed = DriftScanFailed(scan_id, str(error), error.code)
            self._publisher.publish([failed], correlation_id=scan_id)
            return failed
        self._publisher.publish([completed.event], correlation_id=scan_id)
        return completed

    def _approved(self, scan_id: str, started: datetime, snapshot: Snapshot, writers: Mapping[str, Change]) -> Approved:
        """The approved state. A lost baseline is a finding, and the only one of this scan."""
        try:
            return self._baseline.in_force(lambda: snapshot.account, writers, scan_id)
        except BaselineLostError as error:
            result = ScanResult(Drifts((error.drift,), compared=frozenset()), started)
            nothing = Account(self._account)
            events = FindingEvents(nothing, snapshot.account)
            explain = self._explain(started, nothing, snapshot.account, error.causes)
            self._recorder.record(result, explain, events, scan_id)
            raise

    def _explain(
        self,
        started: datetime,
        approved: Account,
        live: Account,
        causes: tuple[Change, ...],
        in_force: InForce | None = None,
    ) -> Callable[[Drift], Explanation]:
        """Explain changes of the baseline by S3's events, all others by CloudTrail's history."""
        from_history = self._attribution.from_history(started, approved, live, in_force)
        of_baseline = Explanation(causes)
        return lambda drift: of_baseline if drift.kind is Kind.BASELINE else from_history(drift)

    def _access_keys(self) -> AccessKeys | str:
        """The account's keys, or why they are not known; the report is written without them, too."""
        try:
            return self._keys.read()
        except StewardError as error:
            return str(error)

    def _compare(
        self, scan_id: str, started: datetime, snapshot: Snapshot, approved: Approved, until: datetime | None
    ) -> Completed:
        live, baseline = snapshot.account, approved.baseline.account
        progress = self._recorder.progress(self._account)
        rounds = drifts_in_rounds(
            baseline,
            live,
            severities=self._severities,
            scope=self._scope,
            work=Work(self._steps, lambda: until is not None and self._clock.now() >= until),
            first=progress.first,
            apart=progress.apart,
            without=progress.without,
            progress=progress.at,
        )
        recording, of_baseline = Work(OF_RECORDING), (approved.drift,) if approved.drift else ()
        beside = (*of_baseline, *self._credentials.found((), None, baseline, live).drifts)
        for found in rounds:
            findings = self._recorder.record(
                ScanResult(
                    replace(found, found=(*beside, *found.found)), started, approved.changed, recording, approved.record
                ),
                self._explain(started, baseline, live, approved.causes, approved.record),
                FindingEvents(baseline, live),
                scan_id,
            )
        progress.end()
        coverage = Coverage(
            entities={
                "users": len(live.users),
                "groups": len(live.groups),
                "roles": len(live.roles),
                "policies": len(live.policies),
            },
            aws_calls=snapshot.aws_calls,
            unreadable={str(entity): why for entity, why in live.unreadable.items()},
            seconds=(self._clock.now() - started).total_seconds(),
        )
        to_review = self._review.of(
            approved.baseline, Work(self._steps, lambda: until is not None and self._clock.now() >= until)
        )
        report = Report(
            account=self._account,
            region=self._region,
            scan_id=scan_id,
            started=started,
            baseline_version=approved.record.version,
            baseline_reviewed=approved.record.reviewed,
            baseline_changed=approved.record.since,
            coverage=coverage,
            findings=tuple(findings),
            not_looked_at=NOT_COVERED,
            left_to_review=to_review.left,
            also_approved=to_review.besides,
            review_unread=to_review.unread,
            access_keys=self._access_keys(),
        )
        document = as_document(report, approved=baseline, live=live)
        texts = {"html": render(document), "json": json.dumps(document, indent=2, ensure_ascii=False)}
        key = self._reports.put(scan_id, texts)
        still_open = Counter(finding.drift.severity for finding in findings if finding.state is State.OPEN)
        event = DriftScanCompleted(
            scan_id=scan_id,
            baseline_version=approved.record.version,
            baseline_reviewed=approved.record.reviewed,
            entities=dict(coverage.entities),
            aws_calls=coverage.aws_calls,
            seconds=round(coverage.seconds, 3),
            unreadable=sorted(coverage.unreadable),
            open_findings={severity.name: still_open[severity] for severity in Severity if still_open[severity]},
            report=key,
        )
        since = approved.record.since
        without_event = sum(is_without_event(finding, started, since) for finding in findings)
        return Completed(event, tuple(findings), without_event)
