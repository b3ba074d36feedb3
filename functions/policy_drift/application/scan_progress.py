"""Where a scan is, so that the next one begins behind the place where it died, and leaves what killed it for last."""

from datetime import timedelta

from policy_drift.application.ports import Findings, Progress
from policy_drift.domain.account import EntityId
from steward.clock import Clock

NOTED_EVERY = timedelta(seconds=10)
"""How often a scan notes where it is; one that follows a scan that died does so before each comparison."""
_ENOUGH = 2
"""So many scans in succession died at one entity, the last of them when it was compared apart."""


class ScanProgress:
    """The progress of one scan.

    Attributes
    ----------
    first : EntityId, optional
        Where to begin: where a scan died, or what one had no time for.
    apart : EntityId, optional
        What to compare last: a scan died there.
    without : EntityId, optional
        What not to compare: a scan died there although it was compared last.
    """

    def __init__(self, findings: Findings, clock: Clock, left: EntityId | None) -> None:
        self._findings = findings
        self._clock = clock
        self._died = findings.progress()
        self._is_careful = self._died is not None or left is not None
        self._noted_at = clock.now()
        self._is_noted = self._died is not None
        self.first = self._died.entity if self._died else left
        is_enough = self._died is not None and self._died.times >= _ENOUGH
        self.apart = None if is_enough or self._died is None else self._died.entity
        self.without = self._died.entity if is_enough and self._died else None

    def at(self, entity: EntityId) -> None:
        """The scan compares this entity next."""
        now = self._clock.now()
        if not self._is_careful and now < self._noted_at + NOTED_EVERY:
            return
        times = self._died.times + 1 if self._died and self._died.entity == entity else 1
        self._findings.note_progress(Progress(entity, times))
        self._noted_at, self._is_noted = now, True

    def end(self) -> None:
        """The scan has compared everything, and it is recorded."""
        if self._is_noted:
            self._findings.note_progress(None)
