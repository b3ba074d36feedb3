"""How a drift is approved: the call that adopts it, and what that changes in the baseline."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.account import Account, EntityId, EntityKind, Role
from policy_drift.domain.baseline import NOT_ADOPTABLE, Adoption, adopted
from policy_drift.domain.beside_policies import KINDS as BESIDE_POLICIES
from policy_drift.domain.comparison.counterparts import counterpart
from policy_drift.domain.dependents import managed_policies_of, shared_policies
from policy_drift.domain.finding import Drift
from policy_drift.domain.scope import Scope

type PatchStep = dict[str, Any]
"""One operation of a JSON Patch (RFC 6902)."""

ROUTE = "POST /drift/baseline/adoptions"
_MOST_SUMMARIES = 5
_SECTIONS = ("policies", "users", "groups", "roles")


def adoption_of(drift: Drift) -> dict[str, Any]:
    """The body of the call that adopts it in the form that was seen, and in no other; empty where none can."""
    if drift.kind in NOT_ADOPTABLE:
        return {}
    return {"findings": [{"id": drift.finding_id, "fingerprint": drift.fingerprint}]}


def accepted_in_words(drifts: Sequence[Drift]) -> str:
    """What adopting these takes into the baseline, counted; the access itself is in their ``added`` and ``removed``."""
    added, removed = (_counted(one.added for one in drifts), _counted(one.removed for one in drifts))
    findings = f"{len(drifts)} {'finding' if len(drifts) == 1 else 'findings'}"
    if not any(one.added or one.removed for one in drifts):
        access = "access that is not listed" if any(one.verdict in MAY_BE_MORE for one in drifts) else "no access"
        return f"{findings}, and {access}: {' '.join(one.summary for one in drifts[:_MOST_SUMMARIES])}".removesuffix(
            "."
        )
    return f"{findings}, with all of the access that is listed: {added} added, {removed} removed"


def _counted(lists: Iterable[Sequence[str]]) -> str:
    """How many lines there are; what the last one of a list counts instead of listing it is said beside."""
    lines = [line for listed in lists for line in listed]
    beyond = [line for line in lines if line.startswith("and ")]
    number = len(lines) - len(beyond)
    return ", ".join(
        (f"{number} {'line' if number == 1 else 'lines'}", *(line.removeprefix("and ") for line in beyond))
    )


def in_one_line(drift: Drift) -> str:
    """The same as a text; empty where it cannot be adopted."""
    body = adoption_of(drift)
    return f"{ROUTE} {json.dumps(body)}" if body else ""


def baseline_patch(
    drift: Drift, approved: Account, live: Account, shared: frozenset[str] | None = None
) -> list[PatchStep]:
    """What an adoption changes in the account of the baseline file, as a JSON Patch (RFC 6902).

    Empty where the drift cannot be adopted, or nothing of it was read. ``shared`` is `shared_policies` of the baseline,
    to be given for many drifts, since it looks at every principal.
    """
    if drift.kind in NOT_ADOPTABLE:
        return []
    shared = shared_policies(approved, Scope()) if shared is None else shared
    approved, live = _touched(drift.entity, approved, live)
    wanted = adopted(approved, live, Adoption.of([drift], shared))
    if drift.kind in BESIDE_POLICIES:
        return _patch_beside(approved.beside, wanted.beside)
    return [
        step
        for section in _SECTIONS
        for key, before, after in _differing(getattr(approved, section), getattr(wanted, section))
        for step in _changes(_pointer("", section, key), before, after)
    ]


def _touched(entity: EntityId, approved: Account, live: Account) -> tuple[Account, Account]:
    """Of a role, all that its adoption may touch, itself and its policies: accounts have thousands. Else everything."""
    if entity.kind is not EntityKind.ROLE:
        return approved, live
    now = live.roles.get(entity.name)
    before = approved.roles.get(entity.name) if now is None else counterpart(approved.roles, now)
    arns = {arn for role in (now, before) if role for arn in managed_policies_of(role)}

    def only(account: Account, role: Role | None) -> Account:
        policies = {arn: account.policies[arn] for arn in arns & account.policies.keys()}
        return replace(account, users={}, groups={}, roles={role.name: role} if role else {}, policies=policies)

    return only(approved, before), only(live, now)


def _patch_beside(
    before: Mapping[EntityId, tuple[str, ...]], after: Mapping[EntityId, tuple[str, ...]]
) -> list[PatchStep]:
    """The section is left out of the file while nothing is in it."""
    if not before:
        return [{"op": "add", "path": "/beside", "value": {entity: list(items) for entity, items in after.items()}}]
    return [
        {"op": "add", "path": _pointer("/beside", entity), "value": list(items)}
        for entity, items in after.items()
        if before.get(entity) != items
    ]


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """What an adoption has put in another one's place, as it stands in the file."""
    keys = [key for key in before.keys() | after.keys() if before.get(key) is not after.get(key)]
    for key in sorted(keys):
        was, now = before.get(key), after.get(key)
        yield key, was and _json(asdict(was)), now and _json(asdict(now))


def _changes(pointer: str, before: Any, after: Any) -> Iterator[PatchStep]:
    """From one object to another; None is none at all."""
    if before == after:
        return
    if before is None:
        yield {"op": "add", "path": pointer, "value": after}
    elif after is None:
        yield {"op": "remove", "path": pointer}
    else:
        for key in sorted({**before, **after}):
            path = _pointer(pointer, key)
            if key not in after:
                yield {"op": "remove", "path": path}
            elif key not in before:
                yield {"op": "add", "path": path, "value": after[key]}
            elif isinstance(before[key], Mapping) and isinstance(after[key], Mapping):
                yield from _changes(path, before[key], after[key])
            elif before[key] != after[key]:
                yield {"op": "replace", "path": path, "value": after[key]}


def _json(value: dict[str, Any]) -> dict[str, Any]:
    """As it stands in the file: names and ARNs are keys there and not repeated inside."""
    return {
        key: list(member) if isinstance(member, tuple) else member
        for key, member in value.items()
        if key not in {"name", "arn"} and member is not None
    }


def _pointer(start: str, *keys: str) -> str:
    """A JSON Pointer (RFC 6901)."""
    return start + "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)
