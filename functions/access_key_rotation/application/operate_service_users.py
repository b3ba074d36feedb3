"""Serves operators: show users, request a rotation, respond to a leak, reactivate a key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from access_key_rotation.application.ports import KeyNotFoundError, KeyUses, RotationRecords, Users
from access_key_rotation.domain.events import AccessKeyReactivated, AccessKeyRotationDue
from access_key_rotation.domain.names import ROTATE_TAG, UserName
from access_key_rotation.domain.rules.next_key import SLOTS
from access_key_rotation.domain.rules.situation import Reason
from access_key_rotation.domain.settings import RotationSettings, UserSettings, settings_of
from access_key_rotation.domain.state import ORPHANED_SECRET, AccessKey, KeyHistory, Record, User
from steward.clock import Clock
from steward.errors import (
    AccessDeniedError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
    RuleViolationError,
    ThrottledError,
)
from steward.events import EventPublisher

LEASE = timedelta(minutes=1)
DID_NOTHING = (KeyNotFoundError, ThrottledError, AccessDeniedError)
"""IAM's errors that prove that a call changed nothing; after any other failure it may have."""
STUCK = frozenset({"BLOCKED", ORPHANED_SECRET, "NO_KEY"})
"""States in which no rotation begins."""


@dataclass(frozen=True, slots=True)
class Requested:
    """A rotation that was requested, or would be."""

    user: UserName
    key_id: str
    reason: Reason
    dry_run: bool
    waits_for: tuple[str, ...] = ()
    """What delays it, now or in the last run. It is done when all of this is resolved."""
    ends_freeze: str = ""
    """Why an operator froze the user; a routine rotation ends the freeze."""


class ServiceUserOperations:
    """The operators' use cases. Only the worker creates and deletes keys, so that this stays in one place."""

    def __init__(
        self,
        users: Users,
        memory: RotationRecords,
        uses: KeyUses,
        publisher: EventPublisher,
        clock: Clock,
        settings: RotationSettings,
        service_path: str,
    ) -> None:
        self._users = users
        self._memory = memory
        self._uses = uses
        self._publisher = publisher
        self._clock = clock
        self._settings = settings
        self._service_path = service_path

    def list(self) -> list[tuple[UserName, Record]]:
        """Every recorded user with its record, by name."""
        return sorted(((name, record) for name, record, _ in self._memory.all()), key=lambda entry: entry[0])

    def show(self, name: UserName) -> tuple[Record, dict[str, Sequence[Mapping[str, Any]]]]:
        """One user, and the latest uses of each key that drains or drained.

        A user that no run has seen yet is shown as IAM knows it.

        Raises
        ------
        NotFoundError
            IAM knows no such service user.
        """
        record = self._known(name)
        superseded = {key: history for key, history in record.keys.items() if history.superseded_at}
        return record, {
            key: self._uses.uses(key, history.superseded_at or self._clock.now()) for key, history in superseded.items()
        }

    def request_rotation(
        self,
        name: UserName,
        reason: Reason,
        key_id: str | None,
        caller: str,
        correlation_id: str,
        *,
        dry_run: bool,
        session: str = "",
    ) -> Requested:
        """Request a rotation of the current key, or the deactivation of a leaked one. A routine one ends a freeze.

        The current key may be deleted already, by hand: it is replaced all the same.

        Raises
        ------
        NotFoundError
            There is no such user or key.
        ConflictError
            A routine rotation has no effect: the key is not the current one, or the user is exempt.
        """
        record = self._known(name)
        user = self._users.find(name)
        if user is None or not user.path.startswith(self._service_path):
            raise NotFoundError(f"there is no service user {name}")
        keys = self._users.keys(name)
        if key_id and key_id not in {key.id for key in keys}:
            raise NotFoundError(f"the user {name} has no key {key_id}")
        asked = Requested(name, key_id or _current(name, record), reason, dry_run)
        if reason is Reason.ROUTINE:
            asked = self._routine(asked, record, user, keys)
        elif record.state in STUCK:
            asked = replace(asked, waits_for=tuple(_stuck(record)))
        if not dry_run:
            if asked.ends_freeze:
                self._thaw(name)
            due = AccessKeyRotationDue(name, reason.value, asked.key_id, requested_by=caller, session=session)
            self._publisher.publish([due], correlation_id=correlation_id)
        return asked

    def _routine(self, asked: Requested, record: Record, user: User, keys: Sequence[AccessKey]) -> Requested:
        """A routine rotation with what stands in its way."""
        current = _current(asked.user, record)
        if asked.key_id != current:
            raise ConflictError(
                f"{asked.key_id} is not the current key of {asked.user}, so that there is nothing to rotate; that is "
                f"{current}: name it, or leave key_id out"
            )
        try:
            settings = settings_of(self._settings, asked.user, user.tags)
        except RuleViolationError as error:
            return replace(asked, waits_for=(str(error),), ends_freeze=record.frozen)
        end = settings.exempt_until(self._clock.now())
        if end and settings.exemption and current in {key.id for key in keys}:
            raise ConflictError(
                f"{asked.user} is exempt until {end.date()} ({settings.exemption.reason}): take the exemption out of "
                "rotation.yaml, or say that the key is compromised"
            )
        obstacles = self._obstacles(record, user, keys, settings)
        return replace(asked, waits_for=tuple(obstacles), ends_freeze=record.frozen)

    def _obstacles(
        self, record: Record, user: User, keys: Sequence[AccessKey], settings: UserSettings
    ) -> Iterator[str]:
        """What a routine rotation must wait for."""
        if not user.is_enrolled(self._service_path):
            yield _missing_tag(user)
        if record.state in STUCK:
            yield from _stuck(record)
        if end := settings.frozen_until(self._clock.now()):
            yield f"the end of the freeze window, {end.isoformat()}"
        if len(keys) >= SLOTS:
            yield f"a free slot: the user has {' and '.join(key.id for key in keys)}"

    def reactivate(self, name: UserName, caller: str, reason: str, correlation_id: str, *, session: str = "") -> str:
        """Bring the key back that was deactivated last, and freeze the user; the id of the key.

        The freeze is written ahead, and stays where nobody knows whether IAM acted: the same call again finishes it.

        Raises
        ------
        NotAllowedError
            The key leaked.
        ConflictError
            There is no deactivated key any more.
        BusyError
            A run works on the user now.
        """
        if self._memory.find(name) is None:
            self._known(name)
            raise ConflictError(f"{name} has no key that the steward deactivated: no run has seen the user yet")
        claim = self._memory.claim(name, f"reactivation-{correlation_id}", LEASE)
        record = claim.record
        try:
            user = self._users.find(name)
            if user is None or user.user_id != record.user_id:
                raise ConflictError(f"the user {name} is gone, or another one of the same name")
            key_id = _last_deactivated(name, record, self._users.keys(name))
            frozen = replace(record, frozen=reason, state="FROZEN")
            self._memory.save(claim, frozen)
            record = frozen
            try:
                self._users.reactivate_key(name, key_id)
            except DID_NOTHING:
                record = claim.record
                raise
            event = AccessKeyReactivated(name, user.user_id, key_id, caller, frozen=True, session=session)
            self._publisher.publish([event], correlation_id=correlation_id)
            record = record.noting(key_id, record.history(key_id).brought_back(self._clock.now()))
        finally:
            self._memory.release(claim, record)
        return key_id

    def _thaw(self, name: UserName) -> None:
        """End the freeze; the old keys start to drain again now."""
        claim = self._memory.claim(name, "thaw", LEASE)
        record, now = claim.record, self._clock.now()
        for key_id, history in record.keys.items():
            if history.superseded_at and not history.deactivated_at:
                record = record.noting(key_id, replace(history, superseded_at=now))
        self._memory.release(claim, replace(record, frozen="", next_at=now))

    def _known(self, name: UserName) -> Record:
        """The record of a user; of one that no run has seen yet, the keys that IAM lists."""
        record = self._memory.find(name)
        if record is not None:
            return record
        user = self._users.find(name)
        if user is None or not user.path.startswith(self._service_path):
            raise NotFoundError(f"there is no service user {name}")
        keys = self._users.keys(name)
        listed = Record(keys={key.id: KeyHistory() for key in keys}, created={key.id: key.created for key in keys})
        return listed.having_seen(user)


def _missing_tag(user: User) -> str:
    written = user.tags.get(ROTATE_TAG)
    found = "which the user lacks" if written is None else f"which the user has as {written!r}"
    return f"the tag steward:rotate=true, {found}"


def _last_deactivated(name: UserName, record: Record, keys: Sequence[AccessKey]) -> str:
    """The key that we deactivated last; it may be Active already, when the reply to an earlier attempt was lost."""
    ours = {key.id: since for key in keys if (since := record.history(key.id).deactivated_at)}
    if not ours:
        raise ConflictError(f"{name} has no key that the steward deactivated and that still exists")
    key_id = max(ours, key=lambda key: ours[key])
    if record.history(key_id).compromised:
        raise NotAllowedError(f"the key {key_id} leaked; it is never reactivated")
    return key_id


def _stuck(record: Record) -> Iterator[str]:
    """What a person must resolve, as of the last run."""
    yield record.notice.text if record.notice else f"the end of the state {record.state}"


def _current(name: UserName, record: Record) -> str:
    """The key that consumers read, as of the last run."""
    promoted = {key: h.promoted_at for key, h in record.keys.items() if h.promoted_at and not h.superseded_at}
    if not promoted:
        raise ConflictError(
            f"{name} has no current key yet, or no run has seen it since the stack was deployed or its table was lost: "
            "name a leaked key with key_id; a routine rotation is possible after the next run, within the hour"
        )
    return max(promoted, key=lambda key: str(promoted[key]))
