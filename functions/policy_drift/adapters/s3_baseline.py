"""The baseline's object in a versioned bucket. Nothing is ever deleted, and a write names what it replaces."""

from typing import TYPE_CHECKING, Any

from policy_drift.adapters.s3_links import link
from policy_drift.application.ports import ConcurrentUpdateError, NotVersionedError, Version
from steward.aws.errors import translated, unless

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

_ABSENT = frozenset({"NoSuchKey", "NoSuchVersion"})
_UNVERSIONED = "null"
"""The id of what is written while versioning is off. https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html"""
_OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"})


class S3BaselineStore:
    """One object of one bucket.

    Parameters
    ----------
    bucket, key
        Where it is.
    owner
        The account that owns the bucket: a bucket of the same name in another account is not ours.
    largest
        Bytes of a baseline; of a larger one, as much is read as it takes to refuse it.
    """

    def __init__(self, client: "S3Client", *, bucket: str, key: str, owner: str, largest: int) -> None:
        self._s3 = client
        self._largest = largest
        self._place: dict[str, Any] = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": owner}

    def latest(self) -> Version | None:
        """The latest version; None where there is none, or it was deleted."""
        return self._get()

    def read(self, version_id: str) -> Version | None:
        """A version by its id."""
        return self._get(VersionId=version_id)

    def writes(self) -> int:
        """The versions and delete markers that the first page lists; the key itself comes before all longer ones."""
        bucket, key = self._place["Bucket"], self._place["Key"]
        with translated():
            listed = self._s3.list_object_versions(
                Bucket=bucket, Prefix=key, ExpectedBucketOwner=self._place["ExpectedBucketOwner"]
            )
        found = [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]
        return sum(version["Key"] == key for version in found)

    def write(self, text: bytes, *, replaces: str | None) -> Version:
        """Write it under a condition; S3 checks it and writes in one step.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        condition: dict[str, Any] = {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": replaces}
        overtaken = "another baseline was written meanwhile; read it again"
        with translated({code: ConcurrentUpdateError(overtaken, code=code) for code in _OVERTAKEN}):
            answer = self._s3.put_object(
                **self._place,
                **condition,
                Body=text,
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",  # Object Lock asks for a checksum
            )
        written = self.read(_id_in(answer))
        if written is None:
            raise ConcurrentUpdateError("the version that was written is gone")
        return written

    def link(self, version_id: str) -> str:
        """A link that works for five minutes, for everyone who has it."""
        with translated():
            return link(self._s3, {"Bucket": self._place["Bucket"], "Key": self._place["Key"], "VersionId": version_id})

    def _get(self, **version: Any) -> Version | None:
        with translated(), unless(*_ABSENT):
            answer: Mapping[str, Any] = self._s3.get_object(**self._place, **version)
            version_id = _id_in(answer)
            text = answer["Body"].read(self._largest + 1)
            return Version(version_id, answer["ETag"], answer["LastModified"], text)
        return None


def _id_in(answer: "Mapping[str, Any]") -> str:
    found = str(answer.get("VersionId", _UNVERSIONED))
    if found == _UNVERSIONED:
        raise NotVersionedError(
            "its bucket keeps no versions, so that a replaced one is lost: turn on versioning, then upload it again"
        )
    return found
