"""Ways to more privileges: found however they are granted, and not claimed where something forbids them."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from iam_policy.escalation import Category, Escalation, Path, Target, known_paths
from policy_drift.domain.account import Account, Document
from steward.severity import Severity
from tests.doubles.shipped_severities import drifts, severity_of
from tests.unit.policy_drift.accounts import ID, account, allow, deny, group, policy, role, trusting, user
from tests.unit.policy_drift.escalating import OWN, found_in, in_pieces

PATHS = {path.id: path for path in known_paths()}
#: Nobody escalates itself with an action upon another kind of principal than it is.
BY_ROLE_ONLY = {"iam-005", "iam-009"}
FOR_ROLES_LATERAL = {"iam-007", "iam-008", "iam-010", "iam-011", "iam-013"}
LAMBDA = trusting({"Service": "lambda.amazonaws.com"})


def all_but(*actions: str) -> Document:
    """A policy that allows everything else."""
    statement = {"Effect": "Allow", "NotAction": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


every_path = pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)


@every_path
def test_a_path_granted_in_pieces_is_found_with_its_category(path: Path) -> None:
    found = found_in(in_pieces(path, by_role=path.id in BY_ROLE_ONLY))

    assert (path.id in found, found[path.id].category) == (True, path.category)


@every_path
def test_its_finding_is_as_severe_at_least(path: Path) -> None:
    live = in_pieces(path, by_role=path.id in BY_ROLE_ONLY)
    bare_users = {name: replace(one, inline={}, attached=(OWN.arn,), groups=()) for name, one in live.users.items()}
    bare_roles = {name: replace(one, inline={}, attached=(OWN.arn,)) for name, one in live.roles.items()}
    approved = replace(live, users=bare_users, roles=bare_roles)

    found = drifts(approved, live).found

    assert max(one.severity for one in found) >= severity_of(Escalation(path))  # a wider path may hold a worse one
    assert any(path.id in reason for one in found for reason in one.reasons)


@every_path
def test_a_denied_step_closes_the_path(path: Path) -> None:
    live = in_pieces(path, by_role=True)
    forbidden = replace(live.roles["app"], inline=live.roles["app"].inline | {"no": deny(path.steps[-1].action)})

    assert path.id not in found_in(replace(live, roles={"app": forbidden}))


@every_path
def test_a_boundary_closes_the_path(path: Path) -> None:
    boundary = policy("boundary", allow("s3:*", "sqs:*"))
    live = in_pieces(path, by_role=True, boundary=boundary.arn)

    assert path.id not in found_in(replace(live, policies={**live.policies, boundary.arn: boundary}))


@every_path
def test_each_step_that_is_denied_closes_the_path(path: Path) -> None:
    live = in_pieces(path, by_role=True)

    for step in path.steps:
        app = replace(live.roles["app"], inline=live.roles["app"].inline | {"no": deny(step.action)})

        assert path.id not in found_in(replace(live, roles={"app": app})), step.action


@every_path
def test_each_step_outside_the_boundary_closes_the_path(path: Path) -> None:
    for step in path.steps:
        boundary = policy("boundary", all_but(step.action))
        live = in_pieces(path, by_role=True, boundary=boundary.arn)

        assert path.id not in found_in(replace(live, policies={**live.policies, boundary.arn: boundary})), step.action


@every_path
def test_a_boundary_that_leaves_all_steps_leaves_the_path(path: Path) -> None:
    boundary = policy("boundary", allow(*{step.action for step in path.steps}))
    live = in_pieces(path, by_role=path.id in BY_ROLE_ONLY, boundary=boundary.arn)

    assert path.id in found_in(replace(live, policies={**live.policies, boundary.arn: boundary}))


@every_path
def test_wildcards_grant_the_path(path: Path) -> None:
    services = sorted({f"{step.action.partition(':')[0].upper()}:*" for step in path.steps})
    by_role = path.id in BY_ROLE_ONLY
    caller = role("app", allow(*services), attached=[OWN]) if by_role else user("ann", allow(*services), attached=[OWN])

    assert path.id in found_in(account(caller, OWN))


@cache
def found_without(actions: tuple[str, ...], *, by_role: bool) -> frozenset[str]:
    """The paths that are open to who may do everything else: the costliest question here, asked once of all paths."""
    document = all_but(*actions)
    caller = role("app", document, attached=[OWN]) if by_role else user("ann", document, attached=[OWN])
    return frozenset(found_in(account(caller, OWN)))


@every_path
def test_what_not_action_leaves_grants_the_path(path: Path) -> None:
    by_role = path.id in BY_ROLE_ONLY

    assert path.id in found_without(("s3:*", "sqs:*"), by_role=by_role)
    assert all(path.id not in found_without((step.action,), by_role=by_role) for step in path.steps)


@every_path
def test_all_steps_but_one_are_no_path(path: Path) -> None:
    others = [allow(step.action) for step in path.steps[:-1]]

    assert path.id not in found_in(account(user("ann", *others, attached=[OWN]), OWN))


def test_every_path_of_the_data_has_a_step_and_a_category() -> None:
    assert len(PATHS) == 65 + 40
    assert all(path.steps for path in PATHS.values())
    assert {path.category for path in PATHS.values()} == set(Category)


@pytest.mark.parametrize("path", sorted(FOR_ROLES_LATERAL))
def test_a_role_cannot_make_itself_a_user_or_a_member(path: str) -> None:
    assert found_in(in_pieces(PATHS[path], by_role=True))[path].category is Category.PRINCIPAL_ACCESS


def test_a_policy_that_the_caller_does_not_have_is_no_way_to_itself() -> None:
    other = policy("other", allow("s3:GetObject"))
    caller = user("ann", allow("iam:CreatePolicyVersion", on=other.arn), attached=[OWN])

    assert "iam-001" not in found_in(account(caller, OWN, other))


def test_what_one_may_do_to_oneself_by_name_is_no_way_to_others() -> None:
    own = allow("iam:CreateAccessKey", on="arn:aws:iam::*:user/${aws:username}")

    assert found_in(account(user("ann", own))) == {}


@pytest.mark.parametrize(("trust", "expected"), [(LAMBDA, True), (trusting({"Service": "ec2.amazonaws.com"}), False)])
def test_a_role_that_may_be_passed_has_to_trust_the_service(trust: object, *, expected: bool) -> None:
    passing = allow("iam:PassRole", on=f"arn:aws:iam::{ID}:role/target")
    caller = user("ann", passing, allow("lambda:CreateFunction", "lambda:InvokeFunction"))

    assert ("lambda-001" in found_in(account(caller, role("target", trust=trust)))) is expected


def test_a_role_that_may_be_passed_to_another_service_alone_is_no_way() -> None:
    only_ec2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    caller = user("ann", allow("iam:PassRole", condition=only_ec2), allow("lambda:*"))

    assert "lambda-001" not in found_in(account(caller))


def test_a_role_that_does_not_trust_the_caller_is_no_way() -> None:
    assuming = allow("sts:AssumeRole", on=f"arn:aws:iam::{ID}:role/target")

    assert found_in(account(user("ann", assuming), role("target"))) == {}
    assert "sts-001" in found_in(account(user("ann", assuming), role("target", trust=trusting({"AWS": ID}))))


def test_both_steps_have_to_be_upon_the_same_target() -> None:
    apart = (allow("iam:AttachRolePolicy", on="arn:aws:iam::*:role/one"), allow("sts:AssumeRole", on="arn:*:role/two"))

    assert "iam-014" not in found_in(account(user("ann", *apart)))


def test_an_own_group_is_a_way_to_oneself() -> None:
    caller = user("ann", allow("iam:PutGroupPolicy", on=f"arn:aws:iam::{ID}:group/team"), groups=("team",))

    assert found_in(account(caller, group("team")))["iam-011"].category is Category.SELF_ESCALATION


def test_a_path_that_was_open_before_is_not_new() -> None:
    approved = account(user("ann", allow("iam:PutUserPolicy")))
    live = account(user("ann", allow("iam:PutUserPolicy", "sqs:SendMessage")))

    assert [(one.severity, one.reasons) for one in drifts(approved, live).found] == [(Severity.MEDIUM, ())]


def test_targets_of_the_data_are_known() -> None:
    assert {step.target for path in PATHS.values() for step in path.steps} == set(Target)


OWN_ROLE, OTHER_ROLE = f"arn:aws:iam::{ID}:role/app", f"arn:aws:iam::{ID}:role/target"
CREATE = ("lambda:CreateFunction", "lambda:InvokeFunction")
TO_LAMBDA = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
TO_EC2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
NOT_TO_LAMBDA = {"StringNotEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
CRITICAL, HIGH = Severity.CRITICAL, Severity.HIGH


def app(*documents: Document, **others: Any) -> Account:
    """A role of these policies, and another role."""
    return account(role("app", *documents, **others), role("target", trust=LAMBDA))


def ann(*documents: Document, **others: Any) -> Account:
    """A user of these policies, and another one."""
    return account(user("ann", *documents, **others), user("bob"))


def denied(*actions: str, on: Any = "*", condition: Any = None) -> Document:
    """A policy that denies some of it."""
    return allow(*actions, on=on, effect="Deny", condition=condition)


CASES: dict[str, tuple[Account, str, Severity | None]] = {
    "its own inline policies": (app(allow("iam:PutRolePolicy", on=OWN_ROLE)), "iam-005", CRITICAL),
    "inline policies of every role": (app(allow("iam:PutRolePolicy")), "iam-005", CRITICAL),
    "inline policies of every role but itself": (
        app(allow("iam:PutRolePolicy"), denied("iam:PutRolePolicy", on=OWN_ROLE)),
        "iam-005",
        HIGH,
    ),
    "a trust policy of its own and inline policies of another": (
        app(allow("iam:PutRolePolicy", on=OTHER_ROLE), allow("iam:UpdateAssumeRolePolicy", on=OWN_ROLE)),
        "iam-005",
        HIGH,
    ),
    "inline policies, its role named by a pattern": (
        app(allow("iam:PutRolePolicy", on=f"arn:aws:iam::{ID}:role/a*")),
        "iam-005",
        CRITICAL,
    ),
    "inline policies of roles of a path that it is not in": (
        app(allow("iam:PutRolePolicy", on=f"arn:aws:iam::{ID}:role/apps/*")),
        "iam-005",
        HIGH,
    ),
    "inline policies of roles of its own path": (
        app(allow("iam:PutRolePolicy", on=f"arn:aws:iam::{ID}:role/apps/*"), path="/apps/"),
        "iam-005",
        CRITICAL,
    ),
    "inline policies of users, to a role": (app(allow("iam:PutUserPolicy")), "iam-007", HIGH),
    "inline policies of itself by variable": (
        ann(allow("iam:PutUserPolicy", on=f"arn:aws:iam::{ID}:user/${{aws:username}}")),
        "iam-007",
        CRITICAL,
    ),
    "inline policies of another user": (ann(allow("iam:PutUserPolicy", on="arn:aws:iam::*:user/bob")), "iam-007", HIGH),
    "inline policies in a foreign account": (
        ann(allow("iam:PutUserPolicy", on="arn:aws:iam::999988887777:user/*")),
        "iam-007",
        None,
    ),
    "inline policies, with a second factor": (
        ann(allow("iam:PutUserPolicy", condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
        "iam-007",
        CRITICAL,
    ),
    "inline policies of those who have a tag": (
        ann(allow("iam:PutUserPolicy", condition={"StringEquals": {"aws:PrincipalTag/team": "platform"}})),
        "iam-007",
        CRITICAL,
    ),
    "inline policies to somebody else by condition": (
        ann(allow("iam:PutUserPolicy", condition={"StringEquals": {"aws:username": "bob"}})),
        "iam-007",
        None,
    ),
    "inline policies, denied without a second factor": (
        ann(
            allow("iam:PutUserPolicy"),
            denied("iam:*", condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
        ),
        "iam-007",
        CRITICAL,
    ),
    "inline policies, and every Put of IAM denied": (
        ann(allow("iam:PutUserPolicy"), denied("iam:Put*")),
        "iam-007",
        None,
    ),
    "a role passed to the service": (
        app(allow("iam:PassRole", condition=TO_LAMBDA), allow(*CREATE)),
        "lambda-001",
        HIGH,
    ),
    "a role passed to another service": (
        app(allow("iam:PassRole", condition=TO_EC2), allow(*CREATE)),
        "lambda-001",
        None,
    ),
    "a role passed to every service but this": (
        app(allow("iam:PassRole", condition=NOT_TO_LAMBDA), allow(*CREATE)),
        "lambda-001",
        None,
    ),
    "a role passed, and denied for the service": (
        app(allow("iam:PassRole"), denied("iam:PassRole", condition=TO_LAMBDA), allow(*CREATE)),
        "lambda-001",
        None,
    ),
    "a role passed to the service, functions of one name": (
        app(allow("iam:PassRole"), allow(*CREATE, on="arn:aws:lambda:*:*:function:ci-*")),
        "lambda-001",
        HIGH,
    ),
    "itself passed alone, which the service cannot assume": (
        app(allow("iam:PassRole", on=OWN_ROLE), allow(*CREATE)),
        "lambda-001",
        None,
    ),
    "NotResource: all roles but itself": (
        app(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": "iam:PutRolePolicy", "NotResource": OWN_ROLE},
            }
        ),
        "iam-005",
        HIGH,
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_a_grant_of(what: str) -> None:
    live, path, severity = CASES[what]

    found = found_in(live).get(path)

    assert (found and severity_of(found)) == severity


def test_a_finding_names_some_of_many_paths_and_counts_the_others() -> None:
    approved, live = (
        account(role("app", allow(*actions))) for actions in (["s3:Get*"], ["lambda:*", "ec2:*", "iam:PassRole"])
    )

    (found,) = drifts(approved, live).found

    paths = found_in(live)
    named = [name for name in paths if any(f" {name} " in reason for reason in found.reasons)]
    assert 0 < len(named) < len(paths)
    assert f"{len(paths) - len(named)} more escalation paths are open" in found.reasons
