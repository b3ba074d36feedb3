"""What keeps the baseline does, be it the double or S3's adapter."""

import boto3
import pytest

from policy_drift.adapters.s3_baseline import S3BaselineStore
from policy_drift.domain.ports import OvertakenError
from steward.aws.clients import client
from tests.contract.conftest import ACCOUNT, REGION
from tests.doubles.in_memory_drift import InMemoryBaselineStore

KEY = f"baseline/{ACCOUNT}.json"


@pytest.fixture(params=["in memory", "on S3"])
def store_and_delete(request):
    if request.param == "in memory":
        store = InMemoryBaselineStore()
        return store, lambda: setattr(store, "is_deleted", True)
    request.getfixturevalue("moto")
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="baseline", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="baseline", VersioningConfiguration={"Status": "Enabled"})
    store = S3BaselineStore(client("s3"), bucket="baseline", key=KEY, owner=ACCOUNT)
    return store, lambda: s3.delete_object(Bucket="baseline", Key=KEY)


def test_finds_nothing_where_nothing_was_written(store_and_delete):
    store, _ = store_and_delete

    assert store.latest() is None
    assert store.was_ever_written() is False


def test_gives_back_what_was_written(store_and_delete):
    store, _ = store_and_delete

    written = store.write(b"one", replaces=None)

    assert (store.latest().id, store.latest().text) == (written.id, b"one")
    assert store.was_ever_written()


def test_a_version_stays_readable_when_another_is_written_and_when_it_is_deleted(store_and_delete):
    store, delete = store_and_delete
    first = store.write(b"one", replaces=None)
    store.write(b"two", replaces=first.etag)
    delete()

    assert store.latest() is None
    assert store.was_ever_written()
    assert store.read(first.id).text == b"one"


@pytest.mark.parametrize("replaces", [None, '"of yesterday"'])
def test_a_write_that_names_another_version_than_the_latest_is_refused(store_and_delete, replaces):
    store, _ = store_and_delete
    store.write(b"one", replaces=None)

    with pytest.raises(OvertakenError):
        store.write(b"two", replaces=replaces)
