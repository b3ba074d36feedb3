"""What the first scan approved without review, and what people have decided about since."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from policy_drift.application.find_credentials import FindCredentials
from policy_drift.domain.access.work import Work
from policy_drift.domain.account import Account, EntityId, EntityKind
from policy_drift.domain.baseline import Baseline
from policy_drift.domain.comparison.drifts import drifts
from policy_drift.domain.finding import Drift
from policy_drift.domain.scope import Scope
from steward.clock import Clock
from steward.errors import UpstreamError
from steward.severities import DriftSeverities
from steward.severity import Severity


@dataclass(frozen=True, slots=True)
class ToReview:
    """What a captured baseline approves.

    Attributes
    ----------
    left : tuple of Drift
        What would be severe if it were new, and users with unused access keys, the most severe first; without those
        about which a person has decided.
    besides : tuple of Drift
        Everything else that it approves.
    unread : tuple of str
        What could not be read or compared, and why: more may be left.
    """

    left: tuple[Drift, ...] = ()
    besides: tuple[Drift, ...] = ()
    unread: tuple[str, ...] = ()


class ReviewCapture:
    """Lists what a captured baseline approves, by severity."""

    def __init__(self, credentials: FindCredentials, severities: DriftSeverities, scope: Scope, clock: Clock) -> None:
        self._credentials = credentials
        self._severities = severities
        self._scope = scope
        self._clock = clock

    def of(self, baseline: Baseline, work: Work, only: Collection[EntityId] | None = None) -> ToReview:
        """Everything in the baseline, or these entities alone; nothing of one that was reviewed as a whole."""
        if baseline.reviewed:
            return ToReview()
        now, captured, unread = self._clock.now(), baseline.account, []
        compared = drifts(
            Account(captured.id),
            captured,
            severities=self._severities,
            scope=self._scope,
            only=None if only is None else (),
            alone=only or (),
            work=work,
        )
        if compared.undecided:
            unread.append(f"{len(compared.undecided)} entities were not compared, such as {min(compared.undecided)}")
        keys: list[Drift] = []
        try:
            if only is None or any(entity.kind is EntityKind.USER for entity in only):
                keys = self._credentials.unused_keys(now, captured, only)
        except UpstreamError as error:
            unread.append(f"whether access keys are unused could not be read: {error}")
        severe = [drift for drift in compared.found if drift.severity >= Severity.HIGH]
        to_review = sorted((*severe, *keys), key=lambda drift: (-drift.severity, drift.finding_id))
        return ToReview(
            tuple(one for one in to_review if not baseline.has_accepted(one.finding_id, one.fingerprint, now)),
            tuple(drift for drift in compared.found if drift.severity < Severity.HIGH),
            tuple(unread),
        )

    def found(self, baseline: Baseline, reviewed: Mapping[str, str], work: Work) -> dict[str, Drift]:
        """Those of the reviewed findings, fingerprints by id, that the capture approved in this form; by id."""
        if baseline.reviewed:
            return {}
        entities = {entity for finding_id in reviewed if (entity := _entity(finding_id))}
        left = self.of(baseline, work, entities).left if entities else ()
        return {one.finding_id: one for one in left if reviewed.get(one.finding_id) == one.fingerprint}


def _entity(finding_id: str) -> EntityId | None:
    try:
        return EntityId(finding_id.partition(":")[2].replace(":", "/", 1))
    except ValueError:
        return None
