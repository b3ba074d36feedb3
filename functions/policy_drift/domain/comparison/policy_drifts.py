"""Drifts of managed policies themselves: those that several have, AWS's own, and those that are not attached."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from iam_policy import Comparison, Verdict
from policy_drift.domain.access.live_state import fingerprint
from policy_drift.domain.access.reading import NOTHING, read, same
from policy_drift.domain.access.verdicts import joined
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import ManagedPolicy, policy_id
from policy_drift.domain.arns import is_of_aws
from policy_drift.domain.comparison.dependent_digests import in_parts
from policy_drift.domain.comparison.results import Effect, Results
from policy_drift.domain.comparison.summary import summary_of
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.severity.assessment import Assessment, worst

_TO_BE_KNOWN = Comparison(Verdict.EQUIVALENT)
_MOST_NAMED = 5


def add_shared(approved: ManagedPolicy, live: ManagedPolicy, results: Results, questions: Questions) -> None:
    """Add one drift for a policy that changed, with its effect on all of its holders and the severity of the worst."""
    entity = policy_id(live.arn)
    effects = results.effects.get(entity, [])
    if not effects or same(approved.document, live.document):
        return
    comparison = questions.compare(read(approved.document), read(live.document))
    verdict = joined((comparison.verdict, *(effect.comparison.verdict for effect in effects)))
    felt = [effect for effect in effects if not effect.protected]
    holders = f"{len(effects)} {'principal has' if len(effects) == 1 else 'principals have'}"
    if is_of_aws(live.arn):
        kind = Kind.UPSTREAM
        summary = f"AWS updated {entity} ({approved.version} to {live.version}), which {holders}: {_NOW[verdict]}."
    elif verdict is Verdict.EQUIVALENT:
        kind = Kind.NOTE
        summary = f"{entity}, which {holders}, is written differently and allows the same."
    else:
        kind = Kind.POLICY
        summary = f"{entity} was changed, which {holders}: {_NOW[verdict]}."
    assessment = _of_holders(felt)
    if not comparison.newly_allowed:  # a guardrail allows nothing by itself: what proves it is what a holder gains
        worst_first = sorted(felt, key=lambda effect: -effect.assessment.severity)
        comparison = next((one.comparison for one in worst_first if one.comparison.newly_allowed), comparison)
    _add(results, kind, verdict, assessment, summary, approved, live, comparison, effects)


def with_effects(known: Drift, effects: Sequence[Effect]) -> Drift:
    """What was found of a shared change, with what it does to some principals now: never less than both say."""
    if not effects:
        return known
    verdict = joined((known.verdict, *(effect.comparison.verdict for effect in effects)))
    felt = [effect for effect in effects if not effect.protected]
    assessment = _of_holders(felt)
    summaries = [summary_of(effect.comparison) for effect in felt]
    added = [line for one in summaries for line in one.added]
    removed = [line for one in summaries for line in one.removed]
    return replace(
        known,
        kind=Kind.POLICY if known.kind is Kind.NOTE and verdict is not Verdict.EQUIVALENT else known.kind,
        verdict=verdict,
        severity=max(known.severity, assessment.severity),
        reasons=_most_severe_first(known, known.reasons, assessment, assessment.reasons),
        added=_most_severe_first(known, known.added, assessment, added),
        removed=_most_severe_first(known, known.removed, assessment, removed),
    )


def _most_severe_first(
    known: Drift, before: Iterable[str], assessment: Assessment, now: Iterable[str]
) -> tuple[str, ...]:
    is_worse = assessment.severity > known.severity
    return tuple(dict.fromkeys((*now, *before) if is_worse else (*before, *now)))


def _of_holders(effects: Sequence[Effect]) -> Assessment:
    """The severity of the worst; where it is not that of all, the first reason names those that have it."""
    together = worst(effect.assessment for effect in effects)
    severest = sorted(one.entity for one in effects if one.assessment.severity is together.severity)
    if len(severest) == len(effects):
        return together
    more = f" and {len(severest) - _MOST_NAMED} more" if len(severest) > _MOST_NAMED else ""
    named = f"{together.severity.name} for {', '.join(severest[:_MOST_NAMED])}{more}, of {len(effects)} that have it"
    return Assessment(together.severity, (named, *together.reasons))


def add_unattached(
    approved: ManagedPolicy | None, live: ManagedPolicy | None, results: Results, questions: Questions
) -> None:
    """Add a drift for a customer's policy without holders, in one of the accounts or differing in both."""
    either = live or approved
    if either is None:
        raise ValueError("a policy that is in neither account")
    entity = policy_id(either.arn)
    severities = results.severities
    unattached = Assessment.of(severities.unattached_policy)
    if live is None:
        summary = f"{entity} is in the baseline but not in the account; it was not attached."
        _add(results, Kind.MISSING, Verdict.NARROWED, unattached, summary, approved, None)
        return
    if approved is None:
        comparison = questions.compare(NOTHING, read(live.document))
        summary = f"{entity} is in the account but not in the baseline; it is not attached."
        _add(results, Kind.UNMANAGED, comparison.verdict, unattached, summary, None, live, comparison)
        return
    if same(approved.document, live.document):
        return
    comparison = questions.compare(read(approved.document), read(live.document))
    if comparison.verdict is Verdict.EQUIVALENT:
        summary = f"{entity} is written differently and allows the same."
        _add(results, Kind.NOTE, comparison.verdict, Assessment.of(severities.same_access), summary, approved, live)
        return
    summary = f"{entity}, which is not attached, {_WOULD[comparison.verdict]}."
    _add(results, Kind.POLICY, comparison.verdict, unattached, summary, approved, live, comparison)


_NOW = {
    Verdict.EQUIVALENT: "it allows the same",
    Verdict.BROADENED: "it allows more",
    Verdict.NARROWED: "it allows less",
    Verdict.INCOMPARABLE: "it allows more in part, and less in part",
    Verdict.UNKNOWN: "whether it allows more could not be decided",
}
_WOULD = {
    Verdict.BROADENED: "would allow more than was approved",
    Verdict.NARROWED: "would allow less than was approved",
    Verdict.INCOMPARABLE: "would allow more than was approved in part, and less in part",
    Verdict.UNKNOWN: "differs from what was approved; whether it would allow more could not be decided",
}


def _add(
    results: Results,
    kind: Kind,
    verdict: Verdict,
    assessment: Assessment,
    summary: str,
    approved: ManagedPolicy | None,
    live: ManagedPolicy | None,
    comparison: Comparison = _TO_BE_KNOWN,
    effects: Sequence[Effect] = (),
) -> None:
    either = live or approved
    if either is None:
        raise ValueError("a policy that is in neither account")
    all_of_it = summary_of(comparison)
    results.found.append(
        Drift(
            entity=policy_id(either.arn),
            arn=either.arn,
            kind=kind,
            verdict=verdict,
            severity=assessment.severity,
            summary=summary,
            fingerprint=fingerprint(live.document if live else None),
            reasons=(*assessment.reasons, *all_of_it.notes),
            added=all_of_it.added,
            removed=all_of_it.removed,
            newly_allowed=all_of_it.newly_allowed,
            newly_denied=all_of_it.newly_denied,
            approved=approved.document if approved else None,
            live=live.document if live else None,
            holders=len(effects),
            dependent_digests=in_parts({effect.entity: effect.digest for effect in effects}),
        )
    )
