"""Deactivates and deletes keys: writes ahead, reads the labels again, acts, and publishes."""

from dataclasses import replace

from access_key_rotation.application.ports import CredentialVault, LabelMovedError, Users
from access_key_rotation.application.run import Run
from access_key_rotation.domain.events import AccessKeyDeactivated, AccessKeyDeleted, AccessKeyReactivated
from access_key_rotation.domain.state import Content, Label
from steward.clock import Clock


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
        """Deactivate a key, which can be undone."""
        now = self._clock.now()
        run.write_ahead(key_id, replace(run.history(key_id), deactivated_at=now, retired_for=reason, announced=False))
        self._refuse_labelled(run, key_id)
        self._users.deactivate_key(run.name, key_id)
        run.seen = run.seen.with_key(replace(run.key(key_id), active=False))

    def announce(self, run: Run, key_id: str) -> None:
        """Publish that a key was deactivated, and until when it can be reactivated."""
        history = run.history(key_id)
        since = history.deactivated_at or self._clock.now()
        until = (since + run.settings.keep_inactive).isoformat()
        run.events.append(AccessKeyDeactivated(run.name, run.user.user_id, key_id, history.retired_for, until))
        run.note(key_id, replace(history, announced=True))

    def accept(self, run: Run, key_id: str) -> None:
        """Let a key that was reactivated in IAM drain again from now on."""
        run.note(key_id, run.history(key_id).brought_back(self._clock.now()))
        run.events.append(AccessKeyReactivated(run.name, run.user.user_id, key_id, requested_by=None, frozen=False))

    def delete(self, run: Run, key_id: str, reason: str) -> None:
        """Delete a key. The deletion of a deactivated key is published when IAM no longer lists it."""
        history = run.history(key_id)
        self._refuse_labelled(run, key_id)
        self._users.delete_key(run.name, key_id)
        run.seen = run.seen.without_key(key_id)
        if history.deactivated_at is None:
            run.events.append(AccessKeyDeleted(run.name, run.user.user_id, key_id, reason))
            run.remember(run.seen.record.forgetting(key_id))

    def forget(self, run: Run, key_id: str) -> None:
        """Forget a key that is gone; publish its deletion if we had deactivated it."""
        history = run.history(key_id)
        if history.deactivated_at:
            run.events.append(AccessKeyDeleted(run.name, run.user.user_id, key_id, history.retired_for))
        run.remember(run.seen.record.forgetting(key_id))

    def _refuse_labelled(self, run: Run, key_id: str) -> None:
        """Refuse a key that a current or pending version names (invariant 1), in the last call before the removal.

        A version's value never changes, so its key was read before; a new version is the move of another writer.
        """
        run.lease.check()
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
