"""The values of variables that are tried first."""

from typing import Any

import pytest

from iam_policy import variables
from iam_policy.document import parse
from iam_policy.statement import Scope

USER = "aws:username"


def scopes(*names: str) -> list[Scope]:
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{name}"} for name in names
    ]
    return [one.scope for one in parse({"Version": "2012-10-17", "Statement": statements}).statements]


@pytest.mark.parametrize(
    ("template", "other", "value"),
    [
        ("b/${aws:username}", "b/ann", "ann"),
        ("b/${aws:username}/x", "b/ann/x", "ann"),
        ("b/${aws:username}-x", "b/ann-marie-x", "ann-marie"),
        ("b/${aws:username}-x", "b/?nn-*-x", "xnn-"),
        ("${aws:username}-x", "ann-x", "ann"),
    ],
)
def test_a_value_at_which_a_pattern_with_a_variable_meets_another_is_likely(
    template: str, other: str, value: str
) -> None:
    asked = scopes(template, other)

    assert {USER: value} in list(variables.likely_values([USER], asked))
    assert {USER: value} not in list(variables.likely_values([USER], scopes(template, "c")))


def test_a_value_that_is_made_up_is_in_no_text() -> None:
    asked = scopes("b/${aws:username}/example1", "example/*")

    fresh = variables.fresh_values([USER, "aws:principalaccount"], asked)

    assert fresh["aws:principalaccount"] == "111122223333"
    assert not any(fresh[USER] in text for text in ("b/", "/example1", "example/*"))
