"""The lock of a run: for how long, and what becomes of it when something breaks."""

from access_key_rotation.application.ports import BusyError
from access_key_rotation.application.run import LEASE, MARGIN
from access_key_rotation.domain.events import AccessKeyRotationDue, AccessKeyRotationFailed
from steward.aws.clients import client
from tests.unit.access_key_rotation.lives import Fault
from tests.unit.access_key_rotation.scenarios import begun, whole_life
from tests.unit.access_key_rotation.scenarios_of_enrolment import existing

OUTSIDE = {"claim", "publish", "release"}
"""Calls before a run, or after its last step."""


def longest_pause(attempt):
    """Before the next attempt, in botocore's standard mode.

    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html (exponential backoff)
    """
    return min(2 ** (attempt - 1), 20)


def test_what_must_be_left_of_a_lease_is_longer_than_a_call_with_all_its_repetitions(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ca-central-1")
    config = client("iam").meta.config
    attempts = config.retries["total_max_attempts"]  # type: ignore[attr-defined]
    pauses = sum(longest_pause(attempt) for attempt in range(1, attempts))

    assert MARGIN.total_seconds() > attempts * (config.connect_timeout + config.read_timeout) + pauses  # type: ignore[attr-defined]


def test_the_run_that_an_enrolment_requests_finds_the_user_unlocked(monkeypatch):
    life, _ = existing()
    publish, claimed = life.publisher.publish, []

    def run_at_once(events, *, correlation_id):
        publish(events, correlation_id=correlation_id)
        if any(isinstance(event, AccessKeyRotationDue) for event in events):
            claim = life.records.claim(life.name, "a run", LEASE)
            claimed.append(claim)
            life.records.release(claim, claim.record)

    monkeypatch.setattr(life.publisher, "publish", run_at_once)
    life.enrol()

    assert claimed


def test_an_unexpected_error_releases_the_lock():
    calls = whole_life().stage.calls
    for at in [at for at, call in enumerate(calls) if call not in OUTSIDE]:
        life = whole_life(fault=Fault(at, "breaks"))
        assert [error for error in life.errors if isinstance(error, BusyError)] == []


def test_a_failure_stands_in_the_record_until_a_run_succeeds():
    life = begun()
    life.stage.fault = Fault(len(life.stage.calls) + 1, "fails before")

    life.run()
    failed = [error for error in life.errors if str(error).endswith(" failed")]
    after_success = life.records.find(life.name).failure
    life.stage.fault = Fault(len(life.stage.calls) + 1, "fails before")
    life._run(life.rotator)

    assert len(failed) == 1
    assert after_success is None
    assert life.records.find(life.name).failure.reason == str(life.errors[-1])


def test_the_text_of_an_unexpected_error_is_not_published():
    life = begun()
    life.stage.fault = Fault(len(life.stage.calls) + 1, "breaks")

    life.run()

    (failed,) = life.publisher.of(AccessKeyRotationFailed)
    assert (failed.reason, failed.code) == ("an unexpected RuntimeError; the log says where", None)
