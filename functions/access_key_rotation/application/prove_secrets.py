"""Checks every hour that the keys that consumers read still work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from access_key_rotation.application.ports import (
    Authenticator,
    CredentialVault,
    NotAuthenticatedError,
    RotationMemory,
    Users,
)
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.events import AccessKeyRotationDue, SecretDoesNotAuthenticate
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.next_step import WAITS_FOR
from access_key_rotation.domain.settings import Verification
from access_key_rotation.domain.state import ORPHANED_SECRET, UNREADABLE, Content, Label, Record
from steward.clock import Clock
from steward.errors import StewardError
from steward.events import EventPublisher

EVERY_SECONDS = 3600
"""The interval between two runs."""
PUBLISHED_AT_ONCE = 10
"""Users that are verified before their failures are published; a killed run loses at most these."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of a run."""

    good: int
    bad: tuple[str, ...]
    unclear: Mapping[str, str]
    """User -> why its secret could not be read or verified: neither good nor bad."""


class SecretProof:
    """Checks the current key of each user, in any state: frozen, exempt and blocked users have consumers, too.

    A key that a consumer uses must authenticate. A key that is not yet adopted is looked up in IAM only, because our
    own use of it would hide whether a consumer uses it.
    """

    def __init__(
        self,
        users: Users,
        memory: RotationMemory,
        vault: CredentialVault,
        authenticator: Authenticator,
        publisher: EventPublisher,
        clock: Clock,
        wanted: Verification,
        service_path: str,
        *,
        home_region: str,
    ) -> None:
        self._users = users
        self._memory = memory
        self._vault = vault
        self._authenticator = authenticator
        self._publisher = publisher
        self._clock = clock
        self._wanted = wanted
        self._service_path = service_path
        self._home = home_region

    def prove(self, correlation_id: str) -> Proof:
        """Check at most ``proofs_per_run`` secrets: those after the ones of the previous hour.

        Raises
        ------
        StewardError
            The table cannot be read, or the bus does not accept the events.
        """
        recorded = list(self._memory.all())
        live = {name: record for name, record, busy in recorded if not busy and self._is_live(name, record)}
        hour = int(self._clock.now().timestamp()) // EVERY_SECONDS
        unclear: dict[str, str] = {
            name: WAITS_FOR[UNREADABLE] for name, record, _ in recorded if record.state == UNREADABLE
        }
        good, bad, changed = 0, list[str](), list[AccessKeyRotationDue]()
        for some in batched(window(sorted(live), self._wanted.proofs_per_run, hour), PUBLISHED_AT_ONCE, strict=False):
            refused = list[SecretDoesNotAuthenticate]()
            for name in some:
                try:
                    if self._policy_changed(name, live[name]):
                        changed.append(AccessKeyRotationDue(name, "scheduled", requested_by="the hourly check"))
                    found = self._refused(name, live[name])
                except StewardError as error:
                    unclear[name] = str(error)
                    continue
                good += found is None
                refused += [found] if found else []
            if refused:
                self._publisher.publish(refused, correlation_id=correlation_id)
            bad += [event.user_name for event in refused]
        for due in batched(changed, PUBLISHED_AT_ONCE, strict=False):
            self._publisher.publish(due, correlation_id=correlation_id)
        return Proof(good, tuple(bad), unclear)

    def _policy_changed(self, name: UserName, record: Record) -> bool:
        """Whether another writer changed the resource policy that the steward put; the worker reports and mends it."""
        return bool(record.readers) and self._vault.restriction(name).fingerprint != record.readers

    def _is_live(self, name: UserName, record: Record) -> bool:
        """Whether a key is or was in the secret, and the user existed and was enrolled in the last run."""
        user = record.user(name)
        is_ours = user is None or user.is_enrolled(self._service_path)
        return is_ours and record.state != ORPHANED_SECRET and (_has_current_key(record) or _names_a_key(record))

    def _refused(self, name: UserName, record: Record) -> SecretDoesNotAuthenticate | None:
        secret = self._vault.find(name)
        current = secret.labels.get(Label.CURRENT) if secret and not secret.deleted else None
        credential = self._vault.read(name, current) if current else None
        if credential is Content.PLACEHOLDER and not _has_current_key(record):
            return None  # the first key is not current yet
        if not isinstance(credential, Credential):
            return SecretDoesNotAuthenticate(name, "", self._home)
        key_id = credential.access_key_id
        if not record.history(key_id).adopted_at:
            is_active = any(key.id == key_id and key.active for key in self._users.keys(name))
            return None if is_active else SecretDoesNotAuthenticate(name, key_id, self._home)
        for region in self._wanted.regions or (self._home,):
            try:
                self._authenticator.identify(credential, region)
            except NotAuthenticatedError:
                return SecretDoesNotAuthenticate(name, key_id, region)
        return None


def window[T](everything: Sequence[T], size: int, number: int) -> list[T]:
    """The ``number``-th window of ``size``; consecutive windows wrap around and cover everything."""
    size = min(size, len(everything))
    start = number * size % len(everything) if everything else 0
    return [*everything[start:], *everything[:start]][:size]


def _names_a_key(record: Record) -> bool:
    """Whether a version of the secret names a key, also one that no run has promoted or that IAM does not list."""
    return any(named not in {content.value for content in Content} for named in record.versions.values())


def _has_current_key(record: Record) -> bool:
    return any(history.promoted_at and not history.superseded_at for history in record.keys.values())
