"""Makes a key the one that consumers read: verifies, promotes and records it, and latches its adoption."""

from dataclasses import replace
from datetime import timedelta

from access_key_rotation.application.ports import CredentialVault, NotAuthenticatedError
from access_key_rotation.application.run import Run
from access_key_rotation.application.verify_key import KeyVerifier
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.events import AccessKeyRotated
from access_key_rotation.domain.state import Content, KeyHistory, Label
from steward.clock import Clock
from steward.errors import ConflictError

VERIFIED_FOR = timedelta(minutes=1)
"""The time for which a key counts as verified, until it is promoted."""


class KeyPromotion:
    """Moves AWSCURRENT and records when."""

    def __init__(self, vault: CredentialVault, verifier: KeyVerifier, clock: Clock) -> None:
        self._vault = vault
        self._verifier = verifier
        self._clock = clock

    def verify(self, run: Run, credential: Credential, *, urgent: bool = False) -> None:
        """Verify the key and record when; while AWS quarantines the user, without ECR, which it denies then."""
        wanted = run.settings.verify
        wanted = replace(wanted, ecr=wanted.ecr and not run.is_quarantined)
        self._verifier.verify(credential, run.user, wanted, urgent=urgent)
        run.verified[credential.access_key_id] = self._clock.now()

    def promote(self, run: Run, key_id: str, *, urgent: bool) -> None:
        """Move AWSCURRENT, only to a key that was just verified (invariant 2)."""
        current, version = run.seen.named.get(Label.CURRENT), run.version(Label.PENDING)
        if current == key_id:
            self._refuse_another_value(run, version)
        elif not self._is_verified(run, key_id):
            credential = run.in_hand or self._vault.read(run.name, version)
            if isinstance(credential, Content):
                raise ConflictError(f"the version {version} of {run.name} names no key any more")
            self.verify(run, credential, urgent=urgent)
        run.lease.check()
        expected = run.secret.labels.get(Label.CURRENT)
        self._vault.promote(run.name, version, expected=expected)
        if expected and current is not None:
            run.seen = run.seen.with_label(Label.PREVIOUS, expected, current)
        run.seen = run.seen.with_label(Label.CURRENT, version, key_id)

    def restore(self, run: Run, key_id: str) -> None:
        """Move AWSCURRENT back to the version that AWSPREVIOUS names; a key that AWS refuses is not tried again."""
        version, current = run.version(Label.PREVIOUS), run.version(Label.CURRENT)
        credential = self._vault.read(run.name, version)
        if isinstance(credential, Content) or credential.access_key_id != key_id:
            raise ConflictError(f"the version {version} of {run.name} names the key {key_id} no more")
        try:
            self.verify(run, credential, urgent=True)
        except NotAuthenticatedError:
            run.seen = replace(run.seen, refused=run.seen.refused | {key_id})
            return
        run.lease.check()
        self._vault.promote(run.name, version, expected=current)
        leaked = run.seen.named[Label.CURRENT]
        run.seen = run.seen.with_label(Label.PREVIOUS, current, leaked).with_label(Label.CURRENT, version, key_id)

    def record(self, run: Run, key_id: str) -> None:
        """Record and publish that a key is current; keys that were current begin to drain.

        Whether a leak caused the promotion is read from the key that it replaces, so that a dead run loses nothing.
        """
        seen, now = run.seen, self._clock.now()
        before = run.history(key_id)
        run.remember(replace(seen.record, entry=None))
        run.note(key_id, KeyHistory(before.made_by_us, promoted_at=now, compromised=before.compromised))
        previous = seen.named.get(Label.PREVIOUS)
        still_work, has_leaked = [], isinstance(previous, str) and run.history(previous).compromised
        for key in seen.keys:
            if key.id == key_id or seen.is_labelled(key.id) or not seen.is_attributed(key):
                continue
            history = run.history(key.id)
            if history.superseded_at is None:
                has_leaked = has_leaked or history.compromised
                run.note(key.id, replace(history, superseded_at=now))
            if key.active and not history.compromised:
                still_work.append(key.id)
        waived = ["quiet period", "adoption", "replicas", "all regions but one"] if has_leaked else []
        if run.settings.verify.ecr and (has_leaked or run.is_quarantined):
            waived.append("ECR login")
        if has_leaked and run.settings.targets:
            waived.append("targets of secret sync")
        arn = seen.secret.arn if seen.secret else ""
        run.events.append(AccessKeyRotated(run.name, run.user.user_id, key_id, arn, still_work, waived))

    def latch_adoption(self, run: Run, key_id: str) -> None:
        """Record that a consumer uses the key."""
        run.note(key_id, replace(run.history(key_id), adopted_at=self._clock.now()))

    def _is_verified(self, run: Run, key_id: str) -> bool:
        return key_id in run.verified and self._clock.now() <= run.verified[key_id] + VERIFIED_FOR

    def _refuse_another_value(self, run: Run, version: str) -> None:
        """Refuse a version that names the current key with another value. Verifying it would look like use."""
        if self._vault.read(run.name, version) != self._vault.read(run.name, run.version(Label.CURRENT)):
            raise ConflictError(f"the version {version} of {run.name} names the current key with another value")
