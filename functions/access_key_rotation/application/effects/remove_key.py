"""Deactivates and deletes keys: writes ahead, reads the labels again, acts, and publishes."""

from contextlib import suppress
from dataclasses import replace

from access_key_rotation.application.ports import CredentialVault, LabelMovedError, Users
from access_key_rotation.application.run import Run
from access_key_rotation.domain.events import AccessKeyDeactivated, AccessKeyDeleted, AccessKeyReactivated
from access_key_rotation.domain.rules.next_key import LEAKED, SLOT_NEEDED
from access_key_rotation.domain.state import Content, Label
from steward.clock import Clock
from steward.errors import StewardError

NEVER_READ: tuple[str | None, str] = (None, "")
"""The last use of a key for an event, if it was not read: when, and for which service."""


class KeyRemoval:
    """The only place that deactivates or deletes a key."""

    def __init__(self, users: Users, vault: CredentialVault, clock: Clock) -> None:
        self._users = users
        self._vault = vault
        self._clock = clock

    def suspect(self, run: Run, key_id: str) -> None:
        """Record when a key was first seen to be lost or missing; a single observation changes nothing."""
        run.note(key_id, replace(run.history(key_id), suspected_at=self._clock.now()))

    def mark_compromised(self, run: Run, key_id: str) -> None:
        """Record a leak before anything can block the response."""
        run.write_ahead(key_id, replace(run.history(key_id), compromised=True))

    def deactivate(self, run: Run, key_id: str, reason: str) -> None:
        """Deactivate a key, which can be undone unless it leaked."""
        before, now = run.history(key_id), self._clock.now()
        leaked = before.compromised or reason == LEAKED
        after = replace(before, deactivated_at=now, retired_for=reason, announced=False, compromised=leaked)
        run.write_ahead(key_id, after)
        self._refuse_labelled(run, key_id)
        self._users.deactivate_key(run.name, key_id)
        run.seen = run.seen.with_key(replace(run.key(key_id), active=False))

    def announce(self, run: Run, key_id: str) -> None:
        """Publish that a key was deactivated, and until when it can be reactivated."""
        history = run.history(key_id)
        since = history.deactivated_at or self._clock.now()
        until = (since + run.settings.keep_inactive).isoformat()
        used = self._last_use(run, key_id) if history.compromised else NEVER_READ
        run.events.append(AccessKeyDeactivated(run.name, run.user.user_id, key_id, history.retired_for, until, *used))
        run.note(key_id, replace(history, announced=True))

    def accept(self, run: Run, key_id: str) -> None:
        """Let a key that was reactivated in IAM drain again from now on."""
        run.note(key_id, run.history(key_id).brought_back(self._clock.now()))
        run.events.append(AccessKeyReactivated(run.name, run.user.user_id, key_id, requested_by=None, frozen=False))

    def delete(self, run: Run, key_id: str, reason: str) -> None:
        """Delete a key. The deletion of a deactivated key is published when IAM no longer lists it.

        That of any other is written ahead, so that a later run publishes it if this one dies in between.
        """
        history = run.history(key_id)
        used = self._last_use(run, key_id) if reason == SLOT_NEEDED else NEVER_READ
        if history.deactivated_at is None:
            run.write_ahead(key_id, replace(history, retired_for=reason))
        self._refuse_labelled(run, key_id)
        self._users.delete_key(run.name, key_id)
        was_active, run.seen = run.key(key_id).active, run.seen.without_key(key_id)
        if history.deactivated_at is None:
            run.events.append(AccessKeyDeleted(run.name, run.user.user_id, key_id, reason, *used, was_active))
            run.remember(run.seen.record.forgetting(key_id))

    def forget(self, run: Run, key_id: str) -> None:
        """Forget a key that is gone; publish its deletion if we had deactivated it, or were about to delete it."""
        history = run.history(key_id)
        if history.retired_for:
            was_active = history.deactivated_at is None
            deleted = AccessKeyDeleted(run.name, run.user.user_id, key_id, history.retired_for, was_active=was_active)
            run.events.append(deleted)
        run.remember(run.seen.record.forgetting(key_id))

    def _last_use(self, run: Run, key_id: str) -> tuple[str | None, str]:
        """When and for which service a key that is removed was last used; nothing if IAM does not say."""
        with suppress(StewardError):
            used = run.seen.usage.get(key_id) or self._users.last_use(key_id)
            return used.at.isoformat() if used.at else None, used.service
        return NEVER_READ

    def _refuse_labelled(self, run: Run, key_id: str) -> None:
        """Refuse a key that a current or pending version names (invariant 1), in the last call before the removal.

        A version's value never changes, so its key was read before; a new version is the move of another writer.
        A key that leaked dies also where consumers read it.
        """
        run.lease.check()
        if run.history(key_id).compromised:
            return
        secret, known = self._vault.find(run.name), run.seen.record.versions
        if secret is None and run.seen.secret is None:
            return
        if secret is None or secret.deleted:
            raise LabelMovedError(f"the secret of {run.name} is gone meanwhile; the key {key_id} stays")
        for label in (Label.CURRENT, Label.PENDING):
            version = secret.labels.get(label)
            if version is None or (version not in known and _is_empty(run, label, version)):
                continue
            if known.get(version, key_id) == key_id:
                raise LabelMovedError(f"{label} of {run.name} has moved meanwhile; the key {key_id} stays")


def _is_empty(run: Run, label: Label, version: str) -> bool:
    """Whether the version existed without a value when this run began; only a run of ours fills it."""
    before = run.seen.secret.labels.get(label) if run.seen.secret else None
    return version == before and run.seen.named.get(label) is Content.NOTHING
