"""What provisioning remembers, in memory."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock

from repository_provisioning.application.ports import Record, ScanInProgressError
from repository_provisioning.domain.fleet import CompletedScan, FleetEntry, RunningScan
from repository_provisioning.domain.names import RepositoryName
from steward.clock import Clock


class InMemoryRecords:
    """Keeps records of ours for ever, and of others for an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[Record, object]] = {}

    def get_many(self, names: Collection[RepositoryName]) -> dict[RepositoryName, Record]:
        now = self._clock.now()
        kept = {name: self._kept[name] for name in names if name in self._kept}
        return {name: record for name, (record, until) in kept.items() if until is None or now < until}

    def put(self, name: RepositoryName, record: Record) -> None:
        self._kept[name] = record, None if record.managed else self._clock.now() + timedelta(hours=1)

    def forget(self) -> None:
        self._kept.clear()


class InMemoryFleetScans:
    """Keeps scans, and lets one run at a time have the one that is on its way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: CompletedScan | None = None
        self._running: tuple[RunningScan, str, datetime] | None = None
        self.parts: dict[tuple[str, int], list[FleetEntry]] = {}

    def last(self) -> CompletedScan | None:
        return self._last

    def running(self) -> RunningScan | None:
        return self._running[0] if self._running else None

    def begin(self, scan: RunningScan, run_id: str, until: datetime) -> None:
        if self._running and self._running[1] != run_id and self._running[2] >= self._clock.now():
            raise ScanInProgressError("another run works on the scan of the registry")
        self._running = scan, run_id, until

    def add(self, scan: RunningScan, run_id: str, entries: Sequence[FleetEntry]) -> RunningScan:
        until = self._held(scan, run_id)
        self.parts[scan.scan_id, scan.parts] = list(entries)
        self._running = replace(scan, parts=scan.parts + 1), run_id, until
        return self._running[0]

    def release(self, scan: RunningScan, run_id: str) -> None:
        self._held(scan, run_id)
        self._running = scan, run_id, datetime.min.replace(tzinfo=UTC)

    def complete(self, scan: RunningScan, run_id: str, done: CompletedScan) -> None:
        self._held(scan, run_id)
        self._last, self._running = done, None

    def part(self, scan_id: str, number: int) -> list[FleetEntry] | None:
        return self.parts.get((scan_id, number))

    def _held(self, scan: RunningScan, run_id: str) -> datetime:
        if self._running is None or (self._running[0].scan_id, self._running[1]) != (scan.scan_id, run_id):
            raise ScanInProgressError("another run works on the scan of the registry")
        return self._running[2]


class RecordingScanTrigger:
    """Starts nothing, and keeps what was asked for."""

    def __init__(self) -> None:
        self.requested: list[tuple[str, str]] = []

    def request(self, scan_id: str, by: str) -> None:
        self.requested.append((scan_id, by))


class InMemoryCreationQuota:
    """Counts under a lock, as DynamoDB decides between concurrent calls."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, date]] = Counter()
        self._lock = Lock()

    def take(self, caller: str, day: date, limit: int) -> bool:
        with self._lock:
            if self.taken[caller, day] >= limit:
                return False
            self.taken[caller, day] += 1
            return True

    def give_back(self, caller: str, day: date) -> None:
        with self._lock:
            self.taken[caller, day] -= 1
