"""A webhook: each alert as a signed JSON document, posted to an HTTPS address of the operator's choice.

A receiver knows that a request is ours and recent by its signature: the header ``Steward-Signature`` has the form
``t=<epoch seconds>,v1=<hex>``, where ``v1`` is HMAC-SHA256 over ``<t>.<body>``. ``docs/alerting.md`` has the recipe.

Addresses inside the host or the cloud's own network are refused, and the connection goes to the very address that was
checked, so that a name cannot resolve differently in between. Redirects are never followed. Nothing of a response is
read but its status.
"""

import hashlib
import hmac
import http.client
import json
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Timer
from typing import Protocol
from urllib.parse import urlsplit

from alerting.application.ports import WebhookRefusedError
from alerting.domain.alert import Channel
from alerting.domain.formats.document import document_of
from alerting.domain.routing import RoutedAlert
from steward.clock import Clock
from steward.errors import UpstreamError

SIGNATURE, EVENT_ID = "Steward-Signature", "Steward-Event-Id"
ATTEMPT_SECONDS = 4.0
"""For one attempt as a whole, however slowly its receiver answers."""
PAUSES = (0.5, 1.5)
"""Seconds between attempts. All of them fit, with the rest of a batch, into the function's timeout."""
REST = timedelta(seconds=30)
"""After a failed alert, the next ones are not tried for so long: one dead receiver must not use up a batch's time."""
_RETRIED = frozenset({408, 425, 429})
_SUCCESSES, _REDIRECTS, _SERVER_ERRORS = range(200, 300), range(300, 400), range(500, 600)
_NEVER = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "fd00:ec2::/32",  # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
        "2002::/16",  # 6to4 and Teredo carry an IPv4 address inside
        "2001::/32",
    )
)


class Secret(Protocol):
    """What signs."""

    def value(self) -> bytes:
        """The secret as it is now. Raises RuleViolationError, UpstreamError."""
        ...


class Webhook:
    """Posts alerts to one address.

    Parameters
    ----------
    url
        An ``https`` address without user and fragment.
    secret
        Signs each attempt.
    clock
        Dates the signatures, and pauses between attempts.
    may_be_internal
        Whether loopback, link-local and metadata addresses are allowed; only on the local AWS.
    tls
        How the receiver's certificate is checked; None for the system's certificate authorities.
    attempt_seconds
        For one attempt as a whole.
    documentation
        The base URL of ``docs/``, or empty.
    """

    step = "webhook"
    grouped = False

    def __init__(
        self,
        url: str,
        secret: Secret,
        clock: Clock,
        *,
        may_be_internal: bool = False,
        tls: ssl.SSLContext | None = None,
        attempt_seconds: float = ATTEMPT_SECONDS,
        documentation: str = "",
    ) -> None:
        self._url = url
        self._secret = secret
        self._clock = clock
        self._may_be_internal = may_be_internal
        self._tls = tls or ssl.create_default_context()
        self._attempt_seconds = attempt_seconds
        self._documentation = documentation
        self._rests_until: datetime | None = None

    def accepts(self, routed: RoutedAlert) -> bool:
        """Whether it is for the webhook."""
        return Channel.WEBHOOK in routed.channels

    def send(self, routed: RoutedAlert) -> None:
        """Post it until the receiver takes it, a few times; the queue's next delivery goes on from there.

        Raises
        ------
        WebhookRefusedError
            The receiver refuses it, or its address must not be called.
        UpstreamError
            The receiver cannot be reached, or fails.
        """
        if self._rests_until and self._clock.now() < self._rests_until:
            raise UpstreamError("the webhook failed a moment ago and is tried again later")
        body = json.dumps(document_of(routed.alert, self._documentation)).encode()
        for pause in (*PAUSES, None):
            problem = self._attempt(body, routed.alert.event_id)
            if problem is None:
                return
            if pause is not None:
                self._clock.pause(pause)
        self._rests_until = self._clock.now() + REST
        raise UpstreamError(f"the webhook {problem}; the alert is sent again later")

    def _attempt(self, body: bytes, event_id: str) -> str | None:
        """Post once; None if the receiver took it, else what happened. Raises WebhookRefusedError."""
        host, port, target = _parts(self._url)
        try:
            addresses = _addresses(host, port)
        except OSError:
            return f"has a name that does not resolve: {host}"
        if not self._may_be_internal and any(map(_is_internal, addresses)):
            raise WebhookRefusedError(f"the webhook's host {host} has an internal address: use a public one")
        try:
            status = self._post(host, port, addresses[0], target, body, event_id)
        except (OSError, http.client.HTTPException) as error:
            return f"cannot be reached: {type(error).__name__}"
        if status in _SUCCESSES:
            return None
        if status in _SERVER_ERRORS or status in _RETRIED:
            return f"answered {status}"
        why = "a redirect, which is never followed: set the final address" if status in _REDIRECTS else "a refusal"
        raise WebhookRefusedError(f"the webhook answered {status}, {why}")

    def _post(self, host: str, port: int, address: str, target: str, body: bytes, event_id: str) -> int:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "ecr-steward",
            EVENT_ID: event_id.encode("ascii", "replace").decode(),
            SIGNATURE: signature(self._secret.value(), int(self._clock.now().timestamp()), body),
        }
        connection = _ConnectionTo(address, host, port, timeout=self._attempt_seconds, context=self._tls)
        deadline = Timer(self._attempt_seconds, connection.abort)
        deadline.start()
        try:
            connection.request("POST", target, body, headers)
            status = connection.getresponse().status
            if connection.aborted:  # http.client takes the end of the connection for the end of the headers
                raise TimeoutError
            return status
        finally:
            deadline.cancel()
            connection.close()


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """The header that proves origin and age: HMAC-SHA256 over ``<timestamp>.<body>``, by the secret."""
    digest = hmac.new(secret, str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class _ConnectionTo(http.client.HTTPSConnection):
    """A connection to one address, with the certificate of the host that it stands for."""

    def __init__(self, address: str, host: str, port: int, *, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._address = address
        self._tls = context
        self.aborted = False

    def connect(self) -> None:
        """Connect to the address, and check the certificate of the host."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        if self.aborted:
            raise TimeoutError
        self.sock.do_handshake()

    def abort(self) -> None:
        """End every operation on this connection, now and later."""
        self.aborted = True
        if self.sock is not None:
            with suppress(OSError):  # it is closed already
                self.sock.shutdown(socket.SHUT_RDWR)


def _parts(url: str) -> tuple[str, int, str]:
    """Host, port and path of an acceptable address. Raises WebhookRefusedError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError:
        host, port = None, 0
    if host is None or parts.scheme != "https" or parts.username is not None or parts.fragment:
        raise WebhookRefusedError("the parameter WebhookUrl must be https://host/path, without user and fragment")
    return host, port, f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


def _addresses(host: str, port: int) -> Sequence[str]:
    """The addresses of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _is_internal(text: str) -> bool:
    """Whether an address is the host's own, its link's, the cloud's metadata, or none that a server on the web has."""
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or any(address in network for network in _NEVER)
    )
