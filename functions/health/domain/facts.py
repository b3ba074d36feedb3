"""What is read of an account, as far as the checks need it. ``None`` is always "not known"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Stack:
    """The deployed stack: CloudFormation's status, its parameters, and physical by logical ids."""

    name: str
    status: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail of CloudTrail that records in some region of the account.

    Attributes
    ----------
    logging, writes : bool or None
        Whether it is switched on, and whether it records write management events; None where neither can be read,
        as for a trail of the organization.
    """

    name: str
    home_region: str
    multi_region: bool
    logging: bool | None
    writes: bool | None

    def records(self, region: str) -> bool | None:
        """Whether write management events of a region are recorded."""
        if not self.multi_region and self.home_region != region:
            return False
        if False in {self.logging, self.writes}:
            return False
        return None if None in {self.logging, self.writes} else True


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of EventBridge, and whether it is enabled."""

    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of a topic."""

    protocol: str
    endpoint: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class CreationTemplate:
    """A repository creation template of ECR, and what it is applied for."""

    prefix: str
    applied_for: Sequence[str]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A user that AWS quarantines after a leak, and the policy that it attached."""

    user: str
    policy_arn: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its status, None where it is missing, and whether point-in-time recovery is on."""

    status: str | None
    recoverable: bool | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket's protection; ``exists`` is False for a bucket that is gone."""

    exists: bool
    versioned: bool = False
    private: bool = False
    notifies: bool = False


@dataclass(frozen=True, slots=True)
class IamEvents:
    """When IAM changed last, and when the last event of a change arrived; None for nothing in the time looked at."""

    last_change: datetime | None
    last_arrival: datetime | None
