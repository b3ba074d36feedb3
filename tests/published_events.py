"""The golden examples of ``events/published/``, as EventBridge delivers them, and their alerts."""

import json
import uuid
from pathlib import Path

from alerting.alert_envelope import bus_event
from alerting.bootstrap import event_severities
from alerting.domain.wording import alert_of

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


def alert_about(envelope):
    """The alert of an event of the bus, under the shipped severities."""
    return alert_of(bus_event(envelope), SEVERITIES)
