"""Reports, in a bucket of their own: one key per scan, and ``latest`` for the link.

A link names the version that the scan wrote, so that an object that replaced it is not linked.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from policy_drift.adapters.s3_links import link
from steward.aws.errors import translated, unless

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
_UNVERSIONED = "null"
"""What S3 calls the version of an object that was written before versioning was turned on."""
_TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}


class ReportVersions(Protocol):
    """Remembers, outside of the bucket, which versions the latest scan wrote."""

    def keep(self, versions: Mapping[str, str]) -> None:
        """Record extension -> version, in place of those of the scan before."""
        ...

    def latest(self, extension: str) -> str | None:
        """The version of the latest report; None before the first."""
        ...


class S3Reports:
    """One bucket, with versioning."""

    def __init__(self, client: "S3Client", bucket: str, versions: ReportVersions) -> None:
        self._s3 = client
        self._bucket = bucket
        self._versions = versions

    def put(self, scan_id: str, documents: Mapping[str, str]) -> str:
        """Keep them under ``reports/<scan>.<extension>`` and ``reports/latest.<extension>``."""
        keys, versions = list[str](), dict[str, str]()
        for extension, text in sorted(documents.items()):
            for name in (scan_id, "latest"):
                with translated():
                    written = self._s3.put_object(
                        Bucket=self._bucket,
                        Key=f"reports/{name}.{extension}",
                        Body=text.encode(errors="backslashreplace"),  # a lone surrogate must not cost the report
                        ContentType=_TYPES[extension],
                    )
                versions[extension] = written.get("VersionId", _UNVERSIONED)  # in the end that of ``latest``
            keys.append(f"reports/{scan_id}.{extension}")
        self._versions.keep(versions)
        return keys[0] if keys else ""

    def link(self, extension: str) -> str | None:
        """A link that works for five minutes; None before the first report."""
        version = self._versions.latest(extension)
        if version is None:
            return None
        latest = {"Bucket": self._bucket, "Key": f"reports/latest.{extension}", "VersionId": version}
        with translated(), unless(*_ABSENT):
            self._s3.head_object(Bucket=latest["Bucket"], Key=latest["Key"], VersionId=version)
            return link(self._s3, latest)
        return None
