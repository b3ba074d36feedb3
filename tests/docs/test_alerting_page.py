"""The mail, the chat message and the webhook's document that the page of alerting shows are what the code writes."""

import json
import re
from pathlib import Path

import pytest

from alerting.domain.formats.chat import notification
from alerting.domain.formats.document import document_of
from alerting.domain.formats.mail import body_of, subject_of
from tests.published_events import alert_about, golden_event

PAGE = (Path(__file__).parents[2] / "docs" / "alerting.md").read_text(encoding="utf-8")


@pytest.fixture
def alert():
    return alert_about(golden_event("PolicyDriftDetected", event_id="2a36409a-43c9-465c-9219-17eda314c279"))


def test_the_mail_is_the_one_that_is_sent(alert):
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)

    assert shown == f"Subject: {subject_of(alert)}\n\n{body_of(alert)}"


def test_the_chat_message_is_the_one_that_is_sent(alert):
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)

    assert json.loads(shown) == notification(alert)


def test_the_document_of_the_webhook_is_the_one_that_is_sent(alert):
    (shown,) = re.findall(r"```json webhook\n(.*?)```", PAGE, re.DOTALL)

    assert json.loads(shown) == document_of(alert)
