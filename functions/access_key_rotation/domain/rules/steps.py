"""The steps that the rules may choose. Each names one effect; ``effects/take_step.py`` carries it out."""

from dataclasses import dataclass
from datetime import datetime

from access_key_rotation.domain.state import Restriction

SETTLING = frozenset({"CREATING", "ENROLLING", "ORPHANED_KEY", "CURRENT_KEY_MISSING"})
"""States that last seconds only: the queue retries them before the schedule does."""


RELEASED = "RELEASED"
"""The state of a user that is not ours."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before ``until``; ``notice`` says what a person should know."""

    state: str
    until: datetime
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Nothing may be done until a person resolves ``reason``."""

    reason: str
    state: str = "BLOCKED"


@dataclass(frozen=True, slots=True)
class Release:
    """Forget a user that is not ours and has no secret of ours; ``reason`` answers a request."""

    reason: str
    state: str = RELEASED


@dataclass(frozen=True, slots=True)
class ReadUsage:
    """Read when a key was last used."""

    key_id: str


@dataclass(frozen=True, slots=True)
class ReadStanding:
    """Read whether the user is a person, or could gain privileges."""


@dataclass(frozen=True, slots=True)
class ReadTargets:
    """Read what the targets of secret sync confirmed."""


@dataclass(frozen=True, slots=True)
class ReadCreator:
    """Read whether one of our roles created a key."""

    key_id: str


@dataclass(frozen=True, slots=True)
class CreateSecret:
    """Create the secret with its tags and a placeholder that names no key."""


@dataclass(frozen=True, slots=True)
class RestrictReaders:
    """Put the resource policy that restricts the secret like this; without readers, remove it."""

    wanted: Restriction


@dataclass(frozen=True, slots=True)
class Replicate:
    """Replicate the secret to further regions."""

    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegisterBackstop:
    """Register Secrets Manager's own rotation every ``days`` days, as a fallback."""

    function: str
    days: int


@dataclass(frozen=True, slots=True)
class KeepKey:
    """Store the current key in the pending version: it is too young for a rotation that only a schedule asks for."""

    key_id: str


@dataclass(frozen=True, slots=True)
class CreateKey:
    """Create a key and store it as AWSPENDING."""

    reason: str


@dataclass(frozen=True, slots=True)
class DropPending:
    """Remove AWSPENDING from a version that can never be promoted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Promote:
    """Verify the pending key and move AWSCURRENT to it; one that is current already needs the same value only."""

    key_id: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Restore:
    """Verify the key that AWSPREVIOUS names, and move AWSCURRENT back to it."""

    key_id: str


@dataclass(frozen=True, slots=True)
class RecordPromotion:
    """Record and publish that a key is current; keys that were current begin to drain."""

    key_id: str


@dataclass(frozen=True, slots=True)
class LatchAdoption:
    """Record that a consumer uses the current key."""

    key_id: str


@dataclass(frozen=True, slots=True)
class MarkCompromised:
    """Record a leak before anything can block the response."""

    key_id: str


@dataclass(frozen=True, slots=True)
class Deactivate:
    """Deactivate an old key; it can be reactivated."""

    key_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Publish that a key was deactivated."""

    key_id: str


@dataclass(frozen=True, slots=True)
class Accept:
    """Let a key that a person reactivated drain again, and publish it."""

    key_id: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a key permanently."""

    key_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget a key that is gone, and publish its deletion if it was ours."""

    key_id: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """Record that a key may be ours with a lost secret, or is missing."""

    key_id: str


type End = Wait | Block | Release
"""What ends a run."""

type Step = (
    ReadUsage | ReadStanding | ReadTargets | ReadCreator | CreateSecret | RestrictReaders | Replicate
    | RegisterBackstop | KeepKey | CreateKey | DropPending | Promote | Restore | RecordPromotion | LatchAdoption
    | MarkCompromised | Deactivate | Announce | Accept | Delete | Forget | Suspect
)  # fmt: skip
"""What a run does before it decides again."""

type Action = End | Step
