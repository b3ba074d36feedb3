"""One request put to policies: the semantics, by AWS's documentation."""

from typing import Any

import pytest

from iam_policy import Decision, InvalidRequestError, Request, effective_access, evaluate

ALLOWED, DENIED, EXPLICIT = Decision.ALLOWED, Decision.IMPLICITLY_DENIED, Decision.EXPLICITLY_DENIED
BUCKET = "arn:aws:s3:::bucket"


def allow(**members: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"} | members
    if "NotAction" in members:
        del statement["Action"]
    if "NotResource" in members:
        del statement["Resource"]
    return {"Version": "2012-10-17", "Statement": statement}


def deny(**members: Any) -> dict[str, Any]:
    document = allow(**members)
    return document | {"Statement": document["Statement"] | {"Effect": "Deny"}}


@pytest.mark.parametrize(
    ("documents", "decision"),
    [
        ([], DENIED),
        ([allow()], ALLOWED),
        ([deny()], EXPLICIT),
        ([allow(), deny()], EXPLICIT),
        ([deny(), allow()], EXPLICIT),
        ([allow(Action="iam:*"), allow(Action="s3:*")], ALLOWED),
        ([allow(), deny(Action="iam:*")], ALLOWED),
        ([deny(Action="iam:*")], DENIED),
    ],
)
def test_an_explicit_deny_wins_then_an_allow_else_nothing_is_allowed(documents: list[Any], decision: Decision) -> None:
    assert evaluate(documents, Request("s3:GetObject", BUCKET)) is decision


@pytest.mark.parametrize(
    ("element", "action", "applies"),
    [
        ({"Action": "s3:GetObject"}, "s3:GetObject", True),
        ({"Action": "S3:getobject"}, "s3:GETOBJECT", True),
        ({"Action": "s3:Get*"}, "s3:Get", True),
        ({"Action": "s3:Get?bject"}, "s3:GetObject", True),
        ({"Action": "s3:Get?Object"}, "s3:GetObject", False),
        ({"Action": "*:*"}, "iam:PassRole", True),
        ({"Action": "s*:Get*"}, "sqs:GetQueueUrl", True),
        ({"Action": ["iam:*", "s3:Put*"]}, "s3:GetObject", False),
        ({"NotAction": "s3:Put*"}, "s3:GetObject", True),
        ({"NotAction": ["iam:*", "s3:*"]}, "s3:GetObject", False),
    ],
)
def test_actions_match_in_any_capitals(element: dict[str, Any], action: str, *, applies: bool) -> None:
    assert (evaluate([allow(**element)], Request(action, BUCKET)) is ALLOWED) is applies


@pytest.mark.parametrize(
    ("element", "resource", "applies"),
    [
        ({"Resource": BUCKET}, BUCKET, True),
        ({"Resource": BUCKET}, "arn:aws:s3:::Bucket", False),
        ({"Resource": "arn:aws:logs:*:/x"}, "arn:aws:logs:eu-west-1:111122223333:log-group:/x", True),
        ({"Resource": "arn:aws:s3:::b*t/*/?"}, "arn:aws:s3:::bucket/a/b/c", True),
        ({"Resource": "arn:aws:s3:::b*t/*/?"}, "arn:aws:s3:::bucket/a/b/cd", False),
        ({"Resource": "arn:aws:s3:::*bb"}, "arn:aws:s3:::bbb", True),
        ({"Resource": "arn:aws:s3:::bucket${*}"}, "arn:aws:s3:::bucket*", True),
        ({"Resource": "arn:aws:s3:::bucket${*}"}, "arn:aws:s3:::bucketeer", False),
        ({"Resource": "arn:aws:s3:::bucket${?}${$}"}, "arn:aws:s3:::bucket?$", True),
        ({"Resource": "arn:aws:s3:::bucket*"}, "arn:aws:s3:::bucket*", True),
        ({"Resource": "arn:aws:s3:::\U0001f600*"}, "arn:aws:s3:::\U0001f600/a", True),
        ({"NotResource": BUCKET}, BUCKET, False),
        ({"NotResource": BUCKET}, BUCKET + "/key", True),
        ({"NotResource": "*"}, BUCKET, False),
    ],
)
def test_resources_match_as_whole_strings(element: dict[str, Any], resource: str, *, applies: bool) -> None:
    assert (evaluate([allow(**element)], Request("s3:GetObject", resource)) is ALLOWED) is applies


OPERATORS = [
    ("StringEquals", ["a", "b"], "b", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "a*", "a*", True),
    ("StringEquals", "a", None, False),
    ("StringEqualsIfExists", "a", None, True),
    ("StringEqualsIfExists", "a", "b", False),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", "a", None, True),
    ("StringNotEqualsIfExists", "a", "a", False),
    ("StringEqualsIgnoreCase", "aB", "Ab", True),
    ("StringEqualsIgnoreCase", "aB", "A", False),
    ("StringNotEqualsIgnoreCase", "aB", "Ab", False),
    ("StringLike", "a*:?", "a:b:c", True),
    ("StringLike", "a", "ab", False),
    ("StringNotLike", "a*", "ab", False),
    ("StringNotLike", "a*", "b", True),
    ("ArnLike", "arn:aws:sns:*:1:*", "arn:aws:sns:eu:1:a:b", True),
    ("ArnLike", "arn:aws:sns:*:1:a", "arn:aws:sns:eu:x:1:a", False),
    ("ArnLike", "arn:aws:sns:*:1:a:*", "arn:aws:sns:eu:1:a:b:c", True),
    ("ArnLike", "arn:aws:sns:*:1:a:b", "arn:aws:sns:eu:1:a:c", False),
    ("ArnLike", "arn:aws:sns:*:1:a", "topic", False),
    ("ArnEquals", "arn:aws:sns:??:1:*", "arn:aws:sns:eu:1:a", True),
    ("ArnEquals", "arn:aws:sns:?:1:*", "arn:aws:sns:eu:1:a", False),
    ("ArnNotLike", "arn:aws:sns:*:1:*", "arn:aws:sns:eu:2:a", True),
    ("ArnNotEquals", "arn:aws:sns:*:1:*", "arn:aws:sns:eu:1:a", False),
    ("NumericEquals", ["1", "2"], "2.0", True),
    ("NumericNotEquals", ["1", "2"], "2", False),
    ("NumericNotEquals", "1", "2", True),
    ("NumericNotEquals", "1", "two", False),
    ("NumericLessThan", "2", "1.9", True),
    ("NumericLessThan", "2", "2", False),
    ("NumericLessThanEquals", "2", "2", True),
    ("NumericLessThanEquals", "2", "2.1", False),
    ("NumericGreaterThan", "2", "2", False),
    ("NumericGreaterThan", "2", "10", True),
    ("NumericGreaterThanEquals", "2", "2", True),
    ("NumericGreaterThanEquals", "2", "1", False),
    ("DateLessThan", "2024-01-01", "2023-12-31T23:59:59Z", True),
    ("DateGreaterThan", "2024-01-01", "2024-01-01", False),
    ("DateNotEquals", "2024-01-01", "2024-01-01T00:00Z", False),
    ("Bool", "true", "true", True),
    ("Bool", "true", "false", False),
    ("Bool", "false", None, False),
    ("BoolIfExists", "false", None, True),
    ("IpAddress", ["10.0.0.0/8", "::1"], "::1", True),
    ("IpAddress", "10.0.0.0/8", "11.0.0.0", False),
    ("IpAddress", "10.0.0.0/8", "::ffff:10.0.0.1", False),
    ("NotIpAddress", "10.0.0.0/8", "11.0.0.0", True),
    ("NotIpAddress", "10.0.0.0/8", "10.0.0.0", False),
    ("NotIpAddress", "10.0.0.0/8", "nowhere", False),
    ("NotIpAddress", "10.0.0.0/8", None, True),
    ("Null", "true", None, True),
    ("Null", "true", "a", False),
    ("Null", "false", "a", True),
    ("Null", "false", None, False),
    ("Null", "true", [], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", "a", ["c", "d"], False),
    ("ForAnyValue:StringEquals", "a", None, False),
    ("ForAnyValue:StringEquals", "", [""], False),
    ("ForAnyValue:StringEqualsIfExists", "a", None, True),
    ("ForAnyValue:StringNotEquals", "a", ["a", "b"], True),
    ("ForAnyValue:StringNotEquals", "a", ["a"], False),
    ("ForAnyValue:StringNotEquals", "a", None, False),
    ("ForAllValues:StringLike", "a*", ["ab", "a"], True),
    ("ForAllValues:StringLike", "a*", ["ab", "b"], False),
    ("ForAllValues:StringLike", "a*", None, True),
    ("ForAllValues:StringLike", "a*", [""], True),
    ("ForAllValues:StringNotLike", "a*", ["b", "ab"], False),
    ("ForAllValues:StringNotLike", "a*", ["b", "c"], True),
    ("StringEquals", "a", ["b", "a"], True),
    ("StringNotEquals", "a", ["b", "a"], False),
    ("StringNotEquals", "a", ["b", "c"], True),
]


@pytest.mark.parametrize(("operator", "values", "asked", "holds"), OPERATORS)
def test_condition_operators(operator: str, values: Any, asked: Any, *, holds: bool) -> None:
    document = allow(Condition={operator: {"aws:Key": values}})
    context = {} if asked is None else {"AWS:key": asked}

    assert (evaluate([document], Request("s3:GetObject", BUCKET, context)) is ALLOWED) is holds


@pytest.mark.parametrize(
    ("context", "decision"),
    [({"aws:a": "1", "aws:b": "2"}, ALLOWED), ({"aws:a": "1"}, DENIED), ({"aws:b": "2"}, DENIED)],
)
def test_all_keys_and_operators_must_hold(context: dict[str, str], decision: Decision) -> None:
    document = allow(Condition={"StringEquals": {"aws:a": "1"}, "StringLike": {"aws:b": "2*"}})

    assert evaluate([document], Request("s3:GetObject", BUCKET, context)) is decision


@pytest.mark.parametrize(
    ("context", "resource", "decision"),
    [
        ({"aws:username": "alice"}, "arn:aws:s3:::alice/key", ALLOWED),
        ({"AWS:UserName": "alice"}, "arn:aws:s3:::alice/key", ALLOWED),
        ({"aws:username": "alice"}, "arn:aws:s3:::bob/key", DENIED),
        ({"aws:username": "*"}, "arn:aws:s3:::bob/key", DENIED),
        ({"aws:username": "*"}, "arn:aws:s3:::*/key", ALLOWED),
        ({"aws:username": ["alice", "bob"]}, "arn:aws:s3:::alice/key", DENIED),
        ({}, "arn:aws:s3:::${aws:username}/key", DENIED),
    ],
)
def test_a_variable_stands_for_the_text_of_a_key_with_one_value(
    context: dict[str, Any], resource: str, decision: Decision
) -> None:
    document = allow(Resource="arn:aws:s3:::${aws:username}/*")

    assert evaluate([document], Request("s3:GetObject", resource, context)) is decision


@pytest.mark.parametrize(("user", "decision"), [("alice", ALLOWED), ("bob", DENIED), ("a:alice", DENIED)])
def test_a_variable_in_the_last_part_of_an_arn_may_stand_behind_a_colon(user: str, decision: Decision) -> None:
    document = allow(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:logs:*:*:log-group:${aws:username}:*"}})
    context = {"aws:SourceArn": "arn:aws:logs:eu-west-1:111122223333:log-group:alice:x", "aws:username": user}

    assert evaluate([document], Request("s3:GetObject", BUCKET, context)) is decision


def test_stars_and_texts_around_variables_stay_in_their_places() -> None:
    document = allow(Resource="arn:aws:s3:::a-${aws:username}/x${*}y${$}${aws:team}z")
    context = {"aws:username": "alice", "aws:team": "t"}

    assert evaluate([document], Request("s3:GetObject", "arn:aws:s3:::a-alice/x*y$tz", context)) is ALLOWED


def test_a_variable_is_text_before_version_2012_10_17() -> None:
    document = allow(Resource="arn:aws:s3:::${aws:username}") | {"Version": "2008-10-17"}
    context = {"aws:username": "alice"}

    assert evaluate([document], Request("s3:GetObject", "arn:aws:s3:::${aws:username}", context)) is ALLOWED
    assert evaluate([document], Request("s3:GetObject", "arn:aws:s3:::alice", context)) is DENIED


@pytest.mark.parametrize(
    ("context", "decision"),
    [({"aws:x": "team-all"}, ALLOWED), ({"aws:x": "team-b", "aws:team": "b"}, ALLOWED), ({"aws:x": "b"}, DENIED)],
)
def test_a_default_replaces_a_variable_without_a_value(context: dict[str, str], decision: Decision) -> None:
    document = allow(Condition={"StringEquals": {"aws:x": "team-${aws:team, 'all'}"}})

    assert evaluate([document], Request("s3:GetObject", BUCKET, context)) is decision


def test_a_default_may_be_empty() -> None:
    document = allow(Condition={"StringEquals": {"aws:x": "team-${aws:team, ''}"}})

    assert evaluate([document], Request("s3:GetObject", BUCKET, {"aws:x": "team-"})) is ALLOWED


@pytest.mark.parametrize(
    "element",
    [
        {"Condition": {"StringNotEquals": {"aws:x": "${aws:username}"}}},
        {"Condition": {"ForAllValues:StringNotLike": {"aws:x": ["a", "${aws:username}"]}}},
        {"NotResource": ["arn:aws:s3:::other", "arn:aws:s3:::${aws:username}"]},
    ],
)
def test_a_variable_without_a_value_keeps_a_negation_from_applying(element: dict[str, Any]) -> None:
    assert evaluate([allow(**element)], Request("s3:GetObject", BUCKET, {"aws:x": "z"})) is DENIED
    assert evaluate([allow(**element)], Request("s3:GetObject", BUCKET, {"aws:x": "z", "aws:username": "b"})) is ALLOWED


def test_a_boundary_takes_away_and_never_gives() -> None:
    access = effective_access([allow(Action="s3:*")], groups=[allow(Action="iam:*")], boundary=allow(Action="*:Get*"))

    assert evaluate(access, Request("s3:GetObject")) is ALLOWED
    assert evaluate(access, Request("iam:GetUser")) is ALLOWED
    assert evaluate(access, Request("s3:PutObject")) is DENIED
    assert evaluate(access, Request("sqs:GetQueueUrl")) is DENIED


def test_a_deny_of_the_boundary_is_explicit() -> None:
    access = effective_access([allow()], boundary=deny(Action="s3:*"))

    assert evaluate(access, Request("s3:GetObject")) is EXPLICIT


@pytest.mark.parametrize("action", ["GetObject", "", ":x", "s3:", "s3:a:b", None, "x" * 9_999])
def test_a_request_needs_an_action(action: Any) -> None:
    with pytest.raises(InvalidRequestError, match="no action"):
        Request(action)


@pytest.mark.parametrize("resource", ["", None, 1, "arn:aws:s3:::\ue000"])
def test_a_request_needs_a_resource(resource: Any) -> None:
    with pytest.raises(InvalidRequestError, match="no resource"):
        evaluate([allow()], Request("s3:GetObject", resource))


@pytest.mark.parametrize("context", [None, [], "aws:x", {1: "a"}, {"": "a"}, {"aws:X": "a", "AWS:x": "b"}])
def test_a_request_needs_a_context_of_keys_that_are_named_once(context: Any) -> None:
    with pytest.raises(InvalidRequestError, match="context"):
        Request("s3:GetObject", context=context)


@pytest.mark.parametrize("principal", [1, "", ["*"]])
def test_a_principal_is_named_by_a_text(principal: Any) -> None:
    with pytest.raises(InvalidRequestError, match="no principal"):
        Request("s3:GetObject", principal=principal)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        [1],
        [["a"]],
        b"a",
        float("nan"),
        float("inf"),
        pytest.param(10**5_000, id="many digits"),
        "\ue000",
        ["a", "\ue001"],
    ],
)
def test_a_context_value_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequestError, match="aws:x"):
        evaluate([allow()], Request("s3:GetObject", context={"aws:x": value}))


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (5, "5"), (10**20, "1" + "0" * 20), (0.5, "0.5"), (1e-7, "0.0000001"), (("5",), "5")],
)
def test_context_values_may_be_plain_python_values(value: Any, text: str) -> None:
    document = allow(Condition={"StringEquals": {"aws:x": text}})

    assert evaluate([document], Request("s3:GetObject", context={"aws:x": value})) is ALLOWED


def test_a_number_is_one_however_large_or_small_it_is() -> None:
    small, large = (allow(Condition={"NumericEquals": {"aws:x": text}}) for text in ("0.0000001", "1" + "0" * 22))

    assert evaluate([small], Request("s3:GetObject", context={"aws:x": 1e-7})) is ALLOWED
    assert evaluate([large], Request("s3:GetObject", context={"aws:x": 1e22})) is ALLOWED
