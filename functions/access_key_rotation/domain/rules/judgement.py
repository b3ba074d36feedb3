"""The rule for the planner's finding about a user: how long the worker may rely on it."""

from datetime import datetime, timedelta

from access_key_rotation.domain.state import Standing

JUDGEMENT_KEPT = timedelta(hours=4)
"""How long the planner's finding about a user is valid: as long as IAM keeps its credential report."""
SERVICE_USER = Standing(has_password=False, has_mfa=False, administers_iam=False)


def vouched_for(judged_at: datetime | None, now: datetime) -> Standing | None:
    """Return the planner's finding about a user while it is valid; None if the worker must read it."""
    return SERVICE_USER if judged_at and now - judged_at < JUDGEMENT_KEPT else None
