"""One repository, brought from wherever it is to complete: created, configured, announced, remembered.

Level-triggered: each call looks at what is there and does what is missing, so work that was cut short anywhere is
finished by the next call. The order is what makes that safe: the record, which says "complete", is written last.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

from repository_provisioning.application.ports import (
    ContainerRegistry,
    CreationQuota,
    PrincipalNotYetKnownError,
    ProvisioningRecords,
    Record,
    RepositoryAlreadyExistsError,
    RepositoryNotFoundError,
)
from repository_provisioning.domain.configuration import Repository
from repository_provisioning.domain.events import RepositoryConfigurationChanged, RepositoryCreated
from repository_provisioning.domain.house_rules import Overrides
from repository_provisioning.domain.planning import Origin, Plan
from steward.clock import Clock
from steward.errors import ConflictError, DeadlineError, QuotaExceededError
from steward.events import EventPublisher

STACK_TAG = "steward:stack"
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
IN_PROGRESS = timedelta(seconds=20)
"""How long a repository without a record is taken to be in the hands of the call that created it."""
PATIENCE = timedelta(seconds=6)
"""How long that call is left to finish before another does its work."""


class RepositoryConstruction:
    """Creates and configures repositories of one stack.

    Parameters
    ----------
    registry, records, quota, publisher, clock
        The ports.
    stack
        Name of the stack: the value of our tag, and the reason why two stacks in an account leave each other's alone.
    """

    def __init__(
        self,
        registry: ContainerRegistry,
        records: ProvisioningRecords,
        quota: CreationQuota,
        publisher: EventPublisher,
        clock: Clock,
        *,
        stack: str,
    ) -> None:
        self._registry = registry
        self._records = records
        self._quota = quota
        self._publisher = publisher
        self._clock = clock
        self._stack = stack

    def bring_about(
        self, plan: Plan, origin: Origin, found: Repository | None, record: Record | None
    ) -> tuple[Repository, bool]:
        """Make sure that the repository is there and complete.

        Parameters
        ----------
        plan
            What it must look like.
        found, record
            What the registry and the records say of it now.

        Returns
        -------
        tuple
            The repository, and whether this call created it.

        Raises
        ------
        ConflictError
            A fixed setting differs, or the registry is full.
        QuotaExceededError
            The caller has created its share for today.
        DeadlineError
            The rest is for the next call.
        UpstreamError
            AWS failed; the next call finishes what is half-done.
        """
        if found is None:
            return self._create(plan, origin)
        self._refuse_other_encryption(plan, found)
        if record is None:
            self._finish(plan, origin, found)
        else:
            self._follow(plan, origin, found, record)
        return found, False

    def _create(self, plan: Plan, origin: Origin) -> tuple[Repository, bool]:
        taken = self._take_quota(plan, origin)
        try:
            self._registry.create(plan.name, plan.configuration, self._tags(plan, origin))
        except RepositoryAlreadyExistsError:
            taken()
            repository = self._until_visible(plan, origin)
            self._refuse_other_encryption(plan, repository)
            self._finish(plan, origin, repository)
            return repository, False
        except Exception:
            taken()
            raise
        repository = self._until_visible(plan, origin)
        self._complete(plan, origin, repository)
        return repository, True

    def _take_quota(self, plan: Plan, origin: Origin) -> Callable[[], None]:
        """Count one creation; what is returned uncounts it."""
        limit, caller, now = plan.caller_rule.daily_limit, str(origin.caller), self._clock.now()
        if limit is None:
            return lambda: None
        if not self._quota.take(caller, now.date(), limit):
            tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            raise QuotaExceededError(
                f"{caller} has created {limit} repositories today (UTC), the limit of its rule",
                after_seconds=int((tomorrow - now).total_seconds()) + 1,
            )
        return lambda: self._quota.give_back(caller, now.date())

    def _finish(self, plan: Plan, origin: Origin, found: Repository) -> None:
        """Complete a repository of which nothing is remembered: it is ours and half-done, or not ours at all."""
        if self._clock.now() - found.created_at < IN_PROGRESS:
            record = self._completed_by_another(plan, origin)
            if record:
                self._follow(plan.keeping(record.overrides), origin, found, record)
                return
        if self._patiently(origin, lambda: self._registry.tags(found)).get(STACK_TAG) != self._stack:
            self._records.put(plan.name, Record(plan.configuration.fingerprint, managed=False))
            return
        configuration, name = plan.configuration, plan.name
        # Only what is missing is put: with the records lost, what is there may be what somebody overrode.
        if configuration.lifecycle_policy and not self._patiently(
            origin, lambda: self._registry.lifecycle_policy(name)
        ):
            self._put_lifecycle_policy(plan, origin)
        if configuration.repository_policy and not self._patiently(
            origin, lambda: self._registry.repository_policy(name)
        ):
            self._put_repository_policy(plan, origin)
        self._announce(plan, origin, found)

    def _completed_by_another(self, plan: Plan, origin: Origin) -> Record | None:
        """Wait for the call that created the repository to finish; what it then remembers."""
        give_up = min(self._clock.now() + PATIENCE, origin.deadline)
        for pause in _growing_pauses():
            record = self._records.get_many([plan.name]).get(plan.name)
            if record or self._clock.now() + timedelta(seconds=pause) > give_up:
                return record
            self._clock.pause(pause)
        raise AssertionError("pauses never end")

    def _follow(self, plan: Plan, origin: Origin, found: Repository, record: Record) -> None:
        """Bring a repository that was complete to what is wanted now, if it is ours and that is something else."""
        if record.managed and record.fingerprint != plan.configuration.fingerprint:
            self._reconfigure(plan, origin, found)

    def _complete(self, plan: Plan, origin: Origin, repository: Repository) -> None:
        self._put_lifecycle_policy(plan, origin)
        self._put_repository_policy(plan, origin)
        self._announce(plan, origin, repository)

    def _announce(self, plan: Plan, origin: Origin, repository: Repository) -> None:
        created = RepositoryCreated(plan.name, repository.arn, repository.uri, plan.rule.label, str(origin.caller))
        self._publisher.publish([created], correlation_id=origin.correlation_id)
        self._remember(plan)

    def _reconfigure(self, plan: Plan, origin: Origin, found: Repository) -> None:
        """Bring a complete repository of ours to rules that changed since; what they dropped is not deleted."""
        configuration, name = plan.configuration, plan.name
        changed = [difference.setting for difference in configuration.differences(found)]
        if changed:
            self._registry.put_tag_mutability(name, configuration)
        if configuration.lifecycle_policy:
            self._put_lifecycle_policy(plan, origin)
            changed.append("lifecycle")
        if configuration.repository_policy:
            self._put_repository_policy(plan, origin)
            changed.append("pull")
        if configuration.tags:
            self._registry.put_tags(found, configuration.tags)
            changed.append("tags")
        event = RepositoryConfigurationChanged(
            plan.name, found.arn, found.uri, plan.rule.label, str(origin.caller), sorted(changed)
        )
        self._publisher.publish([event], correlation_id=origin.correlation_id)
        self._remember(plan)

    def _remember(self, plan: Plan) -> None:
        overrides = plan.overrides or Overrides()
        self._records.put(plan.name, Record(plan.configuration.fingerprint, managed=True, overrides=overrides))

    def _put_lifecycle_policy(self, plan: Plan, origin: Origin) -> None:
        if text := plan.configuration.lifecycle_policy:
            self._patiently(origin, lambda: self._registry.put_lifecycle_policy(plan.name, text))

    def _put_repository_policy(self, plan: Plan, origin: Origin) -> None:
        if text := plan.configuration.repository_policy:
            self._patiently(origin, lambda: self._registry.put_repository_policy(plan.name, text))

    def _until_visible(self, plan: Plan, origin: Origin) -> Repository:
        """Wait until DescribeRepositories sees what was created; ECR takes up to about ten seconds."""

        def look() -> Repository:
            repository = self._registry.find(plan.name)
            if repository is None:
                raise RepositoryNotFoundError(f"{plan.name} is created, but ECR does not show it yet")
            return repository

        return self._patiently(origin, look)

    def _patiently[T](self, origin: Origin, step: Callable[[], T]) -> T:
        """Do ``step``, again after growing pauses while ECR has not caught up with what was created."""
        for pause in _growing_pauses():
            try:
                return step()
            except (RepositoryNotFoundError, PrincipalNotYetKnownError) as error:
                if self._clock.now() + timedelta(seconds=pause) > origin.deadline:
                    raise DeadlineError(f"{error}; repeat the request to continue") from error
                self._clock.pause(pause)
        raise AssertionError("pauses never end")

    def _tags(self, plan: Plan, origin: Origin) -> dict[str, str]:
        """The rule's tags and ours: whose it is, who asked (the verified caller), by which rule, when."""
        ours = {
            STACK_TAG: self._stack,
            "steward:requested-by": str(origin.caller),
            "steward:rule": plan.rule.label,
            "steward:created-at": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return {**plan.configuration.tags, **ours}

    @staticmethod
    def _refuse_other_encryption(plan: Plan, found: Repository) -> None:
        if plan.configuration.encryption_differs(found):
            wanted = plan.configuration.kms_key or plan.configuration.encryption
            raise ConflictError(
                f"{plan.name} exists with encryption {found.kms_key or found.encryption}, the rule says {wanted}, and "
                "ECR cannot change it: delete and recreate it, or add a house rule for this name with this encryption"
            )


def _growing_pauses() -> Iterator[float]:
    """Seconds to wait between tries, without end."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE)
