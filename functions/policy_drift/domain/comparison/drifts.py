"""The live account against the baseline: every difference that matters, once."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from iam_policy import PolicyDocumentError
from policy_drift.domain.access.effective_policies import UnreadError, effective_policies, managed
from policy_drift.domain.access.live_state import takes_over
from policy_drift.domain.access.reading import same
from policy_drift.domain.access.work import OF_A_BASELINE, DoesNotFitError, Work
from policy_drift.domain.account import Account, Document, Entity, EntityId, EntityKind, Group, Role, User, policy_id
from policy_drift.domain.arns import is_of_aws
from policy_drift.domain.comparison.counterparts import Pair, paired
from policy_drift.domain.comparison.dependent_digests import in_parts, part_of
from policy_drift.domain.comparison.policy_drifts import add_shared, add_unattached, with_effects
from policy_drift.domain.comparison.principal_drifts import Context, Subject, access_states
from policy_drift.domain.comparison.results import Results
from policy_drift.domain.dependents import entity_id, holders_by_policy, shared_policies, with_dependents
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.scope import Scope
from steward.errors import ConflictError
from steward.severities import DriftSeverities

_PARTS_OF_FIRST_ROUND = 4
"""The first round of a comparison takes at most this part of the work."""
_POLICIES = 64
"""A managed policy by itself gets this part of what is left."""


@dataclass(frozen=True, slots=True)
class Drifts:
    """What one comparison found.

    Attributes
    ----------
    found : tuple of Drift
        The most severe first.
    undecided : frozenset of EntityId
        Entities about which something could not be decided, because it could not be read. What was found about them is
        certain; that nothing else was found says nothing.
    compared : frozenset of EntityId, or None
        The entities that were compared; None for all.
    renamed : mapping of EntityId to EntityId
        The names that entities have now, by the approved ones: what differs is found under the new name.
    scope : Scope
        What was to be compared.
    left : tuple of EntityId
        Entities that the time of the run did not suffice for, in the order of comparison; undecided, too.
    shared : mapping of EntityId to frozenset of str
        The changed policies that are reported by themselves, by the principals that have them.
    """

    found: tuple[Drift, ...]
    undecided: frozenset[EntityId] = frozenset()
    compared: frozenset[EntityId] | None = None
    renamed: Mapping[EntityId, EntityId] = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope)
    left: tuple[EntityId, ...] = ()
    shared: Mapping[EntityId, frozenset[str]] = field(default_factory=dict)

    def rules_out(self, drift: Drift) -> bool:
        """Whether an earlier drift is over: it was looked for, could have been seen, and was not found."""
        if self.compared is not None and drift.entity not in self.compared:
            return False
        return drift.entity not in self.undecided and drift.finding_id not in {one.finding_id for one in self.found}

    def takes_over(self, drift: Drift) -> bool:
        """Whether an earlier drift of a principal includes the change of a policy that is reported by itself now."""
        return any(takes_over(drift.live, arn) for arn in self.shared.get(drift.entity, ()))

    def is_out_of_scope(self, entity: EntityId) -> bool:
        """Whether the settings leave it out, under its approved name as well."""
        if entity.kind is EntityKind.ACCOUNT or entity in self.scope:
            return False
        return not any(entity == now and before in self.scope for before, now in self.renamed.items())


def drifts(
    approved: Account,
    live: Account,
    *,
    severities: DriftSeverities,
    scope: Scope | None = None,
    only: Collection[EntityId] | None = None,
    alone: Collection[EntityId] = (),
    known: Iterable[Drift] = (),
    work: Work | None = None,
) -> Drifts:
    """Compare the live account with the baseline; the last of `drifts_in_rounds`."""
    work = work or Work(OF_A_BASELINE)
    rounds = drifts_in_rounds(
        approved, live, severities=severities, scope=scope, only=only, alone=alone, known=known, work=work
    )
    *_, last = rounds
    return last


def drifts_in_rounds(
    approved: Account,
    live: Account,
    *,
    severities: DriftSeverities,
    work: Work,
    scope: Scope | None = None,
    only: Collection[EntityId] | None = None,
    alone: Collection[EntityId] = (),
    known: Iterable[Drift] = (),
    first: EntityId | None = None,
    apart: EntityId | None = None,
    without: EntityId | None = None,
    progress: Callable[[EntityId], None] = lambda _: None,
) -> Iterator[Drifts]:
    """Compare the live account with the baseline: what is cheap first, then again with what costs more.

    In the first round each entity gets a small share of the work. Those that need more are undecided in its result, and
    share equally what is left in the second one. What is not decided even then is reported as `undecided`.

    Parameters
    ----------
    approved, live : Account
        What was approved, and what is.
    severities : DriftSeverities
        How severe each fact is.
    scope : Scope, optional
        Which entities are compared; all by default.
    only : collection of EntityId, optional
        Compare these and their dependents alone: the members of a group, the principals that have a policy.
    alone : collection of EntityId
        Compare these as well, without their dependents.
    known : iterable of Drift
        Of these, those of policies that several have and of groups are found again as they are, where the same differs:
        a dependent is compared for that only if it, or another one of its part, has changed since.
    work : Work
        How much work to do, and when to begin nothing more.
    first : EntityId, optional
        Where to begin, in the order of kind and name: behind what an earlier run had time for.
    apart : EntityId, optional
        Compare this one last, when there is a result of all others.
    without : EntityId, optional
        Leave this one to a later run.
    progress : callable
        Called before each comparison with the entity.

    Yields
    ------
    Drifts
        One result; two where something did not fit into the first round; another one before what is compared apart.

    Raises
    ------
    ConflictError
        The baseline is that of another account.
    """
    if approved.id != live.id:
        raise ConflictError(f"the baseline is of account {approved.id}, and this is account {live.id}")
    compared = None if only is None else with_dependents(only, (approved, live)).union(alone)
    results = Results(severities, unread={**live.unreadable}, undecided={*live.unreadable, *approved.unreadable})
    comparing = _Comparing(approved, live, scope or Scope(), compared, results, work, known)
    yield from comparing.rounds(_Order(first, apart, without, progress))


@dataclass(frozen=True, slots=True)
class _Order:
    """Where to begin, what to compare last, what to leave out, and what is called before each comparison."""

    first: EntityId | None
    apart: EntityId | None
    without: EntityId | None
    progress: Callable[[EntityId], None]


class _Comparing:
    """One comparison under way."""

    def __init__(
        self,
        approved: Account,
        live: Account,
        scope: Scope,
        compared: frozenset[EntityId] | None,
        results: Results,
        work: Work,
        known: Iterable[Drift],
    ) -> None:
        self._approved, self._live = approved, _with_policies_respelled(live, approved)
        self._scope, self._compared, self._gathering, self._work = scope, compared, results, work
        self._left: dict[EntityId, Pair[Entity]] = {}
        self._deadly: EntityId | None = None
        self._progress: Callable[[EntityId], None] = lambda _: None
        arns = approved.policies.keys() | live.policies.keys()
        self._shared = shared_policies(approved, self._scope)
        self._known = {drift.entity: drift for drift in known if self._is_still(drift)}
        changed = {arn for arn in arns if policy_id(arn) in results.undecided or self._differs(arn)}
        self._changed = changed - {drift.arn for drift in self._known.values()}
        self._holders = holders_by_policy(live), holders_by_policy(approved)
        self._again = frozenset[EntityId]()
        self._groups = list(paired(approved.groups, live.groups))
        self._changed_groups = {pair.either.name for pair in self._groups if not self._leaves_members(pair)}
        self._principals: list[Pair[Entity]] = [
            *paired(self._approved.users, self._live.users),
            *paired(self._approved.roles, self._live.roles),
        ]
        self._renamed = {
            entity_id(pair.approved): entity_id(pair.live)
            for pair in (*self._principals, *self._groups)
            if pair.approved and pair.live and pair.approved.name != pair.live.name
        }
        groups = {before.name: now.name for before, now in self._renamed.items() if now.kind is EntityKind.GROUP}
        context = Context(
            self._approved, self._live, self._scope, self._gathering, groups, self._gathering.effects, self._shared
        )
        again = {entity: self._to_be_compared_again(drift, context) for entity, drift in self._known.items()}
        self._again = self._again.union(*again.values())
        self._context = replace(context, known=again)

    def _differs(self, arn: str) -> bool:
        approved, live = self._approved.policies.get(arn), self._live.policies.get(arn)
        return approved is None or live is None or approved.document != live.document

    def _is_still(self, drift: Drift) -> bool:
        """Whether a policy that several have, or a group, differs as this says."""
        if not self._is_compared(drift.entity) or drift.entity in self._gathering.undecided:
            return False
        try:
            if drift.holders and (is_of_aws(drift.arn) or drift.arn in self._shared):
                documents = managed(self._approved, drift.arn), managed(self._live, drift.arn)
                return documents == (drift.approved, drift.live)
            name = drift.entity.name
            is_group = drift.kind is Kind.ACCESS and drift.entity.kind is EntityKind.GROUP
            if not is_group or name not in self._approved.groups.keys() & self._live.groups.keys():
                return False
            held, has = (effective_policies(one, one.groups[name]) for one in (self._approved, self._live))
            return access_states(held, has, self._shared) == (drift.approved, drift.live)
        except (UnreadError, PolicyDocumentError):
            return False

    def _to_be_compared_again(self, drift: Drift, context: Context) -> frozenset[EntityId]:
        """The dependents of a known change that have changed since it was found, and the others of their parts."""
        dependents = with_dependents({drift.entity}, (self._approved, self._live))
        pairs: list[Pair[Entity]] = [*self._principals, *self._groups]
        digests: dict[EntityId, str] = {}
        for pair in pairs:
            entities = {entity_id(one) for one in (pair.approved, pair.live) if one} & dependents
            if any(one in self._scope for one in entities - {drift.entity}):
                digest = Subject(context, pair.approved, pair.live).digest_of(drift.entity)
                digests |= {entity_id(pair.either): digest} if digest else {}
        parts = in_parts(digests)
        return frozenset(
            entity for entity in digests if drift.dependent_digests.get(part := part_of(entity)) != parts[part]
        )

    def _leaves_members(self, pair: Pair[Group]) -> bool:
        """Whether nothing is to be compared of the members of a group for what differs of the group."""
        if self._is_unchanged(pair):
            return True
        attached = {arn for group in (pair.approved, pair.live) if group for arn in group.attached}
        return entity_id(pair.either) in self._known and self._changed.isdisjoint(attached)

    def rounds(self, order: _Order) -> Iterator[Drifts]:
        """Everything that differs: users and roles, then what they share."""
        self._progress, self._deadly = order.progress, order.without
        context = self._context
        subjects = _from(order.first, self._to_be_compared(self._principals))
        subjects, apart = self._divided(subjects, order)
        small = self._work.steps // (_PARTS_OF_FIRST_ROUND * max(1, len(subjects) + len(self._groups)))
        costly = self._compare(context, subjects, small)
        held = _held_by([*costly, *apart], (self._approved, self._live))
        groups_of_all: list[Pair[Entity]] = [*self._groups]
        waiting = [pair for pair in groups_of_all if entity_id(pair.either) in held]
        certain = [pair for pair in groups_of_all if entity_id(pair.either) not in held]
        waiting += self._compare(context, self._to_be_compared(certain), small)
        policies = sorted(self._changed)
        for arn in policies:
            if policy_id(arn) not in held:
                self._look_at_policy(arn)
        if costly or waiting:
            open_yet = {*held, *(entity_id(pair.either) for pair in (*costly, *waiting, *apart))}
            yield self._result(open_yet)
        self._compare(context, costly)
        if apart:
            yield self._result({*held, *(entity_id(pair.either) for pair in (*waiting, *apart))})
        self._compare(context, apart)
        self._compare(context, self._to_be_compared(waiting))
        for arn in policies:
            if policy_id(arn) in held:
                self._look_at_policy(arn)
        yield self._result(frozenset())

    def _divided(self, pairs: list[Pair[Entity]], order: _Order) -> tuple[list[Pair[Entity]], list[Pair[Entity]]]:
        """What to compare now, and what apart; what is left to a later run is in neither."""
        self._left |= {one: pair for pair in pairs if (one := entity_id(pair.either)) == order.without}
        apart = [pair for pair in pairs if entity_id(pair.either) == order.apart]
        return [pair for pair in pairs if entity_id(pair.either) not in {order.apart, order.without}], apart

    def _result(self, open_yet: Collection[EntityId]) -> Drifts:
        results = self._gathering
        left_open = _held_by(self._left.values(), (self._approved, self._live))
        unread = [entity for entity in results.unread if self._is_compared(entity)]
        found = [
            *results.found,
            *(with_effects(drift, results.effects.get(entity, ())) for entity, drift in self._known.items()),
            *results.unreadable(self._live, unread),
            *results.not_compared(self._live, tuple(self._left), self._deadly),
        ]
        return Drifts(
            tuple(sorted(found, key=lambda drift: (-drift.severity, drift.finding_id))),
            frozenset({*results.undecided, *open_yet, *self._left, *left_open}),
            self._compared,
            renamed=self._renamed,
            scope=self._scope,
            left=tuple(self._left),
            shared=self._reported_apart(results),
        )

    def _reported_apart(self, results: Results) -> dict[EntityId, frozenset[str]]:
        """The ARNs of the changed policies that have a finding of their own, by those that feel it."""
        felt: dict[EntityId, set[str]] = {}
        for drift in results.found:
            if drift.holders:
                for effect in results.effects[drift.entity]:
                    felt.setdefault(effect.entity, set()).add(drift.arn)
        return {entity: frozenset(arns) for entity, arns in felt.items()}

    def _to_be_compared(self, pairs: Iterable[Pair[Entity]]) -> list[Pair[Entity]]:
        return [pair for pair in pairs if self._is_to_be_compared(pair)]

    def _compare(self, context: Context, pairs: Sequence[Pair[Entity]], small: int | None = None) -> list[Pair[Entity]]:
        """Compare these; with a small share, those that it did not suffice for are returned and nothing is kept."""
        costly = []
        for number, pair in enumerate(pairs):
            if self._work.is_over():
                self._left.update((entity_id(one.either), one) for one in pairs[number:])
                break
            self._progress(entity_id(pair.either))
            mine = Results(context.results.severities)
            with self._work.share(len(pairs) - number, small) as questions:
                subject = Subject(replace(context, results=mine), pair.approved, pair.live, questions)
                try:
                    subject.compare()
                except DoesNotFitError:
                    costly.append(pair)
                    continue
            self._gathering.include(mine)
        return costly

    def _is_to_be_compared(self, pair: Pair[Entity]) -> bool:
        """Under either name: who renames a user must not take it out of scope by that."""
        entity = entity_id(pair.either)
        names = {entity} if pair.approved is None else {entity, entity_id(pair.approved)}
        if not any(map(self._is_compared, names)) or entity in self._gathering.undecided:
            return False
        return not self._is_unchanged(pair) or bool(self._gathering.effects.get(entity))

    def _is_compared(self, entity: EntityId) -> bool:
        return (self._compared is None or entity in self._compared) and entity in self._scope

    def _is_unchanged(self, pair: Pair[Entity]) -> bool:
        """Whether nothing differs by so much as a letter, in the entity or in what it refers to."""
        live = pair.live
        if pair.approved is None or live is None or pair.approved != live or entity_id(live) in self._again:
            return False
        if isinstance(live, User | Role) and live.boundary in self._changed:
            return False
        if isinstance(live, User) and not self._changed_groups.isdisjoint(live.groups):
            return False
        return self._changed.isdisjoint(live.attached)

    def _look_at_policy(self, arn: str) -> None:
        entity = policy_id(arn)
        if not self._is_compared(entity) or entity in self._gathering.undecided:
            return
        approved, live = self._approved.policies.get(arn), self._live.policies.get(arn)
        try:
            if approved and live and not self._has_all_holders_compared(arn):
                self._gathering.undecided.add(entity)
            elif approved and live and self._gathering.effects.get(entity):
                with self._work.share(_POLICIES) as questions:
                    add_shared(approved, live, self._gathering, questions)
            elif not entity.name.startswith("aws:") and arn not in self._holders[live is None]:
                with self._work.share(_POLICIES) as questions:
                    add_unattached(approved, live, self._gathering, questions)
        except PolicyDocumentError as error:
            self._gathering.could_not_read(entity, str(error), entity)

    def _has_all_holders_compared(self, arn: str) -> bool:
        """Whether all that a policy does is known: a check of one holder says nothing of the others."""
        if self._compared is None:
            return True
        holders = self._holders[0].get(arn, ())
        return all(one in self._compared or one not in self._scope for one in holders)


def _from(first: EntityId | None, pairs: list[Pair[Entity]]) -> list[Pair[Entity]]:
    """In the order of kind and name, beginning with the first that is not before this one."""
    ordered = sorted(pairs, key=lambda pair: entity_id(pair.either))
    behind = [pair for pair in ordered if first is None or entity_id(pair.either) >= first]
    return behind + ordered[: len(ordered) - len(behind)]


def _held_by(pairs: Iterable[Pair[Entity]], accounts: Iterable[Account]) -> set[EntityId]:
    """The groups and the managed policies that these principals share with others."""
    held: set[EntityId] = set()
    for pair in pairs:
        for principal in filter(None, (pair.approved, pair.live)):
            groups = principal.groups if isinstance(principal, User) else ()
            entities = [account.groups[name] for account in accounts for name in groups if name in account.groups]
            held |= {entity_id(group) for group in entities}
            held |= {policy_id(arn) for entity in (principal, *entities) for arn in entity.attached}
            if isinstance(principal, User | Role) and principal.boundary:
                held.add(policy_id(principal.boundary))
    return held


def _with_policies_respelled(live: Account, approved: Account) -> Account:
    """Live, with managed policies in the approved spelling where they are merely spelled otherwise.

    A policy that hundreds have is so looked at once.
    """
    policies = dict(live.policies)
    for arn, policy in live.policies.items():
        before = approved.policies.get(arn)
        if before is not None and _is_respelled(before.document, policy.document):
            policies[arn] = replace(policy, document=before.document)
    return replace(live, policies=policies)


def _is_respelled(approved: Document, live: Document) -> bool:
    try:
        return approved != live and same(approved, live)
    except PolicyDocumentError:
        return False
