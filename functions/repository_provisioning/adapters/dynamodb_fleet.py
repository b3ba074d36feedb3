"""Scans of the fleet, in the table of provisioning.

Items: ``fleet#last`` is the last complete scan, ``fleet#running`` the one on its way and the run that has it,
``fleet#<scan>#<number>`` a part: a hundred repositories in one item, far below DynamoDB's 400 KB. A complete scan takes
the place of the last one by one write, so readers never see half of it.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from repository_provisioning.application.ports import ScanInProgressError
from repository_provisioning.domain.fleet import CompletedScan, FleetEntry, RunningScan
from steward.aws.errors import translated
from steward.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTS_KEPT = timedelta(days=14)
"""A page of an older scan, or of the last one while scans fail, can be read so long."""
_LAST, _RUNNING = "fleet#last", "fleet#running"


class DynamoDbFleetScans:
    """Scans of one registry."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._dynamodb = client
        self._table = table
        self._clock = clock

    def last(self) -> CompletedScan | None:
        """The last complete one."""
        return self._read(_LAST, CompletedScan)

    def running(self) -> RunningScan | None:
        """The one that has begun and is not complete."""
        return self._read(_RUNNING, RunningScan)

    def begin(self, scan: RunningScan, run_id: str, until: datetime) -> None:
        """Take the scan for one run, if no other has it; as long as nothing was added since it was read."""
        now = str(int(self._clock.now().timestamp()))
        with _taken_over():
            self._dynamodb.put_item(
                TableName=self._table,
                Item=self._running_item(scan, run_id, int(until.timestamp())),
                ConditionExpression="attribute_not_exists(held_until) OR run_id = :run OR held_until < :now",
                ExpressionAttributeValues={":run": {"S": run_id}, ":now": {"N": now}},
            )

    def add(self, scan: RunningScan, run_id: str, entries: Sequence[FleetEntry]) -> RunningScan:
        """Keep the entries first, then that they are kept: what is written twice in between is the same."""
        expires = int((self._clock.now() + PARTS_KEPT).timestamp())
        part = {
            "id": {"S": _part(scan.scan_id, scan.parts)},
            "entries": {"S": msgspec.json.encode(list(entries)).decode()},
            "expiration": {"N": str(expires)},
        }
        further = replace(scan, parts=scan.parts + 1)
        with translated():
            self._dynamodb.put_item(TableName=self._table, Item=part)
        with _taken_over():
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": _RUNNING}},
                UpdateExpression="SET progress = :scan",
                ConditionExpression="run_id = :run AND scan_id = :id",
                ExpressionAttributeValues={
                    ":scan": {"S": _text(further)},
                    ":run": {"S": run_id},
                    ":id": {"S": scan.scan_id},
                },
            )
        return further

    def release(self, scan: RunningScan, run_id: str) -> None:
        """Leave the scan to the next run."""
        with _taken_over():
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": _RUNNING}},
                UpdateExpression="SET held_until = :now",
                ConditionExpression="run_id = :run AND scan_id = :id",
                ExpressionAttributeValues={":now": {"N": "0"}, ":run": {"S": run_id}, ":id": {"S": scan.scan_id}},
            )

    def complete(self, scan: RunningScan, run_id: str, done: CompletedScan) -> None:
        """Give up the one on its way, if this run still has it, and put it in the place of the last one.

        In this order no run that was taken over puts an older result in place; a failure in between costs a scan.
        """
        with _taken_over():
            self._dynamodb.delete_item(
                TableName=self._table,
                Key={"id": {"S": _RUNNING}},
                ConditionExpression="run_id = :run AND scan_id = :id",
                ExpressionAttributeValues={":run": {"S": run_id}, ":id": {"S": scan.scan_id}},
            )
        with translated():
            self._dynamodb.put_item(TableName=self._table, Item={"id": {"S": _LAST}, "progress": {"S": _text(done)}})

    def part(self, scan_id: str, number: int) -> list[FleetEntry] | None:
        """A part of a scan; DynamoDB may keep one for some days beyond its time."""
        return self._decoded(_part(scan_id, number), "entries", list[FleetEntry])

    def _read[T](self, key: str, kind: type[T]) -> T | None:
        return self._decoded(key, "progress", kind)

    def _decoded[T](self, key: str, attribute: str, kind: type[T]) -> T | None:
        """What an item holds; None for what another version or writer left there: a new scan takes its place."""
        with translated():
            answer = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True)
        with suppress(KeyError, msgspec.DecodeError):
            return msgspec.json.decode(answer["Item"][attribute]["S"], type=kind)
        return None

    @staticmethod
    def _running_item(scan: RunningScan, run_id: str, until: int) -> dict[str, Any]:
        return {
            "id": {"S": _RUNNING},
            "scan_id": {"S": scan.scan_id},
            "progress": {"S": _text(scan)},
            "run_id": {"S": run_id},
            "held_until": {"N": str(until)},
        }


def _part(scan_id: str, number: int) -> str:
    return f"fleet#{scan_id}#{number}"


def _text(scan: RunningScan | CompletedScan) -> str:
    return msgspec.json.encode(scan).decode()


def _taken_over() -> AbstractContextManager[None]:
    taken_over = ScanInProgressError("another run works on the scan of the registry")
    return translated({"ConditionalCheckFailedException": taken_over})
