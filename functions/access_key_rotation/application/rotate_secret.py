"""Rotates one secret in the four steps of Secrets Manager, by the same rules as the schedule.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from access_key_rotation.application.ports import CredentialVault, Users
from access_key_rotation.application.rotate_user import Rotator
from access_key_rotation.application.run import Outcome, Run
from access_key_rotation.application.verify_key import KeyVerifier
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import ROTATION_WINDOW
from access_key_rotation.domain.rules.steps import Wait
from access_key_rotation.domain.settings import RotationSettings
from access_key_rotation.domain.state import Content, Label
from steward.clock import Clock
from steward.errors import ConflictError, NotFoundError


class SecretRotation:
    """Takes ``createSecret``, ``setSecret``, ``testSecret`` and ``finishSecret``; each may be repeated at any time.

    The steps of one rotation are one run, which holds the user's lock from the first to the last. The run stays in
    memory between them, without the key's material, because they mostly reach the same execution environment; this
    saves reads, never a check. A step in another environment reads for itself and takes the lock over.

    Parameters
    ----------
    follows_schedule
        Whether a key is created when Secrets Manager's own schedule asks for it. While rotation is off nothing would
        drain the previous key, so the schedule is refused; a person is not.
    """

    def __init__(
        self,
        rotator: Rotator,
        users: Users,
        vault: CredentialVault,
        verifier: KeyVerifier,
        settings: RotationSettings,
        clock: Clock,
        *,
        follows_schedule: bool = True,
    ) -> None:
        self._rotator = rotator
        self._users = users
        self._vault = vault
        self._verifier = verifier
        self._settings = settings
        self._clock = clock
        self._follows_schedule = follows_schedule
        self._open: tuple[str, Run] | None = None

    def create_secret(self, user: UserName, version: str, correlation_id: str) -> None:
        """Create a key and store it in the pending version.

        Raises
        ------
        ConflictError
            The rules refuse a key now, or rotation is off. AWSPENDING was removed from the empty version first, because
            it would block every later rotation.
        """
        if self._open and self._open[0] == version:
            return
        if not self._follows_schedule and self._is_asked_by_schedule(user):
            self._unblock(user, version)
            raise ConflictError(
                f"rotation is off (parameter AccessKeyRotation), and the schedule of Secrets Manager asks for a key of "
                f"{user}: turn rotation on, or end the schedule with `aws secretsmanager cancel-rotate-secret`"
            )
        try:
            begun = self._rotator.begin(user, version, correlation_id)
        except Exception:
            self._unblock(user, version)
            raise
        secret = begun.seen.secret
        labels = secret.labels if secret else {}
        if version == labels.get(Label.PENDING) and isinstance(begun.seen.named.get(Label.PENDING), str):
            self._open = (version, begun) if isinstance(begun, Run) else None
            return
        outcome = self._rotator.finish(begun) if isinstance(begun, Run) else begun
        if version == labels.get(Label.CURRENT):
            return
        self._unblock(user, version)
        raise ConflictError(f"no new key for {user} now: {_reason(outcome)}")

    def test_secret(self, user: UserName, version: str) -> None:
        """Verify the key of the version.

        The current key is not verified, because that would look like a consumer's use of it. An empty version, with
        which Secrets Manager tests a configuration, holds no key to verify. Without the run of ``createSecret``, it is
        not known whether a key has leaked: then the identity is enough here, and ``finishSecret`` verifies in full.

        Raises
        ------
        NotAuthenticatedError
            AWS refuses the key.
        """
        run, credential = self._take(version), self._vault.read(user, version)
        if run and isinstance(credential, Credential):
            if run.seen.named.get(Label.CURRENT) != credential.access_key_id:
                self._rotator.verify(run, credential)
            self._open = version, run
            return
        known = self._users.find(user)
        if known is None:
            raise NotFoundError(f"there is no user {user}")
        if isinstance(credential, Credential) and not self._is_current(credential):
            self._verifier.verify(credential, known, self._settings.verify, urgent=True)

    def finish_secret(self, user: UserName, version: str, correlation_id: str) -> None:
        """Promote the version.

        Raises
        ------
        ConflictError
            The rules refuse to promote it now; the next try continues from there.
        """
        run = self._take(version)
        outcome = self._rotator.finish(run) if run else self._rotator.resume(user, version, correlation_id)
        secret = outcome.seen.secret
        if secret is None or secret.labels.get(Label.CURRENT) != version:
            raise ConflictError(f"the new key of {user} is not current: {_reason(outcome)}")

    def _is_current(self, credential: Credential) -> bool:
        """Whether consumers read this credential already."""
        secret = self._vault.find(credential.user)
        version = secret.labels.get(Label.CURRENT) if secret else None
        return version is not None and self._vault.read(credential.user, version) == credential

    def _is_asked_by_schedule(self, user: UserName) -> bool:
        """Whether the secret's scheduled day has come; a person's request on that day looks the same."""
        secret = self._vault.find(user)
        return bool(secret and secret.rotates_by and self._clock.now() >= secret.rotates_by - ROTATION_WINDOW)

    def _take(self, version: str) -> Run | None:
        """Take the open run of this version, if it is in memory; the caller continues it or puts it back."""
        held, self._open = self._open, None
        return held[1] if held and held[0] == version else None

    def _unblock(self, user: UserName, version: str) -> None:
        secret = self._vault.find(user)
        if secret is None or secret.deleted or secret.labels.get(Label.PENDING) != version:
            return
        if version != secret.labels.get(Label.CURRENT) and self._vault.read(user, version) is Content.NOTHING:
            self._vault.drop_pending(user, version)


def _reason(outcome: Outcome) -> str:
    end = outcome.end
    if isinstance(end, Wait):
        return f"{end.state} until {end.until.isoformat()}. {end.notice}".strip()
    return end.reason
