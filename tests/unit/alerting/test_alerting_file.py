"""The file that an operator edits: the shipped one works, a bad one is refused with file, line and what is right."""

import pytest

from alerting import check_settings
from alerting.domain.alert import Channel
from alerting.domain.routing import AlertingSettings
from steward import settings
from steward.errors import SettingsError
from tests.published_events import alert_about, golden_event

SOUND = """\
routes:
  - {events: [PolicyDrift*], at_least: HIGH, channels: [mail]}
  - {capability: policy_drift, channels: [chat]}
flood: {window_minutes: 10, individual_limit: 5}
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "alerting.yaml"
        path.write_text(text)
        return path

    return write


def channels(wanted, name, **changed):
    return wanted.channels(alert_about(golden_event(name, **changed)))


def test_the_shipped_file_passes_the_check(capsys):
    assert check_settings.main([]) == 0

    said = capsys.readouterr()
    assert said.out == "alerting.yaml: 13 routes\nseverities.yaml: 28 severities of events, 34 of drift\n"
    assert said.err == ""


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        ("PolicyDriftDetected", {"severity": "LOW"}, {"security_hub", "digest"}),
        ("PolicyDriftDetected", {"severity": "MEDIUM"}, {"mail", "chat", "security_hub", "webhook"}),
        ("PolicyDriftDetected", {"severity": "LOW", "expected": True}, {"chat", "security_hub"}),
        ("PolicyDriftAcknowledged", {}, {"chat", "security_hub"}),
        ("BaselineChanged", {"severity": "LOW"}, {"mail", "chat", "webhook"}),
        ("BaselineRefused", {}, {"mail", "chat", "webhook"}),
        ("DriftScanFailed", {}, {"mail", "chat", "webhook"}),
        ("DriftScanCompleted", {"unreadable": []}, set()),
        ("DriftScanCompleted", {"unreadable": ["role/a"]}, {"mail", "chat", "webhook"}),
        ("AccessKeyRotated", {"waived": []}, {"digest"}),
        ("AccessKeyRotationBlocked", {}, {"mail", "chat", "webhook"}),
        ("SecretDoesNotAuthenticate", {}, {"mail", "chat", "webhook"}),
        ("AccessKeysCounted", {}, set()),
        ("RepositoryCreated", {}, set()),
        ("RepositoryRequestDenied", {}, {"chat", "digest"}),
    ],
)
def test_the_shipped_file_routes_every_event(name, changed, expected):
    shipped = settings.load(settings.locate("alerting.yaml"), AlertingSettings)

    assert channels(shipped, name, **changed) == {Channel(each) for each in expected}


def test_the_first_route_that_matches_wins(written):
    wanted = settings.load(written(SOUND), AlertingSettings)

    assert channels(wanted, "PolicyDriftDetected") == {Channel.MAIL}
    assert channels(wanted, "DriftScanFailed") == {Channel.CHAT}


def test_an_event_without_a_route_goes_to_people_and_the_webhook(written):
    wanted = settings.load(written(SOUND), AlertingSettings)

    assert channels(wanted, "AccessKeyDeleted") == {Channel.MAIL, Channel.CHAT, Channel.WEBHOOK}


BAD = {
    "empty": ("", 1, "is empty"),
    "no routes": ("flood: {individual_limit: 5}\n", 1, "routes"),
    "an unknown channel": (SOUND.replace("[mail]", "[pager]"), 2, "routes[0].channels[0]"),
    "an unknown severity": (SOUND.replace("HIGH", "high"), 2, "routes[0].at_least"),
    "no event": (SOUND.replace("PolicyDrift*", "Policy Drift"), 2, "write a detail-type, such as PolicyDriftDetected"),
    "no events": (SOUND.replace("[PolicyDrift*]", "[]"), 2, "can never match; leave it out for all"),
    "a channel twice": (SOUND.replace("[chat]", "[chat, chat]"), 3, "a channel appears twice"),
    "an unknown key": (SOUND.replace("capability:", "capacity:"), 3, "capacity: unknown key; known keys are"),
    "a window of nothing": (SOUND.replace("10", "0"), 4, "window_minutes is 1 to 1440"),
    "nothing individually": (SOUND.replace("limit: 5", "limit: 0"), 4, "individual_limit_if_critical are 1 to 500"),
    "more names than fit": (
        SOUND.replace("individual_limit: 5", "listed_titles: 81"),
        4,
        "listed_titles is 1 to 80: SNS takes no longer message",
    ),
    "the worst held first": (SOUND.replace("limit: 5", "limit: 30"), 4, "the worst would wait first"),
    "a digest to nowhere": (SOUND + "digest: {channels: [security_hub]}\n", 5, "digest.channels[0]"),
}


@pytest.mark.parametrize(("text", "line", "said"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_its_line_and_what_is_right(written, text, line, said):
    path = written(text)

    with pytest.raises(SettingsError) as refused:
        settings.load(path, AlertingSettings)

    assert str(refused.value).startswith(f"alerting.yaml:{line}:")
    assert said in str(refused.value)


def test_a_route_that_can_never_match_is_warned_of_at_its_line(written, capsys):
    unreachable = SOUND.replace(
        "flood:", "  - {events: [PolicyDriftDetected], capability: policy_drift, channels: []}\nflood:"
    )

    assert check_settings.main([str(written(unreachable).parent)]) == 0
    assert "alerting.yaml:4: warning: never matches" in capsys.readouterr().err
