"""What is shown to people, in words: requests that prove a difference, and texts that others have chosen."""

from collections.abc import Sequence

from iam_policy import Witness
from iam_policy.wording import asked_in_words, ending_in_words, visible
from policy_drift.domain.account import EntityId
from policy_drift.domain.finding import Drift, Kind

HEADINGS = {
    Kind.ACCESS: "Access",
    Kind.TRUST: "Trust policy",
    Kind.BOUNDARY: "Permissions boundary",
    Kind.MEMBERSHIP: "Group membership",
    Kind.UNMANAGED: "Not in the baseline",
    Kind.MISSING: "Missing",
    Kind.RECREATED: "Deleted and recreated",
    Kind.DANGLING: "Trust in a deleted principal",
    Kind.POLICY: "Managed policy",
    Kind.UPSTREAM: "Changed by AWS",
    Kind.NOTE: "Same access, written differently",
    Kind.TRANSIENT: "Granted and reverted",
    Kind.BASELINE: "Baseline",
    Kind.CREDENTIAL: "New credential",
    Kind.PROVIDER: "Identity provider",
    Kind.FEDERATION: "Sessions into or out of the account",
    Kind.PROFILE: "Instance profile",
    Kind.TAG: "Tag that decides about access",
    Kind.UNREADABLE: "Could not be read",
}
"""What each kind of drift is called where people read it."""


def newly_possible(witness: Witness, holder: EntityId) -> str:
    """That a request is allowed now and was not, as a sentence.

    Parameters
    ----------
    witness : Witness
        The request.
    holder : EntityId
        Whose policies allow it; who asks, where the request names no principal.
    """
    return f"{_asker(witness, holder)} can now call {asked_in_words(witness)}{ending_in_words(witness)}"


def possible(drift: Drift, witness: Witness) -> str:
    """That a request of a finding became possible, as a sentence; of access that is gone, in the past."""
    if drift.kind is not Kind.TRANSIENT:
        return newly_possible(witness, drift.entity)
    return f"{_asker(witness, drift.entity)} could for a while call {asked_in_words(witness)}{ending_in_words(witness)}"


def no_longer_possible(witness: Witness, holder: EntityId) -> str:
    """That a request was allowed and is not any more, as a sentence; see `newly_possible`."""
    return f"{_asker(witness, holder)} can no longer call {asked_in_words(witness)}{ending_in_words(witness)}"


def shortened(text: str, most: int) -> str:
    """The beginning of a text, with its length where something was left out."""
    return text if len(text) <= most else f"{text[:most]}… (shortened, {len(text):,} characters)"


def listed(names: Sequence[str], most: int = 10) -> str:
    """Names in a sentence, the first of them where there are many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(visible(name) for name in names[:most]) + more


def _asker(witness: Witness, holder: EntityId) -> str:
    return visible(witness.principal or f"{holder.kind.capitalize()} {holder.name}")
