"""Links to objects, for people without credentials of S3."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from steward.aws.clients import client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

LINK_SECONDS = 300
_REGION = "x-amz-bucket-region"


def link(s3: "S3Client", place: "Mapping[str, Any]", call: str = "get_object") -> str:
    """A link to an object that works for five minutes, for everyone who has it, and for this call alone.

    S3 accepts it only at the endpoint of the bucket's own region, signed for that region.
    """
    there = region_of(s3, place["Bucket"])
    signer = s3 if there in ("", s3.meta.region_name) else client("s3", region=there)
    return signer.generate_presigned_url(call, Params=dict(place), ExpiresIn=LINK_SECONDS)


def region_of(s3: "S3Client", bucket: str) -> str:
    """The region of a bucket; empty when S3 does not say. Refused calls are answered with it, too.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    answer: Mapping[str, Any]
    try:
        answer = s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        answer = error.response
    return str(answer["ResponseMetadata"].get("HTTPHeaders", {}).get(_REGION, ""))
