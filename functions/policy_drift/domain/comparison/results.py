"""What a comparison has found so far."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from iam_policy import Comparison, Verdict
from policy_drift.domain.access.live_state import fingerprint
from policy_drift.domain.account import Account, EntityId, EntityKind
from policy_drift.domain.finding import Drift, Kind
from policy_drift.domain.severity.assessment import Assessment
from steward.severities import DriftSeverities
from steward.severity import Severity


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of something that is shared does to one that has it; the digest is of what this follows from."""

    entity: EntityId
    comparison: Comparison
    assessment: Assessment
    protected: bool
    digest: str


@dataclass(slots=True)
class Results:
    """Drifts, entities that are undecided, why something could not be read, and effects by their cause."""

    severities: DriftSeverities
    found: list[Drift] = field(default_factory=list)
    undecided: set[EntityId] = field(default_factory=set)
    unread: dict[EntityId, str] = field(default_factory=dict)
    effects: defaultdict[EntityId, list[Effect]] = field(default_factory=lambda: defaultdict(list))

    def include(self, other: "Results") -> None:
        """Add what another one has found."""
        self.found += other.found
        self.undecided |= other.undecided
        self.unread = other.unread | self.unread
        for cause, effects in other.effects.items():
            self.effects[cause] += effects

    def could_not_read(self, entity: EntityId, reason: str, dependent: EntityId) -> None:
        """Something that an entity depends on was not read."""
        self.unread.setdefault(entity, reason)
        self.undecided |= {entity, dependent}

    def unreadable(self, account: Account, entities: Iterable[EntityId]) -> list[Drift]:
        """One drift for each of these entities that could not be read."""
        return [
            Drift(
                entity=entity,
                arn="",
                kind=Kind.UNREADABLE,
                verdict=Verdict.UNKNOWN,
                severity=Severity[self.severities.unreadable],
                summary=f"{entity} of account {account.id} could not be read: {self.unread[entity]}",
                fingerprint=fingerprint(self.unread[entity]),
                live=self.unread[entity],
            )
            for entity in entities
        ]

    def not_compared(self, account: Account, entities: Sequence[EntityId], deadly: EntityId | None) -> list[Drift]:
        """One drift for all entities that are left to the next scan; live is the first of them.

        The time of the run did not suffice for them, but for the ``deadly`` one, at which two scans were killed.
        """
        if not entities:
            return []
        several = f"{entities[0]} and {len(entities) - 1} others" if len(entities) > 1 else f"{entities[0]}"
        were = "were" if len(entities) > 1 else "was"
        reason = "the time of the run was over, and the next scan begins there"
        if deadly in entities:
            reason = f"two scans ended at {deadly}, and the next scan tries it again"
        return [
            Drift(
                entity=EntityId(f"{EntityKind.ACCOUNT}/{account.id}"),
                arn="",
                kind=Kind.UNREADABLE,
                verdict=Verdict.UNKNOWN,
                severity=Severity[self.severities.undecided],
                summary=f"{several} of account {account.id} {were} not compared: {reason}",
                fingerprint=fingerprint(entities[0]),
                live=entities[0],
            )
        ]
