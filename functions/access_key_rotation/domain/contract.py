"""The four steps that Secrets Manager asks of a rotation function, on the same rules as the schedule.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from access_key_rotation.domain.actions import Action, Block, Promote
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.naming import UserName
from access_key_rotation.domain.observation import Content, Label, Secret
from access_key_rotation.domain.policy import RotationSettings
from access_key_rotation.domain.ports import CredentialVault, Users
from access_key_rotation.domain.rotation import Outcome, Rotator
from access_key_rotation.domain.verification import Verifier
from steward.errors import ConflictError, NotFoundError, StewardError


class RotationContract:
    """``createSecret``, ``setSecret``, ``testSecret``, ``finishSecret``; each may come again at any time."""

    def __init__(
        self,
        rotator: Rotator,
        users: Users,
        vault: CredentialVault,
        verifier: Verifier,
        settings: RotationSettings,
    ) -> None:
        self._rotator = rotator
        self._users = users
        self._vault = vault
        self._verifier = verifier
        self._settings = settings

    def create_secret(self, user: UserName, version: str, correlation_id: str) -> None:
        """Make a key and store it in the version that waits.

        Raises
        ------
        ConflictError
            The rules refuse a key now. The label was taken from the empty version first: it would block every later
            rotation.
        """
        try:
            outcome = self._rotator.advance(user, correlation_id, until=_is_promotion)
        except StewardError:
            self._unblock(user, version)
            raise
        secret = outcome.seen.secret
        labels = secret.labels if secret else {}
        if version == labels.get(Label.CURRENT):
            return
        if version == labels.get(Label.PENDING) and isinstance(outcome.seen.named.get(Label.PENDING), str):
            return
        self._unblock(user, version)
        raise ConflictError(f"no new key for {user} now: {_reason(outcome)}")

    def test_secret(self, user: UserName, version: str) -> None:
        """Try the key of the version; of an empty one, that of AWSCURRENT, which is how a configuration is tested.

        Raises
        ------
        NotAuthenticatedError
            AWS does not take the key.
        """
        known = self._users.find(user)
        if known is None:
            raise NotFoundError(f"there is no user {user}")
        credential = self._vault.read(user, version)
        if credential is Content.NOTHING:
            secret = self._vault.find(user)
            current = secret.labels.get(Label.CURRENT) if secret else None
            credential = self._vault.read(user, current) if current else credential
        if isinstance(credential, Credential):
            self._verifier.verify(credential, known, self._settings.verify)

    def finish_secret(self, user: UserName, version: str, correlation_id: str) -> None:
        """Promote the version.

        Raises
        ------
        ConflictError
            The rules refuse to promote it now; the next try goes on from there.
        """
        outcome = self._rotator.advance(user, correlation_id)
        secret = outcome.seen.secret
        if secret is None or secret.labels.get(Label.CURRENT) != version:
            raise ConflictError(f"the new key of {user} is not current: {_reason(outcome)}")

    def _unblock(self, user: UserName, version: str) -> None:
        secret: Secret | None = self._vault.find(user)
        if secret is None or secret.deleted or secret.labels.get(Label.PENDING) != version:
            return
        if version != secret.labels.get(Label.CURRENT) and self._vault.read(user, version) is Content.NOTHING:
            self._vault.drop_pending(user, version)


def _is_promotion(action: Action) -> bool:
    return isinstance(action, Promote)


def _reason(outcome: Outcome) -> str:
    end = outcome.end
    return end.reason if isinstance(end, Block) else f"{end.state} until {end.until.isoformat()}. {end.notice}".strip()
