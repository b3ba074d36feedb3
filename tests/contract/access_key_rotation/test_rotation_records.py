"""What the memory of rotation does, be it the double, or DynamoDB's adapter on either of its clients."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.application.ports import UNNAMED, BusyError, LeaseLostError
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.rules.situation import Demand, Reason
from access_key_rotation.domain.state import UNREADABLE, Intent, KeyHistory, Notice, Record, Request
from steward.aws.clients import client
from steward.errors import UpstreamError
from tests.doubles.clients_of_service_account import DynamoDbClient, no_weather
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_rotation_records import InMemoryRotationRecords

PUSH = UserName("ecr-push")
LEASE = timedelta(minutes=6)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVERYTHING = Record(
    user_id="AIDA1",
    arn="arn:aws:iam::123456789012:user/service/ecr-push",
    tags={"steward:rotate": "true"},
    keys={
        "AKIA1": KeyHistory(made_by_us=True, promoted_at=NOON, adopted_at=NOON, compromised=True),
        "AKIA2": KeyHistory(),
    },
    created={"AKIA1": NOON},
    versions={"v1": "AKIA1"},
    wanted="AKIA1",
    frozen="a consumer broke",
    notice=Notice("look", NOON),
    state="STEADY",
    next_at=NOON,
    policy="0123456789abcdef",
    readers="fedcba9876543210",
)


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture(params=["in memory", "on a client in memory", "on DynamoDB"])
def records(request, clock):
    if request.param == "in memory":
        return InMemoryRotationRecords(clock)
    if request.param == "on a client in memory":
        return DynamoDbRotationRecords(DynamoDbClient(no_weather), "state", clock)
    table = request.getfixturevalue("table")
    return DynamoDbRotationRecords(client("dynamodb"), table, clock)


def test_a_user_that_was_never_seen_has_a_blank_record(records):
    assert records.claim(PUSH, "t1", LEASE).record == Record()


def test_a_reported_leak_is_there_until_it_is_on_record(records):
    records.release(records.claim(PUSH, "t1", LEASE), Record())
    records.report_leak(PUSH, "AKIA1")
    records.report_leak(PUSH, "AKIA1")
    records.report_leak(PUSH, "")

    claim = records.claim(PUSH, "t2", LEASE)
    records.release(claim, Record(keys={"AKIA1": KeyHistory(compromised=True)}))
    after = records.claim(PUSH, "t3", LEASE)
    records.release(after, EVERYTHING)

    assert (claim.reported, after.reported) == ({"AKIA1", UNNAMED}, {UNNAMED})
    assert records.claim(PUSH, "t4", LEASE).reported == frozenset()
    assert records.find(PUSH).keys == EVERYTHING.keys


def test_a_requested_rotation_is_there_until_it_is_on_record_withdrawn_or_about_a_former_key(records):
    records.release(records.claim(PUSH, "t1", LEASE), Record())
    waits, asked, withdrawn, former = (
        Demand(key, Reason.ROUTINE, name, "operator", "alice")
        for name, key in {"waits": "AKIA1", "asked": "AKIA1", "withdrawn": "AKIA1", "former": "AKIA0"}.items()
    )
    for request in (waits, waits, asked, withdrawn, former):
        records.request(PUSH, request)

    claim = records.claim(PUSH, "t2", LEASE)
    current = {"AKIA1": KeyHistory(promoted_at=NOON)}
    records.release(claim, Record(keys=current, requested=Request("asked", "", "", NOON), withdrawn="withdrawn"))

    assert claim.requested == {waits, asked, withdrawn, former}
    assert records.claim(PUSH, "t3", LEASE).requested == {waits}


def test_a_leak_is_known_without_the_lock_from_its_report_until_it_is_on_record(records):
    claim = records.claim(PUSH, "t1", LEASE)
    before = records.has_leaked(PUSH, "AKIA1")
    records.report_leak(PUSH, "AKIA1")
    reported = records.has_leaked(PUSH, "AKIA1")
    records.release(claim, EVERYTHING)

    assert (before, reported) == (False, True)
    assert records.has_leaked(PUSH, "AKIA1")
    assert not records.has_leaked(PUSH, "AKIA2")


def test_a_key_that_was_stopped_without_the_lock_is_there_until_it_is_on_record(records):
    records.stop(PUSH, "AKIA1")
    records.stop(PUSH, "AKIA2")

    claim = records.claim(PUSH, "t1", LEASE)
    records.release(claim, Record(keys={"AKIA1": KeyHistory(deactivated_at=NOON), "AKIA2": KeyHistory()}))

    assert claim.stopped == {"AKIA1", "AKIA2"}
    assert records.claim(PUSH, "t2", LEASE).stopped == {"AKIA2"}


def test_a_leak_a_request_and_a_stopped_key_end_together(records):
    request = Demand("AKIA1", Reason.ROUTINE, "asked", "operator", "alice")
    records.report_leak(PUSH, "AKIA1")
    records.request(PUSH, request)
    records.stop(PUSH, "AKIA1")

    claim = records.claim(PUSH, "t1", LEASE)
    leaked = Record(keys={"AKIA1": KeyHistory(compromised=True, deactivated_at=NOON)}, wanted="AKIA1")
    records.release(claim, leaked)

    after = records.claim(PUSH, "t2", LEASE)
    assert (claim.reported, claim.requested, claim.stopped) == ({"AKIA1"}, {request}, {"AKIA1"})
    assert (after.reported, after.requested, after.stopped) == (frozenset(), frozenset(), frozenset())


def test_a_leak_is_reported_of_a_user_that_was_never_seen_and_while_a_run_holds_its_lock(records):
    records.report_leak(PUSH, "AKIA1")
    claim = records.claim(PUSH, "t1", LEASE)
    records.report_leak(PUSH, "AKIA2")
    records.release(claim, Record(keys={"AKIA1": KeyHistory(compromised=True)}))

    assert records.claim(PUSH, "t2", LEASE).reported == {"AKIA2"}


def test_remembers_every_field(records):
    records.release(records.claim(PUSH, "t1", LEASE), EVERYTHING)

    assert records.claim(PUSH, "t2", LEASE).record == EVERYTHING


def test_one_run_at_a_time(records):
    records.claim(PUSH, "t1", LEASE)

    with pytest.raises(BusyError):
        records.claim(PUSH, "t2", LEASE)


def test_a_run_with_the_same_token_takes_the_lock_over(records):
    lost = records.claim(PUSH, "t1", LEASE)

    records.release(records.claim(PUSH, "t1", LEASE, resuming=True), EVERYTHING)

    with pytest.raises(LeaseLostError):
        records.save(lost, Record())


def test_a_run_with_another_token_does_not(records):
    records.claim(PUSH, "t1", LEASE)

    with pytest.raises(BusyError):
        records.claim(PUSH, "t2", LEASE, resuming=True)


def test_a_lease_ends_by_itself_and_leaves_its_intent(records, clock):
    records.claim(PUSH, "t1", LEASE)
    begun = clock.now()
    clock.advance(minutes=7)

    claim = records.claim(PUSH, "t2", LEASE)

    assert claim.record.intent == Intent("t1", begun)
    assert claim.intent.token == "t2"


def test_a_run_that_lost_the_lock_writes_nothing(records, clock):
    late = records.claim(PUSH, "t1", LEASE)
    clock.advance(minutes=7)
    records.claim(PUSH, "t2", LEASE)

    with pytest.raises(LeaseLostError):
        records.save(late, EVERYTHING)
    with pytest.raises(LeaseLostError):
        records.release(late, EVERYTHING)


def test_a_run_that_released_the_lock_writes_nothing(records):
    claim = records.claim(PUSH, "t1", LEASE)
    records.release(claim, Record())

    with pytest.raises(LeaseLostError):
        records.save(claim, EVERYTHING)


def test_an_intent_is_kept_while_the_record_keeps_it(records):
    claim = records.claim(PUSH, "t1", LEASE)
    records.release(claim, replace(EVERYTHING, intent=claim.intent))

    assert records.claim(PUSH, "t2", LEASE).record.intent == claim.intent


def test_an_intent_ends_with_the_record_that_drops_it(records):
    records.release(records.claim(PUSH, "t1", LEASE), EVERYTHING)

    assert records.claim(PUSH, "t2", LEASE).record.intent is None


def test_saving_keeps_the_lock(records):
    claim = records.claim(PUSH, "t1", LEASE)
    records.save(claim, EVERYTHING)

    assert records.find(PUSH) == EVERYTHING
    with pytest.raises(BusyError):
        records.claim(PUSH, "t2", LEASE)


def test_a_user_that_is_forgotten_was_never_seen(records):
    records.release(records.claim(PUSH, "t1", LEASE), EVERYTHING)

    records.forget(records.claim(PUSH, "t2", LEASE))

    assert (records.find(PUSH), list(records.all())) == (None, [])
    assert records.claim(PUSH, "t3", LEASE).record == Record()


def test_a_run_that_lost_the_lock_deletes_no_record(records, clock):
    late = records.claim(PUSH, "t1", LEASE)
    clock.advance(minutes=7)
    records.release(records.claim(PUSH, "t2", LEASE), EVERYTHING)

    with pytest.raises(LeaseLostError):
        records.forget(late)
    assert records.find(PUSH) == EVERYTHING


def test_a_run_writes_nothing_after_its_record_was_deleted(records, clock):
    """Fences are counted from one again."""
    late = records.claim(PUSH, "t1", LEASE)
    clock.advance(minutes=7)
    records.forget(records.claim(PUSH, "t2", LEASE))
    records.claim(PUSH, "t3", LEASE)

    with pytest.raises(LeaseLostError):
        records.save(late, EVERYTHING)


def test_all_records_are_listed_with_whether_a_run_holds_the_lock(records):
    pull = UserName("ecr-pull")
    records.release(records.claim(PUSH, "t1", LEASE), EVERYTHING)
    records.claim(pull, "t2", LEASE)

    assert sorted(records.all(), key=lambda entry: entry[0]) == [(pull, Record(), True), (PUSH, EVERYTHING, False)]


DAMAGED = {
    "no JSON": {"record": {"S": "{"}},
    "of another type": {"record": {"S": '{"keys": 7}'}},
    "no text": {"record": {"N": "7"}},
}


@pytest.fixture
def damage(table):
    """Writes what another writer could leave in the table."""

    def put(item_id, attributes):
        client("dynamodb").put_item(TableName=table, Item={"id": {"S": item_id}, **attributes})

    return put


@pytest.fixture
def stored(table, clock):
    return DynamoDbRotationRecords(client("dynamodb"), table, clock)


@pytest.mark.parametrize("attributes", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_record_is_unreadable_and_hides_no_other(stored, damage, attributes):
    stored.release(stored.claim(PUSH, "t1", LEASE), EVERYTHING)
    damage("user#ecr-pull", attributes)
    damage("user#no name at all", {})

    assert {name: record for name, record, _ in stored.all()} == {
        "ecr-pull": Record(state=UNREADABLE),
        PUSH: EVERYTHING,
    }
    assert stored.find(PUSH) == EVERYTHING


@pytest.mark.parametrize("attributes", [*DAMAGED.values(), {"intent": {"S": "?"}}, {"requested": {"SS": ["?"]}}])
def test_no_run_begins_with_a_damaged_item_and_the_error_names_the_user(stored, damage, attributes):
    damage(f"user#{PUSH}", attributes)

    with pytest.raises(UpstreamError, match="the record of ecr-push is damaged"):
        stored.claim(PUSH, "t1", LEASE)


@pytest.mark.parametrize("attributes", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_record_is_never_taken_for_a_user_that_was_not_seen_or_a_key_that_did_not_leak(
    stored, damage, attributes
):
    damage(f"user#{PUSH}", attributes)

    with pytest.raises(UpstreamError):
        stored.find(PUSH)
    with pytest.raises(UpstreamError):
        stored.has_leaked(PUSH, "AKIA1")


def test_a_reported_leak_is_found_beside_a_damaged_record(stored, damage):
    damage(f"user#{PUSH}", DAMAGED["no JSON"])

    stored.report_leak(PUSH, "AKIA1")

    assert stored.has_leaked(PUSH, "AKIA1")
