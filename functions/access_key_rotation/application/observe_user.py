"""Reads a user's state: the user, its keys, and the keys in the secret's versions. It changes nothing."""

from contextlib import suppress
from dataclasses import replace

from access_key_rotation.application.ports import CredentialVault, Trail, Users
from access_key_rotation.application.run import Run
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Enrolment, Reason, fingerprint_of
from access_key_rotation.domain.settings import RotationSettings, settings_of
from access_key_rotation.domain.state import AccessKey, Content, Label, Named, Record, Secret, User, UserState
from steward.errors import AccessDeniedError, RuleViolationError, StewardError


class UserObserver:
    """Reads a user with as few calls as possible: what cannot have changed is not read again."""

    def __init__(
        self, users: Users, vault: CredentialVault, trail: Trail, settings: RotationSettings, enrolment: Enrolment
    ) -> None:
        self._users = users
        self._vault = vault
        self._trail = trail
        self._settings = settings
        self._enrolment = enrolment

    def look(self, run: Run) -> None:
        """Read the user, its keys, its secret and its settings."""
        record = run.seen.record
        user, keys = self._who(run)
        secret = self._vault.find(run.name)
        if user:
            record = record.having_seen(user)
        if run.demand and run.demand.reason is Reason.ROUTINE:
            record = replace(record, wanted=run.demand.key_id)
        run.seen = UserState(self._with_quarantine(run, record), user, keys, secret)
        self._apply_tags(run)
        if user and secret and not secret.deleted and secret.owner == self._enrolment.stack:
            self.look_at_secret(run)

    def look_at_secret(self, run: Run) -> None:
        """Read which keys the versions of the secret name, if its resource policy permits.

        If it does not, and is not the one that the settings define, the rules replace it.
        """
        record, wanted = run.seen.record, self._enrolment.readers(run.settings, run.user)
        try:
            named, record = self._name_versions(run, run.secret, record)
        except AccessDeniedError:
            if record.readers == fingerprint_of(wanted):
                raise
            run.seen = replace(run.seen, is_locked_out=True)
        else:
            run.seen = replace(run.seen, named=named, record=record, is_locked_out=False)

    def _with_quarantine(self, run: Run, record: Record) -> Record:
        """The record with AWS's quarantine, read while a leak is reported or on record; it informs people only."""
        is_reported = run.demand is not None and run.demand.reason is Reason.COMPROMISED
        if not (is_reported or record.quarantine or any(history.compromised for history in record.keys.values())):
            return record
        with suppress(StewardError):
            return replace(record, quarantine=self._users.quarantine(run.name))
        return record

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


def _is_untouched(version: str, record: Record) -> bool:
    """Whether no run of ours has filled the version: none is recorded, and none is unfinished."""
    return record.user_id is not None and record.intent is None and version not in record.versions
