"""Names a user's next step for people. The rules decide when it comes; nothing here decides."""

from enum import StrEnum

from access_key_rotation.domain.state import Record


class NextStep(StrEnum):
    """What the next run that finds something to do is expected to do."""

    CREATE_KEY = "create-key"
    PROMOTE_KEY = "promote-key"
    CONFIRM_USE = "confirm-use"
    """Wait for a consumer to use the current key; until then its predecessor stays."""
    DEACTIVATE_KEY = "deactivate-key"
    DELETE_KEY = "delete-key"
    LOOK_AGAIN = "look-again"


_OF_STATES = {
    "NO_KEY": NextStep.CREATE_KEY,
    "EXEMPT": NextStep.CREATE_KEY,
    "FROZEN": NextStep.CREATE_KEY,
    "STEADY": NextStep.CREATE_KEY,
    "CREATED": NextStep.PROMOTE_KEY,
    "DRAINING": NextStep.DEACTIVATE_KEY,
    "QUARANTINED": NextStep.DELETE_KEY,
}


def next_step(record: Record) -> NextStep | None:
    """The next step; None while an operator's freeze lasts, which ends with a requested rotation."""
    if record.frozen:
        return None
    current = [history for history in record.keys.values() if history.promoted_at and not history.superseded_at]
    if record.state != "CREATED" and any(history.adopted_at is None for history in current):
        return NextStep.CONFIRM_USE if record.state in _OF_STATES else NextStep.LOOK_AGAIN
    return _OF_STATES.get(record.state, NextStep.LOOK_AGAIN)
