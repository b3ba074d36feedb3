"""Which users could gain privileges with a key: what they may do themselves, and what they can become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_key_rotation.domain.privileges import Account, Principal, escalation_of

OF_THE_ACCOUNT = "arn:aws:iam::123456789012"
ARN = f"{OF_THE_ACCOUNT}:user/service/ecr-push"
ROLE = f"{OF_THE_ACCOUNT}:role"
PUSHES = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "arn:aws:ecr:*:123456789012:repository/*"},
    ],
}


def allows(action, resource="*"):
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


ADMIN = allows("*")
BOUNDARY = "arn:aws:iam::123456789012:policy/leaves"


def trusts(principal):
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def user(*inline, **how):
    return Principal(ARN, "AIDA1", inline, **how)


def role(name, *inline, trusted=f"{OF_THE_ACCOUNT}:root"):
    return Principal(f"{ROLE}/{name}", f"AROA{name}", inline, trust=trusts(trusted))


def escalation(*inline, roles=(), groups=(), policies=(), **how):
    by_name = {group.arn.rpartition("/")[2]: group for group in groups}
    one = user(*inline, groups=tuple(by_name), **how)
    return escalation_of(Account({"AIDA1": one}, by_name, {each.arn: each for each in roles}, dict(policies)), "AIDA1")


def test_a_user_that_only_pushes_has_none():
    assert escalation(PUSHES) == ""


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("*", "*"),
        ("iam:*", f"{OF_THE_ACCOUNT}:*"),
        ("iam:PutUserPolicy", ARN),
        ("iam:CreateAccessKey", f"{OF_THE_ACCOUNT}:user/*"),
        ("iam:AddUserToGroup", f"{OF_THE_ACCOUNT}:group/*"),
        ("iam:PutRolePolicy", f"{OF_THE_ACCOUNT}:role/admins/*"),
        ("iam:UpdateAssumeRolePolicy", f"{ROLE}/admin"),
        (["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "*"),
        ("sts:AssumeRole", "*"),
        ("sts:AssumeRole", "arn:aws:iam::999999999999:role/deploy"),
    ],
    ids=str,
)
def test_a_user_with_an_open_path_has_one(action, resource):
    assert "escalation path" in escalation(allows(action, resource))


def test_the_policies_of_groups_count():
    group = Principal(f"{OF_THE_ACCOUNT}:group/admins", "AGPA1", (allows("*"),))

    assert "escalation path" in escalation(PUSHES, groups=[group])


def test_managed_policies_count_and_a_boundary_takes_away():
    admin, boundary = "arn:aws:iam::aws:policy/AdministratorAccess", f"{OF_THE_ACCOUNT}:policy/only-ecr"
    policies = {admin: allows("*"), boundary: PUSHES}

    assert "escalation path" in escalation(attached=(admin,), policies=policies)
    assert escalation(attached=(admin,), boundary=boundary, policies=policies) == ""


def test_a_role_without_a_path_may_be_assumed():
    assert escalation(allows("sts:AssumeRole", f"{ROLE}/deploy"), roles=[role("deploy", PUSHES)]) == ""


def test_a_role_with_a_path_may_not_be_assumed():
    assert "sts:AssumeRole" in escalation(
        allows("sts:AssumeRole", f"{ROLE}/deploy"), roles=[role("deploy", allows("*"))]
    )


def test_a_role_that_trusts_the_user_by_name_needs_no_permission():
    assert "it can assume" in escalation(PUSHES, roles=[role("deploy", allows("*"), trusted=ARN)])


@pytest.mark.parametrize("unreadable", ["{", {"Statement": "all"}], ids=str)
def test_a_policy_that_cannot_be_read_counts_as_one(unreadable):
    assert "cannot be read" in escalation(unreadable)


def test_a_policy_that_is_not_listed_counts_as_one():
    assert "arn:aws:iam::aws:policy/Unknown is not listed" in escalation(attached=("arn:aws:iam::aws:policy/Unknown",))


def test_a_user_that_is_not_listed_counts_as_one():
    assert escalation_of(Account({}, {}, {}, {}), "AIDA1") == "its policies are not listed"


@given(links=st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=14), admin=st.integers(0, 6))
def test_a_chain_of_roles_is_followed_to_its_end_and_no_further(links, admin):
    """The user may assume role 0; the role of the number ``admin`` is an administrator."""
    roles = []
    for number in range(6):
        targets = [f"{ROLE}/r{target}" for source, target in links if source == number and target != number]
        assumes = [allows("sts:AssumeRole", targets)] if targets else []
        roles.append(role(f"r{number}", *assumes, *([allows("*")] if number == admin else [])))
    reached, more = set(), {0}
    while more:
        reached |= more
        more = {target for source, target in links if source in reached} - reached

    found = escalation(allows("sts:AssumeRole", f"{ROLE}/r0"), roles=roles)

    assert bool(found) == (admin in reached)


def statement(effect, **what):
    return {"Version": "2012-10-17", "Statement": {"Effect": effect, "Resource": "*"} | what}


@pytest.mark.parametrize("verb", ["Delete", "Put"])
def test_a_user_that_can_change_its_own_boundary_has_one(verb):
    action = f"iam:{verb}UserPermissionsBoundary"
    leaves = statement("Allow", Action=["ecr:*", action])

    assert action in escalation(ADMIN, boundary=BOUNDARY, policies={BOUNDARY: leaves})
    assert escalation(ADMIN, boundary=BOUNDARY, policies={BOUNDARY: statement("Allow", Action="ecr:*")}) == ""


def test_a_user_that_can_take_a_denial_from_itself_has_one():
    denial = statement("Deny", NotAction=["ecr:*", "iam:DeleteUserPolicy", "iam:DetachUserPolicy"])

    assert "iam:DeleteUserPolicy" in escalation(ADMIN, denial)
    assert "iam:DetachUserPolicy" in escalation(ADMIN, attached=(BOUNDARY,), policies={BOUNDARY: denial})
    assert escalation(ADMIN, statement("Deny", NotAction="ecr:*")) == ""


def test_a_user_that_can_leave_a_group_that_denies_has_one():
    group = Principal(
        f"{OF_THE_ACCOUNT}:group/held", "AGPA1", (statement("Deny", NotAction="iam:RemoveUserFromGroup"),)
    )

    assert "iam:RemoveUserFromGroup" in escalation(ADMIN, groups=[group])
