"""The custom bus, as a publisher."""

import json
from collections.abc import Sequence
from itertools import batched
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from steward.aws.errors import upstream
from steward.errors import UpstreamError
from steward.events import PublishableEvent, detail_of

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_ENTRIES_PER_CALL = 10  # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html


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
    """

    def __init__(self, client: "EventBridgeClient", *, bus: str, capability: str, account: str, region: str) -> None:
        self._events = client
        self._bus = bus
        self._source = f"steward.{capability}"
        self._account = account
        self._region = region

    def publish(self, events: Sequence[PublishableEvent], *, correlation_id: str) -> None:
        """Put the events on the bus, ten a call.

        Raises
        ------
        UpstreamError
            EventBridge did not take all of them; those that it took may come again when the caller tries again.
        """
        entries = [self._entry(event, correlation_id) for event in events]
        for batch in batched(entries, _ENTRIES_PER_CALL, strict=False):
            try:
                answer = self._events.put_events(Entries=batch)
            except (ClientError, BotoCoreError) as error:
                raise upstream(error) from error
            if answer["FailedEntryCount"]:
                codes = sorted({entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry})
                raise UpstreamError(f"EventBridge refused {answer['FailedEntryCount']} events", code=", ".join(codes))

    def _entry(self, event: PublishableEvent, correlation_id: str) -> "PutEventsRequestEntryTypeDef":
        detail = detail_of(event, correlation_id=correlation_id, account=self._account, region=self._region)
        return {
            "EventBusName": self._bus,
            "Source": self._source,
            "DetailType": type(event).__name__,
            "Detail": json.dumps(detail),
        }
