"""Every event that the project publishes has a golden example and a schema, and every publisher keeps to them."""

import importlib
import inspect
import json
from dataclasses import asdict, is_dataclass
from pathlib import Path

import pytest
from botocore.stub import ANY, Stubber
from jsonschema import Draft202012Validator, ValidationError

import steward.events
from steward.aws.clients import client
from steward.aws.event_bus import EventBridgePublisher

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "events" / "published"
CAPABILITIES = sorted(path.parent.parent.name for path in ROOT.glob("functions/*/domain/events.py"))
EVENTS = {
    name: (capability, kind)
    for capability in CAPABILITIES
    for name, kind in inspect.getmembers(importlib.import_module(f"{capability}.domain.events"), is_dataclass)
    if kind.__module__.startswith(capability)
}


def golden(name):
    return json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8"))


def schema(name):
    return Draft202012Validator(json.loads((PUBLISHED / f"{name}.schema.json").read_text(encoding="utf-8")))


def test_every_event_has_an_example_and_a_schema_and_nothing_else_has():
    examples = {path.name.removesuffix(".json") for path in PUBLISHED.glob("*.json") if ".schema." not in path.name}
    schemas = {path.name.removesuffix(".schema.json") for path in PUBLISHED.glob("*.schema.json")}

    assert examples == schemas == EVENTS.keys()


@pytest.mark.parametrize("name", EVENTS)
def test_the_example_is_as_the_schema_says(name):
    schema(name).validate(golden(name))


@pytest.mark.parametrize("name", EVENTS)
def test_the_publisher_puts_on_the_bus_what_the_example_shows(name, moto):
    capability, kind = EVENTS[name]
    expected = golden(name)
    metadata, data = expected["detail"]["metadata"], expected["detail"]["data"]
    events = client("events")
    publisher = EventBridgePublisher(
        events, bus="steward", capability=capability, account=metadata["account"], region=metadata["region"]
    )
    sent = []
    events.meta.events.register("provide-client-params.events.PutEvents", lambda params, **_: sent.append(params))
    with Stubber(events) as stubber:
        stubber.add_response("put_events", {"FailedEntryCount": 0, "Entries": []}, {"Entries": ANY})
        publisher.publish([kind(**data)], correlation_id=metadata["correlation_id"])

    (entry,) = sent[0]["Entries"]
    assert {
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "detail": json.loads(entry["Detail"]),
    } == expected
    assert entry["EventBusName"] == "steward"


@pytest.mark.parametrize("name", EVENTS)
def test_the_schema_has_the_fields_of_the_event_and_admits_no_others(name):
    _, kind = EVENTS[name]
    event = golden(name)
    event["detail"]["data"]["unheard_of"] = True

    assert asdict(kind(**golden(name)["detail"]["data"])) == golden(name)["detail"]["data"]
    with pytest.raises(ValidationError, match="unheard_of"):
        schema(name).validate(event)


def test_a_schema_is_for_the_version_that_is_published():
    assert all(golden(name)["detail"]["metadata"]["version"] == steward.events.VERSION for name in EVENTS)
