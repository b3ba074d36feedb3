"""What alerting remembers, in one DynamoDB table with the keys ``id`` and ``member``.

========================== ========================= ===================================================================
id                         member                    holds
========================== ========================= ===================================================================
``event#<id>``             ``-``                     how far its delivery has come, and until when a run is at it
``window#<name>``          ``-``                     who was sent individually
``room#<name>``            ``<badness>#<event id>``  an alert that waits; the worst sort first
``concerns``               ``<subject>#<name>``      what lasts
========================== ========================= ===================================================================

``expiration`` (epoch seconds) is the table's time to live.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

from alerting.application.ports import DeliveryInProgressError
from alerting.domain.alert import Channel, PendingAlert
from alerting.domain.open_items import Concern, State
from steward.aws.errors import translated, unless
from steward.clock import Clock
from steward.errors import ThrottledError
from steward.severity import Severity

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RUN = timedelta(seconds=70)
"""Longer than the function may take: after so long, whoever was at it no longer is."""
DELIVERIES_KEPT = timedelta(days=15)
"""Longer than the dead letters are, so that a letter sent again is told once."""
WAITING_KEPT, ENDED_KEPT = timedelta(days=30), timedelta(days=30)
ITEMS_PER_CALL = 25  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
EXISTS = "attribute_exists(id)"
_TRIES = 5


class DynamoDbDeliveries:
    """Deliveries of events; DynamoDB decides between concurrent runs."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._dynamodb = client
        self._table = table

    def begin(self, event_id: str, now: datetime) -> frozenset[str]:
        """Take the event, unless somebody has it; the steps that are done."""
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
            raise DeliveryInProgressError("another run works on this event; it comes again")
        return frozenset(item.get("steps", {}).get("SS", []))

    def done(self, event_id: str, step: str) -> None:
        """Remember a step."""
        self._update(f"event#{event_id}", "ADD steps :step", EXISTS, {":step": {"SS": [step]}})

    def end(self, event_id: str) -> None:
        """Let go of the event."""
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


class DynamoDbWaitingRooms:
    """Alerts that wait, one item each: their number is what is counted, so that no counter can be wrong."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._dynamodb = client
        self._table = table
        self._clock = clock

    def wait(self, room: str, alert: PendingAlert) -> None:
        """Let it wait."""
        item = {
            **_key(room, alert),
            "event_id": {"S": alert.event_id},
            "kind": {"S": alert.kind},
            "severity": {"S": alert.severity.name},
            "title": {"S": alert.title},
            "channels": {"SS": sorted(alert.channels)},
            "expiration": _number(self._clock.now() + WAITING_KEPT),
        }
        with translated():
            self._dynamodb.put_item(TableName=self._table, Item=item)

    def waiting(self, room: str) -> Sequence[PendingAlert]:
        """All who wait, the worst first."""
        return [_waiting(item) for item in _members(self._dynamodb, self._table, f"room#{room}")]

    def leave(self, room: str, alerts: Collection[PendingAlert]) -> None:
        """Delete them, 25 a call."""
        for batch in batched(alerts, ITEMS_PER_CALL, strict=False):
            requests: list[Any] = [{"DeleteRequest": {"Key": _key(room, alert)}} for alert in batch]
            for _ in range(_TRIES):
                with translated():
                    answer = self._dynamodb.batch_write_item(RequestItems={self._table: requests})
                requests = list(answer.get("UnprocessedItems", {}).get(self._table, []))
                if not requests:
                    break
                self._clock.pause(0.1)
            else:
                raise ThrottledError("AWS throttles BatchWriteItem; try again later")


class DynamoDbConcerns:
    """What lasts. Events come in any order; the one that was published last has the last word."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._dynamodb = client
        self._table = table
        self._clock = clock

    def find(self, identity: str) -> Concern | None:
        """What is remembered of it."""
        with translated():
            answer = self._dynamodb.get_item(TableName=self._table, Key=_concern_key(identity), ConsistentRead=True)
        return _concern(answer["Item"]) if "Item" in answer else None

    def keep(self, concern: Concern) -> None:
        """Remember it, unless something newer is."""
        item = {
            **_concern_key(concern.id),
            "state": {"S": concern.state},
            "severity": {"S": concern.severity.name},
            "what": {"S": concern.what},
            "since": {"S": concern.since},
            "at": {"S": concern.at.isoformat()},
            "until": {"S": concern.until},
            "expected": {"BOOL": concern.expected},
            "arn": {"S": concern.arn},
        }
        if concern.state is State.OVER:
            item["expiration"] = _number(self._clock.now() + ENDED_KEPT)
        with translated(), unless("ConditionalCheckFailedException"):
            self._dynamodb.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(id) OR #at <= :at",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":at": item["at"]},
            )

    def all(self) -> Sequence[Concern]:
        """Everything."""
        return [_concern(item) for item in _members(self._dynamodb, self._table, "concerns")]


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


def _key(room: str, alert: PendingAlert) -> dict[str, Any]:
    badness = max(Severity) - alert.severity
    return {"id": {"S": f"room#{room}"}, "member": {"S": f"{badness}#{alert.event_id}"}}


def _waiting(item: dict[str, Any]) -> PendingAlert:
    return PendingAlert(
        item["event_id"]["S"],
        item["kind"]["S"],
        Severity[item["severity"]["S"]],
        item["title"]["S"],
        frozenset(Channel(channel) for channel in item["channels"]["SS"]),
    )


def _concern_key(identity: str) -> dict[str, Any]:
    return {"id": {"S": "concerns"}, "member": {"S": identity}}


def _concern(item: dict[str, Any]) -> Concern:
    subject, _, name = item["member"]["S"].partition("#")
    return Concern(
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
