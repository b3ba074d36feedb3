"""One event, one alert: to whom, how often, what happens when something fails, and what a flood becomes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.application.ports import DeliveryInProgressError
from alerting.domain.alert import Channel
from alerting.domain.open_items import State
from steward.errors import UpstreamError
from steward.severity import Severity
from tests.doubles.wired_alerting import WiredAlerting

DRIFT, RESOLVED, ACKNOWLEDGED = "PolicyDriftDetected", "PolicyDriftResolved", "PolicyDriftAcknowledged"
NO_ANSWER = UpstreamError("AWS failed Publish (InternalError); try again later")


@pytest.fixture
def wired():
    return WiredAlerting()


def test_a_drift_is_told_by_mail_and_in_chat_and_to_security_hub(wired):
    taken = wired.tell(DRIFT)

    (message,) = wired.topic.published
    assert taken == {"sent", "security_hub"}
    assert message.channels == {Channel.MAIL, Channel.CHAT}
    assert message.subject == "[123456789012] CRITICAL: Policy drift of role/ci-deploy"
    assert [concern.name for _, concern in wired.hub.told] == ["access:role:ci-deploy"]


def test_an_event_that_is_delivered_often_is_told_once(wired):
    for _ in range(1_000):
        wired.tell(DRIFT, event_id="the same")

    assert len(wired.topic.published) == 1
    assert len(wired.hub.told) == 1


def test_an_event_that_nobody_wants_costs_nothing(wired):
    assert wired.tell("RepositoryCreated") == frozenset()
    assert wired.topic.published == []


def test_what_failed_is_done_at_the_next_delivery_and_what_succeeded_is_not_repeated(wired):
    wired.failing_hub.fail("tell", NO_ANSWER)
    with pytest.raises(UpstreamError):
        wired.tell(DRIFT, event_id="e")

    taken = wired.tell(DRIFT, event_id="e")

    assert taken == {"security_hub"}
    assert len(wired.topic.published) == 1


def test_an_alert_that_could_not_be_published_is_published_at_the_next_delivery(wired):
    wired.failing_topic.fail("publish", NO_ANSWER)
    with pytest.raises(UpstreamError):
        wired.tell(DRIFT, event_id="e")

    wired.tell(DRIFT, event_id="e")

    assert len(wired.topic.published) == 1


def test_two_runs_at_one_event_do_not_tell_it_twice(wired):
    def another_run(_):
        with pytest.raises(DeliveryInProgressError):
            wired.tell(DRIFT, event_id="e")

    wired.failing_topic.before("publish", another_run)

    wired.tell(DRIFT, event_id="e")

    assert len(wired.topic.published) == 1


def test_expected_drift_below_high_is_not_mailed(wired):
    wired.tell(DRIFT, expected=True, severity="MEDIUM")
    wired.tell(DRIFT, expected=True, severity="HIGH")

    assert [message.channels for message in wired.topic.published] == [
        {Channel.CHAT},
        {Channel.MAIL, Channel.CHAT},
    ]


def test_a_resolution_goes_the_way_of_what_it_resolves(wired):
    wired.tell(DRIFT, expected=True, severity="MEDIUM")
    wired.tell(RESOLVED, severity="MEDIUM", at="2026-05-04T12:10:00Z")

    assert [message.channels for message in wired.topic.published] == [{Channel.CHAT}, {Channel.CHAT}]


def test_an_old_event_that_comes_late_does_not_open_again_what_is_over(wired):
    wired.tell(RESOLVED, at="2026-05-04T13:00:00Z")

    wired.tell(DRIFT, at="2026-05-04T12:00:00Z")

    assert wired.concerns.find("finding#access:role:ci-deploy").state is State.OVER


def test_the_first_of_a_window_go_singly_and_the_others_become_one_message(wired):
    for number in range(200):
        wired.tell(DRIFT, severity="MEDIUM", finding_id=f"access:role:r{number}", entity=f"role/r{number}")

    told = wired.scheduled_alerts.tell_flood()

    assert told == 195
    assert len(wired.topic.published) == 6
    assert wired.subjects[-1] == "[123456789012] MEDIUM: 195 more alerts: 195 MEDIUM"
    assert wired.scheduled_alerts.tell_flood() == 0
    assert len(wired.topic.published) == 6


def test_the_worst_of_a_flood_are_named_first_and_the_rest_counted(wired):
    for number in range(60):
        wired.tell(DRIFT, severity="MEDIUM", entity=f"role/m{number}")
    for number in range(30):
        wired.tell(DRIFT, severity="CRITICAL", entity=f"role/c{number}")

    wired.scheduled_alerts.tell_flood()

    mail = wired.topic.published[-1].mail
    named = re.findall(r"^(CRITICAL|MEDIUM): Policy drift of", mail, re.MULTILINE)
    assert mail.startswith("CRITICAL: 65 more alerts: 10 CRITICAL, 55 MEDIUM")
    assert named == ["CRITICAL"] * 10 + ["MEDIUM"] * 30
    assert "… and 25 more, none of them more severe." in mail


def test_a_flood_that_could_not_be_told_still_waits(wired):
    for number in range(9):
        wired.tell(DRIFT, severity="MEDIUM", entity=f"role/r{number}")
    wired.failing_topic.fail("publish", NO_ANSWER)
    with pytest.raises(UpstreamError):
        wired.scheduled_alerts.tell_flood()

    assert wired.scheduled_alerts.tell_flood() == 4


def test_the_next_window_begins_anew(wired):
    for number in range(9):
        wired.tell(DRIFT, severity="MEDIUM", entity=f"role/r{number}")
    wired.clock.advance(minutes=11)

    assert wired.tell(DRIFT, severity="MEDIUM") >= {"sent"}


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
def test_in_every_flood_each_event_is_told_once_singly_or_counted(events):
    """Whatever comes, in whatever order, delivered twice, with the flood told in between."""
    wired = WiredAlerting()
    for kind, severity, identity, flush in events:
        for _ in range(2):
            wired.tell(kind, severity=severity, event_id=f"{kind}-{severity}-{identity}")
        wired.scheduled_alerts.tell_flood() if flush else None

    wired.scheduled_alerts.tell_flood()

    counted = [int(n) for n in re.findall(r"(\d+) more alerts", " ".join(wired.subjects))]
    singly = [subject for subject in wired.subjects if "more alerts" not in subject]
    assert len(singly) + sum(counted) == len({event[:3] for event in events})
    assert len(singly) <= 3 * (20 + 5 + 5)


def test_the_week_names_what_is_open_what_ends_soon_and_counts_the_rest(wired):
    wired.tell(
        DRIFT, severity="HIGH", finding_id="access:role:a", entity="role/a", first_seen="2026-04-01T00:00:00+00:00"
    )
    wired.tell(DRIFT, severity="CRITICAL", finding_id="access:role:b", entity="role/b")
    wired.tell(ACKNOWLEDGED, finding_id="access:role:c", entity="role/c", expires="2026-05-10T00:00:00+00:00")
    wired.tell(RESOLVED, finding_id="access:role:d", entity="role/d")
    wired.tell("AccessKeyRotationBlocked", user_name="ecr-push")
    wired.tell("RepositoryRequestDenied")
    wired.tell("DriftScanCompleted")

    wired.scheduled_alerts.tell_week()

    mail, lines = wired.topic.published[-1].mail, wired.topic.published[-1].mail.splitlines()
    assert lines[0] == "CRITICAL: Weekly digest: 2 open findings"
    assert "Open: 1 CRITICAL, 1 HIGH." in lines
    assert lines.index("HIGH, open since 2026-04-01T00:00:00+00:00: Policy drift of role/a") > 0
    assert "Oldest, open since 2026-04-01T00:00:00+00:00: Policy drift of role/a" in lines
    assert "Acknowledged until 2026-05-10T00:00:00+00:00" in mail
    assert "role/d" not in mail
    assert "Blocked since" in mail
    assert "1 RepositoryRequestDenied this week" in lines
    assert "Last scan, 2026-05-04T12:00+00:00: " in mail


def test_a_quiet_week_is_told_too(wired):
    wired.scheduled_alerts.tell_week()

    assert "No findings are open." in wired.topic.published[-1].mail
    assert wired.topic.published[-1].severity is Severity.INFO


def test_the_week_counts_what_was_noted_once(wired):
    wired.tell("RepositoryRequestDenied")
    wired.scheduled_alerts.tell_week()

    wired.scheduled_alerts.tell_week()

    assert "in this week" not in wired.topic.published[-1].mail
