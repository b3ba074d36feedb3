"""What AWS clients were answered, kept as it came over the wire, so that it can be held to AWS's own description."""

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from pathlib import Path

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/[^/]+/([a-z0-9-]+)/aws4_request")
_VARYING = re.compile(rb"[0-9A-Fa-f-]{6,}|\d+")
"""Ids, times and sizes: an answer that differs in nothing else from a former one says nothing new."""


class RecordedAnswers:
    """An ASGI application around another one: each new kind of answer to a signed request becomes a line of a file.

    A line is a JSON object with ``service``, ``operation`` (empty for REST), ``method``, ``path``, ``query``,
    ``status`` and ``body``.
    """

    def __init__(self, app: Any, file: "Path") -> None:
        self._app = app
        self._file = file
        self._seen: set[tuple[str, str, int, bytes]] = set()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer as the application does, and keep the answer."""
        headers = {name.decode().lower(): value.decode() for name, value in scope.get("headers", ())}
        signed = _SCOPE.search(headers.get("authorization", ""))
        if scope["type"] != "http" or signed is None:
            await self._app(scope, receive, send)
            return
        request, answer, status = bytearray(), bytearray(), 0

        async def received() -> dict[str, Any]:
            message: dict[str, Any] = await receive()
            request.extend(message.get("body", b""))
            return message

        async def sent(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            answer.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, received, sent)
        self._keep(signed[1], _operation(headers, bytes(request)), scope, status, bytes(answer))

    def _keep(self, service: str, operation: str, scope: dict[str, Any], status: int, body: bytes) -> None:
        kind = (service, operation or scope["method"] + scope["path"], status, _VARYING.sub(b"0", body))
        if kind in self._seen:
            return
        self._seen.add(kind)
        line = {
            "service": service,
            "operation": operation,
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "status": status,
            "body": body.decode(errors="replace"),
        }
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")


def _operation(headers: dict[str, str], body: bytes) -> str:
    """The operation that a request names in its head, or in its form; empty for REST."""
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if "urlencoded" in headers.get("content-type", ""):
        return parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    return ""
