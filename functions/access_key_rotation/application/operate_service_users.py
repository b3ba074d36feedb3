"""Serves operators: show users, request a rotation, respond to a leak, reactivate a key."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from access_key_rotation.application.ports import (
    KeyNotFoundError,
    KeyUses,
    RotationRecords,
    SyncMemory,
    Users,
)
from access_key_rotation.application.sync_secrets import TURN
from access_key_rotation.domain.events import AccessKeyReactivated, AccessKeyRotationDue, AccessKeyRotationWithdrawn
from access_key_rotation.domain.leak_response import Removal, response_to
from access_key_rotation.domain.names import ROTATE_TAG, UserName
from access_key_rotation.domain.rules.next_key import SLOTS
from access_key_rotation.domain.rules.situation import Demand, Reason
from access_key_rotation.domain.settings import RotationSettings, UserSettings, settings_of
from access_key_rotation.domain.state import ORPHANED_SECRET, AccessKey, KeyHistory, Record, User
from access_key_rotation.domain.sync import Confirmation, SyncRecord, Target, targets_of
from steward.clock import Clock
from steward.errors import (
    AccessDeniedError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
    RuleViolationError,
    StewardError,
    ThrottledError,
)
from steward.events import EventPublisher

LEASE = timedelta(minutes=1)
LOOKED_BACK = timedelta(days=90)
LAST_USES = 3
"""How many of a removed key's latest calls are shown."""
DID_NOTHING = (KeyNotFoundError, ThrottledError, AccessDeniedError)
"""IAM's errors that prove that a call changed nothing; after any other failure it may have."""
STUCK = frozenset({"BLOCKED", ORPHANED_SECRET, "NO_KEY"})
"""States in which no rotation begins."""


@dataclass(frozen=True, slots=True)
class RemovedKey:
    """A key that the response to a leak removes, with its latest uses; None if those could not be read."""

    key_id: str
    how: Removal
    last_uses: Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Requested:
    """A rotation that was requested, or would be."""

    user: UserName
    key_id: str
    """Empty for the key that the secret names, which the worker reads."""
    reason: Reason
    dry_run: bool
    waits_for: tuple[str, ...] = ()
    """What delays it, now or in the last run. It is done when all of this is resolved."""
    freeze_reason: str = ""
    """Why an operator froze the user; a routine rotation ends the freeze."""
    removes: tuple[RemovedKey, ...] = ()
    """The keys that stop working, of a leak."""
    restores: str = ""
    """The older key that is current again; empty if a new key becomes current."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Why nothing is started or taken away for a user."""

    reason: str
    by: str
    """The operator, or ``rotation.yaml`` for a freeze window."""
    session: str
    since: datetime | None
    until: datetime | None
    """None for an operator's, which a requested routine rotation ends."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A user as its record and the settings show it."""

    name: UserName
    record: Record
    freeze: Freeze | None = None
    exempt_until: datetime | None = None
    exempt_for: str = ""


@dataclass(frozen=True, slots=True)
class SyncedTarget:
    """A target of secret sync, and what it confirmed last."""

    target: Target
    confirmation: Confirmation
    is_confirmed: bool
    """Whether it holds the current key, as the settings describe it now."""
    next_try: datetime | None
    """When it is written again at the latest; None if it is confirmed."""


@dataclass(frozen=True, slots=True)
class Sync:
    """The targets of a user; ``unknown_because`` says why what they confirmed cannot be read."""

    targets: tuple[SyncedTarget, ...] = ()
    unknown_because: str = ""


class ServiceUserOperations:
    """The operators' use cases. Only the worker creates and deletes keys, so that this stays in one place."""

    def __init__(
        self,
        users: Users,
        memory: RotationRecords,
        uses: KeyUses,
        sync: SyncMemory,
        publisher: EventPublisher,
        clock: Clock,
        settings: RotationSettings,
        service_path: str,
    ) -> None:
        self._users = users
        self._memory = memory
        self._uses = uses
        self._sync = sync
        self._publisher = publisher
        self._clock = clock
        self._settings = settings
        self._service_path = service_path

    def list(self) -> list[Shown]:
        """Every recorded user, by name."""
        found = [self._shown(name, record) for name, record, _ in self._memory.all()]
        return sorted(found, key=lambda shown: shown.name)

    def show(self, name: UserName) -> tuple[Shown, dict[str, Sequence[Mapping[str, Any]]], Sync]:
        """One user, the latest uses of each key that drains or drained, and its targets of secret sync.

        A user that no run has seen yet is shown as IAM knows it.

        Raises
        ------
        NotFoundError
            IAM knows no such service user.
        """
        record = self._known(name)
        superseded = {key: history for key, history in record.keys.items() if history.superseded_at}
        uses = {
            key: self._uses.uses(key, history.superseded_at or self._clock.now()) for key, history in superseded.items()
        }
        return self._shown(name, record), uses, self._synced(name, record.current_key)

    def _synced(self, name: UserName, current_key: str) -> Sync:
        """What each target confirmed; what cannot be read is unknown, and hides nothing else of the user."""
        targets = targets_of(self._settings.sync, name)
        try:
            record = self._sync.find(name) if targets else SyncRecord()
        except StewardError as error:
            unread = tuple(
                SyncedTarget(target, Confirmation(), is_confirmed=False, next_try=None) for target in targets
            )
            return Sync(unread, str(error))
        return Sync(tuple(self._of_target(target, record, current_key) for target in targets))

    def _of_target(self, target: Target, record: SyncRecord, current_key: str) -> SyncedTarget:
        confirmation = record.targets.get(target.name, Confirmation())
        is_confirmed = confirmation.holds(current_key, target)
        tried_at = confirmation.failure.tried_at if confirmation.failure else None
        next_try = None if is_confirmed else (tried_at or self._clock.now()) + TURN
        return SyncedTarget(target, confirmation, is_confirmed=is_confirmed, next_try=next_try)

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

        The current key may be deleted already, by hand: it is replaced all the same. Of a user of which no current key
        is recorded, the key that the secret names is meant; the worker reads it.

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
        asked = Requested(name, key_id or record.current_key or _only(keys), reason, dry_run)
        if reason is Reason.ROUTINE:
            asked = self._routine(asked, record, user, keys)
        else:
            asked = self._response(asked, record, user, keys)
        if not dry_run:
            if asked.freeze_reason:
                self._thaw(name)
            if reason is Reason.COMPROMISED:
                self._memory.report_leak(name, asked.key_id)
            else:
                self._memory.request(name, Demand(asked.key_id, reason, correlation_id, caller, session))
            key = asked.key_id or None
            due = AccessKeyRotationDue(name, reason.value, key, requested_by=caller, session=session)
            self._publisher.publish([due], correlation_id=correlation_id)
        return asked

    def withdraw(self, name: UserName, caller: str, correlation_id: str, *, session: str = "") -> str:
        """Withdraw a requested routine rotation that has not begun; the id of the key that stays current.

        Raises
        ------
        NotFoundError
            There is no such user.
        ConflictError
            No request is pending, or its key is made already.
        BusyError
            A run works on the user now.
        """
        record = self._known(name)
        if not record.wanted:
            raise ConflictError(
                f"no requested rotation of {name} is pending; a request that is seconds old may not be recorded yet"
            )
        claim = self._memory.claim(name, f"withdrawal-{correlation_id}", LEASE)
        record, key_id = claim.record, claim.record.wanted
        try:
            if record.state == "CREATED" or not key_id:
                raise ConflictError(f"the rotation of {name} has begun: its new key becomes current")
            withdrawn = AccessKeyRotationWithdrawn(name, key_id, requested_by=caller, session=session)
            self._publisher.publish([withdrawn], correlation_id=correlation_id)
            record = record.withdrawing()
        finally:
            self._memory.release(claim, record)
        return key_id

    def check(self, name: UserName, caller: str, correlation_id: str, *, session: str = "") -> Shown:
        """Have the worker look at a user again, now; the user as of before.

        Raises
        ------
        NotFoundError
            IAM knows no such service user.
        """
        record = self._known(name)
        due = AccessKeyRotationDue(name, "scheduled", requested_by=caller, session=session)
        self._publisher.publish([due], correlation_id=correlation_id)
        return self._shown(name, record)

    def _shown(self, name: UserName, record: Record) -> Shown:
        """The user with its freeze and its exemption; its tags change neither."""
        now, settings = self._clock.now(), settings_of(self._settings, name, {})
        freeze = None
        if record.frozen:
            freeze = Freeze(record.frozen, record.frozen_by, record.frozen_session, record.frozen_at, None)
        elif window := next((window for window in settings.freeze if window.holds(now)), None):
            freeze = Freeze(window.reason, "rotation.yaml", "", window.begins, settings.frozen_until(now))
        end, exemption = settings.exempt_until(now), settings.exemption
        return Shown(name, record, freeze, end, exemption.reason if end and exemption else "")

    def _response(self, asked: Requested, record: Record, user: User, keys: Sequence[AccessKey]) -> Requested:
        """What the response to a leak removes, and who used it last; what delays it."""
        is_enrolled = user.is_enrolled(self._service_path)
        waits_for: tuple[str, ...] = () if is_enrolled else (f"{_missing_tag(user)}: until then it gets no new key",)
        waits_for += tuple(_stuck(record)) if record.state in STUCK else ()
        if not asked.key_id:
            return replace(asked, waits_for=waits_for)
        settings = settings_of(self._settings, asked.user, {})
        response = response_to(asked.key_id, record, keys, settings.leak_without_slot)
        removed = tuple(RemovedKey(key_id, how, self._last_uses(key_id)) for key_id, how in response.removed)
        return replace(asked, waits_for=waits_for, removes=removed, restores=response.restored)

    def _last_uses(self, key_id: str) -> Sequence[Mapping[str, Any]] | None:
        """The latest calls; a history that cannot be read delays no response to a leak."""
        with suppress(StewardError):
            return self._uses.uses(key_id, self._clock.now() - LOOKED_BACK)[:LAST_USES]
        return None

    def _routine(self, asked: Requested, record: Record, user: User, keys: Sequence[AccessKey]) -> Requested:
        """A routine rotation with what stands in its way."""
        current = record.current_key
        if current and asked.key_id != current:
            raise ConflictError(
                f"{asked.key_id} is not the current key of {asked.user}, so that there is nothing to rotate; that is "
                f"{current}: name it, or leave key_id out"
            )
        try:
            settings = settings_of(self._settings, asked.user, user.tags)
        except RuleViolationError as error:
            return replace(asked, waits_for=(str(error),), freeze_reason=record.frozen)
        end = settings.exempt_until(self._clock.now())
        if end and settings.exemption and current in {key.id for key in keys}:
            raise ConflictError(
                f"{asked.user} is exempt until {end.date()} ({settings.exemption.reason}): take the exemption out of "
                "rotation.yaml, or say that the key is compromised"
            )
        obstacles = self._obstacles(record, user, keys, settings)
        return replace(asked, waits_for=tuple(obstacles), freeze_reason=record.frozen)

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
        has_dead_leaked = any(not key.active and record.history(key.id).compromised for key in keys)
        if len(keys) >= SLOTS and not has_dead_leaked:
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
            now = self._clock.now()
            frozen = replace(record, frozen=reason, state="FROZEN")
            frozen = replace(frozen, frozen_by=caller, frozen_session=session, frozen_at=now)
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
        record = replace(record, frozen="", frozen_by="", frozen_session="", frozen_at=None, next_at=now)
        self._memory.release(claim, record)

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


def _only(keys: Sequence[AccessKey]) -> str:
    """The user's key, if it has exactly one; else empty."""
    return keys[0].id if len(keys) == 1 else ""
