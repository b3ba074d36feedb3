"""Each port twice: as a double, and as its boto3 adapter on moto."""

import boto3
import pytest

from tests.dynamodb_tables import create_table
from tests.mocked_aws import mocked_aws

ACCOUNT, REGION = "123456789012", "ca-central-1"
TABLE = "state"


@pytest.fixture
def moto(monkeypatch):
    """AWS as moto knows it, empty."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    with mocked_aws():
        yield


@pytest.fixture
def table(moto):
    """The table of ``template.yaml``."""
    return create_table(boto3.client("dynamodb"), TABLE)
