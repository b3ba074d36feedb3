"""The use case: bring repositories that exist already under their rules, or back to them, as a dry run has shown it.

Nothing is changed that was not shown: a change carries the fingerprint of its dry run, and everything is read again
before it. A change that was cut short is finished by the next one: marks come first, the record last.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from repository_provisioning.application.one_repository import (
    OneRepository,
    Stack,
    cleared_of,
    details_of,
    growing_pauses,
    out_of_time,
)
from repository_provisioning.application.ports import Record, RepositoryNotFoundError
from repository_provisioning.application.provision_repositories import IN_FLIGHT, refuse_too_many
from repository_provisioning.domain.adoption import Adoption, adoption_of
from repository_provisioning.domain.configuration import Details, Repository
from repository_provisioning.domain.events import RepositoryAdopted, RepositoryRequestDenied
from repository_provisioning.domain.house_rules import Overrides
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import Owner, RegistryPrefixes, Scope, ownership_of
from repository_provisioning.domain.planning import Origin, Plan, Planner
from steward.errors import (
    AccessDeniedError,
    InvalidRequestError,
    NotAllowedError,
    PreconditionFailedError,
    RuleViolationError,
    StewardError,
)

RECORD_LOST = "what callers have overridden is not recorded: what differs may be an override, and would be lost"
TAGS_TAKE_EFFECT = timedelta(seconds=6)
"""How long AWS may need until it lets us configure what carries our tag.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""


class Intent(StrEnum):
    """What is asked for."""

    ADOPT = "adopt"
    RECONCILE = "reconcile"


@dataclass(frozen=True, slots=True)
class AdoptionRequest:
    """One repository to bring under its rule.

    ``fingerprint`` is that of the dry run; None asks for the dry run. ``scope`` is for adoptions alone.
    """

    name: str
    intent: Intent
    scope: Scope = Scope.WHOLE
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """What would be done, or was: ``done`` is None after a dry run, else the settings that were put."""

    adoption: Adoption
    done: tuple[str, ...] | None = None


type AdoptionResult = Adopted | StewardError


class Adopter:
    """Adoptions and reconciliations of existing repositories.

    Parameters
    ----------
    planner
        Knows the house rules, and who may adopt.
    stack
        The ports.
    in_flight
        How many repositories are worked on at once.
    """

    def __init__(self, planner: Planner, stack: Stack, *, in_flight: int = IN_FLIGHT) -> None:
        self._planner = planner
        self._stack = stack
        self._in_flight = in_flight

    def bring(self, request: AdoptionRequest, origin: Origin) -> Adopted:
        """One repository; raises the error that ``bring_many`` would have as its result."""
        (result,) = self.bring_many([request], origin)
        if isinstance(result, StewardError):
            raise result
        return result

    def bring_many(self, requests: Sequence[AdoptionRequest], origin: Origin) -> list[AdoptionResult]:
        """Many repositories; one result per request, in order, and no failure stops the rest.

        What cannot be done by ``origin.deadline`` gets DeadlineError; the same call again goes on from there.

        Raises
        ------
        TooLargeError
            More than 200.
        RuleViolationError
            A name is in it twice.
        UpstreamError
            The registry cannot be read, or a refusal cannot be published: nothing was done.
        """
        refuse_too_many(len(requests))
        names = [request.name for request in requests]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise RuleViolationError(f"{twice[0]} is in this request more than once")
        planned = [self._planned(request, origin) for request in requests]
        self._report_denials(requests, planned, origin)
        plans = [plan for plan in planned if isinstance(plan, RepositoryName)]
        records = self._stack.records.get_many(plans) if plans else {}
        found = self._stack.registry.find_many(plans) if plans else {}
        prefixes = self._stack.registry.prefixes() if found else RegistryPrefixes()
        pool = ThreadPoolExecutor(self._in_flight, thread_name_prefix="adopt")
        running = {
            name: pool.submit(self._one, request, found.get(name), records.get(name), prefixes, origin)
            for request, name in zip(requests, planned, strict=True)
            if isinstance(name, RepositoryName)
        }
        wait(running.values(), timeout=max(0, (origin.deadline - self._stack.clock.now()).total_seconds()))
        pool.shutdown(wait=False, cancel_futures=True)
        done: dict[RepositoryName, AdoptionResult] = {
            name: future.result() if future.done() and not future.cancelled() else out_of_time(name)
            for name, future in running.items()
        }
        return [done[name] if isinstance(name, RepositoryName) else name for name in planned]

    def _planned(self, request: AdoptionRequest, origin: Origin) -> RepositoryName | StewardError:
        """The name, if the caller may have it brought under its rule: decided before anything is read."""
        try:
            name = RepositoryName(request.name)
            self._planner.plan_adoption(name, origin.caller, Overrides(), "")
        except StewardError as error:
            return error
        return name

    def _report_denials(
        self,
        requests: Sequence[AdoptionRequest],
        planned: Sequence[RepositoryName | StewardError],
        origin: Origin,
    ) -> None:
        denials = [
            RepositoryRequestDenied(
                request.name, str(origin.caller), str(refusal), list(refusal.allowed), origin.session
            )
            for request, refusal in zip(requests, planned, strict=True)
            if isinstance(refusal, NotAllowedError) and request.fingerprint is not None
        ]
        if denials:
            self._stack.publisher.publish(denials, correlation_id=origin.correlation_id)

    def _one(
        self,
        request: AdoptionRequest,
        found: Repository | None,
        record: Record | None,
        prefixes: RegistryPrefixes,
        origin: Origin,
    ) -> AdoptionResult:
        try:
            if self._stack.clock.now() >= origin.deadline:
                raise out_of_time(RepositoryName(request.name))
            if found is None:
                raise RepositoryNotFoundError(f"there is no repository {request.name}; PUT it to create it")
            adoption, plan, before = self._look(request, found, record, prefixes, origin)
            adoption.refuse(reconciling=request.intent is Intent.RECONCILE)
            if request.fingerprint is None:
                return Adopted(adoption)
            if request.fingerprint != adoption.fingerprint:
                raise PreconditionFailedError(
                    f"{request.name} or its rule changed since the dry run: look at a new one, and send its fingerprint"
                )
            return Adopted(
                adoption,
                tuple(self._carry_out(request, adoption, OneRepository(self._stack, plan, origin), before, origin)),
            )
        except StewardError as error:
            return error

    def _look(
        self,
        request: AdoptionRequest,
        found: Repository,
        record: Record | None,
        prefixes: RegistryPrefixes,
        origin: Origin,
    ) -> tuple[Adoption, Plan, Overrides]:
        """What is there and what it becomes, the plan of it, and the overrides that it was configured with."""
        details = details_of(self._stack.registry, found)
        ownership = ownership_of(found.name, details.tags, stack=self._stack.name, prefixes=prefixes)
        before, by = Overrides(), ""
        if record and record.managed and ownership.is_ours:
            before, by = record.overrides, record.overridden_by or str(origin.caller)
        plan = self._planner.plan_adoption(RepositoryName(found.name), origin.caller, before, by)
        scope = request.scope
        if request.intent is Intent.RECONCILE:
            scope = Scope.TAGS if ownership.owner is Owner.TAGS_ONLY else Scope.WHOLE
        warnings = () if record or not ownership.is_ours else (RECORD_LOST,)
        adoption = adoption_of(
            plan.target, scope, found, details, ownership, prefixes, cleared_of(before, plan.target), warnings
        )
        return adoption, plan, before

    def _carry_out(
        self, request: AdoptionRequest, adoption: Adoption, work: OneRepository, before: Overrides, origin: Origin
    ) -> list[str]:
        """Put the marks, then what differs; publish it, and record it last."""
        found, stack = adoption.found, self._stack
        tags = adoption.tags(stack=stack.name, by=str(origin.caller), at=stack.clock.now())
        if any(adoption.details.tags.get(key) != value for key, value in tags.items()):
            stack.registry.put_tags(found, tags)
        there = replace(adoption.details, tags={**adoption.details.tags, **tags})
        changed = sorted({change.setting for change in adoption.changes})
        if adoption.scope is Scope.WHOLE:
            changed = self._put_once_permitted(work, adoption, there, before, origin)
        if request.intent is Intent.RECONCILE:
            work.publish_changed(found, changed)
        else:
            self._publish_adopted(adoption, changed, origin)
        if adoption.scope is Scope.WHOLE:
            work.write_record()
        else:
            stack.records.put(adoption.target.name, Record(adoption.target.configuration.fingerprint, managed=False))
        return changed

    def _put_once_permitted(
        self, work: OneRepository, adoption: Adoption, there: Details, before: Overrides, origin: Origin
    ) -> list[str]:
        """Put what differs beside the tags; until the tag that permits it has taken effect, AWS denies it."""
        marked = adoption.ownership.is_ours
        give_up = min(origin.deadline, self._stack.clock.now() + TAGS_TAKE_EFFECT)
        for pause in growing_pauses():
            try:
                return work.put(adoption.found, there, adoption.changes, before.tags or {})
            except AccessDeniedError:
                if marked or self._stack.clock.now() + timedelta(seconds=pause) > give_up:
                    raise
                self._stack.clock.pause(pause)
        raise AssertionError("pauses never end")

    def _publish_adopted(self, adoption: Adoption, changed: list[str], origin: Origin) -> None:
        found, plan = adoption.found, adoption.target
        event = RepositoryAdopted(
            plan.name,
            found.arn,
            found.uri,
            plan.rule.label,
            str(adoption.scope),
            str(origin.caller),
            changed,
            origin.session,
        )
        self._stack.publisher.publish([event], correlation_id=origin.correlation_id)


def scope_in(intent: Intent, scope: str | None) -> Scope:
    """The scope that a request names. Raises InvalidRequestError."""
    if scope is None:
        return Scope.WHOLE
    if intent is Intent.RECONCILE or scope not in set(Scope):
        raise InvalidRequestError(f"scope is {' or '.join(Scope)}, of an adoption; a reconciliation has none")
    return Scope(scope)
