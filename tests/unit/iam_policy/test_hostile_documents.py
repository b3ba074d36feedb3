"""Policies made to be hard: an answer or UNKNOWN, in bounded time and memory."""

import sys
import tracemalloc
from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest

from iam_policy import Budget, Comparison, PolicyDocumentError, Verdict, compare

LETTERS = "abcdefghijklmnopqrstuvwx"
#: What a slow and busy machine may take; on a quiet one it is about a tenth.
MOST_SECONDS = 15
MOST_BYTES = 256 * 1024 * 1024


def allow(action: Any = "s3:GetObject", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def when(operator: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"Condition": {operator: values}}


def every_choice(keys: int, *, but: int = -1) -> list[dict[str, Any]]:
    """Statements that cover each combination of some keys being ``a`` or not, except one."""
    return [
        allow(
            Condition={
                "StringEquals": {f"k{key}": "a" for key in range(keys) if choice >> key & 1},
                "StringNotEquals": {f"k{key}": "a" for key in range(keys) if not choice >> key & 1},
            }
        )
        for choice in range(1 << keys)
        if choice != but
    ]


HOSTILE = {
    "stars and letters": ([allow("s3:" + "*a" * 30)], [allow("s3:" + "*a" * 31)]),
    "stars and letters in several": (
        [allow(["s3:" + "*a" * 30, "s3:" + "*b" * 30])],
        [allow(["s3:" + "*a" * 31, "s3:" + "*ab" * 20])],
    ),
    "6,144 characters of stars": ([allow(resource="arn:aws:s3:::" + "*" * 6_131)], [allow(resource="arn:aws:s3:::*")]),
    "6,144 characters of stars and letters": (
        [allow(resource="arn:aws:s3:::" + "*a" * 3_065)],
        [allow(resource="arn:aws:s3:::" + "*a" * 3_064)],
    ),
    "6,144 question marks": (
        [allow(resource="arn:aws:s3:::" + "?" * 6_131)],
        [allow(resource="arn:aws:s3:::" + "?" * 6_130 + "*")],
    ),
    "question marks and letters": (
        [allow(resource="arn:aws:s3:::*" + "?a" * 3_000)],
        [allow(resource="arn:aws:s3:::*" + "a?" * 3_000)],
    ),
    "a word anywhere, or another": (
        [allow(resource=f"arn:aws:s3:::*{letter}*", **when("Bool", {f"k{letter}": "true"})) for letter in LETTERS],
        [allow(resource=f"arn:aws:s3:::*{letter}*", **when("Bool", {f"k{letter}": "true"})) for letter in LETTERS[1:]],
    ),
    "exceptions everywhere": (
        [
            allow("*"),
            *(
                {"Effect": "Deny", "NotAction": f"s3:*{letter}*", "NotResource": f"arn:aws:s3:::*{letter}*"}
                for letter in LETTERS
            ),
        ],
        [allow("*"), {"Effect": "Deny", "NotAction": "s3:*y*", "NotResource": "arn:aws:s3:::*y*"}],
    ),
    "five hundred statements": (
        [allow(f"s3:A{n}*", f"arn:aws:s3:::b{n}*/c", **when("StringLike", {f"k{n}": f"*{n}*"})) for n in range(500)],
        [allow(f"s3:A{n}*", f"arn:aws:s3:::b{n}*/c", **when("StringLike", {f"k{n}": f"*{n}?"})) for n in range(500)],
    ),
    "three thousand wildcards": (
        [allow(resource=[f"arn:aws:s3:::b{n}*/c" for n in range(3_000)])],
        [allow(resource=[f"arn:aws:s3:::b{n}*/d" for n in range(3_000)])],
    ),
    "conditions that multiply": ([allow()], every_choice(8, but=77)),
    "sets of values that multiply": (
        [allow(**when("ForAnyValue:StringLike", {"k": f"*{letter}*"})) for letter in LETTERS],
        [allow(**when("ForAllValues:StringNotLike", {"k": f"*{letter}*"})) for letter in LETTERS],
    ),
    "thousands of blocks": (
        [allow(**when("IpAddress", {"aws:SourceIp": [f"10.{n}.{m}.0/25" for n in range(30) for m in range(80)]}))],
        [allow(**when("IpAddress", {"aws:SourceIp": [f"10.{n}.{m}.0/24" for n in range(30) for m in range(80)]}))],
    ),
    "thousands of numbers": (
        [allow(**when("NumericEquals", {"k": list(range(0, 3_000, 2))}))],
        [allow(**when("NumericEquals", {"k": list(range(0, 3_000, 3))}))],
    ),
    "thousands of keys": (
        [allow(**when("StringEquals", {f"k{n}": "a" for n in range(1_500)}))],
        [allow(**when("StringEquals", {f"k{n}": "a" for n in range(1_499)}))],
    ),
    "many variables": (
        [allow(resource=[f"arn:aws:s3:::${{aws:PrincipalTag/k{n}}}/*" for n in range(30)])],
        [allow(resource=[f"arn:aws:s3:::${{aws:PrincipalTag/k{n}}}/*/*" for n in range(30)])],
    ),
    "lone surrogates": (
        [allow("s3:*", "arn:aws:s3:::\udfff", **when("StringLike", {"aws:\ud800": "\ud800*"}))],
        [allow("s3:*", "arn:aws:s3:::\udfff*", **when("StringLike", {"aws:\ud800": "*\udfff*"}))],
    ),
    "variables among wildcards": (
        [allow(resource=[f"arn:aws:s3:::*{letter}*${{aws:username}}*" for letter in LETTERS])],
        [allow(resource=[f"arn:aws:s3:::*${{aws:username}}*{letter}*" for letter in LETTERS])],
    ),
}


def compared(baseline: list[dict[str, Any]], live: list[dict[str, Any]]) -> Comparison:
    version = "2012-10-17"
    return compare([{"Version": version, "Statement": baseline}], [{"Version": version, "Statement": live}])


@pytest.fixture
def untraced() -> Iterator[None]:
    """Measuring coverage makes a loop many times slower than it is for users."""
    tracer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracer)


@pytest.mark.parametrize(("baseline", "live"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_pair_is_answered_in_bounded_time(untraced: None, baseline: Any, live: Any) -> None:
    started = process_time()

    comparison = compared(baseline, live)

    assert process_time() - started < MOST_SECONDS
    assert (comparison.verdict is Verdict.UNKNOWN) == bool(comparison.reason)


@pytest.mark.slow
@pytest.mark.parametrize(("baseline", "live"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_pair_is_answered_in_bounded_memory(baseline: Any, live: Any) -> None:
    tracemalloc.start()

    compared(baseline, live)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST_BYTES


def test_conditions_that_cover_everything_together_are_seen_to() -> None:
    assert compared([allow()], every_choice(8)).verdict is Verdict.EQUIVALENT


def test_the_one_combination_that_is_not_covered_is_found() -> None:
    comparison = compared([allow()], every_choice(8, but=0b01001101))

    assert comparison.verdict is Verdict.NARROWED
    assert comparison.newly_denied[0].context == {"k0": "a", "k2": "a", "k3": "a", "k6": "a"}


ROLES = [f"arn:aws:iam::{number:012}:role/r{number}" for number in range(5_001)]
MANY = {
    "principals in one list": ([allow(Principal={"AWS": ROLES})], [allow(Principal={"AWS": ROLES[1:]})]),
    "accounts in one list": (
        [allow(Principal={"AWS": [f"{number:012}" for number in range(5_000)]})],
        [allow(Principal={"AWS": [f"{number:012}" for number in range(1, 5_000)]})],
    ),
    "services that nobody knows": (
        [allow(f"sv{n}:*", f"arn:aws:s3:::b{n}") for n in range(2_000)],
        [allow(f"sv{n}:*", f"arn:aws:s3:::c{n}") for n in range(2_000)],
    ),
    "statements with an action each": (
        [allow(f"s3:A{n}", f"arn:aws:s3:::b{n}") for n in range(3_000)],
        [allow(f"s3:A{n}", f"arn:aws:s3:::c{n}") for n in range(3_000)],
    ),
    "statements with a key each": (
        [allow(**when("Bool", {f"k{n}": "true"})) for n in range(1_500)],
        [allow(**when("Bool", {f"k{n}": "true"})) for n in range(1, 1_501)],
    ),
    "statements with a value each": (
        [allow(**when("StringEquals", {"k": f"v{n}"})) for n in range(1_500)],
        [allow(**when("StringEquals", {"k": f"v{n}"})) for n in range(1, 1_501)],
    ),
    "globs that end alike": (
        [allow([f"s3:*a{n}" for n in range(2_000)])],
        [allow([f"s3:*a{n}" for n in range(1, 2_000)])],
    ),
    "resource patterns": (
        [allow(resource=[f"arn:aws:s3:::b{n}/*" for n in range(5_000)])],
        [allow(resource=[f"arn:aws:s3:::b{n}/*" for n in range(1, 5_000)])],
    ),
    "patterns that one of many covers": (
        [allow(resource=[f"arn:aws:s3:::b{n}/*" for n in range(5_000)])],
        [allow(resource=[f"arn:aws:s3:::b{n}/c" for n in range(5_000)])],
    ),
    "sets of values": (
        [allow(**when("ForAnyValue:StringEquals", {"k": f"v{n}"})) for n in range(1_500)],
        [allow(**when("ForAnyValue:StringEquals", {"k": f"v{n}"})) for n in range(1, 1_501)],
    ),
    "statements with a variable": (
        [allow(resource=f"arn:aws:s3:::${{aws:username}}/b{n}/*") for n in range(500)],
        [allow(resource=f"arn:aws:s3:::${{aws:username}}/c{n}/*") for n in range(500)],
    ),
}
#: Calls of functions, counted in place of seconds: the same on every machine. A second of one core makes five million.
MOST_CALLS = 5_000_000


@pytest.fixture
def calls() -> Iterator[Iterator[int]]:
    """How many functions were called since the test began."""
    count = 0
    profiler = sys.getprofile()

    def called(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    def until_now() -> Iterator[int]:
        while True:
            yield count

    sys.setprofile(called)
    yield until_now()
    sys.setprofile(profiler)


@pytest.mark.parametrize(("baseline", "live"), MANY.values(), ids=MANY.keys())
def test_thousands_of_a_kind_are_bounded_work(untraced: None, calls: Iterator[int], baseline: Any, live: Any) -> None:
    comparison = compared(baseline, live)

    assert next(calls) < MOST_CALLS
    assert (comparison.verdict is Verdict.UNKNOWN) == bool(comparison.reason)


def test_a_key_that_is_repeated_among_thousands_is_found() -> None:
    keys = [f'"k{number}": 1' for number in range(10_000)]

    with pytest.raises(PolicyDocumentError, match="key 'k9999' occurs twice"):
        compare(["{" + ", ".join([*keys, keys[-1]]) + "}"], [])


def test_witnesses_that_were_found_before_the_budget_was_spent_are_kept() -> None:
    baseline = [allow(f"s3:A{n}", f"arn:aws:s3:::b{n}") for n in range(50)]
    live = [allow(f"s3:A{n}", f"arn:aws:s3:::c{n}") for n in range(50)]

    comparison = compare([{"Statement": baseline}], [{"Statement": live}], budget=Budget(800), most_witnesses=40)

    assert comparison.verdict in {Verdict.INCOMPARABLE, Verdict.UNKNOWN}
    assert comparison.newly_allowed


def test_a_known_action_is_named_although_many_others_are_found_first() -> None:
    live = [allow([f"example{n}:A" for n in range(20)]), allow("s3:GetObject", "arn:aws:s3:::b")]

    comparison = compared([allow("iam:GetUser")], [allow("iam:GetUser"), *live])

    assert comparison.newly_allowed[0].action == "s3:GetObject"
