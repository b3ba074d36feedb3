"""The approved and the live state of a drift, as plain JSON values.

Alerts and acknowledgements pin the live one. A later state is compared with the pinned one: does it allow more?
The shapes:

- ACCESS: ``{"policies": {place: document}, "groups": {name: {place: document}}, "boundary": {arn: document}}``, the
  latter two where there are any; a place is ``inline:<name>`` or the ARN of a managed policy. ``shared`` lists the
  policies whose changes are reported by themselves: what they say is no part of this finding.
- UNMANAGED: the same with ``unique_id``; of a role with ``trust``; of a user with the names of its
  ``privileged_groups``, if any.
- RECREATED: ``{"unique_id": id}``; what else differs is a finding of its own.
- BOUNDARY: ``{"boundary": {arn: document}}``, or empty without one.
- TRUST, POLICY, UPSTREAM, and UNMANAGED of a policy: the document.
- MEMBERSHIP, DANGLING: names of groups, unique ids. NOTE: what is noted. UNREADABLE: why; of the account,
  the first entity that is left. MISSING: None.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from iam_policy import (
    Access,
    Budget,
    Comparison,
    PolicyDocumentError,
    Verdict,
    Witness,
    canonical_form,
)
from policy_drift.domain.access.effective_policies import EffectivePolicies, access
from policy_drift.domain.access.reading import EVERYTHING, NOTHING, read, together
from policy_drift.domain.access.verdicts import joined
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import Entity, Role
from policy_drift.domain.finding import Kind

Json = Any

_OF_AN_EXAMPLE = 200_000
"""Steps that the search for an example may take; the alert is right without one."""


def policies_state(held: EffectivePolicies, shared: Collection[str] = frozenset()) -> Json:
    """The effective policies of a principal, part by part; ``shared`` are those that are reported by themselves."""
    state: dict[str, Json] = {"policies": dict(held.own)}
    if held.groups:
        state["groups"] = {name: dict(documents) for name, documents in held.groups.items()}
    if shared:
        state["shared"] = sorted(shared)
    return state | boundary_state(held)


def boundary_state(held: EffectivePolicies) -> Json:
    """The permissions boundary."""
    return {"boundary": dict(held.boundary)} if held.boundary else {}


def entity_state(entity: Entity, held: EffectivePolicies, privileged_groups: Sequence[str] = ()) -> Json:
    """A user, group or role as a whole."""
    state = {"unique_id": entity.unique_id, **policies_state(held)}
    if privileged_groups:
        state["privileged_groups"] = list(privileged_groups)
    return state | {"trust": entity.trust} if isinstance(entity, Role) else state


def fingerprint(live: Json) -> str:
    """SHA-256 of a live state; the same for every spelling of the same policies.

    Raises
    ------
    PolicyDocumentError
        A document in it is malformed.
    """
    own = without_shared(live)
    canonical = [{part: canonical_form(said) for part, said in _accesses(own).items()}, _value(live)]
    canonical += [live["shared"]] if own is not live else []
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def relation(kind: Kind, pinned: Json, live: Json, questions: Questions | None = None) -> Verdict:
    """Compare ``Drift.live`` with that of an earlier comparison of the same finding.

    Parameters
    ----------
    kind : Kind
        Of the finding.
    pinned, live : JSON value
        The state of the last alert or acknowledgement, and the current one.
    questions : Questions, optional
        How much work to do; what it does not decide is UNKNOWN.

    Returns
    -------
    Verdict
        BROADENED, INCOMPARABLE and UNKNOWN say that there may be more now than was known.
    """
    if pinned == live or kind in {Kind.NOTE, Kind.UNREADABLE}:
        return Verdict.EQUIVALENT
    try:
        return joined(_relations(kind, _with_shared_of(live, pinned), live, questions or Questions(Budget())))
    except PolicyDocumentError:
        return Verdict.UNKNOWN


def more_than(pinned: Json, live: Json) -> tuple[Witness, ...]:
    """Requests that a live state allows and an earlier one of the same finding did not; empty where none proves it."""
    questions = Questions(Budget(_OF_AN_EXAMPLE))
    before = _with_shared_of(live, pinned)
    try:
        return tuple(witness for one in _comparisons(before, live, questions) for witness in one.newly_allowed)
    except PolicyDocumentError:
        return ()


def without_shared(state: Json) -> Json:
    """A state without the documents of policies that are reported by themselves; ``shared`` names them."""
    shared = state.get("shared") if isinstance(state, Mapping) else None
    if not shared:
        return state
    return _with_documents(state, lambda arn, document: None if arn in shared else document)


def takes_over(state: Json, arn: str) -> bool:
    """Whether a state has a managed policy as its own, so that its change is a part of the finding."""
    if not isinstance(state, Mapping) or arn in state.get("shared", ()):
        return False
    parts = [state.get("policies", {}), state.get("boundary", {}), *state.get("groups", {}).values()]
    return any(arn in part for part in parts)


def _with_shared_of(live: Json, pinned: Json) -> Json:
    """The pinned state, with the live documents of policies that are reported by themselves in both."""
    if not isinstance(live, Mapping) or not isinstance(pinned, Mapping):
        return pinned
    shared = {*live.get("shared", ()), *pinned.get("shared", ())}
    if not shared:
        return pinned
    parts = [live.get("policies", {}), live.get("boundary", {}), *live.get("groups", {}).values()]
    now = {arn: document for part in parts for arn, document in part.items() if arn in shared}
    return _with_documents(pinned, now.get)


def _with_documents(state: Json, put: Callable[[str, Json], Json | None]) -> Json:
    """A state with other documents in place of its own; None leaves one out."""

    def other(documents: Mapping[str, Json]) -> dict[str, Json]:
        changed = {place: put(place, document) for place, document in documents.items()}
        return {place: document for place, document in changed.items() if document is not None}

    parts: dict[str, Json] = {part: other(state[part]) for part in ("policies", "boundary") if part in state}
    if "groups" in state:
        parts["groups"] = {name: other(documents) for name, documents in state["groups"].items()}
    return {**state, **parts}


def _relations(kind: Kind, pinned: Json, live: Json, questions: Questions) -> Iterator[Verdict]:
    yield _relation_of_values(_value(pinned), _value(live))
    yield from (one.verdict for one in _comparisons(pinned, live, questions))
    if kind in {Kind.POLICY, Kind.UPSTREAM} and pinned and live:
        # What a policy denies counts, too: it is compared as of a holder that may do everything.
        before, now = (together([EVERYTHING, read(document)]) for document in (pinned, live))
        yield questions.compare(before, now).verdict


def _comparisons(pinned: Json, live: Json, questions: Questions) -> Iterator[Comparison]:
    before, now = _accesses(pinned), _accesses(live)
    for part in {**before, **now}:
        neutral = EVERYTHING if part == "boundary" else NOTHING
        yield questions.compare(before.get(part, neutral), now.get(part, neutral))


def _relation_of_values(pinned: Json, live: Json) -> Verdict:
    """Of lists by what is in them; a value is a list of one."""
    if pinned == live:
        return Verdict.EQUIVALENT
    before, now = ({*value} if isinstance(value, list) else {value} for value in (pinned, live))
    if before < now:
        return Verdict.BROADENED
    return Verdict.NARROWED if now < before else Verdict.INCOMPARABLE


def _accesses(state: Json) -> dict[str, Access]:
    """The access of the policies in a state, by part."""
    if not isinstance(state, Mapping):
        return {}
    if "Statement" in state:
        return {"document": read(state)}
    accesses: dict[str, Access] = {}
    if "policies" in state:
        held = EffectivePolicies(state["policies"], state.get("groups", {}), state.get("boundary", {}))
        accesses["access"] = access(held)
    elif "boundary" in state:
        accesses["boundary"] = together([read(document) for document in state["boundary"].values()])
    if "trust" in state:
        accesses["trust"] = read(state["trust"])
    return accesses


def _value(state: Json) -> Json:
    """The parts of a state that are no policies."""
    if isinstance(state, Mapping):
        unique_id, groups = state.get("unique_id"), state.get("privileged_groups", [])
        return [unique_id, *sorted(groups)] if groups else unique_id
    return sorted(state) if isinstance(state, list) else state
