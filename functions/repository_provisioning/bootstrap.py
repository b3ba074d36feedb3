"""The composition root: settings, clients and adapters become use cases, once per execution environment."""

import os
from dataclasses import dataclass

from repository_provisioning.adapters.dynamodb_state import DynamoDbCreationQuota, DynamoDbRecords
from repository_provisioning.adapters.ecr_registry import EcrContainerRegistry
from repository_provisioning.domain.construction import RepositoryConstruction
from repository_provisioning.domain.failed_pushes import Mode, SafetyNet
from repository_provisioning.domain.house_rules import HouseRules
from repository_provisioning.domain.planning import Planner
from repository_provisioning.domain.provisioning import Provisioner
from steward import settings
from steward.aws.clients import client
from steward.aws.event_bus import EventBridgePublisher
from steward.clock import SystemClock

CAPABILITY = "repository_provisioning"
HOUSE_RULES = "house_rules.yaml"


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the handlers of this capability may do."""

    provisioner: Provisioner
    safety_net: SafetyNet


def bootstrap() -> UseCases:
    """Wire everything together, from the environment that ``template.yaml`` sets.

    Raises
    ------
    SettingsError
        The house rules cannot be used.
    """
    account, region = os.environ["STEWARD_ACCOUNT"], os.environ["AWS_REGION"]
    rules = settings.load(settings.locate(HOUSE_RULES), HouseRules)
    clock = SystemClock()
    dynamodb, table = client("dynamodb"), os.environ["STATE_TABLE"]
    registry = EcrContainerRegistry(client("ecr"), clock)
    records = DynamoDbRecords(dynamodb, table, clock)
    publisher = EventBridgePublisher(
        client("events"), bus=os.environ["STEWARD_BUS"], capability=CAPABILITY, account=account, region=region
    )
    construction = RepositoryConstruction(
        registry, records, DynamoDbCreationQuota(dynamodb, table), publisher, clock, stack=os.environ["STEWARD_STACK"]
    )
    planner = Planner(rules, own_account=account)
    provisioner = Provisioner(planner, construction, registry, records, publisher, clock)
    mode = Mode(os.environ.get("PUSH_SAFETY_NET", Mode.OFF))
    return UseCases(provisioner, SafetyNet(provisioner, planner, publisher, mode=mode, own_account=account))
