"""Findings in pages that fit into an answer."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_policy import Verdict
from policy_drift.application.operate_drift import rank
from policy_drift.domain.account import EntityId
from policy_drift.domain.finding import Drift, Finding, Kind, State
from policy_drift.representation import LARGEST_PAGE, USUAL_PAGE, Page, page_in, page_of
from steward.errors import InvalidRequestError
from steward.severity import Severity

NOW = datetime(2026, 5, 4, tzinfo=UTC)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)


def found(name, severity=Severity.LOW, summary="less"):
    drift = Drift(EntityId(f"role/{name}"), "", Kind.ACCESS, Verdict.NARROWED, severity, summary, "sha256:0")
    return Finding(drift, State.OPEN, NOW, NOW)


@given(st.lists(st.builds(found, NAMES, st.sampled_from(Severity)), unique_by=lambda one: one.id), st.integers(1, 5))
def test_every_finding_is_on_one_page_in_order(findings, limit):
    findings = sorted(findings, key=rank)
    seen, left = [], findings
    while left:
        shown, more = page_of(left, "OPEN", limit)
        seen += [one["id"] for one in shown]
        left = [one for one in left if more and rank(one) > page_in(more).after]

    assert seen == [one.id for one in findings]


def test_a_page_ends_before_it_is_larger_than_an_answer():
    long = "x" * (LARGEST_PAGE // 3)

    shown, more = page_of([found(name, summary=long) for name in "abcde"], "ALL", 1_000)

    assert len(json.dumps(shown)) < LARGEST_PAGE
    assert (len(shown), page_in(more)) == (2, Page("ALL", 1_000, (-Severity.LOW, "access:role:b")))


def test_a_finding_that_is_larger_than_a_page_is_a_page():
    shown, more = page_of([found("a", summary="x" * LARGEST_PAGE), found("b")], "OPEN", 1_000)

    assert (len(shown), more is None) == (1, False)


@given(st.text())
def test_a_place_that_no_page_gave_is_refused(token):
    with pytest.raises(InvalidRequestError):
        page_in(token)


def test_a_token_of_an_older_version_continues_with_open_findings():
    assert page_in("TUVESVVNL2FjY2Vzczpyb2xlOmRlcGxveWVy") == Page(
        "OPEN", USUAL_PAGE, (-Severity.MEDIUM, "access:role:deployer")
    )
