"""What is shown to people, in words: requests that prove a difference, and texts that others have chosen."""

from collections.abc import Sequence

from policy_drift.domain.account import EntityId
from policy_drift.domain.finding import Kind
from policy_drift.domain.language import Witness

HEADINGS = {
    Kind.ACCESS: "Access",
    Kind.TRUST: "Trust policy",
    Kind.BOUNDARY: "Permissions boundary",
    Kind.MEMBERSHIP: "Group membership",
    Kind.UNMANAGED: "Not in the baseline",
    Kind.MISSING: "Missing",
    Kind.RECREATED: "Deleted and recreated",
    Kind.DANGLING: "Trust in a deleted principal",
    Kind.POLICY: "Unattached policy",
    Kind.UPSTREAM: "Changed by AWS",
    Kind.NOTE: "Same access, written differently",
    Kind.TRANSIENT: "Granted and reverted",
    Kind.BASELINE: "Baseline",
    Kind.UNREADABLE: "Could not be read",
}
"""What each kind of drift is called where people read it."""


def in_words(witness: Witness) -> str:
    """A request as a sentence that a person can check."""
    who = f"{visible(witness.principal)} calls " if witness.principal else ""
    return f"{who}{_asked(witness)}{_ending(witness)}"


def newly_possible(witness: Witness, holder: EntityId) -> str:
    """That a request is allowed now and was not, as a sentence.

    Parameters
    ----------
    witness : Witness
        The request.
    holder : EntityId
        Whose policies allow it; who asks, where the request names no principal.
    """
    return f"{_asker(witness, holder)} can now call {_asked(witness)}{_ending(witness)}"


def no_longer_possible(witness: Witness, holder: EntityId) -> str:
    """That a request was allowed and is not any more, as a sentence; see `newly_possible`."""
    return f"{_asker(witness, holder)} can no longer call {_asked(witness)}{_ending(witness)}"


def visible(text: str) -> str:
    r"""A text on one line in which nothing is invisible.

    Line ends, control characters and those that reverse the direction of reading become ``\uXXXX``: what others have
    chosen can then neither hide, nor begin a new line or header, nor steer a terminal.
    """
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def shortened(text: str, most: int) -> str:
    """The beginning of a text, with its length where something was left out."""
    return text if len(text) <= most else f"{text[:most]}… (shortened, {len(text):,} characters)"


def listed(names: Sequence[str], most: int = 10) -> str:
    """Names in a sentence, the first of them where there are many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(visible(name) for name in names[:most]) + more


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the end of the basic plane


def _asker(witness: Witness, holder: EntityId) -> str:
    return visible(witness.principal or f"{holder.kind.capitalize()} {holder.name}")


def _asked(witness: Witness) -> str:
    words = f"{visible(witness.action)} on {visible(witness.resource)}"
    if witness.context:
        values = (f"{visible(key)} = {_value_in_words(value)}" for key, value in sorted(witness.context.items()))
        words += f", with {', '.join(values)}"
    return words


def _ending(witness: Witness) -> str:
    return " (an action that is not known today)." if witness.future_only else "."


def _value_in_words(value: object) -> str:
    return " and ".join(map(repr, value)) if isinstance(value, tuple | list) else repr(value)
