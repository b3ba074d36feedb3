"""What the parser takes, and how it says no."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_policy import (
    Decision,
    PolicyDocumentError,
    Request,
    Verdict,
    canonical_hash,
    compare,
    effective_access,
    evaluate,
)
from iam_policy.access import stored_access

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def with_statement(**members: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [ALLOW, ALLOW | members]}


def with_condition(operator: str, values: Any, key: str = "aws:x") -> dict[str, Any]:
    return with_statement(Condition={operator: {key: values}})


def without(key: str) -> dict[str, Any]:
    return {"Statement": {name: value for name, value in ALLOW.items() if name != key}}


AT = "/Statement/1/Condition"
DEEP: list[Any] = []
for _ in range(100_000):
    DEEP = [DEEP]


REFUSED = {
    "no JSON": ("{", "", "not JSON"),
    "empty text": ("", "", "not JSON"),
    "an array": ("[]", "", "JSON array"),
    "a string": ('"policy"', "", "JSON string"),
    "null": ("null", "", "JSON null"),
    "a number of Python": (7, "", "int is no policy document"),
    "a megabyte": ('{"Statement":"' + "x" * 1_000_000 + '"}', "", "too many"),
    "deep nesting": ('{"Statement":' * 300 + "1" + "}" * 300, "/Statement/Statement", "unknown key"),
    "nesting beyond the reader": ("[" * 120_000 + "]" * 120_000, "", "too deep"),
    "a huge number": ('{"Statement":' + "9" * 5_000 + "}", "", "number is too long"),
    "not a number": ('{"Statement":NaN}', "", "not JSON: NaN"),
    "minus infinity": ('{"Statement":-Infinity}', "", "not JSON: -Infinity"),
    "a number beyond a double": ('{"Statement":-1e400}', "", "'-1e400' is too large"),
    "a key twice inside a key that is twice": ('{"Statement":{"a":1,"a":2},"Statement":1}', "/Statement", "twice"),
    "two keys twice": ('{"Id":"a","Id":"b","Version":"c","Version":"d"}', "/Id", "key 'Id' occurs twice"),
    "a key twice and then another": (
        '[{"Statement":[{"Sid":"a","Sid":"b"}]},{"Id":"a","Id":"b"}]',
        "/1/Id",
        "key 'Id' occurs twice",
    ),
    "a key twice": ('{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}', "/Statement/0/Effect", "twice"),
    "unknown key": ({"Statement": ALLOW, "Statements": []}, "/Statements", "unknown key"),
    "lower-case key": ({"statement": ALLOW}, "/statement", "unknown key"),
    "unknown version": ({"Version": "2012-10-18", "Statement": ALLOW}, "/Version", "no version"),
    "version of twenty digits": ({"Version": 10**20 - 1, "Statement": ALLOW}, "/Version", "99999999999999999999 is no"),
    "version of wrong type": ({"Version": 2012, "Statement": ALLOW}, "/Version", "no version"),
    "Id of wrong type": ({"Id": 1, "Statement": ALLOW}, "/Id", "not text"),
    "no statement": ({"Version": "2012-10-17"}, "", "no Statement"),
    "no statements": ({"Statement": []}, "/Statement", "empty list"),
    "statement of wrong type": ({"Statement": "Allow"}, "/Statement", "no list"),
    "statement null": ({"Statement": [None]}, "/Statement/0", "no object"),
    "unknown element": (with_statement(Effects="Allow"), "/Statement/1/Effects", "unknown key"),
    "Sid of wrong type": (with_statement(Sid=1), "/Statement/1/Sid", "not text"),
    "no Effect": (without("Effect"), "/Statement", "no Effect"),
    "wrong Effect": (with_statement(Effect="allow"), "/Statement/1/Effect", "no effect"),
    "Effect of wrong type": (with_statement(Effect=["Allow"]), "/Statement/1/Effect", "no effect"),
    "no Action": (without("Action"), "/Statement", "neither Action"),
    "Action and NotAction": (with_statement(NotAction="s3:*"), "/Statement/1", "both Action and NotAction"),
    "Resource and NotResource": (with_statement(NotResource="*"), "/Statement/1", "both Resource"),
    "Principal and NotPrincipal": (with_statement(Principal="*", NotPrincipal="*"), "/Statement/1", "both Principal"),
    "no Resource": (without("Resource"), "/Statement", "neither Resource"),
    "no actions": (with_statement(Action=[]), "/Statement/1/Action", "empty list"),
    "action of wrong type": (with_statement(Action=["s3:*", 1]), "/Statement/1/Action/1", "int where"),
    "actions in lists": (with_statement(Action=[["s3:*"]]), "/Statement/1/Action/0", "list where"),
    "action null": (with_statement(Action=None), "/Statement/1/Action", "NoneType where"),
    "action without service": (with_statement(Action=["s3:*", "GetObject"]), "/Statement/1/Action/1", "no service"),
    "action without name": (with_statement(Action="s3:"), "/Statement/1/Action", "malformed"),
    "action with two colons": (with_statement(Action="s3:Get:x"), "/Statement/1/Action", "malformed"),
    "action with a space": (with_statement(Action="s3:Get Object"), "/Statement/1/Action", "malformed"),
    "action beyond ASCII": (with_statement(Action="s3:G\ue000"), "/Statement/1/Action", "malformed"),
    "no resources": (with_statement(Resource=[]), "/Statement/1/Resource", "empty list"),
    "resource that is no ARN": (with_statement(Resource="bucket"), "/Statement/1/Resource", "no ARN"),
    "resource with a wrong start": (with_statement(Resource="xrn:aws:s3:::*"), "/Statement/1/Resource", "no ARN"),
    "ARN of too few parts": (with_statement(Resource="arn:aws:s3"), "/Statement/1/Resource", "no ARN"),
    "empty resource": (with_statement(Resource=""), "/Statement/1/Resource", "no ARN"),
    "open variable": (
        with_statement(Resource=["*", "arn:aws:s3:::${aws:username"]),
        "/Statement/1/Resource/1",
        "never closes",
    ),
    "empty variable": (with_statement(Resource="arn:aws:s3:::${}"), "/Statement/1/Resource", "no variable"),
    "variable in a variable": (with_statement(Resource="arn:aws:s3:::${a${b}}"), "/Statement/1/Resource", "no vari"),
    "bare default": (with_statement(Resource="arn:aws:s3:::${a, b}"), "/Statement/1/Resource", "not quoted"),
    "no default": (with_statement(Resource="arn:aws:s3:::${a, }"), "/Statement/1/Resource", "not quoted"),
    "half a default": (with_statement(Resource="arn:aws:s3:::${a, '}"), "/Statement/1/Resource", "never closes"),
    "private use character": (with_statement(Resource="arn:aws:s3:::\ue000"), "/Statement/1/Resource", "private use"),
    "the last private use character": (
        with_statement(Resource="arn:aws:s3:::a\uf8ff"),
        "/Statement/1/Resource",
        "private use",
    ),
    "Principal as text": (with_statement(Principal="111122223333"), "/Statement/1/Principal", "no principal"),
    "Principal of nobody": (with_statement(Principal={}), "/Statement/1/Principal", "no principal"),
    "unknown type": (with_statement(Principal={"aws": "*"}), "/Statement/1/Principal/aws", "unknown key"),
    "no principals": (with_statement(Principal={"AWS": []}), "/Statement/1/Principal/AWS", "empty list"),
    "partial wildcard": (
        with_statement(Principal={"AWS": ["*", "arn:aws:iam::111122223333:role/*"]}),
        "/Statement/1/Principal/AWS/1",
        "wildcard",
    ),
    "no ARN": (with_statement(Principal={"AWS": "alice"}), "/Statement/1/Principal/AWS", "no ARN"),
    "short account id": (with_statement(Principal={"AWS": "12345"}), "/Statement/1/Principal/AWS", "no ARN"),
    "any canonical user": (
        with_statement(Principal={"CanonicalUser": "*"}),
        "/Statement/1/Principal/CanonicalUser",
        "no",
    ),
    "empty principal": (
        with_statement(Principal={"Service": ""}),
        "/Statement/1/Principal/Service",
        "empty principal",
    ),
    "Condition of wrong type": (with_statement(Condition=[]), "/Statement/1/Condition", "no object"),
    "unknown operator": (with_condition("StringMatches", "x"), "/Statement/1/Condition/StringMatches", "no condition"),
    "lower-case operator": (with_condition("stringequals", "x"), "/Statement/1/Condition/stringequals", "no condition"),
    "unknown quantifier": (with_condition("ForSome:Bool", "x"), "/Statement/1/Condition/ForSome:Bool", "no condition"),
    "NullIfExists": (with_condition("NullIfExists", "true"), "/Statement/1/Condition/NullIfExists", "no condition"),
    "operator without keys": (with_statement(Condition={"Bool": "x"}), "/Statement/1/Condition/Bool", "without keys"),
    "no values": (with_condition("StringLike", []), "/Statement/1/Condition/StringLike/aws:x", "empty list"),
    "value null": (with_condition("StringLike", None), "/Statement/1/Condition/StringLike/aws:x", "NoneType where"),
    "value object": (with_condition("StringLike", [{}]), "/Statement/1/Condition/StringLike/aws:x/0", "dict where"),
    "empty key": (with_condition("StringLike", "x", key=""), "/Statement/1/Condition/StringLike/", "empty context key"),
    "key in two spellings": (
        with_statement(Condition={"StringLike": {"aws:x/y": "a", "AWS:X/Y": "b"}}),
        "/Statement/1/Condition/StringLike/AWS:X~1Y",
        "twice",
    ),
    "text for a number": (
        with_condition("NumericEquals", "ten"),
        "/Statement/1/Condition/NumericEquals/aws:x",
        "not what",
    ),
    "text for a truth": (with_condition("Bool", "yes"), "/Statement/1/Condition/Bool/aws:x", "not what"),
    "text for a date": (with_condition("DateEquals", "soon"), "/Statement/1/Condition/DateEquals/aws:x", "not what"),
    "month 13": (with_condition("DateEquals", "2024-13"), "/Statement/1/Condition/DateEquals/aws:x", "not what"),
    "time without zone": (
        with_condition("DateEquals", "2024-01-01T00:00:00"),
        "/Statement/1/Condition/DateEquals/aws:x",
        "not what",
    ),
    "day or Unix time": (
        with_condition("DateEquals", "20240101"),
        "/Statement/1/Condition/DateEquals/aws:x",
        "not what",
    ),
    "no address": (with_condition("IpAddress", "10.0.0.256"), "/Statement/1/Condition/IpAddress/aws:x", "not what"),
    "prefix too long": (
        with_condition("IpAddress", "10.0.0.0/33"),
        "/Statement/1/Condition/IpAddress/aws:x",
        "not what",
    ),
    "netmask": (
        with_condition("IpAddress", "10.0.0.0/255.0.0.0"),
        "/Statement/1/Condition/IpAddress/aws:x",
        "not what",
    ),
    "no base64": (with_condition("BinaryEquals", "?"), "/Statement/1/Condition/BinaryEquals/aws:x", "not what"),
    "ARN operator without ARN": (with_condition("ArnLike", "*"), "/Statement/1/Condition/ArnLike/aws:x", "no ARN"),
    "a number as a value that is none": (
        with_condition("StringLike", float("nan")),
        f"{AT}/StringLike/aws:x",
        "finite",
    ),
    "an infinite value": (with_condition("StringLike", ["a", float("-inf")]), f"{AT}/StringLike/aws:x/1", "finite"),
    "a value of 5,000 digits": (with_condition("NumericEquals", 10**5_000), f"{AT}/NumericEquals/aws:x", "finite"),
    "a key of 5,000 digits": (with_statement(Condition={10**5_000: {}}), f"{AT}/a value of type int", "no condition"),
    "a bottomless Effect": (with_statement(Effect=DEEP), "/Statement/1/Effect", "no effect"),
    "a bottomless Version": ({"Version": DEEP, "Statement": ALLOW}, "/Version", "no version"),
    "a bottomless Principal": (with_statement(Principal={"AWS": DEEP}), "/Statement/1/Principal/AWS/0", "list where"),
}


@pytest.mark.parametrize(("document", "pointer", "problem"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_document_is_refused_with_the_place_and_what_is_allowed(
    document: Any, pointer: str, problem: str
) -> None:
    with pytest.raises(PolicyDocumentError) as refusal:
        evaluate([document], Request("s3:GetObject"))

    assert refusal.value.pointer == pointer
    assert problem in refusal.value.problem
    assert refusal.value.allowed
    assert str(refusal.value).startswith(pointer or "document: ")


@pytest.mark.parametrize("ask", [lambda given: compare(given, []), effective_access, canonical_hash])
@pytest.mark.parametrize("given", [None, 7])
def test_what_is_no_sequence_of_documents_is_refused(ask: Callable[[Any], object], given: Any) -> None:
    with pytest.raises(PolicyDocumentError, match="allowed: a sequence of documents"):
        ask(given)


@pytest.mark.parametrize("given", [{"Statement": ALLOW}, "{}"])
def test_an_effective_access_is_made_of_sequences_alone(given: Any) -> None:
    with pytest.raises(PolicyDocumentError, match="allowed: a sequence of documents"):
        effective_access(given)


@pytest.mark.parametrize("spelled", [lambda one: one, json.dumps, lambda one: [one], lambda one: json.dumps([one])])
def test_one_document_may_stand_without_a_list(spelled: Callable[[Any], Any]) -> None:
    given = spelled({"Statement": ALLOW})

    assert evaluate(given, Request(ALLOW["Action"])) is Decision.ALLOWED
    assert canonical_hash(given) == canonical_hash([{"Statement": ALLOW}])


def test_a_json_array_holds_documents_that_add_up() -> None:
    both = json.dumps([{"Statement": ALLOW | {"Action": "sqs:SendMessage"}}, {"Statement": ALLOW}])

    assert evaluate(both, Request("sqs:SendMessage")) is Decision.ALLOWED
    assert evaluate(both, Request(ALLOW["Action"])) is Decision.ALLOWED


def test_the_pointer_names_which_of_several_documents_is_malformed() -> None:
    with pytest.raises(PolicyDocumentError) as refusal:
        effective_access([{"Statement": ALLOW}], groups=[{"Statement": ALLOW}, {"Statement": []}])

    assert refusal.value.pointer == "/2/Statement"


@pytest.mark.parametrize(
    "document",
    [
        with_statement(Action="a" * 100_000),
        with_statement(Resource="[" * 100_000),
        with_statement(Resource="arn:aws:s3:::${" + "a" * 100_000),
        with_statement(Principal={"AWS": "9" * 4_000}),
        with_condition("NumericEquals", "9" * 4_000),
        with_condition("NumericEquals", "x", key="k" * 100_000),
        with_statement(**{"E" * 100_000: 1}),
        json.dumps({"Statement": 1})[:-1] + ', "Statement": 1, "' + "k" * 100_000 + '": 1e' + "9" * 5_000 + "}",
    ],
)
def test_an_error_quotes_the_beginning_of_what_is_long(document: Any) -> None:
    with pytest.raises(PolicyDocumentError) as refusal:
        evaluate([document], Request("s3:GetObject"))

    assert len(str(refusal.value)) < 1_000


def test_the_largest_policies_are_read_with_any_white_space() -> None:
    actions = [f"service{number}:DescribeSomethingOrOther{number}" for number in range(4_000)]
    text = json.dumps({"Statement": ALLOW | {"Action": actions}}, indent=40)

    assert 262_144 < len(text) < 900_000
    assert evaluate([text], Request("service7:DescribeSomethingOrOther7")) is Decision.ALLOWED


@pytest.mark.parametrize(
    "document",
    [
        {"Statement": ALLOW},
        {"Statement": [ALLOW]},
        json.dumps({"Statement": ALLOW}),
        "\ufeff" + json.dumps({"Statement": ALLOW}),
        {"Version": "2008-10-17", "Id": "an id", "Statement": ALLOW | {"Sid": ""}},
        {"Statement": ALLOW | {"Action": ["S3:getobject"]}},
        {"Statement": ALLOW | {"Condition": {}}},
        {"Statement": ALLOW | {"Condition": {"StringLike": {}}}},
        {"Statement": ALLOW | {"Resource": "arn:*"}},
        {"Statement": ALLOW | {"Resource": "a?n:aws:s3:::*"}},
        {"Statement": ALLOW | {"Resource": "${not:a:variable:before:2012"}, "Version": "2008-10-17"}
        | {"Statement": ALLOW},
        {"Version": "2012-10-17", "Statement": ALLOW | {"Resource": ["arn:aws:s3:::${aws:x}", "*"]}},
    ],
)
def test_every_spelling_of_a_statement_means_the_same(document: Any) -> None:
    assert evaluate([document], Request("s3:GetObject", "arn:aws:s3:::bucket/key")) is Decision.ALLOWED


@pytest.mark.parametrize(
    ("operator", "value", "asked"),
    [
        ("DateEquals", "2024", "2024-01-01"),
        ("DateEquals", "2024-02", "2024-02-01T00:00Z"),
        ("DateEquals", "2024-01-01", "1704067200"),
        ("DateEquals", "2024-01-01T02:00+02:00", "2024-01-01T00:00:00Z"),
        ("DateEquals", "20240101T000000Z", "2024-01-01"),
        ("DateEquals", "2024-01-01T00:00:00.500Z", "1704067200.5"),
        ("DateEquals", "2024-01-02T23:59:59Z", "1704239999"),
        ("DateEquals", 1704067200, "2024-01-01T00:00:00+00:00"),
        ("NumericEquals", 10, "10.0"),
        ("NumericEquals", 0.5, "+0.50"),
        ("NumericEquals", "-3", "-3"),
        ("Bool", True, "true"),
        ("Bool", "False", "false"),
        ("IpAddress", "10.0.0.1", "10.0.0.1"),
        ("IpAddress", "10.0.0.99/8", "10.200.0.0"),
        ("IpAddress", "2001:DB8::/32", "2001:db8:ffff::"),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5"),
        ("StringEquals", 7, "7"),
        ("StringEquals", True, "true"),
    ],
)
def test_typed_values_are_compared_by_what_they_mean(operator: str, value: Any, asked: str) -> None:
    document = {"Statement": ALLOW | {"Condition": {operator: {"aws:x": value}}}}

    assert evaluate([document], Request("s3:GetObject", context={"aws:X": asked})) is Decision.ALLOWED
    assert evaluate([document], Request("s3:GetObject", context={"aws:X": "1999"})) is Decision.IMPLICITLY_DENIED


@pytest.mark.parametrize(
    "action", ["access-analyzer:ListTagsForResource ", "amplifybackend: *", " s3:Get*", "s3 :Get*"]
)
def test_an_action_with_blanks_about_its_names_matches_nothing_and_is_noted(action: str) -> None:
    document = {"Statement": [{**ALLOW, "Action": ["sqs:ListQueues", action]}]}

    read = effective_access([document])

    assert read == effective_access([{"Statement": [{**ALLOW, "Action": ["sqs:ListQueues"]}]}])
    assert read.notes == (f"/Statement/0/Action/1: action {action!r} is malformed; it matches no action",)
    assert compare(document, {"Statement": {**ALLOW, "Action": "sqs:ListQueues"}}).verdict is Verdict.EQUIVALENT


@pytest.mark.parametrize("action", ["s3:Get Object", "s3:", "read", "s3:Get:x", ""])
def test_what_iam_has_stored_is_never_refused_for_the_form_of_an_action(action: str) -> None:
    nothing = {"Statement": [ALLOW, {**ALLOW, "Effect": "Deny", "Action": action}]}

    read = stored_access([nothing])

    assert compare(read, {"Statement": ALLOW}).verdict is Verdict.EQUIVALENT
    assert len(read.notes) == 1
    with pytest.raises(PolicyDocumentError):
        effective_access([nothing])


@pytest.mark.parametrize("key", ["Action", "NotAction"])
@given(blanks=st.text(" ", min_size=1, max_size=3), name=st.sampled_from(["s3:GetObject", "s3:*", "*:Get*"]))
def test_an_action_with_a_blank_decides_no_request(key: str, blanks: str, name: str) -> None:
    document = {"Statement": {"Effect": "Allow", key: [name + blanks, "iam:PassRole"], "Resource": "*"}}
    without = {"Statement": {"Effect": "Allow", key: "iam:PassRole", "Resource": "*"}}

    for action in ("s3:GetObject", "s3:PutObject", "iam:PassRole", "sqs:GetX"):
        assert evaluate(document, Request(action)) == evaluate(without, Request(action))
