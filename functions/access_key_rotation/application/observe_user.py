"""Reads a user's state: the user, its keys, and the keys in the secret's versions. It changes nothing."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from access_key_rotation.application.ports import CredentialVault, SyncMemory, Trail, Users
from access_key_rotation.application.run import Run
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.next_key import LEAKED
from access_key_rotation.domain.rules.situation import Enrolment, Reason
from access_key_rotation.domain.settings import RotationSettings, settings_of
from access_key_rotation.domain.state import (
    AccessKey,
    Content,
    Label,
    Named,
    Record,
    Request,
    Secret,
    User,
    UserState,
)
from steward.errors import AccessDeniedError, RuleViolationError, StewardError


class UserObserver:
    """Reads a user with as few calls as possible: what cannot have changed is not read again."""

    def __init__(
        self,
        users: Users,
        vault: CredentialVault,
        trail: Trail,
        sync: SyncMemory,
        settings: RotationSettings,
        enrolment: Enrolment,
    ) -> None:
        self._users = users
        self._vault = vault
        self._trail = trail
        self._sync = sync
        self._settings = settings
        self._enrolment = enrolment

    def look(self, run: Run) -> None:
        """Read the user, its keys, its secret and its settings."""
        record = run.seen.record
        listed_at = run.lease.clock.now()
        user, keys = self._who(run)
        if user:
            record = _with_stopped(record.having_seen(user), run.lease.claim.stopped, keys, listed_at)
        run.seen = UserState(record, user, keys, listed_at=listed_at)  # suffices to stop a leak if a later call fails
        secret = self._vault.find(run.name)
        run.seen = replace(run.seen, record=self._with_quarantine(run, record), secret=secret)
        self._apply_tags(run)
        if user and secret and not secret.deleted and secret.owner == self._enrolment.stack:
            self.look_at_secret(run)
        self._resolve_demand(run)

    def _resolve_demand(self, run: Run) -> None:
        """Find the key that a request without a key id means, and note a routine request.

        Such a request is for a user of which no current key is recorded. If one is, the message came twice: the key
        that it meant was rotated, and its successor must not be. A leak that no recorded one explains may be another:
        it keeps no key id, and a person must name the key.
        """
        demand, record = run.demand, run.seen.record
        if demand and not demand.key_id:
            is_late, current = bool(run.lease.claim.record.current_key), run.seen.current
            is_answered = demand.reason is Reason.ROUTINE or any(key.compromised for key in record.keys.values())
            if not is_late:
                demand = replace(demand, key_id=current.id if current else "")
            elif is_answered:
                demand = None
            run.demand = demand
        if demand is None or demand.reason is not Reason.ROUTINE or demand.id in record.withdrawn.split():
            return
        requested = record.requested
        if requested is None or requested.id != demand.id:
            requested = Request(demand.id, demand.by, demand.session, run.lease.clock.now())
        run.remember(replace(record, wanted=demand.key_id, requested=requested))

    def look_at_secret(self, run: Run) -> None:
        """Read which keys the versions of the secret name, if its resource policy permits.

        If it does not, and is not the one that the settings define, the rules replace it.
        """
        self._look_at_policy(run)
        record = run.seen.record
        try:
            named, record = self._name_versions(run, run.secret, record)
        except AccessDeniedError:
            if run.seen.restriction in {None, self._enrolment.restriction(run.settings, run.user)}:
                raise
            run.seen = replace(run.seen, is_locked_out=True)
        else:
            run.seen = replace(run.seen, named=named, record=record, is_locked_out=False)

    def _look_at_policy(self, run: Run) -> None:
        """Read the live resource policy, if the steward restricts the secret, or may have."""
        wanted, record = self._enrolment.restriction(run.settings, run.user), run.seen.record
        if not wanted.readers and record.readers == "":
            return
        live = self._vault.restriction(run.name)
        if not wanted.readers and not live.readers:
            record = replace(record, readers="")
        run.seen = replace(run.seen, restriction=live, record=record)

    def _with_quarantine(self, run: Run, record: Record) -> Record:
        """The record with AWS's quarantine, read while a leak is reported or on record; it informs people only."""
        is_reported = run.demand is not None and run.demand.reason is Reason.COMPROMISED
        if not (is_reported or record.quarantine or any(history.compromised for history in record.keys.values())):
            return record
        with suppress(StewardError):
            record = replace(record, quarantine=self._users.quarantine(run.name))
            run.is_quarantined = bool(record.quarantine)
        return record

    def look_for_quarantine(self, run: Run) -> None:
        """Read AWS's quarantine, which may be why ECR denies the user its login; it is also there before a report."""
        with suppress(StewardError):
            run.remember(replace(run.seen.record, quarantine=self._users.quarantine(run.name)))

    def _apply_tags(self, run: Run) -> None:
        """Apply the user's own tags to its settings; invalid tags are left to the rules."""
        tags = run.seen.user.tags if run.seen.user else {}
        try:
            run.settings = settings_of(self._settings, run.name, tags)
        except RuleViolationError as error:
            run.seen = replace(run.seen, unfit_tags=str(error))

    def read_usage(self, run: Run, key_id: str) -> None:
        """Read when a key was last used."""
        run.seen = replace(run.seen, usage={**run.seen.usage, key_id: self._users.last_use(key_id)})

    def read_standing(self, run: Run) -> None:
        """Read whether the user is a person, or could gain privileges."""
        run.seen = replace(run.seen, standing=self._users.standing(run.user))

    def read_targets(self, run: Run) -> None:
        """Read what the targets of secret sync confirmed."""
        run.seen = replace(run.seen, synced=self._sync.find(run.name))

    def read_creator(self, run: Run, key_id: str) -> None:
        """Read whether one of our roles created a key."""
        ours = self._trail.made_by_us(key_id, run.key(key_id).created)
        run.seen = replace(run.seen, creators={**run.seen.creators, key_id: ours})

    def _who(self, run: Run) -> tuple[User | None, tuple[AccessKey, ...]]:
        """The user and its keys. A key that was current once proves that the recorded user is still the same.

        Invariant 9 holds without looking at the user: IAM deletes a user only when its keys are gone, and no key id
        comes twice. Whether it is still enrolled, IAM itself judges when a key is made or taken away.
        Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
        """
        name, record = run.name, run.seen.record
        if run.trusts_memory and (remembered := record.user(name)):
            keys = self._users.keys(name)
            if any(record.history(key.id).promoted_at for key in keys):
                return remembered, keys
        user = self._users.find(name)
        return user, self._users.keys(name) if user else ()

    def _name_versions(self, run: Run, secret: Secret, record: Record) -> tuple[dict[Label, Named], Record]:
        """What every labelled version names, and the record with it."""
        named: dict[Label, Named] = {}
        for label, version in secret.labels.items():
            if version == run.new_version and _is_untouched(version, run.lease.claim.record):
                named[label] = Content.NOTHING
            else:
                named[label], record = self._name(run.name, version, record)
        return named, record

    def _name(self, user: UserName, version: str, record: Record) -> tuple[Named, Record]:
        """The key that a version names; read once, because a version's value never changes."""
        known = record.versions.get(version)
        if known is not None:
            return (Content.PLACEHOLDER if known == Content.PLACEHOLDER.value else known), record
        content = self._vault.read(user, version)
        if content is Content.NOTHING or content is Content.UNREADABLE:
            return content, record
        named = content if isinstance(content, Content) else content.access_key_id
        return named, record.having_read(version, named.value if isinstance(named, Content) else named)


def _with_stopped(record: Record, stopped: Collection[str], keys: Collection[AccessKey], now: datetime) -> Record:
    """The record with the leaked keys that a run of ours deactivated without the lock, which it could not record."""
    for key in keys:
        history = record.history(key.id)
        if key.id in stopped and not key.active and history.deactivated_at is None:
            dead = replace(history, deactivated_at=now, retired_for=LEAKED, announced=False, compromised=True)
            record = record.noting(key.id, dead)
    return record


def _is_untouched(version: str, record: Record) -> bool:
    """Whether no run of ours has filled the version: none is recorded, and none is unfinished."""
    return record.user_id is not None and record.intent is None and version not in record.versions
