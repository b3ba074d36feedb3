"""One alert when it opens or gets worse, one when it is over, nothing in between; and none is ever lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_drift.application.operate_drift import AcknowledgementRequest
from policy_drift.application.ports import Kept, PublicationPendingError
from policy_drift.application.record_findings import CLOCKS_DIFFER, RecordFindings, ScanResult
from policy_drift.domain.account import Account, EntityId, User
from policy_drift.domain.decision import Decision
from policy_drift.domain.events import DriftScanFailed, PolicyDriftDetected, PolicyDriftResolved
from policy_drift.domain.finding import Acknowledgement, Kind, State, unread
from policy_drift.domain.lifecycle import Explanation, acknowledged
from policy_drift.domain.scope import EntityPattern, Scope
from policy_drift.domain.settings import DriftSettings
from policy_drift.report.finding_events import FindingEvents
from steward.errors import NotFoundError, PreconditionFailedError, RuleViolationError, UpstreamError
from steward.severity import Severity
from tests.doubles.drift_under_test import ACCOUNT, APP, GET, QUIET, WIDER, WIDEST, DriftUnderTest, allowing
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.recording_publisher import RecordingPublisher
from tests.doubles.shipped_severities import drifts

ID = "access:role:app"
STATES = {"approved": GET, "wider": WIDER, "widest": WIDEST, "none": allowing("s3:ListBucket")}


@pytest.fixture
def drift():
    """A deployment whose first scan has captured the baseline."""
    wired = DriftUnderTest()
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


@pytest.mark.no_cover
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

    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened"]
    assert len(drift.published(PolicyDriftResolved)) == 1


def test_a_second_grant_does_not_hide_behind_the_first(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.role(inline={"own": WIDEST})
    drift.scan()

    detected = drift.published(PolicyDriftDetected)
    assert [(event.why, event.request["action"]) for event in detected] == [
        ("opened", "s3:PutObject"),
        ("changed", "s3:DeleteObject"),
    ]


def test_a_partly_reverted_drift_is_not_alerted_again(drift):
    drift.role(inline={"own": WIDEST})
    drift.scan()
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.role(inline={"own": WIDEST})
    drift.scan()

    assert len(drift.published(PolicyDriftDetected)) == 1


def test_a_worse_state_ends_an_acknowledgement(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    acknowledge(drift)
    drift.scan()
    drift.role(inline={"own": WIDEST})
    drift.scan()

    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened", "changed"]
    assert drift.findings.get(ID).value.state is State.OPEN


def test_an_expired_acknowledgement_is_open_at_once(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    acknowledge(drift)
    drift.clock.advance(days=31)
    assert [one.id for one in drift.operate.in_states({State.OPEN})] == [ID]
    assert drift.operate.in_states({State.ACKNOWLEDGED}) == []
    assert drift.operate.show(ID).state is State.OPEN


def test_an_expired_acknowledgement_is_alerted(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    acknowledge(drift)
    drift.clock.advance(days=31)
    drift.scan()

    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened", "reopened"]


def test_a_drift_that_comes_back_is_alerted_again(drift):
    for _ in range(2):
        drift.role(inline={"own": WIDER})
        drift.scan()
        drift.role(inline={"own": GET})
        drift.scan()

    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened", "reopened"]
    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["reverted", "reverted"]


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
    assert drift.published(PolicyDriftResolved) == []
    assert [event.kind for event in drift.published(PolicyDriftDetected)] == ["ACCESS", "UNREADABLE"]


def test_a_failed_snapshot_is_published_and_opens_and_resolves_nothing(drift):
    drift.role(inline={"own": WIDER})
    drift.iam = FaultInjecting(drift.iam)
    drift.iam.fail("snapshot", UpstreamError("AWS failed GetAccountAuthorizationDetails"))
    drift.scan()

    assert [event.reason for event in drift.published(DriftScanFailed)] == ["AWS failed GetAccountAuthorizationDetails"]
    assert drift.published(PolicyDriftDetected) == []


def test_the_next_run_publishes_the_alert_of_a_run_that_died():
    publisher = FaultInjecting(RecordingPublisher())
    drift = DriftUnderTest(publisher=publisher)
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
    drift = DriftUnderTest(publisher=publisher)
    drift.scan()
    drift.role(inline={"own": WIDER})
    change = drift.event()
    publisher.fail("publish", UpstreamError("the bus cannot be reached"))

    with pytest.raises(PublicationPendingError, match="yet to be published: the bus cannot be reached"):
        drift.check(change)
    drift.clock.advance(minutes=3)
    drift.check(change)

    assert [event.why for event in publisher.of(PolicyDriftDetected)] == ["opened"]


def test_a_run_that_died_after_the_bus_took_it_repeats_the_same_event():
    publisher = FaultInjecting(RecordingPublisher())
    drift = DriftUnderTest(publisher=publisher)
    drift.scan()
    drift.role(inline={"own": WIDER})
    publisher.fail("publish", SystemExit("killed"), after_acting=True)
    with pytest.raises(SystemExit):
        drift.scan()
    drift.clock.advance(minutes=3)
    drift.scan()

    first, second = publisher.of(PolicyDriftDetected)
    assert first == second


def test_of_two_concurrent_runs_one_publishes(drift):
    drift.role(inline={"own": WIDER})
    slow = FaultInjecting(drift.findings)
    fast, drift.findings = drift.findings, slow
    slow.before("save_many", lambda *_, **__: _scan_with(drift, fast, slow))
    drift.scan()

    assert len(drift.published(PolicyDriftDetected)) == 1


def two_findings(drift):
    """The role app may do more, and there is an intruder: two alerts, that of the intruder last."""
    drift.role(inline={"own": WIDER})
    intruder = replace(APP, name="intruder", unique_id="AROAINTRUDER")
    drift.iam.account = replace(drift.iam.account, roles={**drift.iam.account.roles, "intruder": intruder})


def test_an_error_in_the_middle_strands_no_alert_that_was_written_before_it(drift):
    intruders = {f"r{number}": replace(APP, name=f"r{number}", unique_id=f"AROA{number}") for number in range(101)}
    drift.iam.account = replace(drift.iam.account, roles={**drift.iam.account.roles, **intruders})
    failing = FaultInjecting(drift.findings)
    failing.after("save_many", lambda *_, **__: failing.fail("save_many", UpstreamError("DynamoDB throttles")))
    drift.findings = failing

    with pytest.raises(UpstreamError, match="throttles"):
        drift.check(*(drift.event("CreateRole", roleName=name) for name in intruders))

    assert len(drift.published(PolicyDriftDetected)) == 100
    assert all(kept.undelivered == {} for kept in drift.findings.all())


def about_app(event):
    return getattr(event, "entity", "") == "role/app"


def test_alerts_that_the_bus_took_are_not_published_again_for_those_that_it_refused(drift):
    two_findings(drift)
    drift.publisher.refuses = about_app
    with pytest.raises(PublicationPendingError):
        drift.scan()
    drift.publisher.refuses = lambda _: False
    drift.clock.advance(minutes=3)
    drift.scan()

    assert [event.entity for event in drift.published(PolicyDriftDetected)] == ["role/intruder", "role/app"]


def test_a_scan_has_not_completed_until_the_bus_takes_its_alert():
    """Lambda repeats the invocation after a minute, when the first one's time is not over yet, and then once more."""
    publisher = FaultInjecting(RecordingPublisher())
    drift = DriftUnderTest(publisher=publisher)
    drift.scan()
    drift.role(inline={"own": WIDER})
    publisher.fail("publish", UpstreamError("the bus cannot be reached"))
    with pytest.raises(PublicationPendingError):
        drift.scan()
    drift.clock.advance(minutes=1)
    with pytest.raises(PublicationPendingError):
        drift.scan()
    drift.clock.advance(minutes=2)
    drift.scan()

    assert [event.why for event in publisher.of(PolicyDriftDetected)] == ["opened"]
    assert publisher.of(DriftScanFailed) == []


def test_an_alert_that_cannot_be_published_keeps_no_other_from_being_recorded_and_published(drift):
    drift.publisher.refuses = about_app
    drift.role(inline={"own": WIDER})
    with pytest.raises(PublicationPendingError):
        drift.scan()
    two_findings(drift)
    drift.clock.advance(minutes=3)
    with pytest.raises(PublicationPendingError, match="refused 1 events"):
        drift.scan()

    assert [event.entity for event in drift.published(PolicyDriftDetected)] == ["role/intruder"]


def test_commands_that_are_too_long_for_an_alert_are_left_to_the_report():
    long = {
        f"p{number}": allowing("s3:GetObject", resource=f"arn:aws:s3:::{'x' * 6_000}{number}") for number in range(9)
    }
    drift = DriftUnderTest(replace(QUIET, roles={"app": replace(APP, inline=long)}))
    drift.scan()
    drift.role(inline={"own": WIDER})
    drift.scan()

    (alert,) = drift.published(PolicyDriftDetected)
    assert alert.revert == [
        "# 10 commands revert it, too long for an alert: read them in the report, GET /drift/report"
    ]


def test_what_the_settings_exclude_is_resolved_as_out_of_scope_and_not_as_reverted(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.settings = DriftSettings(scope=Scope(exclude=(EntityPattern("role/app"),)))
    drift.scan()

    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["out_of_scope"]


def test_a_drift_of_the_baseline_is_resolved_as_reverted_under_any_scope(drift):
    drift.settings = DriftSettings(scope=Scope(include=(EntityPattern("user/*"),)))
    drift.store.is_deleted = True
    drift.scan()
    drift.store.is_deleted = False
    drift.scan()

    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["reverted"]


def test_a_finding_of_a_user_that_is_renamed_goes_on_under_the_new_name():
    ann = User("ann", "/", "AIDAANN", inline={"own": GET})
    drift = DriftUnderTest(Account(ACCOUNT, users={"ann": ann}))
    drift.scan()
    drift.iam.account = Account(ACCOUNT, users={"ann": replace(ann, inline={"own": WIDER})})
    drift.scan()
    drift.iam.account = Account(ACCOUNT, users={"eve": replace(ann, name="eve", inline={"own": WIDER})})
    drift.scan()

    assert [(event.finding_id, event.how) for event in drift.published(PolicyDriftResolved)] == [
        ("access:user:ann", "renamed")
    ]
    assert "access:user:eve" in [event.finding_id for event in drift.published(PolicyDriftDetected)]


def scan_that_read_before(drift, happens):
    """A scan whose snapshot is of before something that is seen before the scan has recorded."""
    stale = drift.iam.account
    slow = FaultInjecting(drift.findings)
    quick, drift.findings = drift.findings, slow

    def meanwhile(*_, **__):
        drift.findings = quick
        drift.clock.advance(seconds=20)
        happens()
        drift.findings = slow

    slow.before("all", meanwhile)
    drift.scan()
    drift.findings = quick
    assert stale != drift.iam.account


def test_a_scan_that_read_before_a_change_does_not_resolve_what_a_check_has_found_since(drift):
    def granted():
        drift.role(inline={"own": WIDER})
        drift.check(drift.event())

    scan_that_read_before(drift, granted)

    assert drift.published(PolicyDriftResolved) == []
    assert drift.findings.get(ID).value.state is State.OPEN


def test_a_scan_that_read_before_a_change_was_reverted_does_not_reopen_what_a_check_has_resolved_since(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()

    def reverted():
        drift.role(inline={"own": GET})
        drift.check(drift.event())

    scan_that_read_before(drift, reverted)

    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened"]
    assert drift.findings.get(ID).value.state is State.RESOLVED


def _scan_with(drift, fast, slow):
    drift.findings = fast
    drift.scan()
    drift.findings = slow


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(STATES)), min_size=1, max_size=12), st.booleans())
def test_alerts_and_resolutions_alternate_however_the_account_moves(states, with_events):
    """A finding is alerted as often as it opens or gets worse, and resolved at most once in between."""
    drift = DriftUnderTest()
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


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(STATES)), st.integers(0, 300)), min_size=2, max_size=10))
def test_in_any_order_of_recording_the_run_that_read_last_decides(reads):
    drift = DriftUnderTest()
    drift.scan()
    start, recorder = drift.clock.now(), RecordFindings(drift.findings, drift.publisher, drift.clock)
    seen = start
    for state, seconds in reads:
        live = replace(QUIET, roles={"app": replace(APP, inline={"own": STATES[state]})})
        look = ScanResult(drifts(QUIET, live), start + timedelta(seconds=seconds))
        before = drift.findings.get(ID)
        recorder.record(look, lambda _: Explanation(), FindingEvents(QUIET, live), "run")
        kept = drift.findings.get(ID)
        if kept and kept != before:
            assert look.read_at >= seen - CLOCKS_DIFFER
            seen = look.read_at


def damage(drift, finding_id):
    drift.findings.items[finding_id] = Kept(unread(Severity.HIGH, finding_id, "DecodeError: truncated"), 3)


def test_a_record_that_cannot_be_read_is_listed_and_hides_no_other(drift):
    damage(drift, "trust:role:other")
    drift.role(inline={"own": WIDER})
    drift.check(drift.event())

    damaged, other = drift.operate.in_states({State.OPEN})
    assert (damaged.id, other.id) == ("trust:role:other", ID)
    assert "cannot be read (DecodeError: truncated)" in damaged.drift.summary
    assert drift.operate.show("trust:role:other") == damaged


def test_what_differs_is_alerted_again_where_its_record_cannot_be_read(drift):
    drift.role(inline={"own": WIDER})
    damage(drift, ID)
    drift.scan()
    drift.scan()

    assert [event.finding_id for event in drift.published(PolicyDriftDetected)] == [ID]
    assert drift.findings.get(ID).value.drift.verdict == "BROADENED"


def test_a_record_that_cannot_be_read_is_over_when_nothing_differs_and_that_is_said(drift):
    damage(drift, ID)
    drift.scan()
    drift.scan()

    (resolved,) = drift.published(PolicyDriftResolved)
    assert "cannot be read" in resolved.summary


def test_an_unreadable_record_of_a_transient_is_alerted_and_stays(drift):
    damage(drift, "transient:role:app")
    drift.scan()
    drift.scan()

    (detected,) = drift.published(PolicyDriftDetected)
    assert "cannot be read" in detected.summary
    assert [one.id for one in drift.operate.in_states({State.OPEN})] == ["transient:role:app"]


def test_a_record_that_cannot_be_read_is_not_acknowledged_and_stays_as_it_is(drift):
    drift.role(inline={"own": WIDER})
    damage(drift, ID)
    before = drift.findings.get(ID)
    sent = AcknowledgementRequest("planned", "team-a", drift.clock.now() + timedelta(days=1), "unread")

    with pytest.raises(PreconditionFailedError, match="request a scan"):
        drift.operate.acknowledge(ID, sent, Decision("ann"), "run")
    assert drift.findings.get(ID) == before


def test_credentials_of_an_unreadable_record_are_read_from_iam(drift):
    user = User("ann", "/", "AIDAANN", inline={"own": GET})
    drift.iam.account = replace(drift.iam.account, users={"ann": user})
    drift.credentials.items[EntityId("user/ann"), Kind.CREDENTIAL] = {"access key AKIA1"}
    damage(drift, "credential:user:ann")
    drift.credentials.error = UpstreamError("IAM is away", code="ServiceUnavailable")
    drift.scan()
    assert drift.findings.get("credential:user:ann").value.state is State.OPEN
    drift.credentials.error = None
    drift.scan()

    assert drift.findings.get("credential:user:ann").value.drift.live == ["access key AKIA1"]
