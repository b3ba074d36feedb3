"""All of what a comparison found, in words, with a request of each of the most dangerous groups as its proof."""

from dataclasses import dataclass

from iam_policy import Comparison, Grant, Verdict, Witness, summarize, summary_in_words

#: Requests that a finding carries for each direction.
_MOST_PROOFS = 5


@dataclass(frozen=True, slots=True)
class Summary:
    """What was added and removed in words, and requests that prove it, the most dangerous first.

    ``notes`` name actions of the live policies that match nothing, such as ones with a trailing blank.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    newly_allowed: tuple[Witness, ...] = ()
    newly_denied: tuple[Witness, ...] = ()
    notes: tuple[str, ...] = ()


def summary_of(comparison: Comparison) -> Summary:
    """Everything that a comparison found; its last line says so where more could not be decided."""
    if comparison.verdict is Verdict.EQUIVALENT or len(comparison.sides) != 2:  # noqa: PLR2004 - baseline and live
        return Summary(newly_allowed=comparison.newly_allowed, newly_denied=comparison.newly_denied)
    before, now = comparison.sides
    found = summarize(before, now)
    undecided = (f"perhaps more: {found.reason}",) if found.reason else ()
    return Summary(
        (*summary_in_words(found.added), *undecided),
        summary_in_words(found.removed),
        _proofs(found.added) or comparison.newly_allowed,
        _proofs(found.removed) or comparison.newly_denied,
        now.notes,
    )


def _proofs(grants: tuple[Grant, ...]) -> tuple[Witness, ...]:
    return tuple(grant.proof for grant in grants[:_MOST_PROOFS])
