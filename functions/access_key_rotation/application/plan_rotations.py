"""Plans rotations: reads the whole account in a few calls and publishes one event for each user that is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from access_key_rotation.application.ports import Directory, ListedUser, RotationMemory
from access_key_rotation.domain.events import AccessKeyRotationDue
from access_key_rotation.domain.names import ROTATE_TAG, UserName
from access_key_rotation.domain.settings import RotationSettings, settings_of
from access_key_rotation.domain.state import UNREADABLE
from steward.clock import Clock
from steward.errors import RuleViolationError
from steward.events import EventPublisher

PUBLISHED_AT_ONCE = 10
"""Users that are published at once: as many events as the bus accepts in one call."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    next_at: datetime | None
    user_id: str | None
    arn: str
    settings: str
    busy: bool
    blocked: bool
    oldest_key: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The result of a run of the planner."""

    enrolled: int
    due: Sequence[UserName]
    """The users that were published: new ones first, then the longest overdue."""
    postponed: int
    """The number of users that the cap left for the next run."""
    blocked: int
    """Enrolled users whose last run could not go on."""
    oldest_key: timedelta | None
    """Age of the oldest key of an enrolled user; None while no run has recorded a key."""


class RotationPlanner:
    """Publishes which users are due, at most as many in a run as the settings allow."""

    def __init__(
        self,
        directory: Directory,
        memory: RotationMemory,
        publisher: EventPublisher,
        clock: Clock,
        settings: RotationSettings,
        service_path: str,
    ) -> None:
        self._directory = directory
        self._memory = memory
        self._publisher = publisher
        self._clock = clock
        self._settings = settings
        self._service_path = service_path

    def plan(self, correlation_id: str) -> Plan:
        """Publish AccessKeyRotationDue for every user that is due.

        Raises
        ------
        UpstreamError
            The account or the table cannot be read as a whole, or the bus does not accept the events.
        """
        now = self._clock.now()
        known = {
            name: _Recorded(
                record.next_at,
                record.user_id,
                record.arn,
                record.policy,
                busy,
                blocked=record.notice is not None or record.state == UNREADABLE,
                oldest_key=min(record.created.values(), default=None),
            )
            for name, record, busy in self._memory.all()
        }
        enrolled: list[_Recorded | None] = []
        due = []
        for user in self._directory.users(self._service_path):
            if user.tags.get(ROTATE_TAG) != "true":
                continue
            before = known.pop(user.name, None)
            enrolled.append(before)
            if before is None or self._is_due(user, before, now):
                since = before.next_at if before and before.next_at else datetime.min.replace(tzinfo=now.tzinfo)
                due.append((since, user.name))
        gone = [(r.next_at, name) for name, r in known.items() if r.next_at and r.next_at <= now and not r.busy]
        chosen = sorted([*due, *gone])[: self._settings.max_users_per_run]
        for some in batched(chosen, PUBLISHED_AT_ONCE, strict=False):
            events = [AccessKeyRotationDue(name, "scheduled") for _, name in some]
            self._publisher.publish(events, correlation_id=correlation_id)
        seen = [before for before in enrolled if before]
        oldest = min((before.oldest_key for before in seen if before.oldest_key), default=None)
        return Plan(
            len(enrolled),
            [name for _, name in chosen],
            len(due) + len(gone) - len(chosen),
            sum(before.blocked for before in seen),
            now - oldest if oldest else None,
        )

    def _is_due(self, user: ListedUser, before: _Recorded, now: datetime) -> bool:
        if before.busy:
            return False
        return before.next_at is None or before.next_at <= now or not self._is_as_recorded(user, before)

    def _is_as_recorded(self, user: ListedUser, before: _Recorded) -> bool:
        """Whether a run would now read the same user and follow the same settings."""
        if (before.user_id, before.arn) != (user.user_id, user.arn):
            return False
        try:
            return before.settings == settings_of(self._settings, user.name, user.tags).fingerprint
        except RuleViolationError:
            return False
