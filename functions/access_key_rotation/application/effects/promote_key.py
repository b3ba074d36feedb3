"""How a key becomes the one that consumers read: proven to work, promoted, recorded, and adopted."""

from dataclasses import replace
from datetime import timedelta

from access_key_rotation.application.ports import CredentialVault
from access_key_rotation.application.run import Run
from access_key_rotation.application.verify_key import KeyVerifier
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.events import AccessKeyRotated
from access_key_rotation.domain.state import Content, KeyHistory, Label
from steward.clock import Clock
from steward.errors import ConflictError

PROOF_COUNTS = timedelta(minutes=1)
"""How long a key counts as proven, until it is promoted."""


class Promotion:
    """Moves AWSCURRENT, and remembers when."""

    def __init__(self, vault: CredentialVault, verifier: KeyVerifier, clock: Clock) -> None:
        self._vault = vault
        self._verifier = verifier
        self._clock = clock

    def prove(self, run: Run, credential: Credential, *, urgent: bool = False) -> None:
        """Prove that the key works, as ``KeyVerifier.verify`` does."""
        self._verifier.verify(credential, run.user, run.policy.verify, urgent=urgent)
        run.proven[credential.access_key_id] = self._clock.now()

    def promote(self, run: Run, key_id: str, *, urgent: bool) -> None:
        """Invariant 2: AWSCURRENT moves only to a key that was just proven to work."""
        current, version = run.seen.named.get(Label.CURRENT), run.version(Label.PENDING)
        if current == key_id:
            self._refuse_another_value(run, version)
        elif not self._is_proven(run, key_id):
            credential = run.in_hand or self._vault.read(run.name, version)
            if isinstance(credential, Content):
                raise ConflictError(f"the version {version} of {run.name} names no key any more")
            self.prove(run, credential, urgent=urgent)
        run.lease.check()
        expected = run.secret.labels.get(Label.CURRENT)
        self._vault.promote(run.name, version, expected=expected)
        if expected and current is not None:
            run.seen = run.seen.with_label(Label.PREVIOUS, expected, current)
        run.seen = run.seen.with_label(Label.CURRENT, version, key_id)

    def record(self, run: Run, key_id: str) -> None:
        """Remember, and publish, that a key is current; others that were current are superseded from now on.

        Whether a leak had it promoted is read from the key that it replaces, so that a run which died loses nothing.
        """
        seen, now = run.seen, self._clock.now()
        before = run.history(key_id)
        run.note(key_id, KeyHistory(before.made_by_us, promoted_at=now, compromised=before.compromised))
        still_work, has_leaked = [], False
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
        arn = seen.secret.arn if seen.secret else ""
        run.events.append(AccessKeyRotated(run.name, run.user.user_id, key_id, arn, still_work, waived))

    def latch_adoption(self, run: Run, key_id: str) -> None:
        """Remember that a consumer uses the key."""
        run.note(key_id, replace(run.history(key_id), adopted_at=self._clock.now()))

    def _is_proven(self, run: Run, key_id: str) -> bool:
        return key_id in run.proven and self._clock.now() <= run.proven[key_id] + PROOF_COUNTS

    def _refuse_another_value(self, run: Run, version: str) -> None:
        """Nothing changes for consumers when both versions hold the same; trying the key would look like their use."""
        if self._vault.read(run.name, version) != self._vault.read(run.name, run.version(Label.CURRENT)):
            raise ConflictError(f"the version {version} of {run.name} names the current key with another value")
