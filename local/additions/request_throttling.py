"""Throttling on demand, and a count of the requests: how a stack bears an AWS that is busy, and what it asks of it.

MiniStack answers every request, however many come, and tells nobody how many came. Here ``PUT /_local/requests`` with
``{"every": 10, "services": ["iam"]}`` begins a count of the requests that anybody but root signs, and from then on
answers every tenth of each of these services with a throttling error, which no handler sees; without ``every``, none.
``{"rates": [{"operations": ["secretsmanager.PutSecretValue"], "per_second": 50}]}`` throttles as a quota does: the
operations of an entry may be called together so many times a second, and as many at once after a second of rest.
``GET /_local/requests`` tells the count: ``{"counted": {"iam.GetUser": 12}, "throttled": {"iam.GetUser": 1}}``.

Sources: "Common error types", AWS General Reference; "Throttling" of IAM's query protocol; "Secrets Manager quotas".
"""

import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core.router import extract_access_key_id
from ministack.services import iam

from local import secrets_manager
from local.scratch_account import Reply, answer
from local.secrets_manager import refusal, success

GAP = "throttling on demand, and a count of the requests"
RELIES_ON = (
    "app._dispatch_service_request",
    "app._routing_params",
    "app.detect_service",
    "core.router.extract_access_key_id",
    "services.iam._error",
    *secrets_manager.RELIES_ON,
)

PATH = "/_local/requests"
_OK = 200
_QUERY_PROTOCOL = "iam"


@dataclass
class Rate:
    """Operations that may be called together so many times a second: a bucket of tokens, full at first."""

    operations: frozenset[str]
    per_second: float
    _tokens: float = field(init=False)
    _at: float = field(init=False, default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._tokens = self.per_second

    def is_exceeded(self, operation: str) -> bool:
        """Whether one more call of an operation, now, is too much."""
        if operation not in self.operations:
            return False
        now = time.monotonic()
        self._tokens = min(self.per_second, self._tokens + (now - self._at) * self.per_second)
        self._at = now
        if self._tokens < 1:
            return True
        self._tokens -= 1
        return False


@dataclass
class Requests:
    """The requests since the count was started."""

    every: int = 0
    services: frozenset[str] = frozenset()
    rates: tuple[Rate, ...] = ()
    counted: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    _of_service: Counter[str] = field(default_factory=Counter)

    def is_throttled(self, service: str, operation: str) -> bool:
        """Count one more, and say whether its turn has come."""
        name = f"{service}.{operation}"
        self.counted[name] += 1
        if not (self._is_the_turn_of(service) or any(rate.is_exceeded(name) for rate in self.rates)):
            return False
        self.throttled[name] += 1
        return True

    def _is_the_turn_of(self, service: str) -> bool:
        if not self.every or service not in self.services:
            return False
        self._of_service[service] += 1
        return self._of_service[service] % self.every == 0


_requests = Requests()


def is_still_missing() -> bool:
    """Whether the path has no answer."""
    return bool(answer(app._dispatch_service_request("GET", PATH, {}, b"", {}, "probe"))[0] != _OK)


def install() -> None:
    """Count and throttle before anything else looks at a request."""
    dispatch = app._dispatch_service_request

    async def throttling_dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], request_id: str
    ) -> Reply:
        if path == PATH:
            return _count(method, body)
        key = extract_access_key_id(headers, query)
        if key and key != os.environ["AWS_ACCESS_KEY_ID"]:
            service = app.detect_service(method, path, headers, app._routing_params(method, path, headers, body, query))
            if _requests.is_throttled(service, _operation(headers, body, query)):
                return _throttling(service)
        reply: Reply = await dispatch(method, path, headers, body, query, request_id)
        return reply

    app._dispatch_service_request = throttling_dispatch


def _count(method: str, body: bytes) -> Reply:
    global _requests  # noqa: PLW0603 - one count for the process, as there is one AWS
    if method == "PUT":
        wanted: dict[str, Any] = json.loads(body or b"{}")
        rates = (Rate(frozenset(rate["operations"]), rate["per_second"]) for rate in wanted.get("rates", ()))
        _requests = Requests(int(wanted.get("every", 0)), frozenset(wanted.get("services", ())), tuple(rates))
    return success({"counted": dict(_requests.counted), "throttled": dict(_requests.throttled)})


def _operation(headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> str:
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    named = query.get("Action") or parse_qs(body.decode(errors="replace")).get("Action") or [""]
    return named[0]


def _throttling(service: str) -> Reply:
    if service == _QUERY_PROTOCOL:
        reply: Reply = iam._error(400, "Throttling", "Rate exceeded", ns="iam")
        return reply
    return refusal("ThrottlingException", "Rate exceeded")
