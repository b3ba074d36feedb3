"""How a drift is approved: the call that adopts it, and what that changes in the baseline."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from policy_drift.domain.account import Account, EntityId, EntityKind, policy_id
from policy_drift.domain.baseline import PARTS
from policy_drift.domain.finding import Drift, Kind

type Operation = dict[str, Any]
"""One of a JSON Patch."""

ROUTE = "POST /drift/baseline/adoptions"
NOT_ADOPTABLE = frozenset({Kind.BASELINE, Kind.TRANSIENT, Kind.UNREADABLE})
"""Kinds that say nothing of the account as it is now."""


def adoption_of(drift: Drift) -> dict[str, Any]:
    """The body of the call that adopts it in the form that was seen, and in no other; empty where none can."""
    if drift.kind in NOT_ADOPTABLE:
        return {}
    return {"findings": [{"id": drift.finding_id, "fingerprint": drift.fingerprint}]}


def in_one_line(drift: Drift) -> str:
    """The same as a text; empty where it cannot be adopted."""
    body = adoption_of(drift)
    return f"{ROUTE} {json.dumps(body)}" if body else ""


def baseline_patch(drift: Drift, approved: Account, live: Account) -> list[Operation]:
    """What an adoption changes in the account of the baseline file, as a JSON Patch (RFC 6902).

    Empty where the drift cannot be adopted, or nothing of it was read.
    """
    if drift.kind in NOT_ADOPTABLE or drift.entity.kind is EntityKind.ACCOUNT:
        return []
    if drift.entity.kind is EntityKind.POLICY:
        return [*_policies(_arns_of(drift.entity, approved, live), approved, live)]
    section = f"{drift.entity.kind}s"
    before, after = (_principal(account, section, drift.entity.name) for account in (approved, live))
    fields = PARTS.get(drift.kind)
    taken = after
    if before is not None and after is not None and fields is not None:
        kept = {field: value for field, value in before.items() if field not in fields}
        taken = kept | {field: after[field] for field in fields if field in after}
    changes = [*_changes(_pointer("", section, drift.entity.name), before, taken)]
    named = _arns_in(taken or {}, drift.kind)
    left = [] if taken else [*_left_by_members(drift.entity, approved)]
    return [*_policies([arn for arn in named if arn in live.policies], approved, live), *changes, *left]


def _left_by_members(group: EntityId, approved: Account) -> Iterator[Operation]:
    """Nobody stays in a group that goes."""
    for user in approved.users.values():
        if group.kind is EntityKind.GROUP and group.name in user.groups:
            groups = [name for name in user.groups if name != group.name]
            yield {"op": "replace", "path": _pointer("", "users", user.name, "groups"), "value": groups}


def _policies(arns: list[str], approved: Account, live: Account) -> Iterator[Operation]:
    for arn in arns:
        before, after = approved.policies.get(arn), live.policies.get(arn)
        if before != after:
            pointer = _pointer("", "policies", arn)
            yield from _changes(pointer, before and _json(asdict(before)), after and _json(asdict(after)))


def _changes(pointer: str, before: Any, after: Any) -> Iterator[Operation]:
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


def _principal(account: Account, section: str, name: str) -> dict[str, Any] | None:
    principal = getattr(account, section).get(name)
    return None if principal is None else _json(asdict(principal))


def _arns_in(principal: dict[str, Any], kind: Kind) -> list[str]:
    fields = PARTS.get(kind, ("attached", "boundary"))
    boundary = principal.get("boundary") if "boundary" in fields else None
    return [*(principal.get("attached", ()) if "attached" in fields else ()), *([boundary] if boundary else [])]


def _arns_of(policy: EntityId, approved: Account, live: Account) -> list[str]:
    return sorted(arn for arn in {*approved.policies, *live.policies} if policy_id(arn) == policy)


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
