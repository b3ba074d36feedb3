"""What the targets of secret sync confirmed, on DynamoDB: one item per user, with a lock. No value is ever in it."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from access_key_rotation.application.ports import BusyError, LeaseLostError, SyncClaim
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.sync import SyncRecord
from steward.aws.errors import translated
from steward.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "user#"
_FREE = "attribute_not_exists(lease_until) OR lease_until <= :now"
_STILL_OURS = "holder = :token AND attribute_exists(lease_until)"
_REFUSED = "ConditionalCheckFailedException"


class DynamoDbSyncRecords:
    """Confirmations and locks; every write after a claim holds only while the claim's token has the lock."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._dynamodb = client
        self._table = table
        self._clock = clock

    def find(self, user: UserName) -> SyncRecord:
        """The confirmations, read consistently."""
        with translated():
            item = self._dynamodb.get_item(TableName=self._table, Key=_key(user), ConsistentRead=True).get("Item", {})
        return _record(item)

    def claim(self, user: UserName, token: str, lease: timedelta) -> SyncClaim:
        """Take the lock."""
        now = self._clock.now()
        until = now + lease
        with translated({_REFUSED: BusyError(f"another run writes to the targets of {user}", code=_REFUSED)}):
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(user),
                UpdateExpression="SET lease_until = :until, holder = :token",
                ConditionExpression=_FREE,
                ExpressionAttributeValues={":token": {"S": token}, ":until": _number(until), ":now": _number(now)},
                ReturnValues="ALL_NEW",
            )
        return SyncClaim(user, token, until, _record(answer["Attributes"]))

    def save(self, claim: SyncClaim, record: SyncRecord) -> None:
        """Rewrite the confirmations."""
        self._write(claim, record, "SET #record = :record")

    def release(self, claim: SyncClaim, record: SyncRecord) -> None:
        """Rewrite the confirmations, and remove the lock."""
        self._write(claim, record, "SET #record = :record REMOVE lease_until")

    def _write(self, claim: SyncClaim, record: SyncRecord, expression: str) -> None:
        lost = LeaseLostError(f"another run took over the targets of {claim.user}", code=_REFUSED)
        with translated({_REFUSED: lost}):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(claim.user),
                UpdateExpression=expression,
                ConditionExpression=_STILL_OURS,
                ExpressionAttributeNames={"#record": "record"},
                ExpressionAttributeValues={
                    ":record": {"S": msgspec.json.encode(record).decode()},
                    ":token": {"S": claim.token},
                },
            )


def _key(user: UserName) -> dict[str, Any]:
    return {"id": {"S": f"{PREFIX}{user}"}}


def _record(item: dict[str, Any]) -> SyncRecord:
    """The confirmations; what cannot be read confirms nothing, so that every target is written again."""
    try:
        return msgspec.json.decode(item["record"]["S"], type=SyncRecord)
    except (KeyError, msgspec.DecodeError):
        return SyncRecord()


def _number(moment: datetime) -> dict[str, Any]:
    return {"N": f"{moment.astimezone(UTC).timestamp():.6f}"}
