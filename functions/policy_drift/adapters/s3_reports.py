"""Reports, in a bucket of their own: one key per scan, and ``latest`` for the link."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from policy_drift.adapters.s3_links import link
from steward.aws.errors import translated, unless

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
_TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}


class S3Reports:
    """One bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._s3 = client
        self._bucket = bucket

    def put(self, scan_id: str, documents: Mapping[str, str]) -> str:
        """Keep them under ``reports/<scan>.<extension>`` and ``reports/latest.<extension>``."""
        keys = []
        for extension, text in sorted(documents.items()):
            for name in (scan_id, "latest"):
                with translated():
                    self._s3.put_object(
                        Bucket=self._bucket,
                        Key=f"reports/{name}.{extension}",
                        Body=text.encode(errors="backslashreplace"),  # a lone surrogate must not cost the report
                        ContentType=_TYPES[extension],
                    )
            keys.append(f"reports/{scan_id}.{extension}")
        return keys[0] if keys else ""

    def link(self, extension: str) -> str | None:
        """A link that works for five minutes; None before the first report."""
        latest = {"Bucket": self._bucket, "Key": f"reports/latest.{extension}"}
        with translated(), unless(*_ABSENT):
            self._s3.head_object(Bucket=latest["Bucket"], Key=latest["Key"])
            return link(self._s3, latest)
        return None
