"""Decisions about drift, and the rule of two persons."""

from collections.abc import Iterable
from dataclasses import dataclass

from policy_drift.domain.finding import Change
from steward.errors import NotAllowedError
from steward.principals import Principal, session_of

LONGEST_REASON, LONGEST_REFERENCE = 500, 200


@dataclass(frozen=True, slots=True)
class Decision:
    """A caller with its reason for a decision.

    Attributes
    ----------
    by
        The caller, as ``str`` of its principal.
    session
        The name of the caller's session, for people the user of IAM Identity Center; empty where it has none.
    reason, reference
        Why, and where more is written, such as a ticket; empty if not given.
    """

    by: str
    session: str = ""
    reason: str = ""
    reference: str = ""


def refuse_own_changes(decision: Decision, finding_id: str, changes: Iterable[Change]) -> None:
    """Refuse a decision about changes that the decider made, or may have made.

    Two sessions of one role are two persons, as long as both sessions are known. A finding without a known author is
    refused as well: its author could be the caller.

    Raises
    ------
    NotAllowedError
        The second person is missing.
    """
    authors = [change.actor for change in changes]
    if not authors:
        raise NotAllowedError(
            f"four_eyes: no event says who made the change of {finding_id}, so that nobody can be shown to be another "
            "person; wait for CloudTrail's event, or review it in the file and upload the baseline"
        )
    for author in authors:
        if _may_be_same(decision, author):
            raise NotAllowedError(
                f"four_eyes: {author} made the change of {finding_id}; somebody else must decide about it"
            )


def _may_be_same(decision: Decision, author: str) -> bool:
    try:
        principal = str(Principal.from_arn(author))
    except ValueError:
        return True
    if principal != decision.by:
        return False
    session = session_of(author)
    return not (session and decision.session) or session == decision.session
