"""Which baseline is in force, and what happens when the one in the bucket is another.

The version in force is remembered apart from the bucket. Whatever happens there, it stays in force until a good one
takes its place; and that it took its place is told, with what it approves in addition.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.account import Account, EntityId
from policy_drift.domain.baseline import (
    Baseline,
    BaselineFormat,
    How,
    InForce,
    Intent,
    NothingApprovedError,
    UnusableBaselineError,
)
from policy_drift.domain.comparison.drifts import drifts
from policy_drift.domain.events import BaselineChanged, BaselineRefused
from policy_drift.domain.finding import Drift, Kind, Severity
from policy_drift.domain.language import Verdict
from policy_drift.domain.ports import BaselineRecords, BaselineStore, Kept, OvertakenError, Version
from policy_drift.domain.recording import LEASE, Delivery
from steward.clock import Clock
from steward.events import EventPublisher, PublishableEvent

UNTOLD = "unknown (no event told of the upload)"
_MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Approved:
    """What is in force.

    Attributes
    ----------
    baseline : Baseline
        What is approved.
    record : InForce
        Which version it is, and who put it there.
    drift : Drift or None
        What is wrong with the baseline itself.
    changed : frozenset of EntityId
        Entities whose approval this look has changed.
    """

    baseline: Baseline
    record: InForce
    drift: Drift | None = None
    changed: frozenset[EntityId] = frozenset()


class Approvals:
    """The baseline of one account."""

    def __init__(
        self,
        store: BaselineStore,
        records: BaselineRecords,
        baselines: BaselineFormat,
        publisher: EventPublisher,
        clock: Clock,
        account: str,
    ) -> None:
        self._store = store
        self._records = records
        self._format = baselines
        self._delivery = Delivery(publisher, clock)
        self._clock = clock
        self._account = account
        self._cached: tuple[str, Baseline] | None = None

    def in_force(self, capture: Callable[[], Account], uploaders: Mapping[str, str], run: str) -> Approved:
        """What is approved now; the first call ever approves what it finds, and says so.

        Parameters
        ----------
        capture
            Reads the account, for the first baseline.
        uploaders
            Who uploaded which version, where an event told it.
        run
            Correlates the events.

        Raises
        ------
        NothingApprovedError
            There was a baseline, and none can be read.
        """
        kept, latest = self._records.get(), self._store.latest()
        if kept:
            self._delivery.pick_up(self._records, self._records.id, kept.undelivered, run)
            if latest and latest.id == kept.value.version:
                return Approved(self._read(latest), kept.value)
            return self._another(kept, latest, uploaders, run)
        if latest:
            return self._first_upload(latest, capture(), uploaders.get(latest.id, UNTOLD), run)
        if self._store.was_ever_written():
            raise NothingApprovedError("the baseline is gone, and which version was in force is not known: upload one")
        return self._capture(capture(), run)

    def known(self) -> tuple[Baseline, InForce]:
        """What was in force at the last scan, without looking for another. Raises NothingApprovedError."""
        kept = self._records.get()
        if kept is None:
            raise NothingApprovedError("there is no baseline yet: ask for a scan")
        return self._good(kept.value), kept.value

    def link(self, record: InForce) -> str:
        """A link to a version that works for some minutes."""
        return self._store.link(record.version)

    def replace(self, baseline: Baseline, *, how: How, by: str, findings: list[str], run: str) -> Approved:
        """Put another baseline in force. Raises OvertakenError, NothingApprovedError."""
        kept, latest = self._records.get(), self._store.latest()
        text = self._format.write(baseline)
        before = self._good(kept.value) if kept else None
        if how is How.UPLOADED:
            self._format.refuse_bad_policies(text, baseline, before.account if before else None)
        if kept:
            record = replace(kept.value, intent=Intent(_digest(text), how, by, tuple(findings)))
            kept = Kept(record, self._save(kept, record, [], run))
        written = self._store.write(text, replaces=latest.etag if latest else None)
        try:
            return self._put_in_force(kept, before, baseline, written.id, how=how, by=by, findings=findings, run=run)
        except OvertakenError:
            # S3 told a scan of the new version, which was quicker to put it in force, as the intent says.
            now = self._records.get()
            if now is None or now.value.version != written.id:
                raise
            return Approved(baseline, now.value)

    def _another(self, kept: Kept[InForce], latest: Version | None, uploaders: Mapping[str, str], run: str) -> Approved:
        """The bucket has another version than the one in force, or none."""
        before = self._good(kept.value)
        if latest is None:
            drift = self._about(kept.value, Severity.CRITICAL, "missing", "The baseline was deleted.")
            return Approved(before, kept.value, drift)
        by = uploaders.get(latest.id, UNTOLD)
        try:
            baseline = self._read(latest)
            self._format.refuse_bad_policies(latest.text, baseline, before.account)
        except UnusableBaselineError as error:
            drift = self._about(
                kept.value, Severity.HIGH, latest.id, f"The baseline in the bucket cannot be used: {error}."
            )
            if kept.value.refused == latest.id:
                return Approved(before, kept.value, drift)
            refused = BaselineRefused(latest.id, kept.value.version, by, error.reason, error.line)
            record = replace(kept.value, refused=latest.id)
            self._save(kept, record, [refused], run)
            return Approved(before, record, drift)
        how, findings = How.UPLOADED, list[str]()
        intent = kept.value.intent
        if intent and intent.digest == _digest(latest.text):
            how, by, findings = intent.how, intent.by, list(intent.findings)
        return self._put_in_force(kept, before, baseline, latest.id, how=how, by=by, findings=findings, run=run)

    def _put_in_force(
        self,
        kept: Kept[InForce] | None,
        before: Baseline | None,
        baseline: Baseline,
        version: str,
        *,
        how: How,
        by: str,
        findings: list[str],
        run: str,
    ) -> Approved:
        changes = drifts(before.account, baseline.account).found if before else ()
        broader = [drift for drift in changes if drift.verdict in MAY_BE_MORE]
        severity = max((drift.severity for drift in changes), default=Severity.INFO)
        record = InForce(version, baseline.reviewed, by, how, self._clock.now())
        told = BaselineChanged(
            version=version,
            previous_version=kept.value.version if kept else "",
            how=how.value,
            by=by,
            severity=severity.name,
            summary=_summary(how, by, len(changes), len(broader)),
            newly_approved=[drift.finding_id for drift in broader[:_MOST_NAMED]],
            findings=findings,
        )
        self._save(kept, record, [told], run)
        return Approved(baseline, record, changed=frozenset(drift.entity for drift in changes))

    def _first_upload(self, latest: Version, live: Account, by: str, run: str) -> Approved:
        """An upload before any scan; or what a first scan wrote that died before it remembered it.

        A policy that IAM itself has is taken as it is.
        """
        try:
            baseline = self._read(latest)
            self._format.refuse_bad_policies(latest.text, baseline, live)
        except UnusableBaselineError as error:
            raise NothingApprovedError(f"the first baseline cannot be used: {error}") from error
        return self._put_in_force(None, None, baseline, latest.id, how=How.UPLOADED, by=by, findings=[], run=run)

    def _capture(self, account: Account, run: str) -> Approved:
        """The first baseline ever: what is there, read whole or not at all."""
        if account.unreadable:
            entity, reason = min(account.unreadable.items())
            raise NothingApprovedError(
                f"there is no first baseline while {len(account.unreadable)} could not be read; {entity}: {reason}"
            )
        baseline = Baseline(account, reviewed=False)
        written = self._store.write(self._format.write(baseline), replaces=None)
        return self._put_in_force(
            None, None, baseline, written.id, how=How.CAPTURED, by="the first scan", findings=[], run=run
        )

    def _save(self, kept: Kept[InForce] | None, record: InForce, tell: list[PublishableEvent], run: str) -> int:
        until = self._clock.now() + LEASE
        revision = self._records.save(record, after=kept.revision if kept else 0, tell=tell, until=until)
        if tell:
            self._delivery.deliver(self._records, [(self._records.id, revision, tell)], run)
        return revision

    def _good(self, record: InForce) -> Baseline:
        """The version in force, by its id; a version never changes, so it is read once."""
        if self._cached and self._cached[0] == record.version:
            return self._cached[1]
        version = self._store.read(record.version)
        if version is None:
            raise NothingApprovedError(f"the version of the baseline in force, {record.version}, is gone: upload one")
        baseline = self._read(version)
        self._cached = record.version, baseline
        return baseline

    def _read(self, version: Version) -> Baseline:
        return self._format.read(version.text, account=self._account)

    def _about(self, record: InForce, severity: Severity, seen: str, what: str) -> Drift:
        """What is wrong with the baseline itself."""
        return Drift(
            entity=EntityId(f"account/{self._account}"),
            arn="",
            kind=Kind.BASELINE,
            verdict=Verdict.UNKNOWN,
            severity=severity,
            summary=f"{what} The last good version, {record.version}, stays in force.",
            fingerprint=seen,
            approved={"version": record.version},
            live={"version": seen},
        )


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _summary(how: How, by: str, changes: int, broader: int) -> str:
    if how is How.CAPTURED:
        return "The first scan approved what it found; nobody has reviewed it."
    return f"Another baseline is in force, {how.value} by {by}: {changes} differences, {broader} of which approve more."
