"""Every repository of the registry against the rules, as a scan found them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from repository_provisioning.domain.adoption import Adoption
from repository_provisioning.domain.ownership import Owner

FRESH = timedelta(hours=23)
"""A complete scan of this age is not repeated by the schedule."""
STALE = timedelta(days=2)
"""A complete scan of this age is out of date: scans have failed since."""


@dataclass(frozen=True, slots=True)
class Images:
    """What is in a repository.

    ``complete`` is False where it has more images than were looked at: there may be more, and later ones.
    """

    count: int
    last_push: datetime | None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class FleetEntry:
    """One repository as a scan found it; None is what could not be read, and ``problem`` says why.

    Parameters
    ----------
    rule
        The house rule for its name; None where none matches.
    owned_by
        The owner of a foreign one, in words.
    differences, would_change
        Settings that are not as the rule says; those that a reconciliation (of ours) or an adoption would change.
    shortens_retention
        Whether images may expire sooner then.
    images, last_push
        At least so many images; the latest push, ISO 8601, of those that were looked at (``images_complete``).
    """

    name: str
    owner: Owner
    rule: str | None = None
    owned_by: str = ""
    differences: tuple[str, ...] | None = None
    would_change: tuple[str, ...] | None = None
    shortens_retention: bool | None = None
    images: int | None = None
    images_complete: bool = False
    last_push: str | None = None
    problem: str = ""

    @classmethod
    def of(cls, adoption: Adoption) -> Self:
        """An entry of what is there and what bringing it under its rule would change."""
        every = adoption.target.configuration.differences(adoption.found, adoption.details)
        return cls(
            name=adoption.found.name,
            owner=adoption.ownership.owner,
            rule=adoption.target.rule.label,
            owned_by=adoption.ownership.by,
            differences=tuple(sorted({each.setting for each in every})),
            would_change=tuple(sorted({each.setting for each in adoption.changes})),
            shortens_retention=adoption.shortens_retention,
        )

    def with_images(self, images: Images) -> Self:
        """The same, with what is in it."""
        last = images.last_push.isoformat() if images.last_push else None
        return replace(self, images=images.count, images_complete=images.complete, last_push=last)

    @property
    def empty(self) -> bool | None:
        """Whether there is no image in it."""
        return None if self.images is None else self.images == 0


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a scan, which add up over its parts."""

    repositories: int = 0
    owners: dict[str, int] = field(default_factory=dict)
    differing: int = 0
    empty: int = 0
    unreadable: int = 0
    aws_calls: int = 0
    seconds: float = 0.0

    def with_entries(self, entries: Iterable[FleetEntry], *, aws_calls: int, seconds: float) -> Self:
        """These, and a part more. ``differing`` counts ours alone."""
        part = list(entries)
        ours = {Owner.OURS, Owner.TAGS_ONLY}
        return type(self)(
            self.repositories + len(part),
            dict(sorted((Counter(self.owners) + Counter(str(entry.owner) for entry in part)).items())),
            self.differing + sum(bool(entry.would_change) for entry in part if entry.owner in ours),
            self.empty + sum(entry.empty is True for entry in part),
            self.unreadable + sum(bool(entry.problem) for entry in part),
            self.aws_calls + aws_calls,
            round(self.seconds + seconds, 2),
        )


@dataclass(frozen=True, slots=True)
class RunningScan:
    """A scan on its way: names up to ``cursor`` are in its ``parts``."""

    scan_id: str
    started_at: datetime
    cursor: str = ""
    parts: int = 0
    totals: Totals = field(default_factory=Totals)


@dataclass(frozen=True, slots=True)
class CompletedScan:
    """A scan that has seen every repository; ``as_of`` is when it ended."""

    scan_id: str
    started_at: datetime
    as_of: datetime
    parts: int
    totals: Totals

    def is_fresh(self, now: datetime) -> bool:
        """Whether the schedule leaves it at that."""
        return now - self.as_of < FRESH

    def is_stale(self, now: datetime) -> bool:
        """Whether it is older than scans should be."""
        return now - self.as_of > STALE
