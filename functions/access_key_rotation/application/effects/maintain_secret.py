"""Keeps the secret as the settings want it: that it exists, who reads it, where it is copied, who rotates it."""

from dataclasses import replace

from access_key_rotation.application.ports import CredentialVault
from access_key_rotation.application.run import Run
from access_key_rotation.domain.events import SecretReaderMissing
from access_key_rotation.domain.rules.situation import fingerprint_of


class SecretUpkeep:
    """Everything about the secret but its values."""

    def __init__(self, vault: CredentialVault) -> None:
        self._vault = vault

    def create(self, run: Run) -> None:
        """Make the secret; its policy and its schedule are yet to come."""
        run.lease.check()
        run.seen = run.seen.with_secret(self._vault.create(run.name))
        run.remember(replace(run.seen.record, readers="", backstop_days=0))

    def restrict_readers(self, run: Run, principals: tuple[str, ...]) -> None:
        """Put the resource policy that the settings ask for."""
        secret = run.secret
        run.lease.check()
        self._vault.restrict_readers(run.name, principals)
        if set(run.policy.secret_readers) == {run.user.arn}:
            run.events.append(SecretReaderMissing(run.name, secret.arn))
        run.remember(replace(run.seen.record, readers=fingerprint_of(principals)))

    def replicate(self, run: Run, regions: tuple[str, ...]) -> None:
        """Copy the secret to further regions, where it is not in sync yet."""
        secret = run.secret
        run.lease.check()
        self._vault.replicate(run.name, regions)
        replicas = {**secret.replicas, **dict.fromkeys(regions, False)}
        run.seen = run.seen.with_secret(replace(secret, replicas=replicas))

    def register_backstop(self, run: Run, function: str, days: int) -> None:
        """Have Secrets Manager rotate the secret through the function, should nobody else."""
        secret = run.secret
        run.lease.check()
        self._vault.register(run.name, function, days)
        run.seen = run.seen.with_secret(replace(secret, rotation_function=function))
        run.remember(replace(run.seen.record, backstop_days=days))
