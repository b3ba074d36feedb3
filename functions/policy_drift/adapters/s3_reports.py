"""Reports, in a bucket of their own: one key per scan, and ``latest`` for the link.

A link names the version that the scan wrote, so that an object that replaced it is not linked. The digest of that
version is recorded outside of the bucket, and what the bucket holds is compared with it before each link.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from policy_drift.adapters.s3_links import LINK_SECONDS, link
from policy_drift.application.ports import ReportLink, ReportReplacedError
from steward.aws.errors import translated, unless

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ABSENT = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
_UNVERSIONED = "null"
"""What S3 calls the version of an object that was written before versioning was turned on."""
_AT_ONCE = 1 << 20
"""Bytes that are read of a report in one step."""
_TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class ReportVersion:
    """A version that the latest scan wrote."""

    id: str
    sha256: str
    """In hexadecimal; empty if a scan before this was recorded wrote it."""


class ReportVersions(Protocol):
    """Remembers, outside of the bucket, which versions the latest scan wrote."""

    def keep(self, versions: Mapping[str, ReportVersion]) -> None:
        """Record extension -> version, in place of those of the scan before."""
        ...

    def latest(self, extension: str) -> ReportVersion | None:
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
        keys, versions = list[str](), dict[str, ReportVersion]()
        for extension, text in sorted(documents.items()):
            body = text.encode(errors="backslashreplace")  # a lone surrogate must not cost the report
            for name in (scan_id, "latest"):
                with translated():
                    written = self._s3.put_object(
                        Bucket=self._bucket,
                        Key=f"reports/{name}.{extension}",
                        Body=body,
                        ContentType=_TYPES[extension],
                    )
                version = written.get("VersionId", _UNVERSIONED)
                versions[extension] = ReportVersion(version, hashlib.sha256(body).hexdigest())  # in the end ``latest``
            keys.append(f"reports/{scan_id}.{extension}")
        self._versions.keep(versions)
        return keys[0] if keys else ""

    def link(self, extension: str) -> ReportLink | None:
        """A link that works for five minutes, to the version that the scan wrote."""
        version = self._versions.latest(extension)
        if version is None:
            return None
        latest = {"Bucket": self._bucket, "Key": f"reports/latest.{extension}", "VersionId": version.id}
        found = self._digest(latest)
        if not found or found != (version.sha256 or found):
            raise ReportReplacedError(latest["Key"], version.id, expected=version.sha256, found=found)
        return ReportLink(link(self._s3, latest), LINK_SECONDS, found)

    def _digest(self, place: Mapping[str, str]) -> str:
        """The SHA-256 of what the bucket holds there; empty for nothing."""
        digest = hashlib.sha256()
        with translated(), unless(*_ABSENT):
            body = self._s3.get_object(Bucket=place["Bucket"], Key=place["Key"], VersionId=place["VersionId"])["Body"]
            for part in body.iter_chunks(_AT_ONCE):
                digest.update(part)
            return digest.hexdigest()
        return ""
