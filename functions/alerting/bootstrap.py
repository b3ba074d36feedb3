"""The composition root: settings, clients and adapters become use cases, once per execution environment.

One function per handler, named for the use case that it returns, comes first; the parts of several follow.
"""

import os
import uuid

from alerting.adapters.dynamodb_memory import DynamoDbConcerns, DynamoDbDeliveries, DynamoDbWaitingRooms
from alerting.adapters.security_hub import SecurityHubFindings
from alerting.adapters.sns_topic import SnsTopic
from alerting.application.send_alert import AlertSender
from alerting.application.send_scheduled_alerts import ScheduledAlertSender
from alerting.domain.routing import AlertingSettings
from steward import settings
from steward.aws.clients import client
from steward.clock import SystemClock

CAPABILITY = "alerting"
SETTINGS_FILE = "alerting.yaml"


def alerting() -> AlertSender:
    """One event, one alert.

    Raises
    ------
    SettingsError
        The settings cannot be used.
    """
    clock, dynamodb, table = SystemClock(), client("dynamodb"), os.environ["ALERTING_TABLE"]
    to_hub = os.environ.get("SECURITY_HUB", "off") == "on"
    return AlertSender(
        _settings(),
        _topic(),
        SecurityHubFindings(client("securityhub"), stack=os.environ["STEWARD_STACK"]) if to_hub else None,
        DynamoDbDeliveries(dynamodb, table),
        DynamoDbWaitingRooms(dynamodb, table, clock),
        DynamoDbConcerns(dynamodb, table, clock),
        clock,
    )


def scheduled_alerts() -> ScheduledAlertSender:
    """What waits in a flood, and the week. Raises SettingsError."""
    clock, dynamodb, table = SystemClock(), client("dynamodb"), os.environ["ALERTING_TABLE"]
    return ScheduledAlertSender(
        _settings(),
        _topic(),
        DynamoDbWaitingRooms(dynamodb, table, clock),
        DynamoDbConcerns(dynamodb, table, clock),
        clock,
        lambda: str(uuid.uuid4()),
        os.environ["STEWARD_ACCOUNT"],
        os.environ["AWS_REGION"],
    )


def _settings() -> AlertingSettings:
    return settings.load(settings.locate(SETTINGS_FILE), AlertingSettings)


def _topic() -> SnsTopic:
    return SnsTopic(client("sns"), os.environ["ALERT_TOPIC"])
