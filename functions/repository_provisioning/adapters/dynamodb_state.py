"""What provisioning remembers between calls, in one DynamoDB table: what is complete, and how much a caller created.

Items have the key ``id``: ``repository#<name>`` and ``quota#<caller>#<day>``; ``expiration`` (epoch seconds) is the
table's time to live.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import date, timedelta
from itertools import batched
from typing import TYPE_CHECKING, Any

import msgspec

from repository_provisioning.application.ports import Record
from repository_provisioning.domain.house_rules import Overrides
from repository_provisioning.domain.names import RepositoryName
from steward.aws.errors import translated, unless
from steward.clock import Clock
from steward.errors import ThrottledError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ITEMS_PER_CALL = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
UNMANAGED_KEPT = timedelta(hours=1)
QUOTA_KEPT = timedelta(days=2)
_TRIES = 5


class DynamoDbRecords:
    """Records of repositories. An item is rewritten whole, so the last writer wins; all writers know the same rules."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._dynamodb = client
        self._table = table
        self._clock = clock

    def get_many(self, names: Collection[RepositoryName]) -> dict[RepositoryName, Record]:
        """The records of those of ``names`` that have one, a hundred per call."""
        records: dict[RepositoryName, Record] = {}
        now = int(self._clock.now().timestamp())
        for batch in batched(names, ITEMS_PER_CALL, strict=False):
            for item in self._items([{"id": {"S": f"repository#{name}"}} for name in batch]):
                if int(item.get("expiration", {}).get("N", now + 1)) > now:
                    name = RepositoryName(item["id"]["S"].removeprefix("repository#"))
                    with suppress(KeyError, msgspec.DecodeError):  # of another version or writer; as good as lost
                        overrides = msgspec.json.decode(item["overrides"]["S"], type=Overrides)
                        by = item.get("overridden_by", {}).get("S", "")
                        records[name] = Record(item["fingerprint"]["S"], item["managed"]["BOOL"], overrides, by)
        return records

    def put(self, name: RepositoryName, record: Record) -> None:
        """Remember it; what is not ours is forgotten after an hour."""
        item: dict[str, Any] = {
            "id": {"S": f"repository#{name}"},
            "fingerprint": {"S": record.fingerprint},
            "managed": {"BOOL": record.managed},
            "overrides": {"S": msgspec.json.encode(record.overrides).decode()},
            "overridden_by": {"S": record.overridden_by},
        }
        if not record.managed:
            item["expiration"] = {"N": str(int((self._clock.now() + UNMANAGED_KEPT).timestamp()))}
        with translated():
            self._dynamodb.put_item(TableName=self._table, Item=item)

    def _items(self, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """All items of ``keys``: BatchGetItem may leave some for the next call."""
        for _ in range(_TRIES):
            with translated():
                answer = self._dynamodb.batch_get_item(
                    RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
                )
            yield from answer["Responses"].get(self._table, [])
            left = answer.get("UnprocessedKeys", {}).get(self._table)
            if not left:
                return
            keys = list(left["Keys"])
            self._clock.pause(0.1)
        raise ThrottledError("AWS throttles BatchGetItem; try again later")


class DynamoDbCreationQuota:
    """Counters of creations, one per caller and day; DynamoDB decides between concurrent calls."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._dynamodb = client
        self._table = table

    def take(self, caller: str, day: date, limit: int) -> bool:
        """Count one more, unless that would exceed ``limit``; whether it was counted."""
        below = "attribute_not_exists(creations) OR creations < :limit"
        with translated(), unless("ConditionalCheckFailedException"):
            self._add(caller, day, 1, below, {":limit": {"N": str(limit)}})
            return True
        return False

    def give_back(self, caller: str, day: date) -> None:
        """Uncount one."""
        with translated():
            self._add(caller, day, -1, "attribute_exists(creations)", {})

    def _add(self, caller: str, day: date, amount: int, condition: str, values: dict[str, Any]) -> None:
        midnight = (day - date(1970, 1, 1)) // timedelta(seconds=1)
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"id": {"S": f"quota#{caller}#{day.isoformat()}"}},
            UpdateExpression="ADD creations :amount SET expiration = :expiration",
            ConditionExpression=condition,
            ExpressionAttributeValues={
                ":amount": {"N": str(amount)},
                ":expiration": {"N": str(midnight + int(QUOTA_KEPT.total_seconds()))},
                **values,
            },
        )
