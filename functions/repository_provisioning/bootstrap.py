"""The composition root: settings, clients and adapters become use cases, once per execution environment.

One function per handler, named for the use case that it returns, comes first; the parts of several follow.
"""

import os
from typing import TYPE_CHECKING

from repository_provisioning.adapters.dynamodb_state import DynamoDbCreationQuota, DynamoDbRecords
from repository_provisioning.adapters.ecr_registry import EcrContainerRegistry
from repository_provisioning.application.catch_failed_push import Mode, SafetyNet
from repository_provisioning.application.one_repository import RepositoryConstruction
from repository_provisioning.application.provision_repositories import Provisioner
from repository_provisioning.domain.house_rules import HouseRules
from repository_provisioning.domain.planning import Planner
from steward import settings
from steward.aws.clients import client
from steward.aws.event_bus import EventBridgePublisher
from steward.clock import SystemClock

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

CAPABILITY = "repository_provisioning"
SETTINGS_FILE = "house_rules.yaml"


def provisioner() -> Provisioner:
    """What the API does.

    Raises
    ------
    SettingsError
        The house rules cannot be used.
    """
    return _provisioner(_planner(), _publisher())


def safety_net() -> SafetyNet:
    """What a failed push leads to. Raises SettingsError."""
    planner, publisher = _planner(), _publisher()
    mode = Mode(os.environ.get("PUSH_SAFETY_NET", Mode.OFF))
    return SafetyNet(
        _provisioner(planner, publisher), planner, publisher, mode=mode, own_account=os.environ["STEWARD_ACCOUNT"]
    )


def caught_pushes() -> "DynamoDBPersistenceLayer":
    """Which pushes the safety net dealt with a moment ago."""
    from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - the API starts sooner without it
        DynamoDBPersistenceLayer,
    )

    return DynamoDBPersistenceLayer(os.environ["PROVISIONING_TABLE"], boto3_client=client("dynamodb"))


def _planner() -> Planner:
    rules = settings.load(settings.locate(SETTINGS_FILE), HouseRules)
    return Planner(rules, own_account=os.environ["STEWARD_ACCOUNT"])


def _provisioner(planner: Planner, publisher: EventBridgePublisher) -> Provisioner:
    clock, dynamodb, table = SystemClock(), client("dynamodb"), os.environ["PROVISIONING_TABLE"]
    registry = EcrContainerRegistry(client("ecr"), clock)
    records = DynamoDbRecords(dynamodb, table, clock)
    construction = RepositoryConstruction(
        registry, records, DynamoDbCreationQuota(dynamodb, table), publisher, clock, stack=os.environ["STEWARD_STACK"]
    )
    return Provisioner(planner, construction, registry, records, publisher, clock)


def _publisher() -> EventBridgePublisher:
    return EventBridgePublisher(
        client("events"),
        bus=os.environ["STEWARD_BUS"],
        capability=CAPABILITY,
        account=os.environ["STEWARD_ACCOUNT"],
        region=os.environ["AWS_REGION"],
    )
