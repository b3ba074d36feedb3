"""What is recorded of targets of secret sync, and its lock: the double and DynamoDB behave alike."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from access_key_rotation.adapters.dynamodb_sync import DynamoDbSyncRecords
from access_key_rotation.application.ports import BusyError, LeaseLostError
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.sync import Confirmation, Failure, Parameter, SyncRecord, Target
from steward.aws.clients import client
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_sync import InMemorySyncRecords
from tests.dynamodb_tables import create_table

USER = UserName("ecr-push")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LEASE = timedelta(minutes=6)
TARGET = Target(parameter=Parameter(name="/ci/ecr-push"))
RECORD = SyncRecord(
    {
        TARGET.name: Confirmation("AKIAEXAMPLE000000001", TARGET.fingerprint, NOON),
        "other": Confirmation(failure=Failure("the target answered 503", NOON, NOON)),
    }
)


@pytest.fixture
def clock():
    return FrozenClock(NOON)


@pytest.fixture(params=["in memory", "on DynamoDB"])
def records(request, clock):
    if request.param == "in memory":
        return InMemorySyncRecords(clock)
    request.getfixturevalue("moto")
    create_table(boto3.client("dynamodb"), "sync")
    return DynamoDbSyncRecords(client("dynamodb"), "sync", clock)


def test_a_user_without_targets_has_an_empty_record(records):
    assert records.find(USER) == SyncRecord()


def test_what_is_released_is_found(records):
    records.release(records.claim(USER, "one", LEASE), RECORD)

    assert records.find(USER) == RECORD
    assert records.claim(USER, "two", LEASE).record == RECORD


@pytest.mark.parametrize(
    ("stored", "known"),
    [
        ('{"targets": {"t": {"key_id": 7}}}', {}),
        ("not JSON", {}),
        ('{"targets": {"t": {"failure": {"reason": "503", "since": "2026-05-04T12:00:00Z"}}}}', {"t": "503"}),
    ],
)
def test_a_record_of_another_version_confirms_nothing_that_it_does_not_say(moto, clock, stored, known):
    dynamodb = boto3.client("dynamodb")
    create_table(dynamodb, "sync")
    dynamodb.put_item(TableName="sync", Item={"id": {"S": f"user#{USER}"}, "record": {"S": stored}})
    records = DynamoDbSyncRecords(client("dynamodb"), "sync", clock)

    found = records.claim(USER, "one", LEASE).record

    assert {name: one.failure.reason for name, one in found.targets.items()} == known
    assert found.late((TARGET,), "AKIAEXAMPLE000000001") == (TARGET,)


def test_one_run_at_a_time_writes_until_its_lease_ends(records, clock):
    first = records.claim(USER, "one", LEASE)
    with pytest.raises(BusyError):
        records.claim(USER, "two", LEASE)

    clock.advance(minutes=7)
    records.claim(USER, "two", LEASE)

    with pytest.raises(LeaseLostError):
        records.save(first, RECORD)
    assert records.find(USER) == SyncRecord()


def test_what_is_saved_is_found_while_the_lock_is_held(records):
    claim = records.claim(USER, "one", LEASE)
    records.save(claim, RECORD)

    assert records.find(USER) == RECORD
    with pytest.raises(BusyError):
        records.claim(USER, "two", LEASE)
