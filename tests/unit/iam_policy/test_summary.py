"""All of what a change added and removed, in groups and in words."""

import json
import os
import subprocess
import sys
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iam_policy import (
    Budget,
    Decision,
    Request,
    Verdict,
    compare,
    effective_access,
    evaluate,
    known_actions,
    summarize,
    summary_in_words,
)
from iam_policy.access import Access, access_of
from iam_policy.danger import rank
from tests.unit.iam_policy.strategies import documents, pairs, requests

if TYPE_CHECKING:
    from iam_policy import Grant, Policies

ROOT = Path(__file__).parents[3]
few = settings(
    max_examples=int(environ.get("PROPERTY_EXAMPLES", "15")),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
many = settings(max_examples=2_500, deadline=None, suppress_health_check=list(HealthCheck))
KINDS = {
    "plain": pairs(),
    "with variables": pairs(variables=True),
    "with principals": pairs(principals=True),
    "with boundaries": st.builds(
        lambda two, first, second: (effective_access([two[0]], (), first), effective_access([two[1]], (), second)),
        pairs(),
        st.none() | documents(),
        st.none() | documents(),
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS.keys())


def allow(*actions: str, on: Any = "*", effect: str = "Allow", condition: Any = None) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": list(actions), "Resource": on}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def added(baseline: "Policies", live: "Policies") -> list[str]:
    return list(summary_in_words(summarize(baseline, live).added))


READING = allow("s3:GetObject")


def test_every_new_action_is_named_with_the_most_dangerous_first() -> None:
    live = [READING, allow("s3:PutObject", "dynamodb:DeleteTable", "iam:PutUserPolicy", "sqs:ListQueues")]

    assert added(READING, live) == [
        "iam:PutUserPolicy (permissions management) on any resource",
        "dynamodb:DeleteTable (write) on any resource",
        "s3:PutObject (write) on any resource",
        "sqs:ListQueues (read) on any resource",
    ]


def test_every_action_of_a_service_comes_before_one_that_is_as_dangerous() -> None:
    one, whole = "cloudshell:DeleteEnvironment", "dlm"
    assert rank(one)[:3] == min(map(rank, known_actions.of_service(whole)))[:3]

    lines = added(READING, [READING, allow(one), allow(f"{whole}:*")])

    assert lines == [f"every {whole} action on any resource", f"{one} (write) on any resource"]


def test_all_actions_but_those_of_a_service_are_not_any_action() -> None:
    live = allow("*")
    live["Statement"][0]["NotAction"] = ["iam:*"]
    del live["Statement"][0]["Action"]

    (words,) = added(READING, live)

    assert words.startswith("every action of ")


def test_an_administrator_may_take_any_action_on_any_resource() -> None:
    (words,) = added(READING, allow("*"))

    assert words.startswith("any action (")
    assert words.endswith(" of them new) on any resource")


def test_a_new_service_wildcard_is_every_action_of_the_service() -> None:
    table = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"

    assert added(READING, [READING, allow("iam:*"), allow("dynamodb:*", on=table)]) == [
        "every iam action on any resource",
        f"every dynamodb action on {table}",
    ]


def test_many_actions_of_a_service_are_counted_by_their_access_level() -> None:
    writes = sorted(
        name
        for name in known_actions.of_service("dynamodb")
        if known_actions.level(name) is known_actions.AccessLevel.WRITE
    )[:12]
    table = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"

    (words,) = added(READING, [READING, allow(*writes, on=table)])

    assert words.startswith("12 write actions of dynamodb, such as dynamodb:Delete")
    assert words.endswith(f", on {table}")


def test_only_the_resources_that_are_new_are_named() -> None:
    approved = allow("s3:GetObject", on="arn:aws:s3:::a/*")
    live = allow("s3:GetObject", on=["arn:aws:s3:::a/*", "arn:aws:s3:::b/*", "arn:aws:s3:::a/b/*"])

    assert added(approved, live) == ["s3:GetObject (read) on arn:aws:s3:::b/*"]


def test_undocumented_actions_are_proven_by_one_of_them() -> None:
    live = [READING, allow("iam:PassRole", "s3:G?tObject")]

    groups = {grant.others: grant for grant in summarize(READING, live).added}

    undocumented = groups["s3",]
    assert (undocumented.actions, undocumented.proof.future_only) == ((), True)
    assert undocumented.covers(undocumented.proof)
    assert "actions that AWS does not document today, of s3 on any resource" in added(READING, live)


def test_a_group_covers_the_requests_that_became_possible_and_no_others() -> None:
    bucket = "arn:aws:s3:::bucket/*"

    (group,) = summarize(READING, [READING, allow("s3:PutObject", on=bucket)]).added

    assert group.covers(Request("S3:putobject", "arn:aws:s3:::bucket/key"))
    assert not group.covers(Request("s3:PutObject", "arn:aws:s3:::other/key"))
    assert not group.covers(Request("s3:DeleteObject", "arn:aws:s3:::bucket/key"))
    assert not group.covers(Request("s3:ToCome", "arn:aws:s3:::bucket/key"))


def test_a_deny_that_is_gone_says_where_and_when_it_denied() -> None:
    without_mfa = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    denying = allow("s3:*", on="arn:aws:s3:::secret/*", effect="Deny", condition=without_mfa)

    assert added([allow("*"), denying], allow("*")) == [
        "every s3 action on arn:aws:s3:::secret/*, if aws:multifactorauthpresent is false"
    ]


def test_a_wider_boundary_says_what_it_now_leaves() -> None:
    approved = effective_access([allow("*")], boundary=allow("s3:*"))
    live = effective_access([allow("*")], boundary=allow("iam:*", on="arn:aws:iam::*:user/x"))

    assert added(approved, live) == ["every iam action on arn:aws:iam::*:user/x"]
    assert summary_in_words(summarize(approved, live).removed) == ("every s3 action on any resource",)


def test_a_trust_policy_says_which_principals_are_new() -> None:
    def trusting(*accounts: str) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Principal": {"AWS": list(accounts)}, "Action": "sts:AssumeRole"}
        return {"Version": "2012-10-17", "Statement": [statement]}

    (words,) = added(trusting("111122223333"), trusting("111122223333", "444455556666"))

    assert words.startswith("sts:AssumeRole (write) on any resource by ")
    assert "arn:aws:iam::444455556666:root" in words


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, "aws:principalorgid is o-1"),
        ({"StringNotLike": {"aws:username": ["a*", "b"]}}, "aws:username is not like a* or b"),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": "x"}}, "one value of aws:tagkeys is x"),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": "x"}}, "every value of aws:tagkeys is x"),
        ({"Null": {"aws:TagKeys": "true"}}, "aws:tagkeys is missing or empty"),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "aws:sourceip is in 10.0.0.0/8"),
        ({"NumericLessThan": {"s3:max-keys": "10"}}, "s3:max-keys is less than 10"),
        ({"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}, "aws:currenttime is before 2027-01-01 00:00"),
        ({"BoolIfExists": {"aws:SecureTransport": "true"}}, "aws:securetransport is true, if it is there"),
        ({"StringEquals": {"s3:prefix": "${aws:username}"}}, "s3:prefix is ${aws:username}"),
    ],
)
def test_a_condition_is_put_in_words(condition: Any, words: str) -> None:
    (line,) = added(READING, [READING, allow("s3:PutObject", condition=condition)])

    assert line.startswith(f"s3:PutObject (write) on any resource, if {words}")


def test_groups_beyond_the_most_are_counted() -> None:
    live = [READING, *(allow("s3:PutObject", "s3:DeleteObject", on=f"arn:aws:s3:::{n}/*") for n in range(3))]
    conditions = [{"StringEquals": {"aws:username": name}} for name in "abcdef"]
    live += [allow("s3:PutObject", condition=condition) for condition in conditions]

    words = summary_in_words(summarize(READING, live).added, 4)

    assert len(words) == 5
    assert words[-1] == "and 3 more groups of 1 action"


def test_a_line_has_a_greatest_length_and_shows_nothing_invisible() -> None:
    name = "arn:aws:s3:::\u202e" + "x" * 2_000

    (line,) = added(READING, [READING, allow("s3:PutObject", on=name)])

    assert len(line) == 600
    assert "\\u202e" in line


def test_what_does_not_fit_into_the_budget_is_said() -> None:
    summary = summarize(READING, [READING, allow("s3:Put*", "iam:*")], budget=Budget(3))

    assert summary.reason == "not listed within the budget"


def test_the_same_access_has_an_empty_summary() -> None:
    summary = summarize(READING, allow("S3:getobject"))

    assert (summary.added, summary.removed, summary.reason) == ((), (), "")


@every_kind
@few
@given(data=st.data())
def test_each_added_or_removed_request_is_in_a_proven_group(data: st.DataObject, kind: str) -> None:
    baseline, live = data.draw(KINDS[kind])
    assert_right(baseline, live, data.draw(st.integers(0, 2**32)))


@pytest.mark.slow
@every_kind
@many
@given(data=st.data())
def test_ten_thousand_summaries_are_complete_and_proven(data: st.DataObject, kind: str) -> None:
    baseline, live = data.draw(KINDS[kind])
    assert_right(baseline, live, data.draw(st.integers(0, 2**32)))


def assert_right(baseline: "Policies", live: "Policies", seed: int) -> None:
    summary = summarize(baseline, live)
    verdict = compare(baseline, live).verdict
    if verdict is not Verdict.UNKNOWN and not summary.reason:
        assert bool(summary.added) == (verdict in {Verdict.BROADENED, Verdict.INCOMPARABLE})
        assert bool(summary.removed) == (verdict in {Verdict.NARROWED, Verdict.INCOMPARABLE})
    for grants, before, after in ((summary.added, baseline, live), (summary.removed, live, baseline)):
        for grant in grants:
            assert_proven(grant, before, after)
        for request in requests(seed, 60):
            is_new = evaluate(after, request) is Decision.ALLOWED and evaluate(before, request) is not Decision.ALLOWED
            assert not is_new or summary.reason or any(grant.covers(request) for grant in grants), request


def assert_proven(grant: "Grant", before: "Policies", after: "Policies") -> None:
    assert evaluate(after, grant.proof) is Decision.ALLOWED
    assert evaluate(before, grant.proof) is not Decision.ALLOWED
    assert grant.covers(grant.proof)
    assert list(grant.actions) == sorted(grant.actions, key=rank)
    for action in {*grant.actions[:3], *grant.actions[-3:]}:
        asked = access_of(allow(action)).layers
        sides = (Access((*access_of(side).layers, *asked)) for side in (before, after))
        assert compare(*sides, most_witnesses=1).newly_allowed, action


PROGRAM = """
import json, sys
from iam_policy import summarize, summary_in_words
summary = summarize(*json.load(sys.stdin))
for grants in (summary.added, summary.removed):
    print(summary_in_words(grants), [repr(grant.proof) for grant in grants])
"""


def test_the_same_bytes_are_printed_under_any_hash_seed() -> None:
    def allowing(*actions: str, **more: Any) -> dict[str, Any]:
        return allow(*actions, on=[f"arn:aws:s3:::{name}/*" for name in "dacb"], **more)

    of_users = {"StringLike": {"aws:username": ["x*", "y*", "z"]}, "StringEquals": {"aws:PrincipalTag/t": ["1", "2"]}}
    baseline = [allowing("s3:Get*", "s3:List*"), allow("iam:*", "sts:*", effect="Deny"), allow("ec2:*")]
    live = [
        allowing("s3:*", condition=of_users),
        allow("sqs:*", "sns:Pub*", "*:Put*", "kms:De?rypt"),
        allow("iam:Put*"),
    ]
    printed = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=json.dumps([baseline, live]),
            capture_output=True,
            check=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "layers")},
        ).stdout
        for seed in ("0", "1", "2", "77", "4242")
    }

    assert len(printed) == 1
