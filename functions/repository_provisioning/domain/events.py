"""The events that repository provisioning publishes; examples are in ``events/published/``."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RepositoryCreated:
    """A repository now exists and is completely configured. Published at least once per repository."""

    name: str
    arn: str
    uri: str
    rule: str
    requested_by: str
    session: str = ""


@dataclass(frozen=True, slots=True)
class RepositoryConfigurationChanged:
    """The rules changed since the repository was configured, and it now follows them."""

    name: str
    arn: str
    uri: str
    rule: str
    requested_by: str
    changed: list[str] = field(default_factory=list)
    session: str = ""


@dataclass(frozen=True, slots=True)
class RepositoryAdopted:
    """A repository that the steward did not create follows its rule now: all of it, or its tags (``scope``)."""

    name: str
    arn: str
    uri: str
    rule: str
    scope: str
    requested_by: str
    changed: list[str] = field(default_factory=list)
    session: str = ""


@dataclass(frozen=True, slots=True)
class RepositoryFleetScanned:
    """Every repository of the registry was compared with the rules. ``seconds`` is the time of all runs of the scan."""

    scan_id: str
    started_at: str
    repositories: int
    owners: dict[str, int]
    differing: int
    empty: int
    unreadable: int
    aws_calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RepositoryRetentionShortened:
    """The lifecycle policy of an existing repository is replaced by one that may expire or archive images sooner.

    Published before the policy is put, so that no failure between the two hides it. ``before`` and ``after`` are the
    policies' texts, ``after`` None where the repository has none any more.
    """

    name: str
    arn: str
    rule: str
    requested_by: str
    session: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class RepositoryRequestDenied:
    """A caller requested a name that the rules do not grant it."""

    name: str
    requested_by: str
    reason: str
    allowed: list[str] = field(default_factory=list)
    session: str = ""


@dataclass(frozen=True, slots=True)
class PushToMissingRepositoryObserved:
    """A push failed because the repository was never requested. ``outcome`` says what followed.

    ``outcome`` is ``reported``, ``created``, ``denied`` or ``unidentified`` (no ARN, or another registry);
    ``would_create`` is the rule that the repository would have followed, None if no rule lets the pusher create it.
    """

    name: str
    pushed_by: str
    outcome: str
    would_create: str | None
    push_event_id: str
