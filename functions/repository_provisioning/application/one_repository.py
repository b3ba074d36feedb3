"""One repository of one request, brought from any state to complete: created, configured, published, recorded.

Level-triggered: each call looks at what is there and does what is missing, so work that was cut short anywhere is
finished by the next call. The order is what makes that safe: the record, which says "complete", is written last.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from repository_provisioning.application.ports import (
    ContainerRegistry,
    CreationQuota,
    PrincipalNotYetKnownError,
    ProvisioningRecords,
    Record,
    RepositoryAlreadyExistsError,
    RepositoryDetails,
    RepositoryNotFoundError,
)
from repository_provisioning.domain.configuration import (
    STACK_TAG,
    Details,
    Difference,
    Repository,
    may_shorten,
    others_statements,
    our_statements,
)
from repository_provisioning.domain.events import (
    RepositoryConfigurationChanged,
    RepositoryCreated,
    RepositoryRetentionShortened,
)
from repository_provisioning.domain.house_rules import Overrides
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import Ownership, RegistrySettings, ownership_of
from repository_provisioning.domain.planning import Origin, Plan, Target
from steward.clock import Clock
from steward.errors import (
    ConflictError,
    DeadlineError,
    PreconditionFailedError,
    QuotaExceededError,
    StewardError,
    UpstreamError,
)
from steward.events import EventPublisher

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
IN_PROGRESS = timedelta(seconds=20)
"""How long a repository without a record is taken to be the work of the call that created it."""
PATIENCE = timedelta(seconds=6)
"""How long that call is left to finish before another does its work."""

type Result = Outcome | StewardError


@dataclass(frozen=True, slots=True)
class Outcome:
    """One repository as a call leaves it.

    ``repository`` is None after a dry run for one that does not exist; ``plan`` then says what a real run would do.
    ``differences`` holds what DescribeRepositories shows; ``inspect`` looks at everything.
    """

    name: RepositoryName
    repository: Repository | None
    created: bool
    rule: str
    companions: tuple[RepositoryName, ...] = ()
    differences: tuple[Difference, ...] = ()
    plan: Plan | None = None
    restricted: bool = False
    """Whether the caller may see no more than that it exists, and its rule."""
    ownership: Ownership | None = None
    settings: RegistrySettings | None = None
    """Of ``inspect``: its owner, and what the registry does with it."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The ports of one stack, and its name: the value of our tag, by which two stacks leave each other's alone."""

    name: str
    registry: ContainerRegistry
    records: ProvisioningRecords
    quota: CreationQuota
    publisher: EventPublisher
    clock: Clock


class OneRepository:
    """The work of one request on one repository.

    Parameters
    ----------
    stack
        What it works with.
    plan
        What the repository must look like.
    origin
        Who asks, and by when the answer must be there.
    """

    def __init__(self, stack: Stack, plan: Plan, origin: Origin) -> None:
        self._stack = stack
        self._plan = plan
        self._origin = origin

    def ensure(self, record: Record | None, known: Mapping[RepositoryName, Repository]) -> Result:
        """Make sure that the repository is there and complete; an error of the tree is the result, not raised.

        Parameters
        ----------
        record
            Its record, None if it has none.
        known
            Repositories that were looked up already: all of those with a record that exist.
        """
        plan = self._plan
        try:
            if self._stack.clock.now() >= self._origin.deadline:
                raise out_of_time(plan.name)
            found = known.get(plan.name) if record else self._stack.registry.find(plan.name)
            if found and plan.create_only:
                raise PreconditionFailedError(f"{plan.name} exists, and If-None-Match: * requests creation only")
            if plan.dry_run:
                return self._outcome(found, created=False)
            repository, created = self._bring_about(found, record)
            if plan.create_only and not created:
                raise PreconditionFailedError(
                    f"{plan.name} was just created by another call, and If-None-Match: * requests creation only"
                )
            return self._outcome(repository, created=created)
        except StewardError as error:
            return error

    def _outcome(self, found: Repository | None, *, created: bool) -> Outcome:
        plan = self._plan
        differences = tuple(plan.configuration.differences(found)) if found else ()
        return Outcome(plan.name, found, created, plan.rule.label, plan.companions, differences, plan)

    def _bring_about(self, found: Repository | None, record: Record | None) -> tuple[Repository, bool]:
        """The repository, complete, and whether this call created it."""
        if found is None:
            return self._create()
        if record is None:
            self._finish(found)
        else:
            self._follow(found, record)
        return found, False

    def _create(self) -> tuple[Repository, bool]:
        give_back = self._take_quota()
        try:
            self._stack.registry.create(self._plan.name, self._plan.configuration, self._tags())
        except RepositoryAlreadyExistsError:
            give_back()
            repository = self._until_visible()
            self._finish(repository)
            return repository, False
        except Exception:
            give_back()
            raise
        repository = self._until_visible()
        self._complete(repository)
        return repository, True

    def _take_quota(self) -> Callable[[], None]:
        """Count one creation; what is returned uncounts it."""
        limit, caller, now = self._plan.caller_rule.daily_limit, self._origin.quota_owner, self._stack.clock.now()
        if limit is None:
            return lambda: None
        if not self._stack.quota.take(caller, now.date(), limit):
            tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            raise QuotaExceededError(
                f"{caller} has created {limit} repositories today (UTC), the limit of its rule",
                after_seconds=int((tomorrow - now).total_seconds()) + 1,
            )
        return lambda: self._stack.quota.give_back(caller, now.date())

    def _finish(self, found: Repository) -> None:
        """Complete a repository without a record: it is ours and half-done, or not ours at all."""
        if self._stack.clock.now() - found.created_at < IN_PROGRESS:
            record = self._completed_by_another()
            if record:
                kept = self._plan.keeping(record.overrides, record.overridden_by)
                OneRepository(self._stack, kept, self._origin)._follow(found, record)  # noqa: SLF001 - another plan
                return
        tags = self._until_consistent(lambda: self._stack.registry.tags(found))
        if not ownership_of(found.name, tags, stack=self._stack.name).is_ours:
            self._stack.records.put(self._plan.name, Record(self._plan.configuration.fingerprint, managed=False))
            return
        self._refuse_other_encryption(found)
        configuration, name, registry = self._plan.configuration, self._plan.name, self._stack.registry
        # Only what is missing is put: with the records lost, what is there may be a caller's override.
        if configuration.lifecycle_policy and not self._until_consistent(lambda: registry.lifecycle_policy(name)):
            self._put_lifecycle_policy()
        if configuration.repository_policy:
            there = self._until_consistent(lambda: registry.repository_policy(name))
            if our_statements(there) is None:
                self._put_repository_policy(beside=there)
        self._publish_created(found)

    def _completed_by_another(self) -> Record | None:
        """Wait for the call that created the repository to finish; the record that it writes."""
        give_up = min(self._stack.clock.now() + PATIENCE, self._origin.deadline)
        for pause in growing_pauses():
            record = self._stack.records.get_many([self._plan.name]).get(self._plan.name)
            if record or self._stack.clock.now() + timedelta(seconds=pause) > give_up:
                return record
            self._stack.clock.pause(pause)
        raise AssertionError("pauses never end")

    def _follow(self, found: Repository, record: Record) -> None:
        """Bring a complete repository of ours to the configuration that is wanted now, if that has changed."""
        if not record.managed:
            return
        self._refuse_other_encryption(found)
        if record.fingerprint != self._plan.configuration.fingerprint:
            self._reconfigure(found, record.overrides)

    def _complete(self, repository: Repository) -> None:
        self._put_lifecycle_policy()
        self._put_repository_policy()
        self._publish_created(repository)

    def _publish_created(self, repository: Repository) -> None:
        plan, caller = self._plan, str(self._origin.caller)
        created = RepositoryCreated(
            plan.name, repository.arn, repository.uri, plan.rule.label, caller, self._origin.session
        )
        self._stack.publisher.publish([created], correlation_id=self._origin.correlation_id)
        self.write_record()

    def _reconfigure(self, found: Repository, before: Overrides) -> None:
        """Bring a complete repository of ours to what is wanted since; what the rules dropped is not deleted.

        What an earlier call overrode (``before``) and nobody overrides any more goes, also where the rule says nothing
        of it. Only what differs is put: a policy that nobody changed here may have statements that others added.
        """
        details = details_of(self._stack.registry, found)
        changes = self._plan.configuration.changes(found, details, cleared_of(before, self._plan.target))
        changed = self.put(found, details, changes, before.tags or {})
        # Also with nothing left to put: an earlier call may have failed between putting and publishing.
        self.publish_changed(found, changed)
        self.write_record()

    def put(
        self, found: Repository, details: Details, changes: Sequence[Difference], cleared_tags: Mapping[str, str]
    ) -> list[str]:
        """Put what differs, and nothing else; the settings that were put."""
        configuration, name, registry = self._plan.configuration, self._plan.name, self._stack.registry
        different = {change.setting for change in changes}
        if different & {"tag_mutability", "mutable_tags", "immutable_tags"}:
            registry.put_tag_mutability(name, configuration)
        if "lifecycle" in different:
            self._publish_shortened(found, details.lifecycle_policy)
            self._put_or_delete_lifecycle_policy()
        if "pull" in different:
            self._put_or_clear_repository_policy(details.repository_policy)
        to_remove = configuration.tags_to_remove(details.tags, cleared_tags)
        if to_remove:
            registry.remove_tags(found, to_remove)
        if any(details.tags.get(key) != value for key, value in configuration.tags.items()):
            registry.put_tags(found, configuration.tags)
        return sorted(different)

    def publish_changed(self, found: Repository, changed: list[str]) -> None:
        """Publish that the repository follows its rule now."""
        plan, origin = self._plan, self._origin
        event = RepositoryConfigurationChanged(
            plan.name, found.arn, found.uri, plan.rule.label, str(origin.caller), changed, origin.session
        )
        self._stack.publisher.publish([event], correlation_id=origin.correlation_id)

    def _publish_shortened(self, found: Repository, before: str | None) -> None:
        """Publish a shorter retention before it is put: the policy before it is lost afterwards."""
        after = self._plan.configuration.lifecycle_policy
        if may_shorten(before, after):
            event = RepositoryRetentionShortened(
                self._plan.name,
                found.arn,
                self._plan.rule.label,
                str(self._origin.caller),
                self._origin.session,
                before,
                after,
            )
            self._stack.publisher.publish([event], correlation_id=self._origin.correlation_id)

    def _put_or_delete_lifecycle_policy(self) -> None:
        if self._plan.configuration.lifecycle_policy:
            self._put_lifecycle_policy()
        else:
            self._stack.registry.delete_lifecycle_policy(self._plan.name)

    def _put_or_clear_repository_policy(self, there: str | None) -> None:
        """Put our statements, or take those of an override away; those of others stay."""
        if self._plan.configuration.repository_policy or there is None:
            self._put_repository_policy(beside=there)
        elif others := others_statements(there):
            self._stack.registry.put_repository_policy(self._plan.name, others)
        else:
            self._stack.registry.delete_repository_policy(self._plan.name)

    def write_record(self) -> None:
        """Record that the repository is complete."""
        plan = self._plan
        record = Record(
            plan.configuration.fingerprint,
            managed=True,
            overrides=plan.overrides or Overrides(),
            overridden_by=plan.overridden_by,
        )
        self._stack.records.put(plan.name, record)

    def _put_lifecycle_policy(self) -> None:
        if text := self._plan.configuration.lifecycle_policy:
            self._until_consistent(lambda: self._stack.registry.put_lifecycle_policy(self._plan.name, text))

    def _put_repository_policy(self, *, beside: str | None = None) -> None:
        """Put our statements, with those of others in the policy that is there."""
        if text := self._plan.configuration.repository_policy_beside(beside):
            self._until_consistent(lambda: self._stack.registry.put_repository_policy(self._plan.name, text))

    def _until_visible(self) -> Repository:
        """Wait until DescribeRepositories sees what was created; ECR takes up to about ten seconds."""

        def look() -> Repository:
            repository = self._stack.registry.find(self._plan.name)
            if repository is None:
                raise RepositoryNotFoundError(f"{self._plan.name} is created, but ECR does not show it yet")
            return repository

        return self._until_consistent(look)

    def _until_consistent[T](self, step: Callable[[], T]) -> T:
        """Do ``step``, with growing pauses while ECR, eventually consistent, does not show yet what was created."""
        for pause in growing_pauses():
            try:
                return step()
            except (RepositoryNotFoundError, PrincipalNotYetKnownError) as error:
                if self._stack.clock.now() + timedelta(seconds=pause) > self._origin.deadline:
                    raise DeadlineError(f"{error}; repeat the request to continue") from error
                self._stack.clock.pause(pause)
        raise AssertionError("pauses never end")

    def _tags(self) -> dict[str, str]:
        """The rule's tags and ours: the stack, the verified caller, the rule, the time."""
        ours = {
            STACK_TAG: self._stack.name,
            "steward:requested-by": str(self._origin.caller),
            "steward:rule": self._plan.rule.label,
            "steward:created-at": self._stack.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return {**self._plan.configuration.tags, **ours}

    def _refuse_other_encryption(self, found: Repository) -> None:
        if self._plan.configuration.encryption_differs(found):
            configuration, there = self._plan.configuration, found.kms_key or found.encryption
            wanted = configuration.kms_key or configuration.encryption
            raise ConflictError(
                f"{self._plan.name} exists with encryption {there}, the rule says {wanted}, and "
                "ECR cannot change it: delete and recreate it, or add a house rule for this name with this encryption"
            )


def details_of(registry: RepositoryDetails, repository: Repository) -> Details:
    """What DescribeRepositories does not show of a repository: three calls.

    Raises
    ------
    RepositoryNotFoundError
        There is none of this name.
    UpstreamError
        AWS failed, or answered what is no policy.
    """
    name = RepositoryName(repository.name)
    details = Details(registry.tags(repository), registry.lifecycle_policy(name), registry.repository_policy(name))
    if not details.are_readable:
        raise UpstreamError(f"what AWS answers about {name} is no policy; try again later")
    return details


def cleared_of(before: Overrides, target: Target) -> dict[str, object]:
    """Settings that were overridden and are not any more, with what was given; of tags each goes by itself."""
    kept = target.overrides.given().keys()
    gone: dict[str, object] = {str(name): value for name, value in before.given().items() if name not in kept}
    return gone | ({"tags": before.tags} if before.tags else {})


def growing_pauses() -> Iterator[float]:
    """Seconds to wait between tries, without end."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)


def out_of_time(name: RepositoryName) -> DeadlineError:
    """The result of a repository that a request has no time left for."""
    return DeadlineError(f"{name} was not finished in time; repeat the request to continue")
