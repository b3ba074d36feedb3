"""Real CloudTrail records: each change of IAM has its entity and its actor, and no record raises an error."""

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from policy_drift.domain.account import EntityId, policy_id
from policy_drift.domain.changes.change_event import change_event

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
