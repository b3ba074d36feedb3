"""Random policies and requests over a vocabulary so small that they meet each other often."""

from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from iam_policy import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

Statement = dict[str, Any]
Document = dict[str, Any]

ACTION_PATTERNS = [
    "*",
    "s3:*",
    "s3:Get*",
    "s3:GetObject",
    "s3:*Object",
    "s3:G?tObject",
    "*:Get*",
    "iam:PassRole",
    "s3:PutObject",
    "s3*:*",
]
ACTIONS = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:GetX",
    "iam:PassRole",
    "iam:GetUser",
    "S3:getobject",
    "s3:GutObject",
    "a:b",
    "s3x:GetObject",
]
RESOURCE_PATTERNS = [
    "*",
    "arn:aws:s3:::a*",
    "arn:aws:s3:::a/b",
    "arn:aws:s3:::*/b",
    "arn:aws:s3:::?",
    "arn:aws:s3:::a/*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::*b*",
]
VARIABLE_PATTERNS = [
    "arn:aws:s3:::${aws:username}",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:s3:::a/${aws:username, 'b'}",
]
RESOURCES = [
    *("*", "arn:aws:s3:::a", "arn:aws:s3:::a/b", "arn:aws:s3:::b", "arn:aws:s3:::c/b", "arn:aws:s3:::a/c"),
    *("arn:aws:s3:::ab", "arn:aws:s3:::", "arn:aws:s3:::c", "arn:aws:s3:::b/a", "arn:aws:s3:::a*"),
]
TEXTS = ["a", "b", "ab", "ba", "", "c", "A"]
TEXT_PATTERNS = ["a", "a*", "*b", "b", "?", "", "*", "A"]
PRINCIPALS = [
    "111122223333",
    "arn:aws:iam::111122223333:user/alice",
    "arn:aws:iam::444455556666:role/deploy",
    "AIDAABCDEFGHIJKLMNOP",
]
ASKING = [
    *PRINCIPALS,
    "arn:aws:iam::111122223333:user/bob",
    "arn:aws:sts::444455556666:assumed-role/deploy/session",
    "ecs.amazonaws.com",
    "ec2.amazonaws.com",
    "*",
    "accounts.google.com",
]


def one_or_more(values: "Sequence[str]", most: int = 3) -> st.SearchStrategy[Any]:
    lists = st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)
    return st.one_of(st.sampled_from(values), lists)


def text_conditions(*, variables: bool) -> st.SearchStrategy[dict[str, Any]]:
    values = one_or_more([*TEXT_PATTERNS, "${aws:username}", "a${aws:username}"] if variables else TEXT_PATTERNS)
    names = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"]
    plain = st.sampled_from([*names, "StringLikeIfExists", "StringNotLikeIfExists", "StringNotEqualsIgnoreCase"])
    sets = st.sampled_from(
        [f"{some}:{name}" for some in ("ForAnyValue", "ForAllValues") for name in names]
        + ["ForAnyValue:StringLikeIfExists"]
    )
    single = st.sampled_from(["aws:username", "aws:UserAgent"])
    return st.one_of(
        st.builds(lambda op, key, value: {op: {key: value}}, plain, single, values),
        # A key has several values only where a set operator asks about it.
        st.builds(lambda op, value: {op: {"aws:TagKeys": value}}, sets, values),
    )


def other_conditions() -> st.SearchStrategy[dict[str, Any]]:
    numbers = [f"Numeric{name}" for name in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan")]
    networks = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0"]
    arns = ["arn:aws:sns:*:1:a", "arn:aws:sns:?:1:*", "arn:aws:sns:e:*:a:*"]
    dates = ["2024-01-01", "2024-01-01T00:00:00Z", "2025-06-01T12:00:00+02:00", "1700000000"]
    return st.one_of(
        st.builds(lambda op, v: {op: {"s3:max-keys": v}}, st.sampled_from(numbers), one_or_more(["1", "2", "10"])),
        st.builds(
            lambda op, v: {op: {"aws:SourceIp": v}},
            st.sampled_from(["IpAddress", "NotIpAddress"]),
            one_or_more(networks),
        ),
        st.builds(
            lambda op, v: {op: {"aws:SecureTransport": v}}, st.sampled_from(["Bool", "BoolIfExists"]), st.booleans()
        ),
        st.builds(
            lambda k, v: {"Null": {k: v}},
            st.sampled_from(["aws:username", "aws:TagKeys", "s3:max-keys"]),
            st.booleans(),
        ),
        st.builds(
            lambda op, v: {op: {"aws:SourceArn": v}},
            st.sampled_from(["ArnLike", "ArnNotEquals", "StringLike"]),
            one_or_more(arns),
        ),
        st.builds(
            lambda op, v: {op: {"aws:CurrentTime": v}},
            st.sampled_from(["DateLessThan", "DateGreaterThanEquals"]),
            one_or_more(dates),
        ),
    )


def statements(*, variables: bool, principals: bool) -> st.SearchStrategy[Statement]:
    resources = RESOURCE_PATTERNS + (VARIABLE_PATTERNS if variables else [])
    condition = st.one_of(
        text_conditions(variables=variables), text_conditions(variables=variables), other_conditions()
    )
    conditions = st.one_of(
        st.just({}), st.just({}), condition, st.tuples(condition, condition).map(lambda two: two[0] | two[1])
    )

    who = st.one_of(
        st.just("*"),
        one_or_more(PRINCIPALS).map(lambda named: {"AWS": named}),
        st.just({"Service": "ecs.amazonaws.com"}),
        st.just({"AWS": "*"}),
    )
    return st.builds(
        lambda effect, *members: dict([("Effect", effect), *(member for member in members if member[1] != {})]),
        st.sampled_from(["Allow", "Allow", "Deny"]),
        st.tuples(st.sampled_from(["Action", "Action", "Action", "NotAction"]), one_or_more(ACTION_PATTERNS)),
        st.tuples(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]), one_or_more(resources)),
        st.tuples(st.just("Condition"), conditions),
        *([st.tuples(st.sampled_from(["Principal", "Principal", "NotPrincipal"]), who)] if principals else []),
    )


def documents(*, variables: bool = False, principals: bool = False, most: int = 4) -> st.SearchStrategy[Document]:
    listed = st.lists(statements(variables=variables, principals=principals), min_size=1, max_size=most)
    version = st.just("2012-10-17") if variables else st.sampled_from(["2012-10-17", "2008-10-17"])
    return st.builds(lambda version, listed: {"Version": version, "Statement": listed}, version, listed)


def changed(document: Document, *, variables: bool = False, principals: bool = False) -> st.SearchStrategy[Document]:
    """The document with a statement exchanged, added or taken away, so that comparisons are often close."""
    extra = statements(variables=variables, principals=principals)
    listed = document["Statement"]

    def at(index: int, new: Statement, kind: str) -> Document:
        index %= len(listed)
        kept = [one for place, one in enumerate(listed) if place != index]
        if kind == "add":
            return document | {"Statement": [*listed, new]}
        if kind == "remove" and kept:
            return document | {"Statement": kept}
        if kind == "mix":
            mixed = dict(listed[index]) | {key: new[key] for key in ("Condition",) if key in new}
            return document | {"Statement": [*kept, mixed]}
        return document | {"Statement": [*kept, new]}

    kinds = st.sampled_from(["add", "remove", "mix", "exchange"])
    return st.builds(at, st.integers(0, 10), extra, kinds)


def pairs(*, variables: bool = False, principals: bool = False) -> st.SearchStrategy[tuple[Document, Document]]:
    """Two documents, half of the time the second a small change of the first."""
    one = documents(variables=variables, principals=principals)
    related = one.flatmap(
        lambda document: st.tuples(st.just(document), changed(document, variables=variables, principals=principals))
    )
    return st.one_of(related, st.tuples(one, one))


_CONTEXT = {
    "aws:username": TEXTS,
    "AWS:useragent": TEXTS,
    "s3:max-keys": ["0", "1", "1.5", "2", "3", "10", "11"],
    "aws:SourceIp": ["10.0.0.1", "10.1.2.3", "10.1.2.4", "11.0.0.0", "2001:db8::1", "::1"],
    "aws:SecureTransport": ["true", "false"],
    "aws:SourceArn": ["arn:aws:sns:e:1:a", "arn:aws:sns:e:1:a:b", "arn:aws:sns:e:x:1:a", "arn:aws:sns:ee:1:a"],
    "aws:CurrentTime": ["2023-01-01", "2024-01-01", "2024-06-01T00:00Z", "2026-01-01"],
}


def requests(seed: int, count: int) -> list[Request]:
    """Requests over the same vocabulary; keys without a set operator have one value at most."""
    random = Random(seed)  # noqa: S311 - requests, not secrets

    def one() -> Request:
        context: dict[str, Any] = {
            key: random.choice(values) for key, values in _CONTEXT.items() if random.random() < 0.5
        }
        if random.random() < 0.6:
            context["aws:TagKeys"] = random.sample(TEXTS, random.randint(1, 3))
        return Request(random.choice(ACTIONS), random.choice(RESOURCES), context, random.choice(ASKING))

    return [one() for _ in range(count)]
