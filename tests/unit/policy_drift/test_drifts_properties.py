"""What holds for the comparison of any accounts."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam_policy import Decision, Verdict, evaluate
from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.finding import Kind
from tests.doubles.shipped_severities import drifts
from tests.unit.iam_policy.rewrites import rewritten
from tests.unit.iam_policy.strategies import documents
from tests.unit.policy_drift.accounts import account, allow, group, policy, role, user

SEEDS = st.integers(0, 2**32)
few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
fewest = settings(few, max_examples=6)
"""Two comparisons of eight dense documents take seconds: `make test-slow` runs as many as of the others."""
NEW = "example-service:DoThis"
MIRRORED = {
    Verdict.BROADENED: Verdict.NARROWED,
    Verdict.NARROWED: Verdict.BROADENED,
    Verdict.INCOMPARABLE: Verdict.INCOMPARABLE,
    Verdict.UNKNOWN: Verdict.UNKNOWN,
}
four = st.lists(documents(), min_size=4, max_size=4)


def of(first: Any, second: Any, third: Any, fourth: Any) -> Any:
    """A role and a user that have four documents inline, attached and by a group."""
    attached = policy("attached", third)
    team = group("team", fourth)
    member = user("ann", first, attached=[attached], groups=("team",))
    return account(role("app", first, second, attached=[attached]), member, team, attached)


def verdicts(approved: Any, live: Any) -> dict[str, Verdict]:
    """Of all that is no note."""
    return {one.finding_id: one.verdict for one in drifts(approved, live).found if one.kind is not Kind.NOTE}


@few
@given(four, SEEDS)
def test_another_spelling_of_every_document_is_no_drift_of_access(given_documents: Any, seed: int) -> None:
    live = of(*(rewritten(document, seed) for document in given_documents))

    assert verdicts(of(*given_documents), live) == {}


@few
@given(st.lists(documents(), min_size=2, max_size=4), SEEDS)
def test_where_a_policy_stands_is_no_drift_of_access(given_documents: Any, seed: int) -> None:
    shuffled = Random(seed).sample(given_documents, len(given_documents))  # noqa: S311 - variety, not secrets
    attached = [policy(f"moved-{number}", document) for number, document in enumerate(shuffled[1:])]
    live = account(role("app", shuffled[0], attached=attached), *attached)

    assert verdicts(account(role("app", *given_documents)), live) == {}


@few
@given(four)
def test_a_grant_comes_with_a_request_that_live_alone_allows(given_documents: Any) -> None:
    approved = account(role("app", *given_documents))
    live = account(role("app", *given_documents, allow(NEW)))

    for one in drifts(approved, live).found:
        for witness in one.newly_allowed:
            assert evaluate([*given_documents, allow(NEW)], witness) is Decision.ALLOWED
            assert evaluate(given_documents, witness) is not Decision.ALLOWED
        assert one.verdict is Verdict.EQUIVALENT or one.newly_allowed or one.verdict is Verdict.UNKNOWN


@fewest
@given(four, four)
def test_the_two_ways_mirror_each_other(one: Any, other: Any) -> None:
    mirror_each_other(one, other)


@pytest.mark.slow
@few
@given(four, four)
def test_the_two_ways_of_many_accounts_mirror_each_other(one: Any, other: Any) -> None:
    mirror_each_other(one, other)


def mirror_each_other(one: Any, other: Any) -> None:
    first, second = account(role("app", *one)), account(role("app", *other))

    there, back = verdicts(first, second), verdicts(second, first)

    assert there == {finding: MIRRORED[verdict] for finding, verdict in back.items()}


@few
@given(four)
def test_an_account_is_equal_to_itself(given_documents: Any) -> None:
    assert drifts(of(*given_documents), replace(of(*given_documents))).found == ()


statement = st.builds(
    lambda effect, actions: {"Effect": effect, "Action": actions, "Resource": "*"},
    st.sampled_from(["Allow", "Deny"]),
    st.lists(
        st.sampled_from(["s3:GetObject", "s3:PutObject", "s3:*", "sqs:SendMessage", "sqs:*", "*"]),
        min_size=1,
        max_size=2,
        unique=True,
    ),
)
short = st.builds(
    lambda statements: {"Version": "2012-10-17", "Statement": statements}, st.lists(statement, min_size=1, max_size=2)
)
holders = st.lists(st.tuples(short, st.sampled_from(["attached", "boundary", "member"])), min_size=2, max_size=3)


def held(shared: Any, own: Any) -> Any:
    """Roles that have a policy, attached or as their boundary, and users of a group, with a document of their own."""
    changed = policy("guardrail", shared)
    parts = []
    for number, (document, how) in enumerate(own):
        if how == "member":
            parts.append(user(f"u{number}", document, groups=("team",)))
        elif how == "boundary":
            parts.append(role(f"r{number}", document, boundary=changed.arn))
        else:
            parts.append(role(f"r{number}", document, attached=[changed]))
    return account(changed, group("team", shared), *parts)


@few
@given(short, short, holders, holders, holders)
def test_what_is_known_of_a_change_is_no_less_than_what_a_comparison_of_all_finds(
    before: Any, now: Any, then: Any, approved_since: Any, live_since: Any
) -> None:
    is_no_less(before, now, then, approved_since, live_since)


@pytest.mark.slow
@settings(few, max_examples=1_000)
@given(short, short, holders, holders, holders)
def test_what_is_known_of_many_changes_is_no_less_than_what_a_comparison_of_all_finds(
    before: Any, now: Any, then: Any, approved_since: Any, live_since: Any
) -> None:
    is_no_less(before, now, then, approved_since, live_since)


def is_no_less(before: Any, now: Any, then: Any, approved_since: Any, live_since: Any) -> None:
    known = drifts(held(before, then), held(now, then)).found
    approved, live = held(before, approved_since), held(now, live_since)

    found = {one.finding_id: one for one in drifts(approved, live, known=known).found}

    for one in drifts(approved, live).found:
        if one.verdict in MAY_BE_MORE:
            assert found[one.finding_id].verdict in MAY_BE_MORE
            assert found[one.finding_id].severity >= one.severity


@few
@given(short, short, holders)
def test_what_is_known_of_a_change_is_found_again_as_it_was(before: Any, now: Any, own: Any) -> None:
    approved, live = held(before, own), held(now, own)
    found = drifts(approved, live).found

    assert drifts(approved, live, known=found).found == found
