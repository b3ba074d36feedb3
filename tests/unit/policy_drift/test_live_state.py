"""What is live against what an alert or an acknowledgement pinned."""

from typing import Any

import pytest

from iam_policy import Verdict
from policy_drift.domain.access.live_state import fingerprint, relation
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.scope import EntityPattern, Scope
from tests.doubles.shipped_severities import drifts
from tests.unit.policy_drift.accounts import EC2, account, allow, group, policy, role, trusting, user

READ = allow("s3:GetObject")
MORE = allow("s3:GetObject", "sqs:SendMessage")
BOUND = policy("bound", READ)


def only(approved: Any, live: Any, kind: Kind) -> Drift:
    return next(one for one in drifts(approved, live).found if one.kind is kind)


BEFORE = account(role(), user())
READING, SENDING = account(role("app", READ), user()), account(role("app", MORE), user())
STATES: dict[str, tuple[Kind, Any, Any, Verdict]] = {
    "a second grant": (
        Kind.ACCESS,
        READING,
        SENDING,
        Verdict.BROADENED,
    ),
    "a grant less": (
        Kind.ACCESS,
        SENDING,
        READING,
        Verdict.NARROWED,
    ),
    "another trusted": (
        Kind.TRUST,
        account(role(trust=trusting({"AWS": "111122223333"})), user()),
        account(role(trust=trusting("*")), user()),
        Verdict.BROADENED,
    ),
    "an unmanaged role with more": (
        Kind.UNMANAGED,
        account(role(), user(), role("new", READ)),
        account(role(), user(), role("new", MORE)),
        Verdict.BROADENED,
    ),
    "an unmanaged role that others may assume": (
        Kind.UNMANAGED,
        account(role(), user(), role("new", READ)),
        account(role(), user(), role("new", READ, trust=trusting(EC2 | {"AWS": "*"}))),
        Verdict.BROADENED,
    ),
    "an unmanaged role made anew": (
        Kind.UNMANAGED,
        account(role(), user(), role("new", READ)),
        account(role(), user(), role("new", READ, unique_id="AROAOTHER")),
        Verdict.INCOMPARABLE,
    ),
    "a policy that is split": (
        Kind.ACCESS,
        SENDING,
        account(role("app", READ, allow("sqs:SendMessage")), user()),
        Verdict.EQUIVALENT,
    ),
}


@pytest.mark.parametrize("what", STATES)
def test_live_against_what_was_pinned(what: str) -> None:
    kind, pinned, live, expected = STATES[what]

    assert relation(kind, only(BEFORE, pinned, kind).live, only(BEFORE, live, kind).live) is expected


def test_a_boundary_that_is_gone_is_more_than_one_that_is_wide() -> None:
    assert relation(Kind.BOUNDARY, {"boundary": {BOUND.arn: READ}}, {}) is Verdict.BROADENED


def test_one_more_group_is_more() -> None:
    assert relation(Kind.MEMBERSHIP, ["a"], ["a", "b"]) is Verdict.BROADENED
    assert relation(Kind.MEMBERSHIP, ["a", "b"], ["a"]) is Verdict.NARROWED


def test_a_document_that_cannot_be_read_is_unknown() -> None:
    assert relation(Kind.TRUST, trusting("*"), {"Statement": []}) is Verdict.UNKNOWN


def test_spelling_leaves_the_fingerprint_as_it_is() -> None:
    other = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "S3:getobject", "Resource": ["*"]}}

    assert fingerprint(READ) == fingerprint(other)
    assert fingerprint(READ) != fingerprint(MORE)


@pytest.mark.parametrize(
    ("pinned", "live", "expected"),
    [
        ((), ("admins",), Verdict.BROADENED),
        (("admins",), ("admins", "breakers"), Verdict.BROADENED),
        (("admins",), (), Verdict.NARROWED),
        (("admins",), ("breakers",), Verdict.INCOMPARABLE),
        ((), (), Verdict.EQUIVALENT),
    ],
)
def test_an_unmanaged_user_that_joins_a_privileged_group_later_is_broader(
    pinned: Any, live: Any, expected: Any
) -> None:
    scope = Scope(privileged_groups=(EntityPattern("group/admins"), EntityPattern("group/breakers")))
    groups = [group("admins"), group("breakers"), group("readers")]

    def unmanaged(names: Any) -> Drift:
        return drifts(account(*groups), account(*groups, user(groups=(*names, "readers"))), scope=scope).found[0]

    before, now = unmanaged(pinned), unmanaged(live)

    assert relation(Kind.UNMANAGED, before.live, now.live) is expected
    assert (before.fingerprint == now.fingerprint) is (expected is Verdict.EQUIVALENT)
