"""What repository provisioning needs of the world; adapters and doubles are held to it by the same contract tests."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from repository_provisioning.domain.configuration import Configuration, Repository
from repository_provisioning.domain.fleet import CompletedScan, FleetEntry, Images, RunningScan
from repository_provisioning.domain.house_rules import Overrides
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import RegistryPrefixes, RegistrySettings
from steward.errors import ConflictError, NotFoundError, UpstreamError


class RepositoryAlreadyExistsError(ConflictError):
    """Another caller created the repository first."""


class PrincipalNotYetKnownError(UpstreamError):
    """The policy names a principal that AWS does not know yet; a moment later it may."""


class RepositoryNotFoundError(NotFoundError):
    """ECR says that the repository does not exist, or does not see it yet."""


class RepositoryDetails(Protocol):
    """What DescribeRepositories does not show of a repository, each in a call of its own."""

    def tags(self, repository: Repository) -> dict[str, str]:
        """Its resource tags."""
        ...

    def lifecycle_policy(self, name: RepositoryName) -> str | None:
        """Its lifecycle policy text. Raises RepositoryNotFoundError."""
        ...

    def repository_policy(self, name: RepositoryName) -> str | None:
        """Its repository policy text. Raises RepositoryNotFoundError."""
        ...


class ContainerRegistry(RepositoryDetails, Protocol):
    """The registry: every method is one AWS call unless it says otherwise, and raises UpstreamError when AWS fails."""

    def find(self, name: RepositoryName) -> Repository | None:
        """The repository, or None where ECR says in as many words that it does not exist."""
        ...

    def find_many(self, names: Collection[RepositoryName]) -> dict[RepositoryName, Repository]:
        """Those of ``names`` that exist. One call per hundred, and more where some are missing."""
        ...

    def create(self, name: RepositoryName, configuration: Configuration, tags: Mapping[str, str]) -> Repository:
        """Create it, tagged.

        Raises RepositoryAlreadyExistsError, ConflictError (the registry is full), RuleViolationError (ECR refuses it).
        """
        ...

    def put_tag_mutability(self, name: RepositoryName, configuration: Configuration) -> None:
        """Set the mutability and its exclusion filters. Raises RepositoryNotFoundError."""
        ...

    def put_lifecycle_policy(self, name: RepositoryName, text: str) -> None:
        """Set the lifecycle policy. Raises RepositoryNotFoundError, RuleViolationError (ECR refuses the text)."""
        ...

    def put_repository_policy(self, name: RepositoryName, text: str) -> None:
        """Set the repository policy. Raises RepositoryNotFoundError, PrincipalNotYetKnownError, RuleViolationError."""
        ...

    def put_tags(self, repository: Repository, tags: Mapping[str, str]) -> None:
        """Add or overwrite these tags; others stay. Raises RepositoryNotFoundError."""
        ...

    def delete_lifecycle_policy(self, name: RepositoryName) -> None:
        """Delete the lifecycle policy; nothing where there is none. Raises RepositoryNotFoundError."""
        ...

    def delete_repository_policy(self, name: RepositoryName) -> None:
        """Delete the repository policy; nothing where there is none. Raises RepositoryNotFoundError."""
        ...

    def remove_tags(self, repository: Repository, keys: Collection[str]) -> None:
        """Remove these tags; nothing where they are gone. Raises RepositoryNotFoundError."""
        ...

    def everything(self) -> list[Repository]:
        """Every repository of the registry, by name. One call per thousand."""
        ...

    def images(self, name: RepositoryName) -> Images:
        """What is in it, as far as a few calls show. Raises RepositoryNotFoundError."""
        ...

    def prefixes(self) -> RegistryPrefixes:
        """For which names ECR creates repositories by itself: two calls, and more for long lists."""
        ...

    def settings(self, name: RepositoryName) -> RegistrySettings:
        """What the registry's settings do with this name. Up to five calls, cached for five minutes; never fails."""
        ...

    def scans(self, name: RepositoryName) -> bool | None:
        """Whether images of this name are scanned when pushed; None where that is unknown. Cached for five minutes."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """What we remember of a repository between calls, so that the steady state costs one ECR call.

    ``managed`` is False for a repository that is not ours: it is remembered for an hour, to spare the look at its tags.
    ``overrides`` are those it was configured with, by ``overridden_by``; a call without overrides keeps those that the
    rules still permit that caller. It is empty in records of versions that did not note it; then the present caller's
    permission decides.
    """

    fingerprint: str
    managed: bool
    overrides: Overrides = field(default_factory=Overrides)
    overridden_by: str = ""


class ProvisioningRecords(Protocol):
    """Memory of what is complete. Losing it costs calls, never a configuration."""

    def get_many(self, names: Collection[RepositoryName]) -> dict[RepositoryName, Record]:
        """The records of those of ``names`` that have one, read consistently."""
        ...

    def put(self, name: RepositoryName, record: Record) -> None:
        """Remember it, in place of what was remembered."""
        ...


class ScanInProgressError(ConflictError):
    """Another run works on the scan of the fleet, or took it over."""


class FleetScans(Protocol):
    """The result of the last complete scan of the registry, and how far the present one has come."""

    def last(self) -> CompletedScan | None:
        """The last complete one; None where none is kept."""
        ...

    def running(self) -> RunningScan | None:
        """The one that has begun and is not complete."""
        ...

    def begin(self, scan: RunningScan, run_id: str, until: datetime) -> None:
        """Begin a scan, or go on with it, as ``run_id`` alone until a moment. Raises ScanInProgressError."""
        ...

    def add(self, scan: RunningScan, run_id: str, entries: Sequence[FleetEntry]) -> RunningScan:
        """Keep the next part; the scan as it stands then. Raises ScanInProgressError if another run has it."""
        ...

    def release(self, scan: RunningScan, run_id: str) -> None:
        """Leave the scan to the next run. Raises ScanInProgressError if another run has it."""
        ...

    def complete(self, scan: RunningScan, run_id: str, done: CompletedScan) -> None:
        """Put ``done`` in the place of the last complete one. Raises ScanInProgressError if another run has it."""
        ...

    def part(self, scan_id: str, number: int) -> list[FleetEntry] | None:
        """A part of a scan, as it was added; None where it is not kept any more."""
        ...


class ScanTrigger(Protocol):
    """Starts a scan without waiting for it."""

    def request(self, scan_id: str, by: str) -> None:
        """Start one. Raises UpstreamError."""
        ...


class CreationQuota(Protocol):
    """How many repositories a caller has created in a day."""

    def take(self, caller: str, day: date, limit: int) -> bool:
        """Count one more, unless that would exceed ``limit``; whether it was counted."""
        ...

    def give_back(self, caller: str, day: date) -> None:
        """Uncount one that was taken and not created."""
        ...
