"""The canonical form: one spelling for policies that differ in spelling only."""

import copy
import pickle
from typing import Any

import pytest

from iam_policy import PolicyDocumentError, canonical_form, canonical_hash, effective_access
from tests.unit.iam_policy.rewrites import rewritten

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        ALLOW | {"Sid": "Read", "Condition": {"StringEqualsIgnoreCase": {"aws:PrincipalTag/Team": ["A", "b"]}}},
        {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "NotResource": "*", "Principal": {"AWS": "111122223333"}},
        {"Effect": "Allow", "Action": ["s3:Put*", "s3:Get*"], "Resource": "arn:aws:s3:::b/${aws:username, 'x'}"},
    ],
}


def of(*statements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"Version": "2012-10-17", "Statement": list(statements)}]


@pytest.mark.parametrize("seed", range(20))
def test_a_rewrite_that_means_nothing_has_the_same_hash(seed: int) -> None:
    assert canonical_hash([rewritten(POLICY, seed)]) == canonical_hash([POLICY])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (of(ALLOW | {"Action": ["s3:Get*", "s3:GetObject"]}), of(ALLOW | {"Action": "S3:get*"})),
        (of(ALLOW, ALLOW | {"Action": "s3:PutObject"}), of(ALLOW | {"Action": ["s3:PutObject", "s3:GetObject"]})),
        (
            of(ALLOW | {"Resource": ["arn:aws:s3:::a?*", "arn:aws:s3:::*z", "arn:aws:s3:::abc", "arn:aws:s3:::a-*-z"]}),
            of(ALLOW | {"Resource": ["arn:aws:s3:::*z", "arn:aws:s3:::a?*", "arn:aws:s3:::abcz", "arn:aws:s3:::ab"]}),
        ),
        (of(ALLOW | {"Resource": "arn:aws:s3:::a**b*?"}), of(ALLOW | {"Resource": "arn:aws:s3:::a*b?*"})),
        (of(ALLOW, ALLOW | {"Resource": "*"}), of(ALLOW, ALLOW | {"Resource": ["*", "arn:aws:s3:::x"]})),
        (
            of(ALLOW, ALLOW | {"Resource": "arn:aws:s3:::b"}),
            of(ALLOW | {"Resource": ["arn:aws:s3:::b", "arn:aws:s3:::a/*"]}),
        ),
        (
            of(ALLOW | {"Condition": {"StringEqualsIgnoreCase": {"aws:x": "A"}}}),
            of(ALLOW | {"Condition": {"StringEqualsIgnoreCase": {"AWS:X": ["a", "A"]}}}),
        ),
        (
            of(ALLOW | {"Condition": {"NumericEquals": {"aws:x": "1.0"}}}),
            of(ALLOW | {"Condition": {"NumericEquals": {"aws:x": 1}}}),
        ),
        (of(ALLOW, ALLOW), of(ALLOW)),
        ([*of(ALLOW), *of(ALLOW | {"Effect": "Deny"})], of(ALLOW | {"Effect": "Deny"}, ALLOW)),
    ],
)
def test_spelling_leaves_no_trace(first: Any, second: Any) -> None:
    assert canonical_hash(first) == canonical_hash(second)


@pytest.mark.parametrize(
    "other",
    [
        of(ALLOW | {"Effect": "Deny"}),
        of(ALLOW | {"Action": "s3:GetObject*"}),
        of({"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}),
        of(ALLOW | {"Resource": "arn:aws:s3:::A/*"}),
        of({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::a/*"}),
        of(ALLOW | {"Principal": "*"}),
        of(ALLOW | {"NotPrincipal": "*"}),
        of(ALLOW | {"Condition": {"StringEquals": {"aws:x": "a"}}}),
        of(ALLOW | {"Condition": {"StringNotEquals": {"aws:x": "a"}}}),
        of(ALLOW | {"Condition": {"StringEqualsIfExists": {"aws:x": "a"}}}),
        of(ALLOW | {"Condition": {"ForAllValues:StringEquals": {"aws:x": "a"}}}),
        of(ALLOW | {"Condition": {"StringEquals": {"aws:x": "${aws:y}"}}}),
        of(ALLOW | {"Condition": {"StringEquals": {"aws:x": "${aws:y, 'z'}"}}}),
        of(ALLOW | {"Condition": {"StringEquals": {"aws:x": "A"}}}),
        of(ALLOW | {"Condition": {"NumericLessThan": {"aws:x": "1"}}}),
        of(ALLOW | {"Condition": {"NumericLessThanEquals": {"aws:x": "1"}}}),
    ],
)
def test_what_has_a_meaning_is_kept(other: Any) -> None:
    assert canonical_hash(other) != canonical_hash(of(ALLOW))
    assert sum(canonical_hash(other) == canonical_hash(one) for one in [other, of(ALLOW)]) == 1


def test_the_form_can_be_read() -> None:
    assert canonical_form(of(ALLOW | {"Sid": "x"})) == [
        [{"Effect": "Allow", "Action": ["s3:getobject"], "Resource": ["arn:aws:s3:::a/*"]}]
    ]


def test_a_malformed_document_has_no_hash() -> None:
    with pytest.raises(PolicyDocumentError, match="/Statement/0"):
        canonical_hash(of({"Effect": "Allow"}))


def test_a_copied_access_is_the_same_access() -> None:
    tests = {"StringEquals": {"aws:username": "ann"}, "NumericLessThan": {"aws:age": "7"}, "Null": {"aws:x": "true"}}
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": tests}
    access = effective_access([{"Version": "2012-10-17", "Statement": statement}])

    assert copy.deepcopy(access) == access
    assert pickle.loads(pickle.dumps(access)) == access  # noqa: S301 - our own
