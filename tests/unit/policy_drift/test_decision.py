"""Who may decide about drift where a second person is required."""

from datetime import UTC, datetime

import pytest

from policy_drift.domain.decision import Decision, refuse_own_changes
from policy_drift.domain.finding import Change
from steward.errors import NotAllowedError

ADMINS = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef"
ADMIN = "123456789012:role/AWSReservedSSO_Admin_0123456789abcdef"


def by(actor):
    return Change("e1", "PutRolePolicy", actor, datetime(2026, 5, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("decision", "author"),
    [
        (Decision(ADMIN, "ann@example.com"), f"{ADMINS}/ann@example.com"),
        (Decision(ADMIN), f"{ADMINS}/ann@example.com"),
        (Decision("123456789012:user/ann"), "arn:aws:iam::123456789012:user/people/ann"),
        (Decision(ADMIN, "ann@example.com"), "arn:aws:iam::123456789012:role/AWSReservedSSO_Admin_0123456789abcdef"),
        (Decision(ADMIN, "ann@example.com"), "unknown"),
    ],
)
def test_the_author_of_a_change_or_a_possible_one_cannot_approve_it(decision, author):
    with pytest.raises(NotAllowedError, match=r"four_eyes: .* made the change of access:role:app"):
        refuse_own_changes(decision, "access:role:app", [by(author)])


def test_another_session_of_the_same_role_is_another_person():
    refuse_own_changes(Decision(ADMIN, "bob@example.com"), "access:role:app", [by(f"{ADMINS}/ann@example.com")])


def test_one_own_change_among_others_is_enough_to_refuse():
    changes = [by(f"{ADMINS}/bob@example.com"), by(f"{ADMINS}/ann@example.com")]

    with pytest.raises(NotAllowedError):
        refuse_own_changes(Decision(ADMIN, "ann@example.com"), "access:role:app", changes)


def test_a_change_without_a_known_author_cannot_be_approved():
    with pytest.raises(NotAllowedError, match="no event says who made the change"):
        refuse_own_changes(Decision(ADMIN, "ann@example.com"), "access:role:app", [])
