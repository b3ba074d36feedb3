"""The golden examples of ``events/published/``, as EventBridge delivers them, and their alerts."""

import json
import uuid
from pathlib import Path

from alerting.alert_envelope import bus_event
from alerting.bootstrap import event_severities
from alerting.domain.wording import alert_of
from steward.events import digest_of

PUBLISHED = Path(__file__).parents[1] / "events" / "published"
NAMES = sorted(path.stem for path in PUBLISHED.glob("*.json") if ".schema" not in path.name)

SEVERITIES = event_severities()


def golden_event(name, *, event_id=None, at="2026-05-04T12:00:00Z", **data):
    """The envelope of the bus around an example; ``data`` replaces fields of what it says."""
    example = json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8"))
    example["detail"]["data"] |= data
    metadata = example["detail"]["metadata"]
    return {
        "version": "0",
        "id": event_id or str(uuid.uuid4()),
        "time": at,
        "account": metadata["account"],
        "region": metadata["region"],
        "resources": [],
        **example,
    }


def store_at_its_source(dynamodb, event, *, drift_table, rotation_table, state="OPEN"):
    """Write what the publisher of an event stores of it before it publishes it."""
    data = event["detail"].get("data", {})
    update = {"UpdateExpression": "ADD published :digests"}
    values = {":digests": {"SS": [digest_of(data)]}}
    if "finding_id" in data:
        state = "RESOLVED" if event["detail-type"] == "PolicyDriftResolved" else state
        dynamodb.update_item(
            TableName=drift_table,
            Key={"id": {"S": f"finding#{data['finding_id']}"}},
            UpdateExpression="SET #state = :state ADD published :digests",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues=values | {":state": {"S": state}},
        )
    elif event["detail-type"].startswith("Baseline"):
        key = {"id": {"S": f"baseline#{event['account']}"}}
        dynamodb.update_item(TableName=drift_table, Key=key, ExpressionAttributeValues=values, **update)
    elif "user_name" in data:
        record = json.dumps({"keys": {data.get("key_id") or "none": {}}})
        item = {"id": {"S": f"user#{data['user_name']}"}, "record": {"S": record}}
        dynamodb.put_item(TableName=rotation_table, Item=item)


def alert_about(envelope):
    """The alert of an event of the bus, under the shipped severities."""
    return alert_of(bus_event(envelope), SEVERITIES)
