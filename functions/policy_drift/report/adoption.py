"""How a drift is approved: the call that adopts it, and what that changes in the baseline."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from policy_drift.domain.account import Account, EntityKind
from policy_drift.domain.baseline import NOT_ADOPTABLE, Adoption, adopted
from policy_drift.domain.finding import Drift

type PatchStep = dict[str, Any]
"""One operation of a JSON Patch (RFC 6902)."""

ROUTE = "POST /drift/baseline/adoptions"
_SECTIONS = ("policies", "users", "groups", "roles")


def adoption_of(drift: Drift) -> dict[str, Any]:
    """The body of the call that adopts it in the form that was seen, and in no other; empty where none can."""
    if drift.kind in NOT_ADOPTABLE:
        return {}
    return {"findings": [{"id": drift.finding_id, "fingerprint": drift.fingerprint}]}


def in_one_line(drift: Drift) -> str:
    """The same as a text; empty where it cannot be adopted."""
    body = adoption_of(drift)
    return f"{ROUTE} {json.dumps(body)}" if body else ""


def baseline_patch(drift: Drift, approved: Account, live: Account) -> list[PatchStep]:
    """What an adoption changes in the account of the baseline file, as a JSON Patch (RFC 6902).

    Empty where the drift cannot be adopted, or nothing of it was read.
    """
    if drift.kind in NOT_ADOPTABLE or drift.entity.kind is EntityKind.ACCOUNT:
        return []
    wanted = adopted(approved, live, Adoption.of([(drift.entity, drift.kind)]))
    return [
        step
        for section in _SECTIONS
        for key, before, after in _differing(getattr(approved, section), getattr(wanted, section))
        for step in _changes(_pointer("", section, key), before, after)
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
