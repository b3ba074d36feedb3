"""Items with a revision, and the events that each revision leads to, in one DynamoDB table.

An item has the key ``id``, its value as compressed JSON (``value``), ``revision``, and ``undelivered``: a map from
revision to the events that are yet to be published and the moment until which their writer publishes them. Value and
events are written in one conditional step, so that no alert is lost and no two runs decide on the same one.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from policy_drift.application.ports import ConcurrentUpdateError, Kept, Undelivered
from policy_drift.domain import events as event_types
from policy_drift.domain.surrogates import escaped
from steward.aws.errors import translated
from steward.events import PublishableEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LARGEST = 250_000
"""Bytes of a compressed value and its events; an item takes 400 KB, and events of earlier revisions may wait in it."""
_REFUSED = "ConditionalCheckFailedException"
_KEYS_A_CALL = 100


class OutboxTable[T]:
    """Values of one type, under ids that begin with one prefix.

    Parameters
    ----------
    stored_as
        Names of fields in the table, where they differ: the table outlives a renamed field.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        prefix: str,
        of: type[T],
        stored_as: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._dynamodb = client
        self._table = table
        self._prefix = prefix
        self._type = of
        self._stored_as = stored_as
        self._read_as = {stored: field for field, stored in stored_as.items()}

    def get(self, item: str) -> Kept[T] | None:
        """One item, read consistently."""
        with translated():
            found = self._dynamodb.get_item(TableName=self._table, Key=self._key(item), ConsistentRead=True)
        return self._kept(found["Item"]) if "Item" in found else None

    def get_many(self, items: Sequence[str]) -> Iterator[Kept[T]]:
        """Those that are there. One call per hundred."""
        for start in range(0, len(items), _KEYS_A_CALL):
            wanted: Any = {
                self._table: {
                    "Keys": [self._key(item) for item in items[start : start + _KEYS_A_CALL]],
                    "ConsistentRead": True,
                }
            }
            while wanted:
                with translated():
                    answer = self._dynamodb.batch_get_item(RequestItems=wanted)
                yield from (self._kept(found) for found in answer["Responses"].get(self._table, []))
                wanted = answer.get("UnprocessedKeys")

    def all(self) -> Iterator[Kept[T]]:
        """Every item with the prefix. One call per megabyte of the table."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="begins_with(id, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": self._prefix}},
        )
        with translated():
            for page in pages:
                yield from (self._kept(found) for found in page["Items"])

    def save(
        self,
        item: str,
        value: T,
        *,
        after: int,
        events: Sequence[PublishableEvent],
        until: datetime | None,
        expiration: datetime | None = None,
        shown: Mapping[str, str],
    ) -> int:
        """Write value and events, if the revision is still ``after``. ``shown`` are attributes for people who look."""
        revision = after + 1
        box = {"until": _number(until), "events": {"B": _packed_events(events)}} if events and until else None
        values: dict[str, Any] = {
            ":value": {"B": self._packed(value)},
            ":revision": {"N": str(revision)},
            **{f":{name}": {"S": text} for name, text in shown.items()},
        }
        names = {"#value": "value", **{f"#{name}": name for name in shown}}
        sets = ["#value = :value", "revision = :revision", *(f"#{name} = :{name}" for name in shown)]
        if expiration:
            values[":expiration"] = {"N": str(int(expiration.timestamp()))}
            sets.append("expiration = :expiration")
        if after == 0:
            values[":undelivered"] = {"M": {str(revision): {"M": box}} if box else {}}
            sets.append("undelivered = :undelivered")
            condition = "attribute_not_exists(id)"
        else:
            values[":after"] = {"N": str(after)}
            condition = "revision = :after"
            if box:
                names["#box"] = str(revision)
                values[":box"] = {"M": box}
                sets.append("undelivered.#box = :box")
        expression = "SET " + ", ".join(sets) + ("" if expiration else " REMOVE expiration")
        self._update(item, expression, condition, names, values)
        return revision

    def take_over(self, item: str, revision: int, *, was: datetime, until: datetime) -> bool:
        """Move the moment, if it is still the one that was read."""
        try:
            self._update(
                item,
                "SET undelivered.#box.#until = :until",
                "undelivered.#box.#until = :was",
                {"#box": str(revision), "#until": "until"},
                {":until": _number(until), ":was": _number(was)},
            )
        except ConcurrentUpdateError:
            return False
        return True

    def delivered(self, item: str, revision: int) -> None:
        """Forget the events."""
        with translated():
            self._dynamodb.update_item(
                TableName=self._table,
                Key=self._key(item),
                UpdateExpression="REMOVE undelivered.#box",
                ConditionExpression="attribute_exists(id)",
                ExpressionAttributeNames={"#box": str(revision)},
            )

    def fits(self, value: T, events: Sequence[PublishableEvent]) -> bool:
        """Whether an item takes the value and its events."""
        return len(self._packed(value)) + len(_packed_events(events)) <= LARGEST

    def _update(
        self, item: str, expression: str, condition: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        overtaken = ConcurrentUpdateError(f"{item} was written by another run", code=_REFUSED)
        with translated({_REFUSED: overtaken}):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=self._key(item),
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
            )

    def _packed(self, value: T) -> bytes:
        return _packed(_renamed(msgspec.to_builtins(value, enc_hook=str), self._stored_as))

    def _key(self, item: str) -> dict[str, Any]:
        return {"id": {"S": f"{self._prefix}{item}"}}

    def _kept(self, item: Mapping[str, Any]) -> Kept[T]:
        stored = msgspec.json.decode(zlib.decompress(item["value"]["B"]))
        boxes = item.get("undelivered", {}).get("M", {})
        return Kept(
            msgspec.convert(_renamed(stored, self._read_as), self._type, dec_hook=_text),
            int(item["revision"]["N"]),
            {int(revision): _box(box["M"]) for revision, box in boxes.items()},
        )


def _box(box: Mapping[str, Any]) -> Undelivered:
    return Undelivered(_unpacked_events(box["events"]["B"]), datetime.fromtimestamp(float(box["until"]["N"]), UTC))


def _renamed(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in fields.items()}


def _packed(value: Any) -> bytes:
    try:
        text = msgspec.json.encode(value)
    except UnicodeEncodeError:  # a lone surrogate in a baseline that a person wrote
        text = msgspec.json.encode(escaped(value))
    return zlib.compress(text, 9)


def _packed_events(events: Iterable[PublishableEvent]) -> bytes:
    return _packed(msgspec.to_builtins([[type(event).__name__, asdict(event)] for event in events], enc_hook=str))


def _unpacked_events(packed: bytes) -> tuple[PublishableEvent, ...]:
    return tuple(getattr(event_types, kind)(**data) for kind, data in msgspec.json.decode(zlib.decompress(packed)))


def _text(kind: type[Any], value: Any) -> Any:
    """Texts that check themselves, such as ids of entities."""
    return kind(value)


def _number(moment: datetime) -> dict[str, Any]:
    return {"N": f"{moment.timestamp():.6f}"}
