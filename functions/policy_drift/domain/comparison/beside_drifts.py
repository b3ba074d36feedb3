"""What stands beside policies as a difference: found in IAM, or approved by another baseline."""

from collections.abc import Collection, Iterator

from iam_policy import Verdict
from policy_drift.domain.access.live_state import fingerprint
from policy_drift.domain.account import Account, EntityId
from policy_drift.domain.arns import arn_in
from policy_drift.domain.beside_policies import kind_of
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.severity.beside_policies import of_items
from steward.severities import DriftSeverities

_IS = {
    Kind.CREDENTIAL: "has what was not approved",
    Kind.PROVIDER: "has identity providers that were not approved",
    Kind.FEDERATION: "lets credentials out or in that were not approved",
    Kind.PROFILE: "is given to instances by what was not approved",
    Kind.TAG: "has tags by which policies decide, and which were not approved",
}


def drift_of_items(
    entity: EntityId,
    kind: Kind,
    items: Collection[str],
    accounts: tuple[Account, ...],
    severities: DriftSeverities,
    verdict: Verdict = Verdict.BROADENED,
    *reasons: str,
) -> Drift:
    """The difference that these items are, as severe as what their principal may do in the first account with it."""
    assessment = of_items(entity, kind, items, accounts, severities)
    return Drift(
        entity=entity,
        arn=arn_in(accounts, entity),
        kind=kind,
        verdict=verdict,
        severity=assessment.severity,
        summary=f"{entity} {_IS[kind]}: {', '.join(items)}.",
        fingerprint=fingerprint(list(items)),
        reasons=(*reasons, *assessment.reasons),
        live=list(items),
        added=tuple(items),
    )


def beside_drifts(approved: Account, live: Account, severities: DriftSeverities) -> Iterator[Drift]:
    """What one baseline approves beside policies and another one does not."""
    for entity, items in sorted(live.beside.items()):
        new = sorted({*items} - {*approved.beside.get(entity, ())})
        for kind in sorted({kind for item in new if (kind := kind_of(item))}):
            of_kind = [item for item in new if kind_of(item) is kind]
            yield drift_of_items(entity, kind, of_kind, (live, approved), severities)
