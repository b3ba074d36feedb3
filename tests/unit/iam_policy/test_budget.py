"""What a comparison costs in steps of its budget: about the work that it is, whatever it is made of."""

from typing import Any

import pytest

from iam_policy import Budget, Request, compare, evaluate
from iam_policy.evaluation import Decision

N = 40


def of(*statements: dict[str, Any]) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [allow | statement for statement in statements]}


def numbered(form: str, numbers: range = range(N)) -> list[str]:
    return [form.format(number) for number in numbers]


def when(**operators: Any) -> dict[str, Any]:
    return {"Condition": operators}


def conditions(**operators: Any) -> dict[str, Any]:
    return of({"Condition": {name.replace("_", ":"): {"k": values} for name, values in operators.items()}})


MANY = 8 * N
DENIES = [
    {"Effect": "Deny", "Resource": f"arn:aws:s3:::*w{n}*", **when(StringNotEquals={"aws:PrincipalTag/t": f"x{n}"})}
    for n in range(N)
]


@pytest.mark.parametrize(
    ("steps", "baseline", "live"),
    [
        pytest.param(
            337,
            of({"Principal": {"AWS": numbered("{:012}", range(1, N))}}),
            of({"Principal": {"AWS": numbered("{:012}", range(2, N + 1))}}),
            id="principals",
        ),
        pytest.param(
            24_204,
            of(*({"Action": action} for action in numbered("sv{}:*"))),
            of(*({"Action": action} for action in numbered("sv{}:A*"))),
            id="services",
        ),
        pytest.param(
            2_386, of({"Action": numbered("s3:*a{}")}), of({"Action": numbered("s3:*a{}", range(1, N))}), id="actions"
        ),
        pytest.param(
            1_992,
            of({"Resource": numbered("arn:aws:s3:::*b{}/x")}),
            of({"Resource": numbered("arn:aws:s3:::*b{}/*")}),
            id="resources",
        ),
        pytest.param(
            4_450,
            conditions(StringLike=numbered("*a{}")),
            conditions(StringLike=numbered("*a{}*", range(1, N))),
            id="values",
        ),
        pytest.param(
            1_050,
            conditions(NumericLessThan=numbered("{}"), StringNotEquals=numbered("{}", range(5))),
            conditions(NumericLessThan=["3", "70"]),
            id="numbers that are texts, too",
        ),
        pytest.param(
            177,
            conditions(ForAnyValue_StringEquals=numbered("a{}", range(8)), ForAllValues_StringLike=["a*", "b*"]),
            conditions(ForAnyValue_StringEquals=["a1", "b2"]),
            id="several values",
        ),
        pytest.param(
            1_661,
            of(*({"Resource": f"arn:aws:s3:::b{n}", "Condition": {"StringEquals": {f"k{n}": "v"}}} for n in range(N))),
            of(*({"Resource": f"arn:aws:s3:::b{n}", "Condition": {"StringEquals": {f"k{n}": "w"}}} for n in range(N))),
            id="keys",
        ),
        pytest.param(
            2_894,
            of(*({"Condition": {"IpAddress": {"k": f"10.{n}.0.0/16"}}} for n in range(N))),
            of(*({"Condition": {"IpAddress": {"k": f"10.{n}.0.0/17"}}} for n in range(N))),
            id="addresses",
        ),
        pytest.param(
            30_033,
            of(*({"Principal": {"AWS": f"{n:012}"}, **when(Null={f"k{n}": "true"})} for n in range(1, MANY))),
            of(*({"Principal": {"AWS": f"{n:012}"}, **when(Null={f"k{n}": "true"})} for n in range(2, MANY + 1))),
            id="principals of a statement each",
        ),
        pytest.param(
            30_594,
            of(*({"Resource": f"arn:aws:s3:::b{n}", **when(StringEquals={"k": f"{n}"})} for n in range(MANY))),
            of(*({"Resource": f"arn:aws:s3:::b{n}", **when(StringEquals={"k": f"{n}"})} for n in range(1, MANY + 1))),
            id="values of a statement each",
        ),
        pytest.param(1_144, of(*DENIES), of({"Resource": "arn:aws:s3:::bucket/*"}, *DENIES), id="denies"),
        pytest.param(
            2_872,
            of(*({"Resource": f"arn:aws:s3:::b{n}/*", **when(StringEquals={f"k{n}": "v"})} for n in range(N))),
            of(*({"Resource": f"arn:aws:s3:::b{n}/x*", **when(StringEquals={f"k{n}": "v"})} for n in range(N))),
            id="narrower statements",
        ),
        pytest.param(
            3_043,
            of(
                *({"Resource": numbered(f"arn:aws:s3:::b{n}-{{}}/*"), **when(Null={f"k{n}": "true"})} for n in range(N))
            ),
            of({"Resource": "arn:aws:s3:::b*"}),
            id="a wider statement",
        ),
        pytest.param(
            10_119,
            of({"Resource": "arn:aws:s3:::h/${aws:username}/*"}),
            of(
                {"Resource": "arn:aws:s3:::h/${aws:username}/*"},
                {"Effect": "Deny", "Resource": numbered("arn:aws:s3:::h/s{}*")},
            ),
            id="a variable",
        ),
    ],
)
def test_a_comparison_costs_the_steps_that_it_takes(steps: int, baseline: Any, live: Any) -> None:
    """Within a fifth: the order of sets differs from process to process."""
    budget = Budget()

    compare([baseline], [live], budget=budget)

    assert Budget().steps - budget.steps == pytest.approx(steps, rel=0.2)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("arn:aws:iam::1:${aws:userid}", Decision.ALLOWED),
        ("arn:aws:iam::${aws:userid}", Decision.IMPLICITLY_DENIED),
    ],
)
def test_a_value_does_not_bring_the_parts_that_an_arn_pattern_lacks(pattern: str, expected: Decision) -> None:
    document = of({"Condition": {"ArnLike": {"aws:PrincipalArn": pattern}}})
    userid = "role/x" if expected is Decision.ALLOWED else "1:role/x"

    context = {"aws:PrincipalArn": "arn:aws:iam::1:role/x", "aws:userid": userid}

    assert evaluate([document], Request(action="s3:GetObject", resource="*", context=context)) is expected
