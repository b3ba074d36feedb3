"""Who changed an entity, on CloudTrail's event history; moto has no LookupEvents, so the wire is played."""

import json
from datetime import UTC, datetime

import pytest
from botocore.client import BaseClient

from policy_drift.adapters.cloudtrail_changes import PAGES, CloudTrailChanges
from policy_drift.domain.account import EntityId
from steward.aws.clients import client

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ROLE = EntityId("role/app")


def record(name, event_id="e", role="app"):
    return {
        "eventID": event_id,
        "eventName": name,
        "eventSource": "iam.amazonaws.com",
        "eventTime": "2026-05-04T11:00:00Z",
        "userIdentity": {"arn": "arn:aws:iam::123456789012:user/mallory"},
        "requestParameters": {"roleName": role},
    }


@pytest.fixture
def history(moto, monkeypatch):
    """Answers with these pages, one a call; and counts the calls."""
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]

    class History:
        pages, calls = [], 0

        def __init__(self):
            self.searched = []

        def call(self, aws, operation, parameters):
            if operation != "LookupEvents":
                return reached(aws, operation, parameters)
            self.calls += 1
            self.searched.append(parameters["LookupAttributes"][0]["AttributeValue"])
            at = int(parameters.get("NextToken", "0"))
            events = [{"CloudTrailEvent": json.dumps(one)} for one in self.pages[at]]
            return {"Events": events, **({"NextToken": str(at + 1)} if at + 1 < len(self.pages) else {})}

    played = History()

    def call(aws, operation, parameters):
        return played.call(aws, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
    return played


def changes(entity=ROLE, arn="arn:aws:iam::123456789012:role/app"):
    found = CloudTrailChanges(client("cloudtrail")).changes_of(entity, NOON, arn)  # type: ignore[call-overload]
    return [one.event_id for one in found]


def test_changes_of_the_entity_are_found_among_reading_calls_and_those_of_its_namesakes(history):
    history.pages = [[record("GetRole"), record("PutRolePolicy", "e1"), record("PutRolePolicy", "e2", role="other")]]

    assert changes() == ["e1"]


def test_a_change_behind_pages_of_reading_calls_is_found(history):
    history.pages = [[record("GetRole")] * 50, [record("GetRole")] * 50, [record("PutRolePolicy", "e1")], []]

    assert changes() == ["e1"]


def test_a_second_actor_behind_the_page_of_the_first_is_found(history):
    history.pages = [[record("PutRolePolicy", "e1")], [record("GetRole")] * 50, [record("PutRolePolicy", "e2")]]

    assert changes() == ["e1", "e2"]


def test_a_managed_policy_is_searched_by_its_arn(history):
    arn = "arn:aws:iam::123456789012:policy/teams/custom"
    version = record("CreatePolicyVersion", "e1") | {"requestParameters": {"policyArn": arn}}
    history.pages = [[version]]

    assert changes(EntityId("policy/custom"), arn) == ["e1"]
    assert history.searched == [arn]


def test_a_name_in_other_capitals_is_the_same_entity(history):
    history.pages = [[record("PutRolePolicy", "e1", role="APP")]]

    assert changes() == ["e1"]


def test_a_search_ends_after_some_calls(history):
    history.pages = [[record("GetRole")] * 50] * 20

    assert changes() == []
    assert history.calls == PAGES


@pytest.mark.parametrize("broken", ["text", None, [], {}])
def test_an_event_without_a_record_does_not_hide_the_others(history, broken):
    history.pages = [[broken, record("PutRolePolicy", "e1")]]

    assert changes() == ["e1"]
