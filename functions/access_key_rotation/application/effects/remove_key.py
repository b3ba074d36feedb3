"""How a key is taken away: written ahead, the labels read once more, and only then deactivated or deleted; and told."""

from dataclasses import replace

from access_key_rotation.application.ports import CredentialVault, LabelMovedError, Users
from access_key_rotation.application.run import Run
from access_key_rotation.domain.events import AccessKeyDeactivated, AccessKeyDeleted, AccessKeyReactivated
from access_key_rotation.domain.state import Content, Label
from steward.clock import Clock


class Revocation:
    """The only place where a key is made Inactive or deleted."""

    def __init__(self, users: Users, vault: CredentialVault, clock: Clock) -> None:
        self._users = users
        self._vault = vault
        self._clock = clock

    def suspect(self, run: Run, key_id: str) -> None:
        """Remember when a key was first seen to be lost, or missing: nothing is done about it at the first look."""
        run.note(key_id, replace(run.history(key_id), suspected_at=self._clock.now()))

    def mark_compromised(self, run: Run, key_id: str) -> None:
        """Remember that a key has leaked, before anything is done about it."""
        run.write_ahead(key_id, replace(run.history(key_id), compromised=True))

    def deactivate(self, run: Run, key_id: str, reason: str) -> None:
        """Make a key Inactive, which can be undone."""
        now = self._clock.now()
        run.write_ahead(key_id, replace(run.history(key_id), deactivated_at=now, retired_for=reason, announced=False))
        self._refuse_labelled(run, key_id)
        self._users.deactivate_key(run.name, key_id)
        run.seen = run.seen.with_key(replace(run.key(key_id), active=False))

    def announce(self, run: Run, key_id: str) -> None:
        """Tell that a key was deactivated, and until when it can be brought back."""
        history = run.history(key_id)
        since = history.deactivated_at or self._clock.now()
        until = (since + run.policy.keep_inactive).isoformat()
        run.events.append(AccessKeyDeactivated(run.name, run.user.user_id, key_id, history.retired_for, until))
        run.note(key_id, replace(history, announced=True))

    def accept(self, run: Run, key_id: str) -> None:
        """Take a key that somebody brought back in IAM as superseded from now on."""
        run.note(key_id, run.history(key_id).brought_back(self._clock.now()))
        run.events.append(AccessKeyReactivated(run.name, run.user.user_id, key_id, requested_by=None, frozen=False))

    def delete(self, run: Run, key_id: str, reason: str) -> None:
        """Delete a key. One that was deactivated before is told, and forgotten, when IAM no longer lists it."""
        history = run.history(key_id)
        self._refuse_labelled(run, key_id)
        self._users.delete_key(run.name, key_id)
        run.seen = run.seen.without_key(key_id)
        if history.deactivated_at is None:
            run.events.append(AccessKeyDeleted(run.name, run.user.user_id, key_id, reason))
            run.remember(run.seen.record.forgetting(key_id))

    def forget(self, run: Run, key_id: str) -> None:
        """Forget a key that is gone; it is told where we had deactivated it, and so were to delete it."""
        history = run.history(key_id)
        if history.deactivated_at:
            run.events.append(AccessKeyDeleted(run.name, run.user.user_id, key_id, history.retired_for))
        run.remember(run.seen.record.forgetting(key_id))

    def _refuse_labelled(self, run: Run, key_id: str) -> None:
        """Invariant 1, as the last call before: no version that a consumer reads now or next may name the key.

        What a version names was read before and never changes; a version that is new since is somebody else's move.
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
    """Whether the version was there, without a value, when this run began; only a run of ours fills it."""
    before = run.seen.secret.labels.get(label) if run.seen.secret else None
    return version == before and run.seen.named.get(label) is Content.NOTHING
