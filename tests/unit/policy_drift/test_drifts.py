"""What of the live account differs from the baseline."""

from dataclasses import replace
from typing import Any

import pytest

from policy_drift.domain.account import EntityId
from policy_drift.domain.comparison.drifts import drifts
from policy_drift.domain.finding import Severity
from policy_drift.domain.language import Verdict
from policy_drift.domain.scope import EntityPattern, Scope
from steward.errors import ConflictError
from tests.unit.policy_drift.accounts import (
    FOREIGN,
    ID,
    account,
    allow,
    deny,
    group,
    policy,
    role,
    trusting,
    user,
)

READ = allow("s3:GetObject")
MORE = allow("s3:GetObject", "sqs:SendMessage")
READING = policy("reading", READ)


def told(approved: Any, live: Any, **options: Any) -> list[tuple[str, Verdict, Severity]]:
    """Each finding's id, verdict and severity."""
    return [(one.finding_id, one.verdict, one.severity) for one in drifts(approved, live, **options).found]


def test_nothing_is_told_when_nothing_changed() -> None:
    assert told(account(role("app", READ), READING), account(role("app", READ), READING)) == []


def test_another_spelling_is_nothing() -> None:
    other = {"Statement": {"Sid": "X", "Resource": ["*"], "Action": "S3:getobject", "Effect": "Allow"}}

    assert told(account(role("app", READ)), account(role("app", other | {"Version": "2012-10-17"}))) == []


def test_more_access_is_told_with_a_request_that_proves_it() -> None:
    found = drifts(account(role("app", READ)), account(role("app", MORE))).found

    assert [(one.finding_id, one.severity) for one in found] == [("access:role:app", Severity.MEDIUM)]
    assert [witness.action for witness in found[0].newly_allowed] == ["sqs:SendMessage"]


def test_less_access_is_low() -> None:
    assert told(account(role("app", MORE)), account(role("app", READ))) == [
        ("access:role:app", Verdict.NARROWED, Severity.LOW)
    ]


def test_a_deny_that_is_gone_gives_more_access() -> None:
    approved = account(role("app", MORE, deny("sqs:*")))

    assert told(approved, account(role("app", MORE))) == [("access:role:app", Verdict.BROADENED, Severity.MEDIUM)]


def test_an_administrator_is_critical() -> None:
    found = drifts(account(role("app", READ)), account(role("app", allow("*")))).found

    assert (found[0].severity, found[0].reasons) == (Severity.CRITICAL, ("it is an administrator now",))


def test_a_statement_moved_to_an_attached_policy_is_a_note() -> None:
    live = account(role("app", attached=[READING]), READING)

    assert told(account(role("app", READ)), live) == [("note:role:app", Verdict.EQUIVALENT, Severity.INFO)]


def test_a_groups_change_is_told_of_the_group_alone() -> None:
    approved = account(user("ann", groups=("team",)), user("bob", groups=("team",)), group("team", READ))
    live = replace(approved, groups={"team": group("team", MORE)})

    assert told(approved, live) == [("access:group:team", Verdict.BROADENED, Severity.MEDIUM)]


def test_a_groups_deny_that_is_gone_is_what_its_members_gain() -> None:
    approved = account(user("ann", MORE, groups=("team",)), group("team", deny("sqs:*")))
    live = replace(approved, groups={"team": group("team")})

    assert told(approved, live) == [("access:group:team", Verdict.BROADENED, Severity.MEDIUM)]


def test_joining_a_group_is_told_as_membership() -> None:
    approved = account(user("ann"), group("team", READ))
    live = account(user("ann", groups=("team",)), group("team", READ))

    assert told(approved, live) == [("membership:user:ann", Verdict.BROADENED, Severity.MEDIUM)]


def test_joining_a_privileged_group_is_high_whatever_it_gives() -> None:
    approved, live = account(user("ann"), group("admins")), account(user("ann", groups=("admins",)), group("admins"))
    scope = Scope(privileged_groups=(EntityPattern("group/admin*"),))

    assert told(approved, live, scope=scope) == [("membership:user:ann", Verdict.BROADENED, Severity.HIGH)]


def test_a_boundary_that_is_gone_is_critical_and_told_once() -> None:
    approved = account(role("app", allow("s3:*"), boundary=READING.arn), READING)
    live = account(role("app", allow("s3:*")), READING)

    assert told(approved, live) == [("boundary:role:app", Verdict.BROADENED, Severity.CRITICAL)]


def test_a_boundary_that_leaves_less_is_low() -> None:
    approved, live = account(role("app", READ)), account(role("app", READ, boundary=READING.arn), READING)

    assert (
        told(approved, live)
        == [
            ("boundary:role:app", Verdict.NARROWED, Severity.LOW),
            ("unmanaged:policy:reading", Verdict.BROADENED, Severity.LOW),
        ][:1]
    )


def test_a_policy_that_aws_changed_is_told_once_for_all_who_have_it() -> None:
    before, now = (
        policy("Reading", READ, owner="aws"),
        policy("Reading", MORE, owner="aws", version="v2"),
    )
    roles = [role(f"app-{number}", attached=[before]) for number in range(5)]

    assert told(account(*roles, before), account(*roles, now)) == [
        ("upstream:policy:aws:Reading", Verdict.BROADENED, Severity.MEDIUM)
    ]


def test_an_attached_policy_that_changed_is_told_of_each_that_has_it() -> None:
    now = policy("reading", MORE)
    roles = [role(f"app-{number}", attached=[READING]) for number in range(2)]

    assert [one for one, *_ in told(account(*roles, READING), account(*roles, now))] == [
        "access:role:app-0",
        "access:role:app-1",
    ]


def test_a_policy_that_nobody_has_is_low() -> None:
    assert told(account(READING), account(policy("reading", MORE))) == [
        ("policy:policy:reading", Verdict.BROADENED, Severity.LOW)
    ]


def test_what_was_never_approved_is_unmanaged() -> None:
    assert told(account(), account(role("app", READ))) == [("unmanaged:role:app", Verdict.BROADENED, Severity.MEDIUM)]


def test_what_is_gone_is_missing() -> None:
    assert told(account(role("app", READ)), account()) == [("missing:role:app", Verdict.NARROWED, Severity.LOW)]


def test_another_unique_id_is_another_entity() -> None:
    live = account(role("app", READ, unique_id="AROAOTHER"))

    assert told(account(role("app", READ)), live) == [("recreated:role:app", Verdict.INCOMPARABLE, Severity.MEDIUM)]


def test_a_renamed_user_is_neither_missing_nor_unmanaged() -> None:
    found = drifts(account(user("ann", READ)), account(user("eve", READ, unique_id="AIDAANN"))).found

    assert [(one.finding_id, one.summary) for one in found] == [
        ("note:user:eve", "user/eve: it was renamed: it was approved as user/ann.")
    ]


def test_a_user_that_is_renamed_into_what_is_excluded_is_compared_all_the_same() -> None:
    scope = Scope(exclude=(EntityPattern("user/ci-*"),))
    live = account(user("ci-ann", allow("*"), unique_id="AIDAANN"))

    found = drifts(account(user("ann", READ)), live, scope=scope).found

    assert [(one.finding_id, one.severity) for one in found] == [
        ("access:user:ci-ann", Severity.CRITICAL),
        ("note:user:ci-ann", Severity.INFO),
    ]


def test_a_name_in_other_capitals_is_the_same_name() -> None:
    live = account(user("Ann", unique_id="AIDAOTHER"))

    assert [one for one, *_ in told(account(user("ann")), live)] == ["recreated:user:Ann"]


SECOND_FACTOR = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
TRUSTS = {
    "everybody": (trusting("*"), Severity.CRITICAL),
    "everybody with a second factor": (
        trusting("*", SECOND_FACTOR),
        Severity.CRITICAL,
    ),
    "the organization": (trusting("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a"}}), Severity.HIGH),
    "who knows an external id": (trusting("*", {"StringEquals": {"sts:ExternalId": "x"}}), Severity.HIGH),
    "the own account by a condition": (trusting("*", {"StringEquals": {"aws:PrincipalAccount": ID}}), Severity.MEDIUM),
    "a foreign account": (trusting({"AWS": FOREIGN}), Severity.CRITICAL),
    "the own account": (trusting({"AWS": ID}), Severity.MEDIUM),
    "another service": (trusting({"Service": "lambda.amazonaws.com"}), Severity.MEDIUM),
}


@pytest.mark.parametrize("who", TRUSTS)
def test_a_role_opened_to(who: str) -> None:
    trust, severity = TRUSTS[who]

    assert [(one, bad) for one, _, bad in told(account(role()), account(role(trust=trust)))] == [
        ("trust:role:app", severity)
    ]


def test_a_trusted_user_that_was_deleted_is_dangling_and_nothing_else_of_the_trust() -> None:
    ann = user("ann", unique_id="AIDA1234567890123456")
    approved = account(role(trust=trusting({"AWS": f"arn:aws:iam::{ID}:user/ann"})), ann)
    live = account(role(trust=trusting({"AWS": ann.unique_id})))

    assert [one for one, *_ in told(approved, live)] == ["dangling:role:app", "missing:user:ann"]


def test_roles_of_aws_are_information_and_protected() -> None:
    linked = role("AWSServiceRoleForX", allow("*"), path="/aws-service-role/x.amazonaws.com/")

    found = drifts(account(), account(linked)).found

    assert [(one.severity, one.protected) for one in found] == [(Severity.INFO, True)]


def test_a_role_that_only_has_a_name_of_aws_is_not_protected() -> None:
    found = drifts(account(), account(role("AWSReservedSSO_admin", allow("*")))).found

    assert [(one.severity, one.protected) for one in found] == [(Severity.CRITICAL, False)]


def test_what_depends_on_something_unread_is_undecided() -> None:
    approved = account(role("app", attached=[READING]), role("other", READ), READING)
    live = account(
        role("app", attached=[READING]), role("other", MORE), unreadable={EntityId("policy/reading"): "denied"}
    )

    answer = drifts(approved, live)

    assert [one.finding_id for one in answer.found] == ["access:role:other", "unreadable:policy:reading"]
    assert answer.undecided == {"policy/reading", "role/app"}


def test_a_document_that_cannot_be_read_leaves_its_trust_comparable() -> None:
    live = account(role("app", {"Statement": []}, trust=trusting("*")))

    answer = drifts(account(role("app", READ)), live)

    assert {one.finding_id for one in answer.found} == {"trust:role:app", "unreadable:role:app"}
    assert answer.undecided == {"role/app"}


def test_only_some_are_looked_at_and_whom_their_change_touches() -> None:
    approved = account(role("app", attached=[READING]), role("other", READ), READING)
    live = account(role("app", attached=[READING]), role("other", MORE), policy("reading", MORE))

    answer = drifts(approved, live, only=[EntityId("policy/reading")])

    assert [one.finding_id for one in answer.found] == ["access:role:app"]
    assert answer.looked_at == {"policy/reading", "role/app"}


def test_an_excluded_entity_is_not_told() -> None:
    scope = Scope(exclude=(EntityPattern("role/App*"),))

    assert told(account(), account(role("app", READ)), scope=scope) == []


def test_a_baseline_of_another_account_is_refused() -> None:
    with pytest.raises(ConflictError, match=FOREIGN):
        drifts(replace(account(), id=FOREIGN), account())
