"""Maintains the secret as the settings define it: existence, readers, replicas, Secrets Manager's own rotation."""

from dataclasses import replace

from access_key_rotation.application.ports import CredentialVault
from access_key_rotation.application.run import Run
from access_key_rotation.domain.events import SecretReaderMissing
from access_key_rotation.domain.rules.situation import fingerprint_of


class SecretMaintenance:
    """Changes everything of a secret except its values."""

    def __init__(self, vault: CredentialVault) -> None:
        self._vault = vault

    def create(self, run: Run) -> None:
        """Create the secret; its resource policy and its schedule follow."""
        run.lease.check()
        run.seen = run.seen.with_secret(self._vault.create(run.name))
        run.remember(replace(run.seen.record, readers="", backstop_days=0))

    def restrict_readers(self, run: Run, principals: tuple[str, ...]) -> None:
        """Put the resource policy that the settings define."""
        secret = run.secret
        run.lease.check()
        self._vault.restrict_readers(run.name, principals)
        if set(run.settings.secret_readers) == {run.user.arn}:
            run.events.append(SecretReaderMissing(run.name, secret.arn))
        run.remember(replace(run.seen.record, readers=fingerprint_of(principals)))

    def replicate(self, run: Run, regions: tuple[str, ...]) -> None:
        """Replicate the secret to further regions, where it is not in sync yet."""
        secret = run.secret
        run.lease.check()
        self._vault.replicate(run.name, regions)
        replicas = {**secret.replicas, **dict.fromkeys(regions, False)}
        run.seen = run.seen.with_secret(replace(secret, replicas=replicas))

    def register_backstop(self, run: Run, function: str, days: int) -> None:
        """Register Secrets Manager's own rotation every ``days`` days, as a fallback."""
        secret = run.secret
        run.lease.check()
        self._vault.register(run.name, function, days)
        run.seen = run.seen.with_secret(replace(secret, rotation_function=function))
        run.remember(replace(run.seen.record, backstop_days=days))
