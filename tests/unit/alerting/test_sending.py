"""One event, one alert: its readers, how often it is sent, what a failure leads to, and what a flood becomes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.application.ports import DeliveryInProgressError
from alerting.domain.alert import Channel
from alerting.domain.open_items import State
from steward.errors import UpstreamError
from steward.severity import Severity
from tests.doubles.alerting_over_doubles import AlertingOverDoubles

DRIFT, RESOLVED, ACKNOWLEDGED = "PolicyDriftDetected", "PolicyDriftResolved", "PolicyDriftAcknowledged"
NO_ANSWER = UpstreamError("AWS failed Publish (InternalError); try again later")


@pytest.fixture
def alerting():
    return AlertingOverDoubles()


def test_drift_is_sent_to_mail_chat_security_hub_and_the_webhook(alerting):
    taken = alerting.send(DRIFT)

    assert taken == {"sent", "security_hub", "webhook"}
    assert alerting.channels == [{Channel.MAIL, Channel.CHAT}]
    assert alerting.subjects == ["[123456789012] CRITICAL: Policy drift of role/ci-deploy"]
    assert [routed.alert.kind for routed in alerting.webhook.sent] == [DRIFT]
    assert [routed.item.name for routed in alerting.hub.sent] == ["access:role:ci-deploy"]


def test_an_event_that_is_delivered_many_times_is_alerted_once(alerting):
    for _ in range(1_000):
        alerting.send(DRIFT, event_id="the same")

    assert len(alerting.topic.sent) == 1
    assert len(alerting.hub.sent) == 1


def test_an_event_without_channels_takes_no_step(alerting):
    assert alerting.send("RepositoryCreated") == frozenset()
    assert alerting.topic.sent == []


def test_the_next_delivery_repeats_the_failed_step_and_no_other(alerting):
    alerting.failing_hub.fail("send", NO_ANSWER)
    with pytest.raises(UpstreamError):
        alerting.send(DRIFT, event_id="e")

    taken = alerting.send(DRIFT, event_id="e")

    assert taken == {"security_hub"}
    assert len(alerting.topic.sent) == 1


def test_a_failed_webhook_repeats_no_mail_and_no_finding(alerting):
    alerting.failing_webhook.fail("send", NO_ANSWER, times=3)
    for _ in range(3):
        with pytest.raises(UpstreamError):
            alerting.send(DRIFT, event_id="e")

    assert alerting.send(DRIFT, event_id="e") == {"webhook"}
    assert [len(reader.sent) for reader in (alerting.topic, alerting.hub, alerting.webhook)] == [1, 1, 1]


@pytest.mark.parametrize("broken", ["topic", "hub", "webhook"])
def test_a_reader_that_fails_does_not_keep_the_others_from_the_alert(alerting, broken):
    getattr(alerting, f"failing_{broken}").fail("send", ValueError("a defect of ours"))
    with pytest.raises(ValueError, match="a defect of ours"):
        alerting.send(DRIFT)

    served = {name for name in ("topic", "hub", "webhook") if getattr(alerting, name).sent}
    assert served == {"topic", "hub", "webhook"} - {broken}


def test_every_failed_reader_is_named(alerting):
    alerting.failing_topic.fail("send", NO_ANSWER)
    alerting.failing_hub.fail("send", UpstreamError("the second"))

    with pytest.raises(UpstreamError, match="Publish") as failed:
        alerting.send(DRIFT)
    assert failed.value.__notes__ == ["another reader failed, too: the second"]


def test_a_flood_is_grouped_for_people_and_not_for_the_webhook(alerting):
    for number in range(50):
        alerting.send(DRIFT, severity="MEDIUM", entity=f"role/r{number}")

    assert (len(alerting.topic.sent), len(alerting.webhook.sent)) == (5, 50)


def test_an_alert_that_could_not_be_published_is_published_at_the_next_delivery(alerting):
    alerting.failing_topic.fail("send", NO_ANSWER)
    with pytest.raises(UpstreamError):
        alerting.send(DRIFT, event_id="e")

    alerting.send(DRIFT, event_id="e")

    assert len(alerting.topic.sent) == 1


def test_two_runs_of_one_event_send_its_alert_once(alerting):
    def another_run(_):
        with pytest.raises(DeliveryInProgressError):
            alerting.send(DRIFT, event_id="e")

    alerting.failing_topic.before("send", another_run)

    alerting.send(DRIFT, event_id="e")

    assert len(alerting.topic.sent) == 1


def test_expected_drift_below_high_is_not_mailed(alerting):
    alerting.send(DRIFT, expected=True, severity="MEDIUM")
    alerting.send(DRIFT, expected=True, severity="HIGH")

    assert alerting.channels == [
        {Channel.CHAT},
        {Channel.MAIL, Channel.CHAT},
    ]


def test_a_resolution_takes_the_route_of_what_it_resolves(alerting):
    alerting.send(DRIFT, expected=True, severity="MEDIUM")
    alerting.send(RESOLVED, severity="MEDIUM", at="2026-05-04T12:10:00Z")

    assert alerting.channels == [{Channel.CHAT}, {Channel.CHAT}]


def test_an_old_event_that_arrives_late_does_not_reopen_what_is_resolved(alerting):
    alerting.send(RESOLVED, at="2026-05-04T13:00:00Z")

    alerting.send(DRIFT, at="2026-05-04T12:00:00Z")

    assert alerting.open_items.find("finding#access:role:ci-deploy").state is State.OVER


def test_the_first_alerts_of_a_window_are_sent_individually_and_the_others_in_one_message(alerting):
    for number in range(200):
        alerting.send(DRIFT, severity="MEDIUM", finding_id=f"access:role:r{number}", entity=f"role/r{number}")

    sent = alerting.scheduled.send_flood()

    assert sent == 195
    assert len(alerting.topic.sent) == 6
    assert alerting.subjects[-1] == "[123456789012] MEDIUM: 195 more alerts: 195 MEDIUM"
    assert alerting.scheduled.send_flood() == 0
    assert len(alerting.topic.sent) == 6


def test_a_flood_lists_the_most_severe_alerts_first_and_counts_the_rest(alerting):
    for number in range(60):
        alerting.send(DRIFT, severity="MEDIUM", entity=f"role/m{number}")
    for number in range(30):
        alerting.send(DRIFT, severity="CRITICAL", entity=f"role/c{number}")

    alerting.scheduled.send_flood()

    mail = alerting.last_mail
    named = re.findall(r"^(CRITICAL|MEDIUM): Policy drift of", mail, re.MULTILINE)
    assert mail.startswith("CRITICAL: 65 more alerts: 10 CRITICAL, 55 MEDIUM")
    assert named == ["CRITICAL"] * 10 + ["MEDIUM"] * 30
    assert "… and 25 more, none of them more severe." in mail


def test_a_flood_that_could_not_be_sent_stays_pending(alerting):
    for number in range(9):
        alerting.send(DRIFT, severity="MEDIUM", entity=f"role/r{number}")
    alerting.failing_topic.fail("send", NO_ANSWER)
    with pytest.raises(UpstreamError):
        alerting.scheduled.send_flood()

    assert alerting.scheduled.send_flood() == 4


def test_the_next_window_starts_with_individual_alerts(alerting):
    for number in range(9):
        alerting.send(DRIFT, severity="MEDIUM", entity=f"role/r{number}")
    alerting.clock.advance(minutes=11)

    assert alerting.send(DRIFT, severity="MEDIUM") >= {"sent"}


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([DRIFT, RESOLVED, "BaselineChanged"]),
        st.sampled_from(["CRITICAL", "HIGH", "MEDIUM"]),
        st.integers(0, 30),
        st.booleans(),
    ),
    max_size=120,
)


@given(EVENTS)
def test_in_every_flood_each_event_is_sent_individually_or_counted_once(events):
    """Any events in any order, delivered twice, with the flood sent in between."""
    alerting = AlertingOverDoubles()
    for kind, severity, identity, flush in events:
        for _ in range(2):
            alerting.send(kind, severity=severity, event_id=f"{kind}-{severity}-{identity}")
        alerting.scheduled.send_flood() if flush else None

    alerting.scheduled.send_flood()

    counted = [int(n) for n in re.findall(r"(\d+) more alerts", " ".join(alerting.subjects))]
    individually = [subject for subject in alerting.subjects if "more alerts" not in subject]
    assert len(individually) + sum(counted) == len({event[:3] for event in events})
    assert len(individually) <= 3 * (20 + 5 + 5)


def test_the_digest_lists_open_and_expiring_items_and_counts_the_rest(alerting):
    alerting.send(
        DRIFT, severity="HIGH", finding_id="access:role:a", entity="role/a", first_seen="2026-04-01T00:00:00+00:00"
    )
    alerting.send(DRIFT, severity="CRITICAL", finding_id="access:role:b", entity="role/b")
    alerting.send(ACKNOWLEDGED, finding_id="access:role:c", entity="role/c", expires="2026-05-10T00:00:00+00:00")
    alerting.send(RESOLVED, finding_id="access:role:d", entity="role/d")
    alerting.send("AccessKeyRotationBlocked", user_name="ecr-push")
    alerting.send("RepositoryRequestDenied")
    alerting.send("DriftScanCompleted")
    alerting.send("RepositoryFleetScanned", owners={"ours": 4, "foreign": 1}, differing=2, empty=0, unreadable=3)
    alerting.send("AccessKeysCounted")

    alerting.scheduled.send_digest()

    mail, lines = alerting.last_mail, alerting.last_mail.splitlines()
    assert lines[0] == "CRITICAL: Weekly digest: 2 open findings"
    assert "Open: 1 CRITICAL, 1 HIGH." in lines
    assert lines.index("HIGH, open since 2026-04-01T00:00:00+00:00: Policy drift of role/a") > 0
    assert "Oldest, open since 2026-04-01T00:00:00+00:00: Policy drift of role/a" in lines
    assert "Acknowledged until 2026-05-10T00:00:00+00:00" in mail
    assert "role/d" not in mail
    assert "Blocked since" in mail
    assert "1 RepositoryRequestDenied this week" in lines
    assert "Last scan, 2026-05-04T12:00+00:00: " in mail
    registry = "Repositories of the registry: 4 ours, 1 foreign; 2 of ours differ from their rules; 3 unreadable"
    assert f"Last scan, 2026-05-04T12:00+00:00: {registry}" in lines
    assert (
        "Access keys of the account, as of 2026-05-04T11:40:00+00:00: 612 active, 240 older than 90 days, 131 unused, "
        "560 that nobody rotates"
    ) in mail
    assert "AccessKeysCounted this week" not in mail


def test_a_quiet_week_gets_a_digest_too(alerting):
    alerting.scheduled.send_digest()

    assert "No findings are open." in alerting.last_mail
    assert alerting.topic.sent[-1].alert.severity is Severity.INFO


def test_the_digest_counts_each_event_once(alerting):
    alerting.send("RepositoryRequestDenied")
    alerting.scheduled.send_digest()

    alerting.scheduled.send_digest()

    assert "this week" not in alerting.last_mail


def test_an_unconfirmed_event_is_sent_without_commands_and_resolves_nothing(alerting):
    alerting.send(DRIFT, finding_id="access:role:app")
    alerting.sources.doubts = {RESOLVED: "the finding is OPEN"}

    alerting.send(RESOLVED, finding_id="access:role:app")

    assert alerting.subjects[-1].startswith("[123456789012] CRITICAL: Not confirmed: Policy drift of")
    assert "the finding is OPEN" in alerting.last_mail
    assert "RESOLVED" not in alerting.subjects[-1]
    assert alerting.open_items.find("finding#access:role:app").state is State.OPEN


def test_an_unconfirmed_event_shows_nothing_to_run_or_to_approve(alerting):
    alerting.sources.doubts = {DRIFT: "there is no such finding"}

    alerting.send(DRIFT, severity="INFO", revert=["aws iam delete-user --user-name bob"])

    alert = alerting.topic.sent[-1].alert
    assert (alert.commands, alert.approve, alert.severity) == ((), "", Severity.HIGH)
    assert alerting.open_items.all() == []
    assert alerting.hub.sent == []


def test_a_source_that_cannot_be_read_leaves_the_event_in_the_queue(alerting):
    def unreadable(_):
        raise NO_ANSWER

    alerting.sources.doubt = unreadable

    with pytest.raises(UpstreamError):
        alerting.send(DRIFT)
    assert alerting.topic.sent == []
