"""Drifts of managed policies themselves: AWS's own that AWS changed, and those that are not attached."""

from iam_policy import Comparison, Verdict
from policy_drift.domain.access.live_state import fingerprint
from policy_drift.domain.access.reading import NOTHING, read, same
from policy_drift.domain.access.verdicts import joined
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import ManagedPolicy, policy_id
from policy_drift.domain.comparison.results import Results
from policy_drift.domain.comparison.summary import summary_of
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.severity.assessment import Assessment, worst

_TO_BE_KNOWN = Comparison(Verdict.EQUIVALENT)


def add_upstream(approved: ManagedPolicy, live: ManagedPolicy, results: Results, questions: Questions) -> None:
    """Add a drift for a policy of AWS's own that AWS changed, with its effect on its holders."""
    effects = results.effects.get(policy_id(live.arn), [])
    if not effects or same(approved.document, live.document):
        return
    comparison = questions.compare(read(approved.document), read(live.document))
    verdict = joined((comparison.verdict, *(effect.comparison.verdict for effect in effects)))
    felt = [effect.assessment for effect in effects if not effect.protected]
    entity = policy_id(live.arn)
    summary = (
        f"AWS updated {entity} ({approved.version} to {live.version}), which {len(effects)} "
        f"{'principal has' if len(effects) == 1 else 'principals have'}: {_NOW[verdict]}."
    )
    _add(results, Kind.UPSTREAM, verdict, worst(felt), summary, approved, live, comparison)


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
            reasons=assessment.reasons,
            added=all_of_it.added,
            removed=all_of_it.removed,
            newly_allowed=all_of_it.newly_allowed,
            newly_denied=all_of_it.newly_denied,
            approved=approved.document if approved else None,
            live=live.document if live else None,
        )
    )
