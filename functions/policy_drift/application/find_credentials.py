"""Find what was made beside policies: an event claims it, IAM confirms it, and it lasts until IAM has it no more."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice

from iam_policy import Budget, PolicyDocumentError, Verdict
from iam_policy.escalation import escalations
from policy_drift.application.ports import CredentialReader, Findings
from policy_drift.domain.access.effective_policies import UnreadError, effective_policies
from policy_drift.domain.access.live_state import fingerprint
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import Account, Entity, EntityId, EntityKind
from policy_drift.domain.arns import arn_in
from policy_drift.domain.changes.change_event import ChangeEvent
from policy_drift.domain.changes.claims import (
    KINDS,
    Claim,
    account_entity,
    deciding_tags,
    is_of_principal,
    tag_key,
    trusting,
)
from policy_drift.domain.finding import Drift, Finding, Kind, State
from policy_drift.domain.scope import Scope
from policy_drift.domain.severity.assessment import Assessment, is_administrator, severity_of, worst
from policy_drift.domain.severity.caller import caller_of
from steward.errors import UpstreamError
from steward.principals import Principal
from steward.severities import DriftSeverities

_OF_A_PRINCIPAL = 200_000
"""Steps of the engine that may be taken to find out what the principal of a credential may do."""
MOST_CONFIRMED = 100
"""Findings that one scan confirms again, in up to six calls each; the others stand as they are."""
_IS = {
    Kind.CREDENTIAL: "has what was not approved",
    Kind.PROVIDER: "has identity providers that were not approved",
    Kind.FEDERATION: "lets credentials out or in that were not approved",
    Kind.PROFILE: "is given to instances by what was not approved",
    Kind.TAG: "has tags by which policies decide, and which were not approved",
}

type _Key = tuple[EntityId, Kind]


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
        self, events: Iterable[ChangeEvent], compared: Collection[EntityId] | None, approved: Account, live: Account
    ) -> list[Drift]:
        """What these events made and IAM confirms, and what of earlier findings is still there.

        Earlier findings are those of the compared entities; None stands for all. What cannot be confirmed is reported
        as unknown, and an earlier finding stands: unknown is not gone.
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
        drifts = [
            drift
            for key in keys
            for drift in self._confirmed(key, claimed.get(key, []), earlier.get(key), approved, live)
        ]
        return [*drifts, *unread]

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
    ) -> Iterator[Drift]:
        entity, kind = key
        before = known.drift.live or () if known and known.state is not State.RESOLVED else ()
        try:
            present = self._reader.present(entity, kind, [*before, *(claim.item for claim, _ in claimed)])
        except UpstreamError as error:
            if before and known:
                yield known.drift
            else:
                items = sorted({claim.item for claim, _ in claimed})
                reason = f"whether it is there could not be confirmed: {error}"
                yield self._drift(key, items, approved, live, Verdict.UNKNOWN, reason)
            return
        made = {item for claim, _ in claimed for item in _confirming(claim, present)}
        if items := sorted(made | {one for one in before if _confirming(Claim(kind, one, is_new=False), present)}):
            yield self._drift(key, items, approved, live)
        gone = [
            (claim, event)
            for claim, event in claimed
            if claim.is_new and not _confirming(claim, present) and not _is_alerted(known, event)
        ]
        if gone:
            yield self._gone(entity, gone, approved, live)

    def _drift(
        self,
        key: _Key,
        items: list[str],
        approved: Account,
        live: Account,
        verdict: Verdict = Verdict.BROADENED,
        *reasons: str,
    ) -> Drift:
        entity, kind = key
        assessment = self._assessment(entity, kind, items, approved, live)
        return Drift(
            entity=entity,
            arn=arn_in((live, approved), entity),
            kind=kind,
            verdict=verdict,
            severity=assessment.severity,
            summary=f"{entity} {_IS[kind]}: {', '.join(items)}.",
            fingerprint=fingerprint(items),
            reasons=(*reasons, *assessment.reasons),
            live=items,
        )

    def _gone(
        self, entity: EntityId, gone: "list[tuple[Claim, ChangeEvent]]", approved: Account, live: Account
    ) -> Drift:
        """What was made and removed before anybody looked: it may have been used."""
        items = sorted({claim.item for claim, _ in gone})
        kinds = {claim.kind for claim, _ in gone}
        assessment = worst(self._assessment(entity, kind, items, approved, live) for kind in sorted(kinds))
        ids = ",".join(sorted(event.change.event_id for _, event in gone))
        return Drift(
            entity=entity,
            arn=arn_in((live, approved), entity),
            kind=Kind.TRANSIENT,
            verdict=Verdict.BROADENED,
            severity=assessment.severity,
            summary=f"{entity} had for a while: {', '.join(items)}.",
            fingerprint=hashlib.sha256(ids.encode()).hexdigest(),
            reasons=assessment.reasons,
        )

    def _assessment(
        self, entity: EntityId, kind: Kind, items: Iterable[str], approved: Account, live: Account
    ) -> Assessment:
        """The severity of the kind, or of what its principal may do."""
        severities = self._severities
        base: Mapping[Kind, Assessment] = {
            Kind.CREDENTIAL: Assessment.of(severities.new_credential),
            Kind.PROVIDER: Assessment.of(severities.changed_provider),
            Kind.FEDERATION: Assessment.of(severities.opened_federation),
            Kind.PROFILE: Assessment.of(severities.role_in_instance_profile),
            Kind.TAG: Assessment.of(severities.deciding_tag),
        }
        worth = [
            self._worth(principal, account) for account, principal in _principals(entity, kind, items, (live, approved))
        ]
        return base[kind].also(worst(worth))

    def _worth(self, principal: Entity, account: Account) -> Assessment:
        try:
            questions = Questions(Budget(_OF_A_PRINCIPAL))
            caller = caller_of(account, principal, effective_policies(account, principal), questions)
            if is_administrator(caller.access, questions):
                return Assessment.of(
                    self._severities.administrator, f"{principal.kind} {principal.name} is an administrator"
                )
            open_paths = questions.decided(escalations(caller))
        except (UnreadError, PolicyDocumentError):
            return worst(())
        paths = [Assessment(severity_of(path, self._severities), (str(path),)) for path in open_paths[:1]]
        if questions.undecided:
            reason = f"whether {principal.kind} {principal.name} can get more access was not decided within the budget"
            paths.append(Assessment.of(self._severities.undecided, reason))
        return worst(paths)

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


def _is_alerted(known: Finding | None, event: ChangeEvent) -> bool:
    """Whether an alert has reported it while it was there."""
    return known is not None and known.alerted_at is not None and known.alerted_at >= event.change.at


def _principals(
    entity: EntityId, kind: Kind, items: Iterable[str], accounts: Iterable[Account]
) -> Iterator[tuple[Account, Entity]]:
    """The user or role; of an identity provider, the roles that trust it."""
    for account in accounts:
        if is_of_principal(kind):
            principals: Mapping[str, Entity] = getattr(account, f"{entity.kind}s")
            if entity.name in principals:
                yield account, principals[entity.name]
                return
        elif kind is Kind.PROVIDER:
            arns = {item.split(" ")[2] for item in items if item.count(" ") > 1}
            yield from ((account, account.roles[name]) for arn in arns for name in trusting(account, arn))
