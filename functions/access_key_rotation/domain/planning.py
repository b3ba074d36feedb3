"""Who is due: the whole account in a few calls, and one event for each user that has something to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from access_key_rotation.domain.events import AccessKeyRotationDue
from access_key_rotation.domain.naming import ROTATE_TAG, UserName
from access_key_rotation.domain.observation import Record
from access_key_rotation.domain.policy import RotationSettings, policy_of
from steward.clock import Clock
from steward.errors import RuleViolationError
from steward.events import EventPublisher


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as the account's bulk calls show it; ``is_person`` is None where the credential report does not say."""

    name: UserName
    user_id: str
    arn: str
    path: str
    tags: Mapping[str, str]
    is_person: bool | None


class Directory(Protocol):
    """All users of the account."""

    def users(self, path: str) -> Iterator[ListedUser]:
        """Those on the path or below it: one call per thousand users of the account, and two for the report."""
        ...

    def administers_iam(self, arn: str) -> bool:
        """Whether IAM would let the user give itself any right. One call."""
        ...


class RotationMemory(Protocol):
    """All records at once."""

    def all(self) -> Iterator[tuple[UserName, Record, bool]]:
        """Every user that is remembered, and whether a run works on it now. One call per megabyte."""
        ...


@dataclass(frozen=True, slots=True)
class _Remembered:
    next_at: datetime | None
    user_id: str | None
    arn: str
    policy: str
    busy: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run of the planner found."""

    enrolled: int
    due: Sequence[UserName]
    """Those that were told, the longest overdue first."""
    postponed: int
    """Those that the cap left for the next run."""
    never_seen: int


class Planner:
    """Finds who is due, and says so on the bus; never more users at once than the settings allow."""

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
        """Publish AccessKeyRotationDue for every user that has something to do.

        Raises
        ------
        UpstreamError
            The account or the table cannot be read as a whole, or the bus does not take the events.
        """
        now = self._clock.now()
        known = {
            name: _Remembered(record.next_at, record.user_id, record.arn, record.policy, busy)
            for name, record, busy in self._memory.all()
        }
        enrolled, due = 0, []
        for user in self._directory.users(self._service_path):
            if user.tags.get(ROTATE_TAG) != "true":
                continue
            enrolled += 1
            before = known.pop(user.name, None)
            if before is None or self._is_due(user, before, now):
                since = before.next_at if before and before.next_at else datetime.min.replace(tzinfo=now.tzinfo)
                due.append((since, user.name, user if before and self._is_as_remembered(user, before) else None))
        never_seen = sum(1 for since, _, _ in due if since.year == 1)
        gone = [(r.next_at, name, None) for name, r in known.items() if r.next_at and r.next_at <= now and not r.busy]
        chosen = sorted([*due, *gone], key=lambda entry: entry[:2])[: self._settings.max_users_per_run]
        events = [self._event(name, user, now) for _, name, user in chosen]
        if events:
            self._publisher.publish(events, correlation_id=correlation_id)
        told = [name for _, name, _ in chosen]
        return Plan(enrolled, told, len(due) + len(gone) - len(told), never_seen)

    def _is_due(self, user: ListedUser, before: _Remembered, now: datetime) -> bool:
        if before.busy:
            return False
        return before.next_at is None or before.next_at <= now or not self._is_as_remembered(user, before)

    def _is_as_remembered(self, user: ListedUser, before: _Remembered) -> bool:
        """Whether a run that looked now would see the same user, and follow the same policy."""
        if (before.user_id, before.arn) != (user.user_id, user.arn):
            return False
        try:
            return before.policy == policy_of(self._settings, user.name, user.tags).fingerprint
        except RuleViolationError:
            return False

    def _event(self, name: UserName, user: ListedUser | None, now: datetime) -> AccessKeyRotationDue:
        """A user that is as it is remembered is judged here; whatever else there is to find out, the worker does."""
        judged = None
        if user is not None and user.is_person is False:
            judged = None if self._directory.administers_iam(user.arn) else now.isoformat()
        return AccessKeyRotationDue(name, "scheduled", judged_at=judged)
