"""Which baseline is in force, and what happens when the bucket holds another one.

The version in force is recorded outside the bucket. It stays in force until a valid one replaces it; the replacement
is published with what it approves in addition. If the previous approval is unknown, anything may be new: that is
CRITICAL.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from iam_policy import Verdict
from policy_drift import baseline_document
from policy_drift.application.ports import (
    BaselineRecords,
    BaselineStore,
    ConcurrentUpdateError,
    Kept,
    NotVersionedError,
    Version,
)
from policy_drift.application.record_findings import LEASE, Outbox
from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.access.work import OF_A_BASELINE, Work
from policy_drift.domain.account import Account, EntityId, policy_id
from policy_drift.domain.baseline import (
    Baseline,
    InForce,
    Intent,
    NothingApprovedError,
    Origin,
    UnusableBaselineError,
    flaws,
)
from policy_drift.domain.comparison.beside_drifts import beside_drifts
from policy_drift.domain.comparison.drifts import drifts
from policy_drift.domain.decision import Decision
from policy_drift.domain.dependents import entity_id
from policy_drift.domain.events import BaselineChanged, BaselineRefused
from policy_drift.domain.finding import Change, Drift, Kind
from steward.clock import Clock
from steward.errors import ConflictError
from steward.events import EventPublisher, PublishableEvent
from steward.severities import DriftSeverities
from steward.severity import Severity

UNANNOUNCED = "unknown (no event announced the upload)"
DELETED = "Object Deleted"
"""S3's event of a deletion. https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html"""
_MOST_NAMED = 50
_MOST_LINES = 40


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
    causes : tuple of Change
        The events that caused it, if any arrived.
    changed : frozenset of EntityId
        Entities whose approval this run has changed.
    """

    baseline: Baseline
    record: InForce
    drift: Drift | None = None
    causes: tuple[Change, ...] = ()
    changed: frozenset[EntityId] = frozenset()


class BaselineLostError(ConflictError):
    """The baseline in force cannot be read any more: nothing can be compared.

    ``drift`` describes what is wrong with it; ``causes`` are the events that caused it, if any arrived.
    """

    def __init__(self, drift: Drift, causes: tuple[Change, ...] = ()) -> None:
        super().__init__(drift.summary)
        self.drift = drift
        self.causes = causes


class ComparisonUnfinishedError(ConflictError):
    """Too much differs from the baseline before: the next scan compares them, and puts the new one in force."""


class LargeBaselineError(ConflictError):
    """The baseline is too large to be read, changed and written in the time of a request."""


class BaselineInForce:
    """The baseline of one account."""

    def __init__(
        self,
        store: BaselineStore,
        records: BaselineRecords,
        publisher: EventPublisher,
        clock: Clock,
        account: str,
        severities: DriftSeverities,
        largest: int,
    ) -> None:
        self._store = store
        self._records = records
        self._outbox = Outbox(publisher, clock)
        self._clock = clock
        self._account = account
        self._lost_severity = Severity[severities.baseline_lost]
        self._severities = severities
        self._largest = largest
        self._cached: tuple[str, Baseline] | None = None

    def in_force(self, capture: Callable[[], Account], writers: Mapping[str, Change], run: str) -> Approved:
        """Return the approved state; the first call ever captures the account as it is, and publishes that.

        Parameters
        ----------
        capture
            Reads the account, for the first baseline.
        writers
            Who uploaded or deleted which version, if an event said so.
        run
            Correlates the events.

        Raises
        ------
        NothingApprovedError
            There is no baseline yet, and none can be captured.
        BaselineLostError
            There was a baseline, and neither it nor a good upload can be read.
        """
        try:
            return self._found(capture, writers, run)
        except ConcurrentUpdateError:  # a scan that began at the same time put it in force first: read what it wrote
            return self._found(capture, writers, run)

    def _found(self, capture: Callable[[], Account], writers: Mapping[str, Change], run: str) -> Approved:
        kept = self._records.get()
        if kept:
            self._outbox.pick_up(self._records, self._records.id, kept.undelivered, run)
        try:
            latest = self._store.latest()
        except NotVersionedError as error:
            drift = self._about(kept, self._lost_severity, "unversioned", f"The baseline cannot be trusted: {error}.")
            if kept is None:
                raise BaselineLostError(drift, tuple(writers.values())) from error
            return Approved(self._good(kept.value), kept.value, drift, tuple(writers.values()))
        if kept and latest and latest.id == kept.value.version:
            return Approved(self._good(kept.value, latest), kept.value)
        if kept:
            return self._another(kept, latest, writers, run)
        if latest:
            return self._unrecorded(latest, capture(), writers, run)
        if self._store.writes():
            raise self._forgotten(_deletions(writers))
        return self._capture(capture(), run)

    def known(self, *, at_once: bool = False) -> tuple[Baseline, InForce]:
        """Return the version in force at the last scan, without a look at the bucket; ``at_once`` for a request.

        Raises
        ------
        LargeBaselineError
            A request has no time to read it.
        NothingApprovedError
            There is no baseline yet.
        BaselineLostError
            There was one, and it cannot be read.
        """
        kept = self._records.get()
        if kept is None and self._store.writes():
            raise self._forgotten()
        if kept is None:
            raise NothingApprovedError("there is no baseline yet: request a scan")
        if at_once and kept.value.is_large:
            raise LargeBaselineError(
                f"the baseline has {kept.value.size} bytes, too many for one call: change the file, and send it"
                " to a link (POST /drift/baseline/uploads, or steward drift baseline pull and push)"
            )
        return self._good(kept.value), kept.value

    def record(self) -> InForce | None:
        """The record of the version in force, without a look at the version; None where there is none."""
        kept = self._records.get()
        return kept.value if kept else None

    def link(self, record: InForce) -> str:
        """A link to a version that works for some minutes."""
        return self._store.link(record.version)

    def replace(
        self,
        baseline: Baseline,
        *,
        origin: Origin,
        by: Decision,
        findings: list[str],
        run: str,
        based_on: str | None = None,
        changes: Sequence[Drift] | None = None,
        until: datetime | None = None,
    ) -> Approved:
        """Put another baseline in force.

        Parameters
        ----------
        based_on
            The version that the decision was based on; None to replace any version.
        changes
            How it differs from that version in what IAM's documents say, if the caller knows; compared by default.
        until
            When no other comparison with the one before may begin; never by default.

        Raises
        ------
        ComparisonUnfinishedError
            It is written, and the next scan puts it in force as this call would have.
        ConcurrentUpdateError
            Another version is in force, or the bucket has an upload that no scan has seen: it would be lost unread.
        """
        kept, latest = self._records.get(), self._store.latest()
        _refuse_stale(kept, latest, origin, based_on)
        before = self._good_or_none(kept.value) if kept else None
        is_first = kept is None and not self._store.writes()
        text = self._text_of(baseline)
        if origin is Origin.UPLOADED:
            baseline_document.refuse_bad_policies(text, baseline, before.account if before else None)
        intent = self._intent(text, origin, by, findings)
        if kept:
            kept = self._intending(kept, intent, run)
        written = self._store.write(text, replaces=latest.etag if latest else None)
        try:
            return self._put_in_force(
                kept,
                before,
                baseline,
                written,
                intent,
                run,
                size=len(text),
                is_first=is_first,
                changes=changes,
                until=until,
            )
        except ConcurrentUpdateError:
            # S3's event of the new version started a scan, which put it in force first, as the intent says.
            now = self._records.get()
            if now is None or now.value.version != written.id:
                raise
            return Approved(baseline, now.value)

    def propose(self, text: bytes, *, by: Decision, run: str, based_on: str | None = None) -> None:
        """Write a text that is too large to be read in a request: the next scan checks it, and puts it in force.

        Raises
        ------
        ConcurrentUpdateError
            As of `replace`.
        """
        kept, latest = self._records.get(), self._store.latest()
        _refuse_stale(kept, latest, Origin.UPLOADED, based_on)
        intent = self._intent(text, Origin.UPLOADED, by)
        if kept:
            self._intending(kept, intent, run)
        self._store.write(text, replaces=latest.etag if latest else None)
        now = self._records.get()
        if now and kept and now.value == replace(kept.value, intent=now.value.intent) and now.value.intent != intent:
            with suppress(ConcurrentUpdateError):  # the text is written, and a scan has it in hand
                self._intending(now, intent, run)  # another call saved its own, and failed to write

    def _intent(self, text: bytes, origin: Origin, by: Decision, findings: Sequence[str] = ()) -> Intent:
        found, now = tuple(findings), self._clock.now()
        return Intent(_digest(text), origin, by.by, found, by.session, by.reason, by.reference, now)

    def _intending(self, kept: Kept[InForce], intent: Intent, run: str) -> Kept[InForce]:
        record = replace(kept.value, intent=intent)
        return Kept(record, self._save(kept, record, [], run))

    def _another(
        self, kept: Kept[InForce], latest: Version | None, writers: Mapping[str, Change], run: str
    ) -> Approved:
        """Handle a bucket with a latest version that is not the one in force, or with none."""
        if latest is None:
            causes = _deletions(writers)
            drift = self._about(kept, self._lost_severity, "missing", "The baseline was deleted.")
            return Approved(self._good(kept.value, causes=causes), kept.value, drift, causes)
        before, intent = self._good_or_none(kept.value), kept.value.intent
        if intent is None or not intent.is_behind(_digest(latest.text), latest.written):
            intent = _upload(latest, writers)
        try:
            baseline = self._read(latest)
            baseline_document.refuse_bad_policies(latest.text, baseline, before.account if before else None)
            size = self._size_of(baseline)
        except UnusableBaselineError as error:
            return self._refused(kept, before, latest, error, intent.by, _causes(latest, writers), run)
        return self._put_in_force(kept, before, baseline, latest, intent, run, size=size)

    def _refused(
        self,
        kept: Kept[InForce],
        before: Baseline | None,
        latest: Version,
        error: UnusableBaselineError,
        by: str,
        causes: tuple[Change, ...],
        run: str,
    ) -> Approved:
        """Refuse an invalid upload once; the version in force stays, if it can be read."""
        record = kept.value
        if record.refused != latest.id:
            in_force = record.version if before else ""
            event = BaselineRefused(latest.id, in_force, by, error.reason, error.line)
            record = replace(record, refused=latest.id, intent=None)
            self._save(kept, record, [event], run)
        if before is None:
            raise self._lost(record, f"is gone, and the one in the bucket cannot be used: {error}", latest.id, causes)
        what, refused = f"The baseline in the bucket cannot be used: {error}.", self._severities.baseline_refused
        return Approved(before, record, self._about(kept, Severity[refused], latest.id, what), causes)

    def _unrecorded(self, latest: Version, live: Account, writers: Mapping[str, Change], run: str) -> Approved:
        """Handle an upload without a record: it came before any scan, a first scan died, or the table was lost.

        If the bucket has seen more than one upload, one of them may have been in force, and which one is unknown. A
        policy that IAM itself has is accepted as it is.
        """
        is_first = self._store.writes() == 1
        try:
            baseline = self._read(latest)
            baseline_document.refuse_bad_policies(latest.text, baseline, live)
            size = self._size_of(baseline)
        except UnusableBaselineError as error:
            if is_first:
                raise NothingApprovedError(f"the first baseline cannot be used: {error}") from error
            raise self._forgotten(_causes(latest, writers)) from error
        upload = _upload(latest, writers)
        return self._put_in_force(None, None, baseline, latest, upload, run, size=size, is_first=is_first)

    def _capture(self, account: Account, run: str) -> Approved:
        """Capture the first baseline ever; only an account that was read completely is captured."""
        if account.unreadable:
            entity, reason = min(account.unreadable.items())
            raise NothingApprovedError(
                f"there is no first baseline while {len(account.unreadable)} could not be read; {entity}: {reason}"
            )
        for flaw in flaws(account):
            raise NothingApprovedError(
                f"there is no first baseline while the account was not read whole: {flaw.reason}"
            )
        baseline = Baseline(account, reviewed=False)
        try:
            text = self._text_of(baseline)
        except UnusableBaselineError as error:
            raise NothingApprovedError(f"there is no first baseline: {error}") from error
        written = self._store.write(text, replaces=None)
        intent = Intent(_digest(text), Origin.CAPTURED, "the first scan")
        return self._put_in_force(None, None, baseline, written, intent, run, size=len(text), is_first=True)

    def _put_in_force(
        self,
        kept: Kept[InForce] | None,
        before: Baseline | None,
        baseline: Baseline,
        version: Version,
        intent: Intent,
        run: str,
        *,
        size: int,
        is_first: bool = False,
        changes: Sequence[Drift] | None = None,
        until: datetime | None = None,
    ) -> Approved:
        """Record the version and publish what it approves in addition, which is unknown without ``before``."""
        if before is None:
            changes = ()
        else:
            changes = self._compared(before.account, baseline.account, until) if changes is None else changes
            changes = (*changes, *beside_drifts(before.account, baseline.account, self._severities))
        broader = [drift for drift in changes if drift.verdict in MAY_BE_MORE]
        changed = frozenset(drift.entity for drift in changes)
        severity = max((drift.severity for drift in changes), default=Severity.INFO)
        summary = _summary(intent, f"{len(changes)} differences, {len(broader)} of which approve more")
        if before is None and not is_first:
            changed, severity = _everybody(baseline.account), self._lost_severity
            summary = _summary(intent, "what was approved before is not known, so that all of it may be new")
        now = self._clock.now()
        before_it = kept.value.captured if kept else None
        record = InForce(
            version.id,
            baseline.reviewed,
            intent.by,
            intent.how,
            now,
            session=intent.session,
            reason=intent.reason,
            reference=intent.reference,
            approves=intent.findings or tuple(drift.finding_id for drift in changes[:_MOST_NAMED]),
            captured=now if intent.how is Origin.CAPTURED else before_it,
            size=size,
        )
        event = BaselineChanged(
            version=version.id,
            previous_version=kept.value.version if kept else "",
            how=intent.how.value,
            by=intent.by,
            severity=severity.name,
            summary=summary,
            newly_approved=[drift.finding_id for drift in broader[:_MOST_NAMED]],
            findings=list(intent.findings),
            approved_access=_access_of(broader),
            session=intent.session,
            reason=intent.reason,
            reference=intent.reference,
        )
        self._save(kept, record, [event], run)
        return Approved(baseline, record, changed=changed)

    def _compared(self, before: Account, after: Account, until: datetime | None) -> tuple[Drift, ...]:
        work = Work(OF_A_BASELINE, lambda: until is not None and self._clock.now() >= until)
        compared = drifts(before, after, severities=self._severities, work=work)
        if compared.left:
            raise ComparisonUnfinishedError("too much differs to be compared in one call: a scan puts it in force")
        return compared.found

    def _save(self, kept: Kept[InForce] | None, record: InForce, events: list[PublishableEvent], run: str) -> int:
        until = self._clock.now() + LEASE
        revision = self._records.save(record, after=kept.revision if kept else 0, events=events, until=until)
        if events:
            self._outbox.deliver(self._records, [(self._records.id, revision, events)], run)
        return revision

    def _good(self, record: InForce, version: Version | None = None, causes: tuple[Change, ...] = ()) -> Baseline:
        """The version in force, by its id; a version never changes, so it is read once. Raises BaselineLostError."""
        if self._cached and self._cached[0] == record.version:
            return self._cached[1]
        version = version or self._store.read(record.version)
        if version is None:
            raise self._lost(record, "is gone for good", "lost", causes)
        try:
            baseline = self._read(version)
        except UnusableBaselineError as error:
            raise self._lost(record, f"cannot be used: {error}", "lost", causes) from error
        self._cached = record.version, baseline
        return baseline

    def _good_or_none(self, record: InForce) -> Baseline | None:
        try:
            return self._good(record)
        except BaselineLostError:
            return None

    def _read(self, version: Version) -> Baseline:
        if len(version.text) > self._largest:
            raise UnusableBaselineError(self._too_large("it has more"))
        return baseline_document.read(version.text, account=self._account)

    def _size_of(self, baseline: Baseline) -> int:
        """Bytes as we lay it out, however it was sent: an adoption writes it so. Raises UnusableBaselineError."""
        return len(self._text_of(baseline))

    def _text_of(self, baseline: Baseline) -> bytes:
        """The text to write. Raises UnusableBaselineError if it would never be read again."""
        text = baseline_document.write(baseline)
        if len(text) > self._largest:
            raise UnusableBaselineError(self._too_large(f"it would have {len(text)} bytes, more"))
        return text

    def _too_large(self, what: str) -> str:
        return f"{what} than the {self._largest} bytes that are read (a stack with more DriftMemory reads more)"

    def _lost(self, record: InForce, why: str, seen: str, causes: tuple[Change, ...]) -> BaselineLostError:
        what = f"The version of the baseline in force, {record.version}, {why}. Upload a good one."
        return BaselineLostError(self._about(None, self._lost_severity, seen, what), causes)

    def _forgotten(self, causes: tuple[Change, ...] = ()) -> BaselineLostError:
        what = "No record says which version of the baseline was in force, and the bucket had one. Upload a good one."
        return BaselineLostError(self._about(None, self._lost_severity, "forgotten", what), causes)

    def _about(self, kept: Kept[InForce] | None, severity: Severity, seen: str, what: str) -> Drift:
        """The drift of the baseline itself; ``kept`` is given if the version in force can still be read."""
        version = kept.value.version if kept else ""
        stays = f" The last good version, {version}, stays in force." if kept else " Nothing can be compared."
        return Drift(
            entity=EntityId(f"account/{self._account}"),
            arn="",
            kind=Kind.BASELINE,
            verdict=Verdict.UNKNOWN,
            severity=severity,
            summary=what + stays,
            fingerprint=seen,
            approved={"version": version},
            live={"version": seen},
        )


def _refuse_stale(kept: Kept[InForce] | None, latest: Version | None, origin: Origin, based_on: str | None) -> None:
    """Raise ConcurrentUpdateError if the decision was based on a state that has changed since."""
    if based_on is not None and (kept is None or kept.value.version != based_on):
        raise ConcurrentUpdateError("another baseline is in force than the one that this was decided on; read it again")
    if latest is None and origin is Origin.ADOPTED:
        raise ConcurrentUpdateError("the baseline was deleted from the bucket: restore a good one first")
    if latest and latest.id not in ({kept.value.version, kept.value.refused} if kept else set()):
        raise ConcurrentUpdateError("the bucket has an upload that no scan has seen: request a scan, then check again")


def _causes(latest: Version, writers: Mapping[str, Change]) -> tuple[Change, ...]:
    return (writers[latest.id],) if latest.id in writers else ()


def _deletions(writers: Mapping[str, Change]) -> tuple[Change, ...]:
    return tuple(change for change in writers.values() if change.event_name == DELETED)


def _upload(latest: Version, writers: Mapping[str, Change]) -> Intent:
    """The intent behind a version that was written directly into the bucket."""
    writer = writers.get(latest.id)
    by = f"{writer.actor} from {writer.source_ip}" if writer else UNANNOUNCED
    return Intent(_digest(latest.text), Origin.UPLOADED, by)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _everybody(account: Account) -> frozenset[EntityId]:
    principals = (*account.users.values(), *account.groups.values(), *account.roles.values())
    return frozenset(map(entity_id, principals)) | frozenset(map(policy_id, account.policies))


def _access_of(broader: Sequence[Drift]) -> list[str]:
    """Every group of actions that is approved in addition, the first of them by name and the rest counted."""
    lines = [f"{drift.entity}: {line}" for drift in broader for line in drift.added]
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"and {more} more, of {len(lines)} in all"] if more > 0 else lines


def _summary(intent: Intent, difference: str) -> str:
    if intent.how is Origin.CAPTURED:
        return "The first scan approved what it found; nobody has reviewed it."
    return f"Another baseline is in force, {intent.how.value} by {intent.by}: {difference}."
