"""IAM that shows changes late, on demand: how a stack bears that IAM is eventually consistent.

MiniStack shows every change at once. Here, after ``PUT /_local/iam-visibility`` with ``{"seconds": 20}``, a call that
reads IAM, signed by anybody but root, finds each user, group, role, policy and credential as it was 20 seconds ago;
``{"seconds": 5, "entities": {"deployer": 60}}`` gives some names a time of their own. ``{}`` shows all of it again.
What callers may do follows at once.

Source: IAM user guide, "Changes that I make are not always immediately visible".
"""

import copy
import functools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ministack import app
from ministack.core.router import extract_access_key_id
from ministack.services import iam

from local import secrets_manager
from local.scratch_account import Reply, answer
from local.secrets_manager import success

_TABLES = (
    "_access_keys",
    "_group_inline_policies",
    "_groups",
    "_instance_profiles",
    "_login_profiles",
    "_mfa_devices",
    "_policies",
    "_roles",
    "_user_inline_policies",
    "_users",
)
GAP = "changes of IAM that are shown late, on demand"
RELIES_ON = (
    "app._dispatch_service_request",
    "core.router.extract_access_key_id",
    "services.iam._IAM_HANDLERS",
    *(f"services.iam.{table}" for table in _TABLES),
    *secrets_manager.RELIES_ON,
)

PATH = "/_local/iam-visibility"
_OK = 200
_READING = ("Get", "List", "Simulate", "Generate")
_ABSENT = object()

type Key = tuple[str, Any]
"""A table, and the key of an entry of it with its account."""

_is_late: ContextVar[bool] = ContextVar("iam_is_shown_late", default=False)


@dataclass(frozen=True, slots=True)
class _Change:
    at: float
    key: Key
    before: Any


@dataclass
class _Lag:
    """How late what is shown, and the changes since it was switched on."""

    seconds: float = 0
    entities: Mapping[str, float] = field(default_factory=dict)
    changes: list[_Change] = field(default_factory=list)

    @property
    def is_on(self) -> bool:
        return bool(self.seconds or self.entities)

    def of(self, key: Key) -> float:
        name = str(key[1][-1]).rpartition("/")[2]
        return self.entities.get(name, self.seconds)

    def hidden(self, now: float) -> dict[Key, Any]:
        """What the entries were that have changed too recently to be shown."""
        return {one.key: one.before for one in reversed(self.changes) if one.at > now - self.of(one.key)}


_lag = _Lag()


def is_still_missing() -> bool:
    """Whether the path has no answer."""
    return bool(answer(app._dispatch_service_request("GET", PATH, {}, b"", {}, "probe"))[0] != _OK)


def install() -> None:
    """Remember what each change replaces, and show that to callers other than root for a while."""
    for operation, handler in iam._IAM_HANDLERS.items():
        wrap = _reading if operation.startswith(_READING) else _changing
        iam._IAM_HANDLERS[operation] = wrap(handler)
    dispatch = app._dispatch_service_request

    async def late_dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], request_id: str
    ) -> Reply:
        if path == PATH:
            return _set(method, body)
        key = extract_access_key_id(headers, query)
        token = _is_late.set(_lag.is_on and bool(key) and key != os.environ["AWS_ACCESS_KEY_ID"])
        try:
            reply: Reply = await dispatch(method, path, headers, body, query, request_id)
        finally:
            _is_late.reset(token)
        return reply

    app._dispatch_service_request = late_dispatch


def _set(method: str, body: bytes) -> Reply:
    global _lag  # noqa: PLW0603 - one IAM for the process, as there is one AWS
    if method == "PUT":
        wanted: dict[str, Any] = json.loads(body or b"{}")
        _lag = _Lag(float(wanted.get("seconds", 0)), wanted.get("entities", {}))
    return success({"seconds": _lag.seconds, "entities": dict(_lag.entities)})


def _changing(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def changing(parameters: dict[str, Any]) -> Any:
        if not _lag.is_on:
            return handler(parameters)
        before = copy.deepcopy(_entries())
        reply = handler(parameters)
        after, now = _entries(), time.time()
        for key in before.keys() | after.keys():
            if before.get(key, _ABSENT) != after.get(key, _ABSENT):
                _lag.changes.append(_Change(now, key, before.get(key, _ABSENT)))
        return reply

    return changing


def _reading(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def reading(parameters: dict[str, Any]) -> Any:
        if not _is_late.get():
            return handler(parameters)
        with _shown(_lag.hidden(time.time())):
            return handler(parameters)

    return reading


def _entries() -> dict[Key, Any]:
    return {(table, key): entry for table in _TABLES for key, entry in getattr(iam, table)._data.items()}


@contextmanager
def _shown(entries: Mapping[Key, Any]) -> Iterator[None]:
    """These entries in place of those that there are."""
    there = {(table, key): getattr(iam, table)._data.get(key, _ABSENT) for table, key in entries}
    _put(entries)
    try:
        yield
    finally:
        _put(there)


def _put(entries: Mapping[Key, Any]) -> None:
    for (table, key), entry in entries.items():
        data = getattr(iam, table)._data
        if entry is _ABSENT:
            data.pop(key, None)
        else:
            data[key] = entry
