"""Repository provisioning as ``bootstrap`` wires it, over doubles."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml

from repository_provisioning import bootstrap
from repository_provisioning.application.adopt_repositories import Adopter
from repository_provisioning.application.catch_failed_push import Mode, SafetyNet
from repository_provisioning.application.provision_repositories import Provisioner
from repository_provisioning.application.scan_fleet import FleetScanner
from repository_provisioning.application.show_fleet import Fleet
from repository_provisioning.domain.house_rules import HouseRules
from repository_provisioning.domain.planning import Origin, Planner
from steward.clock import Clock
from steward.conversion import convert
from steward.principals import Principal
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_container_registry import InMemoryContainerRegistry
from tests.doubles.in_memory_state import InMemoryCreationQuota, InMemoryRecords, RecordingScanTrigger
from tests.doubles.recording_publisher import RecordingPublisher

ACCOUNT, REGION, STACK = "123456789012", "ca-central-1", "steward"
CALLER = Principal(ACCOUNT, "role", "ci-team-a")

SHIPPED = """
callers:
  - {principals: ["self:*"], repositories: ["**"], may_override: [lifecycle, tags, mutable_tags, tag_mutability, pull]}
repositories:
  - {match: "**", name: default, lifecycle: {untagged_after_days: 14}, pull: {accounts: ["210987654321"]},
     tags: {namespace: "{namespace}"}}
"""


def house_rules(text: str) -> HouseRules:
    return convert(yaml.safe_load(text), HouseRules)


@dataclass
class StackOverDoubles:
    """One deployment over one registry; each part can be replaced by one that fails."""

    clock: Clock
    registry: Any
    records: Any
    quota: Any
    publisher: Any
    rules: HouseRules
    name: str = STACK
    in_flight: int = 10

    @classmethod
    def over_doubles(cls, rules: str = SHIPPED, clock: Clock | None = None, **registry: Any) -> "StackOverDoubles":
        clock = clock or FrozenClock()
        return cls(
            clock,
            InMemoryContainerRegistry(clock, **registry),
            InMemoryRecords(clock),
            InMemoryCreationQuota(),
            RecordingPublisher(),
            house_rules(rules),
        )

    @property
    def planner(self) -> Planner:
        return Planner(self.rules, own_account=ACCOUNT)

    @property
    def provisioner(self) -> Provisioner:
        return bootstrap.provision_repositories(**vars(self), account=ACCOUNT, region=REGION)

    @property
    def adopter(self) -> Adopter:
        return bootstrap.adopt_repositories(**vars(self), account=ACCOUNT)

    def scanner(self, scans: Any, **pace: Any) -> FleetScanner:
        ports = {name: value for name, value in vars(self).items() if name != "in_flight"}
        return bootstrap.scan_fleet(**ports, scans=scans, account=ACCOUNT, **pace)

    def fleet(self, scans: Any, trigger: Any = None) -> Fleet:
        return bootstrap.show_fleet(
            rules=self.rules, scans=scans, trigger=trigger or RecordingScanTrigger(), clock=self.clock, account=ACCOUNT
        )

    def safety_net(self, mode: Mode) -> SafetyNet:
        return bootstrap.catch_failed_push(
            provisioner=self.provisioner, publisher=self.publisher, mode=mode, account=ACCOUNT
        )

    def origin(self, caller: Principal = CALLER, *, within: float = 24) -> Origin:
        return Origin(caller, "request-1", self.clock.now() + timedelta(seconds=within))
