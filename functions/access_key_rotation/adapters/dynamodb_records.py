"""Keeps rotation's records and locks in one DynamoDB table.

An item has the key ``id``: ``user#<name>``. Beside the record it holds the lock (``lease_until``, ``fence``, and its
``holder``'s token), the intent, the leaks that are reported and not on record yet (``reported``), the routine rotations
that are requested and not settled yet (``requested``, as JSON), the leaked keys that were deactivated without the lock
(``stopped``), and ``next_at``, for people who look.
Times are ISO 8601 in the record and epoch seconds outside of it.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from access_key_rotation.application.ports import UNNAMED, BusyError, Claim, LeaseLostError, is_reported, is_settled
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Demand
from access_key_rotation.domain.state import UNREADABLE, Intent, Record
from steward.aws.errors import translated
from steward.clock import Clock
from steward.errors import RuleViolationError, UpstreamError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "user#"
_FREE = "attribute_not_exists(lease_until) OR lease_until <= :now"
_STILL_OURS = "fence = :fence AND holder = :holder AND attribute_exists(lease_until)"
"""The fence restarts when an item is deleted, so the holder is checked too."""
_REFUSED = "ConditionalCheckFailedException"


class DynamoDbRotationRecords:
    """Records and locks; every write after a claim holds only while the claim's fence is the newest."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._dynamodb = client
        self._table = table
        self._clock = clock

    def claim(self, user: UserName, token: str, lease: timedelta, *, resuming: bool = False) -> Claim:
        """Take the lock, increment the fence, and write the intent unless there is one."""
        now = self._clock.now()
        intent, until = Intent(token, now), now + lease
        busy = BusyError(f"another run works on {user}", code=_REFUSED)
        with translated({_REFUSED: busy}):
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(user),
                UpdateExpression=(
                    "SET lease_until = :until, holder = :token, intent = if_not_exists(intent, :intent) ADD fence :one"
                ),
                ConditionExpression=f"{_FREE} OR holder = :token" if resuming else _FREE,
                ExpressionAttributeValues={
                    ":token": {"S": token},
                    ":until": _number(until),
                    ":now": _number(now),
                    ":intent": {"S": msgspec.json.encode(intent).decode()},
                    ":one": {"N": "1"},
                },
                ReturnValues="ALL_NEW",
            )
        item = answer["Attributes"]
        with _readable(user):
            found = msgspec.json.decode(item["intent"]["S"], type=Intent)
            record = replace(_record(item), intent=None if found == intent else found)
            requested = frozenset(_request(text) for text in _texts(item, "requested"))
        return Claim(
            user, int(item["fence"]["N"]), until, intent, record, _reported(item), requested, _texts(item, "stopped")
        )

    def report_leak(self, user: UserName, key_id: str) -> None:
        """Add the key to the user's reported ones, whether or not the item exists and who holds its lock."""
        self._add("reported", user, key_id or UNNAMED)

    def stop(self, user: UserName, key_id: str) -> None:
        """Add the key to the user's stopped ones, as above."""
        self._add("stopped", user, key_id)

    def request(self, user: UserName, demand: Demand) -> None:
        """Add the request to the user's requested ones, as above."""
        self._add("requested", user, _text(demand))

    def save(self, claim: Claim, record: Record) -> None:
        """Rewrite the record."""
        self._write(claim, record, "SET #record = :record, next_at = :next")

    def release(self, claim: Claim, record: Record) -> None:
        """Rewrite the record, and remove the lock, what was reported and is on record, and an intent that is over."""
        expression, values = "SET #record = :record, next_at = :next REMOVE lease_until, intent", dict[str, Any]()
        if record.intent:
            expression = "SET #record = :record, next_at = :next, intent = :intent REMOVE lease_until"
            values[":intent"] = {"S": msgspec.json.encode(record.intent).decode()}
        done = {
            "reported": sorted(key for key in claim.reported if _is_on_record(key, record)),
            "requested": sorted(_text(request) for request in claim.requested if is_settled(request, record)),
            "stopped": sorted(key for key in claim.stopped if record.history(key).deactivated_at),
        }
        if removed := [f"{name} :{name}" for name, texts in done.items() if texts]:
            expression += f" DELETE {', '.join(removed)}"
            values |= {f":{name}": {"SS": texts} for name, texts in done.items() if texts}
        self._write(claim, record, expression, values)

    def forget(self, claim: Claim) -> None:
        """Delete the item."""
        with _lost_to_another(claim):
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=_key(claim.user),
                ConditionExpression=_STILL_OURS,
                ExpressionAttributeValues=_fence(claim),
            )

    def find(self, user: UserName) -> Record | None:
        """The record of a user, without claiming it."""
        item = self._item(user)
        with _readable(user):
            return _record(item) if "record" in item else None

    def has_leaked(self, user: UserName, key_id: str) -> bool:
        """Look for the key in the report and in the record, which need not be readable where the report has the key."""
        item = self._item(user)
        if is_reported(key_id, Record(), _reported(item)):
            return True
        with _readable(user):
            return _record(item).history(key_id).compromised

    def all(self) -> Iterator[tuple[UserName, Record, bool]]:
        """Every recorded user, and whether a run holds its lock. One call per megabyte of the table."""
        now = self._clock.now().timestamp()
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table)
        with translated():
            for page in pages:
                for item in page["Items"]:
                    with suppress(RuleViolationError):  # no user has such a name: the item is no record
                        name = UserName(item["id"]["S"].removeprefix(PREFIX))
                        busy = float(item.get("lease_until", {}).get("N", "0")) > now
                        yield name, _record_or_unreadable(item), busy

    def _item(self, user: UserName) -> dict[str, Any]:
        with translated():
            return self._dynamodb.get_item(TableName=self._table, Key=_key(user), ConsistentRead=True).get("Item", {})

    def _add(self, name: str, user: UserName, text: str) -> None:
        with translated():
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(user),
                UpdateExpression=f"ADD {name} :text",
                ExpressionAttributeValues={":text": {"SS": [text]}},
            )

    def _write(self, claim: Claim, record: Record, expression: str, values: dict[str, Any] | None = None) -> None:
        with _lost_to_another(claim):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(claim.user),
                UpdateExpression=expression,
                ConditionExpression=_STILL_OURS,
                ExpressionAttributeNames={"#record": "record"},
                ExpressionAttributeValues={
                    ":record": {"S": msgspec.json.encode(replace(record, intent=None)).decode()},
                    ":next": _number(record.next_at or self._clock.now()),
                    **_fence(claim),
                    **(values or {}),
                },
            )


def _is_on_record(reported: str, record: Record) -> bool:
    """Whether the report of a leak is void: the leak is recorded, or a report without a key id can mean no key."""
    return bool(record.current_key) if reported == UNNAMED else record.history(reported).compromised


def _text(request: Demand) -> str:
    return msgspec.json.encode(request).decode()


def _request(text: str) -> Demand:
    return msgspec.json.decode(text, type=Demand)


def _lost_to_another(claim: Claim) -> AbstractContextManager[None]:
    lost = LeaseLostError(f"another run took over {claim.user}", code=_REFUSED)
    return translated({_REFUSED: lost})


def _fence(claim: Claim) -> dict[str, Any]:
    return {":fence": {"N": str(claim.fence)}, ":holder": {"S": claim.intent.token}}


def _key(user: UserName) -> dict[str, Any]:
    return {"id": {"S": f"{PREFIX}{user}"}}


def _record(item: dict[str, Any]) -> Record:
    return msgspec.json.decode(item["record"]["S"], type=Record) if "record" in item else Record()


def _record_or_unreadable(item: dict[str, Any]) -> Record:
    try:
        return _record(item)
    except (KeyError, msgspec.DecodeError):
        return Record(state=UNREADABLE)


@contextmanager
def _readable(user: UserName) -> Iterator[None]:
    """Raise UpstreamError for what another writer left in the user's item; its text may be anything."""
    try:
        yield
    except (KeyError, msgspec.DecodeError):
        raise UpstreamError(
            f"the record of {user} is damaged, so nothing is done for this user: runbook restore-the-table"
        ) from None


def _reported(item: dict[str, Any]) -> frozenset[str]:
    return _texts(item, "reported")


def _texts(item: dict[str, Any], name: str) -> frozenset[str]:
    return frozenset(item.get(name, {}).get("SS", []))


def _number(moment: datetime) -> dict[str, Any]:
    return {"N": f"{moment.astimezone(UTC).timestamp():.6f}"}
