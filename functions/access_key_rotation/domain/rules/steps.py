"""The steps that the rules may take. Each names one effect; ``steps.py`` says who carries it out."""

from dataclasses import dataclass
from datetime import datetime

SETTLING = frozenset({"CREATING", "ORPHANED_KEY", "CURRENT_KEY_MISSING"})
"""States that wait for seconds only: the queue tries again, sooner than the schedule does."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before ``until``; ``notice`` is for people where something needs their eyes."""

    state: str
    until: datetime
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Nothing may be done until somebody has dealt with ``reason``."""

    reason: str
    state: str = "BLOCKED"


@dataclass(frozen=True, slots=True)
class Release:
    """The user is not ours, and no secret of ours is left of it: it is forgotten; ``reason`` is for who asked."""

    reason: str
    state: str = "RELEASED"


@dataclass(frozen=True, slots=True)
class ReadUsage:
    """Find out when a key was last used."""

    key_id: str


@dataclass(frozen=True, slots=True)
class ReadStanding:
    """Find out whether the user is a person or an administrator."""


@dataclass(frozen=True, slots=True)
class ReadCreator:
    """Find out whether one of our roles made a key."""

    key_id: str


@dataclass(frozen=True, slots=True)
class CreateSecret:
    """Make the secret, with a placeholder that names no key, and its tags."""


@dataclass(frozen=True, slots=True)
class RestrictReaders:
    """Put the resource policy that lets these alone read; with none, take it away."""

    principals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replicate:
    """Copy the secret to further regions."""

    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegisterBackstop:
    """Have Secrets Manager rotate the secret through this function, so often, should nobody else."""

    function: str
    days: int


@dataclass(frozen=True, slots=True)
class KeepKey:
    """Put the current key into the version that waits: it is too young for a rotation that only a schedule asks for."""

    key_id: str


@dataclass(frozen=True, slots=True)
class CreateKey:
    """Make a key and store it as AWSPENDING; ``reason`` is why."""

    reason: str


@dataclass(frozen=True, slots=True)
class DropPending:
    """Take AWSPENDING from a version that can never be promoted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Promote:
    """Move AWSCURRENT to the pending key, verified first; one that is current already must only be the same."""

    key_id: str
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class RecordPromotion:
    """Remember, and tell, that a key is current; others that were current are superseded from now on."""

    key_id: str


@dataclass(frozen=True, slots=True)
class LatchAdoption:
    """Remember that a consumer uses the current key."""

    key_id: str


@dataclass(frozen=True, slots=True)
class MarkCompromised:
    """Remember that a key has leaked, before anything is done about it."""

    key_id: str


@dataclass(frozen=True, slots=True)
class Deactivate:
    """Make a superseded key Inactive; it can be brought back."""

    key_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Publish that a key was deactivated."""

    key_id: str


@dataclass(frozen=True, slots=True)
class Accept:
    """Take a key that somebody brought back by hand as superseded from now on, and publish it."""

    key_id: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a key for good."""

    key_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Forget:
    """A key is gone: tell it, where we deleted it, and forget it."""

    key_id: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """Remember that a key looks like one of ours whose secret was lost."""

    key_id: str


type End = Wait | Block | Release
"""What ends a run."""

type Step = (
    ReadUsage | ReadStanding | ReadCreator | CreateSecret | RestrictReaders | Replicate | RegisterBackstop | KeepKey
    | CreateKey | DropPending | Promote | RecordPromotion | LatchAdoption | MarkCompromised | Deactivate | Announce
    | Accept | Delete | Forget | Suspect
)  # fmt: skip
"""What a run does, and then looks again."""

type Action = End | Step
