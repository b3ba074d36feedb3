"""What holds for comparisons of any policies.

The point evaluator and the comparison know nothing of each other's ways, so that each checks the other.
"""

from itertools import product
from os import environ
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from iam_policy import (
    Access,
    Comparison,
    Decision,
    Request,
    Verdict,
    canonical_hash,
    compare,
    effective_access,
    evaluate,
)
from tests.unit.iam_policy.rewrites import ADDITIONS, WIDENINGS, rewritten
from tests.unit.iam_policy.strategies import documents, pairs, requests

if TYPE_CHECKING:
    from collections.abc import Sequence

SEEDS = st.integers(0, 2**32)
REQUESTS_PER_PAIR = 60
MORE = {Verdict.BROADENED, Verdict.INCOMPARABLE, Verdict.UNKNOWN}
LESS = {Verdict.NARROWED, Verdict.INCOMPARABLE, Verdict.UNKNOWN}
MIRRORED = {verdict: verdict for verdict in Verdict} | {
    Verdict.BROADENED: Verdict.NARROWED,
    Verdict.NARROWED: Verdict.BROADENED,
}
#: Mutation testing, which runs these tests hundreds of times, asks for fewer examples and no shrinking.
EXAMPLES = int(environ.get("PROPERTY_EXAMPLES", "60"))
few = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate] if "PROPERTY_EXAMPLES" in environ else list(Phase),
)
fewer = settings(few, max_examples=min(EXAMPLES, 20))
many = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))

PAIRS = {
    "plain": pairs(),
    "with variables": pairs(variables=True),
    "with principals": pairs(principals=True),
    "with both": pairs(variables=True, principals=True),
}
KINDS = pytest.mark.parametrize("kind", PAIRS.keys())


def contradictions(
    baseline: "Sequence[Any] | Access", live: "Sequence[Any] | Access", comparison: Comparison, seed: int
) -> list[Any]:
    """Requests whose decisions do not fit the verdict."""
    found = []
    for request in requests(seed, REQUESTS_PER_PAIR):
        before = evaluate(baseline, request) is Decision.ALLOWED
        now = evaluate(live, request) is Decision.ALLOWED
        if (now and not before and comparison.verdict not in MORE) or (
            before and not now and comparison.verdict not in LESS
        ):
            found.append((request, comparison.verdict))
    return found


def unconfirmed(baseline: "Sequence[Any]", live: "Sequence[Any]", comparison: Comparison) -> list[Any]:
    """Witnesses that the point evaluator does not confirm."""
    return [
        witness
        for witnesses, allowing, refusing in (
            (comparison.newly_allowed, live, baseline),
            (comparison.newly_denied, baseline, live),
        )
        for witness in witnesses
        if evaluate(allowing, witness) is not Decision.ALLOWED or evaluate(refusing, witness) is Decision.ALLOWED
    ]


def check_both_against_each_other(kind: str, data: st.DataObject) -> None:
    baseline, live = data.draw(PAIRS[kind])
    comparison = compare([baseline], [live])

    assert contradictions([baseline], [live], comparison, data.draw(SEEDS)) == []
    assert unconfirmed([baseline], [live], comparison) == []
    assert bool(comparison.newly_allowed) or comparison.verdict not in {Verdict.BROADENED, Verdict.INCOMPARABLE}
    assert bool(comparison.newly_denied) or comparison.verdict not in {Verdict.NARROWED, Verdict.INCOMPARABLE}


@KINDS
@fewer
@given(data=st.data())
def test_no_request_contradicts_a_verdict(kind: str, data: st.DataObject) -> None:
    check_both_against_each_other(kind, data)


@pytest.mark.slow
@KINDS
@many
@given(data=st.data())
def test_none_of_a_hundred_thousand_requests_contradicts_a_verdict(kind: str, data: st.DataObject) -> None:
    check_both_against_each_other(kind, data)


@few
@given(pairs(), documents(most=2), SEEDS)
def test_no_request_contradicts_a_verdict_within_a_boundary(pair: tuple[Any, Any], boundary: Any, seed: int) -> None:
    baseline, live = (effective_access([document], boundary=boundary) for document in pair)

    assert contradictions(baseline, live, compare(baseline, live), seed) == []


@KINDS
@few
@given(data=st.data())
def test_comparing_the_other_way_round_mirrors_the_verdict(kind: str, data: st.DataObject) -> None:
    baseline, live = data.draw(PAIRS[kind])

    assert compare([live], [baseline]).verdict is MIRRORED[compare([baseline], [live]).verdict]


@few
@given(documents(variables=True, principals=True), SEEDS)
def test_a_rewrite_that_means_nothing_is_equivalent(document: Any, seed: int) -> None:
    assert compare([document], [rewritten(document, seed)]).verdict is Verdict.EQUIVALENT


@few
@given(documents(variables=True), SEEDS)
def test_documents_with_equal_hashes_are_equivalent(document: Any, seed: int) -> None:
    other = rewritten(document, seed)

    assert (
        canonical_hash([document]) != canonical_hash([other])
        or compare([document], [other]).verdict is Verdict.EQUIVALENT
    )


@pytest.mark.parametrize("change", [*ADDITIONS, *WIDENINGS])
@few
@given(document=documents())
def test_what_only_adds_access_never_takes_any_away(change: Any, document: Any) -> None:
    comparison = compare([document], [change(document)])

    assert comparison.verdict in {Verdict.BROADENED, Verdict.EQUIVALENT}
    assert comparison.newly_denied == ()


NAMES = ["".join(letters) for length in (1, 2) for letters in product("abq", repeat=length)]
ACTIONS_TO_TRY = [f"{service}:{name}" for service, name in product(NAMES, NAMES)]
action_patterns = st.one_of(
    st.just("*"),
    st.builds("{}:{}".format, *[st.text("ab*?", min_size=1, max_size=2)] * 2),
)
statements_about_actions = st.builds(
    lambda effect, member, patterns: {"Effect": effect, member: patterns, "Resource": "*"},
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["Action", "Action", "NotAction"]),
    st.lists(action_patterns, min_size=1, max_size=3),
)


@few
@given(st.lists(statements_about_actions, min_size=1, max_size=3), st.lists(statements_about_actions, max_size=2))
def test_no_action_contradicts_a_verdict_on_any_patterns(before: list[Any], extra: list[Any]) -> None:
    """Wildcards also for services: each action of short names is tried, those that a pattern names and others."""
    baseline, live = {"Statement": before}, {"Statement": [*extra, *before[1:]] or before}
    verdict = compare([baseline], [live]).verdict

    for action in ACTIONS_TO_TRY:
        first, second = (evaluate([one], Request(action, "*")) is Decision.ALLOWED for one in (baseline, live))
        assert first or not second or verdict in MORE, action
        assert second or not first or verdict in LESS, action
