"""Find what was made beside policies: an event claims it, IAM confirms it, and it lasts until IAM has it no more."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from iam_policy import Verdict
from policy_drift.application.ports import CredentialReader, Findings
from policy_drift.domain.account import Account, EntityId, EntityKind
from policy_drift.domain.arns import arn_in
from policy_drift.domain.beside_policies import KINDS, account_entity, deciding_tags, sorts_of, tag_key
from policy_drift.domain.changes.change_event import ChangeEvent
from policy_drift.domain.changes.claims import Claim
from policy_drift.domain.changes.transients import in_the_past
from policy_drift.domain.comparison.beside_drifts import drift_of_items
from policy_drift.domain.finding import Drift, Finding, Kind, State
from policy_drift.domain.scope import Scope
from policy_drift.domain.severity.assessment import worst
from policy_drift.domain.severity.beside_policies import of_items
from steward.errors import UpstreamError
from steward.principals import Principal
from steward.severities import DriftSeverities

MOST_CONFIRMED = 100
"""Findings that one scan confirms again, in up to six calls each; the others stand as they are."""

UNUSED = timedelta(days=90)
"""How long an access key may be unused before a person is asked whether it is needed."""

type _Key = tuple[EntityId, Kind]


@dataclass(frozen=True, slots=True)
class Beside:
    """What there is beside policies, and the ids of the events that claim what IAM does not confirm."""

    drifts: tuple[Drift, ...]
    unconfirmed: frozenset[str] = frozenset()


class FindCredentials:
    """Finds credentials and what else grants access beside policies.

    Parameters
    ----------
    reader
        What IAM has.
    findings
        What was found before.
    severities
        How severe each fact is.
    scope
        Which users and roles are looked at.
    exempt
        Actors whose credentials are no finding: the functions that rotate access keys.
    """

    def __init__(
        self,
        reader: CredentialReader,
        findings: Findings,
        severities: DriftSeverities,
        scope: Scope,
        exempt: Collection[Principal],
    ) -> None:
        self._reader = reader
        self._findings = findings
        self._scope = scope
        self._severities = severities
        self._exempt = frozenset(exempt)

    def found(
        self,
        events: Iterable[ChangeEvent],
        compared: Collection[EntityId] | None,
        approved: Account,
        live: Account,
        early: Collection[str] = (),
    ) -> Beside:
        """What these events made and IAM confirms, and what of earlier findings is still there.

        Earlier findings are those of the compared entities; None stands for all. What cannot be confirmed is reported
        as unknown, and an earlier finding stands: unknown is not gone. What an event made of those with an id in
        ``early`` is not gone either: IAM may not show it yet.
        """
        claimed: dict[_Key, list[tuple[Claim, ChangeEvent]]] = defaultdict(list)
        tags = deciding_tags((approved, live))
        for event in events:
            for claim in () if self._is_exempt(event) else event.claims:
                if claim.kind is not Kind.TAG or tag_key(claim.item) in tags:
                    entity = claim.entity or account_entity(live.id)
                    if claim.entity is None or entity in self._scope:
                        claimed[entity, claim.kind].append((claim, event))
        earlier = self._known(compared, {entity for entity, _ in claimed})
        still_open = (key for key, one in earlier.items() if one.state is not State.RESOLVED and key not in claimed)
        keys = [*claimed, *islice(still_open, MOST_CONFIRMED)]
        unread = [one.drift for key, one in earlier.items() if one.state is not State.RESOLVED and key not in {*keys}]
        unconfirmed = set[str]()
        drifts = [
            drift
            for key in keys
            for drift in self._confirmed(
                key, claimed.get(key, []), earlier.get(key), approved, live, early, unconfirmed
            )
        ]
        return Beside((*drifts, *unread), frozenset(unconfirmed))

    def _known(self, compared: Collection[EntityId] | None, claimed: Collection[EntityId]) -> dict[_Key, Finding]:
        kept = self._findings.all() if compared is None else self._findings.of({*compared, *claimed})
        return {
            (one.value.drift.entity, one.value.drift.kind): one.value
            for one in kept
            if one.value.drift.kind in KINDS
            and (one.value.drift.entity.kind is EntityKind.ACCOUNT or one.value.drift.entity in self._scope)
        }

    def _confirmed(
        self,
        key: _Key,
        claimed: "list[tuple[Claim, ChangeEvent]]",
        known: Finding | None,
        approved: Account,
        live: Account,
        early: Collection[str],
        unconfirmed: set[str],
    ) -> Iterator[Drift]:
        entity, kind = key
        accepted = {*approved.beside.get(entity, ())}
        claimed = [
            (claim, event)
            for claim, event in claimed
            if claim.item not in accepted and not _takes_back(claim, event, known)
        ]
        there_before = known.drift.live or () if known and known.state is not State.RESOLVED else ()
        before = [item for item in there_before if item not in accepted]
        is_lost = known is not None and known.state is not State.RESOLVED and known.drift.live is None
        if not (before or claimed or is_lost):
            return
        try:
            asked = sorts_of(kind) if is_lost else (*before, *(claim.item for claim, _ in claimed))
            present = self._reader.present(entity, kind, asked)
        except UpstreamError as error:
            unconfirmed.update(event.change.event_id for _, event in claimed)
            if known and (before or is_lost):
                yield known.drift
            else:
                items = sorted({claim.item for claim, _ in claimed})
                reason = f"whether it is there could not be confirmed: {error}"
                yield self._drift(key, items, approved, live, Verdict.UNKNOWN, reason)
            return
        made = {item for claim, _ in claimed for item in _confirming(claim, present)}
        stays = {one for one in before if _confirming(Claim(kind, one, is_new=False), present)}
        if is_lost:  # what was found is not known, so all that is there may be it
            tags = deciding_tags((approved, live))
            stays = {one for one in present if kind is not Kind.TAG or tag_key(one) in tags}
        if items := sorted((made | stays) - accepted):
            yield self._drift(key, items, approved, live)
        missing = [(claim, event) for claim, event in claimed if not _confirming(claim, present)]
        unconfirmed.update(event.change.event_id for _, event in missing)
        gone = [
            (claim, event)
            for claim, event in missing
            if claim.is_new and event.change.event_id not in early and not _is_alerted(known, event)
        ]
        if gone:
            yield self._gone(entity, gone, approved, live)

    def confirmed(self, drift: Drift, approved: Account, live: Account) -> Drift | None:
        """An earlier finding as IAM confirms it now; None where nothing of it is there, or all of it is approved.

        Raises UpstreamError.
        """
        present = self._reader.present(drift.entity, drift.kind, drift.live or ())
        claims = [Claim(drift.kind, item, is_new=False) for item in drift.live or ()]
        items = sorted({claim.item for claim in claims if _confirming(claim, present)})
        left = [item for item in items if item not in approved.beside.get(drift.entity, ())]
        return self._drift((drift.entity, drift.kind), left, approved, live) if left else None

    def _drift(
        self,
        key: _Key,
        items: list[str],
        approved: Account,
        live: Account,
        verdict: Verdict = Verdict.BROADENED,
        *reasons: str,
    ) -> Drift:
        return drift_of_items(*key, items, (live, approved), self._severities, verdict, *reasons)

    def _gone(
        self, entity: EntityId, gone: "list[tuple[Claim, ChangeEvent]]", approved: Account, live: Account
    ) -> Drift:
        """What was made and removed before anybody looked: it may have been used."""
        items = sorted({claim.item for claim, _ in gone})
        kinds = {claim.kind for claim, _ in gone}
        accounts = (live, approved)
        assessment = worst(of_items(entity, kind, items, accounts, self._severities) for kind in sorted(kinds))
        ids = ",".join(sorted(event.change.event_id for _, event in gone))
        return Drift(
            entity=entity,
            arn=arn_in((live, approved), entity),
            kind=Kind.TRANSIENT,
            verdict=Verdict.BROADENED,
            severity=assessment.severity,
            summary=f"{entity} had for a while: {', '.join(items)}.",
            fingerprint=hashlib.sha256(ids.encode()).hexdigest(),
            reasons=tuple(map(in_the_past, assessment.reasons)),
        )

    def unused_keys(self, now: datetime, captured: Account, only: Collection[EntityId] | None = None) -> list[Drift]:
        """Users of a captured account with active access keys that were not used for `UNUSED`; of these users alone.

        Each with all of its active keys that the baseline does not approve by name. Raises UpstreamError.
        """
        found = []
        for user, why in sorted(self._reader.unused_keys(now - UNUSED).items()):
            is_asked = user in self._scope and (only is None or user in only)
            if is_asked and user.name in captured.users:
                keys = self._reader.present(user, Kind.CREDENTIAL, ["access key "])
                if items := sorted(keys - {*captured.beside.get(user, ())}):
                    key = user, Kind.CREDENTIAL
                    found.append(self._drift(key, items, captured, captured, Verdict.BROADENED, *why))
        return found

    def _is_exempt(self, event: ChangeEvent) -> bool:
        try:
            return Principal.from_arn(event.change.actor) in self._exempt
        except ValueError:
            return False


def _confirming(claim: Claim, present: Iterable[str]) -> frozenset[str]:
    """The items that a claim is about; that a tag is missing is confirmed by its absence."""
    if claim.item.startswith("no tag "):
        there = {tag_key(item) for item in present}
        return frozenset() if tag_key(claim.item) in there else frozenset({claim.item})
    return claim.confirmed_by(present)


def _takes_back(claim: Claim, event: ChangeEvent, known: Finding | None) -> bool:
    """Whether a call removes a tag that a finding reports: then it is as it was, as far as is known.

    Not if the tag had been removed before it was put on: then the approved one is still missing. A call that comes
    again after the finding has ended is the one that ended it.
    """
    if known is None or not claim.item.startswith("no tag "):
        return False
    key, change = tag_key(claim.item), event.change
    reports = any(item.startswith("tag ") and tag_key(item) == key for item in known.drift.live or ())
    removed_before = any(
        one.event_name.startswith("Untag") and one.event_id != change.event_id and one.at < change.at
        for one in known.changes
    )
    lasts = known.resolved_at is None or known.resolved_at >= change.at
    return reports and lasts and not removed_before


def _is_alerted(known: Finding | None, event: ChangeEvent) -> bool:
    """Whether an alert has reported it while it was there."""
    return known is not None and known.alerted_at is not None and known.alerted_at >= event.change.at
