"""What every memory of provisioning does, be it the double or DynamoDB's adapter."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest

from repository_provisioning.adapters.dynamodb_fleet import DynamoDbFleetScans
from repository_provisioning.adapters.dynamodb_state import DynamoDbCreationQuota, DynamoDbRecords
from repository_provisioning.application.ports import Record, ScanInProgressError
from repository_provisioning.domain.fleet import CompletedScan, FleetEntry, RunningScan
from repository_provisioning.domain.house_rules import KmsEncryption, Lifecycle, Overrides, Pull
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import Owner
from steward.aws.clients import client
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_state import InMemoryCreationQuota, InMemoryFleetScans, InMemoryRecords

WEB, API = RepositoryName("team-a/web"), RepositoryName("team-a/api")
TODAY, TOMORROW = date(2026, 5, 4), date(2026, 5, 5)
CALLER = "123456789012:role/ci-team-a"
SELECTION = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}
EVERYTHING = Overrides(
    tag_mutability="IMMUTABLE",
    mutable_tags=("latest", "*-snapshot"),
    encryption=KmsEncryption("arn:aws:kms:ca-central-1:123456789012:key/k1"),
    lifecycle=Lifecycle(rules=({"rulePriority": 1, "selection": SELECTION, "action": {"type": "expire"}},)),
    pull=Pull(accounts=("210987654321",), organizations=("o-a1b2c3d4e5",)),
    tags={"équipe": "a"},
)


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture(params=["in memory", "on DynamoDB"])
def records(request, clock):
    if request.param == "in memory":
        return InMemoryRecords(clock)
    table = request.getfixturevalue("table")
    return DynamoDbRecords(client("dynamodb"), table, clock)


@pytest.fixture(params=["in memory", "on DynamoDB"])
def quota(request):
    if request.param == "in memory":
        return InMemoryCreationQuota()
    table = request.getfixturevalue("table")
    return DynamoDbCreationQuota(client("dynamodb"), table)


@pytest.fixture(params=["in memory", "on DynamoDB"])
def scans(request, clock):
    if request.param == "in memory":
        return InMemoryFleetScans(clock)
    table = request.getfixturevalue("table")
    return DynamoDbFleetScans(client("dynamodb"), table, clock)


ENTRY = FleetEntry(
    "team-a/web", Owner.OURS, "default", differences=("tags",), images=3, last_push="2026-05-04T12:00:00"
)
UNREAD = FleetEntry("team-a/bad", Owner.UNKNOWN, problem="denied")


def begun(scans, clock, run="run-1"):
    scan = RunningScan("scan-1", clock.now())
    scans.begin(scan, run, clock.now() + timedelta(minutes=15))
    return scan


def completed(scan, clock):
    return CompletedScan(scan.scan_id, scan.started_at, clock.now(), scan.parts, scan.totals)


def test_knows_no_scan_before_the_first(scans):
    assert (scans.last(), scans.running(), scans.part("scan-1", 0)) == (None, None, None)


def test_keeps_the_parts_of_a_scan_and_how_far_it_has_come(scans, clock):
    scan = begun(scans, clock)
    totals = scan.totals.with_entries([ENTRY, UNREAD], aws_calls=8, seconds=0.5)

    further = scans.add(replace(scan, cursor="team-a/web", totals=totals), "run-1", [ENTRY, UNREAD])

    assert scans.running() == further == replace(scan, cursor="team-a/web", parts=1, totals=totals)
    assert scans.part("scan-1", 0) == [ENTRY, UNREAD]
    assert scans.last() is None


def test_a_complete_scan_takes_the_place_of_the_last_one(scans, clock):
    scan = scans.add(begun(scans, clock), "run-1", [ENTRY])

    scans.complete(scan, "run-1", completed(scan, clock))

    assert (scans.last(), scans.running()) == (completed(scan, clock), None)


def test_one_run_has_a_scan_until_its_time_is_over(scans, clock):
    scan = begun(scans, clock)
    with pytest.raises(ScanInProgressError):
        begun(scans, clock, "run-2")
    begun(scans, clock, "run-1")
    clock.advance(minutes=16)

    begun(scans, clock, "run-2")

    for write in (
        lambda: scans.add(scan, "run-1", [ENTRY]),
        lambda: scans.release(scan, "run-1"),
        lambda: scans.complete(scan, "run-1", completed(scan, clock)),
    ):
        with pytest.raises(ScanInProgressError):
            write()
    assert scans.last() is None


def test_a_released_scan_is_for_the_next_run(scans, clock):
    scan = scans.add(begun(scans, clock), "run-1", [ENTRY])
    scans.release(scan, "run-1")

    scans.begin(scan, "run-2", clock.now() + timedelta(minutes=15))

    assert scans.add(scan, "run-2", [ENTRY]).parts == 2


def test_remembers_only_what_was_stored(records):
    assert records.get_many([WEB]) == {}


def test_remembers_every_field(records):
    records.put(WEB, Record("f1", managed=True, overrides=EVERYTHING, overridden_by=CALLER))

    assert records.get_many([WEB, API]) == {WEB: Record("f1", managed=True, overrides=EVERYTHING, overridden_by=CALLER)}


def test_the_last_word_counts(records):
    records.put(WEB, Record("f1", managed=True, overrides=EVERYTHING))
    records.put(WEB, Record("f2", managed=True))

    assert records.get_many([WEB]) == {WEB: Record("f2", managed=True)}


def test_remembers_what_is_ours_for_ever(records, clock):
    records.put(WEB, Record("f1", managed=True))
    clock.advance(days=10_000)

    assert WEB in records.get_many([WEB])


def test_remembers_what_is_not_ours_for_an_hour(records, clock):
    records.put(WEB, Record("f1", managed=False))
    clock.advance(minutes=59)
    within = records.get_many([WEB])
    clock.advance(minutes=1)

    assert within == {WEB: Record("f1", managed=False)}
    assert records.get_many([WEB]) == {}


def test_reads_more_than_one_call_can_ask_for(records):
    names = [RepositoryName(f"team-a/r{n}") for n in range(201)]
    for name in names:
        records.put(name, Record("f", managed=True))

    assert set(records.get_many(names)) == set(names)


def test_counts_up_to_the_limit(quota):
    assert [quota.take(CALLER, TODAY, 2) for _ in range(4)] == [True, True, False, False]


def test_counts_each_caller_and_each_day_by_itself(quota):
    assert quota.take(CALLER, TODAY, 1)
    assert quota.take(CALLER, TOMORROW, 1)
    assert quota.take("123456789012:user/admin", TODAY, 1)


def test_what_is_given_back_can_be_taken_again(quota):
    quota.take(CALLER, TODAY, 1)
    quota.give_back(CALLER, TODAY)

    assert quota.take(CALLER, TODAY, 1)
    assert not quota.take(CALLER, TODAY, 1)


def test_a_limit_that_was_lowered_during_the_day_holds_at_once(quota):
    assert quota.take(CALLER, TODAY, 5)
    assert not quota.take(CALLER, TODAY, 1)


def test_calls_at_once_never_take_more_than_the_limit():
    # The double alone: moto does not decide between concurrent updates, as DynamoDB does.
    quota = InMemoryCreationQuota()
    with ThreadPoolExecutor(8) as callers:
        taken = list(callers.map(lambda _: quota.take(CALLER, TODAY, 10), range(40)))

    assert sum(taken) == 10


DAMAGED = [{"S": "{"}, {"S": '{"tags": 7}'}, {"N": "7"}]
"""What another version or another writer may leave in an attribute."""


@pytest.mark.parametrize("attribute", [*DAMAGED, None])
def test_a_damaged_record_is_as_good_as_lost_and_hides_no_other(table, clock, attribute):
    records = DynamoDbRecords(client("dynamodb"), table, clock)
    records.put(WEB, Record("f", managed=True))
    damaged = {"id": {"S": f"repository#{API}"}, "fingerprint": {"S": "f"}, "managed": {"BOOL": True}}
    client("dynamodb").put_item(TableName=table, Item=damaged | ({"overrides": attribute} if attribute else {}))

    assert records.get_many([WEB, API]) == {WEB: Record("f", managed=True)}


@pytest.mark.parametrize("attribute", DAMAGED)
def test_a_damaged_scan_is_no_scan_and_the_next_one_takes_its_place(table, clock, attribute):
    scans = DynamoDbFleetScans(client("dynamodb"), table, clock)
    for key, name in (("last", "progress"), ("running", "progress"), ("s#0", "entries")):
        client("dynamodb").put_item(TableName=table, Item={"id": {"S": f"fleet#{key}"}, name: attribute})

    assert (scans.last(), scans.running(), scans.part("s", 0)) == (None, None, None)
    scans.begin(RunningScan("s2", clock.now()), "run", clock.now() + timedelta(minutes=5))
    assert scans.running() == RunningScan("s2", clock.now())
