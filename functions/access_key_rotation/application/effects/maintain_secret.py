"""Maintains the secret as the settings define it: existence, readers, replicas, Secrets Manager's own rotation."""

from dataclasses import replace

from access_key_rotation.application.ports import CredentialVault
from access_key_rotation.application.run import Run
from access_key_rotation.domain.events import SecretReaderMissing, SecretReadersChanged
from access_key_rotation.domain.state import Restriction
from steward.clock import Clock


class SecretMaintenance:
    """Changes everything of a secret except its values."""

    def __init__(self, vault: CredentialVault, clock: Clock) -> None:
        self._vault = vault
        self._clock = clock

    def create(self, run: Run) -> None:
        """Create the secret; its resource policy and its schedule follow."""
        run.lease.check()
        run.seen = run.seen.with_secret(self._vault.create(run.name))
        run.remember(replace(run.seen.record, readers="", backstop_days=0))
        run.seen = replace(run.seen, restriction=Restriction())

    def restrict_readers(self, run: Run, wanted: Restriction) -> None:
        """Put the resource policy that the settings define; publish what another writer made of the one before."""
        secret, live = run.secret, run.seen.restriction
        run.lease.check()
        self._vault.restrict_readers(run.name, wanted)
        if live and run.seen.record.readers == wanted.fingerprint:
            added = sorted(set(live.readers) - set(wanted.readers))
            change = wanted.change_to(live)
            run.events.append(SecretReadersChanged(run.name, secret.arn, change, list(live.readers), added))
        if set(run.settings.secret_readers) == {run.user.arn}:
            run.events.append(SecretReaderMissing(run.name, secret.arn))
        run.remember(replace(run.seen.record, readers=wanted.fingerprint))
        run.seen = replace(run.seen, restriction=wanted)

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
        run.remember(replace(run.seen.record, backstop_days=days, registered_at=self._clock.now()))
