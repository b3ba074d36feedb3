"""The use case: make sure that repositories exist as the house rules say, one or many at a time."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

from repository_provisioning.application.one_repository import RepositoryConstruction
from repository_provisioning.application.ports import (
    ContainerRegistry,
    ProvisioningRecords,
    Record,
    RepositoryNotFoundError,
)
from repository_provisioning.domain.configuration import Details, Difference, Repository
from repository_provisioning.domain.events import RepositoryRequestDenied
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.planning import Origin, Plan, Planner, Request
from steward.clock import Clock
from steward.errors import (
    DeadlineError,
    NotAllowedError,
    PreconditionFailedError,
    RuleViolationError,
    StewardError,
    TooLargeError,
)
from steward.events import EventPublisher
from steward.principals import Principal

MAX_REQUESTS = 200
"""Repositories that one call may ask for: what fits, all missing, in the 25 seconds of an answer."""

type Result = Outcome | StewardError


@dataclass(frozen=True, slots=True)
class Outcome:
    """One repository as a call leaves it.

    ``repository`` is None after a dry run for one that does not exist; ``plan`` then tells what a real run would do.
    ``differences`` holds what DescribeRepositories shows; ``inspect`` looks at everything.
    """

    name: RepositoryName
    repository: Repository | None
    created: bool
    rule: str
    companions: tuple[RepositoryName, ...] = ()
    differences: tuple[Difference, ...] = ()
    plan: Plan | None = None


class Provisioner:
    """Repositories on demand.

    Parameters
    ----------
    planner
        Knows the house rules.
    construction
        Does the work on one repository.
    registry, records, publisher, clock
        The ports.
    in_flight
        How many repositories are worked on at once in a batch.
    """

    def __init__(
        self,
        planner: Planner,
        construction: RepositoryConstruction,
        registry: ContainerRegistry,
        records: ProvisioningRecords,
        publisher: EventPublisher,
        clock: Clock,
        *,
        in_flight: int = 10,
    ) -> None:
        self._planner = planner
        self._construction = construction
        self._registry = registry
        self._records = records
        self._publisher = publisher
        self._clock = clock
        self._in_flight = in_flight

    def ensure(self, request: Request, origin: Origin) -> Outcome:
        """Make sure that one repository, and its companions, exist under the rules.

        Raises
        ------
        StewardError
            Any of the tree; nothing is half-done that the same call again would not finish.
        """
        (result,) = self.ensure_many([request], origin)
        if isinstance(result, StewardError):
            raise result
        return result

    def ensure_many(self, requests: Sequence[Request], origin: Origin) -> list[Result]:
        """Make sure that many repositories exist; one result per request, in order, and no failure stops the rest.

        What cannot be done by ``origin.deadline`` gets DeadlineError; the same call again goes on from there.

        Raises
        ------
        TooLargeError
            More than ``MAX_REQUESTS``.
        UpstreamError
            What is remembered cannot be read, or a refusal cannot be published: nothing was done.
        """
        refuse_too_many(len(requests))
        planned = [self._planned(request, origin) for request in requests]
        self._report_denials(requests, planned, origin)
        plans: dict[RepositoryName, Plan] = {}
        for plan in planned:
            if isinstance(plan, Plan):
                plans.setdefault(plan.name, plan)
        for plan in list(plans.values()):
            for companion in plan.companions:
                if companion not in plans:
                    plans[companion] = self._planner.plan_companion(companion, plan, origin.caller)
        done = self._carry_out(plans, origin)
        return [self._answer(plan, plans, done) for plan in planned]

    def _planned(self, request: Request, origin: Origin) -> Plan | StewardError:
        try:
            return self._planner.plan(request, origin.caller)
        except StewardError as error:
            return error

    def _report_denials(
        self, requests: Sequence[Request], planned: Sequence[Plan | StewardError], origin: Origin
    ) -> None:
        denials = [
            RepositoryRequestDenied(request.name, str(origin.caller), str(refusal), list(refusal.allowed))
            for request, refusal in zip(requests, planned, strict=True)
            if isinstance(refusal, NotAllowedError) and not request.dry_run
        ]
        if denials:
            self._publisher.publish(denials, correlation_id=origin.correlation_id)

    def _carry_out(self, plans: Mapping[RepositoryName, Plan], origin: Origin) -> dict[RepositoryName, Result]:
        """Work on all plans, ``in_flight`` at a time, until the deadline.

        Names that are remembered almost surely exist, so they are looked up a hundred at a time; the others one by one,
        because DescribeRepositories of several names fails as a whole when one is missing.
        """
        records = self._records.get_many(plans.keys()) if plans else {}
        try:
            found = self._registry.find_many(records.keys()) if records else {}
        except StewardError as error:
            return dict.fromkeys(plans, error)
        work = {name: partial(self._one, plan, origin, records.get(name), found) for name, plan in plans.items()}
        settled = {name for name in found if self._is_settled(plans[name], records[name])}
        done = {name: step() for name, step in work.items() if name in settled or len(work) == 1}
        pool = ThreadPoolExecutor(self._in_flight, thread_name_prefix="ensure")
        running = {name: pool.submit(step) for name, step in work.items() if name not in done}
        wait(running.values(), timeout=max(0, (origin.deadline - self._clock.now()).total_seconds()))
        pool.shutdown(wait=False, cancel_futures=True)
        return done | {name: _result_of(name, future) for name, future in running.items()}

    def _one(
        self, plan: Plan, origin: Origin, record: Record | None, known: Mapping[RepositoryName, Repository]
    ) -> Result:
        try:
            if self._clock.now() >= origin.deadline:
                raise _out_of_time(plan.name)
            found = known.get(plan.name) if record else self._registry.find(plan.name)
            plan = plan.keeping(record.overrides) if record and found else plan
            if found and plan.create_only:
                raise PreconditionFailedError(f"{plan.name} exists, and If-None-Match: * requests creation only")
            if plan.dry_run:
                return self._outcome(plan, found, created=False)
            repository, created = self._construction.bring_about(plan, origin, found, record)
            if plan.create_only and not created:
                raise PreconditionFailedError(
                    f"{plan.name} was just created by another call, and If-None-Match: * requests creation only"
                )
            return self._outcome(plan, repository, created=created)
        except StewardError as error:
            return error

    @staticmethod
    def _is_settled(plan: Plan, record: Record) -> bool:
        """Whether nothing is left to do for a repository that exists: it is complete, or not ours to change."""
        try:
            return not record.managed or record.fingerprint == plan.keeping(record.overrides).configuration.fingerprint
        except RuleViolationError:  # what was overridden no longer fits the rule; the repository's own result says so
            return True

    def _outcome(self, plan: Plan, found: Repository | None, *, created: bool) -> Outcome:
        differences = tuple(plan.configuration.differences(found)) if found else ()
        return Outcome(plan.name, found, created, plan.rule.label, plan.companions, differences, plan)

    @staticmethod
    def _answer(
        planned: Plan | StewardError, plans: Mapping[RepositoryName, Plan], done: Mapping[RepositoryName, Result]
    ) -> Result:
        """The result of a request: its own, or that of a companion which failed."""
        if isinstance(planned, StewardError):
            return planned
        if planned != plans[planned.name]:
            return RuleViolationError(f"{planned.name} is in this request more than once, with different overrides")
        failed = (done[name] for name in planned.companions if isinstance(done[name], StewardError))
        return next(failed, done[planned.name])

    def inspect(self, text: str) -> Outcome:
        """What is there under a name, which rule applies, and everything in which the two differ.

        Raises
        ------
        RuleViolationError
            The text is no repository name.
        NotFoundError
            There is no such repository.
        """
        name = RepositoryName(text)
        repository = self._registry.find(name)
        if repository is None:
            raise RepositoryNotFoundError(f"there is no repository {name}; PUT it to create it")
        record = self._records.get_many([name]).get(name)
        rule, configuration = self._planner.configuration(name, record.overrides if record else None)
        details = Details(
            self._registry.tags(repository),
            self._registry.lifecycle_policy(name),
            self._registry.repository_policy(name),
        )
        differences = tuple(configuration.differences(repository, details))
        return Outcome(name, repository, created=False, rule=rule.label, differences=differences)

    def warnings_about(self, name: RepositoryName) -> tuple[str, ...]:
        """What is odd about a repository without being a difference from the rules; for people, so asked for apart."""
        scans = self._registry.scans(name)
        if scans is None:
            return ("whether anything scans the images of this repository could not be read",)
        if not scans:
            return ("nothing scans the images of this repository: the registry's scan configuration has no such rule",)
        return ()

    def allowed_to(self, caller: Principal) -> list[str]:
        """The patterns of names that ``caller`` may create."""
        return self._planner.allowed_to(caller)


def refuse_too_many(requests: int) -> None:
    """Hold the size of a batch to what one call can answer; raises TooLargeError."""
    if requests > MAX_REQUESTS:
        raise TooLargeError(f"one request may have at most {MAX_REQUESTS} repositories; this one has {requests}")


def _out_of_time(name: RepositoryName) -> DeadlineError:
    return DeadlineError(f"{name} was not finished in time; repeat the request to continue")


def _result_of(name: RepositoryName, future: Future[Result]) -> Result:
    return future.result() if future.done() and not future.cancelled() else _out_of_time(name)
