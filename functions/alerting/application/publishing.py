"""An alert as the one message that everybody who subscribes gets a form of."""

import json

from alerting.domain.alert import Alert, Channel, Message
from alerting.domain.formats.chat import notification
from alerting.domain.formats.mail import body_of, subject_of


def message_of(alert: Alert, channels: frozenset[Channel], documentation: str) -> Message:
    """The message; ``documentation`` is where its runbook stands."""
    chat = json.dumps(notification(alert, documentation), ensure_ascii=False)
    return Message(channels, subject_of(alert), body_of(alert, documentation), chat, alert.severity, alert.capability)
