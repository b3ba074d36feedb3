"""Writes current keys to the targets of secret sync; the worker deactivates no old key before all of them confirmed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from access_key_rotation.application.ports import (
    BusyError,
    CredentialVault,
    RotationMemory,
    SyncClaim,
    SyncRecords,
    SyncTargets,
)
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.events import SecretSynced, SecretSyncFailed
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.settings import RotationSettings
from access_key_rotation.domain.state import Label
from access_key_rotation.domain.sync import Confirmation, Failure, SyncRecord, Target, targets_of
from steward.clock import Clock
from steward.errors import StewardError
from steward.events import EventPublisher, PublishableEvent

LEASE = timedelta(minutes=6)
"""Longer than the function's timeout, so that no write is under way when another run begins."""
MARGIN = timedelta(minutes=1)
"""What must be left of a run before a target is written to: longer than the slowest target may take."""
RUN = timedelta(minutes=4)
"""How long a run may write; the function is ended after five minutes."""
TURN = timedelta(minutes=15)
"""The interval of the schedule. Each time another user comes first, so that slow targets delay no user for ever."""
AGAIN = timedelta(days=1)
"""How often a failure is published that lasts."""


@dataclass(frozen=True, slots=True)
class Synced:
    """The result of a run: targets by user that confirmed, and that failed; users that could not be read."""

    confirmed: int
    failed: Mapping[str, str]
    """Target -> why."""
    unclear: Mapping[str, str]
    """User -> why its key could not be read."""


class SecretSync:
    """Brings every target to the key that consumers read; what it holds is unknown until it confirms.

    A run that dies leaves the target unconfirmed, and the next run writes again.
    """

    def __init__(
        self,
        vault: CredentialVault,
        memory: RotationMemory,
        records: SyncRecords,
        targets: SyncTargets,
        publisher: EventPublisher,
        clock: Clock,
        settings: RotationSettings,
        stack: str,
        new_token: Callable[[], str],
    ) -> None:
        self._vault = vault
        self._memory = memory
        self._records = records
        self._targets = targets
        self._publisher = publisher
        self._clock = clock
        self._settings = settings
        self._stack = stack
        self._new_token = new_token

    def sync_all(self, correlation_id: str) -> Synced:
        """Bring the targets of every recorded user up to date; one user's failure delays no other.

        Raises
        ------
        UpstreamError
            The table cannot be read.
        """
        if not self._settings.sync:
            return Synced(0, {}, {})
        until = self._clock.now() + RUN
        names = sorted(name for name, _, _ in self._memory.all() if targets_of(self._settings.sync, name))
        turn = int(self._clock.now().timestamp() / TURN.total_seconds())
        first = turn % len(names) if names else 0
        done = [self.sync(name, correlation_id, until) for name in names[first:] + names[:first]]
        failed = {target: why for one in done for target, why in one.failed.items()}
        unclear = {user: why for one in done for user, why in one.unclear.items()}
        return Synced(sum(one.confirmed for one in done), failed, unclear)

    def sync(self, name: UserName, correlation_id: str, until: datetime | None = None) -> Synced:
        """Bring the targets of one user up to date; what does not fit before ``until`` is left to the next run."""
        until = until or self._clock.now() + RUN
        targets = targets_of(self._settings.sync, name)
        if self._clock.now() + MARGIN >= until:
            return Synced(0, {}, {name: "no time was left; the next run continues"})
        try:
            if targets and self._is_late(name, targets):
                claim = self._records.claim(name, self._new_token(), LEASE)
                return self._write(claim, targets, correlation_id, min(until, claim.until))
        except BusyError:
            return Synced(0, {}, {})
        except StewardError as error:
            return Synced(0, {}, {name: str(error)})
        return Synced(0, {}, {})

    def _is_late(self, name: UserName, targets: tuple[Target, ...]) -> bool:
        credential = self._current(name)
        return credential is not None and bool(self._records.find(name).late(targets, credential.access_key_id))

    def _current(self, name: UserName) -> Credential | None:
        """The key that consumers read; None where there is none, or the secret is not this stack's."""
        secret = self._vault.find(name)
        if secret is None or secret.deleted or secret.owner != self._stack or Label.CURRENT not in secret.labels:
            return None
        found = self._vault.read(name, secret.labels[Label.CURRENT])
        return found if isinstance(found, Credential) else None

    def _write(self, claim: SyncClaim, targets: tuple[Target, ...], correlation_id: str, until: datetime) -> Synced:
        """Write to the late targets, under the lock; the key is read again: it may have been rotated meanwhile."""
        record, confirmed, failed = claim.record, 0, dict[str, str]()
        try:
            credential = self._current(claim.user)
            late = record.late(targets, credential.access_key_id) if credential else ()
            for target in late:
                if credential is None or self._clock.now() + MARGIN >= until:
                    break
                record = self._unknown(claim, record, target)
                written, why = self._write_one(record, target, credential)
                self._publish(written, target, credential, why, correlation_id)
                record = self._published(written, target)
                confirmed, failed = confirmed + (not why), failed | ({target.name: why} if why else {})
            known = {target.name for target in targets}
            record = SyncRecord({name: one for name, one in record.targets.items() if name in known})
        except Exception:
            self._records.release(claim, record)
            raise
        self._records.release(claim, record)
        return Synced(confirmed, failed, {})

    def _unknown(self, claim: SyncClaim, record: SyncRecord, target: Target) -> SyncRecord:
        """Record, ahead of the write, that the target may hold any key; its failure stands."""
        before = record.targets.get(target.name, Confirmation())
        record = record.noting(target, Confirmation(failure=before.failure))
        self._records.save(claim, record)
        return record

    def _write_one(self, record: SyncRecord, target: Target, credential: Credential) -> tuple[SyncRecord, str]:
        """The record after a write, and why it failed; empty if the target confirmed. No error shows a value."""
        now, before = self._clock.now(), record.targets[target.name].failure
        try:
            self._targets.write(target, credential)
        except StewardError as error:
            why = _without(str(error), credential)
        except Exception as error:  # noqa: BLE001 - of a target: nobody knows what its text quotes
            why = f"an unexpected {type(error).__name__}"
        else:
            return record.noting(target, Confirmation(credential.access_key_id, target.fingerprint, now)), ""
        failure = replace(before or Failure(why, now), reason=why, tried_at=now)
        return record.noting(target, Confirmation(failure=failure)), why

    def _publish(
        self, record: SyncRecord, target: Target, credential: Credential, why: str, correlation_id: str
    ) -> None:
        """Publish every confirmation, and a failure when it begins and every day."""
        failure, key_id = record.targets[target.name].failure, credential.access_key_id
        event: PublishableEvent = SecretSynced(credential.user, key_id, target.name)
        if failure:
            if failure.published_at and self._clock.now() < failure.published_at + AGAIN:
                return
            since = failure.since.isoformat()
            event = SecretSyncFailed(credential.user, key_id, target.name, why, since)
        self._publisher.publish([event], correlation_id=correlation_id)

    def _published(self, record: SyncRecord, target: Target) -> SyncRecord:
        confirmation, now = record.targets[target.name], self._clock.now()
        failure = confirmation.failure
        if failure is None or (failure.published_at and now < failure.published_at + AGAIN):
            return record
        return record.noting(target, replace(confirmation, failure=replace(failure, published_at=now)))


def _without(text: str, credential: Credential) -> str:
    """A text without the key's material, in case that an error quotes it."""
    return text.replace(credential.secret_access_key, "(withheld)")
