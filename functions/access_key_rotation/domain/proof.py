"""The hourly proof that what consumers read still authenticates."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.events import SecretDoesNotAuthenticate
from access_key_rotation.domain.naming import UserName
from access_key_rotation.domain.observation import Label, Record
from access_key_rotation.domain.policy import Verification
from access_key_rotation.domain.ports import CredentialVault, NotAuthenticatedError, Prober
from steward.errors import UpstreamError
from steward.events import EventPublisher


class Memory(Protocol):
    """All records at once."""

    def all(self) -> Iterator[tuple[UserName, Record, bool]]:
        """Every user that is remembered, and whether a run works on it now."""
        ...


@dataclass(frozen=True, slots=True)
class Proof:
    """What a run found. A secret that could not be read or tried is ``unclear``, neither good nor bad."""

    good: int
    bad: tuple[str, ...]
    unclear: int


class SecretProof:
    """Tries the current key of each user whose key a consumer already uses.

    A key that is not yet adopted is not tried: our own use of it would hide whether anybody else uses it.
    """

    def __init__(
        self,
        memory: Memory,
        vault: CredentialVault,
        prober: Prober,
        publisher: EventPublisher,
        wanted: Verification,
        *,
        home_region: str,
    ) -> None:
        self._memory = memory
        self._vault = vault
        self._prober = prober
        self._publisher = publisher
        self._wanted = wanted
        self._home = home_region

    def prove(self, correlation_id: str) -> Proof:
        """Try at most ``proofs_per_run`` secrets."""
        adopted = [name for name, record, busy in self._memory.all() if not busy and _is_adopted(record)]
        good, unclear, bad = 0, 0, list[SecretDoesNotAuthenticate]()
        for name in adopted[: self._wanted.proofs_per_run]:
            try:
                refused = self._refused(name)
            except UpstreamError:
                unclear += 1
                continue
            if refused:
                bad.append(refused)
            else:
                good += 1
        if bad:
            self._publisher.publish(bad, correlation_id=correlation_id)
        return Proof(good, tuple(event.user_name for event in bad), unclear)

    def _refused(self, name: UserName) -> SecretDoesNotAuthenticate | None:
        secret = self._vault.find(name)
        current = secret.labels.get(Label.CURRENT) if secret and not secret.deleted else None
        credential = self._vault.read(name, current) if current else None
        if not isinstance(credential, Credential):
            return SecretDoesNotAuthenticate(name, "", self._home)
        for region in self._wanted.regions or (self._home,):
            try:
                self._prober.identify(credential, region)
            except NotAuthenticatedError:
                return SecretDoesNotAuthenticate(name, credential.access_key_id, region)
        return None


def _is_adopted(record: Record) -> bool:
    return any(history.adopted_at and not history.superseded_at for history in record.keys.values())
