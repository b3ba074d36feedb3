"""Every AWS managed policy that moto ships: equal to itself however it is written, broader with anything added."""

import json
from itertools import batched, islice
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from iam_policy import Budget, Decision, Request, Verdict, canonical_hash, compare, evaluate
from tests.unit.iam_policy.rewrites import ADDITIONS, WIDENINGS, rewritten

POLICIES: dict[str, Any] = {name: policy["Document"] for name, policy in json.loads(aws_managed_policies_data).items()}
SOME = dict(islice(POLICIES.items(), 0, None, 25))
of_every_policy = pytest.mark.parametrize(
    "names", list(batched(POLICIES, 100, strict=False)), ids=lambda names: names[0]
)
"""A hundred at a time: a test for each would cost every run its collection."""
NEW_ACTIONS = [
    Request("example-service:DoThis", "*"),
    Request("example-service:DoThis", "arn:aws:example:::thing"),
    Request("example-servant:DoThis", "*"),
]


def check_rewrites(document: Any, count: int) -> None:
    for seed in range(count):
        assert compare([document], [rewritten(document, seed)]).verdict is Verdict.EQUIVALENT


def check_additions(document: Any) -> None:
    """Each addition broadens, except where the policy allows or denies new actions whatever they are."""
    told_apart = {evaluate([document], request) for request in NEW_ACTIONS} == {Decision.IMPLICITLY_DENIED}
    for change in ADDITIONS:
        comparison = compare([document], [change(document)])
        assert comparison.verdict is Verdict.BROADENED or (comparison.verdict is Verdict.EQUIVALENT and not told_apart)
        assert bool(comparison.newly_allowed) == (comparison.verdict is Verdict.BROADENED)


def check_widenings(document: Any) -> None:
    for change in WIDENINGS:
        comparison = compare([document], [change(document)])
        assert comparison.verdict in {Verdict.BROADENED, Verdict.EQUIVALENT}
        assert bool(comparison.newly_allowed) == (comparison.verdict is Verdict.BROADENED)


def test_every_policy_is_read_and_equals_itself() -> None:
    assert len(POLICIES) > 1_000
    for document in POLICIES.values():
        assert compare([document], [json.dumps(document)]).verdict is Verdict.EQUIVALENT


def test_an_equality_left_out_among_many_variables_is_decided_with_a_tenth_of_the_budget() -> None:
    document = POLICIES["SageMakerStudioProjectUserRolePermissionsBoundary"]
    live = json.loads(json.dumps(document))
    del live["Statement"][16]["Condition"]["StringEquals"]

    assert compare([document], [live], budget=Budget(40_000)).verdict is Verdict.BROADENED


def test_policies_with_equal_hashes_are_equivalent() -> None:
    by_hash: dict[str, Any] = {}
    for document in POLICIES.values():
        other = by_hash.setdefault(canonical_hash([document]), document)
        assert compare([document], [other]).verdict is Verdict.EQUIVALENT


@pytest.mark.parametrize("name", SOME)
def test_some_policies_equal_their_rewrites_and_are_broadened_by_what_adds_access(name: str) -> None:
    check_rewrites(SOME[name], 2)
    check_additions(SOME[name])
    check_widenings(SOME[name])


@pytest.mark.slow
@of_every_policy
def test_every_policy_equals_twenty_rewrites_of_itself(names: tuple[str, ...], subtests: pytest.Subtests) -> None:
    for name in names:
        with subtests.test(name):
            check_rewrites(POLICIES[name], 20)


@pytest.mark.slow
@of_every_policy
def test_every_policy_is_broadened_by_each_of_five_additions(names: tuple[str, ...], subtests: pytest.Subtests) -> None:
    for name in names:
        with subtests.test(name):
            check_additions(POLICIES[name])


@pytest.mark.slow
@of_every_policy
def test_no_widening_of_a_policy_takes_access_away(names: tuple[str, ...], subtests: pytest.Subtests) -> None:
    for name in names:
        with subtests.test(name):
            check_widenings(POLICIES[name])
