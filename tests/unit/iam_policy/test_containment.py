"""What is seen at a glance to be inside of something else: it must be, for any values of variables."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam_policy.budget import Budget
from iam_policy.containment import beyond, is_refuted, within
from iam_policy.document import parse
from iam_policy.statement import Scope

TEXTS = ["a", "ab", "b", "A", "${u}", "a${u}", "${u, 'a'}"]
ARNS = [f"arn:aws:s3::{account}:{name}" for account in ("1", "*", "${u}", "?") for name in ("a", "a*", "*", "${u}:b")]
VALUES: dict[str, list[str]] = {
    "StringEquals": TEXTS,
    "StringNotEquals": TEXTS,
    "StringEqualsIgnoreCase": TEXTS,
    "StringNotEqualsIgnoreCase": TEXTS,
    "StringLike": [*TEXTS, "a*", "?", "*", "*b"],
    "StringNotLike": [*TEXTS, "a*", "?", "*", "*b"],
    "ArnLike": ARNS,
    "ArnNotLike": ARNS,
    **{
        f"Numeric{name}": ["1", "2", "3"]
        for name in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
    },
    "DateGreaterThan": ["1", "2", "3"],
    "IpAddress": ["10.0.0.0/8", "10.0.0.0/9", "::/0", "0.0.0.0/0"],
    "NotIpAddress": ["10.0.0.0/8", "10.0.0.0/9", "::/0", "0.0.0.0/0"],
    "Bool": ["true", "false"],
    "Null": ["true", "false"],
}
ASKED = [
    *("a", "ab", "b", "A", "", "bb", "0", "1", "1.5", "2", "3", "4", "10.0.0.1", "10.200.0.1", "11.0.0.1", "::1"),
    *(
        "true",
        "false",
        "arn:aws:s3::1:a",
        "arn:aws:s3::1:ab",
        "arn:aws:s3::2:a",
        "arn:aws:s3::a:a:b",
        "arn:aws:s3::12:a",
    ),
]


def scope(operator: str, values: Any) -> Scope:
    document = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {"k": values}}}
    (statement,) = parse({"Version": "2012-10-17", "Statement": document}).statements
    return statement.scope


def implied(narrow: Scope, wide: Scope) -> bool:
    return is_refuted([[narrow]], [], [[wide]], [], Budget())


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Scope, Scope]:
    base = draw(st.sampled_from(sorted(VALUES)))
    values = st.lists(st.sampled_from(VALUES[base]), min_size=1, max_size=3, unique=True)

    def one() -> Scope:
        if base == "Null":
            return scope(base, draw(values))
        before = draw(st.sampled_from(["", "", "ForAnyValue:", "ForAllValues:"]))
        return scope(before + base + draw(st.sampled_from(["", "", "IfExists"])), draw(values))

    return one(), one()


@settings(max_examples=1000)
@given(pairs(), st.lists(st.sampled_from(ASKED), max_size=2), st.sampled_from([None, "", "a", "b", "1:a", "*", "1"]))
def test_what_meets_a_condition_meets_those_that_it_implies(
    pair: tuple[Scope, Scope], asked: list[str], user: str | None
) -> None:
    narrow, wide = pair

    def holds(one: Scope) -> bool:
        return all(condition.holds(asked, {"u": user}.get) for condition in one.conditions)

    assert not implied(narrow, wide) or not holds(narrow) or holds(wide)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        (("StringLike", "a/${u}"), ("StringLike", ["a/*", "b"])),
        (("StringEquals", "${u}"), ("StringLike", "*")),
        (("StringEquals", "a"), ("StringEqualsIfExists", ["a", "b"])),
        (("StringNotEquals", ["a", "b"]), ("StringNotEquals", "a")),
        (("StringNotLike", ["a*", "${u}"]), ("StringNotLike", ["ab", "${u}"])),
        (("ForAllValues:StringEquals", "a"), ("ForAllValues:StringLike", "a*")),
        (("ArnLike", "arn:aws:iam::${u}:role/x"), ("ArnLike", "arn:aws:iam::*:role/*")),
        (("NumericLessThan", "1"), ("NumericLessThan", "2")),
        (("NumericGreaterThanEquals", "2"), ("NumericGreaterThanEquals", "1")),
        (("DateGreaterThan", "2024-01-01"), ("DateGreaterThan", "2023-01-01")),
        (("IpAddress", "10.0.0.0/9"), ("IpAddress", ["::/0", "10.0.0.0/8"])),
        (("NotIpAddress", "2001:db8::/32"), ("NotIpAddress", "2001:db8::/33")),
        (("Null", "true"), ("Null", ["true", "false"])),
    ],
)
def test_the_usual_ways_to_imply_are_seen(narrow: tuple[str, Any], wide: tuple[str, Any]) -> None:
    assert implied(scope(*narrow), scope(*wide))
    assert not implied(scope(*wide), scope(*narrow))


@pytest.mark.parametrize(
    ("narrow", "wide", "within"),
    [
        (["a", "b"], ["a"], True),
        (["a*", "b"], ["ab"], True),
        (["a?"], ["ab", "a?"], True),
        (["a"], ["a", "b"], False),
        (["ab"], ["a*"], False),
        (["b", "${aws:username}"], ["b"], True),
        (["*"], ["${aws:username}"], False),
        (["a", "${aws:username}"], ["${aws:username}"], True),
    ],
)
def test_a_list_of_excluded_resources_that_names_more_is_within_one_that_names_less(
    narrow: list[str], wide: list[str], *, within: bool
) -> None:
    def excluding(names: list[str]) -> Scope:
        resources = [f"arn:aws:s3:::{name}" for name in names]
        statement = {"Effect": "Deny", "Action": "*", "NotResource": resources}
        return parse({"Version": "2012-10-17", "Statement": statement}).statements[0].scope

    assert implied(excluding(narrow), excluding(wide)) is within


def on(*names: str, element: str = "Resource") -> Scope:
    statement = {"Effect": "Allow", "Action": "s3:*", element: [f"arn:aws:s3:::{name}" for name in names]}
    return parse({"Version": "2012-10-17", "Statement": statement}).statements[0].scope


def on_all_but(*names: str) -> Scope:
    return on(*names, element="NotResource")


@pytest.mark.parametrize(
    ("narrow", "wide", "left"),
    [
        (on("a/x", "b"), on("a/*"), on("b")),
        (on("a/x", "b"), on("a/*", "b*"), None),
        (on("a/*"), on_all_but("b"), None),
        (on("a/*"), on_all_but("a/x"), on("a/*")),
        (on_all_but("a"), on("a*"), on_all_but("a")),
        (on_all_but("a", "b"), on_all_but("a"), None),
        (on_all_but("a"), on_all_but("a", "b"), on_all_but("a")),
    ],
)
def test_what_is_left_of_a_demand_has_no_resource_that_another_has(
    narrow: Scope, wide: Scope, left: Scope | None
) -> None:
    assert beyond(narrow, [wide], Budget()) == left


@pytest.mark.parametrize(("narrow", "wide"), [("b/${u}-19*", "b/${u}-1*"), ("b/${u}/${w}/x", "b/*/${w}/*")])
def test_a_resource_with_a_variable_is_within_one_with_the_same_variable(narrow: str, wide: str) -> None:
    assert within(on(narrow), on(wide), Budget())
    assert not within(on(wide), on(narrow), Budget())


@pytest.mark.parametrize(
    ("narrow", "wide", "apart"),
    [
        ("a/*", "b/*", True),
        ("b/*x*/c", "b/ay/c", True),
        ("b/*x*/c", "b/*/c", False),
        ("b/${u}x/c", "b/*y/c", True),
        ("b/${u}/c", "b/*y/c", False),
    ],
)
def test_a_resource_is_within_all_but_some_when_it_shares_no_name_with_them(
    narrow: str, wide: str, *, apart: bool
) -> None:
    assert within(on(narrow), on_all_but(wide), Budget()) is apart


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("b/${u}/x", "b/${w}/*"),
        ("b/${u}/x", "b/${u}/?"),
        ("b/${u}", "b/?${u}"),
        ("b/${u}", "b/?"),
        ("b/${u, 'x'}/y", "b/${u}/*"),
    ],
)
def test_a_variable_is_within_no_other_variable_and_no_question_mark(narrow: str, wide: str) -> None:
    assert not within(on(narrow), on(wide), Budget())
