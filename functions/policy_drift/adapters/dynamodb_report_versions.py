"""Which versions of the report's objects the last scan wrote, in the table of policy drift."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = {"id": {"S": "latest-report"}}


class DynamoDbReportVersions:
    """One item: extension -> the version that S3 returned."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._dynamodb = client
        self._table = table

    def keep(self, versions: Mapping[str, str]) -> None:
        """Record them in place of those of the scan before."""
        recorded = {extension: {"S": version} for extension, version in versions.items()}
        with translated():
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression="SET versions = :versions",
                ExpressionAttributeValues={":versions": {"M": recorded}},
            )

    def latest(self, extension: str) -> str | None:
        """The version of the latest report with this extension; None before the first."""
        with translated():
            found = self._dynamodb.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        versions = found["Item"]["versions"]["M"] if "Item" in found else {}
        return versions[extension]["S"] if extension in versions else None
