"""Time as something that is passed in, so that rules can be tested at any moment."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What code may know of time."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def pause(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Sleep for ``seconds``."""
        time.sleep(seconds)
