"""The composition root: clients and adapters become the one use case."""

import os

from health.adapters.channels import Channels
from health.adapters.cloudformation_stack import CloudFormationStack
from health.adapters.cloudtrail_events import CloudTrailEvents
from health.adapters.registry import Registry
from health.adapters.settings_in_force import SettingsInForce
from health.adapters.storage import Storage
from health.application.check_health import CheckHealth
from health.application.ports import (
    ChannelReader,
    RegistryReader,
    SettingsReader,
    StackReader,
    StorageReader,
    TrailReader,
)
from health.domain.rules import GLOBAL_REGION
from steward.aws.clients import client
from steward.clock import Clock, SystemClock

CAPABILITY = "health"


def check_health(
    *,
    name: str | None = None,
    account: str | None = None,
    region: str | None = None,
    stack: StackReader | None = None,
    trails: TrailReader | None = None,
    channels: ChannelReader | None = None,
    storage: StorageReader | None = None,
    registry: RegistryReader | None = None,
    settings: SettingsReader | None = None,
    clock: Clock | None = None,
) -> CheckHealth:
    """Check a stack; the one of this function, unless ``make doctor`` names it."""
    name, clock = name or os.environ["STEWARD_STACK"], clock or SystemClock()
    return CheckHealth(
        stack or CloudFormationStack(client("cloudformation"), client("cloudwatch"), name),
        trails or _trails(clock, account or os.environ["STEWARD_ACCOUNT"]),
        channels or Channels(client("sns"), client("sqs"), client("securityhub")),
        storage or Storage(client("dynamodb"), client("s3")),
        registry or Registry(client("ecr"), client("iam")),
        settings or SettingsInForce(),
        clock,
        name=name,
        account=account or os.environ["STEWARD_ACCOUNT"],
        region=region or os.environ["AWS_REGION"],
    )


def _trails(clock: Clock, account: str) -> CloudTrailEvents:
    return CloudTrailEvents(
        client("cloudtrail", region=os.environ["AWS_REGION"]),
        client("cloudtrail", region=GLOBAL_REGION),
        client("events", region=GLOBAL_REGION),
        client("cloudwatch"),
        clock,
        account=account,
    )
