"""The values of a context key that conditions can tell apart: none may be missing, whatever they are read as."""

import decimal
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_policy import Comparison, Verdict, compare
from iam_policy.budget import Budget
from iam_policy.conditions import Condition
from iam_policy.context_values import single
from iam_policy.document import parse
from iam_policy.values import instant, number

NUMBERS = [
    "5",
    "1970",
    "2020",
    "2020.5",
    "2021",
    "20200101",
    "1577836800",
    "1577836800.5",
    "-4000",
    "0",
    "253402300801",
]
DATES = [
    *("2020", "2020-01-01T00:00:00Z", "2021-06-01", "1577836800", "1970-01-01T00:33:40Z", "1970-01-01T00:33:41Z"),
    *("0", "5", "1970-01-01T00:00:00.5Z", "9999-12-31T23:59:59Z", "0001-01-01", "1969-12-31T22:00:00Z"),
]
TEXTS = [
    *(sign + text for text in [*NUMBERS, *DATES, "1", "1999", "9999", "123456.7", "1577836801"] for sign in ("", "+")),
    *("2020.7", "02020.7", "000020200101", "-000000000000000000000000000000000000000000000000000000000000000004000"),
    *("1577836800.25", "-3999", "2020-01-01T00:00:00.25Z", "1970-01-01T00:33:40.5Z", "-99999", "999999999999999"),
]


def conditions(operators: dict[str, Any]) -> list[Condition]:
    document = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": operators}
    (statement,) = parse({"Version": "2012-10-17", "Statement": document}).statements
    return list(statement.scope.conditions)


def operators(kind: str, values: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from([f"{kind}{name}" for name in ("Equals", "NotEquals", "LessThan", "GreaterThanEquals")])
    return st.dictionaries(names, st.sampled_from(values).map(lambda value: {"k": value}), min_size=1)


@given(operators("Numeric", NUMBERS), operators("Date", DATES))
def test_what_a_text_is_as_a_number_and_as_a_date_is_found(numbers: dict[str, Any], dates: dict[str, Any]) -> None:
    asked = conditions(numbers | dates)

    def held(text: str) -> int:
        return sum(1 << place for place, one in enumerate(asked) if one.holds_for(text, lambda _: None))

    found = {value: bits for bits, value in single(asked, Budget()) if value is not None}

    readable = [text for text in TEXTS if number(text, asked=True) is not None or instant(text, asked=True) is not None]
    assert {held(text) for text in readable} <= set(found.values())
    assert all(held(value) == bits for value, bits in found.items())


def compared(operators: dict[str, Any], live: dict[str, Any] | None = None) -> Comparison:
    def document(*conditions: dict[str, Any]) -> dict[str, Any]:
        allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
        return {"Version": "2012-10-17", "Statement": [allow | {"Condition": one} for one in conditions]}

    if live is None:
        return compare([], [document(operators)])
    return compare([document(operators)], [document(live)])


def test_a_number_that_is_a_date_too_is_found() -> None:
    comparison = compared(
        {
            "NumericGreaterThan": {"aws:EpochTime": "1577836800"},
            "DateGreaterThan": {"aws:EpochTime": "2021-01-01T00:00:00Z"},
        }
    )

    assert comparison.verdict is Verdict.BROADENED


def test_an_instant_between_two_seconds_is_found_where_its_digits_would_be_a_year() -> None:
    comparison = compared(
        {
            "DateGreaterThan": {"aws:CurrentTime": "1970-01-01T00:33:40Z"},
            "DateLessThan": {"aws:CurrentTime": "1970-01-01T00:33:41Z"},
        }
    )

    assert comparison.verdict is Verdict.BROADENED


@pytest.mark.parametrize(
    "operators",
    [
        {"NumericEquals": {"k": "1"}, "DateLessThan": {"k": "1900"}},  # only the year 0001 is both
        {"NumericLessThan": {"k": "5000"}, "DateEquals": {"k": "2020-01-01"}},  # ... the year 2020
    ],
)
def test_a_year_is_found_that_is_a_number_and_a_date_where_nothing_else_is_both(operators: dict[str, Any]) -> None:
    assert compared(operators).verdict is Verdict.BROADENED


def test_an_instant_between_two_microseconds_is_found() -> None:
    comparison = compared(
        {
            "DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"},
            "DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00.000001Z"},
        }
    )

    assert comparison.verdict is Verdict.BROADENED


@pytest.mark.parametrize(
    "block", ["0.0.0.0/32", "255.255.255.255", "::", f"{'ffff:' * 7}ffff", f"{'ffff:' * 7}0/112", "::/0"]
)
def test_the_first_and_the_last_addresses_of_both_versions_are_found(block: str) -> None:
    comparison = compared({"IpAddress": {"aws:SourceIp": block}})

    (witness,) = comparison.newly_allowed
    assert ip_address(str(witness.context["aws:sourceip"])) in ip_network(block)


LONG = "12345678901234567890123456788"
NINES = "9" * 40


@pytest.mark.parametrize(
    ("lower", "higher"),
    [(LONG, LONG[:-1] + "9"), (f"{NINES}.{NINES[:-1]}8", f"{NINES}.{NINES}"), (f"-{NINES}.{NINES}", f"-{NINES}")],
)
@pytest.mark.parametrize("precision", [1, 28])
def test_numbers_differ_in_their_last_digit(lower: str, higher: str, precision: int) -> None:
    with decimal.localcontext(prec=precision):
        wider = compared({"NumericLessThan": {"k": lower}}, {"NumericLessThan": {"k": higher}})
        between = compared({"NumericGreaterThan": {"k": lower}, "NumericLessThan": {"k": higher}})

    assert wider.verdict is Verdict.BROADENED
    assert between.verdict is Verdict.BROADENED


def test_dates_differ_at_any_precision_of_the_caller() -> None:
    with decimal.localcontext(prec=1):
        comparison = compared(
            {"DateLessThan": {"aws:CurrentTime": "2024-01-01"}}, {"DateLessThan": {"aws:CurrentTime": "2024-01-02"}}
        )

    assert comparison.verdict is Verdict.BROADENED
