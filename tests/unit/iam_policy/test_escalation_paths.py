"""Which escalation paths are open to a caller, given as users of the library alone give it.

Every path of the data, granted in many ways, is in the tests of policy drift, which has whole accounts.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from iam_policy import Budget, effective_access
from iam_policy.escalation import Caller, CallerKind, Category, Removal, Role, escalations, known_paths

ACCOUNT = "111122223333"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
TARGET = f"arn:aws:iam::{ACCOUNT}:role/target"
OWN = f"arn:aws:iam::{ACCOUNT}:policy/own"

PUBLISHED = {
    f"{name.partition('/')[2]} {number}": frozenset(actions.split())
    for name, paths in json.loads(Path(__file__).with_name("published_escalation_paths.json").read_text()).items()
    if name != "about"
    for number, actions in paths.items()
}
#: Not shipped as published, each with the reason.
LEFT_OUT = {
    "AWS-IAM-Privilege-Escalation 22": "a pipeline does nothing until datapipeline:ActivatePipeline",
    "AWS-IAM-Privilege-Escalation 23": "AWS closed CodeStar on 31 July 2024",
    "AWS-IAM-Privilege-Escalation 24": "AWS closed CodeStar on 31 July 2024",
    "AWS-IAM-Privilege-Escalation 25": "AWS closed CodeStar on 31 July 2024",
}


def allow(*actions: str, on: str = "*", effect: str = "Allow") -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": list(actions), "Resource": on}}


def trusting(principal: Mapping[str, str]) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}


def found(caller: Caller) -> dict[str, Category]:
    return {one.path.id: one.category for one in escalations(caller)}


def user(*documents: Mapping[str, Any], policies: Iterable[str] = (), **others: Any) -> Caller:
    return Caller(CallerKind.USER, ANN, effective_access(documents), policies=frozenset(policies), **others)


def test_without_any_access_no_path_is_open() -> None:
    assert found(user()) == {}


def test_an_administrator_has_paths_to_itself_first() -> None:
    categories = [one.category for one in escalations(user(allow("*")))]

    assert categories[0] is Category.SELF_ESCALATION
    assert categories == sorted(categories, key=lambda category: category is not Category.SELF_ESCALATION)


def test_a_boundary_closes_a_path() -> None:
    access = effective_access([allow("iam:PutUserPolicy")], boundary=allow("s3:*"))

    assert found(Caller(CallerKind.USER, ANN, access)) == {}


def test_the_policy_of_a_group_opens_a_path_to_the_caller_itself() -> None:
    team = f"arn:aws:iam::{ACCOUNT}:group/team"
    access = effective_access([], groups=[allow("iam:PutGroupPolicy", on=team)])

    assert found(Caller(CallerKind.USER, ANN, access, groups=frozenset([team]))) == {
        "iam-011": Category.SELF_ESCALATION
    }


def test_an_action_upon_users_leads_a_role_to_another_principal() -> None:
    access = effective_access([allow("iam:PutUserPolicy")])

    (escalation,) = escalations(Caller(CallerKind.ROLE, APP, access))

    assert (escalation.path.id, escalation.lateral) == ("iam-007", True)
    assert escalation.category is Category.PRINCIPAL_ACCESS
    assert str(escalation) == "escalation path iam-007 is open: iam:PutUserPolicy on another principal"


@pytest.mark.parametrize(
    ("role", "is_open"),
    [
        (None, True),
        (Role(trusting({"Service": "ec2.amazonaws.com"})), False),
        (Role(trusting({"AWS": ANN})), True),
        (Role({"Statement": "malformed"}), True),
    ],
    ids=["not known", "trusts another", "trusts the caller", "cannot be read"],
)
def test_a_role_counts_as_open_unless_it_is_known_that_it_does_not_trust_the_caller(
    role: Role | None, *, is_open: bool
) -> None:
    caller = user(allow("sts:AssumeRole", on=TARGET), role_of={TARGET: role}.get)

    assert ("sts-001" in found(caller)) is is_open


@pytest.mark.parametrize(("owner", "is_open"), [(ACCOUNT, True), ("aws", False)])
def test_an_attached_policy_is_a_way_to_oneself_unless_it_is_of_aws(owner: str, *, is_open: bool) -> None:
    attached = f"arn:aws:iam::{owner}:policy/own"

    caller = user(allow("iam:CreatePolicyVersion"), policies=[attached])

    assert (found(caller).get("iam-001") is Category.SELF_ESCALATION) is is_open


def test_a_statement_by_user_name_is_decided_by_the_name_in_the_arn() -> None:
    own = allow("iam:CreateAccessKey", on=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")

    assert found(user(own)) == {}
    assert found(user(allow("iam:CreateAccessKey"))) == {"iam-002": Category.PRINCIPAL_ACCESS}


@pytest.mark.parametrize(("account", "is_open"), [(ACCOUNT, True), ("444455556666", False)])
def test_a_statement_by_account_is_decided_by_the_account_in_the_arn(account: str, *, is_open: bool) -> None:
    by_account = allow("iam:PutUserPolicy")
    by_account["Statement"]["Condition"] = {"StringEquals": {"aws:PrincipalAccount": account}}

    assert ("iam-007" in found(user(by_account))) is is_open


@pytest.mark.parametrize(("known", "is_open"), [("", True), ("AIDAEXAMPLE", True), ("AIDAANOTHER", False)])
def test_a_statement_by_unique_id_is_decided_where_the_id_is_known(known: str, *, is_open: bool) -> None:
    by_id = allow("iam:PutUserPolicy")
    by_id["Statement"]["Condition"] = {"StringEquals": {"aws:userid": "AIDAEXAMPLE"}}

    assert ("iam-007" in found(user(by_id, unique_id=known))) is is_open


def test_the_paths_are_those_of_the_partition_of_the_caller() -> None:
    arn = f"arn:aws-cn:iam::{ACCOUNT}:user/ann"
    here = effective_access([allow("iam:PutUserPolicy", on=arn)])
    there = effective_access([allow("iam:PutUserPolicy", on=ANN)])

    assert found(Caller(CallerKind.USER, arn, here)) == {"iam-007": Category.SELF_ESCALATION}
    assert found(Caller(CallerKind.USER, arn, there)) == {}


def test_a_path_that_was_not_decided_counts_as_open() -> None:
    """The denials close the path; that is found out within a budget alone."""
    tags = {"StringNotEquals": {"aws:PrincipalTag/team": "platform"}}
    denied = [
        {"Effect": "Deny", "Action": "iam:*", "Resource": "*"} | extra
        for extra in ({"Condition": tags}, {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "platform"}}})
    ]
    documents = [allow("iam:PutUserPolicy"), {"Version": "2012-10-17", "Statement": denied}]

    assert found(user(*documents, budget=Budget(1_000_000))) == {}
    assert found(user(*documents, budget=Budget(0))) == {"iam-007": Category.SELF_ESCALATION}


def test_what_was_asked_about_a_caller_makes_it_no_other() -> None:
    one, other = user(allow("iam:*")), user(allow("iam:*"))

    escalations(one)

    assert one == other
    assert len({one, other, user(allow("s3:*"))}) == 2


def test_one_budget_is_spent_by_all_questions_about_a_caller() -> None:
    budget = Budget(400_000)

    escalations(user(allow("iam:*", "lambda:*"), budget=budget))

    assert 0 < budget.steps < 400_000


@pytest.mark.parametrize("published", sorted(PUBLISHED.keys() - LEFT_OUT.keys()))
def test_what_a_public_list_says_is_needed_opens_a_path(published: str) -> None:
    actions = PUBLISHED[published]
    opened = escalations(user(allow(*sorted(actions)), policies=[OWN]))

    assert any(actions >= {step.action for step in one.path.steps} for one in opened)


@pytest.mark.parametrize("published", LEFT_OUT)
def test_what_is_left_out_of_a_public_list_opens_no_path(published: str) -> None:
    assert found(user(allow(*sorted(PUBLISHED[published])), policies=[OWN])) == {}


def test_no_path_is_shipped_twice() -> None:
    shipped = Counter(frozenset((step.action, step.target) for step in path.steps) for path in known_paths())

    assert [sorted(actions) for actions, times in shipped.items() if times > 1] == []


def test_a_guard_that_the_caller_can_remove_is_a_path_where_no_other_leads_to_itself() -> None:
    removal = Removal("iam:DeleteUserPolicy", ANN, effective_access([allow("*")]))
    removing, lateral, direct = map(allow, ("iam:DeleteUserPolicy", "sts:AssumeRole", "iam:PutUserPolicy"))

    def guarded(*documents: Mapping[str, Any]) -> dict[str, Category]:
        return found(user(*documents, removals=(removal,)))

    assert guarded(removing) == {"guard": Category.SELF_ESCALATION}
    assert guarded(lateral) == {"sts-001": Category.PRINCIPAL_ACCESS}
    assert guarded(removing, lateral) == guarded(removing) | guarded(lateral)
    assert guarded(removing, direct) == {"iam-007": Category.SELF_ESCALATION}
