"""Requests to an HTTPS API that answers with JSON: bounded in time and size, never redirected, never logged."""

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from steward.errors import UpstreamError

REQUEST_SECONDS = 5.0
"""For one request as a whole, however slowly it is answered."""
MOST_BYTES = 256 * 1024
"""Of an answer that are read; those that matter here have a few hundred."""
_LOCAL = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the body if it is JSON, else None."""

    status: int
    body: Any = None


class HttpsJson:
    """One API. Errors name the host and the kind of failure, and nothing of what was sent or received.

    Parameters
    ----------
    url
        Its base, such as ``https://api.github.com``. Without TLS only on this machine.
    tls
        The certificates that are trusted; those of the operating system by default.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        tls: ssl.SSLContext | None = None,
        seconds: float = REQUEST_SECONDS,
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._plain = parts.scheme == "http" and self._host in _LOCAL
        if not self._host or not (self._plain or parts.scheme == "https"):
            raise UpstreamError(f"{self._host or 'the address'} is not called without TLS")
        self._port = parts.port
        self._base = parts.path.rstrip("/")
        self._headers = dict(headers)
        self._tls = tls
        self._seconds = seconds

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Send one request.

        Raises
        ------
        UpstreamError
            The host cannot be reached, or does not answer in time.
        """
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "ecr-steward", **self._headers}
        connection = self._connection()
        deadline = Timer(self._seconds, _abort, [connection])
        deadline.daemon = True
        deadline.start()
        try:
            connection.request(method, f"{self._base}{path}", sent, headers)
            answer = connection.getresponse()
            content = answer.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UpstreamError(f"{self._host} cannot be reached: {type(error).__name__}") from None
        finally:
            deadline.cancel()
            connection.close()
        if len(content) > MOST_BYTES:
            return Answer(answer.status)
        return Answer(answer.status, _decoded(content))

    def _connection(self) -> http.client.HTTPConnection:
        if self._plain:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)
        tls = self._tls or ssl.create_default_context()
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._seconds, context=tls)


def _abort(connection: http.client.HTTPConnection) -> None:
    """End what the connection is doing: a peer that sends a byte a second has no longer than any other."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
