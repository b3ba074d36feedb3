"""Names a user's next step for people. The rules decide when it comes; nothing here decides."""

from enum import StrEnum

from access_key_rotation.domain.state import ORPHANED_SECRET, UNREADABLE, Record


class NextStep(StrEnum):
    """What the next run that finds something to do is expected to do."""

    CREATE_KEY = "create-key"
    PROMOTE_KEY = "promote-key"
    CONFIRM_USE = "confirm-use"
    """Wait for a consumer to use the current key; until then its predecessor stays."""
    DEACTIVATE_KEY = "deactivate-key"
    DELETE_KEY = "delete-key"
    STORE_KEY = "store-key"
    """A person's, who stores the user's present key in the secret."""
    LOOK_AGAIN = "look-again"
    REQUEST_ROTATION = "request-rotation"
    """An operator's, which ends the operator's freeze."""


_OF_STATES = {
    "NO_KEY": NextStep.CREATE_KEY,
    "AWAITING_KEY": NextStep.STORE_KEY,
    "EXEMPT": NextStep.CREATE_KEY,
    "FROZEN": NextStep.CREATE_KEY,
    "STEADY": NextStep.CREATE_KEY,
    "CREATED": NextStep.PROMOTE_KEY,
    "DRAINING": NextStep.DEACTIVATE_KEY,
    "QUARANTINED": NextStep.DELETE_KEY,
}


WAITS_FOR = {
    "AWAITING_KEY": "its holder has not stored its present key in the secret yet",
    "CREATING": "IAM may list late what an earlier run made: it is listed again first",
    "CURRENT_KEY_MISSING": "IAM does not list the current key: it is listed again before the key is replaced",
    "ENROLLING": "IAM may list late what an earlier run made: it is listed again first",
    "EXEMPT": "its exemption has ended: the next run goes on",
    "FROZEN": "its freeze has ended: the next run goes on",
    "ORPHANED_KEY": "a key that an earlier run may have made is listed again before it is deleted",
    ORPHANED_SECRET: "its user is gone or not enrolled, and its secret is scheduled for deletion",
    UNREADABLE: "its record is damaged: runbook restore-the-table",
}
"""What a user in such a state waits for, where the run itself reported nothing."""


def next_step(record: Record) -> NextStep:
    """The next step. A run that failed, and a user that no run has seen, are looked at again."""
    if record.failure:
        return NextStep.LOOK_AGAIN
    if record.frozen:
        return NextStep.REQUEST_ROTATION
    current = [history for history in record.keys.values() if history.promoted_at and not history.superseded_at]
    if record.state != "CREATED" and any(history.adopted_at is None for history in current):
        return NextStep.CONFIRM_USE if record.state in _OF_STATES else NextStep.LOOK_AGAIN
    return _OF_STATES.get(record.state, NextStep.LOOK_AGAIN)
