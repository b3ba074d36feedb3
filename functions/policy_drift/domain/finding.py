"""What drift is, and the life of a finding. Values only; the rules of the life are in `lifecycle`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from iam_policy import Verdict, Witness
from policy_drift.domain.account import EntityId
from steward.severity import Severity


class Kind(StrEnum):
    """What differs from the baseline."""

    ACCESS = "ACCESS"
    """What a principal may do: its own and its groups' policies, within its boundary. Of a group: what it gives."""
    TRUST = "TRUST"
    """Who may assume a role."""
    BOUNDARY = "BOUNDARY"
    """What a principal's permissions boundary leaves."""
    MEMBERSHIP = "MEMBERSHIP"
    """Which groups a user is in, where the groups matter."""
    UNMANAGED = "UNMANAGED"
    """It is in the account and not in the baseline."""
    MISSING = "MISSING"
    """It is in the baseline and not in the account."""
    RECREATED = "RECREATED"
    """The same name, another unique id: it was deleted and made anew."""
    DANGLING = "DANGLING"
    """A trust policy names the unique id of a principal that was deleted."""
    POLICY = "POLICY"
    """A managed policy differs that several have, or that is not attached and gives nothing yet."""
    UPSTREAM = "UPSTREAM"
    """AWS changed a policy of its own that is attached."""
    NOTE = "NOTE"
    """Written otherwise, and the same access: statements moved between policies, say. No drift of access."""
    TRANSIENT = "TRANSIENT"
    """Access was given and taken back before we looked."""
    BASELINE = "BASELINE"
    """The baseline itself was changed, is missing, or was refused."""
    CREDENTIAL = "CREDENTIAL"
    """A key, password or certificate was made for a user, or its MFA device removed or added."""
    PROVIDER = "PROVIDER"
    """An identity provider was made, or its metadata, audiences or thumbprints were changed."""
    FEDERATION = "FEDERATION"
    """The account lets root sessions in, or its identities out to other services."""
    PROFILE = "PROFILE"
    """A role was put into an instance profile: the instances that have it get the role."""
    TAG = "TAG"
    """A principal has another tag by which policies decide about access."""
    UNREADABLE = "UNREADABLE"
    """It could not be read, so that nothing is known."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between the live account and the baseline, as one comparison found it.

    Attributes
    ----------
    entity : EntityId
        The entity that differs.
    arn : str
        The entity's ARN; empty where there is none.
    kind : Kind
        What differs. Entity and kind together are the id of the finding.
    verdict : Verdict
        What live is to the baseline.
    severity : Severity
        From what became newly possible.
    summary : str
        One sentence.
    reasons : tuple of str
        Why it is as severe as it is, most severe first: escalation paths by name, everyone trusted, and so on.
    added, removed : tuple of str
        All of the access that differs, in words, the most dangerous first; the last line counts what is left out.
    newly_allowed, newly_denied : tuple of Witness
        Requests that prove it: one of each of the most dangerous groups of actions.
    approved, live : JSON value
        What is compared, as the baseline has it and as the account has it; None where it has nothing.
    fingerprint : str
        Of ``live``, in canonical form: another spelling of the same access has the same one.
    protected : bool
        Belongs to AWS (a service-linked or an AWSReservedSSO role): it never gets commands to revert it.
    holders : int
        How many principals feel the change of a policy that several have; 0 for what is not shared.
    dependent_digests : mapping of str to str
        Digests of what the dependents of a shared change had and have, by the parts in which they are kept.
    """

    entity: EntityId
    arn: str
    kind: Kind
    verdict: Verdict
    severity: Severity
    summary: str
    fingerprint: str
    reasons: tuple[str, ...] = ()
    newly_allowed: tuple[Witness, ...] = ()
    newly_denied: tuple[Witness, ...] = ()
    approved: Any = None
    live: Any = None
    protected: bool = False
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    holders: int = 0
    dependent_digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def finding_id(self) -> str:
        """The id of the finding that this opens or continues; safe in a URL's path."""
        return f"{self.kind.lower()}:{self.entity.replace('/', ':', 1)}"


class State(StrEnum):
    """Of a finding."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"


class Ending(StrEnum):
    """What ended it."""

    REVERTED = "reverted"
    ADOPTED = "adopted"
    RENAMED = "renamed"
    """What differs is reported under the new name."""
    MERGED = "merged"
    """What differs is reported once, for the policy that several have."""
    OUT_OF_SCOPE = "out_of_scope"
    """The settings exclude it now: whether it differs is unknown."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event of CloudTrail that explains a finding. Every text in it was chosen by the caller.

    ``part`` is the part of the entity that the call changed, such as ``inline policy own``; empty for the whole.
    ``expected`` says that the settings expected the actor when the event came.
    """

    event_id: str
    event_name: str
    actor: str
    at: datetime
    source_ip: str = ""
    user_agent: str = ""
    part: str = ""
    expected: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An owner accepts it until a day, in the form that ``fingerprint`` pins."""

    by: str
    owner: str
    reason: str
    fingerprint: str
    given: datetime
    expires: datetime
    session: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A drift that lasts, with its life.

    ``first_seen``, ``last_seen`` and ``resolved_at`` are when reading the account began that showed it so.
    ``changes`` are the events that explain it, the latest first; empty where no event announced it. ``expected`` says
    that all of them are of actors that the settings expect. ``alerted_severity``, ``alerted_fingerprint`` and
    ``alerted_live`` are those of the last alert or acknowledgement: only what is worse is alerted again.
    ``named`` are the actors that its alerts have named; None where that was not recorded. ``settled`` are the ids of
    events of what was reverted or adopted before.
    ``ended`` is how it was resolved; None while it lasts, and where it ended before that was recorded.
    """

    drift: Drift
    state: State
    first_seen: datetime
    last_seen: datetime
    alerted_at: datetime | None = None
    alerted_severity: Severity | None = None
    alerted_fingerprint: str = ""
    alerted_live: Any = None
    changes: tuple[Change, ...] = ()
    expected: bool = False
    named: tuple[str, ...] | None = None
    settled: tuple[str, ...] = ()
    announced: bool = True
    acknowledgement: Acknowledgement | None = None
    severities: tuple[tuple[datetime, Severity], ...] = ()
    resolved_at: datetime | None = None
    ended: Ending | None = None

    @property
    def id(self) -> str:
        """Entity and kind."""
        return self.drift.finding_id

    @property
    def read_at(self) -> datetime:
        """When the account was read that shows it as it stands here."""
        return max(self.last_seen, self.resolved_at or self.last_seen)

    @property
    def is_unread(self) -> bool:
        """Whether it stands in for a record that could not be read: nothing of it was alerted yet."""
        return self.state is not State.RESOLVED and self.alerted_severity is None


_UNKNOWN_SINCE = datetime.fromtimestamp(0, UTC)


def unread(severity: Severity, finding_id: str, reason: str) -> Finding | None:
    """What stands in for the record of a finding that cannot be read: open, for a reason, until a run looks again.

    None for an id that no finding has.
    """
    kind, _, entity = finding_id.partition(":")
    try:
        drift = Drift(
            entity=EntityId(entity.replace(":", "/", 1)),
            arn="",
            kind=Kind(kind.upper()),
            verdict=Verdict.UNKNOWN,
            severity=severity,
            summary=f"The record of this finding cannot be read ({reason}): what was found is not known.",
            fingerprint="unread",
        )
    except ValueError:
        return None
    return Finding(drift, State.OPEN, _UNKNOWN_SINCE, _UNKNOWN_SINCE)
