"""One message for thousands of alerts: it fits into SNS, counts what it leaves out, and says where everything is."""

import json
from datetime import UTC, datetime

import pytest

from alerting.domain.alert import Channel, PendingAlert
from alerting.domain.formats.chat import notification
from alerting.domain.formats.mail import body_of
from alerting.domain.open_items import FINDING, ROTATION, OpenItem, State
from alerting.domain.routing import MOST_LISTED_TITLES, Digest
from alerting.domain.summaries import Context, digest_alert, flood_alert
from steward.severity import Severity

LARGEST = 256 * 1024
"""https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
MANY = 10_000
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
CONTEXT = Context("e", NOW, "123456789012", "ca-central-1")
LONG = "\N{GRINNING FACE}" * 600


def flood(kind="PolicyDriftDetected", title="Policy drift of role/app", listed_titles=40):
    pending = [
        PendingAlert(f"e-{number}", kind, Severity(2 + number % 3), title, frozenset({Channel.MAIL, Channel.CHAT}))
        for number in range(MANY)
    ]
    return flood_alert(pending, listed_titles=listed_titles, context=CONTEXT)


def digest(subject, state=State.OPEN, until=""):
    items = [
        OpenItem(subject, f"{number}", state, Severity.HIGH, LONG, "2026-05-04T11:00:00+00:00", NOW, until)
        for number in range(MANY)
    ]
    return digest_alert(items, [], Digest(), context=CONTEXT)


@pytest.mark.parametrize(
    "alert",
    [
        flood(title=LONG, listed_titles=MOST_LISTED_TITLES),
        digest(FINDING),
        digest(FINDING, State.ACKNOWLEDGED, until="2026-05-05T12:00:00+00:00"),
        digest(ROTATION),
    ],
    ids=["a flood", "open findings", "acknowledgements that end", "blocked rotations"],
)
def test_a_message_of_ten_thousand_fits_into_sns_with_the_longest_names(alert):
    both = {"default": body_of(alert), "https": json.dumps(notification(alert), ensure_ascii=False)}

    assert len(json.dumps(both, ensure_ascii=False).encode()) < LARGEST


def test_a_flood_of_findings_counts_what_it_leaves_out_and_names_the_report():
    alert = flood()

    texts = body_of(alert), notification(alert)["content"]["description"]
    for text in texts:
        assert "GET /drift/report" in text
        assert f"… and {MANY - 40} more, none of them more severe." in text


def test_a_flood_without_findings_names_no_report():
    assert "/drift/report" not in body_of(flood("RepositoryRequestDenied"))


@pytest.mark.parametrize(
    ("alert", "counted"),
    [
        (digest(FINDING, State.ACKNOWLEDGED, until="2026-05-05T12:00:00+00:00"), "… and 9980 more acknowledgements"),
        (digest(ROTATION), "… and 9980 more blocked users"),
    ],
    ids=["acknowledgements that end", "blocked rotations"],
)
def test_the_digest_counts_what_it_does_not_list(alert, counted):
    assert counted in body_of(alert)
