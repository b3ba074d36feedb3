"""What alerting stores, in one DynamoDB table with the keys ``id`` and ``member``.

========================== ========================= ===================================================================
id                         member                    holds
========================== ========================= ===================================================================
``event#<id>``             ``-``                     the finished steps of its delivery, and until when a run owns it
``window#<name>``          ``-``                     the events of a window whose alerts were sent individually
``room#<summary>``         ``<badness>#<event id>``  a pending alert of a summary; the most severe sort first
``concerns``                 ``<subject>#<name>``      the state of something that lasts: an open item
========================== ========================= ===================================================================

``expiration`` (epoch seconds) is the table's time to live.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from alerting.application.ports import DeliveryInProgressError
from alerting.domain.alert import Channel, PendingAlert
from alerting.domain.open_items import OpenItem, State
from steward.aws.errors import translated, unless
from steward.clock import Clock
from steward.errors import ThrottledError
from steward.severity import Severity

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RUN = timedelta(seconds=70)
"""Longer than the function's timeout, so a run that owns an event longer than this has died."""
DELIVERIES_KEPT = timedelta(days=15)
"""Longer than dead letters are kept, so that a dead letter that is sent again is not alerted twice."""
PENDING_KEPT, ENDED_KEPT = timedelta(days=30), timedelta(days=30)
ITEMS_PER_CALL = 25  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
EXISTS = "attribute_exists(id)"
_TRIES = 5


class DynamoDbDeliveries:
    """Deliveries of events; DynamoDB decides between concurrent runs."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._dynamodb = client
        self._table = table

    def begin(self, event_id: str, now: datetime) -> frozenset[str]:
        """Own the event, unless another run does; the steps that are done."""
        item = self._update(
            f"event#{event_id}",
            "SET busy_until = :later, expiration = :expiration",
            "attribute_not_exists(busy_until) OR busy_until < :now",
            {
                ":now": _number(now),
                ":later": _number(now + RUN),
                ":expiration": _number(now + DELIVERIES_KEPT),
            },
        )
        if item is None:
            raise DeliveryInProgressError("another run works on this event; the queue delivers it again")
        return frozenset(item.get("steps", {}).get("SS", []))

    def done(self, event_id: str, step: str) -> None:
        """Store a step."""
        self._update(f"event#{event_id}", "ADD steps :step", EXISTS, {":step": {"SS": [step]}})

    def end(self, event_id: str) -> None:
        """Release the event."""
        self._update(f"event#{event_id}", "SET busy_until = :never", EXISTS, {":never": {"N": "0"}})

    def goes_individually(self, window: str, event_id: str, limit: int, until: datetime) -> bool:
        """Whether the event is among the first of the window."""
        item = self._update(
            f"window#{window}",
            "ADD individual :ids SET expiration = :expiration",
            "attribute_not_exists(individual) OR contains(individual, :id) OR size(individual) < :limit",
            {
                ":ids": {"SS": [event_id]},
                ":id": {"S": event_id},
                ":limit": {"N": str(limit)},
                ":expiration": _number(until),
            },
        )
        return item is not None

    def _update(self, identity: str, update: str, condition: str, values: dict[str, Any]) -> dict[str, Any] | None:
        """The item after the update; None where the condition does not hold."""
        with translated(), unless("ConditionalCheckFailedException"):
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": identity}, "member": {"S": "-"}},
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
            return dict(answer["Attributes"])
        return None


class DynamoDbPendingAlerts:
    """Pending alerts, one item each: the items themselves are counted, so that no counter can be wrong."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._dynamodb = client
        self._table = table
        self._clock = clock

    def add(self, summary: str, alert: PendingAlert) -> None:
        """Store it."""
        item = {
            **_key(summary, alert),
            "event_id": {"S": alert.event_id},
            "kind": {"S": alert.kind},
            "severity": {"S": alert.severity.name},
            "title": {"S": alert.title},
            "channels": {"SS": sorted(alert.channels)},
            "expiration": _number(self._clock.now() + PENDING_KEPT),
        }
        with translated():
            self._dynamodb.put_item(TableName=self._table, Item=item)

    def pending(self, summary: str) -> Sequence[PendingAlert]:
        """Pending alerts, most severe first."""
        return [_pending(item) for item in _members(self._dynamodb, self._table, f"room#{summary}")]

    def remove(self, summary: str, alerts: Collection[PendingAlert]) -> None:
        """Delete them, 25 a call."""
        for batch in batched(alerts, ITEMS_PER_CALL, strict=False):
            requests: list[Any] = [{"DeleteRequest": {"Key": _key(summary, alert)}} for alert in batch]
            for _ in range(_TRIES):
                with translated():
                    answer = self._dynamodb.batch_write_item(RequestItems={self._table: requests})
                requests = list(answer.get("UnprocessedItems", {}).get(self._table, []))
                if not requests:
                    break
                self._clock.pause(0.1)
            else:
                raise ThrottledError("AWS throttles BatchWriteItem; try again later")


class DynamoDbOpenItems:
    """Open items. Events come in any order; the one that was published last wins."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._dynamodb = client
        self._table = table
        self._clock = clock

    def find(self, identity: str) -> OpenItem | None:
        """Its stored state."""
        with translated():
            answer = self._dynamodb.get_item(TableName=self._table, Key=_item_key(identity), ConsistentRead=True)
        return _item(answer["Item"]) if "Item" in answer else None

    def keep(self, item: OpenItem) -> None:
        """Store it, unless a newer state is stored."""
        record = {
            **_item_key(item.id),
            "state": {"S": item.state},
            "severity": {"S": item.severity.name},
            "what": {"S": item.what},
            "since": {"S": item.since},
            "at": {"S": item.at.isoformat()},
            "until": {"S": item.until},
            "expected": {"BOOL": item.expected},
            "arn": {"S": item.arn},
        }
        if item.state is State.OVER:
            record["expiration"] = _number(self._clock.now() + ENDED_KEPT)
        with translated(), unless("ConditionalCheckFailedException"):
            self._dynamodb.put_item(
                TableName=self._table,
                Item=record,
                ConditionExpression="attribute_not_exists(id) OR #at <= :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": record["at"]},
            )

    def all(self) -> Sequence[OpenItem]:
        """All of them."""
        return [_item(item) for item in _members(self._dynamodb, self._table, "concerns")]


def _members(client: "DynamoDBClient", table: str, identity: str) -> list[dict[str, Any]]:
    """All items of one ``id``, in the order of ``member``."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="id = :id",
        ExpressionAttributeValues={":id": {"S": identity}},
        ConsistentRead=True,
    )
    with translated():
        return [dict(item) for page in pages for item in page["Items"]]


def _key(summary: str, alert: PendingAlert) -> dict[str, Any]:
    badness = max(Severity) - alert.severity
    return {"id": {"S": f"room#{summary}"}, "member": {"S": f"{badness}#{alert.event_id}"}}


def _pending(item: dict[str, Any]) -> PendingAlert:
    return PendingAlert(
        item["event_id"]["S"],
        item["kind"]["S"],
        Severity[item["severity"]["S"]],
        item["title"]["S"],
        frozenset(Channel(channel) for channel in item["channels"]["SS"]),
    )


def _item_key(identity: str) -> dict[str, Any]:
    return {"id": {"S": "concerns"}, "member": {"S": identity}}


def _item(item: dict[str, Any]) -> OpenItem:
    subject, _, name = item["member"]["S"].partition("#")
    return OpenItem(
        subject,
        name,
        State(item["state"]["S"]),
        Severity[item["severity"]["S"]],
        item["what"]["S"],
        item["since"]["S"],
        datetime.fromisoformat(item["at"]["S"]),
        item["until"]["S"],
        item["expected"]["BOOL"],
        item.get("arn", {"S": ""})["S"],
    )


def _number(moment: datetime) -> dict[str, Any]:
    return {"N": str(int(moment.timestamp()))}
