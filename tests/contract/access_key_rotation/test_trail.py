"""What the trail says of a key, be it the double or the adapter on CloudTrail."""

import json

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from access_key_rotation.adapters.cloudtrail_history import MARGIN, CloudTrailHistory
from steward.aws.clients import client
from steward.errors import ThrottledError
from tests.doubles.clients_of_service_account import CloudTrailClient, no_weather
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_service_account import OUR_ROLES, InMemoryServiceAccount, InMemoryTrail

OURS, THEIRS, UNKNOWN = "AKIAOURS000000000000", "AKIATHEIRS0000000000", "AKIAUNKNOWN000000000"
WORKER = "arn:aws:iam::123456789012:role/ecr-steward-RotationWorkerRole"
CREATED = FrozenClock().now()


def by_role(arn):
    return {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": arn}}}


def made(key_id, identity):
    return {"userIdentity": identity, "responseElements": {"accessKey": {"accessKeyId": key_id}}}


BY_A_PERSON = {"type": "IAMUser", "userName": "alice"}
REFUSED = {"userIdentity": by_role(WORKER), "responseElements": None, "errorCode": "LimitExceeded"}
HISTORY = [
    REFUSED,
    made(THEIRS, BY_A_PERSON),
    made("AKIAOTHER00000000000", by_role(WORKER + "2")),
    made(OURS, by_role(WORKER)),
]


class Wire:
    """What moto lacks: LookupEvents, one event to a page."""

    def __init__(self, reached):
        self._reached = reached
        self.events = HISTORY
        self.asked = []

    def call(self, aws, operation, parameters):
        if operation != "LookupEvents":
            return self._reached(aws, operation, parameters)
        self.asked.append(parameters)
        at = int(parameters.get("NextToken", "0"))
        page = [{"CloudTrailEvent": json.dumps(event)} for event in self.events[at : at + 1]]
        return {"Events": page, **({"NextToken": str(at + 1)} if at + 1 < len(self.events) else {})}


@pytest.fixture
def wire(moto, monkeypatch):
    wire = Wire(BaseClient._make_api_call)  # type: ignore[attr-defined]

    def call(aws, operation, parameters):
        return wire.call(aws, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
    return wire


@pytest.fixture
def history(wire):
    return CloudTrailHistory(client("cloudtrail", region="us-east-1"), [WORKER])


@pytest.fixture(params=["in memory", "on a client in memory", "on CloudTrail"])
def trail(request):
    if request.param == "on CloudTrail":
        return request.getfixturevalue("history")
    account = InMemoryServiceAccount(FrozenClock())
    account.made_by_us.add(OURS)
    if request.param == "on a client in memory":
        return CloudTrailHistory(CloudTrailClient(account, no_weather), OUR_ROLES)
    return InMemoryTrail(account)


@pytest.mark.parametrize(("key_id", "is_ours"), [(OURS, True), (THEIRS, False), (UNKNOWN, False)])
def test_ours_is_what_one_of_our_roles_made_and_nothing_else(trail, key_id, is_ours):
    assert trail.made_by_us(key_id, CREATED) is is_ours


def test_cloudtrail_is_asked_around_the_time_at_which_the_key_was_made(history, wire):
    history.made_by_us(OURS, CREATED)

    first = wire.asked[0]
    assert (first["StartTime"], first["EndTime"]) == (CREATED - MARGIN, CREATED + MARGIN)


def test_no_answer_of_cloudtrail_is_no_answer(history, monkeypatch):
    def throttled(_, operation, __):
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, operation)

    monkeypatch.setattr(BaseClient, "_make_api_call", throttled)  # the wire

    with pytest.raises(ThrottledError):
        history.made_by_us(OURS, CREATED)
    with pytest.raises(ThrottledError):
        history.uses(OURS, CREATED)


def test_the_uses_of_a_key_say_when_what_and_from_where(history, wire):
    used = {
        "eventTime": "2026-05-04T12:00:00Z",
        "eventSource": "ecr.amazonaws.com",
        "eventName": "GetAuthorizationToken",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "aws-cli",
    }
    wire.events = [used]

    (use,) = history.uses(OURS, CREATED)

    told = {"at": used["eventTime"], "call": "ecr:GetAuthorizationToken", "from": "192.0.2.1", "agent": "aws-cli"}
    assert use == told
    assert wire.asked[0]["LookupAttributes"] == [{"AttributeKey": "AccessKeyId", "AttributeValue": OURS}]
