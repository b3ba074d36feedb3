"""Time that stands still until somebody pauses."""

from datetime import UTC, datetime, timedelta
from threading import Lock


class FrozenClock:
    """Stands at one moment; ``pause`` is over at once and moves it on."""

    def __init__(self, moment: datetime = datetime(2026, 5, 4, 12, tzinfo=UTC)) -> None:
        self._moment = moment
        self._lock = Lock()
        self.pauses: list[float] = []

    def now(self) -> datetime:
        return self._moment

    def pause(self, seconds: float) -> None:
        with self._lock:
            self.pauses.append(seconds)
            self._moment += timedelta(seconds=seconds)

    def advance(self, **time: float) -> None:
        self._moment += timedelta(**time)


class HurryingClock(FrozenClock):
    """Each look at it takes eight seconds."""

    def now(self) -> datetime:
        self.advance(seconds=8)
        return super().now()
