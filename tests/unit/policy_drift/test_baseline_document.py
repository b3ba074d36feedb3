"""The baseline as a file that people edit: what reads, and what is refused with the line and what would be right."""

import json
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_drift import baseline_document
from policy_drift.domain.account import Account, Group, ManagedPolicy, Role, User
from policy_drift.domain.baseline import Baseline, UnusableBaselineError
from tests.doubles.drift_under_test import ACCOUNT, APP, GET, QUIET, TRUST

OWN = f"arn:aws:iam::{ACCOUNT}:policy/team/own"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POLICY = {"unique_id": "ANPA", "version": "v1", "document": GET}
FULL = Account(
    ACCOUNT,
    users={"ann": User("ann", "/", "AIDAANN", attached=(OWN,), groups=("readers",), boundary=READ_ONLY)},
    groups={"readers": Group("readers", "/", "AGPAREADERS", attached=(READ_ONLY,))},
    roles={"app": replace(APP, attached=(OWN,), boundary=OWN)},
    policies={
        OWN: ManagedPolicy(OWN, "ANPAOWN", "v1", GET),
        READ_ONLY: ManagedPolicy(READ_ONLY, "ANPAREADONLY", "v9", GET),
    },
)


def text_of(account=QUIET, **more):
    return baseline_document.write(Baseline(account, **more))


def refused(text):
    """The error of a text that must be refused."""
    with pytest.raises(UnusableBaselineError) as caught:
        baseline_document.refuse_bad_policies(text, baseline_document.read(text, account=ACCOUNT), None)
    return caught.value


def line_of(text, words):
    return next(number for number, line in enumerate(text.decode().splitlines(), 1) if words in line)


def test_a_baseline_reads_as_it_was_written():
    odd = Role("odd", "/a/b/", "AROA2", inline={"p\u2028": GET}, trust=TRUST, boundary=OWN)
    account = replace(FULL, roles={"odd": odd, "app": APP})

    assert baseline_document.read(text_of(account), account=ACCOUNT).account == account


def test_the_same_account_is_written_the_same_in_any_order():
    other = replace(APP, name="other", unique_id="AROA2")
    one = replace(QUIET, roles={"app": APP, "other": other})
    two = replace(QUIET, roles={"other": other, "app": APP})

    assert text_of(one) == text_of(two)


def test_an_error_names_the_line_of_the_entity():
    broken = text_of().replace(b'"AROAAPP"', b"7")

    assert refused(broken).line == line_of(broken, '"unique_id"')


@pytest.mark.parametrize(
    ("wrong", "words", "right"),
    [
        ({"roles": {"app": {"attached": ["AdministratorAccess"]}}}, '"AdministratorAccess"', "arn:aws:iam::aws:"),
        ({"roles": {"app": {"boundary": "x"}}}, '"boundary": "x"', "arn:aws:iam::aws:policy/"),
        ({"policies": {"my-policy": POLICY}}, '"my-policy"', "arn:aws:iam::aws:policy/"),
        ({"policies": {"arn:aws:iam::aws:policy/": POLICY}}, "aws:policy/", "arn:aws:iam::aws:policy/"),
        ({"users": {"": {"path": "/", "unique_id": "AIDA"}}}, '"": {', "name"),
    ],
    ids=["attached", "boundary", "policy", "policy without name", "user without name"],
)
def test_what_is_no_arn_and_no_name_is_refused_with_the_line_and_what_would_be_right(wrong, words, right):
    document = json.loads(text_of())
    for section, entities in wrong.items():
        for name, changes in entities.items():
            document[section].setdefault(name, {}).update(changes)
    text = json.dumps(document, indent=2).encode()

    error = refused(text)

    assert error.line == line_of(text, words)
    assert right in error.reason


@pytest.mark.parametrize(
    ("changes", "ghost"),
    [
        ({"roles": {"app": replace(APP, attached=(f"arn:aws:iam::{ACCOUNT}:policy/none",))}}, "policy/none"),
        ({"roles": {"app": replace(APP, boundary="arn:aws:iam::aws:policy/None")}}, "policy/None"),
        ({"groups": {}}, "readers"),
    ],
    ids=["attached", "boundary", "group"],
)
def test_a_reference_that_the_file_does_not_hold_is_refused_because_nothing_could_be_compared_with_it(changes, ghost):
    text = text_of(replace(FULL, **changes))

    error = refused(text)

    assert ghost in error.reason
    assert ghost in text.decode().splitlines()[error.line - 1]


@pytest.mark.parametrize(
    ("inserted", "words"),
    [
        ('"\\ud800"', "JSON"),
        ("NaN", "JSON"),
        ("-Infinity", "JSON"),
        ("1e999", "JSON"),
        ("9" * 5_000, "JSON"),
        ("[" * 100_000, "nests too deep"),
        ("[" * 700 + "]" * 700, "Action"),
    ],
    ids=["lone surrogate", "NaN", "infinity", "too large a float", "too long a number", "too deep", "deep and whole"],
)
def test_what_is_json_for_python_alone_is_refused(inserted, words):
    text = text_of().replace(b'"s3:GetObject"', inserted.encode())

    assert words in refused(text).reason


@pytest.mark.parametrize("as_written", [True, False], ids=["as it is written", "in one line"])
def test_a_key_that_stands_twice_is_refused_in_every_layout(as_written):
    text = text_of() if as_written else json.dumps(json.loads(text_of())).encode()
    again = text.replace(b'"format":', b'"account": "123456789012",\n  "format":', 1)

    assert "twice" in refused(again).reason
    assert baseline_document.read(text, account=ACCOUNT) == Baseline(QUIET)


def walked(value, path=()):
    """Every place in a JSON value."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from walked(member, (*path, key))


VALID = json.loads(text_of(FULL))
PLACES = [place for place in walked(VALID) if place]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["\ud800", OWN, "arn:aws:iam::aws:policy/", "::::::", "readers", "*"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def edited(draw):
    """A valid document with some of its values, keys or characters changed."""
    document = deepcopy(VALID)
    for place in draw(st.lists(st.sampled_from(PLACES), max_size=3)):
        at = document
        try:
            for step in place[:-1]:
                at = at[step]
            match draw(st.sampled_from(["set", "delete", "rename"])):
                case "set":
                    at[place[-1]] = draw(VALUES)
                case "delete":
                    del at[place[-1]]
                case "rename":
                    at[draw(st.text(max_size=5))] = at.pop(place[-1])
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier edit took the place away
    text = json.dumps(document, indent=draw(st.sampled_from([None, 2, 2])), ensure_ascii=draw(st.booleans()))
    text += draw(st.sampled_from(["", "\n"]))
    start, end = (draw(st.integers(0, len(text))) for _ in range(2))
    match draw(st.sampled_from(["leave", "leave", "cut", "double", "insert"])):
        case "cut":
            text = text[:start] + text[end:]
        case "double":
            text = text[:end] + text[start:]
        case "insert":
            text = (
                text[:start]
                + draw(st.sampled_from(["NaN", '"', "\\ud800", "{", "1e400", "\x00", ",", "9" * 5_000]))
                + text[start:]
            )
    return text.encode("utf-8", "surrogatepass")


def read_or_none(text):
    """What is read; None where the text is refused."""
    try:
        return baseline_document.read(text, account=ACCOUNT)
    except UnusableBaselineError:
        return None


@settings(max_examples=400)
@given(edited())
def test_a_document_in_the_layout_of_the_steward_reads_as_in_every_other(text):
    assert read_or_none(text) == read_or_none(b" " + text)


@settings(max_examples=400)
@given(edited())
def test_an_edited_document_is_read_or_refused_and_never_breaks_the_reader(text):
    try:
        read = baseline_document.read(text, account=ACCOUNT)
        baseline_document.refuse_bad_policies(text, read, None)
    except UnusableBaselineError:
        return
    assert baseline_document.read(baseline_document.write(read), account=ACCOUNT) == read
