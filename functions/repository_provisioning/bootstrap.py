"""The composition root: settings, clients and adapters become use cases, once per execution environment.

One function per handler, with the handler's name. Every port is an argument, so that tests pass doubles to the same
function; what is left out is the deployed stack's own.
"""

import os
from functools import cache
from typing import TYPE_CHECKING

from repository_provisioning.adapters.dynamodb_fleet import DynamoDbFleetScans
from repository_provisioning.adapters.dynamodb_state import DynamoDbCreationQuota, DynamoDbRecords
from repository_provisioning.adapters.ecr_registry import EcrContainerRegistry
from repository_provisioning.adapters.lambda_scan import LambdaScanTrigger
from repository_provisioning.application.adopt_repositories import Adopter
from repository_provisioning.application.catch_failed_push import Mode, SafetyNet
from repository_provisioning.application.one_repository import Stack
from repository_provisioning.application.ports import (
    ContainerRegistry,
    CreationQuota,
    FleetScans,
    ProvisioningRecords,
    ScanTrigger,
)
from repository_provisioning.application.provision_repositories import IN_FLIGHT, Provisioner
from repository_provisioning.application.scan_fleet import CALLS_PER_SECOND, FleetScanner
from repository_provisioning.application.show_fleet import Fleet
from repository_provisioning.domain.house_rules import SETTINGS_FILE, HouseRules
from repository_provisioning.domain.images import Registry
from repository_provisioning.domain.planning import Planner
from steward import settings
from steward.aws.clients import client
from steward.aws.event_bus import EventBridgePublisher
from steward.clock import Clock, SystemClock
from steward.events import EventPublisher

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

CAPABILITY = "repository_provisioning"


def provision_repositories(
    *,
    rules: HouseRules | None = None,
    registry: ContainerRegistry | None = None,
    records: ProvisioningRecords | None = None,
    quota: CreationQuota | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    name: str | None = None,
    account: str | None = None,
    region: str | None = None,
    in_flight: int = IN_FLIGHT,
) -> Provisioner:
    """What the API does for pipelines. Raises SettingsError."""
    clock = clock or SystemClock()
    registry = registry or EcrContainerRegistry(client("ecr"), clock)
    stack = _stack(name, registry, records, quota, publisher, clock)
    own = Registry(account or os.environ["STEWARD_ACCOUNT"], region or os.environ["AWS_REGION"])
    return Provisioner(_planner(rules, account), stack, own, in_flight=in_flight)


def adopt_repositories(
    *,
    rules: HouseRules | None = None,
    registry: ContainerRegistry | None = None,
    records: ProvisioningRecords | None = None,
    quota: CreationQuota | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    name: str | None = None,
    account: str | None = None,
    in_flight: int = IN_FLIGHT,
) -> Adopter:
    """What the API does with repositories that exist already. Raises SettingsError."""
    clock = clock or SystemClock()
    registry = registry or EcrContainerRegistry(client("ecr"), clock)
    stack = _stack(name, registry, records, quota, publisher, clock)
    return Adopter(_planner(rules, account), stack, in_flight=in_flight)


def show_fleet(
    *,
    rules: HouseRules | None = None,
    scans: FleetScans | None = None,
    trigger: ScanTrigger | None = None,
    clock: Clock | None = None,
    account: str | None = None,
) -> Fleet:
    """What the API shows of the whole registry. Raises SettingsError."""
    clock = clock or SystemClock()
    return Fleet(
        _planner(rules, account),
        scans or DynamoDbFleetScans(client("dynamodb"), os.environ["PROVISIONING_TABLE"], clock),
        trigger or LambdaScanTrigger(client("lambda"), os.environ["SCAN_FUNCTION"]),
        clock,
    )


def scan_fleet(
    *,
    rules: HouseRules | None = None,
    registry: ContainerRegistry | None = None,
    records: ProvisioningRecords | None = None,
    scans: FleetScans | None = None,
    quota: CreationQuota | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    name: str | None = None,
    account: str | None = None,
    calls_per_second: float = CALLS_PER_SECOND,
) -> FleetScanner:
    """A scan of the whole registry. Raises SettingsError."""
    clock = clock or SystemClock()
    registry = registry or EcrContainerRegistry(client("ecr", once=True), clock)
    stack = _stack(name, registry, records, quota, publisher, clock)
    return FleetScanner(
        _planner(rules, account),
        stack,
        scans or DynamoDbFleetScans(client("dynamodb"), os.environ["PROVISIONING_TABLE"], clock),
        calls_per_second=calls_per_second,
    )


def catch_failed_push(
    *,
    provisioner: Provisioner | None = None,
    publisher: EventPublisher | None = None,
    mode: Mode | None = None,
    account: str | None = None,
) -> SafetyNet:
    """What a failed push leads to. Raises SettingsError."""
    publisher = publisher or _publisher()
    return SafetyNet(
        provisioner or provision_repositories(publisher=publisher, account=account),
        publisher,
        mode=mode or Mode(os.environ.get("PUSH_SAFETY_NET", Mode.OFF)),
        own_account=account or os.environ["STEWARD_ACCOUNT"],
    )


def caught_pushes() -> "DynamoDBPersistenceLayer":
    """The pushes that the safety net caught a moment ago."""
    from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - the API starts sooner without it
        DynamoDBPersistenceLayer,
    )

    return DynamoDBPersistenceLayer(os.environ["PROVISIONING_TABLE"], boto3_client=client("dynamodb"))


def house_rules() -> HouseRules:
    """What the operator wrote. Raises SettingsError."""
    return settings.load(settings.locate(SETTINGS_FILE), HouseRules)


def _planner(rules: HouseRules | None, account: str | None) -> Planner:
    return Planner(rules or house_rules(), own_account=account or os.environ["STEWARD_ACCOUNT"])


def _stack(
    name: str | None,
    registry: ContainerRegistry,
    records: ProvisioningRecords | None,
    quota: CreationQuota | None,
    publisher: EventPublisher | None,
    clock: Clock,
) -> Stack:
    dynamodb = cache(lambda: client("dynamodb"))
    return Stack(
        name or os.environ["STEWARD_STACK"],
        registry,
        records or DynamoDbRecords(dynamodb(), os.environ["PROVISIONING_TABLE"], clock),
        quota or DynamoDbCreationQuota(dynamodb(), os.environ["PROVISIONING_TABLE"]),
        publisher or _publisher(),
        clock,
    )


def _publisher() -> EventBridgePublisher:
    return EventBridgePublisher(
        client("events"),
        bus=os.environ["STEWARD_BUS"],
        capability=CAPABILITY,
        account=os.environ["STEWARD_ACCOUNT"],
        region=os.environ["AWS_REGION"],
    )
