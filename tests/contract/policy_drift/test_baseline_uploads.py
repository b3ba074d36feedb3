"""What takes large baselines does, be it the double or S3's adapter."""

import hashlib

import boto3
import pytest
import requests

from policy_drift.adapters.s3_uploads import S3Uploads
from steward.aws.clients import client
from tests.contract.conftest import REGION
from tests.doubles.in_memory_drift import InMemoryUploads

LARGEST = 1_000
TEXT = b'{"account": "123456789012"}'
SHA256 = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture(params=["in memory", "on S3"])
def uploads_and_send(request):
    if request.param == "in memory":
        uploads = InMemoryUploads()
        return uploads, lambda link: uploads.sent.update({link.url.split("/")[3].partition("?")[0]: TEXT})
    request.getfixturevalue("moto")
    boto3.client("s3").create_bucket(Bucket="reports", CreateBucketConfiguration={"LocationConstraint": REGION})

    def send(link):
        requests.put(link.url, TEXT, headers=dict(link.headers), timeout=5).raise_for_status()

    return S3Uploads(client("s3"), "reports", LARGEST), send


def test_reads_nothing_where_nothing_was_sent(uploads_and_send):
    uploads, _ = uploads_and_send
    uploads.link(SHA256, len(TEXT))

    assert uploads.read(SHA256) is None


def test_reads_what_was_sent_to_the_link(uploads_and_send):
    uploads, send = uploads_and_send
    link = uploads.link(SHA256, len(TEXT))
    send(link)

    assert uploads.read(SHA256) == TEXT
    assert link.seconds == 300
