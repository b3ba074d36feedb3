"""What a change of policies changed, by example."""

import json
from ipaddress import IPv4Address
from typing import Any

import pytest

from benchmarks.hostile_policies import INNER_STARS
from iam_policy import (
    Budget,
    Decision,
    PolicyDocumentError,
    Verdict,
    compare,
    effective_access,
    evaluate,
)

BUCKET = "arn:aws:s3:::bucket"


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


def when(operator: str, key: str, *values: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def verdict(baseline: list[dict[str, Any]], live: list[dict[str, Any]]) -> Verdict:
    return compare([document(*baseline)], [document(*live)]).verdict


EQUIVALENT = {
    "spread over statements": (
        [allow("s3:Get*", [BUCKET, BUCKET + "/*"])],
        [allow("s3:Get*", BUCKET), allow(["s3:Get*", "s3:GetObject"], BUCKET + "/*")],
    ),
    "an Allow that a Deny cancels": ([allow("s3:*")], [allow("s3:*"), allow("iam:*"), deny("iam:*")]),
    "a Deny of what nobody allows": ([allow("s3:*")], [allow("s3:*"), deny("iam:*")]),
    "covered by the union of two": (
        [allow("s3:GetObject", "*")],
        [allow("s3:GetObject", BUCKET), {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": BUCKET}],
    ),
    "covered by key and no key": (
        [allow("s3:*")],
        [allow("s3:*", **when("Null", "aws:x", "true")), allow("s3:*", **when("Null", "aws:x", "false"))],
    ),
    "covered by a value and its negation": (
        [allow("s3:*")],
        [allow("s3:*", **when("StringEquals", "aws:x", "a")), allow("s3:*", **when("StringNotEquals", "aws:x", "a"))],
    ),
    "covered by the numbers below and above": (
        [allow("s3:*", **when("Null", "aws:n", "false"))],
        [
            allow("s3:*", **when("NumericLessThan", "aws:n", "5")),
            allow("s3:*", **when("NumericGreaterThanEquals", "aws:n", "5")),
        ],
    ),
    "covered by the halves of a block": (
        [allow("s3:*", **when("IpAddress", "aws:SourceIp", "10.0.0.0/8"))],
        [allow("s3:*", **when("IpAddress", "aws:SourceIp", "10.0.0.0/9", "10.128.0.0/9"))],
    ),
    "true and false": (
        [allow("s3:*", **when("Null", "aws:SecureTransport", "false"))],
        [
            allow("s3:*", **when("Bool", "aws:SecureTransport", "true")),
            allow("s3:*", **when("Bool", "aws:SecureTransport", "false")),
        ],
    ),
    "two sets without an Allow": ([deny("s3:*")], [deny("iam:*"), deny("s3:Get*", BUCKET)]),
    "NotAction of the other actions": (
        [allow("s3:*")],
        [allow("*"), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}],
    ),
    "a negation and its IfExists": (
        [allow("s3:*", **when("StringNotLike", "aws:x", "a*"))],
        [allow("s3:*", **when("StringNotLikeIfExists", "AWS:X", "a*"))],
    ),
    "wildcards in another order": ([allow("s3:*", BUCKET + "*?")], [allow("s3:*", BUCKET + "?*")]),
    "a star and any action": ([allow("*")], [allow(["*:*", "s3:*"])]),
    "the same variable": (
        [allow("s3:*", BUCKET + "/${aws:username}/*")],
        [allow("s3:*", [BUCKET + "/${AWS:UserName}/*", BUCKET + "/${aws:username}/x"])],
    ),
    "a default that is the text": (
        [allow("s3:*", **when("StringEquals", "aws:x", "${*}"))],
        [allow("s3:*", **when("StringEquals", "aws:x", "*"))],
    ),
    "an empty condition": ([allow("s3:*")], [allow("s3:*", Condition={})]),
    "all values in a list and each": (
        [allow("s3:*", **when("ForAllValues:StringLike", "aws:TagKeys", "a*", "b"))],
        [allow("s3:*", **when("ForAllValues:StringLike", "aws:TagKeys", "ab", "b", "a*"))],
    ),
    "no Allow left within the union of Denies": (
        [deny("s3:*")],
        [
            allow("s3:GetObject"),
            deny("s3:*", BUCKET),
            {"Effect": "Deny", "Action": "s3:Get*", "NotResource": BUCKET},
        ],
    ),
}

BROADENED = {
    "one more action": ([allow("s3:GetObject")], [allow(["s3:GetObject", "s3:PutObject"])]),
    "a wildcard": ([allow(["s3:GetObject", "s3:GetBucket*"])], [allow("s3:Get*")]),
    "one more resource": ([allow("s3:*", BUCKET)], [allow("s3:*", [BUCKET, BUCKET + "/*"])]),
    "a condition dropped": ([allow("s3:*", **when("StringEquals", "aws:x", "a"))], [allow("s3:*")]),
    "one more value": (
        [allow("s3:*", **when("StringEquals", "aws:x", "a"))],
        [allow("s3:*", **when("StringEquals", "aws:x", "a", "b"))],
    ),
    "capitals that no longer count": (
        [allow("s3:*", **when("StringEquals", "aws:x", "a"))],
        [allow("s3:*", **when("StringEqualsIgnoreCase", "aws:x", "a"))],
    ),
    "a missing key that is let in": (
        [allow("s3:*", **when("StringEquals", "aws:x", "a"))],
        [allow("s3:*", **when("StringEqualsIfExists", "aws:x", "a"))],
    ),
    "a Deny dropped": ([allow("s3:*"), deny("s3:Delete*")], [allow("s3:*")]),
    "a Deny narrowed": ([allow("s3:*"), deny("s3:Delete*")], [allow("s3:*"), deny("s3:DeleteObject")]),
    "a Deny with a condition more": (
        [allow("s3:*"), deny("s3:*", BUCKET)],
        [allow("s3:*"), deny("s3:*", BUCKET, **when("Bool", "aws:ViaAWSService", "false"))],
    ),
    "an exception less": (
        [{"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"}],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
    ),
    "a star that crosses a colon": (
        [allow("s3:*", **when("ArnLike", "aws:SourceArn", "arn:aws:sns:*:1:a"))],
        [allow("s3:*", **when("StringLike", "aws:SourceArn", "arn:aws:sns:*:1:a"))],
    ),
    "a variable opened to everyone": (
        [allow("s3:*", BUCKET + "/${aws:username}/*")],
        [allow("s3:*", BUCKET + "/*")],
    ),
    "another variable beside it": (
        [allow("s3:*", **when("StringEquals", "aws:x", "${aws:a}"))],
        [allow("s3:*", **when("StringEquals", "aws:x", "${aws:a}", "${aws:b}"))],
    ),
    "some value in place of all": (
        [
            allow(
                "s3:*",
                Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"aws:TagKeys": "false"}},
            ),
            allow("s3:*", **when("ForAnyValue:StringEquals", "aws:TagKeys", "a")),
        ],
        [
            allow("s3:*", **when("ForAnyValue:StringEquals", "aws:TagKeys", "a", "b")),
            allow("s3:*", **when("StringEquals", "aws:TagKeys", "")),
            allow("s3:*", **when("StringLike", "aws:TagKeys", "?*")),
        ],
    ),
    "a later time": (
        [allow("s3:*", **when("DateLessThan", "aws:CurrentTime", "2024-01-01"))],
        [allow("s3:*", **when("DateLessThan", "aws:CurrentTime", "2024-01-01T00:00:01Z"))],
    ),
    "the address after the block": (
        [allow("s3:*", **when("IpAddress", "aws:SourceIp", "10.0.0.0/9"))],
        [allow("s3:*", **when("IpAddress", "aws:SourceIp", "10.0.0.0/9", "10.128.0.0"))],
    ),
    "the last address of all": (
        [allow("s3:*", **when("IpAddress", "aws:SourceIp", "0.0.0.0/0", "::/1"))],
        [allow("s3:*", **when("IpAddress", "aws:SourceIp", "0.0.0.0/0", "::/0"))],
    ),
    "a text where a number was meant": (
        [allow("s3:*", **when("NumericEquals", "aws:n", "1"))],
        [allow("s3:*", **when("NumericEquals", "aws:n", "1")), allow("s3:*", **when("StringEquals", "aws:n", "one"))],
    ),
    "the last of all addresses": (
        [allow("s3:*", **when("IpAddress", "aws:SourceIp", "10.0.0.1"))],
        [allow("s3:*", **when("IpAddress", "aws:SourceIp", "10.0.0.1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))],
    ),
    "a statement for any service beside the same one": (
        [allow("s3:GetObject")],
        [allow("s3:GetObject"), allow("*:Get*", BUCKET)],
    ),
    "a variable covered by the union of two": (
        [allow("s3:*", BUCKET + "/${aws:username}")],
        [
            allow("s3:*", BUCKET + "/*", **when("Null", "aws:x", "true")),
            allow("s3:*", BUCKET + "/*", **when("Null", "aws:x", "false")),
        ],
    ),
    "any service's action": ([allow("s3:Get*")], [allow(["s3:Get*", "s*:Get*"])]),
}

INCOMPARABLE = {
    "one resource for another": ([allow("s3:*", BUCKET)], [allow("s3:*", BUCKET + "/*")]),
    "an action and a Deny": ([allow("s3:*")], [allow(["s3:*", "iam:PassRole"]), deny("s3:Delete*")]),
    "one variable for another": (
        [allow("s3:*", BUCKET + "/${aws:username}")],
        [allow("s3:*", BUCKET + "/${aws:userid}")],
    ),
    "a variable for a name": ([allow("s3:*", BUCKET + "/${aws:username}")], [allow("s3:*", BUCKET + "/alice")]),
    "a variable that is text in the old version": (
        [allow("s3:*", BUCKET + "/${aws:username}")],
        [allow("s3:*", BUCKET + "/${$}{aws:username}")],
    ),
}


@pytest.mark.parametrize(("baseline", "live"), EQUIVALENT.values(), ids=EQUIVALENT.keys())
def test_the_same_requests_however_they_are_written(baseline: Any, live: Any) -> None:
    assert verdict(baseline, live) is Verdict.EQUIVALENT
    assert verdict(live, baseline) is Verdict.EQUIVALENT


@pytest.mark.parametrize(("baseline", "live"), BROADENED.values(), ids=BROADENED.keys())
def test_more_requests_one_way_and_less_the_other(baseline: Any, live: Any) -> None:
    assert verdict(baseline, live) is Verdict.BROADENED
    assert verdict(live, baseline) is Verdict.NARROWED


@pytest.mark.parametrize(("baseline", "live"), INCOMPARABLE.values(), ids=INCOMPARABLE.keys())
def test_some_requests_more_and_some_less(baseline: Any, live: Any) -> None:
    assert verdict(baseline, live) is Verdict.INCOMPARABLE
    assert verdict(live, baseline) is Verdict.INCOMPARABLE


@pytest.mark.parametrize(("baseline", "live"), [*BROADENED.values(), *INCOMPARABLE.values()])
def test_every_witness_holds_before_the_point_evaluator(baseline: Any, live: Any) -> None:
    comparison = compare([document(*baseline)], [document(*live)])

    decisions = [
        (evaluate([document(*live)], witness), evaluate([document(*baseline)], witness))
        for witness in comparison.newly_allowed
    ]
    assert decisions
    assert all(now is Decision.ALLOWED and before is not Decision.ALLOWED for now, before in decisions)


def test_a_witness_names_an_action_that_is_known_today() -> None:
    witness = compare([document(allow("s3:GetObject"))], [document(allow(["s3:GetObject", "iam:passrole"]))])

    assert witness.newly_allowed[0].action == "iam:PassRole"
    assert not witness.newly_allowed[0].future_only


def test_all_but_some_actions_are_shown_by_a_known_one_of_a_familiar_service() -> None:
    live = [document({"Effect": "Allow", "NotAction": "iam:PassRole", "Resource": "*"})]

    witness = compare([document(deny())], live).newly_allowed[0]

    assert not witness.future_only
    assert witness.action.startswith("s3:")


def test_what_did_not_change_costs_nothing() -> None:
    hard = [allow(f"s3:*{first}*{last}*", BUCKET + first) for first, last in zip("abcdefgh", "ijklmnop", strict=True)]

    comparison = compare([document(*hard)], [document(*hard, allow("iam:Get*"))], budget=Budget(100))

    assert comparison.verdict is Verdict.BROADENED


def test_a_wildcard_is_shown_by_a_known_action_that_it_adds() -> None:
    comparison = compare([document(allow(["ecr:GetAuthorizationToken"]))], [document(allow("ecr:GetA*"))])

    assert comparison.newly_allowed[0].action == "ecr:GetAccountSetting"
    assert not comparison.newly_allowed[0].future_only


@pytest.mark.parametrize(
    ("named", "wider"), [("s3:*", "s3*:*"), ("ecr:*", "ecr*:*"), ("x:*", "*"), ("x:*", "?:*"), ("s3:*", "*3:*")]
)
def test_a_wildcard_for_services_is_more_than_all_actions_of_one(named: str, wider: str) -> None:
    assert verdict([allow(named)], [allow(wider)]) is Verdict.BROADENED
    assert verdict([allow([named, wider])], [allow(wider)]) is Verdict.EQUIVALENT


def test_a_difference_in_actions_not_known_today_says_so() -> None:
    comparison = compare(
        [document(allow(["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]))],
        [document(allow(["sts:AssumeRole", "sts:AssumeRoleWith*"]))],
    )

    assert comparison.verdict is Verdict.BROADENED
    assert all(witness.future_only for witness in comparison.newly_allowed)


def test_known_actions_come_before_those_to_come() -> None:
    live = document(allow(["s3:Example", "s3:GetObject"]))

    actions = [witness.action for witness in compare([document(deny())], [live]).newly_allowed]

    assert actions == ["s3:GetObject"]


def test_an_action_of_another_service_stands_for_one_to_come_that_is_treated_alike() -> None:
    live = [document(allow([*(f"ecr:Example{number}" for number in range(20)), "s3:GetObject"]))]

    assert [witness.action for witness in compare([document(deny())], live).newly_allowed] == ["s3:GetObject"]


def test_kinds_of_actions_get_a_witness_each_up_to_the_number_asked_for() -> None:
    live = [
        document(*(allow(f"s3:{name}", f"arn:aws:s3:::{name}") for name in ("GetObject", "PutObject", "ListBucket")))
    ]

    assert len(compare([document(deny())], live).newly_allowed) == 3
    assert len(compare([document(deny())], live, most_witnesses=2).newly_allowed) == 2


@pytest.mark.parametrize("asked_for", [0, -1])
def test_no_verdict_is_reached_without_a_witness(asked_for: int) -> None:
    with pytest.raises(ValueError, match="allowed: 1 or more"):
        compare([document(deny())], [document(allow())], most_witnesses=asked_for)


def test_the_search_for_witnesses_stops_at_the_number_asked_for() -> None:
    live = [document(*(allow(name, f"arn:aws:s3:::{name}") for name in ("s3:GetObject", "s3:PutObject", "s3:*")))]
    budget, ample = Budget(), Budget()

    compare([document(deny())], live, budget=budget, most_witnesses=1)
    compare([document(deny())], live, budget=ample)

    assert budget.steps > ample.steps


def test_a_witness_has_a_plausible_resource() -> None:
    live = [document(allow("iam:PassRole", "arn:aws:iam::*:role/app-*"))]

    witness = compare([document(deny())], live).newly_allowed[0]

    assert witness.resource == "arn:aws:iam::111122223333:role/app-example"


def test_a_star_in_a_name_is_no_wildcard() -> None:
    comparison = compare([document(allow("s3:*", "arn:aws:s3:::b"))], [document(allow("s3:*", "arn:aws:s3:::${*}"))])

    assert comparison.newly_allowed[0].resource == "arn:aws:s3:::*"


def test_a_witness_for_a_variable_has_a_value_for_it() -> None:
    live = [document(allow("s3:GetObject", BUCKET + "/${aws:username}/*"))]

    witness = compare([document(deny())], live).newly_allowed[0]

    assert witness.context == {"aws:username": "example"}
    assert witness.resource.startswith(f"{BUCKET}/example/")


def test_a_value_of_a_variable_that_makes_the_difference_is_found() -> None:
    baseline = [document(allow("s3:GetObject", BUCKET + "/${aws:username}"))]
    live = [document(allow("s3:GetObject", BUCKET + "/${aws:username}"), deny("s3:*", BUCKET + "/root"))]

    comparison = compare(baseline, live)

    assert comparison.verdict is Verdict.NARROWED
    assert comparison.newly_denied[0].context == {"aws:username": "root"}


def test_a_value_in_the_middle_of_a_name_that_makes_the_difference_is_found() -> None:
    home = allow("s3:GetObject", BUCKET + "/${aws:username}/docs")

    comparison = compare([document(home)], [document(home, deny("s3:*", BUCKET + "/root/docs"))])

    assert comparison.verdict is Verdict.NARROWED
    assert comparison.newly_denied[0].context == {"aws:username": "root"}


def test_a_value_that_is_made_up_is_none_that_a_policy_names() -> None:
    live = [document(allow("s3:GetObject", BUCKET + "/${aws:username}"), deny("s3:*", BUCKET + "/example"))]

    context = compare([document(deny())], live).newly_allowed[0].context

    assert context["aws:username"] not in {"", "example"}


def test_a_value_in_a_condition_and_in_a_variable_is_the_same_value() -> None:
    home = allow("s3:GetObject", BUCKET + "/${aws:username}", **when("StringEquals", "aws:username", "alice"))

    comparison = compare(
        [document(home)],
        [document(allow("s3:GetObject", BUCKET + "/alice", **when("StringEquals", "aws:username", "alice")))],
    )

    assert comparison.verdict is not Verdict.INCOMPARABLE
    assert not comparison.newly_allowed
    assert not comparison.newly_denied


def test_what_cannot_be_decided_for_every_value_is_unknown_with_the_reason() -> None:
    keys = [f"aws:PrincipalTag/{name}" for name in "abcdef"]
    baseline = [document(*(allow("s3:*", BUCKET + f"/${{{key}}}/*") for key in keys))]
    live = [document(*(allow("s3:*", BUCKET + f"/${{{key}}}/?*") for key in keys), deny("s3:*", BUCKET + "/x?y"))]

    comparison = compare(live, baseline)

    assert comparison.verdict in {Verdict.UNKNOWN, Verdict.BROADENED}
    assert comparison.reason or comparison.newly_allowed


def given_arn(pattern: str, operator: str = "ArnLike") -> dict[str, Any]:
    return allow("s3:GetObject", **when(operator, "aws:SourceArn", pattern))


ROLE_OF_ACCOUNT = "arn:aws:iam::${aws:PrincipalAccount}:role/x"


@pytest.mark.parametrize(
    ("baseline", "live", "expected"),
    [
        (given_arn(ROLE_OF_ACCOUNT), given_arn("arn:aws:iam::*:role/x"), Verdict.BROADENED),
        (
            given_arn("arn:aws:ec2:*:*:vpc/${aws:PrincipalTag/VpcId}"),
            given_arn("arn:aws:ec2:*:*:vpc/*"),
            Verdict.BROADENED,
        ),
        (
            given_arn(ROLE_OF_ACCOUNT),
            given_arn("arn:aws:iam::${aws:PrincipalAccount, 'a:b'}:role/x"),
            Verdict.EQUIVALENT,
        ),
        (given_arn("arn:aws:iam::*:role/x"), given_arn(ROLE_OF_ACCOUNT, "StringLike"), Verdict.INCOMPARABLE),
        (
            allow("s3:*", **when("StringEquals", "k", "${aws:username}")),
            allow("s3:*", **when("StringEquals", "k", "${aws:username, 'x'}")),
            Verdict.BROADENED,
        ),
        (
            allow("s3:*", **when("StringEquals", "k", "${u}")),
            allow("s3:*", **when("ForAnyValue:StringEquals", "k", "${u}")),
            Verdict.NARROWED,
        ),
    ],
)
def test_changes_around_a_variable_are_decided_for_every_value(baseline: Any, live: Any, expected: Verdict) -> None:
    assert verdict([baseline], [live]) is expected


@pytest.mark.parametrize(("one", "other"), [("ß", "SS"), ("\u0131", "I"), ("ς", "Σ"), ("\u212a", "k"), ("é", "É")])
def test_only_ascii_capitals_are_ignored(one: str, other: str) -> None:
    def given(text: str) -> list[dict[str, Any]]:
        return [allow("s3:*", **when("StringEqualsIgnoreCase", "k", text))]

    assert verdict(given(one), given(other)) is Verdict.INCOMPARABLE
    assert verdict(given(one + "a"), given(one + "A")) is Verdict.EQUIVALENT


def test_a_wildcard_that_takes_only_actions_that_are_named_changes_nothing() -> None:
    own = [allow("s3:Ge*", BUCKET), deny("s3:Get", BUCKET)]

    assert verdict(own, [*own, deny("s3:G?t", BUCKET)]) is Verdict.EQUIVALENT
    assert verdict(own, [*own, deny("s3:Ge?", BUCKET)]) is Verdict.NARROWED


def test_every_resource_is_longer_than_nothing() -> None:
    assert verdict([allow("*", "*"), deny("*", "?*")], [deny()]) is Verdict.EQUIVALENT
    assert verdict([allow("*", "*")], [allow("*", ["?*", BUCKET])]) is Verdict.EQUIVALENT
    assert verdict([allow("*", "*")], [allow("*", "??*")]) is Verdict.NARROWED
    assert verdict([allow("*", "*"), deny("*", "?*")], [allow("*", BUCKET)]) is Verdict.BROADENED


@pytest.mark.parametrize(
    ("pattern", "resource"), [("*", "*"), ("arn:*", "arn:aws:example:us-east-1:111122223333:example")]
)
def test_a_witness_of_no_resource_in_particular_is_one_that_a_request_may_have(pattern: str, resource: str) -> None:
    live = [document(allow("s3:GetObject", pattern))]

    assert compare([], live).newly_allowed[0].resource == resource


HOMES = [f"{BUCKET}/${{aws:PrincipalTag/{tag}}}" for tag in "abcdef"]


@pytest.mark.parametrize("count", range(1, 7))
def test_up_to_six_variables_of_one_action_are_decided_for_every_value(count: int) -> None:
    homes = [f"{home}/" for home in HOMES[:count]]

    parted = allow("s3:*", [f"{home}?*" for home in homes] + homes)

    assert verdict([allow("s3:*", [f"{home}*" for home in homes])], [parted]) is Verdict.EQUIVALENT


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_difference_is_found_at_a_value_that_no_text_names(count: int) -> None:
    homes = [
        allow("s3:*", home, **when("StringLike", f"aws:PrincipalTag/{tag}", "*q*"))
        for tag, home in zip("abc"[:count], HOMES, strict=False)
    ]

    comparison = compare([document(*homes)], [document(*homes, deny("s3:*", "arn:*x?y*"))])

    assert comparison.verdict is Verdict.NARROWED
    assert "xqy" in comparison.newly_denied[0].context.values()


def test_a_value_that_may_meet_itself_elsewhere_is_unknown_with_the_variable() -> None:
    home = allow("s3:*", BUCKET + "/${aws:username}--")

    comparison = compare([document(home)], [document(home, deny("s3:*", BUCKET + "/-${aws:username}"))])

    assert comparison.verdict is Verdict.UNKNOWN
    assert comparison.reason.startswith("not decided for every value of ${aws:username}, at action s3:")


@pytest.mark.parametrize("pattern", ["arn:*x?y*", "arn:aws:s3:::*/a?", "*ab*ba*", "arn:aws:s3:::bucket/?"])
def test_a_value_at_which_a_wildcard_meets_a_variable_is_found(pattern: str) -> None:
    home = allow("s3:*", HOMES[0])

    assert verdict([home], [home, deny("s3:*", pattern)]) is Verdict.NARROWED


def test_the_first_of_two_values_that_makes_the_difference_is_found() -> None:
    home = allow("s3:GetObject", BUCKET + "/${aws:username}-${aws:userid}")

    comparison = compare([document(home)], [document(home, deny("s3:*", BUCKET + "/root-*"))])

    assert comparison.verdict is Verdict.NARROWED
    assert comparison.newly_denied[0].context["aws:username"] == "root"


def test_variables_count_only_where_their_action_is_in_dispute() -> None:
    own = [allow(f"s3:Get{tag}", [f"{home}/*", f"{home}/x"]) for tag, home in zip("abcdef", HOMES, strict=True)]
    same = [allow(f"s3:Get{tag}", [f"{home}/?*", f"{home}/"]) for tag, home in zip("abcdef", HOMES, strict=True)]

    assert verdict(own, same) is Verdict.EQUIVALENT
    assert verdict(own, [*same, allow("iam:PassRole")]) is Verdict.BROADENED


def test_a_variable_is_inside_a_star_with_any_value() -> None:
    assert verdict([allow("s3:*", HOMES)], [allow("s3:*", BUCKET + "/*")]) is Verdict.BROADENED
    assert verdict([allow("s3:*", HOMES)], [allow("s3:*", [*HOMES, BUCKET])]) is Verdict.BROADENED


def test_an_allow_that_an_own_deny_takes_back_needs_no_values() -> None:
    homes = [allow("s3:*", HOMES, **when("StringNotEquals", "aws:x", "${aws:username}"))]
    guard = {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}

    assert verdict([*homes, guard], [*homes, guard, allow(["s3:GetObject", "iam:*"], HOMES)]) is Verdict.BROADENED
    assert verdict([*homes, guard], [*homes, guard, allow("iam:*", HOMES)]) is Verdict.EQUIVALENT


def test_a_difference_that_shows_only_where_several_keys_are_missing_is_found() -> None:
    tags = [{"Null": {f"aws:PrincipalTag/{tag}": "true"}} for tag in "ab"]
    both_missing = {"Null": tags[0]["Null"] | tags[1]["Null"]}
    at_home = {"StringEquals": {"aws:PrincipalTag/c": "${aws:PrincipalTag/c}"}}
    homes = allow("s3:*", HOMES[:3])
    live = allow("s3:*", BUCKET + "/${aws:PrincipalTag/c}/x", Condition=both_missing | at_home)

    comparison = compare([document(homes)], [document(homes, live)])

    assert comparison.verdict is Verdict.BROADENED
    assert {key for key, value in comparison.newly_allowed[0].context.items() if value} <= {"aws:principaltag/c"}


def test_a_variable_with_a_key_that_a_condition_binds_is_its_value() -> None:
    of_a = when("StringEquals", "aws:PrincipalTag/team", "a")
    of_both = when("StringEquals", "aws:PrincipalTag/team", "a", "b")
    of_b = when("StringEquals", "aws:PrincipalTag/team", "b")
    by_team = BUCKET + "/${aws:PrincipalTag/team}/*"

    assert verdict([allow("s3:*", by_team, **of_a)], [allow("s3:*", BUCKET + "/a/*", **of_a)]) is Verdict.EQUIVALENT
    written_out = [allow("s3:*", f"{BUCKET}/a/*", **of_a), allow("s3:*", f"{BUCKET}/b/*", **of_b)]
    assert verdict([allow("s3:*", by_team, **of_both)], written_out) is Verdict.EQUIVALENT


def test_an_equality_of_two_keys_is_the_same_both_ways() -> None:
    one = when("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}")
    other = when("StringEquals", "aws:PrincipalTag/team", "${aws:ResourceTag/team}")

    assert verdict([allow("s3:*", "*", **one)], [allow("s3:*", "*", **other)]) is Verdict.EQUIVALENT


def test_a_budget_that_is_used_up_gives_unknown_with_the_reason() -> None:
    baseline = [document(allow("s3:*"), deny("s3:*", BUCKET))]
    live = [document(allow("s3:*"), deny("s3:*", [BUCKET, "arn:aws:s3:::b*t"]))]

    comparison = compare(baseline, live, budget=Budget(3))

    assert comparison.verdict is Verdict.UNKNOWN
    assert comparison.reason == "not decided within the budget"


def test_what_was_found_within_the_budget_is_reported_with_unknown() -> None:
    hard = [
        deny("s3:PutObject", f"arn:aws:s3:::*{first}{second}*", **when("Bool", f"aws:{first}", "true"))
        for first, second in zip("abcdefgh", "ijklmnop", strict=True)
    ]
    harder = deny("s3:PutObject", "arn:aws:s3:::*hp*", **when("Bool", "aws:b", "true"))
    baseline = [document(allow("s3:*"), *hard)]
    live = [document(allow(["s3:*", "iam:PassRole"]), *hard[:-1], harder)]

    comparison = compare(baseline, live, budget=Budget(100))

    assert comparison.verdict is Verdict.UNKNOWN
    assert comparison.newly_allowed[0].action == "iam:PassRole"
    assert compare(baseline, live).verdict is Verdict.INCOMPARABLE


def test_what_is_only_spelled_otherwise_needs_no_budget() -> None:
    baseline = [
        document(allow(["s3:*", "iam:PassRole"], [BUCKET, "arn:aws:s3:::*b"]), deny("s3:*", "arn:aws:s3:::x*y"))
    ]
    live = [
        document(allow("s3:*", ["arn:aws:s3:::*b", BUCKET]), deny("s3:*", "arn:aws:s3:::x*y")),
        document(allow("iam:PassRole", BUCKET), allow("iam:PassRole", "arn:aws:s3:::*b")),
    ]

    assert compare(baseline, live, budget=Budget(0)).verdict is Verdict.EQUIVALENT
    assert compare(baseline, [live[0]], budget=Budget(0)).verdict is not Verdict.EQUIVALENT
    assert compare([live[0]], baseline, budget=Budget(0)).verdict is not Verdict.EQUIVALENT


def test_witnesses_of_both_kinds_are_given_known_ones_first() -> None:
    live = [document(allow("example:DoThis", BUCKET), allow("s3:GetObject"), allow("example:DoThat", "arn:aws:s3:::x"))]

    witnesses = compare([document(deny())], live).newly_allowed

    assert [witness.future_only for witness in witnesses] == [False, True, True]


def test_a_number_between_two_is_found() -> None:
    between = {"NumericGreaterThan": {"aws:n": "1"}, "NumericLessThan": {"aws:n": "2"}}

    witness = compare([document(deny())], [document(allow(Condition=between))]).newly_allowed[0]

    assert witness.context == {"aws:n": "1.5"}


def test_numbers_beyond_all_that_are_named_are_found() -> None:
    above, below = when("NumericGreaterThan", "aws:n", "1", "7"), when("NumericLessThan", "aws:n", "1", "7")
    seven = when("NumericLessThanEquals", "aws:n", "7")

    more = compare([document(allow(**seven))], [document(allow(**seven), allow(**above))])
    less = compare([document(allow(**when("NumericGreaterThanEquals", "aws:n", "1")))], [document(allow(**below))])

    assert more.newly_allowed[0].context == {"aws:n": "8"}
    assert less.newly_allowed[0].context == {"aws:n": "0"}


def test_values_that_are_only_together_what_is_asked_are_found() -> None:
    both = {"ForAnyValue:StringEquals": {"aws:TagKeys": "a"}, "ForAnyValue:StringLike": {"aws:TagKeys": "b*"}}

    witness = compare([document(deny())], [document(allow(Condition=both))]).newly_allowed[0]

    assert sorted(witness.context["aws:tagkeys"]) == ["a", "bexample"]


def test_values_of_which_each_is_allowed_need_not_be_allowed_together() -> None:
    baseline = [document(allow(**when("ForAllValues:StringEquals", "aws:TagKeys", "a", "b")))]
    live = [
        document(
            allow(**when("ForAllValues:StringEquals", "aws:TagKeys", "a")),
            allow(**when("ForAllValues:StringEquals", "aws:TagKeys", "b")),
        )
    ]

    comparison = compare(baseline, live)

    assert comparison.verdict is Verdict.NARROWED
    assert sorted(comparison.newly_denied[0].context["aws:tagkeys"]) == ["a", "b"]


def test_a_key_compared_as_text_and_as_number_is_distinguished_or_unknown() -> None:
    both = [document(allow(**when("StringLike", "aws:n", "1*")), allow(**when("NumericGreaterThan", "aws:n", "5")))]

    assert compare([document(allow(**when("StringLike", "aws:n", "1*")))], both).verdict is Verdict.BROADENED
    assert compare(both, both[::-1]).verdict is Verdict.EQUIVALENT
    assert compare(both, [document(*reversed(both[0]["Statement"]), allow("s3:*"))]).verdict is Verdict.BROADENED


def test_a_text_that_is_also_a_number_where_none_that_was_tried_is_both_is_unknown() -> None:
    both = {"StringLike": {"aws:n": "1*7"}, "NumericGreaterThan": {"aws:n": "5"}}

    comparison = compare([document(deny())], [document(allow(Condition=both))])

    assert comparison.verdict is Verdict.UNKNOWN
    assert comparison.reason.startswith("a difference that could not be confirmed")


def test_a_time_in_a_witness_is_written_as_a_date() -> None:
    live = [document(allow(**when("DateEquals", "aws:CurrentTime", "1704067201")))]

    witness = compare([document(deny())], live).newly_allowed[0]

    assert witness.context == {"aws:currenttime": "2024-01-01T00:00:01Z"}


def test_an_empty_text_is_no_value_to_a_set_operator() -> None:
    empty = [document(allow(**when("StringEquals", "aws:TagKeys", "")))]
    every = [document(allow(**when("ForAllValues:StringEquals", "aws:TagKeys", "a")))]
    some = [document(allow(**when("ForAnyValue:StringLike", "aws:TagKeys", "*")))]

    assert compare(empty, every).verdict is Verdict.INCOMPARABLE
    assert compare(every, [*every, *empty]).verdict is Verdict.BROADENED
    assert compare([*every, *some], [*every, *some, *empty]).verdict is Verdict.EQUIVALENT
    assert compare(empty, some).verdict is Verdict.INCOMPARABLE


def test_addresses_outside_of_blocks_are_found_in_both_families() -> None:
    outside = when("NotIpAddress", "aws:SourceIp", "0.0.0.0/1", "::/1")
    nowhere = when("NotIpAddress", "aws:SourceIp", "0.0.0.0/0", "::/0")
    present = {"Null": {"aws:SourceIp": "false"}}

    found = compare([document(deny())], [document(allow(Condition=outside["Condition"] | present))])
    none = compare([document(deny())], [document(allow(Condition=nowhere["Condition"] | present))])

    assert found.newly_allowed[0].context == {"aws:sourceip": "128.0.0.0"}
    assert none.verdict is Verdict.EQUIVALENT


ALL_ADDRESSES_BUT_THE_FIRST = [f"{IPv4Address(1 << bits)}/{32 - bits}" for bits in range(32)] + ["::/0"]


def test_the_first_of_all_addresses_is_found() -> None:
    elsewhere = when("NotIpAddress", "aws:SourceIp", *ALL_ADDRESSES_BUT_THE_FIRST)["Condition"]
    present = {"Null": {"aws:SourceIp": "false"}}

    witness = compare([document(deny())], [document(allow(Condition=elsewhere | present))]).newly_allowed[0]

    assert witness.context == {"aws:sourceip": str(IPv4Address(0))}


def test_documents_are_read_together() -> None:
    whole = document(allow(["s3:GetObject", "iam:PassRole"]), deny("s3:*", BUCKET))
    parts = [document(allow("s3:GetObject")), json.dumps(document(allow("iam:PassRole"), deny("s3:Get*", BUCKET)))]

    assert compare([whole], parts).verdict is Verdict.EQUIVALENT


def test_no_documents_allow_nothing() -> None:
    assert compare([], []).verdict is Verdict.EQUIVALENT
    assert compare([], [document(allow())]).verdict is Verdict.BROADENED
    assert compare([document(allow())], []).verdict is Verdict.NARROWED


def test_a_boundary_that_is_taken_away_broadens() -> None:
    own = [document(allow("s3:*"), allow("iam:*"))]
    bounded = effective_access(own, boundary=document(allow("s3:*")))

    comparison = compare(bounded, effective_access(own))

    assert comparison.verdict is Verdict.BROADENED
    assert comparison.newly_allowed[0].action.startswith("iam:")


def test_a_boundary_that_lets_through_all_there_is_changes_nothing() -> None:
    own = [document(allow("s3:Get*"))]

    assert compare(own, effective_access(own, boundary=document(allow("s3:*")))).verdict is Verdict.EQUIVALENT


def test_a_policy_of_a_group_counts_like_an_own_one() -> None:
    policy = document(allow("s3:*"))

    assert compare(effective_access([policy]), effective_access([], groups=[policy])).verdict is Verdict.EQUIVALENT


def test_a_malformed_document_is_refused_even_when_both_sides_are_the_same() -> None:
    broken = document(allow("GetObject"))

    with pytest.raises(PolicyDocumentError, match="/Statement/0/Action: "):
        compare([broken], [broken])


@pytest.mark.parametrize("service", ["s3", "*"])
@pytest.mark.parametrize("more", [[], ["*ar*job*", "*op*a*k*"]])
def test_statements_with_many_stars_in_their_actions_are_decided(service: str, more: list[str]) -> None:
    many = [
        allow(f"{service}:{name}", f"arn:aws:s3:::b{number}/*") for number, name in enumerate([*INNER_STARS, *more])
    ]
    wider = [*many[:-1], allow(many[-1]["Action"])]

    assert verdict(many, wider) is Verdict.BROADENED
    assert verdict(wider, many) is Verdict.NARROWED
    assert verdict(many, many[:-1]) is Verdict.NARROWED


def test_denies_of_many_words_are_decided() -> None:
    words = ["secret", "admin", "prod", "audit", "vault", "token", "billing", "master", "ledger", "payroll"]
    denies = [deny("*", f"arn:aws:*{word}*", **when("StringNotEquals", f"aws:x/{word}", "y")) for word in words]
    everything = allow(["iam:*", "s3:*"])

    assert verdict([everything, *denies], [everything, *denies[:-1]]) is Verdict.BROADENED
    assert verdict([everything, *denies], [everything, *denies, allow("sqs:*")]) is Verdict.BROADENED
    assert verdict([everything, *denies], [everything, *denies[:-1], deny("*")]) is Verdict.NARROWED


def test_a_wildcard_beside_a_star_upon_the_same_adds_nothing() -> None:
    both = [allow("*", BUCKET), allow("s3:Get*", BUCKET)]
    getting, denied = allow("s3:Get*", f"{BUCKET}/*"), deny("s3:Get*", BUCKET)

    assert verdict(both, [*both, getting]) is Verdict.BROADENED
    assert verdict(both, [*both, denied]) is Verdict.NARROWED
    assert verdict(both, [*both, getting, denied]) is Verdict.INCOMPARABLE


def test_an_allow_among_forty_denies_is_decided() -> None:
    denies = [deny("s3:*", f"{BUCKET}-*{n}*", **when("StringNotEquals", "aws:x", f"y{n}")) for n in range(40)]

    def verdict_with(*more: dict[str, Any]) -> Verdict:
        return verdict(denies, [*more, *denies])

    assert verdict_with(allow("s3:GetObject", f"{BUCKET}/*")) is Verdict.BROADENED
    assert verdict_with(allow("s3:GetObject", f"{BUCKET}-7")) is Verdict.BROADENED
    assert verdict_with(allow("s3:GetObject", f"{BUCKET}-77"), deny("s3:*", f"{BUCKET}-*")) is Verdict.EQUIVALENT


def test_many_resources_with_a_star_inside_are_decided() -> None:
    names = [f"arn:aws:s3:::team-{number * 7919 % 9973}*-data" for number in range(400)]
    other = "arn:aws:s3:::other*-data"

    assert verdict([allow("s3:*", names)], [allow("s3:*", [*names, other])]) is Verdict.BROADENED
    assert verdict([allow("s3:*", names)], [allow("s3:*", [*names[:-1], other])]) is Verdict.INCOMPARABLE


def test_many_resources_with_a_variable_are_decided() -> None:
    tables = [f"arn:aws:dynamodb:*:*:table/${{aws:PrincipalTag/team}}-{number}*" for number in range(20)]
    arns = when("ArnLike", "aws:PrincipalArn", *(f"arn:aws:iam::*:role/*w{number}*/{number}" for number in range(20)))

    live = [*tables[:-1], "arn:aws:dynamodb:*:*:table/other*-x"]
    assert verdict([allow("dynamodb:*", tables, **arns)], [allow("dynamodb:*", live, **arns)]) is Verdict.BROADENED
