"""Baselines on their way: sent to the bucket of reports, which is always the stack's own, and deleted after a day.

A link is signed with the length and the SHA-256 of one text, and S3 refuses every other. It names the text by its
SHA-256, so that no upload replaces another.
"""

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from policy_drift.adapters.s3_links import LINK_SECONDS, link
from policy_drift.application.ports import UploadLink
from steward.aws.errors import translated, unless

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Uploads:
    """The folder ``uploads`` of a bucket, with texts of at most ``largest`` bytes."""

    def __init__(self, client: "S3Client", bucket: str, largest: int) -> None:
        self._s3 = client
        self._bucket = bucket
        self._largest = largest

    def link(self, sha256: str, size: int) -> UploadLink:
        """A link that works for five minutes.

        S3 compares the body with the signed checksum:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
        """
        checksum = b64encode(bytes.fromhex(sha256)).decode()
        content = {"ContentLength": size, "ChecksumSHA256": checksum}
        with translated():
            url = link(self._s3, {**self._place(sha256), **content}, call="put_object")
        return UploadLink(url, {"x-amz-checksum-sha256": checksum}, LINK_SECONDS)

    def read(self, sha256: str) -> bytes | None:
        """What was sent, up to one byte too many."""
        with translated(), unless("NoSuchKey"):
            return self._s3.get_object(**self._place(sha256))["Body"].read(self._largest + 1)
        return None

    def _place(self, sha256: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": f"uploads/{sha256}.json"}
