"""Requests in words, and texts that others have chosen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_policy import Verdict, Witness
from iam_policy.wording import visible
from policy_drift.domain.account import EntityId
from policy_drift.domain.finding import Drift, Kind
from policy_drift.report.adoption import accepted_in_words
from policy_drift.report.wording import HEADINGS, listed, newly_possible, no_longer_possible
from steward.severity import Severity

ROLE = EntityId("role/deployer")


def test_a_request_without_a_principal_is_its_holders():
    witness = Witness("iam:PassRole", "arn:aws:iam::123456789012:role/x", {"aws:sourceip": "192.0.2.1"})

    assert newly_possible(witness, ROLE) == (
        "Role deployer can now call iam:PassRole on arn:aws:iam::123456789012:role/x, with aws:sourceip = '192.0.2.1'."
    )


def test_a_request_of_a_principal_is_its_own_and_one_of_the_future_says_so():
    witness = Witness("sts:New", "*", {}, "arn:aws:iam::999999999999:root", future_only=True)

    assert no_longer_possible(witness, ROLE) == (
        "arn:aws:iam::999999999999:root can no longer call sts:New on * (an action that is not known today)."
    )


@given(st.text())
def test_a_visible_text_has_one_line_and_nothing_hidden(text):
    assert visible(text).isprintable()


def test_what_is_hidden_is_written_out():
    assert visible("a\r\nb\u202ec\U000e0041") == "a\\u000d\\u000ab\\u202ec\\U000e0041"


def test_a_long_list_is_counted():
    assert listed(["a", "b", "c"], most=2) == "a, b and 1 more"


def test_every_kind_has_a_name_for_people():
    assert set(HEADINGS) == set(Kind)


@pytest.mark.parametrize(
    ("verdict", "added", "removed", "words"),
    [
        (
            Verdict.BROADENED,
            ["a"],
            [],
            "1 finding, with all of the access that is listed: 1 line added, 0 lines removed",
        ),
        (
            Verdict.INCOMPARABLE,
            ["a", "b", "and 3 more groups"],
            ["c"],
            "1 finding, with all of the access that is listed: 2 lines, 3 more groups added, 1 line removed",
        ),
        (Verdict.EQUIVALENT, [], [], "1 finding, and no access: It differs"),
        (Verdict.UNKNOWN, [], [], "1 finding, and access that is not listed: It differs"),
    ],
)
def test_what_an_adoption_accepts_is_counted(verdict, added, removed, words):
    drift = Drift(
        EntityId("role/app"),
        "",
        Kind.ACCESS,
        verdict,
        Severity.HIGH,
        "It differs.",
        "f",
        added=tuple(added),
        removed=tuple(removed),
    )

    assert accepted_in_words([drift]) == words
