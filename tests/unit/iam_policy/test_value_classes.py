"""Policy variables are decided by the classes of their values; checked by all requests of a small world."""

from itertools import product
from os import environ
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam_policy import Access, Budget, Decision, Request, Verdict, compare, effective_access
from iam_policy.access import access_of
from iam_policy.evaluation import decide
from iam_policy.value_classes import classes

START = "arn:aws:s3:::"
USER, TAG = "aws:username", "aws:PrincipalTag/t"
TEXTS = ["", "a", "b", "x", "aa", "ab", "ba", "ax", "a-", "-", "ab-", "aba"]
RESOURCES = [START + "".join(letters) for count in range(5) for letters in product("ab-", repeat=count)] + ["*"]
few = settings(
    max_examples=int(environ.get("PROPERTY_EXAMPLES", "20")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
many = settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))

_piece = st.sampled_from(["a", "b", "-", "*", "?", f"${{{USER}}}", f"${{{USER}}}", f"${{{TAG}}}"])
_pattern = st.lists(_piece, min_size=1, max_size=4).map("".join)
_of_resources = st.one_of(_pattern.map(lambda text: START + text), st.just("*"))
_value = st.one_of(
    st.lists(st.sampled_from(["a", "b", "*", "?", "-"]), max_size=3).map("".join), st.just(f"${{{USER}}}")
)
_operators = st.sampled_from(["StringLike", "StringNotLike", "StringEquals", "StringNotEquals", "StringLikeIfExists"])
_block = st.builds(
    lambda operator, key, value: {operator: {key: value}}, _operators, st.sampled_from([USER, USER, TAG]), _value
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    key = draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))
    statement = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        "Action": "s3:GetObject",
        key: draw(st.lists(_of_resources, min_size=1, max_size=2)),
    }
    block = draw(st.one_of(st.just({}), _block))
    return statement | ({"Condition": block} if block else {})


documents = st.lists(statements(), min_size=1, max_size=3).map(
    lambda listed: {"Version": "2012-10-17", "Statement": listed}
)
REQUESTS = [
    Request("s3:GetObject", resource, {key: value for key, value in ((USER, user), (TAG, tag)) if value is not None})
    for resource in RESOURCES[::2]
    for user in (*TEXTS, None)
    for tag in ("a", "-", None)
]


def check(baseline: Access, live: Access) -> None:
    verdict = compare(baseline, live).verdict
    for request in REQUESTS:
        before, now = (decide(side, request) is Decision.ALLOWED for side in (baseline, live))
        assert before or not now or verdict in {Verdict.BROADENED, Verdict.INCOMPARABLE, Verdict.UNKNOWN}, request
        assert now or not before or verdict in {Verdict.NARROWED, Verdict.INCOMPARABLE, Verdict.UNKNOWN}, request


@few
@given(documents, documents)
def test_no_value_of_a_variable_contradicts_a_verdict(baseline: Any, live: Any) -> None:
    check(access_of(baseline), access_of(live))


def check_one_more(baseline: Any, extra: Any, boundary: Any) -> None:
    live = baseline | {"Statement": [*baseline["Statement"], extra]}
    check(effective_access([baseline], boundary=boundary), effective_access([live], boundary=boundary))


@few
@given(documents, statements(), st.none() | documents)
def test_no_value_contradicts_a_verdict_about_one_more_statement(baseline: Any, extra: Any, boundary: Any) -> None:
    check_one_more(baseline, extra, boundary)


@pytest.mark.slow
@many
@given(documents, statements(), st.none() | documents)
def test_no_value_contradicts_thousands_with_one_more_statement(baseline: Any, extra: Any, boundary: Any) -> None:
    check_one_more(baseline, extra, boundary)


@pytest.mark.slow
@many
@given(documents, documents)
def test_no_value_contradicts_one_of_thousands_of_verdicts(baseline: Any, live: Any) -> None:
    check(access_of(baseline), access_of(live))


def allow(resource: str, effect: str = "Allow", **block: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:*", "Resource": resource} | ({"Condition": block} if block else {})


def verdict(baseline: list[Any], live: list[Any]) -> Verdict:
    sides = ({"Version": "2012-10-17", "Statement": statements} for statements in (baseline, live))
    return compare(*sides).verdict


HOME = "arn:aws:s3:::h/${aws:username}/*"


def test_a_deny_that_a_condition_on_the_variable_rules_out_changes_nothing() -> None:
    homes = allow(HOME, StringNotLike={USER: "svc-*"})

    assert verdict([homes], [homes, allow("arn:aws:s3:::h/svc-*", "Deny")]) is Verdict.EQUIVALENT
    assert verdict([homes], [homes, allow("arn:aws:s3:::h/sv*", "Deny")]) is Verdict.NARROWED


def test_a_wildcard_that_holds_all_values_of_a_variable_is_wider() -> None:
    homes = allow(HOME, StringLike={USER: "dev-*"})

    assert verdict([homes], [allow("arn:aws:s3:::h/dev-*", StringLike={USER: "dev-*"})]) is Verdict.BROADENED
    assert verdict([homes], [homes, allow("arn:aws:s3:::h/dev-*", "Deny")]) is Verdict.NARROWED


def test_a_value_that_goes_on_where_a_pattern_ends_is_tried() -> None:
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": "arn:aws:iam::1:role/${aws:PrincipalTag/team}-*",
    }
    identity = {"Version": "2012-10-17", "Statement": [passing]}

    def within(pattern: str) -> Access:
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        guard = {"Effect": "Deny", "Action": "iam:*", "NotResource": f"arn:aws:iam::1:role/{pattern}"}
        return effective_access([identity], boundary={"Statement": [everything, guard]})

    comparison = compare(within("team-*"), within("team*"))

    assert comparison.verdict is Verdict.BROADENED
    (witness,) = comparison.newly_allowed
    assert str(witness.context["aws:principaltag/team"]).startswith("team")


def test_a_condition_on_an_address_leaves_a_variable_decided() -> None:
    homes = allow(HOME, StringNotLike={USER: "svc-*"}, IpAddress={"aws:SourceIp": "10.0.0.0/8"})

    assert verdict([homes], [homes, allow("arn:aws:s3:::h/svc-*", "Deny")]) is Verdict.EQUIVALENT


def test_a_variable_that_is_a_number_too_is_decided_where_its_value_does_not_matter() -> None:
    def by_time(**block: Any) -> dict[str, Any]:
        return allow("arn:aws:s3:::h/${aws:EpochTime}/*", NumericLessThan={"aws:EpochTime": "5"}, **block)

    halves = [by_time(StringEquals={"aws:x": "a"}), by_time(StringNotEqualsIfExists={"aws:x": "a"})]

    assert verdict(halves, [by_time()]) is Verdict.EQUIVALENT


def test_a_resource_that_must_be_a_value_and_longer_than_it_is_none() -> None:
    longer = {"Effect": "Deny", "Action": "s3:*", "NotResource": START + "${aws:username}?${aws:username}"}

    assert (
        verdict([allow(START + "${aws:username}"), longer], [allow(START + "a${aws:username}", "Deny")])
        is Verdict.EQUIVALENT
    )


def test_a_deny_of_two_variables_is_met_at_a_value_of_the_second() -> None:
    allowed = allow(START + "${aws:username}aba", StringLike={USER: "-"})
    denied = allow(START + f"${{aws:username}}?${{{TAG}}}", "Deny")

    assert verdict([allowed], [allowed, denied]) is Verdict.NARROWED


def test_a_class_has_each_way_in_which_globs_go_on() -> None:
    document = {"Version": "2012-10-17", "Statement": [allow(HOME), allow("arn:aws:s3:::h/ab*", "Deny")]}
    scopes = [statement.scope for statement in access_of(document).layers[0]]

    found = classes(USER, scopes, Budget())

    assert {text[:2] == "ab" for text in found} == {True, False}
    assert "a" in found
    assert any(":" in text for text in found)


def test_an_empty_value_counts_as_missing_and_is_still_the_text_of_its_variable() -> None:
    live = allow("arn:aws:s3:::${aws:username}", Null={USER: "true"})
    other = allow("arn:aws:s3:::other")

    assert verdict([other], [other, live]) is Verdict.BROADENED
