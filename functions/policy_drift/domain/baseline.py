"""The baseline: the account as it was approved, and the rules of how it may change."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from policy_drift.domain.account import Account, Entity, EntityId, EntityKind, ManagedPolicy, User, policy_id
from policy_drift.domain.arns import is_of_aws
from policy_drift.domain.beside_policies import KINDS as BESIDE_POLICIES
from policy_drift.domain.beside_policies import kind_of
from policy_drift.domain.comparison.counterparts import counterpart
from policy_drift.domain.finding import Drift, Kind
from steward.errors import ConflictError, Place, RuleViolationError

AT_ONCE = 64 * 1024 * 1024
"""Bytes of a baseline that is read, changed and written in the time of a request: 10,100 principals with documents of
real size have 48 MB. A scan puts a larger one in force, and only another upload changes it."""
WRITTEN_WITHIN = timedelta(minutes=15)
"""How far the clocks and a slow write may part a decision from the version that it is about."""
LONGEST_REASON = 500
"""Characters of the reason of a refusal."""
LONGEST_NAME = 128
"""Characters of a group's name; those of users and roles are shorter.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length"""
LONGEST_ARN = 2_048
"""Characters of an ARN. https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html"""


def largest(memory: int) -> int:
    """Bytes of a baseline that a function with so many MB of memory reads.

    A scan of the largest account of IAM's quotas takes eleven times the size of its baseline, an adoption twenty times.
    """
    return memory * 1024 * 1024 // 32


class UnusableBaselineError(RuleViolationError):
    """What was uploaded is no baseline of this account; ``line`` is 0 where no line is to blame.

    The reason quotes what was uploaded, and is cut, so that an event and a record can hold it.
    """

    def __init__(self, reason: str, *, line: int = 0) -> None:
        reason = reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}…"
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line


class NothingApprovedError(ConflictError):
    """There is no baseline yet, and none can be captured."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A person keeps what the first scan approved, in the form that ``fingerprint`` pins.

    For good, or until the time ``until``, for which ``owner`` answers. Times are texts of ISO 8601.
    """

    fingerprint: str
    by: str
    at: str
    reason: str = ""
    owner: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is approved.

    ``reviewed`` is False for one that the first scan made from what it found; ``accepted`` is then what people have
    decided to keep of it, by the id of the finding that it would be if it were new.
    """

    account: Account
    reviewed: bool = True
    accepted: Mapping[str, Acceptance] = field(default_factory=dict)

    def has_accepted(self, finding_id: str, fingerprint: str, now: datetime) -> bool:
        """Whether a person keeps it in this form, now."""
        kept = self.accepted.get(finding_id)
        if kept is None or kept.fingerprint != fingerprint:
            return False
        return not kept.until or datetime.fromisoformat(kept.until) > now


@dataclass(frozen=True, slots=True)
class Flaw:
    """What an account says that no account can: the place in the baseline's document, and what would be right."""

    place: Place
    reason: str


_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(aws|\d{12}):policy/([^/]*/)*[^/]+")
_REQUIRED_ARN = "the ARN of a managed policy, such as arn:aws:iam::aws:policy/ReadOnlyAccess"


def flaws(account: Account) -> Iterator[Flaw]:
    """Names and ARNs that IAM does not have, and references to what the account itself does not hold.

    What the account does not hold cannot be compared with: such a reference would hide every change of whoever has it.
    IAM never gives one: an account that was read whole has no flaws.
    """
    for arn in account.policies:
        if len(arn) > LONGEST_ARN or not _POLICY_ARN.fullmatch(arn):
            yield Flaw(("policies", arn), f"{arn!r} is not {_REQUIRED_ARN}")
    sections: tuple[tuple[str, Mapping[str, Entity]], ...] = (
        ("users", account.users),
        ("groups", account.groups),
        ("roles", account.roles),
    )
    for section, principals in sections:
        for name, principal in principals.items():
            if not 0 < len(name) <= LONGEST_NAME:
                yield Flaw((section, name), f"a name has from 1 to {LONGEST_NAME} characters, not {len(name)}")
            for place, arn in _policies_of(principal):
                if arn not in account.policies:
                    yield Flaw((section, name, *place), _why_missing(arn))
            for index, group in enumerate(principal.groups if isinstance(principal, User) else ()):
                if group not in account.groups:
                    reason = f"the group {group!r} is not in the file: add it under groups, or leave it out here"
                    yield Flaw((section, name, "groups", index), reason)
    yield from _flaws_beside(account)


def _flaws_beside(account: Account) -> Iterator[Flaw]:
    for entity, items in account.beside.items():
        holders: Mapping[EntityKind, Collection[str]] = {
            EntityKind.USER: account.users,
            EntityKind.ROLE: account.roles,
            EntityKind.ACCOUNT: [account.id],
        }
        if entity.name not in holders.get(entity.kind, ()):
            yield Flaw(("beside", entity), f"{entity} is no user and no role of the file, and not its account")
        for index, item in enumerate(items):
            if len(item) > LONGEST_ARN or kind_of(item) is None:
                yield Flaw(("beside", entity, index), f"{item!r} is no item of a finding, such as 'access key AKIA…'")


def _policies_of(principal: Entity) -> Iterator[tuple[Place, str]]:
    for index, arn in enumerate(principal.attached):
        yield ("attached", index), arn
    boundary = getattr(principal, "boundary", None)
    if boundary is not None:
        yield ("boundary",), boundary


def _why_missing(arn: str) -> str:
    if not _POLICY_ARN.fullmatch(arn):
        return f"{arn!r} is not {_REQUIRED_ARN}"
    return f"the policy {arn} is not in the file: add it under policies with its document (AWS's own, too)"


class Origin(StrEnum):
    """How a version came into force."""

    CAPTURED = "captured"
    UPLOADED = "uploaded"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Intent:
    """A version that we are about to write, with who wanted it and why, for the run that sees it first.

    ``digest`` is the SHA-256 of its text; ``findings`` are those that it adopts; ``at`` is when it was decided, None in
    records of an earlier release.
    """

    digest: str
    how: Origin
    by: str
    findings: tuple[str, ...] = ()
    session: str = ""
    reason: str = ""
    reference: str = ""
    at: datetime | None = None

    def is_behind(self, digest: str, written: datetime) -> bool:
        """Whether it explains a text that was written at that time: the same text later is a decision of another."""
        return self.digest == digest and (self.at is None or abs(written - self.at) <= WRITTEN_WITHIN)


@dataclass(frozen=True, slots=True)
class InForce:
    """The version of the baseline that counts, remembered apart from the bucket.

    Attributes
    ----------
    version : str
        The id of the object's version; it is read by this id, even if it is not the latest.
    reviewed : bool
        As the version says.
    by, how, since
        Who put it there, how, and when it was found.
    session, reason, reference
        The session of the caller, for people the user of IAM Identity Center, and why; empty if not given.
    refused : str
        The id of the latest version that could not be used, so that it is published once; empty if there was none.
    intent : Intent, optional
        What one of our own functions is about to write.
    approves : tuple of str
        The ids of findings that this version ends: those adopted with it, or some of those that an upload approves.
    captured : datetime, optional
        When the first scan captured the account; None if the first baseline was uploaded.
    size : int
        Bytes of its text as the steward lays it out; 0 where it was put in force before that was recorded.
    """

    version: str
    reviewed: bool
    by: str
    how: Origin
    since: datetime
    refused: str = ""
    intent: Intent | None = None
    session: str = ""
    reason: str = ""
    reference: str = ""
    approves: tuple[str, ...] = ()
    captured: datetime | None = None
    size: int = 0

    @property
    def is_large(self) -> bool:
        """Whether a request has no time to read it."""
        return self.size > AT_ONCE

    def approved_until(self, finding_id: str) -> datetime | None:
        """The moment before which every change of a finding's entity is approved; None where that is not known."""
        is_adopted = self.how is Origin.ADOPTED and finding_id in self.approves
        return self.since if is_adopted else self.captured

    def ended(self, finding_id: str, last_seen: datetime) -> bool:
        """Whether a finding, last seen at that time, is over because this version approves what was found."""
        return finding_id in self.approves and last_seen <= self.since


@dataclass(frozen=True, slots=True)
class Adoption:
    """What of the live account is to be approved: the kinds of difference, and the items beside policies, by entity.

    ``shared`` are the ARNs of policies that several have: their changes are adopted by findings of their own.
    """

    kinds: Mapping[EntityId, frozenset[Kind]] = field(default_factory=dict)
    beside: Mapping[EntityId, frozenset[str]] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()

    @classmethod
    def of(cls, drifts: Iterable[Drift], shared: frozenset[str] = frozenset()) -> "Adoption":
        """What these differences are about."""
        kinds: dict[EntityId, frozenset[Kind]] = {}
        beside: dict[EntityId, frozenset[str]] = {}
        for drift in drifts:
            if drift.kind in BESIDE_POLICIES:
                beside[drift.entity] = beside.get(drift.entity, frozenset()).union(drift.live or ())
            else:
                kinds[drift.entity] = kinds.get(drift.entity, frozenset()) | {drift.kind}
        return cls(kinds, beside, shared)


NOT_ADOPTABLE = frozenset({Kind.BASELINE, Kind.TRANSIENT, Kind.UNREADABLE})
"""Kinds that the baseline has no place for: what is over or not known."""
_HOLDINGS = ("inline", "attached", "groups")
PARTS: Mapping[Kind, tuple[str, ...]] = {
    Kind.ACCESS: _HOLDINGS,
    Kind.NOTE: (*_HOLDINGS, "name", "path", "trust", "boundary"),
    Kind.UPSTREAM: _HOLDINGS,
    Kind.MEMBERSHIP: _HOLDINGS,
    Kind.TRUST: ("trust",),
    Kind.DANGLING: ("trust",),
    Kind.BOUNDARY: ("boundary",),
    Kind.RECREATED: ("unique_id",),
}
"""What of a principal a kind is about; all of it for the kinds that are not here."""


def adopted(approved: Account, live: Account, adoption: Adoption) -> Account:
    """The approved account with the adopted parts of the live one in place of its own, and nothing else.

    Managed policies that an adopted part names are adopted with it, but for those that the principal has already and
    that are reported by themselves; users leave a group that goes.
    """
    parts = {kind: dict(getattr(approved, f"{kind}s")) for kind in (EntityKind.USER, EntityKind.GROUP, EntityKind.ROLE)}
    policies = dict(approved.policies)
    for entity, kinds in adoption.kinds.items():
        if entity.kind is EntityKind.POLICY:
            _adopt_policy(policies, live, entity)
            continue
        ours, theirs = parts[entity.kind], getattr(live, f"{entity.kind}s")
        now = theirs.get(entity.name)
        before = ours.get(entity.name) if now is None else counterpart(ours, now)
        if now is None:
            ours.pop(entity.name, None)
        elif kinds - PARTS.keys() or before is None:
            ours[entity.name] = now
            _bring(policies, live, now, ("attached", "boundary"), frozenset())
        else:
            touched = {part for kind in kinds for part in PARTS[kind] if hasattr(now, part)}
            del ours[before.name]
            merged = replace(before, **{part: getattr(now, part) for part in touched})
            ours[merged.name] = merged
            had = {arn for _, arn in _policies_of(before) if is_of_aws(arn) or arn in adoption.shared}
            _bring(policies, live, now, touched, had)
    groups = parts[EntityKind.GROUP]
    users = _in_groups(parts[EntityKind.USER], _names(groups, approved) | _names(groups, live))
    gone = approved.groups.keys() - groups.keys()
    for user in [user for user in users.values() if not gone.isdisjoint(user.groups)]:
        users[user.name] = replace(user, groups=tuple(group for group in user.groups if group not in gone))
    return replace(
        approved,
        users=users,
        groups=groups,
        roles=parts[EntityKind.ROLE],
        policies=policies,
        beside={
            entity: tuple(sorted({*approved.beside.get(entity, ()), *adoption.beside.get(entity, ())}))
            for entity in approved.beside.keys() | adoption.beside.keys()
        },
    )


def _names(groups: Mapping[str, Entity], account: Account) -> dict[str, str]:
    """What an account calls a group, and what the group is called among these, where that differs."""
    pairs = ((counterpart(account.groups, group), group.name) for group in groups.values())
    return {one.name: name for one, name in pairs if one is not None and one.name != name}


def _in_groups(users: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, User]:
    """The users, in groups by these names."""
    if not names:
        return {**users}
    affected = {name: user for name, user in users.items() if not names.keys().isdisjoint(user.groups)}
    return {**users} | {
        name: replace(user, groups=tuple(sorted(names.get(group, group) for group in user.groups)))
        for name, user in affected.items()
    }


def _bring(
    policies: dict[str, ManagedPolicy], live: Account, now: Entity, parts: Collection[str], apart: Collection[str]
) -> None:
    """The documents of what these parts of a principal name, but for those that are adopted by themselves."""
    policies.update(
        (arn, live.policies[arn])
        for place, arn in _policies_of(now)
        if place[0] in parts and arn in live.policies and not (arn in apart and arn in policies)
    )


def _adopt_policy(policies: dict[str, ManagedPolicy], live: Account, entity: EntityId) -> None:
    for arn in [arn for arn in policies if policy_id(arn) == entity]:
        del policies[arn]
    policies.update({arn: policy for arn, policy in live.policies.items() if policy_id(arn) == entity})
