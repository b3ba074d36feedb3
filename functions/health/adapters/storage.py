"""How tables and buckets are protected."""

from typing import Any

from botocore.exceptions import ClientError

from health.adapters.rights import needing
from health.domain.facts import Bucket, Table
from steward.aws.errors import code_of

_GONE = frozenset({"NoSuchBucket", "404"})


class Storage:
    """Reads tables and buckets."""

    def __init__(self, dynamodb: Any, s3: Any) -> None:
        self._dynamodb = dynamodb
        self._s3 = s3

    def table(self, name: str) -> Table:
        """Two calls."""
        with needing("dynamodb:DescribeTable"):
            try:
                status = self._dynamodb.describe_table(TableName=name)["Table"]["TableStatus"]
            except ClientError as error:
                if code_of(error) == "ResourceNotFoundException":
                    return Table(None, None)
                raise
        with needing("dynamodb:DescribeContinuousBackups"):
            described = self._dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = described.get("PointInTimeRecoveryDescription", {})
        return Table(status, recovery.get("PointInTimeRecoveryStatus") == "ENABLED")

    def bucket(self, name: str, owner: str) -> Bucket:
        """Three calls."""
        whose = {"Bucket": name, "ExpectedBucketOwner": owner}
        try:
            with needing("s3:GetBucketVersioning"):
                versioned = self._s3.get_bucket_versioning(**whose).get("Status") == "Enabled"
        except Exception as error:
            if _is(error, _GONE):
                return Bucket(exists=False)
            raise
        with needing("s3:GetBucketPublicAccessBlock"):
            private = self._is_private(whose)
        with needing("s3:GetBucketNotification"):
            notifies = "EventBridgeConfiguration" in self._s3.get_bucket_notification_configuration(**whose)
        return Bucket(exists=True, versioned=versioned, private=private, notifies=notifies)

    def _is_private(self, whose: dict[str, str]) -> bool:
        try:
            block = self._s3.get_public_access_block(**whose)["PublicAccessBlockConfiguration"]
        except ClientError as error:
            if code_of(error) == "NoSuchPublicAccessBlockConfiguration":
                return False
            raise
        return all(block.get(name) for name in _BLOCKS)


_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _is(error: Exception, codes: frozenset[str]) -> bool:
    cause = error.__cause__
    return isinstance(cause, ClientError) and code_of(cause) in codes
