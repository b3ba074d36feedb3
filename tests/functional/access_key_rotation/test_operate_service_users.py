"""What operators ask, and what they get."""

from datetime import UTC, datetime, timedelta

from access_key_rotation.domain.state import Cause, Failure, Request
from tests.functional.access_key_rotation.conftest import CONTRACT, NOON, PUSH

USE = {
    "eventTime": "2026-05-05T07:12:40Z",
    "eventSource": "ecr.amazonaws.com",
    "eventName": "GetAuthorizationToken",
    "sourceIPAddress": "203.0.113.7",
    "userAgent": "aws-cli/2.17.0",
}
CALLER = "123456789012:role/operators"


def test_no_user_is_listed_before_the_first_run(api):
    assert api.list()[::2] == (200, {"service_users": []})


def test_the_list_has_every_user_with_its_state(api, remembered):
    remembered.remember(frozen="a consumer broke")

    _, _, body = api.list()

    (user,) = body["service_users"]
    assert (user["name"], user["state"], user["frozen"]) == (PUSH, "DRAINING", "a consumer broke")
    assert user["secret"] == "steward/service-users/ecr-push"
    assert (user["next_step"], user["next_step_at"]) == ("request-rotation", (NOON + timedelta(days=8)).isoformat())
    assert user["blocked_by"] == "frozen by an operator until a routine rotation is requested: a consumer broke"
    assert {key["id"]: key["superseded_at"] for key in user["keys"]} == {
        remembered.old: NOON.isoformat(),
        remembered.current: None,
    }


def test_keys_are_shown_with_their_age_and_the_user_with_its_next_step(api, remembered):
    remembered.remember(
        old={"deactivated_at": NOON},
        current={"adopted_at": NOON},
        created={remembered.old: datetime.now(UTC) - timedelta(days=70.5)},
        state="QUARANTINED",
    )

    (user,) = api.list()[2]["service_users"]

    assert user["next_step"] == "delete-key"
    assert {key["id"]: key["age_days"] for key in user["keys"]} == {remembered.old: 70, remembered.current: None}


def test_one_user_is_shown_with_the_uses_of_its_old_key(api, remembered, trail):
    trail[remembered.old] = [USE]
    trail[remembered.current] = [USE]

    status, _, body = api.show()

    assert status == 200
    assert body["still_used_by"] == {
        remembered.old: [
            {
                "at": "2026-05-05T07:12:40Z",
                "call": "ecr:GetAuthorizationToken",
                "from": "203.0.113.7",
                "agent": "aws-cli/2.17.0",
            }
        ]
    }


def test_a_rotation_is_asked_for_on_the_bus_with_the_current_key_and_the_caller(api, remembered, heard):
    status, _, body = api.rotate()

    assert (status, body) == (
        202,
        {
            "name": PUSH,
            "key_id": remembered.current,
            "reason": "routine",
            "dry_run": False,
            "waits_for": [f"a free slot: the user has {remembered.old} and {remembered.current}"],
            "freeze_reason": None,
            "ends_freeze": None,
            "removes": [],
            "restores": None,
        },
    )
    (due,) = heard()
    assert due["detail-type"] == "AccessKeyRotationDue"
    assert due["detail"]["data"] == {
        "user_name": PUSH,
        "reason": "routine",
        "key_id": remembered.current,
        "requested_by": CALLER,
        "session": "alice",
    }
    assert due["detail"]["metadata"]["correlation_id"] == "5d3c9f0e-2f4b-4a53-9d0b-0a4f0f6f7c11"


def test_a_leak_is_answered_for_the_key_that_is_named(api, remembered, heard):
    status, _, body = api.rotate({"reason": "compromised", "key_id": remembered.old})

    assert (status, body["key_id"], body["reason"]) == (202, remembered.old, "compromised")
    assert [event["detail"]["data"]["reason"] for event in heard()] == ["compromised"]


def test_a_leak_says_which_keys_stop_working_and_who_used_them_last(api, remembered, trail, heard):
    trail[remembered.current] = [USE]

    status, _, body = api.rotate({"reason": "compromised"}, query={"dry_run": "true"})

    (removed,) = body["removes"]
    assert (status, removed["key_id"], removed["how"]) == (200, remembered.current, "delete")
    assert [use["from"] for use in removed["last_uses"]] == ["203.0.113.7"]
    assert heard() == []


def test_a_leak_of_a_user_of_which_no_current_key_is_known_is_left_to_the_worker(api, remembered, heard):
    remembered.remember(keys={})

    status, _, body = api.rotate({"reason": "compromised"})

    assert (status, body["key_id"], body["removes"]) == (202, None, [])
    assert [event["detail"]["data"]["key_id"] for event in heard()] == [None]


def test_a_pending_request_is_shown_and_withdrawn(api, remembered):
    request = Request("1", CALLER, "alice", NOON)
    remembered.remember(wanted=remembered.current, requested=request)

    shown = api.show()[2]["requested"]
    status, _, body = api.withdraw()

    assert shown == {
        "key_id": remembered.current,
        "requested_by": CALLER,
        "session": "alice",
        "since": NOON.isoformat(),
    }
    assert (status, body) == (200, {"name": PUSH, "key_id": remembered.current, "withdrawn": True})
    assert api.show()[2]["requested"] is None
    assert api.withdraw()[0] == 409


def test_a_user_is_looked_at_again_on_request(api, remembered, heard):
    remembered.remember(state="BLOCKED", as_of=NOON)

    status, _, body = api.check()

    assert (status, body["state"], body["as_of"]) == (202, "BLOCKED", NOON.isoformat())
    (due,) = heard()
    assert (due["detail"]["data"]["reason"], due["detail"]["data"]["requested_by"]) == ("scheduled", CALLER)


def test_a_failure_is_shown_with_its_side_and_its_next_try(api, remembered):
    failure = Failure("Promote", "the user ecr-push may not call ecr:GetAuthorizationToken", Cause.USER, NOON)
    remembered.remember(state="", failure=failure, next_at=NOON + timedelta(minutes=6))

    user = api.show()[2]

    assert (user["state"], user["next_step"]) == ("FAILING", "look-again")
    assert user["blocked_by"] == "Promote failed: the user ecr-push may not call ecr:GetAuthorizationToken"
    assert (user["last_failure"]["cause"], user["last_failure"]["next_try_at"]) == (
        "user",
        (NOON + timedelta(minutes=6)).isoformat(),
    )


def test_a_dry_run_says_what_would_be_asked_and_asks_nothing(api, remembered, heard):
    status, _, body = api.rotate({"reason": "routine"}, query={"dry_run": "true"})

    assert (status, body["dry_run"], body["key_id"]) == (200, True, remembered.current)
    assert body["waits_for"] == [f"a free slot: the user has {remembered.old} and {remembered.current}"]
    assert heard() == []


def test_a_routine_rotation_ends_a_freeze(api, remembered):
    remembered.remember(frozen="a consumer broke")

    status, _, _ = api.rotate()

    assert (status, remembered.record.frozen) == (202, "")


def test_a_key_is_brought_back_and_the_user_frozen(api, remembered, heard):
    remembered.deactivated()

    status, _, body = api.reactivate({"reason": "a consumer broke"})

    assert (status, body) == (200, {"name": PUSH, "key_id": remembered.old, "frozen": "a consumer broke"})
    assert remembered.status(remembered.old) == "Active"
    assert (remembered.record.frozen, remembered.record.state) == ("a consumer broke", "FROZEN")
    freeze = api.show()[2]["freeze"]
    assert (freeze["reason"], freeze["by"], freeze["until"]) == ("a consumer broke", CALLER, None)
    (told,) = heard()
    assert told["detail-type"] == "AccessKeyReactivated"
    assert told["detail"]["data"]["requested_by"] == CALLER


def test_the_contract_is_served_as_it_is_committed(api):
    assert api.call("GET", "/openapi/service-users.json")[2] == CONTRACT.document
