"""What a comparison has found so far."""

from collections import defaultdict
from dataclasses import dataclass, field

from iam_policy import Comparison, Verdict
from policy_drift.domain.access.live_state import fingerprint
from policy_drift.domain.account import Account, EntityId
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.severity.assessment import Assessment
from steward.severities import DriftSeverities
from steward.severity import Severity


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of something that is shared does to one that has it."""

    entity: EntityId
    comparison: Comparison
    assessment: Assessment
    protected: bool


@dataclass(slots=True)
class Results:
    """Drifts, entities that are undecided, why something could not be read, and effects by their cause."""

    severities: DriftSeverities
    found: list[Drift] = field(default_factory=list)
    undecided: set[EntityId] = field(default_factory=set)
    unread: dict[EntityId, str] = field(default_factory=dict)
    effects: defaultdict[EntityId, list[Effect]] = field(default_factory=lambda: defaultdict(list))

    def could_not_read(self, entity: EntityId, reason: str, dependent: EntityId) -> None:
        """Something that an entity depends on was not read."""
        self.unread.setdefault(entity, reason)
        self.undecided |= {entity, dependent}

    def add_unread(self, account: Account) -> None:
        """One drift for each entity that could not be read."""
        for entity, reason in self.unread.items():
            self.found.append(
                Drift(
                    entity=entity,
                    arn="",
                    kind=Kind.UNREADABLE,
                    verdict=Verdict.UNKNOWN,
                    severity=Severity[self.severities.unreadable],
                    summary=f"{entity} of account {account.id} could not be read: {reason}",
                    fingerprint=fingerprint(reason),
                    live=reason,
                )
            )
