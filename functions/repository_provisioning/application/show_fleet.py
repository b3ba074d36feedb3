"""The use case: show the last complete scan of the registry, page by page, and start one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from repository_provisioning.application.ports import FleetScans, ScanTrigger
from repository_provisioning.domain.fleet import CompletedScan, FleetEntry, RunningScan
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import Owner
from repository_provisioning.domain.planning import Planner
from steward.clock import Clock
from steward.errors import NotFoundError, RuleViolationError
from steward.principals import Principal

MOST_PARTS = 60
"""Parts of a scan that one page looks through, where few of their repositories are wanted."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: a scan of so many parts, one of them, and a place in it; which owners, how many entries."""

    scan_id: str
    parts: int
    part: int
    offset: int
    owner: Owner | None
    limit: int


@dataclass(frozen=True, slots=True)
class FleetPage:
    """A page of a scan. ``restricted`` are the names that the caller may not create: it sees no more of them."""

    scan: CompletedScan
    running: RunningScan | None
    age_seconds: int
    stale: bool
    entries: tuple[FleetEntry, ...]
    restricted: frozenset[str]
    next: Place | None


class Fleet:
    """The registry as the last complete scan found it."""

    def __init__(self, planner: Planner, scans: FleetScans, trigger: ScanTrigger, clock: Clock) -> None:
        self._planner = planner
        self._scans = scans
        self._trigger = trigger
        self._clock = clock

    def page(self, caller: Principal, owner: Owner | None, limit: int, after: Place | None) -> FleetPage:
        """A page of the last scan, or the one that follows ``after`` in its scan.

        Raises
        ------
        NotFoundError
            No scan is complete yet, or the scan of ``after`` is not kept any more.
        """
        last, now = self._scans.last(), self._clock.now()
        if last is None:
            raise NotFoundError(
                "no scan of the registry is complete yet: it runs by itself within the hour, or POST /fleet/scans"
            )
        place = after or Place(last.scan_id, last.parts, 0, 0, owner, limit)
        entries, following = self._entries(place)
        restricted = frozenset(entry.name for entry in entries if not self._may_see(entry, caller))
        age = int((now - last.as_of).total_seconds())
        return FleetPage(last, self._scans.running(), age, last.is_stale(now), entries, restricted, following)

    def _may_see(self, entry: FleetEntry, caller: Principal) -> bool:
        try:
            return self._planner.may_create(RepositoryName(entry.name), caller)
        except RuleViolationError:  # no name that rules could speak of
            return False

    def request_scan(self, scan_id: str, by: str) -> None:
        """Start a scan; one that runs already goes on. Raises UpstreamError."""
        self._trigger.request(scan_id, by)

    def _entries(self, place: Place) -> tuple[tuple[FleetEntry, ...], Place | None]:
        found: list[FleetEntry] = []
        end = min(place.parts, place.part + MOST_PARTS)
        for number in range(place.part, end):
            entries = self._scans.part(place.scan_id, number)
            if entries is None:
                raise NotFoundError("this scan is not kept any more: begin without next, or POST /fleet/scans")
            for offset, entry in self._wanted(entries, place, number):
                if len(found) == place.limit:
                    return tuple(found), replace(place, part=number, offset=offset)
                found.append(entry)
        return tuple(found), replace(place, part=end, offset=0) if end < place.parts else None

    @staticmethod
    def _wanted(entries: list[FleetEntry], place: Place, number: int) -> Iterator[tuple[int, FleetEntry]]:
        start = place.offset if number == place.part else 0
        for offset, entry in enumerate(entries):
            if offset >= start and place.owner in {None, entry.owner}:
                yield offset, entry


def owner_in(text: str | None) -> Owner | None:
    """The owners that a request asks for; None is all. Raises RuleViolationError."""
    if text is None or text.lower() == "all":
        return None
    try:
        return Owner(text.lower())
    except ValueError as error:
        raise RuleViolationError(f"owner is one of {', '.join(Owner)} or all, not {text!r}") from error
