"""What an adoption makes of the baseline: the adopted parts, and still a baseline that can be used."""

from dataclasses import replace

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_drift import baseline_document
from policy_drift.domain.account import EntityId, EntityKind
from policy_drift.domain.baseline import Adoption, Baseline, adopted, flaws
from policy_drift.domain.dependents import shared_policies
from policy_drift.domain.finding import Kind
from policy_drift.domain.scope import Scope
from policy_drift.report.adoption import baseline_patch
from tests.doubles.shipped_severities import drifts
from tests.unit.policy_drift.accounts import ID, account, allow, group, policy, role, user

NAMES = st.sampled_from(["a", "b"])
DOCUMENTS = st.sampled_from([allow("s3:GetObject"), allow("s3:*"), allow("iam:*"), allow("ec2:DescribeVpcs")])


@st.composite
def accounts(draw):
    """An account that was read whole: all that somebody names is there."""
    policies = [policy(name, draw(DOCUMENTS)) for name in sorted(draw(st.sets(NAMES)))]
    groups = [group(name, draw(DOCUMENTS), attached=draw(some(policies))) for name in sorted(draw(st.sets(NAMES)))]
    users = [
        user(
            name,
            attached=draw(some(policies)),
            groups=tuple(sorted(one.name for one in draw(some(groups)))),
            boundary=draw(boundary_of(policies)),
        )
        for name in sorted(draw(st.sets(NAMES)))
    ]
    roles = [role(name, attached=draw(some(policies)), boundary=draw(boundary_of(policies))) for name in ("app",)]
    return account(*policies, *groups, *users, *roles)


def some(of):
    return (
        st.lists(st.sampled_from(of), unique_by=lambda one: one.name if hasattr(one, "name") else one.arn)
        if of
        else st.just([])
    )


def adoption_of(approved, found):
    return Adoption.of(found, shared_policies(approved, Scope()))


def boundary_of(policies):
    return st.none() | st.sampled_from([one.arn for one in policies]) if policies else st.none()


@given(accounts())
def test_an_account_that_was_read_whole_has_no_flaws_and_passes_the_validation_of_its_own_export(live):
    assert list(flaws(live)) == []
    assert baseline_document.read(baseline_document.write(Baseline(live)), account=ID).account == live


@given(accounts(), accounts())
def test_adopting_everything_gives_a_usable_baseline_without_differences(approved, live):
    found = drifts(approved, live).found

    after = adopted(approved, live, adoption_of(approved, found))

    assert list(flaws(after)) == []
    left = {drift.entity.kind for drift in drifts(after, live).found}
    assert left <= {EntityKind.POLICY}  # those that nobody has any more


@given(accounts(), accounts(), st.randoms(use_true_random=False))
def test_a_part_is_adopted_or_what_it_lacks_is_named(approved, live, random):
    found = drifts(approved, live).found
    part = random.sample(found, random.randint(0, len(found)))

    after = adopted(approved, live, adoption_of(approved, part))

    for flaw in flaws(after):
        assert "is not in the file" in flaw.reason
        return
    assert baseline_document.read(baseline_document.write(Baseline(after)), account=ID).account == after


def test_users_leave_a_group_that_goes():
    approved = account(group("empty"), user("ann", groups=("empty",)))
    live = account(user("ann"))
    (drift,) = [one for one in drifts(approved, live).found if one.kind is Kind.MISSING]

    after = adopted(approved, live, Adoption.of([drift]))
    patched = jsonpatch.apply_patch(plain(approved), baseline_patch(drift, approved, live))

    assert (after.groups, after.users["ann"].groups) == ({}, ())
    assert (patched["groups"], patched["users"]["ann"]["groups"]) == ({}, [])


def plain(approved):
    return {
        "groups": {name: {} for name in approved.groups},
        "users": {name: {"groups": list(one.groups)} for name, one in approved.users.items()},
    }


@pytest.mark.parametrize(
    ("kind", "taken"), [(Kind.TRUST, "trust"), (Kind.BOUNDARY, "boundary"), (Kind.RECREATED, "unique_id")]
)
def test_only_the_part_that_a_kind_is_about_is_taken(kind, taken):
    mine = policy("own", allow("s3:*"))
    approved = account(role("app", allow("s3:GetObject")))
    live = account(
        mine,
        role("app", allow("iam:*"), boundary=mine.arn, unique_id="AROAOTHER", trust=allow("sts:AssumeRole")),
    )

    after = adopted(approved, live, Adoption({EntityId("role/app"): frozenset({kind})})).roles["app"]

    assert after == replace(approved.roles["app"], **{taken: getattr(live.roles["app"], taken)})


def test_what_is_only_written_otherwise_is_adopted_whole():
    """Another boundary that leaves the same, a trust policy and a name that say it otherwise."""
    first, second = policy("a", allow("s3:*")), policy("b", allow("s3:*"))
    approved = account(first, second, user("ann", boundary=first.arn))
    live = account(first, second, user("eve", unique_id="AIDAANN", boundary=second.arn))
    (note,) = drifts(approved, live).found

    after = adopted(approved, live, Adoption.of([note]))

    assert drifts(after, live).found == ()
