"""One alert when it opens or gets worse, one when it is over, nothing in between; and none is ever lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_drift.domain.account import EntityId
from policy_drift.domain.events import DriftScanFailed, PolicyDriftDetected, PolicyDriftResolved
from policy_drift.domain.finding import Acknowledgement, State
from policy_drift.domain.lifecycle import acknowledged
from policy_drift.domain.ports import NotToldError
from steward.errors import NotFoundError, PreconditionFailedError, RuleViolationError, UpstreamError
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.recording_publisher import RecordingPublisher
from tests.doubles.wired_drift import GET, WIDER, WIDEST, WiredDrift, allowing

ID = "access:role:app"
STATES = {"approved": GET, "wider": WIDER, "widest": WIDEST, "none": allowing("s3:ListBucket")}


@pytest.fixture
def drift():
    """A deployment whose first scan has captured the baseline."""
    wired = WiredDrift()
    wired.scan()
    return wired


def acknowledge(drift, **given):
    kept = drift.findings.get(ID)
    now = drift.clock.now()
    sent = {
        "by": "123456789012:user/ann",
        "owner": "team-a",
        "reason": "planned",
        "fingerprint": kept.value.drift.fingerprint,
        "given": now,
        "expires": now + timedelta(days=30),
    } | given
    finding = acknowledged(kept.value, Acknowledgement(**sent))
    drift.findings.save(finding, after=kept.revision)


def test_a_thousand_scans_and_a_thousand_duplicate_events_give_one_alert_and_one_resolution(drift):
    drift.role(inline={"own": WIDER})
    event = drift.event()
    for _ in range(1000):
        drift.check(event)
        drift.clock.advance(minutes=1)
        drift.scan()
    drift.role(inline={"own": GET})
    for _ in range(1000):
        drift.check(event)
        drift.scan()

    assert [event.why for event in drift.told(PolicyDriftDetected)] == ["opened"]
    assert len(drift.told(PolicyDriftResolved)) == 1


def test_a_second_grant_does_not_hide_behind_the_first(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.role(inline={"own": WIDEST})
    drift.scan()

    told = drift.told(PolicyDriftDetected)
    assert [(event.why, event.request["action"]) for event in told] == [
        ("opened", "s3:PutObject"),
        ("changed", "s3:DeleteObject"),
    ]


def test_what_is_partly_taken_back_is_not_told_again(drift):
    drift.role(inline={"own": WIDEST})
    drift.scan()
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.role(inline={"own": WIDEST})
    drift.scan()

    assert len(drift.told(PolicyDriftDetected)) == 1


def test_a_worse_state_ends_an_acknowledgement(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    acknowledge(drift)
    drift.scan()
    drift.role(inline={"own": WIDEST})
    drift.scan()

    assert [event.why for event in drift.told(PolicyDriftDetected)] == ["opened", "changed"]
    assert drift.findings.get(ID).value.state is State.OPEN


def test_an_acknowledgement_that_expires_is_told(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    acknowledge(drift)
    drift.clock.advance(days=31)
    drift.scan()

    assert [event.why for event in drift.told(PolicyDriftDetected)] == ["opened", "reopened"]


def test_a_drift_that_comes_back_is_told_again(drift):
    for _ in range(2):
        drift.role(inline={"own": WIDER})
        drift.scan()
        drift.role(inline={"own": GET})
        drift.scan()

    assert [event.why for event in drift.told(PolicyDriftDetected)] == ["opened", "reopened"]
    assert [event.how for event in drift.told(PolicyDriftResolved)] == ["reverted", "reverted"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"reason": " "}, RuleViolationError),
        ({"owner": ""}, RuleViolationError),
        ({"fingerprint": "of yesterday"}, PreconditionFailedError),
    ],
)
def test_an_acknowledgement_that_says_too_little_or_pins_another_state_is_refused(drift, given, error):
    drift.role(inline={"own": WIDER})
    drift.scan()

    with pytest.raises(error):
        acknowledge(drift, **given)


def test_an_acknowledgement_that_ends_in_the_past_is_refused(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()

    with pytest.raises(RuleViolationError, match="past"):
        acknowledge(drift, expires=drift.clock.now() - timedelta(seconds=1))


def test_what_is_resolved_cannot_be_acknowledged(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.role(inline={"own": GET})
    drift.scan()

    with pytest.raises(NotFoundError):
        acknowledge(drift)


def test_an_entity_that_could_not_be_read_neither_opens_nor_resolves(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.iam.account = replace(
        drift.iam.account, roles={}, unreadable={EntityId("role/app"): "a document is no JSON object"}
    )
    drift.scan()

    assert drift.findings.get(ID).value.state is State.OPEN
    assert drift.told(PolicyDriftResolved) == []
    assert [event.kind for event in drift.told(PolicyDriftDetected)] == ["ACCESS", "UNREADABLE"]


def test_a_snapshot_that_fails_opens_and_resolves_nothing_and_is_told(drift):
    drift.role(inline={"own": WIDER})
    drift.iam = FaultInjecting(drift.iam)
    drift.iam.fail("snapshot", UpstreamError("AWS failed GetAccountAuthorizationDetails"))
    drift.scan()

    assert [event.reason for event in drift.told(DriftScanFailed)] == ["AWS failed GetAccountAuthorizationDetails"]
    assert drift.told(PolicyDriftDetected) == []


def test_an_alert_whose_run_died_before_the_bus_took_it_is_told_by_the_next():
    publisher = FaultInjecting(RecordingPublisher())
    drift = WiredDrift(publisher=publisher)
    drift.scan()
    drift.role(inline={"own": WIDER})
    publisher.fail("publish", SystemExit("killed"))
    with pytest.raises(SystemExit):
        drift.scan()
    drift.clock.advance(minutes=3)
    drift.scan()
    drift.scan()

    assert [event.why for event in publisher.of(PolicyDriftDetected)] == ["opened"]


def test_an_alert_that_the_bus_did_not_take_is_an_error_and_comes_with_the_retry():
    publisher = FaultInjecting(RecordingPublisher())
    drift = WiredDrift(publisher=publisher)
    drift.scan()
    drift.role(inline={"own": WIDER})
    change = drift.event()
    publisher.fail("publish", UpstreamError("the bus cannot be reached"))

    with pytest.raises(NotToldError, match="yet to be told: the bus cannot be reached"):
        drift.check(change)
    drift.clock.advance(minutes=3)
    drift.check(change)

    assert [event.why for event in publisher.of(PolicyDriftDetected)] == ["opened"]


def test_a_run_that_died_after_the_bus_took_it_repeats_the_same_event():
    publisher = FaultInjecting(RecordingPublisher())
    drift = WiredDrift(publisher=publisher)
    drift.scan()
    drift.role(inline={"own": WIDER})
    publisher.fail("publish", SystemExit("killed"), after_acting=True)
    with pytest.raises(SystemExit):
        drift.scan()
    drift.clock.advance(minutes=3)
    drift.scan()

    first, second = publisher.of(PolicyDriftDetected)
    assert first == second


def test_of_two_runs_at_the_same_time_one_tells(drift):
    drift.role(inline={"own": WIDER})
    slow = FaultInjecting(drift.findings)
    fast, drift.findings = drift.findings, slow
    slow.before("save", lambda *_, **__: _scan_with(drift, fast, slow))
    drift.scan()

    assert len(drift.told(PolicyDriftDetected)) == 1


def _scan_with(drift, fast, slow):
    drift.findings = fast
    drift.scan()
    drift.findings = slow


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(STATES)), min_size=1, max_size=12), st.booleans())
def test_alerts_and_resolutions_alternate_however_the_account_moves(states, with_events):
    """At every moment, a finding was told as often as it opened or got worse, and resolved at most once in between."""
    drift = WiredDrift()
    drift.scan()
    for state in states:
        drift.role(inline={"own": STATES[state]})
        if with_events:
            drift.check(drift.event())
        drift.scan()
        drift.clock.advance(hours=6)

    lives = [type(event) for event in drift.publisher.published if getattr(event, "finding_id", "") == ID]
    resolved = [index for index, kind in enumerate(lives) if kind is PolicyDriftResolved]
    assert all(lives[index - 1] is PolicyDriftDetected for index in resolved)
    assert (lives[-1:] == [PolicyDriftDetected]) == (states[-1] != "approved")
    assert all(kept.undelivered == {} for kept in drift.findings.all())
