"""Labelled cases of drift: comparisons, single requests, trust policies and roles with the severity that is right."""

import json
from pathlib import Path
from typing import Any

import pytest

from iam_policy import Request, compare, evaluate
from policy_drift.domain.account import Account, Role
from policy_drift.domain.finding import Kind
from steward.severity import Severity
from tests.doubles.shipped_severities import drifts

CASES = Path(__file__).parents[3] / "shared" / "corpora" / "drift_cases.json"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the corpora are not beside the repository")
ACCOUNT = "111122223333"
READING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
BY_EC2 = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def cases(family: str) -> Any:
    every = json.loads(CASES.read_text(encoding="utf-8")) if CASES.exists() else []
    of_family = [case for case in every if case["family"] == family]
    return pytest.mark.parametrize("case", of_family, ids=[case["id"] for case in of_family])


def account(inline: dict[str, Any], trust: dict[str, Any]) -> Account:
    return Account(ACCOUNT, roles={"app": Role("app", "/", "AROAEXAMPLEEXAMPLE777", inline, trust=trust)})


@cases("compare")
def test_a_comparison_has_the_right_verdict(case: dict[str, Any]) -> None:
    assert compare(case["baseline"], case["live"]).verdict == case["expected"], case["reason"]


@cases("evaluate")
def test_a_request_gets_the_right_decision(case: dict[str, Any]) -> None:
    assert evaluate(case["documents"], Request(*case["request"])) == case["expected"], case["reason"]


@cases("trust")
def test_a_changed_trust_policy_has_the_right_severity(case: dict[str, Any]) -> None:
    approved, live = account({"p": READING}, case["baseline"]), account({"p": READING}, case["live"])
    found = [drift for drift in drifts(approved, live).found if drift.kind is Kind.TRUST]

    least, or_more, _ = case["expected"].partition("+")
    if or_more:
        assert found[0].severity >= Severity[least], case["reason"]
    else:
        assert [drift.severity.name for drift in found] == ([] if least == "NONE" else [least]), case["reason"]


@cases("account")
def test_changed_access_has_the_right_severity(case: dict[str, Any]) -> None:
    assert not case["boundary"], "no case has a boundary"
    approved, live = account(case["approved_inline"], BY_EC2), account(case["live_inline"], BY_EC2)

    assert drifts(approved, live).found[0].severity.name in case["expected"], case["reason"]
