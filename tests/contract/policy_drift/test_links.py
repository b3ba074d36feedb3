"""Links to the baseline and to reports are signed for the region of their bucket, and name its own endpoint."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.awsrequest import AWSResponse

from policy_drift.adapters.s3_baseline import S3BaselineStore
from policy_drift.adapters.s3_reports import ReportVersion, S3Reports
from policy_drift.adapters.s3_uploads import S3Uploads
from policy_drift.application.ports import ReportReplacedError
from steward.aws.clients import client
from tests.contract.conftest import ACCOUNT

PAGE = Path(__file__).parents[3] / "docs" / "signatures.md"
REGIONS = [
    *("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ca-central-1"),
    *("ap-southeast-1", "me-south-1", "eu-south-2", "ap-southeast-4", "il-central-1"),
]


class S3InRegion:
    """Answers as S3 does for a bucket of one region: one that reaches another region is answered with its name."""

    def __init__(self, region, status=200):
        self.region, self.status = region, status

    def __call__(self, request, **_):
        here = f".{self.region}." in urlsplit(request.url).hostname
        return AWSResponse(request.url, self.status if here else 400, {"x-amz-bucket-region": self.region}, _Nothing())


class Versions(dict):
    """What the last scan recorded."""

    keep, latest = dict.update, dict.get


class _Nothing:
    def stream(self, **_):
        yield b""

    def read(self, _amount=None):
        return b""


def linked(monkeypatch, kind, *, home, bucket_region, status=200, bucket="the-bucket"):
    """The link that a function in one region makes to an object whose bucket is in another, or in the same."""
    for name, value in {"DEFAULT_REGION": home, "ACCESS_KEY_ID": "AKIAEXAMPLE", "SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_REGION", raising=False)
    s3 = client("s3")
    s3.meta.events.register("before-send.s3", S3InRegion(bucket_region, status))
    if kind == "upload":
        return S3Uploads(s3, bucket, 10_000_000).link("00" * 32, 7_000_000).url
    if kind == "report":
        found = S3Reports(s3, bucket, Versions({"html": ReportVersion("version-1", "")})).link("html")
        return found and found.url
    return S3BaselineStore(s3, bucket=bucket, key="baseline/1.json", owner=ACCOUNT, largest=10_000_000).link(
        "version-1"
    )


def signed_for(link):
    """The host of a link, the algorithm of its signature, the region and the service that it is signed for."""
    parts = urlsplit(link)
    query = parse_qs(parts.query)
    _, _, region, service, _ = query["X-Amz-Credential"][0].split("/")
    return parts.hostname, query["X-Amz-Algorithm"][0], region, service


@pytest.mark.parametrize("kind", ["report", "baseline", "upload"])
@pytest.mark.parametrize("region", REGIONS)
def test_a_link_names_the_regional_endpoint_and_is_signed_for_it(monkeypatch, kind, region):
    link = linked(monkeypatch, kind, home=region, bucket_region=region)

    assert signed_for(link) == (f"the-bucket.s3.{region}.amazonaws.com", "AWS4-HMAC-SHA256", region, "s3")


def test_the_page_shows_the_host_and_the_signature_of_a_link_in_ten_regions(monkeypatch):
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| `(\S+)` \| `(\S+)/(\S+)` \| `(\S+)` \|$", PAGE.read_text(), re.MULTILINE)
    made = []
    for region in REGIONS:
        host, algorithm, signed_region, service = signed_for(
            linked(monkeypatch, "report", home=region, bucket_region=region)
        )
        made.append((region, host, signed_region, service, algorithm))

    assert rows == made


@pytest.mark.parametrize("home", ["us-east-1", "eu-central-1", "eu-south-2"])
@pytest.mark.parametrize("bucket_region", ["us-east-1", "eu-west-1", "il-central-1"])
def test_a_link_to_a_bucket_of_another_region_is_signed_for_that_region(monkeypatch, home, bucket_region):
    link = linked(monkeypatch, "baseline", home=home, bucket_region=bucket_region)

    assert signed_for(link) == (
        f"the-bucket.s3.{bucket_region}.amazonaws.com",
        "AWS4-HMAC-SHA256",
        bucket_region,
        "s3",
    )


def test_a_bucket_with_dots_in_its_name_is_addressed_by_path(monkeypatch):
    """The certificate of S3 does not cover such a host: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"""
    link = linked(monkeypatch, "baseline", home="eu-south-2", bucket_region="eu-south-2", bucket="iam.example.org")

    assert link.startswith("https://s3.eu-south-2.amazonaws.com/iam.example.org/baseline/1.json?")


def test_a_link_works_for_five_minutes(monkeypatch):
    link = linked(monkeypatch, "report", home="eu-south-2", bucket_region="eu-south-2")

    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["300"]


def test_a_link_for_an_upload_is_signed_for_the_length_and_the_checksum_of_one_text(monkeypatch):
    link = linked(monkeypatch, "upload", home="eu-south-2", bucket_region="eu-south-2")

    parts = urlsplit(link)
    assert parse_qs(parts.query)["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-sha256"]
    assert parts.path == f"/uploads/{'00' * 32}.json"
    assert parse_qs(parts.query)["X-Amz-Expires"] == ["300"]


def test_a_link_names_the_version_that_the_scan_wrote(monkeypatch):
    link = linked(monkeypatch, "report", home="eu-south-2", bucket_region="eu-south-2")

    assert parse_qs(urlsplit(link).query)["versionId"] == ["version-1"]


def test_there_is_no_link_before_the_first_report(monkeypatch):
    assert S3Reports(client("s3", region="eu-south-2"), "the-bucket", Versions()).link("html") is None


def test_a_version_that_the_bucket_has_lost_is_not_linked(monkeypatch):
    with pytest.raises(ReportReplacedError, match="is not there any more"):
        linked(monkeypatch, "report", home="eu-south-2", bucket_region="eu-south-2", status=404)


def test_a_bucket_that_refuses_to_name_its_region_does_not_block_the_answer(monkeypatch):
    link = linked(monkeypatch, "baseline", home="eu-south-2", bucket_region="il-central-1", status=403)

    assert signed_for(link)[2] == "il-central-1"
