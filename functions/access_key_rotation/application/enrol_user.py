"""Enrols a user that exists already, and lets one leave: a preview first, then one call."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from access_key_rotation.application.ports import Claim, Enrolments, RotationRecords, SecretOwnership, Users
from access_key_rotation.domain.enrolment import Facts, FirstSecret, Plan, departure_of, enrolment_of
from access_key_rotation.domain.events import AccessKeyRotationDue, ServiceUserEnrolled, ServiceUserLeft
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.steps import RELEASED
from access_key_rotation.domain.settings import RotationSettings, settings_of
from access_key_rotation.domain.state import AccessKey, Entry, KeyHistory, LastUse, Record, Standing
from steward.clock import Clock
from steward.errors import ConflictError, NotFoundError, RuleViolationError, StewardError
from steward.events import EventPublisher

LEASE = timedelta(minutes=1)
_NOT_JUDGED = Standing(has_password=False, has_mfa=False)
"""Whether a user that leaves is a person decides nothing."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and the id of the request."""

    arn: str
    session: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with the keys that it is about, and the last use of each that could be read."""

    plan: Plan
    keys: tuple[AccessKey, ...]
    usage: Mapping[str, LastUse]
    dry_run: bool


class UserEnrolment:
    """Writes the tag and the record; only the worker creates keys and secrets, after it has judged the user itself."""

    def __init__(
        self,
        users: Users,
        enrolments: Enrolments,
        secrets: SecretOwnership,
        records: RotationRecords,
        publisher: EventPublisher,
        clock: Clock,
        settings: RotationSettings,
        service_path: str,
        stack: str,
    ) -> None:
        self._users = users
        self._enrolments = enrolments
        self._secrets = secrets
        self._records = records
        self._publisher = publisher
        self._clock = clock
        self._settings = settings
        self._service_path = service_path
        self._stack = stack

    def enrol(self, name: UserName, first: FirstSecret, caller: Caller, *, dry_run: bool) -> Planned:
        """Enrol the user, or say what that would mean. The record comes first, so that no run misjudges its keys.

        Raises
        ------
        NotFoundError
            There is no such user.
        ConflictError
            It is refused; the text has every reason.
        BusyError
            A run works on the user now.
        """
        facts = self._facts(name)
        plan = enrolment_of(facts, first)
        if dry_run:
            return Planned(plan, facts.keys, facts.usage, dry_run)
        _require(plan)
        claim = self._records.claim(name, f"enrolment-{caller.request_id}", LEASE)
        record = claim.record
        try:
            plan = self._unchanged(plan, first, facts, claim)
            record = self._entered(facts, plan, claim)
            self._records.save(claim, record)
            self._enrolments.enrol(name)
            enrolled = ServiceUserEnrolled(
                name, facts.user.user_id, first.value, [key.id for key in facts.keys], caller.arn, caller.session
            )
            self._publisher.publish([enrolled], correlation_id=caller.request_id)
        finally:
            if record == Record():
                self._records.forget(claim)
            else:
                self._records.release(claim, record)
        # Once the user is free: a run that finds it locked comes again after minutes.
        due = AccessKeyRotationDue(name, "scheduled", requested_by=caller.arn, session=caller.session)
        self._publisher.publish([due], correlation_id=caller.request_id)
        return Planned(plan, facts.keys, facts.usage, dry_run)

    def leave(self, name: UserName, caller: Caller, *, dry_run: bool) -> Planned:
        """Let the user leave, or say what that would mean. Raises what ``enrol`` raises.

        The tag goes first, and the secret last: a call that died is finished by the same call.
        """
        facts = self._facts(name, judged=False)
        plan = departure_of(facts)
        if dry_run:
            return Planned(plan, facts.keys, facts.usage, dry_run)
        _require(plan)
        claim = self._records.claim(name, f"departure-{caller.request_id}", LEASE)
        try:
            facts = self._facts(name, judged=False, record=claim.record)
            plan = departure_of(facts)
            _require(plan)
            self._enrolments.withdraw(name)
            left = ServiceUserLeft(name, facts.user.user_id, [key.id for key in facts.keys], caller.arn, caller.session)
            self._publisher.publish([left], correlation_id=caller.request_id)
            if facts.secret:
                self._secrets.give_up(name)
        except BaseException:
            self._records.release(claim, claim.record)
            raise
        leaked = {
            key.id: KeyHistory(compromised=True, deactivated_at=history.deactivated_at, announced=history.announced)
            for key in facts.keys
            if (history := claim.record.history(key.id)).compromised
        }
        if leaked:  # a leak stays on record as long as its key exists
            kept = Record(keys=leaked, state=RELEASED, next_at=self._clock.now()).having_seen(facts.user)
            self._records.release(claim, kept)
        else:
            self._records.forget(claim)
        return Planned(plan, facts.keys, facts.usage, dry_run)

    def _facts(self, name: UserName, *, judged: bool = True, record: Record | None = None) -> Facts:
        user = self._users.find(name)
        if user is None:
            raise NotFoundError(f"there is no user {name}")
        keys = self._users.keys(name)
        settings, unfit = None, ""
        try:
            settings = settings_of(self._settings, name, user.tags)
        except RuleViolationError as error:
            unfit = str(error)
        return Facts(
            user=user,
            keys=keys,
            usage=self._usage(keys),
            standing=self._users.standing(user) if judged else _NOT_JUDGED,
            secret=self._secrets.find(name),
            record=record or self._records.find(name) or Record(),
            settings=settings,
            unfit_tags=unfit,
            path=self._service_path,
            stack=self._stack,
            now=self._clock.now(),
        )

    def _usage(self, keys: tuple[AccessKey, ...]) -> Mapping[str, LastUse]:
        """The last uses, as far as IAM says them: they inform people, and decide nothing here."""
        usage = {}
        for key in keys:
            with suppress(StewardError):
                usage[key.id] = self._users.last_use(key.id)
        return usage

    def _unchanged(self, plan: Plan, first: FirstSecret, facts: Facts, claim: Claim) -> Plan:
        """The plan under the lock. Raises ConflictError if a run or another call has changed what it stands on."""
        keys = self._users.keys(plan.user)
        again = enrolment_of(replace(facts, record=claim.record, keys=keys), first)
        _require(again)
        if {key.id for key in keys} != {key.id for key in facts.keys}:
            raise ConflictError(f"the keys of {plan.user} changed meanwhile: look at the preview again")
        return again

    def _entered(self, facts: Facts, plan: Plan, claim: Claim) -> Record:
        """The record of the enrolled user: keys that drain are superseded from now on."""
        now = self._clock.now()
        record = claim.record.having_seen(facts.user)
        for key_id in plan.drains:
            record = record.noting(key_id, replace(record.history(key_id), superseded_at=now))
        created = {key.id: key.created for key in facts.keys}
        return replace(record, entry=Entry(now, plan.awaits), created=created, next_at=now)


def _require(plan: Plan) -> None:
    if plan.refused_because:
        raise ConflictError("; ".join(plan.refused_because))
