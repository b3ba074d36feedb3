"""How severe credentials, providers, instance profiles and tags are: as what their principal may do."""

from collections.abc import Iterable, Iterator, Mapping

from iam_policy import Budget, PolicyDocumentError
from iam_policy.escalation import escalations
from policy_drift.domain.access.effective_policies import UnreadError, effective_policies
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import Account, Entity, EntityId, EntityKind
from policy_drift.domain.beside_policies import is_of_principal, trusting
from policy_drift.domain.finding import Kind
from policy_drift.domain.severity.assessment import Assessment, is_administrator, severity_of, worst
from policy_drift.domain.severity.caller import caller_of
from steward.severities import DriftSeverities

_OF_A_PRINCIPAL = 200_000
"""Steps of the engine that may be taken to find out what the principal of a credential may do."""


def of_items(
    entity: EntityId, kind: Kind, items: Iterable[str], accounts: Iterable[Account], severities: DriftSeverities
) -> Assessment:
    """The severity of the kind, or of what the principals may do: the holder, or the roles that trust a provider."""
    base: Mapping[Kind, Assessment] = {
        Kind.CREDENTIAL: Assessment.of(severities.new_credential),
        Kind.PROVIDER: Assessment.of(severities.changed_provider),
        Kind.FEDERATION: Assessment.of(severities.opened_federation),
        Kind.PROFILE: Assessment.of(severities.role_in_instance_profile),
        Kind.TAG: Assessment.of(severities.deciding_tag),
    }
    if kind is Kind.CREDENTIAL and entity.kind is EntityKind.ACCOUNT:
        return Assessment.of(severities.administrator, "the root user may do everything")
    worth = (_worth(one, account, severities) for account, one in _principals(entity, kind, items, accounts))
    return base[kind].also(worst(worth))


def _worth(principal: Entity, account: Account, severities: DriftSeverities) -> Assessment:
    try:
        questions = Questions(Budget(_OF_A_PRINCIPAL))
        caller = caller_of(account, principal, effective_policies(account, principal), questions)
        if is_administrator(caller.access, questions):
            return Assessment.of(severities.administrator, f"{principal.kind} {principal.name} is an administrator")
        open_paths = questions.decided(escalations(caller))
    except (UnreadError, PolicyDocumentError):
        return worst(())
    paths = [Assessment(severity_of(path, severities), (str(path),)) for path in open_paths[:1]]
    if questions.undecided:
        reason = f"whether {principal.kind} {principal.name} can get more access was not decided within the budget"
        paths.append(Assessment.of(severities.undecided, reason))
    return worst(paths)


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
