"""Items with a revision, and the events that each revision leads to, in one DynamoDB table.

An item has the key ``id``, its value as compressed JSON (``value``), ``revision``, and ``undelivered``: a map from
revision to the events that are yet to be published and the moment until which their writer publishes them.
``published`` is a set of the digests of all of its events, by which alerting tells them from forged ones. Value and
events are written in one conditional step, so that no alert is lost and no two runs decide on the same one.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import batched
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from policy_drift.application.ports import ConcurrentUpdateError, Kept, Undelivered
from policy_drift.domain import events as event_types
from policy_drift.domain.surrogates import escaped
from steward.aws.errors import translated
from steward.events import PublishableEvent, digest_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LARGEST = 250_000
"""Bytes of a compressed value and its events; an item takes 400 KB, and events of earlier revisions may wait in it."""
_REFUSED = "ConditionalCheckFailedException"
_CANCELLED = "TransactionCanceledException"
_KEYS_A_CALL = 100
_MOST_TOGETHER = 3_000_000
"""Bytes of the items of one transaction; DynamoDB takes 4 MB."""
_OF_THE_REST = 1_000
"""Bytes of the names and conditions of one item."""


@dataclass(frozen=True, slots=True)
class ItemWrite[T]:
    """A value to write with its events, if its revision is still ``after``.

    ``until`` is the lease of the events, ``expiration`` when the item is forgotten; ``shown`` are attributes for people
    who look at the table.
    """

    item: str
    value: T
    after: int
    events: Sequence[PublishableEvent] = ()
    until: datetime | None = None
    expiration: datetime | None = None
    shown: Mapping[str, str] = field(default_factory=dict)


class OutboxTable[T]:
    """Values of one type, under ids that begin with one prefix.

    Parameters
    ----------
    stored_as
        Names of fields in the table, where they differ: the table outlives a renamed field.
    unreadable
        Makes the value that stands in for an item that cannot be read, from its id and the reason; None for an item to
        leave out. Without it such an item is an error. A write of the value replaces the whole item.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        prefix: str,
        of: type[T],
        stored_as: Mapping[str, str] = MappingProxyType({}),
        unreadable: Callable[[str, str], T | None] | None = None,
    ) -> None:
        self._dynamodb = client
        self._table = table
        self._prefix = prefix
        self._type = of
        self._stored_as = stored_as
        self._read_as = {stored: field for field, stored in stored_as.items()}
        self._unreadable = unreadable
        self._damaged: set[str] = set()

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
                yield from self._all_kept(answer["Responses"].get(self._table, []))
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
                yield from self._all_kept(page["Items"])

    def save(self, write: "ItemWrite[T]") -> int:
        """Write value and events, if the revision is still ``after``."""
        self._update(self._change(write))
        return write.after + 1

    def save_many(self, writes: Sequence["ItemWrite[T]"]) -> list[int | None]:
        """`save` each of them: the new revisions, None where another run wrote first. One call per hundred or 3 MB."""
        revisions: list[int | None] = []
        for some in _fitting([(write, self._change(write)) for write in writes]):
            if self._update_together([change for _, change in some]):
                revisions += [write.after + 1 for write, _ in some]
            else:
                revisions += [self._saved_alone(write, change) for write, change in some]
        return revisions

    def _saved_alone(self, write: "ItemWrite[T]", change: dict[str, Any]) -> int | None:
        try:
            self._update(change)
        except ConcurrentUpdateError:
            return None
        return write.after + 1

    def _change(self, write: "ItemWrite[T]") -> dict[str, Any]:
        """The update of an item, as a call or as a part of one."""
        after, expiration, shown = write.after, write.expiration, write.shown
        revision = after + 1
        events, until = write.events, write.until
        box = {"until": _number(until), "events": {"B": _packed_events(events)}} if events and until else None
        values: dict[str, Any] = {
            ":value": {"B": self._packed(write.value)},
            ":revision": {"N": str(revision)},
            **{f":{name}": {"S": text} for name, text in shown.items()},
        }
        names = {"#value": "value", **{f"#{name}": name for name in shown}}
        sets = ["#value = :value", "revision = :revision", *(f"#{name} = :{name}" for name in shown)]
        if expiration:
            values[":expiration"] = {"N": str(int(expiration.timestamp()))}
            sets.append("expiration = :expiration")
        is_damaged = write.item in self._damaged
        if after == 0:
            condition = "attribute_exists(id)" if is_damaged else "attribute_not_exists(id)"
        else:
            values[":after"] = {"N": str(after)}
            condition = "revision = :after"
        if after == 0 or is_damaged:
            values[":undelivered"] = {"M": {str(revision): {"M": box}} if box else {}}
            sets.append("undelivered = :undelivered")
        elif box:
            names["#box"] = str(revision)
            values[":box"] = {"M": box}
            sets.append("undelivered.#box = :box")
        added = ""
        if events:
            values[":published"] = {"SS": sorted({_digest(event) for event in events})}
            added = " ADD published :published"
        expression = "SET " + ", ".join(sets) + ("" if expiration else " REMOVE expiration") + added
        return self._asked(write.item, expression, condition, names, values)

    def take_over(self, item: str, revision: int, *, was: datetime, until: datetime) -> bool:
        """Move the moment, if it is still the one that was read."""
        try:
            self._update(
                self._asked(
                    item,
                    "SET undelivered.#box.#until = :until",
                    "undelivered.#box.#until = :was",
                    {"#box": str(revision), "#until": "until"},
                    {":until": _number(until), ":was": _number(was)},
                )
            )
        except ConcurrentUpdateError:
            return False
        return True

    def delivered(self, revisions: Sequence[tuple[str, int]]) -> None:
        """Forget the events; of several items in one call per hundred."""
        for some in batched(revisions, _KEYS_A_CALL, strict=False):
            changes = [
                self._asked(item, "REMOVE undelivered.#box", "attribute_exists(id)", {"#box": str(revision)}, {})
                for item, revision in some
            ]
            if len({item for item, _ in some}) < len(some) or not self._update_together(changes):
                for change in changes:
                    self._update(change)

    def fits(self, value: T, events: Sequence[PublishableEvent]) -> bool:
        """Whether an item takes the value and its events."""
        return len(self._packed(value)) + len(_packed_events(events)) <= LARGEST

    def _asked(
        self, item: str, expression: str, condition: str, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": self._key(item),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            **({"ExpressionAttributeValues": values} if values else {}),
        }

    def _update_together(self, changes: Sequence[dict[str, Any]]) -> bool:
        """Make these updates in one call; False, and none of them, where another run writes one of the items."""
        if len(changes) == 1:
            return False
        transaction: Any = [{"Update": change} for change in changes]
        try:
            with translated({_CANCELLED: ConcurrentUpdateError("one of several items", code=_CANCELLED)}):
                self._dynamodb.transact_write_items(TransactItems=transaction)
        except ConcurrentUpdateError:
            return False
        return True

    def _update(self, change: dict[str, Any]) -> None:
        item = change["Key"]["id"]["S"].removeprefix(self._prefix)
        overtaken = ConcurrentUpdateError(f"{item} was written by another run", code=_REFUSED)
        with translated({_REFUSED: overtaken}):
            self._dynamodb.update_item(**change)

    def _packed(self, value: T) -> bytes:
        return _packed(_renamed(msgspec.to_builtins(value, enc_hook=str), self._stored_as))

    def _key(self, item: str) -> dict[str, Any]:
        return {"id": {"S": f"{self._prefix}{item}"}}

    def _all_kept(self, items: Iterable[Mapping[str, Any]]) -> Iterator[Kept[T]]:
        return filter(None, map(self._kept, items))

    def _kept(self, item: Mapping[str, Any]) -> Kept[T] | None:
        """The item, or what stands in for it: one that cannot be read must not hide the others."""
        item_id = item["id"]["S"].removeprefix(self._prefix)
        try:
            kept = self._read(item)
        except (zlib.error, ValueError, TypeError, LookupError, AttributeError) as error:
            if self._unreadable is None:
                raise
            self._damaged.add(item_id)
            value = self._unreadable(item_id, f"{type(error).__name__}: {error}")
            return None if value is None else Kept(value, _revision(item))
        self._damaged.discard(item_id)
        return kept

    def _read(self, item: Mapping[str, Any]) -> Kept[T]:
        stored = msgspec.json.decode(zlib.decompress(item["value"]["B"]))
        boxes = item.get("undelivered", {}).get("M", {})
        return Kept(
            msgspec.convert(_renamed(stored, self._read_as), self._type, dec_hook=_text),
            int(item["revision"]["N"]),
            {int(revision): _box(box["M"]) for revision, box in boxes.items()},
        )


def _fitting[W](changes: Sequence[tuple[W, dict[str, Any]]]) -> Iterator[list[tuple[W, dict[str, Any]]]]:
    """In parts that one transaction takes.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    """
    some: list[tuple[W, dict[str, Any]]] = []
    size = 0
    for write, change in changes:
        values = change["ExpressionAttributeValues"]
        boxes = values.get(":undelivered", {}).get("M", {}).values()
        events = [values[":box"]] if ":box" in values else [*boxes]
        bytes_of = len(values[":value"]["B"]) + sum(len(box["M"]["events"]["B"]) for box in events) + _OF_THE_REST
        if some and (len(some) == _KEYS_A_CALL or size + bytes_of > _MOST_TOGETHER):
            yield some
            some, size = [], 0
        some.append((write, change))
        size += bytes_of
    if some:
        yield some


def _revision(item: Mapping[str, Any]) -> int:
    """The revision of an item that cannot be read; 0 where it has none."""
    with suppress(LookupError, TypeError, ValueError):
        return int(item["revision"]["N"])
    return 0


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


def _digest(event: PublishableEvent) -> str:
    return digest_of(msgspec.to_builtins(asdict(event), enc_hook=str))


def _unpacked_events(packed: bytes) -> tuple[PublishableEvent, ...]:
    return tuple(getattr(event_types, kind)(**data) for kind, data in msgspec.json.decode(zlib.decompress(packed)))


def _text(kind: type[Any], value: Any) -> Any:
    """Texts that check themselves, such as ids of entities."""
    return kind(value)


def _number(moment: datetime) -> dict[str, Any]:
    return {"N": f"{moment.timestamp():.6f}"}
