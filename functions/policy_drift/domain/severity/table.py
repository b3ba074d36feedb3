"""How severe each kind of drift is: the part ``drift`` of ``severities.yaml``, the one table of severities."""

from dataclasses import dataclass

from steward.severity import SeverityName


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftSeverities:
    """One field per fact about a drift; a drift is as severe as the most severe fact that applies to it.

    ``severities.yaml`` says beside each what it means.
    """

    administrator: SeverityName
    escalation_to_administrator: SeverityName
    other_escalation: SeverityName
    more_access: SeverityName
    less_access: SeverityName
    same_access: SeverityName
    wider_boundary: SeverityName
    trusts_anyone: SeverityName
    trusts_anyone_under_conditions: SeverityName
    trusts_foreign_account: SeverityName
    trusts_strangers_of_open_provider: SeverityName
    trusts_strangers_of_own_provider: SeverityName
    trusts_new_provider: SeverityName
    trusted_administrator: SeverityName
    trusted_escalation: SeverityName
    trusts_deleted_principal: SeverityName
    joined_privileged_group: SeverityName
    left_privileged_group: SeverityName
    unmanaged: SeverityName
    unmanaged_group_without_access: SeverityName
    missing: SeverityName
    recreated: SeverityName
    unattached_policy: SeverityName
    protected_by_aws: SeverityName
    unreadable: SeverityName
    transient_of_unknown_access: SeverityName
    baseline_refused: SeverityName
    baseline_lost: SeverityName


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveritiesFile:
    """All of ``severities.yaml``, as drift reads it: what the part ``events`` means is for alerting to check."""

    drift: DriftSeverities
    events: dict[str, SeverityName | dict[str, SeverityName]]
