"""The custom bus, as a publisher."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from steward.aws.errors import upstream
from steward.clock import Clock, SystemClock
from steward.events import NotPublishedError, PublishableEvent, detail_of

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

# Less than 1 MB for all entries: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
_ENTRIES_PER_CALL = 10
_BYTES_PER_CALL = 1_000_000
_BYTES_PER_EVENT = 200_000  # the envelope comes on top of it, and a topic that a rule of yours sends it to takes 256 KB
_PAUSES = (0.2, 1.0)  # seconds, before what the bus refused is sent again


class EventBridgePublisher:
    """Publishes a capability's events on one bus.

    Parameters
    ----------
    client
        The EventBridge client.
    bus
        Name of the bus.
    capability
        Folder name of the capability; the source becomes ``steward.<capability>``.
    account, region
        Where we run, for the events' metadata.
    clock
        Pauses before what the bus refused is sent again.
    """

    def __init__(
        self,
        client: "EventBridgeClient",
        *,
        bus: str,
        capability: str,
        account: str,
        region: str,
        clock: Clock | None = None,
    ) -> None:
        self._events = client
        self._bus = bus
        self._source = f"steward.{capability}"
        self._account = account
        self._region = region
        self._clock = clock or SystemClock()

    def publish(self, events: Sequence[PublishableEvent], *, correlation_id: str) -> None:
        """Put the events on the bus, in as few calls as their number and their bytes allow.

        What the bus refuses of a call is sent again, alone, a few times. An event that is larger than the bus takes is
        published with its longest texts and lists cut.

        Raises
        ------
        NotPublishedError
            EventBridge did not take some of them; which, it says.
        UpstreamError
            A call failed: those of earlier calls were taken.
        """
        entries = [self._entry(event, correlation_id) for event in events]
        missing = {place: code for batch in _batches(entries) for place, code in self._put(entries, batch).items()}
        if missing:
            codes = ", ".join(sorted(set(missing.values())))
            raise NotPublishedError(
                f"EventBridge refused {len(missing)} events", code=codes, missing=frozenset(missing)
            )

    def _put(self, entries: "Sequence[PutEventsRequestEntryTypeDef]", batch: Sequence[int]) -> dict[int, str]:
        """Error codes of those that the bus did not take, by their place."""
        left = dict.fromkeys(batch, "")
        for pause in (0, *_PAUSES):
            if pause:
                self._clock.pause(pause)
            try:
                answer = self._events.put_events(Entries=[entries[place] for place in left])
            except (ClientError, BotoCoreError) as error:
                raise upstream(error) from error
            if not answer["FailedEntryCount"]:
                return {}
            sent = zip(left, answer["Entries"], strict=True)
            left = {place: entry["ErrorCode"] for place, entry in sent if "ErrorCode" in entry}
        return left

    def _entry(self, event: PublishableEvent, correlation_id: str) -> "PutEventsRequestEntryTypeDef":
        detail = detail_of(event, correlation_id=correlation_id, account=self._account, region=self._region)
        _cut(detail["data"], _BYTES_PER_EVENT - len(json.dumps(detail["metadata"])))
        return {
            "EventBusName": self._bus,
            "Source": self._source,
            "DetailType": type(event).__name__,
            "Detail": json.dumps(detail),
        }


def _batches(entries: "Sequence[PutEventsRequestEntryTypeDef]") -> Iterator[list[int]]:
    """Places of entries that one call takes together."""
    batch, size = list[int](), 0
    for place, entry in enumerate(entries):
        own = sum(len(text) for text in (entry["Source"], entry["DetailType"], entry["Detail"]))  # all of it is ASCII
        if batch and (len(batch) == _ENTRIES_PER_CALL or size + own > _BYTES_PER_CALL):
            yield batch
            batch, size = [], 0
        batch.append(place)
        size += own
    if batch:
        yield batch


def _cut(data: dict[str, Any], most: int) -> None:
    """Halve what is longest until the rest fits: an event that is cut is better than one that is lost."""
    sizes = {name: len(json.dumps(value)) for name, value in data.items()}
    while sum(sizes.values()) + sum(map(len, sizes)) + 8 * len(sizes) > most:
        name = max(sizes, key=sizes.__getitem__)
        value = data[name]
        data[name] = _half(value)
        sizes[name] = len(json.dumps(data[name]))


def _half(value: Any) -> Any:
    match value:
        case str():
            return value[: len(value) // 2]
        case list():
            return value[: len(value) // 2]
        case dict():
            return dict(list(value.items())[: len(value) // 2])
    return value
