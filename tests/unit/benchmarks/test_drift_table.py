"""The table of real changes holds what was heard against what must be told; here, that it can fail."""

import pytest

from benchmarks.drift_changes.calls import allow, document, put, role
from benchmarks.drift_changes.change import Change, Step, access
from benchmarks.drift_changes.ears import Alert, Heard
from benchmarks.drift_changes.table import row_of_step

REQUEST = "role/app can now call s3:PutObject on arn:aws:s3:::reports/*"
INSIDER = "arn:aws:iam::123456789012:user/drift-changes-insider"
TOLD = access("app", "MEDIUM", "BROADENED", "s3:PutObject")
WRITE = document(allow("s3:PutObject"))
CALLED = 100.0


def change(*told):
    return Change("a grant", role("app"), (Step((put("role", "app", WRITE),), told),))


def alert(**more):
    text = f"Now possible: {REQUEST}\nWho: {INSIDER} from 127.0.0.1, PutRolePolicy\n"
    said = {"subject": "MEDIUM", "text": text, "channels": frozenset({"mail", "chat"}), "severity": "MEDIUM"}
    return Alert(**{"at": CALLED + 2, "event_id": "e-1", **said, **more})


def detected(*alerts, **more):
    data = {
        "finding_id": "access:role:app",
        "entity": "role/app",
        "severity": "MEDIUM",
        "verdict": "BROADENED",
        "fingerprint": "sha256:1",
        "expected": False,
        "request": {"action": "s3:PutObject"},
        "added": ["s3:PutObject on arn:aws:s3:::reports/*"],
        "request_in_words": REQUEST,
        "changes": [{"actor": INSIDER}],
    }
    return Heard(CALLED + 1, "PolicyDriftDetected", data | more, "e-1", alerts)


def test_one_alert_to_the_right_readers_is_right():
    row = row_of_step(change(TOLD), 0, [detected(alert())], CALLED)

    assert (row.verdict, row.bus, row.topic, row.actor) == ("ok", 1, 2, "drift-changes-insider")


WRONG = {
    "it is not on the bus": [],
    "it is on the bus alone": [detected()],
    "it is on the topic twice": [detected(alert(), alert())],
    "it is on the bus twice": [detected(alert()), detected(alert())],
    "it does not reach mail": [detected(alert(channels=frozenset({"chat"})))],
    "the alert shows another request": [detected(alert(text=f"Now possible: another\nWho: {INSIDER}"))],
    "the alert names nobody": [detected(alert(text=f"Now possible: {REQUEST}"))],
    "the alert has another severity": [detected(alert(severity="HIGH"))],
    "the severity is another": [detected(alert(severity="HIGH"), severity="HIGH")],
    "the request is another": [detected(alert(), request={"action": "s3:GetObject"})],
    "the actor is another": [detected(alert(), changes=[{"actor": INSIDER.replace("insider", "deployer")}])],
    "it is marked as expected": [detected(alert(channels=frozenset({"chat"})), expected=True)],
}


@pytest.mark.parametrize("heard", WRONG.values(), ids=WRONG)
def test_anything_else_is_not(heard):
    assert row_of_step(change(TOLD), 0, heard, CALLED).verdict != "ok"


def test_an_alert_that_must_not_be_sent_is_a_false_alarm():
    assert row_of_step(change(), 0, [detected(alert())], CALLED).false_alarms


def test_what_is_worth_no_alert_is_not_on_the_topic():
    low = access("app", "LOW", "NARROWED")
    narrowed = {"severity": "LOW", "verdict": "NARROWED", "request": {}, "request_in_words": "", "added": []}

    waits = row_of_step(change(low), 0, [detected(**narrowed)], CALLED)
    pages = row_of_step(change(low), 0, [detected(alert(severity="LOW"), **narrowed)], CALLED)

    assert waits.verdict == "ok"
    assert pages.false_alarms
