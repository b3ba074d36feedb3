"""Requests in words, and texts that others have chosen."""

from hypothesis import given
from hypothesis import strategies as st

from iam_policy import Witness
from iam_policy.wording import visible
from policy_drift.domain.account import EntityId
from policy_drift.domain.finding import Kind
from policy_drift.report.wording import HEADINGS, listed, newly_possible, no_longer_possible

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
