"""The baseline: the account as it was approved, and the rules of how it may change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from policy_drift.domain.account import Account, Entity, EntityId, EntityKind, ManagedPolicy, User, policy_id
from policy_drift.domain.comparison.pairing import counterpart
from policy_drift.domain.finding import Kind
from steward.errors import ConflictError, RuleViolationError

LARGEST = 64 * 1024 * 1024
"""Bytes of a baseline that we read; 10,000 principals take a third of it."""


class UnusableBaselineError(RuleViolationError):
    """What was uploaded is no baseline of this account; ``line`` is 0 where no line is to blame."""

    def __init__(self, reason: str, *, line: int = 0) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)
        self.reason = reason
        self.line = line


class NothingApprovedError(ConflictError):
    """There is no baseline, and none may be made up."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is approved. ``reviewed`` is False for one that the first scan made from what it found."""

    account: Account
    reviewed: bool = True


class BaselineFormat(Protocol):
    """How a baseline is written down."""

    def write(self, baseline: Baseline) -> bytes:
        """As a text that reads well in a diff."""
        ...

    def read(self, text: bytes, *, account: str) -> Baseline:
        """Raises UnusableBaselineError, with line and reason."""
        ...

    def refuse_bad_policies(self, text: bytes, baseline: Baseline, known: Account | None) -> None:
        """Raises UnusableBaselineError for a policy that cannot be read, unless ``known`` has the same."""
        ...


class How(StrEnum):
    """How a version came into force."""

    CAPTURED = "captured"
    UPLOADED = "uploaded"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Intent:
    """A version that we are about to write: whoever sees it first knows who wanted it, and why.

    ``digest`` is the SHA-256 of its text; ``findings`` are those that it adopts.
    """

    digest: str
    how: How
    by: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InForce:
    """The version of the baseline that counts, remembered apart from the bucket.

    Attributes
    ----------
    version : str
        The id of the object's version; it is read by this id, whatever the latest one is.
    reviewed : bool
        As the version says.
    by, how, since
        Who put it there, how, and when it was found.
    refused : str
        The id of the latest version that could not be used, so that it is told once; empty where there was none.
    intent : Intent, optional
        What one of our own functions is about to write.
    """

    version: str
    reviewed: bool
    by: str
    how: How
    since: datetime
    refused: str = ""
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class Adoption:
    """What of the live account is to be approved: the kinds of difference, by entity."""

    kinds: Mapping[EntityId, frozenset[Kind]] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[EntityId, Kind]]) -> "Adoption":
        """Group pairs by entity."""
        kinds: dict[EntityId, frozenset[Kind]] = {}
        for entity, kind in pairs:
            kinds[entity] = kinds.get(entity, frozenset()) | {kind}
        return cls(kinds)


_HOLDINGS = frozenset({Kind.ACCESS, Kind.NOTE, Kind.MEMBERSHIP, Kind.UPSTREAM})
_TRUSTS = frozenset({Kind.TRUST, Kind.DANGLING})
_WHOLE = frozenset({Kind.UNMANAGED, Kind.MISSING})


def adopted(approved: Account, live: Account, adoption: Adoption) -> Account:
    """The approved account with the adopted parts of the live one in place of its own, and nothing else.

    Documents of managed policies come along for those that an adopted part names.
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
        elif kinds & _WHOLE or before is None:
            ours[entity.name] = now
            _bring(policies, live, (*now.attached, getattr(now, "boundary", None)))
        else:
            del ours[before.name]
            merged = _merged(before, now, kinds)
            ours[merged.name] = merged
            _bring(policies, live, _named(now, kinds))
    groups = parts[EntityKind.GROUP]
    return replace(
        approved,
        users=_in_groups(parts[EntityKind.USER], _names(groups, approved) | _names(groups, live)),
        groups=groups,
        roles=parts[EntityKind.ROLE],
        policies=policies,
    )


def _merged(ours: Entity, now: Entity, kinds: frozenset[Kind]) -> Entity:
    taken: dict[str, object] = {}
    if kinds & _HOLDINGS:
        taken |= {"inline": now.inline, "attached": now.attached}
        if isinstance(now, User):
            taken["groups"] = now.groups
    if kinds & _TRUSTS:
        taken["trust"] = getattr(now, "trust", {})
    if Kind.BOUNDARY in kinds:
        taken["boundary"] = getattr(now, "boundary", None)
    if Kind.RECREATED in kinds:
        taken["unique_id"] = now.unique_id
    if Kind.NOTE in kinds:
        taken |= {"name": now.name, "path": now.path}
    return replace(ours, **taken)  # type: ignore[arg-type]


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


def _named(now: Entity, kinds: frozenset[Kind]) -> tuple[str | None, ...]:
    boundary = (getattr(now, "boundary", None),) if Kind.BOUNDARY in kinds else ()
    return (*(now.attached if kinds & _HOLDINGS else ()), *boundary)


def _bring(policies: dict[str, ManagedPolicy], live: Account, arns: Iterable[str | None]) -> None:
    policies.update({arn: live.policies[arn] for arn in arns if arn and arn in live.policies})


def _adopt_policy(policies: dict[str, ManagedPolicy], live: Account, entity: EntityId) -> None:
    for arn in [arn for arn in policies if policy_id(arn) == entity]:
        del policies[arn]
    policies.update({arn: policy for arn, policy in live.policies.items() if policy_id(arn) == entity})
