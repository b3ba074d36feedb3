"""What provisioning remembers, in memory."""

from collections import Counter
from collections.abc import Collection
from datetime import date, timedelta
from threading import Lock

from repository_provisioning.application.ports import Record
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
