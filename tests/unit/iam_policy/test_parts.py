"""A question that is taken apart has the answer of the whole one."""

from itertools import product
from os import environ
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.hostile_policies import INNER_STARS
from iam_policy import Budget, Decision, Request, Verdict, compare, effective_access, evaluate, parts, variables
from iam_policy.access import access_of
from iam_policy.dimensions import Assignment
from iam_policy.pairing import Pairing
from tests.unit.iam_policy.strategies import documents, pairs

EXAMPLES = int(environ.get("PROPERTY_EXAMPLES", "15"))
few = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
many = settings(max_examples=2_000, deadline=None, suppress_health_check=list(HealthCheck))
KINDS = {
    "plain": pairs(),
    "with variables": pairs(variables=True),
    "with both": pairs(variables=True, principals=True),
}
every_kind = pytest.mark.parametrize("kind", KINDS.keys())

_NAMES = ["s3:*a*b*", "s3:*b*a*", "s3:*a*c", "s3:b*c*", "*:*c*a*", "s3:a?c*", "s3:abc", "s3:*", "*"]
_allow_or_deny = st.builds(
    lambda effect, names, resource, value: {
        "Effect": effect,
        "Action": names,
        "Resource": resource,
        **({"Condition": {"StringEquals": {"aws:x": value}}} if value else {}),
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.lists(st.sampled_from(_NAMES), min_size=1, max_size=2),
    st.sampled_from(["*", "arn:aws:s3:::a*", "arn:aws:s3:::*b", "arn:aws:s3:::ab"]),
    st.sampled_from(["", "", "1", "2"]),
)
_of_many_stars = st.lists(_allow_or_deny, min_size=1, max_size=4).map(
    lambda listed: {"Version": "2012-10-17", "Statement": listed}
)
ACTIONS = ["s3:" + "".join(letters) for count in range(1, 4) for letters in product("abc", repeat=count)]
REQUESTS = [
    Request(action, f"arn:aws:s3:::{name}", {"aws:x": value} if value else {})
    for action in ACTIONS
    for name in ("ab", "b", "c")
    for value in ("", "1")
]


def check_parts(pair: tuple[Any, Any], boundary: Any) -> None:
    """Each question about one kind of actions has a difference exactly where one of its parts has."""
    sides = [effective_access([one], boundary=boundary) if boundary else access_of(one) for one in pair]
    pairing = Pairing(*sides)
    fresh = variables.fresh_values(variables.keys_of(pairing.scopes), pairing.scopes)
    for side in (0, 1):
        for candidate in pairing.candidates(side, Budget()):
            here = candidate.grounded(Assignment(fresh), Budget())
            whole = here.searched(Assignment(fresh), Budget())
            apart = parts.difference(here, Assignment(fresh), Budget(2_000_000))
            if whole is None or whole.certain:
                assert (apart is None) == (whole is None)


@every_kind
@few
@given(data=st.data())
def test_a_question_has_a_difference_where_one_of_its_parts_has(data: st.DataObject, kind: str) -> None:
    check_parts(data.draw(KINDS[kind]), data.draw(st.none() | documents(most=2)))


@pytest.mark.slow
@every_kind
@many
@given(data=st.data())
def test_thousands_of_questions_have_the_differences_of_their_parts(data: st.DataObject, kind: str) -> None:
    check_parts(data.draw(KINDS[kind]), data.draw(st.none() | documents(most=2)))


def check_outline(baseline: Any, live: Any) -> None:
    pairing = Pairing(access_of(baseline), access_of(live))
    for side, sides in ((1, (baseline, live)), (0, (live, baseline))):
        refuted = all(
            candidate.difference(Assignment({}), Budget()) is None
            for candidate in pairing.outlines(side, pairing.outlined, Budget())
        )
        if refuted:
            for request in REQUESTS:
                before, now = (evaluate(one, request) is Decision.ALLOWED for one in sides)
                assert before or not now, request


@few
@given(_of_many_stars, _allow_or_deny)
def test_what_is_ruled_out_in_outline_is_shown_by_no_request(baseline: Any, extra: Any) -> None:
    first, *others = baseline["Statement"]
    check_outline(baseline, baseline | {"Statement": [extra, *others]})
    check_outline(baseline, baseline | {"Statement": [first, *others, extra]})


@pytest.mark.slow
@many
@given(_of_many_stars, _of_many_stars)
def test_thousands_of_questions_ruled_out_in_outline_are_shown_by_no_request(baseline: Any, live: Any) -> None:
    check_outline(baseline, live)


def allow(action: Any, resource: Any = "*", effect: str = "Allow", **block: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource} | ({"Condition": block} if block else {})


def verdict(baseline: list[Any], live: list[Any]) -> Verdict:
    return compare({"Statement": baseline}, {"Statement": live}).verdict


def test_a_statement_written_as_two_among_many_with_stars_is_the_same() -> None:
    many = [allow(f"s3:{name}", f"arn:aws:s3:::b{number}/*") for number, name in enumerate(INNER_STARS)]
    one = allow("sqs:*", StringLike={"aws:x": ["*"]})
    two = [allow("sqs:*", StringEquals={"aws:x": "a"}), allow("sqs:*", StringNotEqualsIfExists={"aws:x": "a"})]

    assert verdict([*many, one], [*many, *two]) is Verdict.BROADENED
    assert verdict([*many, allow("sqs:*")], [*many, *two]) is Verdict.EQUIVALENT


def test_a_star_inside_an_action_that_no_action_of_today_has_is_decided() -> None:
    many = [allow(f"s3:{name}", f"arn:aws:s3:::b{number}/*") for number, name in enumerate(INNER_STARS)]

    assert verdict([*many, allow("s3:*op*a*q*")], [*many, allow("s3:*op*a*qx")]) is Verdict.NARROWED


def test_a_variable_is_decided_among_denies_of_many_words() -> None:
    words = ["vault", "admin", "token", "secret", "billing", "ledger"]
    denies = [
        allow("*", f"arn:aws:*:*:*:*{word}*", "Deny", StringNotEquals={"aws:PrincipalTag/team": ["platform", word]})
        for word in words
    ]
    passing = allow("iam:PassRole", "arn:aws:iam::1:role/${aws:PrincipalTag/team}-*")

    def within(pattern: str) -> Any:
        guard = {"Effect": "Deny", "Action": "iam:*", "NotResource": f"arn:aws:iam::1:role/{pattern}"}
        boundary = {"Version": "2012-10-17", "Statement": [allow("*"), guard]}
        return effective_access([{"Version": "2012-10-17", "Statement": [passing, *denies]}], boundary=boundary)

    assert compare(within("team-*"), within("team*")).verdict is Verdict.BROADENED
    assert compare(within("team*"), within("team-*")).verdict is Verdict.NARROWED


def test_many_statements_within_a_boundary_of_many_are_decided() -> None:
    def of(owner: str, number: int, name: str = "*") -> dict[str, Any]:
        return allow("s3:*", f"arn:aws:s3:::b{number}/{name}", StringEquals={f"aws:{owner}{number}": "v"})

    policy = [of("own", number) for number in range(20)]
    boundary = {"Statement": [of("boundary", number) for number in range(20)]}

    def within(*statements: dict[str, Any]) -> Any:
        return effective_access([{"Statement": list(statements)}], boundary=boundary)

    other = allow("s3:*", "arn:aws:s3:::b7/x", StringEquals={"aws:other": "v"})
    assert compare(within(*policy), within(*policy, other)).verdict is Verdict.BROADENED
    assert compare(within(*policy), within(*policy, allow("s3:*", "arn:aws:s3:::c"))).verdict is Verdict.EQUIVALENT
    assert compare(within(*policy), within(*policy[1:])).verdict is Verdict.NARROWED
