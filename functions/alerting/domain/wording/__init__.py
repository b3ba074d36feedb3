"""Events in words. Every event that a capability publishes has a text; one that is unknown here has a plain one."""

from collections.abc import Mapping

from alerting.domain.alert import Alert
from alerting.domain.event import BusEvent
from alerting.domain.wording import access_key_rotation, policy_drift, repository_provisioning, trial_alert
from alerting.domain.wording.any_event import Wording, plain_alert
from steward.severities import EventSeverities

TEXTS: Mapping[str, Mapping[str, Wording]] = {
    "repository_provisioning": repository_provisioning.TEXTS,
    "access_key_rotation": access_key_rotation.TEXTS,
    "policy_drift": policy_drift.TEXTS,
    trial_alert.SOURCE: trial_alert.TEXTS,
}
"""Capability -> detail-type -> what makes an alert of the event."""


def alert_of(event: BusEvent, severities: EventSeverities) -> Alert:
    """The event in words."""
    return TEXTS.get(event.capability, {}).get(event.detail_type, plain_alert)(event, severities)
