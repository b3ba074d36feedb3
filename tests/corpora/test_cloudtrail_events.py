"""Real CloudTrail records: each change of IAM has its entity and its actor, and no record raises an error."""

import gzip
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from policy_drift.domain.account import Account, EntityId, ManagedPolicy, Role, User, policy_id
from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.changes.wrappings import records_in
from scripts.cloudtrail_table import rows_of

EVENTS = Path(__file__).parents[3] / "shared" / "corpora" / "cloudtrail_events.jsonl.gz"
pytestmark = pytest.mark.skipif(not EVENTS.exists(), reason="the corpus is not here")

READS = ("Get", "List", "Simulate", "Generate")
NAMES = {"userName": "user", "roleName": "role", "groupName": "group"}


@pytest.fixture(scope="module")
def records():
    with gzip.open(EVENTS, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["event"] for line in lines]


def named_by(record):
    """The principals and policies that the call names or made, read from the record without the product's code."""
    asked, answered = record.get("requestParameters") or {}, record.get("responseElements") or {}
    names = {EntityId(f"{kind}/{asked[key]}") for key, kind in NAMES.items() if asked.get(key)}
    arns = {asked.get("policyArn"), asked.get("permissionsBoundary"), (answered.get("policy") or {}).get("arn")}
    return names | {policy_id(arn) for arn in arns - {None}}


def test_each_change_of_iam_has_its_entities_and_its_actor(records):
    changes = [
        record
        for record in records
        if record["eventSource"] == "iam.amazonaws.com"
        and not record.get("errorCode")
        and not record["eventName"].startswith(READS)
        and named_by(record)
    ]

    assert changes
    for record in changes:
        event = change_event(record)
        assert event.principals | set(map(policy_id, event.policies)) == named_by(record)
        assert event.change.actor == record["userIdentity"]["arn"]
        assert event.change.at == datetime.fromisoformat(record["eventTime"])


def test_reads_refused_calls_and_other_services_change_nothing(records):
    for record in records:
        if record["eventSource"] != "iam.amazonaws.com" or record.get("errorCode") or record.get("readOnly"):
            assert change_event(record) is None


def test_records_are_read_without_their_zone_and_with_any_member_missing(records):
    for record in records:
        without_zone = {"eventTime": record.get("eventTime", "").rstrip("Z")}
        assert change_event(record | without_zone) == change_event(record)
        for member in record:
            change_event({key: value for key, value in record.items() if key != member})
            change_event(record | {member: None})
            change_event(record | {member: "text"})


WRAPPINGS = {
    "a trail's file": lambda record: {"Records": [record]},
    "EventBridge": lambda record: {"detail-type": "AWS API Call via CloudTrail", "detail": record},
    "EventBridge's queue": lambda record: {"Records": [{"body": json.dumps({"detail": record})}]},
    "a queue that a topic fills": lambda record: {
        "Records": [{"messageId": "m", "body": json.dumps({"Type": "Notification", "Message": json.dumps(record)})}]
    },
    "CloudWatch Logs": lambda record: {"logEvents": [{"id": "1", "message": json.dumps(record)}]},
    "LookupEvents": lambda record: {"Events": [{"EventTime": "", "CloudTrailEvent": json.dumps(record)}]},
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_record_reads_alike_in_each_of_its_wrappings(records, wrapping):
    wrapped = [WRAPPINGS[wrapping](record) for record in records]

    assert list(rows_of(records_in(wrapped))) == list(rows_of(iter(records)))


def test_every_change_has_its_row_with_entity_and_actor(records):
    rows = list(rows_of(iter(records)))

    assert len(rows) == 49
    assert {row[0] for row in rows if row[1] == "-"} == {
        "CreateInstanceProfile",
        "DeleteInstanceProfile",
        "TagInstanceProfile",
    }
    assert all(row[3].startswith("arn:aws:") for row in rows if row[1] != "-")


def test_names_in_other_capitals_are_the_same_entities(records):
    for event in filter(None, map(change_event, records)):
        users, roles = (
            {one.name: kind(one.name, "/", "") for one in event.principals if one.kind == kind.kind}
            for kind in (User, Role)
        )
        policies = {arn: ManagedPolicy(arn, "", "v1", {}) for arn in event.policies}
        account = Account("111122223333", users, {}, roles, policies)
        shouted = replace(
            event, principals=frozenset(EntityId(f"{one.kind}/{one.name.upper()}") for one in event.principals)
        )

        assert shouted.respelled([account]).touches == event.touches


def test_the_order_of_events_changes_nothing_of_what_they_say(records):
    forwards, backwards = (list(filter(None, map(change_event, order))) for order in (records, records[::-1]))

    assert forwards == backwards[::-1]
