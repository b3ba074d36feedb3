"""How severe each event is: the part ``events`` of ``severities.yaml``, the one table of severities.

An event that is not here, such as ``PolicyDriftDetected``, carries its own severity.
"""

from dataclasses import dataclass

from steward.severity import SeverityName


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
    RepositoryRequestDenied: SeverityName
    PushToMissingRepositoryObserved: SeverityName
    AccessKeyRotationDue: OfKey
    AccessKeyRotated: OfRotation
    AccessKeyDeactivated: OfKey
    AccessKeyDeleted: SeverityName
    AccessKeyReactivated: SeverityName
    AccessKeyRotationBlocked: SeverityName
    AccessKeyRotationFailed: SeverityName
    SecretReaderMissing: SeverityName
    SecretDoesNotAuthenticate: SeverityName
    DriftScanCompleted: OfScan
    DriftScanFailed: SeverityName
    BaselineRefused: SeverityName
    unknown_event: SeverityName


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveritiesFile:
    """All of ``severities.yaml``, as alerting reads it: what the part ``drift`` means is for policy drift to check."""

    events: EventSeverities
    drift: dict[str, SeverityName]
