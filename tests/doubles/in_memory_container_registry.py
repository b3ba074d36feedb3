"""A container registry in memory, which can be slow to show what it holds, as ECR is."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock

from repository_provisioning.application.ports import RepositoryAlreadyExistsError, RepositoryNotFoundError
from repository_provisioning.domain.configuration import Configuration, Repository
from repository_provisioning.domain.fleet import Images
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import RegistryPrefixes, RegistrySettings
from steward.clock import Clock
from steward.errors import ConflictError, RuleViolationError


@dataclass
class Stored:
    """All that the registry holds of one repository."""

    repository: Repository
    tags: dict[str, str] = field(default_factory=dict)
    lifecycle_policy: str | None = None
    repository_policy: str | None = None
    images: Images = field(default_factory=lambda: Images(0, None))


class InMemoryContainerRegistry:
    """Behaves as ECR does towards one client.

    Parameters
    ----------
    visible_after
        How long a new repository exists before any other call sees it.
    capacity
        How many repositories the registry's quota allows.
    scanned
        What ``scans`` answers.
    """

    ACCOUNT, REGION = "123456789012", "ca-central-1"

    def __init__(
        self,
        clock: Clock,
        *,
        visible_after: timedelta = timedelta(0),
        capacity: int = 100_000,
        scanned: bool | None = True,
    ) -> None:
        self._clock = clock
        self._visible_after = visible_after
        self._capacity = capacity
        self.scanned = scanned
        self.known_prefixes = RegistryPrefixes()
        self.stored: dict[str, Stored] = {}
        self.calls: Counter[str] = Counter()
        self._lock = Lock()

    def find(self, name: RepositoryName) -> Repository | None:
        self.calls["find"] += 1
        return self.stored[name].repository if self._is_visible(name) else None

    def find_many(self, names: Collection[RepositoryName]) -> dict[RepositoryName, Repository]:
        self.calls["find_many"] += 1
        return {name: self.stored[name].repository for name in names if self._is_visible(name)}

    def create(self, name: RepositoryName, configuration: Configuration, tags: Mapping[str, str]) -> Repository:
        self.calls["create"] += 1
        with self._lock:
            if name in self.stored:
                raise RepositoryAlreadyExistsError(f"{name} already exists", code="RepositoryAlreadyExistsException")
            if len(self.stored) >= self._capacity:
                raise ConflictError("the registry's quota is reached", code="LimitExceededException")
            repository = Repository(
                name=str(name),
                arn=f"arn:aws:ecr:{self.REGION}:{self.ACCOUNT}:repository/{name}",
                uri=f"{self.ACCOUNT}.dkr.ecr.{self.REGION}.amazonaws.com/{name}",
                registry_id=self.ACCOUNT,
                created_at=self._clock.now(),
                tag_mutability=configuration.tag_mutability,
                mutable_tags=configuration.mutable_tags,
                encryption=configuration.encryption,
                kms_key=configuration.kms_key,
                immutable_tags=configuration.immutable_tags,
            )
            self.stored[name] = Stored(repository, dict(tags))
        return repository

    def tags(self, repository: Repository) -> dict[str, str]:
        self.calls["tags"] += 1
        return dict(self._seen(repository.name).tags)

    def lifecycle_policy(self, name: RepositoryName) -> str | None:
        self.calls["lifecycle_policy"] += 1
        return self._seen(name).lifecycle_policy

    def repository_policy(self, name: RepositoryName) -> str | None:
        self.calls["repository_policy"] += 1
        return self._seen(name).repository_policy

    def put_tag_mutability(self, name: RepositoryName, configuration: Configuration) -> None:
        self.calls["put_tag_mutability"] += 1
        stored = self._seen(name)
        stored.repository = replace(
            stored.repository,
            tag_mutability=configuration.tag_mutability,
            mutable_tags=configuration.mutable_tags,
            immutable_tags=configuration.immutable_tags,
        )

    def put_lifecycle_policy(self, name: RepositoryName, text: str) -> None:
        self.calls["put_lifecycle_policy"] += 1
        stored = self._seen(name)
        if any("tagStatus" not in rule["selection"] for rule in json.loads(text)["rules"]):
            raise RuleViolationError("ECR rejects it: tagStatus is missing", code="InvalidParameterException")
        stored.lifecycle_policy = text

    def put_repository_policy(self, name: RepositoryName, text: str) -> None:
        self.calls["put_repository_policy"] += 1
        self._seen(name).repository_policy = text

    def put_tags(self, repository: Repository, tags: Mapping[str, str]) -> None:
        self.calls["put_tags"] += 1
        self._seen(repository.name).tags.update(tags)

    def delete_lifecycle_policy(self, name: RepositoryName) -> None:
        self.calls["delete_lifecycle_policy"] += 1
        self._seen(name).lifecycle_policy = None

    def delete_repository_policy(self, name: RepositoryName) -> None:
        self.calls["delete_repository_policy"] += 1
        self._seen(name).repository_policy = None

    def remove_tags(self, repository: Repository, keys: Collection[str]) -> None:
        self.calls["remove_tags"] += 1
        tags = self._seen(repository.name).tags
        for key in keys:
            tags.pop(key, None)

    def everything(self) -> list[Repository]:
        self.calls["everything"] += 1
        return [self.stored[name].repository for name in sorted(self.stored) if self._is_visible(name)]

    def images(self, name: RepositoryName) -> Images:
        self.calls["images"] += 1
        return self._seen(name).images

    def prefixes(self) -> RegistryPrefixes:
        self.calls["prefixes"] += 1
        return self.known_prefixes

    def settings(self, name: RepositoryName) -> RegistrySettings:
        return RegistrySettings(self.scans(name), (), (), self.known_prefixes)

    def scans(self, name: RepositoryName) -> bool | None:  # noqa: ARG002 - one answer for all names
        return self.scanned

    def _is_visible(self, name: str) -> bool:
        stored = self.stored.get(name)
        return stored is not None and self._clock.now() >= stored.repository.created_at + self._visible_after

    def _seen(self, name: str) -> Stored:
        if not self._is_visible(name):
            raise RepositoryNotFoundError(f"{name} does not exist", code="RepositoryNotFoundException")
        return self.stored[name]
