"""The composition root: settings, clients and adapters become use cases, once per execution environment.

One function per handler, with the handler's name. Every port is an argument, so that tests pass doubles to the same
function; what is left out is the deployed stack's own.
"""

import os
import uuid
from collections.abc import Callable, Sequence
from functools import cache

from alerting.adapters.dynamodb_memory import DynamoDbDeliveries, DynamoDbOpenItems, DynamoDbPendingAlerts
from alerting.adapters.dynamodb_sources import DynamoDbSources
from alerting.adapters.secrets_manager_secret import SecretsManagerSecret
from alerting.adapters.security_hub import SecurityHubFindings
from alerting.adapters.sns_topic import SnsTopic
from alerting.adapters.webhook import Webhook
from alerting.application.ports import Deliveries, OpenItems, PendingAlerts, Reader, Sources
from alerting.application.send_alert import AlertSender
from alerting.application.send_scheduled_alerts import ScheduledAlertSender
from alerting.domain.routing import SETTINGS_FILE, AlertingSettings
from steward import settings
from steward.aws.clients import client
from steward.clock import Clock, SystemClock
from steward.severities import SEVERITIES_FILE, EventSeverities, Severities

CAPABILITY = "alerting"


def send_alert(
    *,
    wanted: AlertingSettings | None = None,
    severities: EventSeverities | None = None,
    sources: Sources | None = None,
    readers: Sequence[Reader] | None = None,
    deliveries: Deliveries | None = None,
    pending: PendingAlerts | None = None,
    open_items: OpenItems | None = None,
    clock: Clock | None = None,
) -> AlertSender:
    """One event, one alert. Raises SettingsError."""
    clock, wanted = clock or SystemClock(), wanted or alerting_settings()
    dynamodb = cache(lambda: client("dynamodb"))
    return AlertSender(
        wanted,
        severities or event_severities(),
        sources or _sources(),
        _readers(wanted, clock) if readers is None else readers,
        deliveries or DynamoDbDeliveries(dynamodb(), _table()),
        pending or DynamoDbPendingAlerts(dynamodb(), _table(), clock),
        open_items or DynamoDbOpenItems(dynamodb(), _table(), clock),
        clock,
    )


def send_scheduled_alerts(
    *,
    wanted: AlertingSettings | None = None,
    readers: Sequence[Reader] | None = None,
    pending: PendingAlerts | None = None,
    open_items: OpenItems | None = None,
    clock: Clock | None = None,
    new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    account: str | None = None,
    region: str | None = None,
) -> ScheduledAlertSender:
    """The summary of a flood, and the weekly digest. Raises SettingsError."""
    clock, wanted = clock or SystemClock(), wanted or alerting_settings()
    dynamodb = cache(lambda: client("dynamodb"))
    return ScheduledAlertSender(
        wanted,
        [_topic(wanted)] if readers is None else readers,
        pending or DynamoDbPendingAlerts(dynamodb(), _table(), clock),
        open_items or DynamoDbOpenItems(dynamodb(), _table(), clock),
        clock,
        new_id,
        account or os.environ["STEWARD_ACCOUNT"],
        region or os.environ["AWS_REGION"],
    )


def alerting_settings() -> AlertingSettings:
    """What the operator wrote. Raises SettingsError."""
    return settings.load(settings.locate(SETTINGS_FILE), AlertingSettings)


def event_severities() -> EventSeverities:
    """The table of severities, for events. Raises SettingsError."""
    return settings.load(settings.locate(SEVERITIES_FILE), Severities).events


def _sources() -> DynamoDbSources:
    iam = cache(lambda: client("iam"))
    return DynamoDbSources(client("dynamodb"), iam, os.environ["DRIFT_TABLE"], os.environ["ROTATION_TABLE"])


def _readers(wanted: AlertingSettings, clock: Clock) -> list[Reader]:
    """Where alerts are read, as far as the stack has it; a new reader is an adapter and a line here."""
    readers: list[Reader] = [_topic(wanted)]
    if os.environ.get("SECURITY_HUB", "off") == "on":
        readers.append(SecurityHubFindings(client("securityhub"), stack=os.environ["STEWARD_STACK"]))
    if url := os.environ.get("WEBHOOK_URL"):
        readers.append(_webhook(url, wanted, clock))
    return readers


def _topic(wanted: AlertingSettings) -> SnsTopic:
    return SnsTopic(client("sns"), os.environ["ALERT_TOPIC"], documentation=_documentation(wanted))


def _webhook(url: str, wanted: AlertingSettings, clock: Clock) -> Webhook:
    return Webhook(
        url,
        SecretsManagerSecret(client("secretsmanager"), os.environ["WEBHOOK_SECRET"], clock),
        clock,
        may_be_internal=os.environ.get("PLATFORM") == "local",
        documentation=_documentation(wanted),
    )


def _documentation(wanted: AlertingSettings) -> str:
    """Where the runbooks can be read: what the settings say, otherwise what alarms link."""
    return wanted.documentation or os.environ.get("DOCUMENTATION_URL", "")


def _table() -> str:
    return os.environ["ALERTING_TABLE"]
