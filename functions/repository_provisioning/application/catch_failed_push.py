"""The safety net: a push failed because its repository does not exist, and no pipeline had asked for it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from repository_provisioning.application.provision_repositories import Provisioner
from repository_provisioning.domain.events import PushToMissingRepositoryObserved
from repository_provisioning.domain.planning import Origin, Request
from steward.errors import ConflictError, NotAllowedError, QuotaExceededError, RuleViolationError
from steward.events import EventPublisher
from steward.principals import Principal


class Mode(StrEnum):
    """What a failed push leads to."""

    REPORT = "report"
    CREATE = "create"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class FailedPush:
    """A failed push to a missing repository, as CloudTrail records it; ``pusher`` is None if it names none."""

    repository: str
    registry_id: str
    pusher: Principal | None
    described_as: str
    event_id: str


class SafetyNet:
    """Reports failed pushes, and creates what is missing where the mode and the pusher's own rule both say so.

    A right to push alone never becomes a right to create: that takes ``on_push: true`` in the house rules.
    """

    def __init__(self, provisioner: Provisioner, publisher: EventPublisher, *, mode: Mode, own_account: str) -> None:
        self._provisioner = provisioner
        self._publisher = publisher
        self._mode = mode
        self._own_account = own_account

    def catch(
        self, push: FailedPush, correlation_id: str, deadline: datetime
    ) -> PushToMissingRepositoryObserved | None:
        """Deal with one failed push; what was published of it, None where the net is off.

        Raises
        ------
        UpstreamError
            AWS failed while creating or publishing; the same event again finishes it.
        """
        if self._mode is Mode.OFF:
            return None
        outcome, rule = self._judge(push, correlation_id, deadline)
        event = PushToMissingRepositoryObserved(push.repository, push.described_as, outcome, rule, push.event_id)
        self._publisher.publish([event], correlation_id=correlation_id)
        return event

    def _judge(self, push: FailedPush, correlation_id: str, deadline: datetime) -> tuple[str, str | None]:
        """The outcome, and the rule that the repository follows or would follow."""
        if push.pusher is None or push.registry_id != self._own_account:
            return "unidentified", None
        try:
            plan = self._provisioner.plan(Request(push.repository), push.pusher)
        except (NotAllowedError, RuleViolationError):
            return "denied", None
        if self._mode is not Mode.CREATE or not plan.caller_rule.on_push:
            return "reported", plan.rule.label
        try:
            self._provisioner.ensure(Request(push.repository), Origin(push.pusher, correlation_id, deadline))
        except (ConflictError, QuotaExceededError, RuleViolationError):  # trying again would change nothing
            return "denied", plan.rule.label
        return "created", plan.rule.label
