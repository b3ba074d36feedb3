"""Which baseline is in force when its bucket changes, and what is published of it."""

import json
from dataclasses import replace

import pytest

from policy_drift import baseline_document
from policy_drift.application.baseline_in_force import DELETED, BaselineLostError, LargeBaselineError
from policy_drift.application.ports import ConcurrentUpdateError
from policy_drift.domain.account import Account
from policy_drift.domain.baseline import AT_ONCE, Baseline, NothingApprovedError, Origin, UnusableBaselineError, largest
from policy_drift.domain.decision import Decision
from policy_drift.domain.events import (
    BaselineChanged,
    BaselineRefused,
    DriftScanCompleted,
    DriftScanFailed,
    PolicyDriftDetected,
    PolicyDriftResolved,
)
from policy_drift.domain.finding import Change
from steward.errors import UpstreamError
from tests.doubles.drift_under_test import ACCOUNT, APP, QUIET, WIDER, WIDEST, DriftUnderTest, allowing
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.frozen_clock import FrozenClock, HurryingClock

LARGEST = largest(2048)
ANN = Decision("123456789012:user/ann")
TOO_LARGE = replace(
    QUIET, roles={"app": replace(APP, inline={"own": allowing("s3:GetObject", resource="x" * LARGEST)})}
)


def text_of(account=QUIET, **more):
    return baseline_document.write(Baseline(account, **more))


def granting(*actions):
    """An account in which the role ``app`` may do more."""
    return replace(QUIET, roles={"app": replace(APP, inline={"own": allowing(*actions)})})


def s3_event(drift, name="Object Created"):
    """What S3 says of who wrote or deleted a version."""
    return Change("e-1", name, "999988887777", drift.clock.now(), "203.0.113.7")


def critical(drift):
    """The summaries of the CRITICAL drifts of the baseline."""
    detected = drift.published(PolicyDriftDetected)
    return [event.summary for event in detected if (event.kind, event.severity) == ("BASELINE", "CRITICAL")]


@pytest.fixture
def unscanned():
    return DriftUnderTest()


@pytest.fixture
def drift():
    wired = DriftUnderTest()
    wired.scan()
    return wired


def test_the_first_scan_captures_the_account_as_not_reviewed(drift):
    (changed,) = drift.published(BaselineChanged)

    assert changed.how == "captured"
    assert baseline_document.read(drift.store.latest().text, account=ACCOUNT) == Baseline(QUIET, reviewed=False)
    assert drift.published(PolicyDriftDetected) == []


def test_the_next_scan_finishes_a_first_scan_that_died_even_with_malformed_policies():
    """IAM holds policies that nobody could upload; they were captured, not uploaded."""
    odd = replace(QUIET, roles={"app": replace(APP, inline={"own": allowing("s3:GetObject", resource="")})})
    drift = DriftUnderTest(odd)
    drift.records = FaultInjecting(drift.records)  # type: ignore[assignment]
    drift.records.fail("save", UpstreamError("the table cannot be reached"))  # type: ignore[attr-defined]

    drift.scan()
    drift.scan()

    assert len(drift.store.versions) == 1
    assert [type(event) for event in drift.publisher.published][:2] == [DriftScanFailed, BaselineChanged]


def test_nothing_is_captured_where_a_baseline_was_ever_written():
    drift = DriftUnderTest()
    drift.store.put(text_of())
    drift.store.is_deleted = True

    drift.scan()

    assert len(drift.store.versions) == 1
    assert [type(event) for event in drift.publisher.published] == [PolicyDriftDetected, DriftScanFailed]
    assert len(critical(drift)) == 1


def test_a_deleted_baseline_is_critical_and_the_last_good_one_stays_in_force(drift):
    drift.store.is_deleted = True
    drift.role(inline={"own": WIDER})

    drift.scan()
    drift.scan()

    detected = {event.kind: event.severity for event in drift.published(PolicyDriftDetected)}
    assert detected == {"BASELINE": "CRITICAL", "ACCESS": "MEDIUM"}
    assert len(drift.published(PolicyDriftDetected)) == 2


def test_a_restored_baseline_is_published_once(drift):
    drift.store.is_deleted = True
    drift.scan()
    drift.store.put(text_of())
    drift.scan()
    drift.scan()

    assert [event.kind for event in drift.published(PolicyDriftResolved)] == ["BASELINE"]


def test_an_upload_that_approves_a_grant_is_as_severe_as_the_grant(drift):
    granted = replace(QUIET, roles={"app": replace(APP, inline={"own": allowing("*")})})
    version = drift.store.put(text_of(granted))

    drift.scan(writers={version.id: s3_event(drift)})

    changed = drift.published(BaselineChanged)[-1]
    assert (changed.how, changed.severity, changed.by) == ("uploaded", "CRITICAL", "999988887777 from 203.0.113.7")
    assert changed.newly_approved == ["access:role:app"]


def test_what_an_upload_approves_is_resolved_as_adopted(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.store.put(text_of(drift.iam.account))
    drift.scan()

    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["adopted"]


@pytest.mark.parametrize("look", [DriftUnderTest.scan, lambda drift: drift.check(drift.event())])
@pytest.mark.parametrize("origin", [Origin.UPLOADED, Origin.ADOPTED])
def test_a_run_that_reads_a_new_baseline_before_its_writer_ends_its_findings_says_how_they_end(drift, look, origin):
    drift.role(inline={"own": WIDER})
    drift.scan()
    findings = ["access:role:app"] if origin is Origin.ADOPTED else []

    drift.baseline.replace(Baseline(drift.iam.account), origin=origin, by=ANN, findings=findings, run="run")
    look(drift)

    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["adopted"]


@pytest.mark.parametrize("look", [DriftUnderTest.scan, lambda drift: drift.check(drift.event())])
def test_what_differs_again_after_an_adoption_and_is_taken_back_was_reverted(drift, look):
    drift.role(inline={"own": WIDER})
    drift.scan()
    granted = Baseline(drift.iam.account)
    drift.baseline.replace(granted, origin=Origin.ADOPTED, by=ANN, findings=["access:role:app"], run="run")
    drift.scan()
    drift.clock.advance(minutes=1)
    drift.role(inline={"own": WIDEST})
    drift.scan()
    drift.role(inline={"own": WIDER})
    look(drift)

    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["adopted", "reverted"]


def test_a_scan_that_sees_an_adoption_before_it_is_finished_finishes_it(drift):
    """S3 tells of the new version at once, and a scan may be quicker than the function that wrote it."""
    granted = replace(QUIET, roles={"app": replace(APP, inline={"own": WIDER})})
    drift.store = FaultInjecting(drift.store)
    drift.store.after("write", lambda *_, **__: drift.scan())

    approved = drift.baseline.replace(
        Baseline(granted),
        origin=Origin.ADOPTED,
        by=ANN,
        findings=["access:role:app"],
        run="run",
    )

    changed = drift.published(BaselineChanged)[1:]
    assert [(one.how, one.by, one.findings) for one in changed] == [
        ("adopted", "123456789012:user/ann", ["access:role:app"])
    ]
    assert approved.record.version == "v2"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b"", 0, "empty"),
        (text_of()[: len(text_of()) // 2], 19, "truncated"),
        (text_of().replace(b'"reviewed": true,', b'"reviewed": true'), 7, "not JSON"),
        (b"{}", 1, "no baseline"),
        (b"[1, 2]", 1, "no baseline"),
        (text_of(Account(ACCOUNT)), 0, "approves no user"),
        (text_of().replace(ACCOUNT.encode(), b"210987654321"), 2, "of the account 210987654321"),
        (text_of().replace(b"baseline/1", b"baseline/9"), 3, "format"),
        (text_of().replace(b'"AROAAPP"', b"7"), 0, "unique_id"),
        (text_of().replace(b'"Allow"', b'"Maybe"', 1), 0, "Effect"),
        (b"\xff\xfe", 0, "UTF-8"),
        (text_of().replace(b'"path": "/",', b'"path": "/", "path": "/x/",'), 0, "twice"),
        (b" " * (64 * 1024 * 1024 + 1), 0, "more than"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_an_upload_that_cannot_be_used_is_refused_once_with_the_reason(drift, text, line, reason):
    drift.store.put(text)
    drift.role(inline={"own": WIDER})

    drift.scan()
    drift.scan()

    (refused,) = drift.published(BaselineRefused)
    assert reason in refused.reason
    assert line in {0, refused.line}
    assert refused.version_in_force == "v1"
    assert {event.kind for event in drift.published(PolicyDriftDetected)} == {"BASELINE", "ACCESS"}


def test_a_good_upload_comes_into_force_where_the_one_in_force_was_deleted_for_good_and_that_is_critical(drift):
    drift.store.put(text_of(granting("s3:GetObject", "s3:PutObject")))
    drift.store.lose("v1")

    drift.scan()

    changed = drift.published(BaselineChanged)[-1]
    assert (changed.version, changed.previous_version, changed.severity) == ("v2", "v1", "CRITICAL")
    assert "not known" in changed.summary
    assert drift.baseline.known()[1].version == "v2"


def test_a_baseline_that_is_put_where_the_one_in_force_was_deleted_for_good_comes_into_force(drift):
    drift.store.lose("v1")

    drift.baseline.replace(Baseline(QUIET), origin=Origin.UPLOADED, by=ANN, findings=[], run="run", based_on="v1")
    drift.scan()

    assert [event.severity for event in drift.published(BaselineChanged)] == ["INFO", "CRITICAL"]
    assert drift.published(PolicyDriftDetected) == []


def test_a_lost_version_in_force_is_critical_once_and_names_the_actor(drift):
    drift.store.lose("v1")

    for _ in range(2):
        drift.scan(writers={"v1": s3_event(drift, DELETED)})

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.severity) == ("BASELINE", "CRITICAL")
    assert "gone for good" in detected.summary
    assert [(change["event_name"], change["source_ip"]) for change in detected.changes] == [(DELETED, "203.0.113.7")]
    assert len(drift.published(DriftScanFailed)) == 2


def test_a_lost_baseline_is_over_when_a_good_one_is_there(drift):
    drift.store.lose("v1")
    drift.scan()
    drift.store.put(text_of())
    drift.scan()

    assert [event.kind for event in drift.published(PolicyDriftResolved)] == ["BASELINE"]


def test_an_upload_that_cannot_be_used_does_not_take_the_place_of_a_lost_baseline(drift):
    drift.store.put(b"{}")
    drift.store.lose("v1")

    drift.scan()

    (refused,) = drift.published(BaselineRefused)
    assert refused.version_in_force == ""
    assert "cannot be used" in critical(drift)[0]


@pytest.mark.parametrize("lose", [lambda drift: drift.store.lose("v1"), lambda drift: drift.records.items.clear()])
def test_a_change_waits_while_the_baseline_is_lost_and_is_not_dropped(drift, lose):
    """Without a baseline ever, there is nothing to wait for; the two are different errors."""
    lose(drift)

    with pytest.raises(BaselineLostError):
        drift.check(drift.event())


def test_before_the_first_baseline_a_change_has_nothing_to_wait_for():
    with pytest.raises(NothingApprovedError):
        DriftUnderTest().check(DriftUnderTest().event())


def test_what_no_record_says_was_in_force_is_replaced_critically_and_not_as_a_first_upload(drift):
    """Anyone who can remove the record could else approve anything as the first baseline, without a word."""
    drift.records.items.clear()
    drift.store.put(text_of(granting("*")))

    drift.scan()

    changed = drift.published(BaselineChanged)[-1]
    assert (changed.severity, changed.previous_version) == ("CRITICAL", "")
    assert "not known" in changed.summary


def test_a_baseline_that_is_put_where_no_record_says_what_was_in_force_is_critical(drift):
    drift.records.items.clear()
    drift.store.is_deleted = True

    drift.baseline.replace(Baseline(QUIET), origin=Origin.UPLOADED, by=ANN, findings=[], run="run")

    assert drift.published(BaselineChanged)[-1].severity == "CRITICAL"


def test_the_first_upload_of_all_is_no_alarm():
    drift = DriftUnderTest()
    drift.store.put(text_of())

    drift.scan()

    assert [event.severity for event in drift.published(BaselineChanged)] == ["INFO"]


def test_findings_that_an_upload_of_unknown_difference_ends_were_adopted_and_not_reverted(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.store.put(text_of(drift.iam.account))
    drift.store.lose("v1")
    drift.scan()

    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["adopted"]


@pytest.mark.parametrize("origin", [Origin.UPLOADED, Origin.ADOPTED])
def test_an_upload_that_no_scan_has_seen_is_never_replaced_unread(drift, origin):
    drift.store.put(text_of(granting("*")))

    with pytest.raises(ConcurrentUpdateError, match="no scan has seen"):
        drift.baseline.replace(Baseline(QUIET), origin=origin, by=ANN, findings=[], run="run", based_on="v1")

    drift.scan()
    assert drift.published(BaselineChanged)[-1].severity == "CRITICAL"


@pytest.mark.parametrize("is_first", [True, False], ids=["the first scans", "scans of an upload"])
def test_of_two_scans_at_once_both_complete_and_one_puts_the_baseline_in_force(unscanned, is_first):
    """S3's event of a large upload and the request that wrote it start a scan each, and both compare for a while."""
    drift = unscanned
    if not is_first:
        drift.scan()
        drift.store.put(text_of(granting("s3:GetObject", "s3:PutObject")))
    changed = len(drift.published(BaselineChanged))
    fast, slow = drift.records, FaultInjecting(drift.records)

    def another_scan(*_, **__):
        drift.records = fast
        drift.scan()

    drift.records = slow
    slow.before("save", another_scan)

    drift.scan()

    assert drift.published(DriftScanFailed) == []
    assert len(drift.published(BaselineChanged)) == changed + 1
    assert len(drift.published(DriftScanCompleted)) == (2 if is_first else 3)


def test_an_upload_that_was_refused_may_be_replaced(drift):
    drift.store.put(b"{}")
    drift.scan()

    drift.baseline.replace(Baseline(QUIET), origin=Origin.ADOPTED, by=ANN, findings=[], run="run", based_on="v1")

    assert drift.baseline.known()[1].version == "v3"


def test_what_was_decided_on_another_baseline_than_the_one_in_force_is_refused(drift):
    drift.store.put(text_of(granting("s3:GetObject", "s3:PutObject")))
    drift.scan()

    with pytest.raises(ConcurrentUpdateError, match="decided on"):
        drift.baseline.replace(Baseline(QUIET), origin=Origin.ADOPTED, by=ANN, findings=[], run="run", based_on="v1")


def test_nothing_is_adopted_into_a_baseline_that_was_deleted(drift):
    drift.store.is_deleted = True

    with pytest.raises(ConcurrentUpdateError, match="deleted"):
        drift.baseline.replace(Baseline(QUIET), origin=Origin.ADOPTED, by=ANN, findings=[], run="run", based_on="v1")


def test_the_deleter_of_the_baseline_is_named(drift):
    drift.store.is_deleted = True

    drift.scan(writers={"marker": s3_event(drift, DELETED)})

    (detected,) = drift.published(PolicyDriftDetected)
    assert [change["actor"] for change in detected.changes] == ["999988887777"]


def test_the_author_of_a_deleted_upload_is_not_named_as_its_deleter(drift):
    drift.store.is_deleted = True

    drift.scan(writers={"v2": s3_event(drift)})

    assert drift.published(PolicyDriftDetected)[0].changes == []


def test_the_uploader_of_an_unusable_baseline_is_named(drift):
    version = drift.store.put(b"{}")

    drift.scan(writers={version.id: s3_event(drift)})

    assert [change["actor"] for change in drift.published(PolicyDriftDetected)[0].changes] == ["999988887777"]


def test_a_bucket_that_keeps_no_versions_any_more_is_critical_and_what_was_in_force_stays(drift):
    drift.store.put(text_of(granting("*")))
    drift.store.keeps_versions = False
    drift.role(inline={"own": WIDEST})

    drift.scan()

    assert "turn on versioning" in critical(drift)[0]
    assert {event.kind for event in drift.published(PolicyDriftDetected)} == {"BASELINE", "ACCESS"}


def test_no_first_baseline_is_captured_into_a_bucket_that_keeps_no_versions():
    drift = DriftUnderTest()
    drift.store.keeps_versions = False

    drift.scan()
    drift.scan()

    assert "turn on versioning" in critical(drift)[0]
    assert drift.published(BaselineChanged) == []


def test_a_version_in_force_that_an_older_release_took_and_that_cannot_be_used_is_lost(drift):
    """It named a policy that it did not hold: nothing of whoever has that policy could be compared."""
    drift.store.versions[0] = replace(
        drift.store.versions[0],
        text=text_of().replace(b'"attached": []', b'"attached": ["arn:aws:iam::aws:policy/None"]'),
    )
    drift.scan()

    assert "policy/None" in critical(drift)[0]


def test_what_is_too_much_to_compare_in_a_request_is_put_in_force_by_the_scan_in_the_name_of_the_caller(drift):
    drift.clock = HurryingClock()
    others = {name: replace(APP, name=name, unique_id=f"AROA{name}", inline={"own": WIDER}) for name in "abcd"}
    wider = replace(QUIET, roles={**QUIET.roles, **others})

    record = drift.operate.upload(text_of(wider), replaces="v1", by=ANN, run="run")
    written, before = drift.store.latest().id, drift.baseline.record().version
    drift.clock = FrozenClock()
    drift.scan(writers={"v2": s3_event(drift)})

    assert (record, written, before) == (None, "v2", "v1")
    _, changed = drift.published(BaselineChanged)
    assert (changed.version, changed.how, changed.by) == ("v2", "uploaded", ANN.by)
    assert changed.newly_approved == [f"unmanaged:role:{name}" for name in "abcd"]
    assert drift.baseline.known()[1].version == "v2"


def test_a_first_baseline_that_could_not_be_read_again_is_not_captured():
    drift = DriftUnderTest(TOO_LARGE)

    drift.scan()

    (failed,) = drift.published(DriftScanFailed)
    assert f"more than the {LARGEST} bytes that are read" in failed.reason
    assert drift.store.versions == []


def test_a_reason_that_quotes_a_long_text_is_cut(drift):
    drift.store.put(text_of().replace(b"baseline/1", b"baseline/" + b"9" * 500_000))

    drift.scan()

    (refused,) = drift.published(BaselineRefused)
    assert len(refused.reason) <= 501
    assert drift.published(DriftScanCompleted)


def test_a_name_that_iam_does_not_have_is_refused(drift):
    name = "x" * 129
    drift.store.put(text_of(replace(QUIET, roles={name: replace(APP, name=name)})))

    drift.scan()

    (refused,) = drift.published(BaselineRefused)
    assert "from 1 to 128 characters, not 129" in refused.reason


def test_a_refused_text_that_is_sent_again_names_its_second_sender(drift):
    bad = text_of(Account(ACCOUNT))
    drift.baseline.propose(bad, by=ANN, run="run")
    drift.scan()
    again = drift.store.put(bad)
    drift.scan(writers={again.id: s3_event(drift)})

    first, second = drift.published(BaselineRefused)
    assert first.by == ANN.by
    assert "999988887777" in second.by


def test_a_text_names_its_writer_and_not_an_earlier_person_who_failed_to_write_it(drift):
    text = text_of(granting("s3:*"))
    write, drift.store.write = drift.store.write, unavailable
    with pytest.raises(UpstreamError):
        drift.baseline.propose(text, by=ANN, run="run")
    drift.store.write = write
    drift.clock.advance(minutes=16)
    written = drift.store.put(text)
    drift.scan(writers={written.id: s3_event(drift)})

    assert "999988887777" in drift.baseline.record().by


def unavailable(text, *, replaces):
    raise UpstreamError("S3 is away", code="ServiceUnavailable")


@pytest.mark.parametrize("is_same_text", [True, False])
def test_the_call_that_wrote_its_text_is_named_when_two_run_at_once(drift, is_same_text):
    text = text_of(granting("s3:*"))
    write, bob = drift.store.write, Decision("123456789012:user/bob")

    def overtaken(sent, *, replaces):
        drift.store.write = conflicting
        with pytest.raises(ConcurrentUpdateError):
            drift.baseline.propose(text if is_same_text else text_of(granting("sqs:*")), by=bob, run="bob")
        return write(sent, replaces=replaces)

    drift.store.write = overtaken
    drift.baseline.propose(text, by=ANN, run="ann")
    drift.scan()

    assert drift.baseline.record().by == ANN.by


def conflicting(text, *, replaces):
    raise ConcurrentUpdateError("another baseline was written meanwhile")


def test_the_review_of_a_captured_baseline_that_no_request_reads_is_refused_with_what_to_do(drift):
    kept = drift.records.get()
    drift.records.save(replace(kept.value, size=AT_ONCE + 1), after=kept.revision)

    with pytest.raises(LargeBaselineError, match="change the file"):
        drift.operate.adopt({"unmanaged:role:app": "any"}, ANN, "run")


def test_a_text_in_one_line_counts_as_large_as_it_will_be_laid_out(drift):
    drift.store.put(json.dumps(json.loads(text_of(granting("s3:*")))).encode())

    drift.scan()

    assert drift.baseline.record().size == len(text_of(granting("s3:*")))


def test_an_adoption_that_could_not_be_read_again_is_refused_and_nothing_is_written(drift):
    with pytest.raises(UnusableBaselineError, match="that are read"):
        drift.baseline.replace(Baseline(TOO_LARGE), origin=Origin.ADOPTED, by=ANN, findings=[], run="run")

    assert len(drift.store.versions) == 1
    assert drift.baseline.known()[1].version == "v1"
