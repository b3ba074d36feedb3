"""What a change of files does to IAM, entity by entity."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ecr_steward.gate.certainty import certain
from ecr_steward.gate.opaque import opaque_document, shown, token
from ecr_steward.gate.side import Place, Side
from iam_policy import Access, Comparison, Decision, PolicyDocumentError, Verdict, Witness, compare, evaluate
from iam_policy.known_actions import spelled
from iam_policy.wording import visible
from policy_drift.domain.access.effective_policies import UnreadError, access, effective_policies
from policy_drift.domain.access.reading import EVERYTHING, NOTHING, read, together
from policy_drift.domain.account import Account, Entity, EntityId, EntityKind, Group, Role
from policy_drift.domain.comparison.counterparts import counterpart
from policy_drift.domain.comparison.drifts import drifts
from policy_drift.domain.comparison.summary import summary_of
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.severity.assessment import of_verdict
from policy_drift.report.wording import newly_possible, no_longer_possible
from steward.severities import DriftSeverities
from steward.severity import Severity

_MORE = {Verdict.BROADENED, Verdict.INCOMPARABLE, Verdict.UNKNOWN}
_ESCALATION = "escalation path "
_OF_THEMSELVES = {Kind.UNMANAGED, Kind.RECREATED, Kind.DANGLING, Kind.UNREADABLE, Kind.MISSING}
"""Kinds that matter though the access is the same."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What changes about one entity.

    Attributes
    ----------
    file : str
        Where it stands, as the input was named; ``line`` is 1 where the line is not known.
    entity : str
        Such as ``role/deployer``, ``policy/Shared`` or ``S3::BucketPolicy/Logs``.
    kind : Kind
        What differs, as drift has it.
    verdict : Verdict
        What head is to base; UNKNOWN where that rests on values that the files do not hold.
    severity : Severity
        As drift has it.
    summary : str
        One sentence.
    reasons, escalations : tuple of str
        Why it is as severe as it is; the escalation paths among these apart.
    added_access, removed_access : tuple of str
        All of the access, in groups, the most dangerous first; for UNKNOWN what may be added or removed.
    added, removed : tuple of str
        Requests that prove it, as sentences; for UNKNOWN those that may be possible.
    witnesses : tuple of Witness
        The requests of ``added``.
    when : str
        The case of the template's conditions in which it is so; empty for all.
    accepted : str
        Why it is accepted nevertheless; empty when it is not.
    """

    file: str
    line: int
    entity: str
    kind: Kind
    verdict: Verdict
    severity: Severity
    summary: str
    reasons: tuple[str, ...] = ()
    escalations: tuple[str, ...] = ()
    added_access: tuple[str, ...] = ()
    removed_access: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    when: str = ""
    accepted: str = ""

    @property
    def id(self) -> str:
        """Entity and kind; the same in every run over the same change."""
        return f"{self.kind.value.lower()}:{self.entity}"

    @property
    def adds(self) -> bool:
        """Whether it adds access, or may."""
        return self.verdict in _MORE


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is said of one entity before it gets words."""

    drift: Drift
    comparison: Comparison
    before: Access = NOTHING
    now: Access = NOTHING


def findings(file: str, base: Side, head: Side, severities: DriftSeverities, when: str = "") -> Iterator[Finding]:
    """The differences of two sides, the most severe first; none for what is merely written otherwise."""
    before, now = _with_what_is_elsewhere(base.account, head.account)
    found = drifts(before, now, severities=severities)
    judged = [_judged(drift, before, now, severities) for drift in found.found if drift.kind is not Kind.NOTE]
    seen = {(one.drift.entity, _part(one.drift.kind)) for one in judged}
    judged += _overlooked(before, now, seen, severities)
    for one in sorted(judged, key=lambda one: (-one.drift.severity, one.drift.finding_id)):
        if one.comparison.verdict is not Verdict.EQUIVALENT or one.drift.kind in _OF_THEMSELVES:
            yield _worded(one, file, head.places.get(one.drift.entity) or base.places.get(one.drift.entity), when)


def _with_what_is_elsewhere(base: Account, head: Account) -> tuple[Account, Account]:
    """Both accounts, with an opaque policy beside those that deny, where their holder may have more than the files say.

    Without it, a Deny that goes would deny nothing. Such are policies by themselves, holders that are described
    elsewhere, and groups, whose members may be.
    """
    accounts = [base, head]
    for section in ("groups", "roles"):
        known = [getattr(account, section) for account in accounts]
        for name in known[0].keys() & known[1].keys():
            pair = [held[name] for held in known]
            if all(map(_may_have_more, pair)) and any(map(_denies, accounts, pair)):
                more = {"<elsewhere>": opaque_document(token(f"{name}.elsewhere"))}
                known = [{**held, name: replace(held[name], inline={**held[name].inline, **more})} for held in known]
        accounts = [replace(account, **{section: held}) for account, held in zip(accounts, known, strict=True)]
    return accounts[0], accounts[1]


def _may_have_more(entity: Entity) -> bool:
    return isinstance(entity, Group) or not entity.unique_id or entity.unique_id.endswith("~policy")


def _denies(account: Account, entity: Entity) -> bool:
    held = (account.policies[arn].document for arn in entity.attached if arn in account.policies)
    return any('"Deny"' in json.dumps(document, default=str) for document in (*entity.inline.values(), *held))


def _part(kind: Kind) -> Kind:
    return kind if kind in {Kind.TRUST, Kind.DANGLING} else Kind.ACCESS


def _judged(drift: Drift, base: Account, head: Account, severities: DriftSeverities) -> _Judged:
    said = Comparison(drift.verdict, drift.newly_allowed, drift.newly_denied)
    pair = _readable_pair(drift.kind, drift.entity, base, head)
    if pair is None:
        return _Judged(drift, said)
    before, now = pair
    if drift.kind in {Kind.UNMANAGED, Kind.MISSING}:
        said = compare(before, now)
    comparison = certain(before, now, said)
    if comparison.verdict is Verdict.UNKNOWN and drift.verdict is not Verdict.UNKNOWN:
        severity = max(
            drift.severity if comparison.newly_allowed else Severity.INFO,
            of_verdict(Verdict.UNKNOWN, severities).severity,
        )
        drift = replace(drift, severity=severity, reasons=(*drift.reasons, comparison.reason))
    return _Judged(drift, comparison, before, now)


def _readable_pair(kind: Kind, entity: EntityId, base: Account, head: Account) -> tuple[Access, Access] | None:
    """What a kind of difference compares; None for one that rests on no policies, or on some that cannot be read."""
    before, now = _entity(base, entity, head), _entity(head, entity, head)
    try:
        match kind:
            case Kind.TRUST if isinstance(before, Role) and isinstance(now, Role):
                return read(before.trust), read(now.trust)
            case Kind.BOUNDARY:
                return _boundary(base, before), _boundary(head, now)
            case Kind.ACCESS | Kind.MEMBERSHIP:
                return _access(base, before), _access(head, now)
            case Kind.UNMANAGED | Kind.MISSING:
                pair = _access(base, before), _access(head, now)
                return pair if pair[0] != pair[1] else (_trust(before), _trust(now))
    except (UnreadError, PolicyDocumentError):
        pass  # a finding of its own says so
    return None


def _overlooked(
    base: Account, head: Account, seen: set[tuple[EntityId, Kind]], severities: DriftSeverities
) -> Iterator[_Judged]:
    """What the engine takes for the same though it rests on values that are not known."""
    for entity in _entities(head):
        before, now = _entity(base, entity, head), _entity(head, entity, head)
        if before is None or now is None:
            continue
        for kind in (Kind.ACCESS, Kind.TRUST):
            pair = None if (entity, kind) in seen else _readable_pair(kind, entity, base, head)
            if pair is None:
                continue
            first, second = pair
            if first == second:
                continue
            comparison = certain(first, second, compare(first, second))
            if comparison.verdict is not Verdict.EQUIVALENT:
                severity = of_verdict(comparison.verdict, severities).severity
                drift = Drift(entity, "", kind, comparison.verdict, severity, "", "", reasons=(comparison.reason,))
                yield _Judged(drift, comparison, first, second)


def _entities(account: Account) -> list[EntityId]:
    sections = ((EntityKind.USER, account.users), (EntityKind.GROUP, account.groups), (EntityKind.ROLE, account.roles))
    return [EntityId(f"{kind}/{name}") for kind, section in sections for name in section]


def _entity(account: Account, entity: EntityId, head: Account) -> Entity | None:
    """The entity under its name in head, or what it was called before."""
    section: Mapping[str, Entity] = getattr(account, f"{entity.kind}s", {})
    if entity.name in section:
        return section[entity.name]
    now: Mapping[str, Entity] = getattr(head, f"{entity.kind}s", {})
    return counterpart(section, now[entity.name]) if entity.name in now else None


def _access(account: Account, entity: Entity | None) -> Access:
    return NOTHING if entity is None else access(effective_policies(account, entity))


def _trust(entity: Entity | None) -> Access:
    return read(entity.trust) if isinstance(entity, Role) else NOTHING


def _boundary(account: Account, entity: Entity | None) -> Access:
    held = None if entity is None else effective_policies(account, entity).boundary
    return together([read(document) for document in held.values()]) if held else EVERYTHING


def _worded(one: _Judged, file: str, place: Place | None, when: str) -> Finding:
    drift, verdict = one.drift, one.comparison.verdict
    allowed = _named_actions(one.comparison.newly_allowed, one.now, one.before)
    denied = _named_actions(one.comparison.newly_denied, one.before, one.now)
    place = place or Place()
    name = place.label or str(drift.entity)
    access = summary_of(replace(one.comparison, sides=(one.before, one.now)))
    reasons = tuple(shown(_fit_for(place, reason)) for reason in drift.reasons if reason)
    if verdict is Verdict.UNKNOWN and one.comparison.reason and one.comparison.reason not in reasons:
        reasons = (*reasons, shown(one.comparison.reason))
    if drift.kind is Kind.UNREADABLE:
        reasons = (*reasons, shown(str(drift.live)))
    return Finding(
        file=file,
        line=place.line,
        entity=visible(shown(name)),
        kind=drift.kind,
        verdict=verdict,
        severity=drift.severity,
        summary=visible(shown(f"{name} {_said(drift.kind, verdict, is_policy=bool(place.label))}.")),
        reasons=tuple(map(visible, reasons)),
        escalations=tuple(visible(reason) for reason in reasons if reason.startswith(_ESCALATION)),
        added_access=tuple(visible(shown(words)) for words in access.added),
        removed_access=tuple(visible(shown(words)) for words in access.removed),
        added=tuple(_sentence(newly_possible(witness, drift.entity), place) for witness in allowed),
        removed=tuple(_sentence(no_longer_possible(witness, drift.entity), place) for witness in denied),
        witnesses=allowed,
        when=when,
    )


def _named_actions(witnesses: Iterable[Witness], allowing: Access, denying: Access) -> tuple[Witness, ...]:
    """The requests for each action that a statement names, in one order; the engine picks any action of several."""
    found: dict[tuple[Any, ...], Witness] = {}
    for witness in witnesses:
        for action in (*_actions_named(allowing, witness), witness.action):
            other = replace(witness, action=action)
            if action == witness.action and any(key[:3] == _key(witness)[:3] for key in found):
                continue
            if action == witness.action or _is_proof(other, allowing, denying):
                found[_key(other)] = other
    return tuple(found[key] for key in sorted(found))


def _key(witness: Witness) -> tuple[Any, ...]:
    return witness.future_only, witness.resource, repr(sorted(witness.context.items())), witness.action.lower()


def _actions_named(access: Access, witness: Witness) -> list[str]:
    """The actions without a wildcard of the Allow statements that apply to a request."""
    return sorted(
        spelled(action) or action
        for layer in access.layers[:1]
        for statement in layer
        if statement.allows
        and not statement.actions.negated
        and evaluate(Access(((statement,),)), witness) is Decision.ALLOWED
        for action in statement.actions.patterns
        if isinstance(action, str) and ":" in action and "*" not in action and "?" not in action
    )


def _is_proof(witness: Witness, allowing: Access, denying: Access) -> bool:
    return evaluate(allowing, witness) is Decision.ALLOWED and evaluate(denying, witness) is not Decision.ALLOWED


def _fit_for(place: Place, reason: str) -> str:
    """A reason, which speaks of roles, for a policy that is judged like one."""
    return reason.replace("assume it", "use it") if place.label else reason


def _sentence(text: str, place: Place) -> str:
    if place.label and text.startswith("Role "):
        text = f"A holder of {place.label}{text[text.index(' can ') :]}"
    return visible(shown(text))


_WHAT = {
    Verdict.EQUIVALENT: "the same access",
    Verdict.BROADENED: "more access",
    Verdict.NARROWED: "less access",
    Verdict.INCOMPARABLE: "more access in part, and less in part",
    Verdict.UNKNOWN: "different access; whether it is more is not known",
}
_ASSUMED = {
    Verdict.BROADENED: "more principals",
    Verdict.NARROWED: "fewer principals",
    Verdict.INCOMPARABLE: "other principals",
    Verdict.UNKNOWN: "perhaps more principals: that is not known",
}


def _said(kind: Kind, verdict: Verdict, *, is_policy: bool) -> str:
    if kind is Kind.UNMANAGED:
        return "is new" + ("" if verdict is Verdict.EQUIVALENT else f" and gives {_WHAT[verdict].partition(';')[0]}")
    if kind is Kind.TRUST:
        allows = "allows requests of" if is_policy else "can be assumed by"
        return f"{allows} {_ASSUMED.get(verdict, 'the same principals')}"
    if kind is Kind.BOUNDARY:
        return f"has a permissions boundary that leaves {_WHAT[verdict]}"
    if kind is Kind.MEMBERSHIP:
        return f"is in other groups and has {_WHAT[verdict]}"
    others = {
        Kind.MISSING: "is removed",
        Kind.RECREATED: "is replaced by another one of the same name",
        Kind.DANGLING: "trusts a principal that was deleted",
        Kind.UNREADABLE: "cannot be read",
    }
    return others.get(kind, f"{'gives' if is_policy else 'has'} {_WHAT[verdict]}")


def worst_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings of several cases and files, each once, the most severe first."""
    kept: dict[tuple[str, str], Finding] = {}
    for one in found:
        before = kept.get((one.file, one.id))
        if before is None or one.severity > before.severity:
            kept[one.file, one.id] = one
    return tuple(sorted(kept.values(), key=lambda one: (-one.severity, one.file, one.line, one.id)))
