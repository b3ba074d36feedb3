"""The baseline as a JSON document: sorted, indented, one principal after the other, so that git shows what changed.

Names and ARNs stand as keys and are not repeated inside. ``account`` and ``format`` say whose and what it is. An error
names the line, because people edit the file by hand.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from iam_policy import PolicyError, effective_access
from policy_drift.domain.account import Account, EntityId, Group, ManagedPolicy, Role, User
from policy_drift.domain.baseline import Acceptance, Baseline, UnusableBaselineError, flaws
from steward.conversion import convert
from steward.errors import Place, ValidationError

FORMAT = "ecr-steward/iam-baseline/1"
_KEYED = {"users": "name", "groups": "name", "roles": "name", "policies": "arn"}
_KINDS: dict[str, type] = {"users": User, "groups": Group, "roles": Role, "policies": ManagedPolicy}
_BLANKS = " \t\r\n"
_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """The file, with names and ARNs put back inside."""

    account: str
    format: str
    reviewed: bool = True
    users: Mapping[str, User] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    policies: Mapping[str, ManagedPolicy] = field(default_factory=dict)
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    accepted: Mapping[str, Acceptance] = field(default_factory=dict)


def write(baseline: Baseline) -> bytes:
    """Return UTF-8 text, with keys sorted at every level but inside policy documents, which keep their order."""
    document: dict[str, Any] = {
        "account": baseline.account.id,
        "format": FORMAT,
        "reviewed": baseline.reviewed,
    }
    for section, key in _KEYED.items():
        entities = msgspec.to_builtins(getattr(baseline.account, section), enc_hook=str)
        document[section] = {
            name: {part: value for part, value in sorted(entity.items()) if part != key and value is not None}
            for name, entity in sorted(entities.items())
        }
    if beside := {entity: list(items) for entity, items in sorted(baseline.account.beside.items()) if items}:
        document["beside"] = beside
    if baseline.accepted and not baseline.reviewed:
        document["accepted"] = {
            name: {part: text for part, text in sorted(asdict(one).items()) if text}
            for name, one in sorted(baseline.accepted.items())
        }
    return (json.dumps(dict(sorted(document.items())), indent=2, ensure_ascii=False) + "\n").encode()


def read(text: bytes, *, account: str) -> Baseline:
    """Parse a baseline of ``account``. Raises UnusableBaselineError with line and reason."""
    try:
        return _read(text, account)
    except RecursionError as error:
        raise UnusableBaselineError("it nests too deep") from error


def _read(text: bytes, account: str) -> Baseline:
    if not text.strip():
        raise UnusableBaselineError("it is empty")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableBaselineError(f"it is not UTF-8 text (byte {error.start})") from error
    raw = _as_written(text) or _parsed(decoded)
    try:
        document = convert(_with_keys(raw), _Document)
    except ValidationError as error:
        unfit = _nearer(raw) or error
        raise UnusableBaselineError(str(unfit), line=_line(decoded, unfit.path)) from error
    if document.format != FORMAT:
        line = _line(decoded, ("format",))
        raise UnusableBaselineError(f"format is {document.format!r}; it must be {FORMAT!r}", line=line)
    if document.account != account:
        line = _line(decoded, ("account",))
        raise UnusableBaselineError(f"it is of the account {document.account}, not of {account}", line=line)
    if not (document.users or document.groups or document.roles):
        raise UnusableBaselineError("it approves no user, no group and no role: that is no account")
    approved = Account(
        account,
        document.users,
        document.groups,
        document.roles,
        document.policies,
        beside={_entity(name, decoded): items for name, items in document.beside.items()},
    )
    for flaw in flaws(approved):
        where = ".".join(map(str, flaw.place))
        raise UnusableBaselineError(f"{where}: {flaw.reason}", line=_line(decoded, flaw.place))
    _check_times(document.accepted, decoded)
    return Baseline(approved, document.reviewed, document.accepted)


def _check_times(accepted: Mapping[str, Acceptance], text: str) -> None:
    for name, one in accepted.items():
        for part, time in (("at", one.at), ("until", one.until)):
            if time and not _is_time(time):
                reason = f"accepted.{name}.{part}: {time!r} is no time with a zone, such as 2027-01-31T00:00:00Z"
                raise UnusableBaselineError(reason, line=_line(text, ("accepted", name, part)))


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _entity(name: str, text: str) -> EntityId:
    try:
        return EntityId(name)
    except ValueError as error:
        raise UnusableBaselineError(f"beside: {error}", line=_line(text, ("beside", name))) from error


def refuse_bad_policies(text: bytes, baseline: Baseline, known: Account | None) -> None:
    """Parse every policy document that ``known`` does not have: documents from IAM itself are accepted.

    Raises UnusableBaselineError.
    """
    decoded, trusted = text.decode("utf-8-sig"), _documents(known) if known else {}
    for place, policy in _documents(baseline.account).items():
        if trusted.get(place) == policy:
            continue
        try:
            problems = effective_access([policy]).notes
        except PolicyError as error:
            problems = (str(error),)
        if problems:
            where = ".".join(map(str, place))
            raise UnusableBaselineError(f"{where}: {problems[0]}", line=_line(decoded, place))


def _as_written(text: bytes) -> dict[str, Any] | None:
    """The baseline in a text that is byte for byte as `write` lays it out; None for any other, which is read with care.

    No key can stand twice in such a text, and every reader takes it. Most texts are of this kind.
    """
    try:
        raw = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    laid_out = msgspec.json.format(msgspec.json.encode(raw), indent=2) + b"\n"
    return raw if isinstance(raw, dict) and "format" in raw and laid_out == text else None


def _parsed(text: str) -> dict[str, Any]:
    # Python's reader accepts NaN, half a surrogate pair and endless numbers; other readers refuse them. What the other
    # one reads is let go before Python's begins: both together would need twice the memory.
    refused_by_others = _refused_by_others(text)
    try:
        raw = json.loads(text, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        end = " (it may be truncated)" if not text.rstrip().endswith("}") else ""
        raise UnusableBaselineError(f"it is not JSON: {error.msg}{end}", line=error.lineno) from error
    except _RepeatedKeyError as error:
        raise UnusableBaselineError(f"the key {error} stands twice in one object") from error
    except ValueError as error:  # a number that is longer than Python converts
        raise UnusableBaselineError(f"it is not JSON that others read: {error}") from error
    if refused_by_others:
        raise UnusableBaselineError(f"it is not JSON that others read: {refused_by_others}") from refused_by_others
    if not isinstance(raw, dict) or "format" not in raw:
        raise UnusableBaselineError(f"it is no baseline: an object with the format {FORMAT!r} is", line=1)
    return raw


def _refused_by_others(text: str) -> ValueError | None:
    try:
        msgspec.json.decode(text)
    except ValueError as error:
        return error
    return None


class _RepeatedKeyError(ValueError):
    """A key that stands twice; readers of JSON would silently take the last."""


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _RepeatedKeyError(repr(next(key for key, times in counts.items() if times > 1)))
    return found


def _with_keys(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Names and ARNs inside, where the dataclasses have them."""
    whole = dict(raw)
    for section, key in _KEYED.items():
        if isinstance(whole.get(section), dict):
            whole[section] = {
                name: {**entity, key: name} if isinstance(entity, dict) else entity
                for name, entity in whole[section].items()
            }
    return whole


def _nearer(raw: Mapping[str, Any]) -> ValidationError | None:
    """The first entity that does not fit, with a place that names it: conversion of the whole stops at its section."""
    for section, kind in _KINDS.items():
        entities = raw.get(section)
        for name, entity in entities.items() if isinstance(entities, dict) else ():
            try:
                convert(_with_keys({section: {name: entity}})[section][name], kind)
            except ValidationError as error:
                return ValidationError(str(error), (section, name, *error.path))
    return None


def _documents(account: Account) -> dict[Place, Any]:
    """Every policy document, by its place in the file."""
    principals = [
        (section, name, entity)
        for section in ("users", "groups", "roles")
        for name, entity in getattr(account, section).items()
    ]
    inline = [
        ((section, name, "inline", policy), written)
        for section, name, entity in principals
        for policy, written in entity.inline.items()
    ]
    trust = [(("roles", name, "trust"), role.trust) for name, role in account.roles.items()]
    managed = [(("policies", arn, "document"), policy.document) for arn, policy in account.policies.items()]
    return dict([*inline, *trust, *managed])


def _line(text: str, place: Sequence[str | int]) -> int:
    """The line, counted from 1, of the deepest part of a place that exists in a JSON text."""
    at = len(text) - len(text.lstrip(_BLANKS + "\ufeff"))
    for step in place:
        found = _inside(text, at, step)
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1


def _inside(text: str, at: int, step: str | int) -> int | None:
    """Where the member ``step`` of the object or array at ``at`` begins; None where it has none."""
    opening, index = text[at], 0
    if opening not in "{[":
        return None
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        key: str | int = index
        if opening == "{":
            key, at = _decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        if key == step:
            return at
        _, at = _decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1
    return None


def _skip(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at
