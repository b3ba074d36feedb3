"""The life of a finding: when it needs an alert, and when it is over.

One alert when it opens or gets worse, one if an actor was missing from it, one when it is resolved. "Worse" is measured
against what was alerted or acknowledged last: a higher severity, or a live state that is not contained in the one that
was pinned then. What could not be decided neither opens nor resolves anything.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from iam_policy import Verdict
from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.finding import Acknowledgement, Change, Drift, Ending, Finding, Kind, State
from steward.errors import NotFoundError, PreconditionFailedError, RuleViolationError
from steward.principals import Principal

Relation = Callable[[Kind, Any, Any], Verdict]
"""What one live state is to another of the same kind."""

MOST_CHANGES = 20
"""Events that a finding keeps and an alert carries: of each actor the latest, then the latest of all."""
MOST_NAMED = 100
"""Actors of one finding that are alerted: who makes more users to act with makes no more alerts."""
MOST_SETTLED = 60
"""Events of its earlier lives that a finding remembers."""
LONGEST_ACKNOWLEDGEMENT = timedelta(days=366)
LASTING = frozenset({Kind.TRANSIENT})
"""Kinds that report something that is over already: absence from the account does not resolve them."""

_NEVER_CONTAINED = frozenset({Kind.TRANSIENT, Kind.BASELINE})
"""Kinds whose live states are no access: a different one always needs an alert."""


class Why(StrEnum):
    """What makes a finding worth an alert."""

    OPENED = "opened"
    WORSE = "worse"
    CHANGED = "changed"
    REOPENED = "reopened"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The events behind a drift. ``announced`` is False if the history was searched and has no event of a change."""

    changes: tuple[Change, ...] = ()
    announced: bool = True

    @property
    def unexpected(self) -> tuple[Change, ...]:
        """Those of actors that the settings do not expect."""
        return tuple(change for change in self.changes if not change.expected)

    @property
    def expected(self) -> bool:
        """Whether there are events, all of them of expected actors."""
        return bool(self.changes) and not self.unexpected


def of_this_life(known: Finding | None, explanation: Explanation) -> Explanation:
    """The events without those of what was reverted or adopted before."""
    if known is None:
        return explanation
    changes = tuple(change for change in explanation.changes if change.event_id not in known.settled)
    return replace(explanation, changes=changes)


def reason_to_alert(known: Finding | None, drift: Drift, now: datetime, relation: Relation) -> Why | None:
    """Why a drift that is there now needs an alert; None if an earlier alert covers it."""
    if known is None:
        return Why.OPENED
    if known.state is State.RESOLVED:
        return Why.REOPENED
    if known.alerted_severity is None or drift.severity > known.alerted_severity:
        return Why.WORSE
    if drift.fingerprint != known.alerted_fingerprint and (
        drift.kind in _NEVER_CONTAINED or relation(drift.kind, known.alerted_live, drift.live) in MAY_BE_MORE
    ):
        return Why.CHANGED
    if known.state is State.ACKNOWLEDGED and known.acknowledgement and known.acknowledgement.expires <= now:
        return Why.REOPENED
    return None


def missing_from_alert(known: Finding, explanation: Explanation) -> tuple[Change, ...]:
    """The unexpected changes, one of each actor, that the alert of a finding should have named, and did not.

    It called all actors expected, and one is not: an acknowledgement does not prevent the next alert, because it was
    given for the change of an expected actor. Or it named others or none, and one more had acted before it was
    published: the events of two people came to two checks. Who acts later has an alert if the access grows.
    """
    if known.state is State.RESOLVED or known.alerted_at is None:
        return ()
    if not known.expected and (known.state is State.ACKNOWLEDGED or len(_named(known)) >= MOST_NAMED):
        return ()
    return _last_of_each(one for one in explanation.unexpected if is_missing(known, one))


def is_missing(known: Finding, change: Change) -> bool:
    """Whether the alert of a finding should have named the actor of a change, and did not."""
    if change.expected or known.alerted_at is None or change.event_id in known.settled:
        return False
    return known.expected or (change.at <= known.alerted_at and principal_of(change) not in _named(known))


def with_its_actor_alerted(findings: Collection[Finding], change: Change) -> list[Finding]:
    """The findings of an entity, without those that are over and lack the actor of a change in their alerts.

    An alert about access that was gone names the actor for all of them.
    """
    if any(known.drift.kind is Kind.TRANSIENT and _is_named(known, change) for known in findings):
        return list(findings)
    return [known for known in findings if not _ended_without(known, change)]


def _ended_without(known: Finding, change: Change) -> bool:
    """Whether a finding is over, or called all actors expected, and no alert of it named the actor of a change.

    An acknowledgement that held until the end covers everyone.
    """
    if known.expected:
        return is_missing(known, change)
    is_covered = known.acknowledgement is not None or _is_named(known, change)
    return known.state is State.RESOLVED and not is_covered and is_missing(known, change)


def alerted(known: Finding | None, drift: Drift, explanation: Explanation, now: datetime, read_at: datetime) -> Finding:
    """The finding after an alert: open, pinned to the alerted state, without an acknowledgement."""
    before = known if known and known.state is not State.RESOLVED else None
    severities = before.severities if before else ()
    if not severities or severities[-1][1] is not drift.severity:
        severities = (*severities, (now, drift.severity))
    named = _named(before) if before else ()
    news = _last_of_each(change for change in explanation.unexpected if principal_of(change) not in named)
    changes = _joined(explanation.changes, before.changes if before else (), first=news)
    return Finding(
        drift=drift,
        state=State.OPEN,
        first_seen=before.first_seen if before else read_at,
        last_seen=read_at,
        alerted_at=now,
        alerted_severity=drift.severity,
        alerted_fingerprint=drift.fingerprint,
        alerted_live=drift.live,
        changes=changes,
        expected=explanation.expected and (before.expected if before and before.changes else True),
        named=_names(changes, named),
        settled=known.settled if known else (),
        announced=explanation.announced,
        severities=severities,
    )


def alerted_again(
    known: Finding,
    drift: Drift,
    explanation: Explanation,
    missing: Collection[Change],
    now: datetime,
    read_at: datetime,
) -> Finding:
    """The finding after an alert about the same state that names the actors who were missing from the one before."""
    changes = _joined(explanation.changes, known.changes, first=missing)
    return replace(
        seen(known, drift, explanation, read_at),
        state=State.OPEN,
        acknowledgement=None,
        alerted_at=now if known.expected else known.alerted_at,
        changes=changes,
        expected=False,
        named=_names(changes, _named(known)),
    )


def seen(known: Finding, drift: Drift, explanation: Explanation, read_at: datetime) -> Finding:
    """The finding after a check that found nothing worth an alert; what is known of who did it grows."""
    severities = known.severities
    if severities and severities[-1][1] is not drift.severity:
        severities = (*severities, (read_at, drift.severity))
    changes = _joined(explanation.changes, known.changes)
    new = changes != known.changes
    return replace(
        known,
        drift=drift,
        last_seen=read_at,
        severities=severities,
        changes=changes,
        expected=(known.expected or not known.changes) and explanation.expected if new else known.expected,
        named=_named(known),
        announced=bool(changes) or (known.announced and explanation.announced),
    )


def in_order_of_news(finding: Finding, known: Finding | None) -> list[Change]:
    """The changes of a finding in the order of an alert.

    First those that the alert before should have named, then the last call of each actor, unexpected ones first.
    """
    last = _last_of_each(finding.changes)
    return sorted(
        finding.changes,
        key=lambda change: (known is None or not is_missing(known, change), change not in last, change.expected),
    )


def is_over(known: Finding, now: datetime) -> bool:
    """Whether a finding is resolved when its drift was looked for and not found."""
    if known.state is State.RESOLVED:
        return False
    if known.drift.kind in LASTING:
        return known.acknowledgement is not None and known.acknowledgement.expires <= now
    return True


def resolved(known: Finding, read_at: datetime, how: Ending, events: Explanation) -> Finding:
    """The finding, over. Its events and those that ended it explain nothing that comes later.

    An acknowledgement stays: it covers actors whose events come now.
    """
    ended = (*events.changes, *known.changes) if how in {Ending.REVERTED, Ending.ADOPTED} else ()
    settled = (*(change.event_id for change in ended), *known.settled)[:MOST_SETTLED]
    return replace(known, state=State.RESOLVED, resolved_at=read_at, ended=how, settled=settled)


def at(known: Finding, now: datetime) -> Finding:
    """The finding as it counts at a moment: an expired acknowledgement holds no longer, before any run sees it."""
    is_expired = known.acknowledgement is not None and known.acknowledgement.expires <= now
    return replace(known, state=State.OPEN) if is_expired and known.state is State.ACKNOWLEDGED else known


def acknowledged(known: Finding, acknowledgement: Acknowledgement) -> Finding:
    """The finding, acknowledged in its current form.

    Raises
    ------
    NotFoundError
        It is resolved: there is nothing to acknowledge.
    RuleViolationError
        It says too little, ends in the past or too late, or is about the baseline, which cannot be acknowledged.
    PreconditionFailedError
        It pins another state than the live one.
    """
    if known.state is State.RESOLVED:
        raise NotFoundError(f"{known.id} is resolved; there is nothing to acknowledge")
    if known.drift.kind is Kind.BASELINE:
        raise RuleViolationError("what happens to the baseline cannot be acknowledged: put a good one in its place")
    for field, value in (("reason", acknowledgement.reason), ("owner", acknowledgement.owner)):
        if not value.strip():
            raise RuleViolationError(f"{field} is empty: say why it may stay, and who answers for it")
    if acknowledgement.expires <= acknowledgement.given:
        raise RuleViolationError(f"expires is in the past: {acknowledgement.expires.isoformat()}")
    if acknowledgement.expires - acknowledgement.given > LONGEST_ACKNOWLEDGEMENT:
        raise RuleViolationError("expires is more than a year from now; adopt what is to stay for ever")
    if acknowledgement.fingerprint != known.drift.fingerprint:
        raise PreconditionFailedError(
            f"{known.id} has changed since: its fingerprint is {known.drift.fingerprint} now; read it again"
        )
    return replace(
        known,
        state=State.ACKNOWLEDGED,
        acknowledgement=acknowledgement,
        alerted_severity=known.drift.severity,
        alerted_fingerprint=known.drift.fingerprint,
        alerted_live=known.drift.live,
    )


def latest_changes(changes: Iterable[Change], most: int, first: Collection[Change] = ()) -> tuple[Change, ...]:
    """As many changes as ``most``, the latest first: the ``first`` are kept before others, then the last of each actor.

    A limit must not hide an actor behind many calls of another, nor an unexpected one behind many that are expected.
    Sessions of one role are one actor: everyone who may assume it chooses their names.
    """
    latest_first = sorted(changes, key=_in_time, reverse=True)
    last = _last_of_each(latest_first)
    kept = sorted(latest_first, key=lambda change: (change not in first, change not in last, change.expected))[:most]
    return tuple(sorted(kept, key=latest_first.index))


def principal_of(change: Change) -> str:
    """The actor, without its session; other texts as they are."""
    try:
        return str(Principal.from_arn(change.actor))
    except ValueError:
        return change.actor


def _in_time(change: Change) -> tuple[datetime, str]:
    return change.at, change.event_id


def _last_of_each(changes: Iterable[Change]) -> tuple[Change, ...]:
    return tuple({principal_of(change): change for change in sorted(changes, key=_in_time)}.values())


def _names(changes: Iterable[Change], besides: Iterable[str] = ()) -> tuple[str, ...]:
    return tuple(sorted({*besides, *map(principal_of, changes)}))


def _named(known: Finding) -> tuple[str, ...]:
    """The actors who were named; in a record that does not say so, everyone who stands at it."""
    return _names(known.changes) if known.named is None else known.named


def _is_named(known: Finding, change: Change) -> bool:
    named = _named(known)
    return principal_of(change) in named or len(named) >= MOST_NAMED


def _joined(new: tuple[Change, ...], old: tuple[Change, ...], first: Collection[Change] = ()) -> tuple[Change, ...]:
    """Both without repetitions."""
    return latest_changes({change.event_id: change for change in (*old, *new)}.values(), MOST_CHANGES, first)
