"""What the checks need to read. Every method raises AccessDeniedError with the IAM action as its code if it may not.

Any other failure of AWS is an UpstreamError. Nothing here changes anything.
"""

from collections.abc import Sequence
from typing import Protocol

from health.domain.facts import (
    Bucket,
    CreationTemplate,
    IamEvents,
    Quarantine,
    Rule,
    Stack,
    Subscription,
    Table,
    Trail,
)


class StackReader(Protocol):
    """Reads what CloudFormation and CloudWatch know of the stack."""

    def stack(self) -> Stack:
        """The stack and its resources. Raises NotFoundError."""
        ...

    def raised_alarms(self) -> Sequence[str]:
        """Names of the stack's alarms in the state ALARM."""
        ...


class TrailReader(Protocol):
    """Reads how events reach the stack."""

    def trails(self) -> Sequence[Trail]:
        """All trails that record in the home region or in us-east-1, each once."""
        ...

    def forwarding_rules(self, bus_arn: str) -> Sequence[Rule]:
        """The rules of us-east-1 that have the bus as their target."""
        ...

    def iam_events(self, queue_name: str) -> IamEvents:
        """The last change of IAM, and the last arrival in the queue of changes, of the last 14 days."""
        ...


class ChannelReader(Protocol):
    """Reads who hears of what."""

    def subscriptions(self, topic_arn: str) -> Sequence[Subscription]:
        """All of a topic."""
        ...

    def messages(self, queue_url: str) -> int:
        """How many messages a queue holds, about."""
        ...

    def security_hub_enabled(self) -> bool:
        """Whether Security Hub is enabled in the home region."""
        ...


class StorageReader(Protocol):
    """Reads how tables and buckets are protected."""

    def table(self, name: str) -> Table:
        """A table, also one that is gone."""
        ...

    def bucket(self, name: str, owner: str) -> Bucket:
        """A bucket, also one that is gone."""
        ...


class RegistryReader(Protocol):
    """Reads what acts beside the steward."""

    def creation_templates(self) -> Sequence[CreationTemplate]:
        """All repository creation templates of the registry."""
        ...

    def quarantines(self) -> Sequence[Quarantine]:
        """All users of the account that AWS quarantines."""
        ...


class SettingsReader(Protocol):
    """Reads the settings in force."""

    def secret_readers(self) -> Sequence[str]:
        """Principals that may read secrets, for all users. Raises SettingsError."""
        ...

    def warnings(self) -> Sequence[str] | None:
        """What the settings check warns of; None where it cannot be made."""
        ...
