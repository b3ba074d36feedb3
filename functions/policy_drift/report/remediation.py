"""How a drift is reverted: AWS CLI commands where they are safe to run, a plan where a person has to check first.

Nothing here is ever run by us. Commands touch only what the drift is about; where they would touch AWS's own entities
or the access of others, a reason in words replaces them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from policy_drift.domain.access.trust import gone, strangers
from policy_drift.domain.account import Account, Entity, EntityId, EntityKind, ManagedPolicy, Role, User, policy_id
from policy_drift.domain.arns import is_of_aws
from policy_drift.domain.comparison.counterparts import counterpart
from policy_drift.domain.comparison.notes import NotedPart, noted_parts
from policy_drift.domain.dependents import entity_id
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.scope import is_protected
from policy_drift.report import credential_commands, iam_commands
from policy_drift.report.wording import listed

_OF_AWS = "AWS owns and manages it: it cannot be changed here."
_IN_USE = "What uses it stops working: ask its owner first, unless an intruder made it."
_OVER = "The account already matches the baseline: there is nothing to revert."
_ANOTHER_ID = (
    "It is recreated with a new unique id, which is reported until it is approved; trust policies that named the old "
    "one have to be written again."
)
_NOT_IN_THE_BASELINE = "Tags, descriptions, session lengths, passwords and keys are not in the baseline."
_NEVER_BACK = (
    "A deleted entity cannot be restored: whatever has its name now is a different one. Find out who created it, then "
    "approve or delete it. The plan takes from it what was not approved, and gives it nothing."
)
_LOOK_BEFORE_DELETING = (
    "Deleting cannot be undone, and something may depend on it: check first who uses it. The plan lists the steps."
)
_VERSION_IS_GONE = (
    "The approved version was deleted: it is created again from the baseline. If the policy has five versions, as many "
    "as IAM keeps, delete one first."
)
_NO_RENAME = "IAM renames and moves no roles: approve it, or create the role again under its approved name and path."
_NOT_THERE = "It is in neither the account nor the baseline."
_APPROVED_IS_DANGLING = "The baseline approves this very trust policy: remove the deleted principal from both."
_NOTHING_TO_RUN = {
    Kind.UPSTREAM: "AWS updated its own policy, and only AWS can change it back. Approve it, or replace it with a "
    "policy of your own that has the approved document.",
    Kind.TRANSIENT: "It has already been reverted. Find out what was done in the meantime: search CloudTrail for the "
    "actor and for everyone who had the access.",
    Kind.BASELINE: "This is about the baseline, not about IAM: the last good version stays in force until a valid "
    "one is uploaded.",
    Kind.UNREADABLE: "It could not be read, so nothing is known to revert.",
}
_NOT_READ = {
    EntityKind.USER: "Before delete-user, remove what is not read here: password, access keys, signing certificates, "
    "SSH and service-specific credentials, MFA devices.",
    EntityKind.ROLE: "Before delete-role, take it out of its instance profiles: they are not read here.",
    EntityKind.GROUP: "Members that joined after the scan have to be removed, too, before delete-group.",
}


@dataclass(frozen=True, slots=True)
class Remediation:
    """How a drift is reverted.

    Attributes
    ----------
    commands : tuple of str
        For a POSIX shell with credentials of the account, in this order; empty where none is safe to run as it is.
    refused : str
        Why there are no commands for all of it, in sentences; empty where they revert everything.
    plan : tuple of str
        What remains for a person to decide, in order: commands, which begin with ``aws iam``, and sentences.
    notes : tuple of str
        What to know before the commands are run.
    """

    commands: tuple[str, ...] = ()
    refused: str = ""
    plan: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Lookups(Protocol):
    """What is asked of IAM where only some entities were read."""

    def holders(self, policy_arn: str) -> Collection[EntityId]:
        """Who has a managed policy, attached or as a boundary."""
        ...

    def has_version(self, policy_arn: str, version: str) -> bool:
        """Whether a managed policy still has a version."""
        ...


class Remedies:
    """Those of the drifts between an approved and a live account.

    Parameters
    ----------
    approved, live : Account
        The baseline and the account.
    lookups : Lookups, optional
        To be given when ``live`` holds some entities only: then it is asked, and what is not in ``live`` is not taken
        for absent.
    """

    def __init__(self, approved: Account, live: Account, *, lookups: Lookups | None = None) -> None:
        self._approved = approved
        self._live = live
        self._is_whole = lookups is None
        self._lookups = lookups or _Whole(live)
        self._approved_holders = _Whole(approved)

    def of(self, drift: Drift) -> Remediation:
        """How this drift is reverted."""
        if drift.kind in _NOTHING_TO_RUN:
            return Remediation(refused=_NOTHING_TO_RUN[drift.kind])
        now = _find(self._live, drift)
        approved = self._approved_as(now) if isinstance(now, Entity) else _find(self._approved, drift)
        if drift.protected or _is_reserved(now) or _is_reserved(approved):
            return Remediation(refused=_OF_AWS)
        involved = [drift.entity, *_policies_of(now), *_policies_of(approved)]
        for entity in involved:
            if reason := self._live.unreadable.get(entity) or self._approved.unreadable.get(entity):
                return Remediation(refused=f"{entity} could not be read ({reason}): nothing can be concluded about it.")
        try:
            if isinstance(now or approved, ManagedPolicy):
                return self._of_policy(now, approved)
            return self._of_principal(drift, now, approved)
        except iam_commands.UnsafeTextError as error:
            return Remediation(refused=f"A name has characters that would be dangerous in a command: {error}.")

    def _approved_as(self, now: Entity) -> Entity | None:
        """The approved entity, even under another name, in groups by their current names."""
        approved = counterpart(_principals(self._approved)[entity_id(now).kind], now)
        if not isinstance(approved, User):
            return approved
        groups = (self._approved.groups.get(name) for name in approved.groups)
        live = {group.name: counterpart(self._live.groups, group) for group in groups if group}
        names = {name: group.name for name, group in live.items() if group}
        return replace(approved, groups=tuple(sorted(names.get(name, name) for name in approved.groups)))

    def _of_policy(self, now: "_Found", approved: "_Found") -> Remediation:
        match now, approved:
            case ManagedPolicy(), None:
                return self._policy_deleted(now)
            case None, ManagedPolicy():
                return Remediation((iam_commands.policy_creation(approved),), notes=(_ANOTHER_ID,))
            case ManagedPolicy(), ManagedPolicy():
                return self._version_restored(now, approved)
        return Remediation(refused=_NOT_THERE)

    def _of_principal(self, drift: Drift, now: "_Found", approved: "_Found") -> Remediation:
        if drift.kind in credential_commands.KINDS:
            commands, by_hand = credential_commands.commands(drift)
            notes = (_IN_USE, credential_commands.OF_TAGS) if drift.kind is Kind.TAG and commands else (_IN_USE,)
            return Remediation(tuple(commands), " ".join(by_hand), notes=notes)
        if isinstance(now, Entity) and isinstance(approved, Entity):
            if now.unique_id == approved.unique_id:
                return self._of_changed(drift, now, approved)
            less = self._of_changed(drift, now, _no_more_than(now, approved))
            refused = f"{_NEVER_BACK} {less.refused}" if less.plan else _NEVER_BACK
            return Remediation(refused=refused, plan=(*less.commands, *less.plan), notes=less.notes)
        if isinstance(now, Entity):
            steps = iam_commands.deletion(now, self._live)
            return Remediation(refused=_LOOK_BEFORE_DELETING, plan=(_NOT_READ[drift.entity.kind], *steps))
        return self._created(approved) if isinstance(approved, Entity) else Remediation(refused=_NOT_THERE)

    def _of_changed(self, drift: Drift, now: Entity, approved: Entity) -> Remediation:
        match now, approved, drift.kind:
            case _, _, Kind.RECREATED:
                parts = tuple(_all_parts(now, approved))
                return Remediation(parts, "" if parts else _OVER)
            case Role(), Role(), Kind.TRUST | Kind.DANGLING:
                return self._trust(now, approved)
            case User(), User(), Kind.MEMBERSHIP:
                steps = [*iam_commands.memberships(now, approved)]
                return self._reverted(drift.entity, steps, [], self._absent_groups(approved))
            case User() | Role(), User() | Role(), Kind.BOUNDARY:
                steps = [*iam_commands.boundary(now, approved)]
                return self._reverted(drift.entity, steps, self._changed({now.boundary} & {approved.boundary}))
        if drift.kind is Kind.NOTE:
            return self._noted(drift, now, approved)
        steps = [*iam_commands.policies(now, approved)]
        shared = drift.live.get("shared", ()) if isinstance(drift.live, Mapping) else ()
        changed = self._changed((set(now.attached) & set(approved.attached)) - {*shared})
        return self._reverted(drift.entity, steps, changed, self._absent_policies(now.attached, approved.attached))

    def _noted(self, drift: Drift, now: Entity, approved: Entity) -> Remediation:
        """The parts that the note is about: one that differs in access is reverted by its own finding."""
        noted = noted_parts(drift.live or ())
        steps: list[str] = []
        pairs: _Pairs = []
        if NotedPart.POLICIES in noted:
            steps += iam_commands.policies(now, approved)
            pairs += self._changed(set(now.attached) & set(approved.attached))
        if isinstance(now, User) and isinstance(approved, User) and NotedPart.GROUPS in noted:
            steps += iam_commands.memberships(now, approved)
        if isinstance(now, User | Role) and isinstance(approved, User | Role) and NotedPart.BOUNDARY in noted:
            steps += iam_commands.boundary(now, approved)
            pairs += self._changed({now.boundary} & {approved.boundary})
        if isinstance(now, Role) and isinstance(approved, Role) and NotedPart.TRUST in noted:
            steps.append(iam_commands.trust(approved))
        remedy = self._reverted(drift.entity, steps, pairs)
        if NotedPart.NAME not in noted:
            return remedy
        # Every step but the last names the entity as it is called now.
        last = tuple(iam_commands.names(now, approved))
        refused = "" if last and remedy.refused == _OVER else remedy.refused
        return replace(remedy, commands=(*remedy.commands, *last), refused=refused or ("" if last else _NO_RENAME))

    def _reverted(
        self, entity: EntityId, own: list[str], changed: "_Pairs", notes: tuple[str, ...] = ()
    ) -> Remediation:
        """Commands for the own parts and for managed policies of this principal alone; a plan for the others.

        A policy that several have gets the same plan in the finding of each: it is run once, for all of them.
        """
        commands, plan, reasons = own, list[str](), list[str]()
        for now, approved in changed:
            is_there = self._has_version(now, approved)
            step = iam_commands.version(now, approved, is_there=is_there)
            if not is_there:
                notes = (*notes, _VERSION_IS_GONE)
            holders = sorted(self._lookups.holders(now.arn))
            if {*holders} - {entity}:
                plan.append(step)
                reasons.append(
                    f"{policy_id(now.arn)} is attached to {listed(holders)}: reverting it once changes the access of "
                    "all of them, so check them first."
                )
            else:
                commands.append(step)
        refused = " ".join(reasons) if commands or plan else _OVER
        return Remediation(tuple(commands), refused, tuple(plan), notes)

    def _version_restored(self, now: ManagedPolicy, approved: ManagedPolicy) -> Remediation:
        """One command for all holders; a plan where one has the policy that the baseline does not give it."""
        is_there = self._has_version(now, approved)
        step = iam_commands.version(now, approved, is_there=is_there)
        notes = () if is_there else (_VERSION_IS_GONE,)
        others = sorted({*self._lookups.holders(now.arn)} - {*self._approved_holders.holders(now.arn)})
        if not others:
            return Remediation((step,), notes=notes)
        reason = f"{policy_id(now.arn)} is attached without approval to {listed(others)}: look there first."
        return Remediation(refused=reason, plan=(step,), notes=notes)

    def _has_version(self, now: ManagedPolicy, approved: ManagedPolicy) -> bool:
        """Whether the approved version can be the default again; another policy under its ARN never had it."""
        if now.unique_id != approved.unique_id or now.version == approved.version:
            return True
        return self._lookups.has_version(now.arn, approved.version)

    def _policy_deleted(self, policy: ManagedPolicy) -> Remediation:
        steps = []
        for holder in sorted(self._lookups.holders(policy.arn)):
            principal = _principals(self._live)[holder.kind].get(holder.name)
            if principal is None or policy.arn in principal.attached:
                steps.append(iam_commands.detachment(holder, policy.arn))
            if principal and _boundary(principal) == policy.arn:
                steps.append(
                    f"{holder} has it as its permissions boundary: without, it has more access. Set another one first."
                )
        steps.append("Delete every version but the default one: list-policy-versions, delete-policy-version.")
        steps.append(iam_commands.command("delete-policy", policy_arn=policy.arn))
        return Remediation(refused=_LOOK_BEFORE_DELETING, plan=tuple(steps))

    def _created(self, principal: Entity) -> Remediation:
        steps = (*iam_commands.creation(principal, self._approved.users.values()),)
        if isinstance(principal, Role) and (reason := self._why_not_trusted_again(principal)):
            return Remediation(refused=reason, plan=steps)
        groups = self._absent_groups(principal) if isinstance(principal, User) else ()
        policies = self._absent_policies((), principal.attached)
        return Remediation(steps, notes=(_ANOTHER_ID, _NOT_IN_THE_BASELINE, *groups, *policies))

    def _trust(self, now: Role, approved: Role) -> Remediation:
        if now.trust == approved.trust:
            return Remediation(refused=_APPROVED_IS_DANGLING)
        step = iam_commands.trust(approved)
        if reason := self._why_not_trusted_again(approved):
            return Remediation(refused=reason, plan=(step,))
        return Remediation((step,))

    def _changed(self, arns: Iterable[str | None]) -> "_Pairs":
        """The customer's managed policies among these with documents that differ."""
        pairs = ((self._live.policies.get(arn), self._approved.policies.get(arn)) for arn in sorted(filter(None, arns)))
        return [
            (now, approved)
            for now, approved in pairs
            if now and approved and not is_of_aws(now.arn) and now.document != approved.document
        ]

    def _why_not_trusted_again(self, approved: Role) -> str:
        """Why the approved trust policy cannot be set as it is; empty where it can, or not all of IAM was read."""
        if self._is_whole and (absent := gone(approved.trust, self._live)):
            return _trusts_nobody(absent)
        if others := strangers(approved.trust, self._approved, self._live):
            return _trusts_strangers(others)
        return ""

    def _absent_policies(self, now: Collection[str], approved: Collection[str]) -> tuple[str, ...]:
        absent = {policy_id(arn) for arn in {*approved} - {*now} - self._live.policies.keys()}
        return self._to_bring_back(policy for policy in absent if not policy.name.startswith("aws:"))

    def _absent_groups(self, user: User) -> tuple[str, ...]:
        return self._to_bring_back(f"group/{group}" for group in user.groups if group not in self._live.groups)

    def _to_bring_back(self, absent: Iterable[str]) -> tuple[str, ...]:
        return tuple(f"{entity} does not exist: recreate it first." for entity in sorted(absent) if self._is_whole)


type _Found = Entity | ManagedPolicy | None
type _Pairs = list[tuple[ManagedPolicy, ManagedPolicy]]


def _find(account: Account, drift: Drift) -> _Found:
    kind, name = drift.entity.kind, drift.entity.name
    if kind is EntityKind.POLICY:
        return account.policies.get(drift.arn)
    return _principals(account).get(kind, {}).get(name)


def _all_parts(now: Entity, approved: Entity) -> Iterator[str]:
    yield from iam_commands.policies(now, approved)
    if isinstance(now, User | Role) and isinstance(approved, User | Role):
        yield from iam_commands.boundary(now, approved)
    if isinstance(now, User) and isinstance(approved, User):
        yield from iam_commands.memberships(now, approved)
    if isinstance(now, Role) and isinstance(approved, Role) and now.trust != approved.trust:
        yield iam_commands.trust(approved)


class _Whole:
    """What a whole account says about its managed policies."""

    def __init__(self, account: Account) -> None:
        self._versions = account.versions
        self._holders: dict[str, list[EntityId]] = defaultdict(list)
        for kind, principals in _principals(account).items():
            for principal in principals.values():
                for arn in {*principal.attached, _boundary(principal)} - {None}:
                    self._holders[arn or ""].append(EntityId(f"{kind}/{principal.name}"))

    def holders(self, policy_arn: str) -> Collection[EntityId]:
        return self._holders.get(policy_arn, ())

    def has_version(self, policy_arn: str, version: str) -> bool:
        return version in self._versions.get(policy_arn, {version})


def _no_more_than(now: Entity, approved: Entity) -> Entity:
    """What an entity has and was approved for another one of its name: another document of a policy is not."""
    less = replace(
        approved,
        inline={name: one for name, one in now.inline.items() if approved.inline.get(name) == one},
        attached=tuple(arn for arn in now.attached if arn in approved.attached),
    )
    if isinstance(less, User) and isinstance(now, User):
        less = replace(less, groups=tuple(group for group in now.groups if group in less.groups))
    if isinstance(less, User | Role) and isinstance(now, User | Role):
        less = replace(less, boundary=less.boundary or now.boundary)
    return less


def _principals(account: Account) -> Mapping[EntityKind, Mapping[str, Entity]]:
    return {EntityKind.USER: account.users, EntityKind.GROUP: account.groups, EntityKind.ROLE: account.roles}


def _policies_of(found: _Found) -> list[EntityId]:
    return [policy_id(arn) for arn in (*found.attached, _boundary(found)) if arn] if isinstance(found, Entity) else []


def _boundary(principal: Entity) -> str | None:
    return principal.boundary if isinstance(principal, User | Role) else None


def _is_reserved(found: _Found) -> bool:
    """AWS made it: a role under a path that only AWS may use, or a managed policy of its own."""
    return is_of_aws(found.arn) if isinstance(found, ManagedPolicy) else found is not None and is_protected(found)


def _trusts_strangers(others: list[str]) -> str:
    return (
        f"The approved trust policy names {listed(others)}, deleted and recreated since: the role would trust a "
        "different one of that name. Find out who created it first."
    )


def _trusts_nobody(absent: list[str]) -> str:
    return f"The approved trust policy names {listed(absent)}, which no longer exists: IAM rejects such a policy."
