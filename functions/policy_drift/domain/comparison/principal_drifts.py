"""Drifts of one user, group or role."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from iam_policy import Budget, Comparison, PolicyDocumentError, Verdict
from policy_drift.domain.access.effective_policies import (
    EffectivePolicies,
    Step,
    UnreadError,
    access,
    effective_policies,
    malformed,
    reported_apart,
    steps,
)
from policy_drift.domain.access.live_state import boundary_state, entity_state, fingerprint, policies_state
from policy_drift.domain.access.reading import EVERYTHING, NOTHING, complexity, read, same, together
from policy_drift.domain.access.trust import deleted_principals, with_deleted_as_approved
from policy_drift.domain.access.verdicts import MAY_BE_MORE, joined
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import Account, Document, Entity, EntityId, Group, Role
from policy_drift.domain.arns import arn_of, is_of_aws
from policy_drift.domain.comparison import notes
from policy_drift.domain.comparison.dependent_digests import Digests, in_parts
from policy_drift.domain.comparison.results import Effect, Results
from policy_drift.domain.comparison.summary import summary_of
from policy_drift.domain.dependents import entity_id
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.scope import Scope, is_kept_by_aws, is_protected
from policy_drift.domain.severity.assessment import Assessment, of_access, of_boundary, of_trust, of_worth
from policy_drift.domain.severity.caller import caller_of
from steward.severities import DriftSeverities
from steward.severity import Severity

_TO_BE_KNOWN = Comparison(Verdict.EQUIVALENT)


@dataclass(frozen=True, slots=True)
class Context:
    """The two accounts, what is looked at, where findings go; ``renamed_groups`` are live names by approved ones.

    ``effects`` are those of the principals that are compared already, on the groups that they are in. ``shared`` are
    the ARNs of policies that several have, whose changes are findings of their own. Of the policies and groups that are
    ``known``, the effects on the principals that they list are compared, and no others.
    """

    approved: Account
    live: Account
    scope: Scope
    results: Results
    renamed_groups: Mapping[str, str]
    effects: Mapping[EntityId, Sequence[Effect]]
    shared: frozenset[str] = frozenset()
    known: Mapping[EntityId, Collection[EntityId]] = field(default_factory=dict)
    digests: Digests = field(default_factory=Digests)


@dataclass(slots=True)
class Subject:
    """A user, group or role that is in one of the accounts or in both, and the notes about it."""

    context: Context
    approved: Entity | None
    live: Entity | None
    questions: Questions = field(default_factory=lambda: Questions(Budget(0)))
    notes: list[str] = field(default_factory=list)

    def compare(self) -> None:
        """Collect what differs. A part that cannot be decided is undecided; the other parts are still compared.

        Raises
        ------
        DoesNotFitError
            It takes more than the share, and there will be another try.
        """
        results = self.context.results
        for part in (self._existence, self._identity, self._trust, self._access):
            self.questions.undecided = False
            try:
                part()
            except UnreadError as error:
                results.could_not_read(error.entity, error.reason, self.entity)
            except PolicyDocumentError as error:
                self._add_malformed(str(error))
        self.questions.undecided = False
        if self.notes:
            summary = f"{self.entity}: {'; '.join(self.notes)}."
            self._add(
                Kind.NOTE,
                Verdict.EQUIVALENT,
                Assessment.of(self._severities.same_access),
                summary,
                None,
                list(self.notes),
            )

    @property
    def _severities(self) -> DriftSeverities:
        return self.context.results.severities

    @property
    def either(self) -> Entity:
        """The live one, or else the approved one."""
        entity = self.live or self.approved
        if entity is None:
            raise ValueError("a subject that is in neither account")
        return entity

    @property
    def entity(self) -> EntityId:
        """The entity of the findings, under its live name if there is one."""
        return entity_id(self.either)

    def _existence(self) -> None:
        if self.live is None and self.approved is not None:
            summary = f"{self.entity} is in the baseline but not in the account."
            approved = entity_state(self.approved, effective_policies(self.context.approved, self.approved))
            missing = Assessment.of(self._severities.missing)
            self._add(Kind.MISSING, Verdict.NARROWED, missing, summary, approved, None)
        elif self.approved is None and self.live is not None:
            self._unmanaged(self.live, effective_policies(self.context.live, self.live))

    def _unmanaged(self, live: Entity, held: EffectivePolicies) -> None:
        now = access(held)
        comparison = self.questions.compare(NOTHING, now)
        caller = caller_of(self.context.live, live, held, self.questions)
        of_its_access = of_access(comparison, None, caller, self._severities, self.questions)
        idle_group = isinstance(live, Group) and comparison.verdict is Verdict.EQUIVALENT
        severities = self._severities
        new = severities.unmanaged_group_without_access if idle_group else severities.unmanaged
        assessment = Assessment.of(new).also(of_its_access)
        if isinstance(live, Role):
            own = self.context.live.id
            assessment = assessment.also(of_trust(None, live.trust, own, self._severities, self.questions))
        privileged = [name for name in sorted(held.groups) if self.context.scope.is_privileged(name)]
        for name in privileged:
            assessment = assessment.also(self._joined(name))
        summary = f"{self.entity} is in the account but not in the baseline."
        state = entity_state(live, held, privileged)
        self._add(Kind.UNMANAGED, comparison.verdict, assessment, summary, None, state, comparison)

    def _identity(self) -> None:
        if self.approved is None or self.live is None:
            return
        if self.approved.unique_id != self.live.unique_id:
            summary = f"{self.entity} was deleted and recreated: its unique id changed."
            before, now = {"unique_id": self.approved.unique_id}, {"unique_id": self.live.unique_id}
            recreated = Assessment.of(self._severities.recreated)
            self._add(Kind.RECREATED, Verdict.INCOMPARABLE, recreated, summary, before, now)
        elif self.approved.name != self.live.name:
            self.notes.append(notes.RENAMED.format(entity_id(self.approved)))
        if self.approved.path != self.live.path:
            self.notes.append(notes.MOVED.format(self.approved.path, self.live.path))

    def _trust(self) -> None:
        approved, live = self.approved, self.live
        if not isinstance(approved, Role) or not isinstance(live, Role) or approved.trust == live.trust:
            return
        dangling = deleted_principals(live.trust) - deleted_principals(approved.trust)
        if dangling:
            summary = f"{self.entity} trusts a deleted principal: {', '.join(sorted(dangling))}."
            deleted = Assessment.of(self._severities.trusts_deleted_principal)
            self._add(Kind.DANGLING, Verdict.EQUIVALENT, deleted, summary, approved.trust, sorted(dangling))
        trust = with_deleted_as_approved(live.trust, approved.trust, self.context.approved)
        if same(approved.trust, trust):
            return
        comparison = self.questions.compare(read(approved.trust), read(trust))
        if comparison.verdict is Verdict.EQUIVALENT:
            self.notes.append(notes.TRUST)
        elif not (dangling and comparison.verdict is Verdict.NARROWED):
            own = self.context.live.id
            assessment = of_trust(approved.trust, trust, own, self._severities, self.questions, comparison.verdict)
            summary = f"{self.entity} {_ASSUMED[comparison.verdict]}."
            if comparison.verdict in MAY_BE_MORE:
                assessment = assessment.also(self._worth_of(live))
            self._add(Kind.TRUST, comparison.verdict, assessment, summary, approved.trust, live.trust, comparison)

    def _worth_of(self, role: Role) -> Assessment:
        """What the role gives to those who assume it; INFO where its policies cannot be read, which is a finding."""
        try:
            held = effective_policies(self.context.live, role)
            caller = caller_of(self.context.live, role, held, self.questions)
            return of_worth(caller, self._severities, self.questions)
        except (UnreadError, PolicyDocumentError):
            return Assessment(Severity.INFO)

    def _access(self) -> None:
        if self.approved is None or self.live is None:
            return
        before, now = self._held(self.approved, self.live)
        for step in steps(before, now, self.context.shared):
            cause = self.entity if step.cause is Kind.ACCESS else step.cause
            if isinstance(cause, EntityId) and self.entity not in self.context.known.get(cause, {self.entity}):
                continue
            comparison = self.questions.compare(access(step.before), access(step.after))
            assessment = of_access(
                comparison,
                caller_of(self.context.approved, self.approved, step.before, self.questions),
                caller_of(self.context.live, self.live, step.after, self.questions),
                self._severities,
                self.questions,
            )
            match step.cause:
                case Kind.MEMBERSHIP:
                    self._add_membership(step, comparison, assessment)
                case Kind.BOUNDARY:
                    self._add_boundary(step, comparison, assessment)
                case Kind.ACCESS:
                    self._add_access(step.before, now, comparison, assessment)
                case EntityId():
                    felt = assessment.also(self._of_wider_boundary(step)).also(self._undecided())
                    digest = self._digest(self.approved, self.live, step)
                    effect = Effect(self.entity, comparison, felt, is_kept_by_aws(self.either), digest)
                    self.context.results.effects[step.cause].append(effect)

    def digest_of(self, cause: EntityId) -> str | None:
        """Its digest for the change of something shared; None where that does not change it, or is not known."""
        if self.approved is None or self.live is None:
            return None
        try:
            for step in steps(*self._held(self.approved, self.live), self.context.shared):
                if step.cause == cause:
                    return self._digest(self.approved, self.live, step)
        except (UnreadError, PolicyDocumentError):
            pass
        return None

    def _digest(self, approved: Entity, live: Entity, step: Step) -> str:
        context = self.context
        return context.digests.of(((context.approved, approved, step.before), (context.live, live, step.after)))

    def _held(self, approved: Entity, live: Entity) -> tuple[EffectivePolicies, EffectivePolicies]:
        """What is approved for it, and what it has. Raises UnreadError."""
        before = effective_policies(self.context.approved, approved)
        return self._with_groups_renamed(before), effective_policies(self.context.live, live)

    def _add_access(
        self, before: EffectivePolicies, now: EffectivePolicies, comparison: Comparison, assessment: Assessment
    ) -> None:
        verdict = comparison.verdict
        effects = self.context.effects.get(self.entity, ()) if isinstance(self.live, Group) else ()
        if effects:
            verdict = joined((verdict, *(effect.comparison.verdict for effect in effects)))
            for effect in sorted(effects, key=lambda effect: effect.assessment.severity):
                assessment = assessment.also(effect.assessment)
                if effect.comparison.newly_allowed or not comparison.newly_allowed:
                    comparison = effect.comparison
        if verdict is Verdict.EQUIVALENT:
            self.notes.append(notes.POLICIES)
            return
        summary = f"{self.entity} {_HAS[verdict]}."
        approved, live = access_states(before, now, self.context.shared)
        self._add(Kind.ACCESS, verdict, assessment, summary, approved, live, comparison, effects)

    def _add_membership(self, step: Step, comparison: Comparison, assessment: Assessment) -> None:
        before, now = set(step.before.groups), set(step.after.groups)
        verdict = comparison.verdict
        for name in sorted(before ^ now):
            if self.context.scope.is_privileged(name):
                joins = name in now
                verdict = joined((verdict, Verdict.BROADENED if joins else Verdict.NARROWED))
                assessment = assessment.also(self._joined(name) if joins else self._left(name))
        changes = [f"joined {name}" for name in sorted(now - before)] + [
            f"left {name}" for name in sorted(before - now)
        ]
        if verdict is Verdict.EQUIVALENT:
            self.notes.append(notes.GROUPS.format(", ".join(changes)))
            return
        summary = f"{self.entity} {', '.join(changes)}, and {_HAS[comparison.verdict]}."
        self._add(Kind.MEMBERSHIP, verdict, assessment, summary, sorted(before), sorted(now), comparison)

    def _add_boundary(self, step: Step, effective: Comparison, assessment: Assessment) -> None:
        comparison = self.questions.compare(_bounded(step.before), _bounded(step.after))
        if comparison.verdict is Verdict.EQUIVALENT:
            self.notes.append(notes.BOUNDARY)
            return
        removed = not step.after.boundary
        assessment = of_boundary(comparison.verdict, self._severities, removed=removed).also(assessment)
        happened = "no longer has a permissions boundary" if removed else f"has {_BOUNDED[comparison.verdict]}"
        if comparison.verdict in MAY_BE_MORE and effective.verdict not in MAY_BE_MORE:
            happened += f"; {_WITHIN[effective.verdict]}"
        self._add(
            Kind.BOUNDARY,
            comparison.verdict,
            assessment,
            f"{self.entity} {happened}.",
            boundary_state(step.before),
            boundary_state(step.after),
            effective if effective.newly_allowed else comparison,
        )

    def _of_wider_boundary(self, step: Step) -> Assessment:
        """What it amounts to that a boundary that several have is wider; INFO if it is not, or if AWS changed it."""
        if step.before.boundary == step.after.boundary or any(map(is_of_aws, step.after.boundary)):
            return Assessment(Severity.INFO)
        verdict = self.questions.compare(_bounded(step.before), _bounded(step.after)).verdict
        if verdict not in MAY_BE_MORE:
            return Assessment(Severity.INFO)
        return of_boundary(verdict, self._severities, removed=False)

    def _with_groups_renamed(self, held: EffectivePolicies) -> EffectivePolicies:
        names = self.context.renamed_groups
        return EffectivePolicies(
            held.own, {names.get(name, name): group for name, group in held.groups.items()}, held.boundary
        )

    def _joined(self, group: str) -> Assessment:
        return Assessment.of(self._severities.joined_privileged_group, f"joined the privileged group {group}")

    def _left(self, group: str) -> Assessment:
        return Assessment.of(self._severities.left_privileged_group, f"left the privileged group {group}")

    def _undecided(self) -> Assessment:
        """What it amounts to that a question did not fit; INFO if all did."""
        if not self.questions.undecided:
            return Assessment(Severity.INFO)
        policy = max(self._documents(), key=lambda named: (complexity(named[1]), named[0]), default=("none", {}))[0]
        reason = f"not everything could be decided within the budget; the most complex of its policies is {policy}"
        return Assessment.of(self._severities.undecided, reason)

    def _documents(self) -> Iterator[tuple[str, Document]]:
        """Its live policies, by where they are."""
        live = self.either
        if isinstance(live, Role):
            yield "its trust policy", live.trust
        try:
            for documents in effective_policies(self.context.live if self.live else self.context.approved, live):
                yield from documents.items()
        except UnreadError:
            return

    def _add_malformed(self, reason: str) -> None:
        results = self.context.results
        for account, principal in ((self.context.approved, self.approved), (self.context.live, self.live)):
            for policy, problem in malformed(account, principal) if principal else ():
                results.could_not_read(policy or self.entity, problem, self.entity)
                return
        results.could_not_read(self.entity, reason, self.entity)

    def _add(
        self,
        kind: Kind,
        verdict: Verdict,
        assessment: Assessment,
        summary: str,
        approved: Any,
        live: Any,
        comparison: Comparison = _TO_BE_KNOWN,
        effects: Sequence[Effect] = (),
    ) -> None:
        assessment = assessment.also(self._undecided())
        all_of_it = summary_of(comparison)
        of_aws = Severity[self._severities.protected_by_aws] if is_kept_by_aws(self.either) else None
        self.context.results.found.append(
            Drift(
                entity=self.entity,
                arn=arn_of(self.context.live, self.either),
                kind=kind,
                verdict=verdict,
                severity=assessment.severity if of_aws is None else of_aws,
                summary=summary,
                fingerprint=fingerprint(live),
                reasons=(*assessment.reasons, *all_of_it.notes),
                added=all_of_it.added,
                removed=all_of_it.removed,
                newly_allowed=all_of_it.newly_allowed,
                newly_denied=all_of_it.newly_denied,
                approved=approved,
                live=live,
                protected=is_protected(self.either),
                dependent_digests=in_parts({effect.entity: effect.digest for effect in effects}),
            )
        )


def access_states(approved: EffectivePolicies, live: EffectivePolicies, shared: frozenset[str]) -> tuple[Any, Any]:
    """What a finding about access says that was approved, and that is there."""
    apart = reported_apart(approved, live, shared)
    return policies_state(approved, apart), policies_state(live, apart)


_HAS = {
    Verdict.EQUIVALENT: "has the same access",
    Verdict.BROADENED: "has more access than was approved",
    Verdict.NARROWED: "has less access than was approved",
    Verdict.INCOMPARABLE: "has more access than was approved in part, and less in part",
    Verdict.UNKNOWN: "has different access than was approved; whether it is more could not be decided",
}
_ASSUMED = {
    Verdict.BROADENED: "can be assumed by more principals than was approved",
    Verdict.NARROWED: "can be assumed by fewer principals than was approved",
    Verdict.INCOMPARABLE: "can be assumed by other principals than was approved",
    Verdict.UNKNOWN: "has a changed trust policy; whether more principals can assume it could not be decided",
}
_BOUNDED = {
    Verdict.BROADENED: "a wider permissions boundary than was approved",
    Verdict.NARROWED: "a narrower permissions boundary than was approved",
    Verdict.INCOMPARABLE: "a different permissions boundary than was approved, wider in part",
    Verdict.UNKNOWN: "a different permissions boundary than was approved; whether it is wider could not be decided",
}
_WITHIN = {
    Verdict.EQUIVALENT: "its policies allow nothing more by that: its access is the same",
    Verdict.NARROWED: "its policies allow nothing more by that: its access is less than was approved",
}


def _bounded(held: EffectivePolicies) -> Any:
    return together([read(document) for document in held.boundary.values()]) if held.boundary else EVERYTHING
