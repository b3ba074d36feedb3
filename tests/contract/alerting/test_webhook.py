"""The webhook, against a real server with TLS: what it sends, what it refuses, and how long it takes."""

import json
import socket
import time

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from alerting.adapters.secrets_manager_secret import SecretsManagerSecret
from alerting.adapters.webhook import EVENT_ID, PAUSES, REST, SIGNATURE, Webhook, _is_internal, signature
from alerting.application.ports import WebhookRefusedError
from alerting.domain.alert import Channel
from alerting.domain.routing import RoutedAlert
from steward.errors import AccessDeniedError, RuleViolationError, UpstreamError
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.webhook_receiver import WebhookReceiver, drip, redirect_to, slow
from tests.published_events import alert_about, golden_event

SECRET = "f" * 64
ALERT = alert_about(golden_event("PolicyDriftDetected", event_id="event-1"))


class OneSecret:
    def value(self):
        return SECRET.encode()


@pytest.fixture
def receiver(tmp_path):
    made = WebhookReceiver(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clock():
    return FrozenClock()


def webhook_to(receiver, clock, url=None, **options):
    options = {"may_be_internal": True, "tls": receiver.trusted, "attempt_seconds": 2.0} | options
    return Webhook(url or receiver.url, OneSecret(), clock, **options)


def routed(*channels):
    return RoutedAlert(ALERT, frozenset(channels or [Channel.WEBHOOK]))


def test_it_accepts_alerts_for_the_webhook_and_no_others(receiver, clock):
    webhook = webhook_to(receiver, clock)

    assert webhook.accepts(routed(Channel.MAIL, Channel.WEBHOOK))
    assert not webhook.accepts(routed(Channel.MAIL, Channel.CHAT, Channel.SECURITY_HUB, Channel.DIGEST))


def test_the_alert_arrives_as_json_with_its_id_and_a_signature_over_time_and_body(receiver, clock):
    webhook_to(receiver, clock).send(routed())

    ((path, headers, body),) = receiver.requests
    assert path == "/alerts?team=a"
    assert headers["Host"] == f"localhost:{receiver.port}"
    assert headers["Content-Type"] == "application/json"
    assert headers[EVENT_ID] == json.loads(body)["id"] == "event-1"
    assert headers[SIGNATURE] == signature(SECRET.encode(), int(clock.now().timestamp()), body)
    assert (json.loads(body)["severity"], json.loads(body)["event"]) == ("CRITICAL", "PolicyDriftDetected")


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_failure_is_retried_with_growing_pauses_and_signed_anew(receiver, clock, status):
    receiver.answers = [status, status, 200]

    webhook_to(receiver, clock).send(routed())

    first, _, last = (headers[SIGNATURE] for _, headers, _ in receiver.requests)
    assert clock.pauses == list(PAUSES)
    assert first != last


def test_retries_are_bounded_and_then_the_queue_s_turn(receiver, clock):
    receiver.answers = [500]

    with pytest.raises(UpstreamError, match="the webhook answered 500"):
        webhook_to(receiver, clock).send(routed())
    assert len(receiver.requests) == 1 + len(PAUSES)


def test_after_a_failure_the_webhook_is_left_alone_for_a_while(receiver, clock):
    receiver.answers = [500, 500, 500, 200]
    webhook = webhook_to(receiver, clock)
    with pytest.raises(UpstreamError):
        webhook.send(routed())

    with pytest.raises(UpstreamError, match="a moment ago"):
        webhook.send(routed())
    assert len(receiver.requests) == 3

    clock.advance(seconds=REST.total_seconds())
    webhook.send(routed())
    assert len(receiver.requests) == 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(receiver, tmp_path, clock, status):
    (tmp_path / "other").mkdir()
    elsewhere = WebhookReceiver(tmp_path / "other")
    receiver.answers = [redirect_to(elsewhere.url, status)]
    try:
        with pytest.raises(WebhookRefusedError, match=f"{status}, a redirect"):
            webhook_to(receiver, clock).send(routed())
    finally:
        elsewhere.close()
    assert (len(receiver.requests), elsewhere.requests) == (1, [])


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_refusal_is_not_retried_at_once(receiver, clock, status):
    receiver.answers = [status]

    with pytest.raises(WebhookRefusedError, match=f"answered {status}"):
        webhook_to(receiver, clock).send(routed())
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("answer", [slow(20), drip(20)], ids=["silent", "a byte at a time"])
def test_a_slow_receiver_is_given_up_within_the_time_of_an_attempt(receiver, clock, answer):
    receiver.answers = [answer]
    began = time.monotonic()

    with pytest.raises(UpstreamError, match="cannot be reached"):
        webhook_to(receiver, clock, attempt_seconds=0.4).send(routed())
    assert time.monotonic() - began < 0.4 * (1 + len(PAUSES)) + 2


def test_a_receiver_that_does_not_speak_tls_is_given_up(receiver, clock):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://localhost:{silent.getsockname()[1]}/"
        began = time.monotonic()

        with pytest.raises(UpstreamError, match="cannot be reached"):
            webhook_to(receiver, clock, url, attempt_seconds=0.3).send(routed())
    assert time.monotonic() - began < 3


def test_a_certificate_that_no_authority_signed_is_refused(receiver, clock):
    with pytest.raises(UpstreamError, match="SSLCertVerificationError"):
        webhook_to(receiver, clock, tls=None).send(routed())
    assert receiver.requests == []


def test_a_certificate_of_another_host_is_refused(tmp_path, clock):
    other = WebhookReceiver(tmp_path, host="example.com")
    try:
        with pytest.raises(UpstreamError, match="SSLCertVerificationError"):
            webhook_to(other, clock).send(routed())
    finally:
        other.close()
    assert other.requests == []


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://user@example.com/", "https:///x", "https://example.com:99999/", "file:///x"]
)
def test_an_unusable_address_is_refused(receiver, clock, url):
    with pytest.raises(WebhookRefusedError, match="must be https://host/path"):
        webhook_to(receiver, clock, url).send(routed())


def test_an_internal_address_is_refused_before_a_connection(receiver, clock):
    with pytest.raises(WebhookRefusedError, match="has an internal address"):
        webhook_to(receiver, clock, may_be_internal=False).send(routed())
    assert receiver.requests == []


INTERNAL = [
    *("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "0.1.2.3", "::"),
    *("169.254.169.254", "169.254.170.2", "fe80::1%eth0", "::ffff:169.254.169.254"),
    *("fd00:ec2::254", "fd00:ec2::23", "2002:a9fe:a9fe::1", "64:ff9b::a9fe:a9fe", "224.0.0.1", "255.255.255.255"),
]


@pytest.mark.parametrize("address", INTERNAL)
def test_internal_addresses_are_recognized(address):
    assert _is_internal(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "10.1.2.3", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_other_addresses_are_allowed(address):
    assert not _is_internal(address)


@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="169.254.0.0/16"))
def test_no_spelling_hides_a_loopback_or_link_local_address(address):
    assert _is_internal(str(address))
    assert _is_internal(f"::ffff:{address}")


def test_no_error_says_the_secret_or_the_response(receiver, clock):
    def talkative(handler):
        handler.send_response(418, "a reason of the receiver")
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"body")

    receiver.answers = [talkative]

    with pytest.raises(WebhookRefusedError) as refused:
        webhook_to(receiver, clock).send(routed())
    assert not any(word in str(refused.value) for word in (SECRET, "reason of the receiver", "body"))


@pytest.fixture
def secrets(moto):

    return boto3.client("secretsmanager")


def test_the_secret_is_read_and_read_again_after_five_minutes(secrets, clock):
    arn = secrets.create_secret(Name="webhook", SecretString="a" * 32)["ARN"]
    secret = SecretsManagerSecret(secrets, arn, clock)
    assert secret.value() == b"a" * 32
    secrets.put_secret_value(SecretId=arn, SecretString="b" * 32)

    assert secret.value() == b"a" * 32
    clock.advance(minutes=5)
    assert secret.value() == b"b" * 32


def test_a_short_secret_is_refused_without_being_shown(secrets, clock):
    arn = secrets.create_secret(Name="webhook", SecretString="hunter2")["ARN"]

    with pytest.raises(RuleViolationError, match="at least 32 characters") as refused:
        SecretsManagerSecret(secrets, arn, clock).value()
    assert "hunter2" not in str(refused.value)


def test_a_secret_that_may_not_be_read_is_an_error_of_ours(clock):

    made = boto3.client("secretsmanager", region_name="ca-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(made)
    stubber.add_client_error("get_secret_value", "AccessDeniedException", "nope")

    with stubber, pytest.raises(AccessDeniedError):
        SecretsManagerSecret(made, "arn", clock).value()
