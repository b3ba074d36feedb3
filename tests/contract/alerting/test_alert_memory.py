"""What alerting stores, in the doubles and in DynamoDB's adapters."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from alerting.adapters.dynamodb_memory import DynamoDbDeliveries, DynamoDbOpenItems, DynamoDbPendingAlerts
from alerting.application.ports import DeliveryInProgressError
from alerting.domain.alert import Channel, PendingAlert
from alerting.domain.open_items import OpenItem, State
from steward.aws.clients import client
from steward.severity import Severity
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_alert_memory import InMemoryDeliveries, InMemoryOpenItems, InMemoryPendingAlerts
from tests.dynamodb_tables import create_table

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=20)
MAIL = frozenset({Channel.MAIL})
ITEM = OpenItem(
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
    """Deliveries, pending alerts and open items."""
    if request.param == "in memory":
        return InMemoryDeliveries(), InMemoryPendingAlerts(), InMemoryOpenItems()
    table, clock, dynamodb = request.getfixturevalue("alert_table"), FrozenClock(NOON), client("dynamodb")
    return (
        DynamoDbDeliveries(dynamodb, table),
        DynamoDbPendingAlerts(dynamodb, table, clock),
        DynamoDbOpenItems(dynamodb, table, clock),
    )


@pytest.fixture
def deliveries(memory):
    return memory[0]


@pytest.fixture
def summaries(memory):
    return memory[1]


@pytest.fixture
def open_items(memory):
    return memory[2]


def pending(name, severity=Severity.LOW):
    return PendingAlert(name, "Kind", severity, f"title of {name}", frozenset({Channel.MAIL, Channel.CHAT}))


def test_a_new_event_has_no_steps_behind_it(deliveries):
    assert deliveries.begin("e", NOON) == frozenset()


def test_steps_are_stored(deliveries):
    deliveries.begin("e", NOON)
    deliveries.done("e", "sent")
    deliveries.done("e", "noted")
    deliveries.end("e")

    assert deliveries.begin("e", NOON) == {"sent", "noted"}


def test_one_run_at_a_time_owns_an_event(deliveries):
    deliveries.begin("e", NOON)

    with pytest.raises(DeliveryInProgressError):
        deliveries.begin("e", NOON + timedelta(seconds=30))
    assert deliveries.begin("another", NOON) == frozenset()


def test_an_event_of_a_run_that_died_is_released_by_itself(deliveries):
    deliveries.begin("e", NOON)
    deliveries.done("e", "sent")

    assert deliveries.begin("e", NOON + timedelta(seconds=71)) == {"sent"}


def test_the_first_of_a_window_go_individually_and_keep_that_answer(deliveries):
    first = [deliveries.goes_individually("w", event, 2, LATER) for event in ("a", "b", "c", "a", "c")]

    assert first == [True, True, False, True, False]
    assert deliveries.goes_individually("next", "c", 2, LATER)


def test_a_pending_alert_is_there_once_most_severe_first(summaries):
    for alert in (pending("b"), pending("a", Severity.CRITICAL), pending("b"), pending("c", Severity.MEDIUM)):
        summaries.add("flood", alert)

    assert summaries.pending("flood") == [pending("a", Severity.CRITICAL), pending("c", Severity.MEDIUM), pending("b")]
    assert summaries.pending("digest") == []


def test_what_was_sent_is_no_longer_pending(summaries):
    """More of them than one call deletes."""
    for number in range(60):
        summaries.add("flood", pending(f"{number:02d}"))
    sent = summaries.pending("flood")
    summaries.add("flood", pending("late"))

    summaries.remove("flood", sent)

    assert summaries.pending("flood") == [pending("late")]


def test_removing_twice_is_removing_once(summaries):
    summaries.add("flood", pending("a"))
    summaries.remove("flood", [pending("a")])

    summaries.remove("flood", [pending("a")])

    assert summaries.pending("flood") == []


def test_an_open_item_is_stored_whole(open_items):
    open_items.keep(ITEM)

    assert open_items.find("finding#a#b") == ITEM
    assert open_items.all() == [ITEM]
    assert open_items.find("finding#other") is None


def test_the_newest_state_wins_in_any_order_of_arrival(open_items):
    over = OpenItem("finding", "a#b", State.OVER, Severity.HIGH, "over", "2026-05-04", LATER)
    open_items.keep(over)

    open_items.keep(ITEM)

    assert open_items.find("finding#a#b") == over
