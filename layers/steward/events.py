"""Events that capabilities publish to each other and to others, over the bus.

A published event is a frozen dataclass: its class name, in the past tense, is the detail-type, its fields are the data.
On the bus it looks like the files of ``events/published/``::

    {"source": "steward.repository_provisioning", "detail-type": "RepositoryCreated",
     "detail": {"metadata": {"version", "correlation_id", "account", "region"}, "data": {…}}}
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from steward.errors import UpstreamError

if TYPE_CHECKING:
    from dataclasses import Field

VERSION = "1"
"""Version of the envelope and of all events in it; a change that could break a consumer raises it."""


class PublishableEvent(Protocol):
    """Any dataclass with fields of plain JSON values."""

    __dataclass_fields__: ClassVar[dict[str, "Field[Any]"]]


class NotPublishedError(UpstreamError):
    """The bus took some events and not others: ``missing`` are the places of those that it did not take."""

    def __init__(self, detail: str, *, code: str | None = None, missing: frozenset[int]) -> None:
        super().__init__(detail, code=code)
        self.missing = missing


class EventPublisher(Protocol):
    """Where a use case says what happened."""

    def publish(self, events: Sequence[PublishableEvent], *, correlation_id: str) -> None:
        """Put the events on the bus, all of them.

        Raises
        ------
        NotPublishedError
            The bus took all but those that the error names.
        UpstreamError
            The bus cannot be reached; it may have taken some.
        """
        ...


def digest_of(data: Mapping[str, Any]) -> str:
    """The digest of an event's data, 32 hexadecimal digits.

    Its publisher stores it beside what the event is about, so that a consumer can tell a published event from a forged
    one. The order of the fields does not matter.
    """
    return sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]


def detail_of(event: PublishableEvent, *, correlation_id: str, account: str, region: str) -> dict[str, Any]:
    """The ``detail`` of an event as it stands on the bus."""
    metadata = {"version": VERSION, "correlation_id": correlation_id, "account": account, "region": region}
    return {"metadata": metadata, "data": asdict(event)}
