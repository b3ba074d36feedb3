"""The use case: compare every repository of the registry with the rules, in the background, and keep the result.

A scan goes through the names in their order, a part at a time, and notes how far it has come: a run that ends early is
continued by the next one. Readers see complete scans alone.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from threading import Lock

from repository_provisioning.application.one_repository import Stack, cleared_of, details_of
from repository_provisioning.application.ports import (
    ContainerRegistry,
    FleetScans,
    Record,
    RepositoryNotFoundError,
    ScanInProgressError,
)
from repository_provisioning.domain.adoption import adoption_of
from repository_provisioning.domain.configuration import Repository
from repository_provisioning.domain.events import RepositoryFleetScanned
from repository_provisioning.domain.fleet import CompletedScan, FleetEntry, Images, RunningScan
from repository_provisioning.domain.house_rules import Overrides
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import Owner, RegistryPrefixes, Scope, ownership_of
from repository_provisioning.domain.planning import Planner
from steward.clock import Clock
from steward.errors import RuleViolationError, StewardError, ThrottledError

PART = 100
"""Repositories of a part: what one item of the table holds, and what a run that dies has to read again."""
CALLS_PER_SECOND = 25.0
"""Of a scan, to ECR: 5,000 repositories take 14 minutes of calls, and pipelines keep the registry's quotas."""
SLOWEST = 2.0
"""Calls per second at which a scan that is throttled stays."""
TRIES = 8
"""Of a call that is throttled; the pace is halved each time."""
READERS = 6
LEASE = timedelta(minutes=16)
"""A run has the scan for itself so long: longer than Lambda lets it live."""
TOO_OLD = timedelta(hours=12)
"""A scan that began so long ago is begun anew: what it has read says little about today."""
_PROBLEM_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ScanOutcome:
    """What a run did: nothing (``reason``), a part of a scan, or the rest of it (``completed``)."""

    reason: str = ""
    running: RunningScan | None = None
    completed: CompletedScan | None = None


class Pace:
    """Lets calls go at most so many a second, and slower once AWS throttles."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock = clock
        self._per_second = per_second
        self._next = clock.now()
        self._lock = Lock()
        self.calls = 0

    def paced[T](self, call: Callable[[], T]) -> T:
        """The result of a call, in its turn; one that AWS throttles is tried again, more slowly."""
        for left in range(TRIES - 1, -1, -1):
            self._wait()
            try:
                return call()
            except ThrottledError:
                if not left:
                    raise
                with self._lock:
                    self._per_second = max(SLOWEST, self._per_second / 2)
        raise AssertionError("the last try returns or raises")

    def _wait(self) -> None:
        with self._lock:
            self.calls += 1
            now = self._clock.now()
            turn = max(now, self._next)
            self._next = turn + timedelta(seconds=1 / self._per_second)
        if turn > now:
            self._clock.pause((turn - now).total_seconds())


class _PacedRegistry:
    """The calls of ``details_of``, in their turn."""

    def __init__(self, registry: ContainerRegistry, pace: Pace) -> None:
        self._registry = registry
        self._pace = pace

    def tags(self, repository: Repository) -> dict[str, str]:
        return self._pace.paced(partial(self._registry.tags, repository))

    def lifecycle_policy(self, name: RepositoryName) -> str | None:
        return self._pace.paced(partial(self._registry.lifecycle_policy, name))

    def repository_policy(self, name: RepositoryName) -> str | None:
        return self._pace.paced(partial(self._registry.repository_policy, name))

    def images(self, name: RepositoryName) -> Images:
        return self._pace.paced(partial(self._registry.images, name))


class FleetScanner:
    """Scans of the registry.

    Parameters
    ----------
    planner
        Knows the house rules.
    stack
        The ports; ``registry`` tries no call twice by itself, so that the pace is decided here.
    scans
        Where results are kept.
    calls_per_second
        The pace.
    """

    def __init__(
        self, planner: Planner, stack: Stack, scans: FleetScans, *, calls_per_second: float = CALLS_PER_SECOND
    ) -> None:
        self._planner = planner
        self._stack = stack
        self._scans = scans
        self._calls_per_second = calls_per_second

    def scan(self, run_id: str, stop_at: datetime, *, requested: bool) -> ScanOutcome:
        """Begin a scan, or go on with one, until it is complete or no further part fits before ``stop_at``.

        Parameters
        ----------
        requested
            Whether a person asked for it: the schedule leaves a fresh result as it is.

        Raises
        ------
        UpstreamError
            The registry or the table cannot be read, or the result not be published; the last complete scan stands, and
            the next run goes on.
        """
        now = self._stack.clock.now()
        running, last = self._scans.running(), self._scans.last()
        if running and now - running.started_at > TOO_OLD:
            running = None
        if running is None and last and last.is_fresh(now) and not requested:
            return ScanOutcome(reason=f"the scan of {last.as_of.isoformat()} is fresh")
        scan = running or RunningScan(run_id, now)
        try:
            self._scans.begin(scan, run_id, now + LEASE)
            return self._go_on(scan, run_id, stop_at)
        except ScanInProgressError as error:
            return ScanOutcome(reason=str(error), running=running)

    def _go_on(self, scan: RunningScan, run_id: str, stop_at: datetime) -> ScanOutcome:
        clock = self._stack.clock
        pace = Pace(clock, self._calls_per_second)
        prefixes = pace.paced(self._stack.registry.prefixes)
        names = pace.paced(self._stack.registry.everything)
        left = [repository for repository in names if repository.name > scan.cursor]
        longest = timedelta(0)
        for part in batched(left, PART, strict=False):
            began, calls = clock.now(), pace.calls
            if began + longest >= stop_at:
                self._scans.release(scan, run_id)
                return ScanOutcome(running=scan)
            entries = self._look(part, prefixes, pace)
            took = clock.now() - began
            longest = max(longest, took)
            totals = scan.totals.with_entries(entries, aws_calls=pace.calls - calls, seconds=took.total_seconds())
            further = replace(scan, cursor=part[-1].name, totals=totals)
            scan = self._scans.add(further, run_id, entries)
        return ScanOutcome(completed=self._complete(scan, run_id))

    def _complete(self, scan: RunningScan, run_id: str) -> CompletedScan:
        """Publish first: a scan that is published twice is harmless, one that never is leaves the digest blind."""
        done = CompletedScan(scan.scan_id, scan.started_at, self._stack.clock.now(), scan.parts, scan.totals)
        totals = done.totals
        event = RepositoryFleetScanned(
            done.scan_id,
            done.started_at.isoformat(),
            totals.repositories,
            totals.owners,
            totals.differing,
            totals.empty,
            totals.unreadable,
            totals.aws_calls,
            totals.seconds,
        )
        self._stack.publisher.publish([event], correlation_id=done.scan_id)
        self._scans.complete(scan, run_id, done)
        return done

    def _look(self, part: Sequence[Repository], prefixes: RegistryPrefixes, pace: Pace) -> list[FleetEntry]:
        """The entries of a part; a repository that was deleted meanwhile has none.

        One that cannot be read does not blind the rest. If most cannot be read, it is AWS that fails, and the error is
        raised: a result of unknowns would hide the last good one.
        """
        records = self._stack.records.get_many([name for one in part if (name := _name_of(one))])
        with ThreadPoolExecutor(READERS, thread_name_prefix="scan") as pool:
            looks = list(pool.map(lambda one: self._entry(one, records, prefixes, pace), part))
        errors = [look for look in looks if isinstance(look, _Unread)]
        if len(errors) * 2 > len(part):
            raise errors[0].error
        entries = [look.entry if isinstance(look, _Unread) else look for look in looks]
        return [entry for entry in entries if entry is not None]

    def _entry(
        self,
        found: Repository,
        records: dict[RepositoryName, Record],
        prefixes: RegistryPrefixes,
        pace: Pace,
    ) -> "FleetEntry | _Unread | None":
        registry = _PacedRegistry(self._stack.registry, pace)
        try:
            name = RepositoryName(found.name)
            images = registry.images(name)
            return self._judged(found, records.get(name), prefixes, registry).with_images(images)
        except RepositoryNotFoundError:
            return None
        except StewardError as error:
            return _Unread(FleetEntry(found.name, Owner.UNKNOWN, problem=str(error)[:_PROBLEM_LENGTH]), error)

    def _judged(
        self, found: Repository, record: Record | None, prefixes: RegistryPrefixes, registry: _PacedRegistry
    ) -> FleetEntry:
        name, details = RepositoryName(found.name), details_of(registry, found)
        ownership = ownership_of(name, details.tags, stack=self._stack.name, prefixes=prefixes)
        before, by = Overrides(), ""
        if record and record.managed and ownership.is_ours:
            before, by = record.overrides, record.overridden_by
        try:
            target = self._planner.target(name, before, by)
        except RuleViolationError as error:
            return FleetEntry(found.name, ownership.owner, owned_by=ownership.by, problem=str(error)[:_PROBLEM_LENGTH])
        scope = Scope.TAGS if ownership.owner is Owner.TAGS_ONLY else Scope.WHOLE
        cleared = cleared_of(before, target)
        return FleetEntry.of(adoption_of(target, scope, found, details, ownership, prefixes, cleared))


def _name_of(repository: Repository) -> RepositoryName | None:
    """Its name; None for one that the rules cannot speak of."""
    try:
        return RepositoryName(repository.name)
    except RuleViolationError:
        return None


@dataclass(frozen=True, slots=True)
class _Unread:
    """A repository that could not be read, and why."""

    entry: FleetEntry
    error: StewardError
