"""Creates a key and stores it as AWSPENDING, and removes that label from versions that can never be promoted."""

from contextlib import suppress
from dataclasses import replace

from access_key_rotation.application.ports import CredentialVault, LabelMovedError, OutcomeUnknownError, Users
from access_key_rotation.application.run import Run
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.state import AccessKey, Content, KeyHistory, Label
from steward.clock import Clock
from steward.errors import StewardError, ThrottledError

PAUSES = (1, 2, 4)
"""Seconds to wait when IAM throttles CreateAccessKey."""


class KeyCreation:
    """Fills and empties AWSPENDING."""

    def __init__(self, users: Users, vault: CredentialVault, clock: Clock) -> None:
        self._users = users
        self._vault = vault
        self._clock = clock

    def create_key(self, run: Run) -> None:
        """Create the key and store it; a failure in between leaves a key that is recorded as ours."""
        version = run.version(Label.PENDING) if run.seen.has_pending else run.lease.claim.intent.token
        credential = self._make_key(run)
        key = AccessKey(credential.access_key_id, active=True, created=credential.created)
        run.note(key.id, KeyHistory(made_by_us=True))
        self._vault.stage(version, credential)
        run.keeps_intent = False
        run.in_hand = credential
        run.seen = run.seen.with_key(key)
        run.remember(replace(run.seen.record, intent=None))
        _now_pending(run, version, key.id)

    def keep_key(self, run: Run, key_id: str) -> None:
        """Store the current value in the pending version, so that Secrets Manager counts its rotation as done."""
        version = run.version(Label.PENDING)
        credential = self._vault.read(run.name, run.version(Label.CURRENT))
        if isinstance(credential, Content):
            raise LabelMovedError(f"AWSCURRENT of {run.name} names no key any more")
        run.lease.check()
        self._vault.stage(version, credential)
        _now_pending(run, version, key_id)

    def drop_pending(self, run: Run) -> None:
        """Remove the label. An active key under it begins to drain, which is written ahead."""
        pending = run.seen.pending
        if pending and pending.active:
            run.write_ahead(pending.id, replace(run.history(pending.id), superseded_at=self._clock.now()))
        run.lease.check()
        self._vault.drop_pending(run.name, run.version(Label.PENDING))
        run.seen = run.seen.without_label(Label.PENDING)

    def _make_key(self, run: Run) -> Credential:
        """Retry only what IAM throttled, because then it created nothing."""
        for seconds in PAUSES:
            with suppress(ThrottledError):
                return self._make_key_once(run)
            self._clock.pause(seconds)
        return self._make_key_once(run)

    def _make_key_once(self, run: Run) -> Credential:
        """Keep the intent unless IAM says explicitly that it created nothing."""
        run.lease.check()
        run.keeps_intent = True
        try:
            return self._users.create_key(run.name)
        except OutcomeUnknownError:
            raise
        except StewardError:
            run.keeps_intent = False
            raise


def _now_pending(run: Run, version: str, key_id: str) -> None:
    run.seen = run.seen.with_label(Label.PENDING, version, key_id)
    run.remember(run.seen.record.having_read(version, key_id))
