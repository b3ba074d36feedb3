"""Conditions that bind the key of a policy variable, checked by the decisions on all requests of a small world."""

from itertools import product
from os import environ
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam_policy import Decision, Request, Verdict, compare, evaluate
from iam_policy.access import Access, access_of
from iam_policy.binding import bound
from iam_policy.evaluation import decide

BUCKET = "arn:aws:s3:::b"
KEYS = ["aws:PrincipalTag/a", "aws:PrincipalTag/b", "aws:RequestTag/c"]
VALUES = ["x", "y", "", "x/y"]
few = settings(
    max_examples=int(environ.get("PROPERTY_EXAMPLES", "60")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

_plain = st.lists(st.sampled_from(VALUES), min_size=1, max_size=3, unique=True)
_variable = st.sampled_from(KEYS).map(lambda key: f"${{{key}}}")
_conditions = st.lists(
    st.tuples(
        st.sampled_from(["StringEquals", "StringEquals", "StringLike", "StringNotEquals", "StringEqualsIfExists"]),
        st.sampled_from(KEYS),
        st.one_of(_variable, _variable, _plain, st.just("x*")),
    ),
    min_size=1,
    max_size=4,
)
_resources = st.sampled_from([*(f"{BUCKET}/${{{key}}}/*" for key in KEYS), f"{BUCKET}/x/*", f"{BUCKET}/*", "*"])


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    block: dict[str, dict[str, Any]] = {}
    for operator, key, value in draw(_conditions):
        block.setdefault(operator, {})[key] = value
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": draw(_resources), "Condition": block}


documents = st.lists(statements(), min_size=1, max_size=3).map(
    lambda listed: {"Version": "2012-10-17", "Statement": listed}
)


def every_request() -> list[Request]:
    """Every choice of values of the keys, none included, on each of some resources."""
    found = []
    for values in product([*VALUES, None], repeat=len(KEYS)):
        context = {key: value for key, value in zip(KEYS, values, strict=True) if value is not None}
        found += [Request("s3:GetObject", f"{BUCKET}/{name}", context) for name in ("x/1", "y/1", "/1", "x/y/1", "z/1")]
    return found


REQUESTS = every_request()


@few
@given(documents)
def test_statements_without_bound_variables_decide_every_request_alike(document: Any) -> None:
    access = access_of(document)
    (written,) = bound(access)

    assert [decide(written, request) for request in REQUESTS] == [decide(access, request) for request in REQUESTS]


@few
@given(documents, documents)
def test_no_request_of_the_small_world_contradicts_a_verdict(baseline: Any, live: Any) -> None:
    verdict = compare(baseline, live).verdict
    before = [evaluate(baseline, request) is Decision.ALLOWED for request in REQUESTS]
    after = [evaluate(live, request) is Decision.ALLOWED for request in REQUESTS]

    more = any(now and not then for then, now in zip(before, after, strict=True))
    less = any(then and not now for then, now in zip(before, after, strict=True))
    assert not more or verdict in {Verdict.BROADENED, Verdict.INCOMPARABLE, Verdict.UNKNOWN}
    assert not less or verdict in {Verdict.NARROWED, Verdict.INCOMPARABLE, Verdict.UNKNOWN}


def allow(resource: str, **block: dict[str, Any]) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource, "Condition": block}
    return {"Version": "2012-10-17", "Statement": [statement]}


A, B, C = KEYS


@pytest.mark.parametrize(
    ("baseline", "live"),
    [
        pytest.param(
            allow(f"{BUCKET}/${{{B}}}/*", StringEquals={A: f"${{{B}}}", B: "x"}),
            allow(f"{BUCKET}/x/*", StringEquals={A: "x", B: "x"}),
            id="an equal key that is bound",
        ),
        pytest.param(
            allow(f"{BUCKET}/${{{B}}}/*", StringEquals={A: f"${{{B}}}"}, StringLike={A: "x"}),
            allow(f"{BUCKET}/x/*", StringEquals={A: "x", B: "x"}),
            id="the other way round",
        ),
        pytest.param(
            allow("*", StringEquals={A: f"${{{B}}}", B: f"${{{C}}}"}),
            allow("*", StringEquals={A: f"${{{C}}}", C: f"${{{B}}}"}),
            id="by a third key",
        ),
        pytest.param(
            allow(f"{BUCKET}/${{{C}}}/*", StringEquals={A: f"${{{B}}}", B: f"${{{C}}}"}, StringLike={A: "y"}),
            allow(f"{BUCKET}/y/*", StringEquals={A: "y", B: "y", C: "y"}),
            id="bound by a third key",
        ),
    ],
)
def test_keys_that_are_equal_are_bound_together(baseline: Any, live: Any) -> None:
    assert compare(baseline, live).verdict is Verdict.EQUIVALENT


@pytest.mark.parametrize(
    ("resources", "verdict"),
    [
        ([f"{BUCKET}/${{{A}}}/*"], Verdict.EQUIVALENT),
        ([f"{BUCKET}/${{{A}}}/*", f"{BUCKET}/z/*"], Verdict.NARROWED),
    ],
)
def test_a_key_that_may_be_missing_is_bound_where_the_resource_needs_it(resources: list[str], verdict: Verdict) -> None:
    baseline, live = allow(BUCKET, StringEqualsIfExists={A: "x"}), allow(f"{BUCKET}/x/*", StringEquals={A: "x"})
    baseline["Statement"][0]["Resource"] = resources

    assert compare(baseline, live).verdict is verdict


def test_a_statement_with_very_many_bound_values_stays_as_it_is() -> None:
    many = {key: [f"v{number}" for number in range(40)] for key in KEYS}
    document = allow(f"{BUCKET}/${{{A}}}/${{{B}}}/${{{C}}}", StringEquals=many)

    assert bound(access_of(document)) == (access_of(document),)
    assert isinstance(bound(access_of(document))[0], Access)
