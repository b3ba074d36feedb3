"""The approved and the live state of a drift, as plain JSON values.

Alerts and acknowledgements pin the live one. A later state is compared with the pinned one: does it allow more?
The shapes:

- ACCESS: ``{"policies": {place: document}, "groups": {name: {place: document}}, "boundary": {arn: document}}``, the
  latter two where there are any; a place is ``inline:<name>`` or the ARN of a managed policy.
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
from collections.abc import Iterator, Mapping, Sequence
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


def policies_state(held: EffectivePolicies) -> Json:
    """The effective policies of a principal, part by part."""
    state: dict[str, Json] = {"policies": dict(held.own)}
    if held.groups:
        state["groups"] = {name: dict(documents) for name, documents in held.groups.items()}
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
    canonical = [{part: canonical_form(said) for part, said in _accesses(live).items()}, _value(live)]
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
        return joined(_relations(pinned, live, questions or Questions(Budget())))
    except PolicyDocumentError:
        return Verdict.UNKNOWN


def more_than(pinned: Json, live: Json) -> tuple[Witness, ...]:
    """Requests that a live state allows and an earlier one of the same finding did not; empty where none proves it."""
    questions = Questions(Budget(_OF_AN_EXAMPLE))
    try:
        return tuple(witness for one in _comparisons(pinned, live, questions) for witness in one.newly_allowed)
    except PolicyDocumentError:
        return ()


def _relations(pinned: Json, live: Json, questions: Questions) -> Iterator[Verdict]:
    yield _relation_of_values(_value(pinned), _value(live))
    yield from (one.verdict for one in _comparisons(pinned, live, questions))


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
