"""The composition root: settings, clients and adapters become use cases, once per execution environment."""

import os
import uuid

from alerting.adapters.dynamodb_memory import DynamoDbConcerns, DynamoDbDeliveries, DynamoDbWaitingRooms
from alerting.adapters.security_hub import SecurityHubFindings
from alerting.adapters.sns_topic import SnsTopic
from alerting.domain.alerting import Alerting
from alerting.domain.routing import AlertingSettings
from steward import settings
from steward.aws.clients import client
from steward.clock import SystemClock

CAPABILITY = "alerting"
ALERTING = "alerting.yaml"


def bootstrap() -> Alerting:
    """Wire everything together, from the environment that ``template.yaml`` sets.

    Raises
    ------
    SettingsError
        The settings cannot be used.
    """
    clock, dynamodb, table = SystemClock(), client("dynamodb"), os.environ["ALERTING_TABLE"]
    to_hub = os.environ.get("SECURITY_HUB", "off") == "on"
    return Alerting(
        settings.load(settings.locate(ALERTING), AlertingSettings),
        SnsTopic(client("sns"), os.environ["ALERT_TOPIC"]),
        SecurityHubFindings(client("securityhub"), stack=os.environ["STEWARD_STACK"]) if to_hub else None,
        DynamoDbDeliveries(dynamodb, table),
        DynamoDbWaitingRooms(dynamodb, table, clock),
        DynamoDbConcerns(dynamodb, table, clock),
        clock,
        lambda: str(uuid.uuid4()),
        os.environ["STEWARD_ACCOUNT"],
        os.environ["AWS_REGION"],
    )
