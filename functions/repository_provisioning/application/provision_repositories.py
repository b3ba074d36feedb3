"""The use case: make sure that repositories exist as the house rules say, one or many at a time."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from repository_provisioning.application.one_repository import (
    OneRepository,
    Outcome,
    Result,
    Stack,
    details_of,
    out_of_time,
)
from repository_provisioning.application.ports import (
    Record,
    RepositoryNotFoundError,
)
from repository_provisioning.domain.events import RepositoryRequestDenied
from repository_provisioning.domain.images import MAX_IMAGES, CutImages, Registry
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import ownership_of
from repository_provisioning.domain.planning import Origin, Plan, Planner, Request
from steward.errors import (
    NotAllowedError,
    RuleViolationError,
    StewardError,
    TooLargeError,
)
from steward.principals import Principal

MAX_REQUESTS = 200
"""Repositories that one call may ask for: what fits, all missing, in the 25 seconds of an answer."""
IN_FLIGHT = 10
"""Repositories of a batch that are worked on at once."""


class Provisioner:
    """Repositories on demand.

    Parameters
    ----------
    planner
        Knows the house rules.
    stack
        The ports.
    own
        The registry that images are cut for.
    in_flight
        How many repositories of a batch are worked on at once.
    """

    def __init__(self, planner: Planner, stack: Stack, own: Registry, *, in_flight: int = IN_FLIGHT) -> None:
        self._planner = planner
        self._stack = stack
        self._own = own
        self._in_flight = in_flight

    def cut(self, images: Sequence[str]) -> CutImages:
        """The names of the images of this registry. Raises TooLargeError, RuleViolationError."""
        if len(images) > MAX_IMAGES:
            raise TooLargeError(f"one request may have at most {MAX_IMAGES} images; this one has {len(images)}")
        return self._own.cut(images)

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
            The records cannot be read, or a refusal cannot be published: nothing was done.
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

    def plan(self, request: Request, caller: Principal) -> Plan:
        """What ``ensure`` would bring about. Raises RuleViolationError, NotAllowedError."""
        return self._planner.plan(request, caller)

    def _planned(self, request: Request, origin: Origin) -> Plan | StewardError:
        try:
            return self.plan(request, origin.caller)
        except StewardError as error:
            return error

    def _report_denials(
        self, requests: Sequence[Request], planned: Sequence[Plan | StewardError], origin: Origin
    ) -> None:
        denials = [
            RepositoryRequestDenied(
                request.name, str(origin.caller), str(refusal), list(refusal.allowed), origin.session
            )
            for request, refusal in zip(requests, planned, strict=True)
            if isinstance(refusal, NotAllowedError) and not request.dry_run
        ]
        if denials:
            self._stack.publisher.publish(denials, correlation_id=origin.correlation_id)

    def _carry_out(self, plans: Mapping[RepositoryName, Plan], origin: Origin) -> dict[RepositoryName, Result]:
        """Work on all plans, ``in_flight`` at a time, until the deadline.

        Names with a record almost surely exist, so they are looked up a hundred at a time; the others one by one,
        because DescribeRepositories of several names fails as a whole when one is missing.
        """
        records = self._stack.records.get_many(plans.keys()) if plans else {}
        try:
            found = self._stack.registry.find_many(records.keys()) if records else {}
        except StewardError as error:
            return dict.fromkeys(plans, error)
        kept = {name: self._keeping(plans[name], records[name], origin) for name in found}
        plans = {**plans, **kept}
        work = {
            name: partial(OneRepository(self._stack, plan, origin).ensure, records.get(name), found)
            for name, plan in plans.items()
        }
        settled = {name for name in found if self._is_settled(plans[name], records[name])}
        done = {name: step() for name, step in work.items() if name in settled or len(work) == 1}
        pool = ThreadPoolExecutor(self._in_flight, thread_name_prefix="ensure")
        running = {name: pool.submit(step) for name, step in work.items() if name not in done}
        wait(running.values(), timeout=max(0, (origin.deadline - self._stack.clock.now()).total_seconds()))
        pool.shutdown(wait=False, cancel_futures=True)
        return done | {name: _result_of(name, future) for name, future in running.items()}

    def _keeping(self, plan: Plan, record: Record, origin: Origin) -> Plan:
        """The plan for a repository that exists, with those of its overrides that are still permitted."""
        by = record.overridden_by or str(origin.caller)
        return plan.keeping(self._planner.in_force(plan.name, record.overrides, by), by)

    @staticmethod
    def _is_settled(plan: Plan, record: Record) -> bool:
        """Whether nothing is left to do for a repository that exists: it is complete, or not ours to change."""
        return not record.managed or record.fingerprint == plan.configuration.fingerprint

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

    def inspect(self, text: str, caller: Principal) -> Outcome:
        """What is there under a name, which rule applies, and everything in which the two differ.

        A caller that may not create the name sees that it exists, and its rule, and no more.

        Raises
        ------
        RuleViolationError
            The text is no repository name.
        NotFoundError
            There is no such repository.
        """
        name = RepositoryName(text)
        repository = self._stack.registry.find(name)
        if repository is None:
            name.refuse_registry()
            raise RepositoryNotFoundError(f"there is no repository {name}; PUT it to create it")
        rule, _ = self._planner.configuration(name)
        if not self._planner.may_create(name, caller):
            return Outcome(name, repository, created=False, rule=rule.label, restricted=True)
        record = self._stack.records.get_many([name]).get(name) or Record("", managed=False)
        overrides = self._planner.in_force(name, record.overrides, record.overridden_by or str(caller))
        _, configuration = self._planner.configuration(name, overrides)
        details = details_of(self._stack.registry, repository)
        cleared_tags = (record.overrides.tags or {}) if overrides.tags is None else {}
        differences = tuple(configuration.differences(repository, details, cleared_tags))
        settings = self._stack.registry.settings(name)
        ownership = ownership_of(name, details.tags, stack=self._stack.name, prefixes=settings.prefixes)
        return Outcome(
            name,
            repository,
            created=False,
            rule=rule.label,
            differences=differences,
            ownership=ownership,
            settings=settings,
        )

    def warnings_about(self, name: RepositoryName) -> tuple[str, ...]:
        """What people should know of a repository besides its differences from the rules; a call of its own."""
        scans = self._stack.registry.scans(name)
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


def _result_of(name: RepositoryName, future: Future[Result]) -> Result:
    return future.result() if future.done() and not future.cancelled() else out_of_time(name)
