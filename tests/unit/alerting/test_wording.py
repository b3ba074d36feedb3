"""Events in words: what the published examples say to people."""

import json
from pathlib import Path

import pytest

from alerting.alert_envelope import bus_event
from alerting.domain.formats.chat import notification
from alerting.domain.formats.mail import body_of, subject_of
from alerting.domain.wording import TEXTS
from alerting.domain.wording.trial_alert import SOURCE
from steward.severity import Severity
from tests.published_events import NAMES, alert_about, golden_event

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"


def alert_for(name, **changed):
    return alert_about(golden_event(name, **changed))


def test_every_published_event_has_a_text():
    assert {name for capability, texts in TEXTS.items() if capability != SOURCE for name in texts} == set(NAMES)


def test_a_test_alert_says_so_and_nothing_that_its_event_says():
    event = golden_event("PolicyDriftDetected") | {"source": SOURCE, "detail-type": "TestAlertRequested"}

    mail = body_of(alert_about(event))

    assert mail.startswith("INFO: Test alert: nothing happened\n")
    assert event["id"] in mail
    assert "ci-deploy" not in mail


@pytest.mark.parametrize("name", NAMES)
def test_every_runbook_that_an_alert_names_is_there(name):
    runbook = alert_for(name).runbook

    assert runbook == "" or (RUNBOOKS / f"{runbook}.md").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_chat_message_has_the_form_that_amazon_q_reads(name):
    """https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html."""
    message = notification(alert_for(name))

    assert (message["version"], message["source"]) == ("1.0", "custom")
    assert message["content"]["textType"] == "client-markdown"
    assert message["content"]["description"]
    assert message["metadata"]["threadId"]
    assert all(isinstance(value, str) for value in message["metadata"]["additionalContext"].values())
    assert json.loads(json.dumps(message)) == message


def test_an_alert_of_drift_names_access_principal_actor_severity_and_remedy():
    mail = body_of(alert_for("PolicyDriftDetected"))

    assert mail.startswith("CRITICAL: Policy drift of role/ci-deploy\n")
    assert (
        "Added: iam:CreatePolicyVersion (permissions management) on arn:aws:iam::123456789012:policy/ci-deploy" in mail
    )
    assert "For example: Role ci-deploy can now call iam:CreatePolicyVersion" in mail
    assert "Who: 123456789012:user/mallory from 203.0.113.7, PutRolePolicy (inline policy break-glass) at " in mail
    assert "To revert:\n    aws iam delete-role-policy --role-name ci-deploy" in mail
    assert "To approve it instead: POST /drift/baseline/adoptions" in mail
    assert "What to do: runbook alert-came" in mail


def test_an_alert_says_that_the_actor_is_unknown():
    assert "Who: unknown: no CloudTrail event was received" in body_of(alert_for("PolicyDriftDetected", changes=[]))


def test_the_first_changes_are_named_and_the_others_counted_with_their_actors():
    change = golden_event("PolicyDriftDetected")["detail"]["data"]["changes"][0]

    other = {**change, "actor": "arn:aws:iam::111122223333:user/another"}
    mail = body_of(alert_for("PolicyDriftDetected", changes=[*[change] * 11, other]))

    assert mail.count("user/mallory") == 10
    assert "and 2 more changes in the report, by arn:aws:iam::111122223333:user/another" in mail


def test_a_resolution_stands_in_the_thread_of_what_it_resolves():
    opened, over = notification(alert_for("PolicyDriftDetected")), notification(alert_for("PolicyDriftResolved"))

    assert over["metadata"]["threadId"] == opened["metadata"]["threadId"]
    assert over["content"]["title"].startswith(":white_check_mark: RESOLVED")
    assert "RESOLVED" in subject_of(alert_for("PolicyDriftResolved"))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("reverted", "matches the baseline again"),
        ("adopted", "now approves it"),
        ("renamed", "under that"),
        ("out_of_scope", "Whether it still differs is not known"),
    ],
)
def test_a_resolution_says_by_what(how, words):
    assert words in body_of(alert_for("PolicyDriftResolved", how=how))


def test_a_scan_that_could_not_read_everything_is_no_quiet_scan():
    quiet, blind = (
        alert_for("DriftScanCompleted", unreadable=[]),
        alert_for("DriftScanCompleted", unreadable=["role/a"]),
    )

    assert (quiet.severity, blind.severity) == (Severity.INFO, Severity.MEDIUM)
    assert "could not read 1 entities" in blind.headline


def test_an_unknown_severity_counts_as_high():
    assert alert_for("PolicyDriftDetected", severity="APOCALYPTIC").severity is Severity.HIGH


def test_an_event_without_a_text_is_shown_as_it_is():
    event = golden_event("RepositoryCreated") | {"source": "steward.new_capability", "detail-type": "Happened"}

    alert = alert_about(event)

    assert alert.headline == "MEDIUM: Unrecognized event Happened from new_capability"
    assert "(1): name: " in body_of(alert)


def test_a_description_that_does_not_fit_says_where_the_rest_is():
    alert = alert_for("PolicyDriftDetected", reasons=["x" * 400] * 8, summary="s" * 500)
    long = alert_for("BaselineChanged", newly_approved=["y" * 400] * 15)

    for text in (notification(alert)["content"]["description"], notification(long)["content"]["description"]):
        assert len(text) <= 3_100
    assert notification(long)["content"]["description"].endswith("… the mail has the rest")


@pytest.mark.parametrize(("in_force", "words"), [("v7", "stays in force"), ("", "is lost: nothing is compared")])
def test_a_refused_baseline_says_whether_the_last_good_one_is_there_still(in_force, words):
    assert words in body_of(alert_for("BaselineRefused", version_in_force=in_force))


@pytest.mark.parametrize(
    "body",
    ["[]", '"text"', "5", "null", "{}", '{"id": "1", "detail": []}'],
)
def test_what_is_no_event_of_a_bus_is_said_to_be_none(body):
    with pytest.raises(ValueError, match="no event of a bus"):
        bus_event(json.loads(body))
