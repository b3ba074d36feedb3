"""The one table of severities, ``severities.yaml``: of every event, and of every fact about drift.

It stands here because two capabilities read one file. What the entries apply to is for their rules to decide.
"""

from dataclasses import dataclass

from steward.severity import SeverityName

SEVERITIES_FILE = "severities.yaml"
"""The shipped file, and that of an operator that is merged over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfKey:
    """Of an event about a key: ``compromised`` if the key is exposed, else ``otherwise``."""

    otherwise: SeverityName
    compromised: SeverityName


@dataclass(frozen=True, slots=True, kw_only=True)
class OfRotation:
    """Of a finished rotation: ``checks_waived`` if an emergency skipped some of its checks, else ``otherwise``."""

    otherwise: SeverityName
    checks_waived: SeverityName


@dataclass(frozen=True, slots=True, kw_only=True)
class OfScan:
    """Of a scan: ``unreadable`` if it could not read everything, else ``otherwise``."""

    otherwise: SeverityName
    unreadable: SeverityName


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSeverities:
    """One field per event, named as its detail-type; ``unknown_event`` is for events that alerting has no text for."""

    RepositoryCreated: SeverityName
    RepositoryConfigurationChanged: SeverityName
    RepositoryAdopted: SeverityName
    RepositoryFleetScanned: SeverityName
    RepositoryRetentionShortened: SeverityName
    RepositoryRequestDenied: SeverityName
    PushToMissingRepositoryObserved: SeverityName
    AccessKeyRotationDue: OfKey
    AccessKeyRotationWithdrawn: SeverityName
    AccessKeyRotated: OfRotation
    AccessKeyDeactivated: OfKey
    AccessKeyDeleted: SeverityName
    AccessKeyReactivated: SeverityName
    AccessKeyRotationBlocked: SeverityName
    AccessKeyRotationFailed: SeverityName
    SecretReaderMissing: SeverityName
    SecretReadersChanged: SeverityName
    SecretDoesNotAuthenticate: SeverityName
    AccessKeysCounted: SeverityName
    ServiceUserEnrolled: SeverityName
    ServiceUserLeft: SeverityName
    SecretSynced: SeverityName
    SecretSyncFailed: SeverityName
    DriftScanCompleted: OfScan
    DriftScanFailed: SeverityName
    BaselineRefused: SeverityName
    DriftReportRefused: SeverityName
    unknown_event: SeverityName


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
    new_credential: SeverityName
    changed_provider: SeverityName
    opened_federation: SeverityName
    role_in_instance_profile: SeverityName
    deciding_tag: SeverityName
    protected_by_aws: SeverityName
    unreadable: SeverityName
    undecided: SeverityName
    transient_of_unknown_access: SeverityName
    baseline_refused: SeverityName
    baseline_lost: SeverityName


@dataclass(frozen=True, slots=True, kw_only=True)
class Severities:
    """All of ``severities.yaml``.

    An event that is not in ``events``, such as ``PolicyDriftDetected``, carries its own severity.
    """

    events: EventSeverities
    drift: DriftSeverities
