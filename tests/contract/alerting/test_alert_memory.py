"""What alerting's memory does, be it the doubles or DynamoDB's adapters."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from alerting.adapters.dynamodb_memory import DynamoDbConcerns, DynamoDbDeliveries, DynamoDbWaitingRooms
from alerting.application.ports import DeliveryInProgressError
from alerting.domain.alert import Channel, PendingAlert
from alerting.domain.open_items import Concern, State
from steward.aws.clients import client
from steward.severity import Severity
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_alert_memory import InMemoryConcerns, InMemoryDeliveries, InMemoryWaitingRooms
from tests.dynamodb_tables import create_table

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=20)
MAIL = frozenset({Channel.MAIL})
CONCERN = Concern(
    "finding",
    "a#b",
    State.OPEN,
    Severity.HIGH,
    "role/a may do more",
    "2026-05-04",
    NOON,
    expected=True,
    arn="arn:aws:iam::123456789012:role/x/a",
)


@pytest.fixture
def alert_table(moto):
    """The table of ``template.yaml``."""
    return create_table(boto3.client("dynamodb"), "alerts", sort_key="member")


@pytest.fixture(params=["in memory", "on DynamoDB"])
def memory(request):
    """Deliveries, waiting rooms and concerns."""
    if request.param == "in memory":
        return InMemoryDeliveries(), InMemoryWaitingRooms(), InMemoryConcerns()
    table, clock, dynamodb = request.getfixturevalue("alert_table"), FrozenClock(NOON), client("dynamodb")
    return (
        DynamoDbDeliveries(dynamodb, table),
        DynamoDbWaitingRooms(dynamodb, table, clock),
        DynamoDbConcerns(dynamodb, table, clock),
    )


@pytest.fixture
def deliveries(memory):
    return memory[0]


@pytest.fixture
def rooms(memory):
    return memory[1]


@pytest.fixture
def concerns(memory):
    return memory[2]


def waiting(name, severity=Severity.LOW):
    return PendingAlert(name, "Kind", severity, f"title of {name}", frozenset({Channel.MAIL, Channel.CHAT}))


def test_a_new_event_has_no_steps_behind_it(deliveries):
    assert deliveries.begin("e", NOON) == frozenset()


def test_steps_are_remembered(deliveries):
    deliveries.begin("e", NOON)
    deliveries.done("e", "told")
    deliveries.done("e", "noted")
    deliveries.end("e")

    assert deliveries.begin("e", NOON) == {"told", "noted"}


def test_one_run_at_a_time_is_at_an_event(deliveries):
    deliveries.begin("e", NOON)

    with pytest.raises(DeliveryInProgressError):
        deliveries.begin("e", NOON + timedelta(seconds=30))
    assert deliveries.begin("another", NOON) == frozenset()


def test_a_run_that_died_lets_go_by_itself(deliveries):
    deliveries.begin("e", NOON)
    deliveries.done("e", "told")

    assert deliveries.begin("e", NOON + timedelta(seconds=71)) == {"told"}


def test_the_first_of_a_window_go_individually_and_keep_that_answer(deliveries):
    first = [deliveries.goes_individually("w", event, 2, LATER) for event in ("a", "b", "c", "a", "c")]

    assert first == [True, True, False, True, False]
    assert deliveries.goes_individually("next", "c", 2, LATER)


def test_who_waits_is_there_once_the_worst_first(rooms):
    for alert in (waiting("b"), waiting("a", Severity.CRITICAL), waiting("b"), waiting("c", Severity.MEDIUM)):
        rooms.wait("flood", alert)

    assert rooms.waiting("flood") == [waiting("a", Severity.CRITICAL), waiting("c", Severity.MEDIUM), waiting("b")]
    assert rooms.waiting("digest") == []


def test_who_was_told_waits_no_longer(rooms):
    """More of them than one call deletes."""
    for number in range(60):
        rooms.wait("flood", waiting(f"{number:02d}"))
    told = rooms.waiting("flood")
    rooms.wait("flood", waiting("late"))

    rooms.leave("flood", told)

    assert rooms.waiting("flood") == [waiting("late")]


def test_leaving_twice_is_leaving_once(rooms):
    rooms.wait("flood", waiting("a"))
    rooms.leave("flood", [waiting("a")])

    rooms.leave("flood", [waiting("a")])

    assert rooms.waiting("flood") == []


def test_a_concern_is_remembered_whole(concerns):
    concerns.keep(CONCERN)

    assert concerns.find("finding#a#b") == CONCERN
    assert concerns.all() == [CONCERN]
    assert concerns.find("finding#other") is None


def test_the_newest_word_counts_in_whatever_order_it_comes(concerns):
    over = Concern("finding", "a#b", State.OVER, Severity.HIGH, "over", "2026-05-04", LATER)
    concerns.keep(over)

    concerns.keep(CONCERN)

    assert concerns.find("finding#a#b") == over
