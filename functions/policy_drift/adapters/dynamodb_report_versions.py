"""Which versions of the report's objects the last scan wrote, in the table of policy drift."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from policy_drift.adapters.s3_reports import ReportVersion
from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = {"id": {"S": "latest-report"}}


class DynamoDbReportVersions:
    """One item: extension -> the version that S3 returned, and extension -> its digest."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._dynamodb = client
        self._table = table

    def keep(self, versions: Mapping[str, ReportVersion]) -> None:
        """Record them in place of those of the scan before."""
        ids = {extension: {"S": version.id} for extension, version in versions.items()}
        digests = {extension: {"S": version.sha256} for extension, version in versions.items()}
        with translated():
            self._dynamodb.update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression="SET versions = :versions, digests = :digests",
                ExpressionAttributeValues={":versions": {"M": ids}, ":digests": {"M": digests}},
            )

    def latest(self, extension: str) -> ReportVersion | None:
        """The version of the latest report with this extension; None before the first."""
        with translated():
            found = self._dynamodb.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        item = found.get("Item", {})
        versions, digests = (item[name]["M"] if name in item else {} for name in ("versions", "digests"))
        if extension not in versions:
            return None
        return ReportVersion(versions[extension]["S"], digests[extension]["S"] if extension in digests else "")
