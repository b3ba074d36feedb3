"""Whom Principal and NotPrincipal elements name, in resource and trust policies."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam_policy import Decision, Request, Verdict, compare, evaluate
from iam_policy.bits import bits_of
from iam_policy.principals import Principals, examples, matching, parse

ACCOUNT = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/team/alice"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/deploy"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run-1"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"
CANONICAL = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"


def trust(**element: Any) -> dict[str, Any]:
    return {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"} | element}


@pytest.mark.parametrize(
    ("named", "asking", "included"),
    [
        ("*", ALICE, True),
        ("*", "*", True),
        ("*", "ec2.amazonaws.com", True),
        ({"AWS": "*"}, "ec2.amazonaws.com", True),
        ({"Service": "*"}, "ec2.amazonaws.com", True),
        ({"Service": "*"}, ALICE, False),
        ({"Service": "*"}, "*", False),
        ({"AWS": ACCOUNT}, ALICE, True),
        ({"AWS": ROOT}, ALICE, True),
        ({"AWS": ROOT}, SESSION, True),
        ({"AWS": ROOT}, ACCOUNT, True),
        ({"AWS": ACCOUNT}, ROOT, True),
        ({"AWS": ROOT}, "arn:aws:iam::444455556666:user/alice", False),
        ({"AWS": ROOT}, f"arn:aws-cn:iam::{ACCOUNT}:user/alice", False),
        ({"AWS": ROOT}, "*", False),
        ({"AWS": ROOT}, PROVIDER, False),
        ({"AWS": ALICE}, ALICE, True),
        ({"AWS": ALICE}, ALICE.upper(), False),
        ({"AWS": ALICE}, ROOT, False),
        ({"AWS": ROLE}, ROLE, True),
        ({"AWS": ROLE}, SESSION, True),
        ({"AWS": ROLE}, "arn:aws:sts::444455556666:assumed-role/deploy/run-1", False),
        ({"AWS": ROLE}, f"arn:aws:sts::{ACCOUNT}:assumed-role/other/run-1", False),
        ({"AWS": ROLE}, SESSION.replace("arn:aws:", "arn:aws-cn:"), False),
        ({"AWS": SESSION}, SESSION, True),
        ({"AWS": SESSION}, ROLE, False),
        ({"AWS": ["AIDAABCDEFGHIJKLMNOP", ALICE]}, "AIDAABCDEFGHIJKLMNOP", True),
        ({"AWS": "AROAABCDEFGHIJKLMNOP"}, ROLE, False),
        ({"Service": "ec2.amazonaws.com"}, "ec2.amazonaws.com", True),
        ({"Service": "ec2.amazonaws.com"}, "ecs.amazonaws.com", False),
        ({"Service": "ec2.amazonaws.com"}, "Federated:ec2.amazonaws.com", False),
        ({"Federated": "accounts.google.com"}, "accounts.google.com", True),
        ({"Federated": "cognito-identity.amazonaws.com"}, "cognito-identity.amazonaws.com", True),
        ({"Federated": PROVIDER}, PROVIDER, True),
        ({"Federated": "x.amazonaws.com"}, "Federated:x.amazonaws.com", True),
        ({"CanonicalUser": CANONICAL}, CANONICAL, True),
        ({"AWS": ALICE, "Service": "ec2.amazonaws.com"}, "ec2.amazonaws.com", True),
    ],
)
def test_who_is_named_by_a_principal_element(named: Any, asking: str, *, included: bool) -> None:
    decision = evaluate([trust(Principal=named)], Request("sts:AssumeRole", principal=asking))

    assert (decision is Decision.ALLOWED) is included


@pytest.mark.parametrize(
    ("named", "asking", "applies"),
    [
        ({"AWS": [ALICE, ROOT]}, ALICE, False),
        ({"AWS": [ALICE, ROOT]}, ROOT, False),
        ({"AWS": ROOT}, ALICE, True),
        ({"AWS": ROLE}, SESSION, True),
        ({"AWS": ALICE}, "ec2.amazonaws.com", True),
        ("*", ALICE, False),
    ],
)
def test_not_principal_spares_only_the_listed_principals(named: Any, asking: str, *, applies: bool) -> None:
    decision = evaluate([trust(NotPrincipal=named)], Request("sts:AssumeRole", principal=asking))

    assert (decision is Decision.ALLOWED) is applies


def test_a_request_without_principal_matches_no_principal_element() -> None:
    assert evaluate([trust(Principal="*")], Request("sts:AssumeRole")) is Decision.IMPLICITLY_DENIED
    assert evaluate([trust(NotPrincipal={"AWS": ROOT})], Request("sts:AssumeRole")) is Decision.IMPLICITLY_DENIED


@pytest.mark.parametrize(
    ("baseline", "live", "verdict"),
    [
        ({"AWS": ACCOUNT}, {"AWS": [ROOT]}, Verdict.EQUIVALENT),
        ("*", {"AWS": "*"}, Verdict.EQUIVALENT),
        ({"AWS": [ROOT, ALICE]}, {"AWS": ROOT}, Verdict.EQUIVALENT),
        ({"AWS": [ROLE, SESSION]}, {"AWS": ROLE}, Verdict.EQUIVALENT),
        ({"AWS": ROLE}, {"AWS": SESSION}, Verdict.NARROWED),
        ({"AWS": ALICE}, {"AWS": ROOT}, Verdict.BROADENED),
        ({"AWS": ROOT}, "*", Verdict.BROADENED),
        ({"Service": "ec2.amazonaws.com"}, {"Service": ["ec2.amazonaws.com", "ecs.amazonaws.com"]}, Verdict.BROADENED),
        ({"AWS": ALICE}, {"AWS": "AIDAABCDEFGHIJKLMNOP"}, Verdict.INCOMPARABLE),
        ({"Federated": PROVIDER}, {"Federated": "accounts.google.com"}, Verdict.INCOMPARABLE),
    ],
)
def test_trust_policies_are_compared_by_admitted_principals(baseline: Any, live: Any, verdict: Verdict) -> None:
    comparison = compare([trust(Principal=baseline)], [trust(Principal=live)])

    assert comparison.verdict is verdict


def test_a_trust_that_is_opened_to_everyone_is_shown_with_a_stranger() -> None:
    comparison = compare([trust(Principal={"AWS": ROOT})], [trust(Principal="*")])

    assert comparison.newly_allowed[0].action == "sts:AssumeRole"
    assert ACCOUNT not in (comparison.newly_allowed[0].principal or "")


def test_a_witness_names_a_principal_that_can_be_asked_again() -> None:
    live = [trust(Principal={"Federated": "x.amazonaws.com"})]

    witness = compare([trust(Principal={"AWS": ROOT})], live).newly_allowed[0]

    assert witness.principal == "Federated:x.amazonaws.com"
    assert evaluate(live, witness) is Decision.ALLOWED


EXAMPLE = f"arn:aws:iam::{ACCOUNT}:user/example"
EXAMPLE_SESSIONS = [f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/{name}" for name in ("example", "another")]


@pytest.mark.parametrize(
    ("named", "spared"),
    [
        ({"AWS": ACCOUNT}, {"AWS": [ACCOUNT, EXAMPLE]}),
        ({"AWS": ACCOUNT}, {"AWS": [ACCOUNT, EXAMPLE, f"{EXAMPLE}2"]}),
        ({"AWS": ROLE}, {"AWS": [ROLE, *EXAMPLE_SESSIONS]}),
        ({"Service": "*"}, {"Service": ["*", "example.amazonaws.com"]}),
        ({"Federated": "*"}, {"Federated": ["*", f"arn:aws:iam::{ACCOUNT}:saml-provider/example"]}),
        ({"AWS": "arn:aws-cn:iam::111122223333:root"}, {"AWS": ["arn:aws-cn:iam::111122223333:root", EXAMPLE]}),
    ],
)
def test_a_principal_that_no_policy_names_is_denied(named: Any, spared: Any) -> None:
    baseline = trust(Principal=named)
    live = {"Statement": [baseline["Statement"], trust(NotPrincipal=spared)["Statement"] | {"Effect": "Deny"}]}

    comparison = compare([baseline], [live])

    assert comparison.verdict is Verdict.NARROWED
    assert evaluate([live], comparison.newly_denied[0]) is Decision.EXPLICITLY_DENIED


def test_braces_in_a_name_are_letters() -> None:
    role, account = f"arn:aws:iam::{ACCOUNT}:role/{{0}}{{x", "arn:aws:iam::{}{1:root"

    comparison = compare([], [trust(Principal={"AWS": [role, account]})])

    assert comparison.verdict is Verdict.BROADENED


CHINA = "arn:aws-cn:iam::111122223333"
LISTED = [
    *("*", ROOT, ALICE, EXAMPLE, ROLE, SESSION, *EXAMPLE_SESSIONS, "444455556666", f"{CHINA}:root"),
    *(f"{CHINA}:user/example", f"{CHINA}:role/deploy", "arn:aws-cn:sts::111122223333:assumed-role/deploy/example"),
    *("ec2.amazonaws.com", "example.amazonaws.com", "Service:*", "Federated:*", PROVIDER, CANONICAL, "0" * 64),
]
#: Some of every kind that is listed, and more of each kind than are listed.
EVERYBODY = [
    *LISTED,
    *(f"{before}example{number}" for before in (EXAMPLE[:-7], f"{CHINA}:user/") for number in range(9)),
    *(f"{ROOT[:-4]}user/{number}" for number in range(3)),
    *(
        f"arn:{partition}:sts::{ACCOUNT}:assumed-role/{role}/{number}"
        for partition in ("aws", "aws-cn")
        for role in ("deploy", "other")
        for number in range(3)
    ),
    *("arn:aws:iam::777788889999:user/u", "ecs.amazonaws.com", "accounts.google.com", "1" * 64, f"{CHINA}:role/x"),
]
#: Few at a time, so that elements share names.
ELEMENTS = st.lists(st.sampled_from([parse(text) for text in LISTED]), min_size=1, max_size=4, unique=True).flatmap(
    lambda few: st.lists(
        st.builds(Principals, st.frozensets(st.sampled_from(few), min_size=1), st.booleans()), min_size=1, max_size=4
    )
)


@settings(max_examples=500)
@given(ELEMENTS)
def test_there_is_an_example_of_every_way_to_be_named(elements: list[Principals]) -> None:
    found = {tuple(element.match(one) for element in elements) for one in examples(elements)}

    assert {tuple(element.match(parse(text)) for element in elements) for text in EVERYBODY} <= found


@given(ELEMENTS)
def test_many_elements_at_once_apply_as_each_applies_by_itself(elements: list[Principals]) -> None:
    distinct = list(dict.fromkeys(elements))
    met = matching({element: 1 << place for place, element in enumerate(distinct)})

    for asking in map(parse, EVERYBODY):
        assert met(asking) == bits_of(element.match(asking) for element in distinct)


def test_braces_in_the_name_of_a_role_are_letters_like_others() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/a{{b}}{{}}"

    assert compare([], [trust(Principal={"AWS": role})]).verdict is Verdict.BROADENED
