"""Whatever is handed over as a document or a request gets an answer or a clear refusal, and never anything else."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from iam_policy import (
    Budget,
    InvalidRequestError,
    PolicyDocumentError,
    PolicyError,
    Request,
    canonical_hash,
    compare,
    evaluate,
)
from iam_policy.operators import NAMES
from iam_policy.source import read_documents

WORDS = [
    *("Version", "2012-10-17", "2008-10-17", "Id", "Statement", "Sid", "Effect", "Allow", "Deny", "Principal"),
    *("NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition", "AWS", "Service", "*", "s3:*"),
    *("arn:aws:s3:::${aws:username}*", "arn:aws:s3:::${", "arn:", "ForAnyValue:StringLike", "ForSome:Bool", "\ufeff"),
    *("111122223333", "arn:aws:iam:::root", "AIDAABCDEFGHIJKLMNOP", "aws:x", "AWS:X", "\ue000", "\ud800", "1e400"),
    *NAMES,
]
words = st.sampled_from(WORDS) | st.text(max_size=8)
numbers = st.integers() | st.floats() | st.sampled_from([10**4_200, -(10**400), 1e308])
scalars = st.none() | st.booleans() | numbers | words
anything = st.recursive(
    scalars | st.binary(max_size=3) | st.tuples(words) | st.frozensets(words, max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | numbers | st.none(), inner, max_size=4),
    max_leaves=12,
)


def members(**shapes: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have some of these members, mostly of the right shape."""
    return st.fixed_dictionaries({}, optional={name: shape | anything for name, shape in shapes.items()})


listed = words | st.lists(words | numbers, max_size=3)
conditions = st.dictionaries(words, st.dictionaries(words, listed | scalars, max_size=2), max_size=2)
statements = members(
    Effect=st.sampled_from(["Allow", "Deny"]),
    Action=st.sampled_from(["s3:*", "s3:GetObject"]),
    Resource=st.sampled_from(["*", "arn:aws:s3:::${aws:username}/*"]),
    Principal=st.dictionaries(st.sampled_from(["AWS", "Service"]), listed, max_size=2),
    Condition=conditions,
)
whole = st.builds(
    lambda more: {"Effect": "Allow", "Action": "s3:*", "Resource": "*"} | more, members(Condition=conditions)
)
documents = members(
    Version=st.sampled_from(["2012-10-17", "2008-10-17"]),
    Statement=whole | statements | st.lists(whole | statements, max_size=3),
)
GOOD = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}


def refusal_of(kind: type[PolicyError], ask: Callable[[], object]) -> PolicyError | None:
    """How a question was refused; None for an answer. Any other error fails the test."""
    try:
        ask()
    except kind as refusal:
        return refusal
    return None


def is_answered_or_refused(document: Any) -> None:
    refusal = refusal_of(PolicyDocumentError, lambda: evaluate([document], Request("s3:GetObject")))
    if refusal is None:
        compare([GOOD], [document], budget=Budget(20_000))
        canonical_hash([document])
    else:
        assert "; allowed: " in str(refusal)
        assert len(str(refusal)) < 2_000


@given(documents | anything)
def test_any_object_as_a_document_is_answered_or_refused(document: Any) -> None:
    is_answered_or_refused(document)


@given(anything)
def test_anything_in_place_of_documents_is_answered_or_refused(documents: Any) -> None:
    refusal = refusal_of(PolicyDocumentError, lambda: compare(documents, [GOOD], budget=Budget(20_000)))

    assert refusal is None or "; allowed: " in str(refusal)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@given(st.text(max_size=40) | st.text('{}[]":,0eE+-. \\\\nulNaNtrue', max_size=40) | json_values.map(json.dumps))
def test_any_text_as_a_document_is_answered_or_refused(text: str) -> None:
    is_answered_or_refused(text)
    refusal_of(PolicyDocumentError, lambda: read_documents(text))


@given(anything, anything, anything, anything)
def test_anything_in_a_request_is_answered_or_refused(action: Any, resource: Any, context: Any, principal: Any) -> None:
    for arguments in (
        (action, "*", {}, None),
        ("s3:GetObject", resource, {}, None),
        ("s3:GetObject", "*", context, None),
        ("s3:GetObject", "*", {"aws:x": context}, None),
        ("s3:GetObject", "*", {}, principal),
    ):
        refusal = refusal_of(InvalidRequestError, lambda: evaluate([GOOD], Request(*arguments)))  # noqa: B023 - called here
        assert refusal is None or "allowed: " in str(refusal)
