"""Which baseline counts, whatever happens in its bucket; and what is told of it."""

from dataclasses import replace

import pytest

from policy_drift.adapters.baseline_document import JsonBaselineFormat
from policy_drift.domain.account import Account, Role
from policy_drift.domain.baseline import Baseline, How, UnusableBaselineError
from policy_drift.domain.events import (
    BaselineChanged,
    BaselineRefused,
    DriftScanFailed,
    PolicyDriftDetected,
    PolicyDriftResolved,
)
from steward.errors import UpstreamError
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.wired_drift import ACCOUNT, APP, GET, QUIET, TRUST, WIDER, WiredDrift, allowing

FORMAT = JsonBaselineFormat()


def text_of(account=QUIET, **more):
    return FORMAT.write(Baseline(account, **more))


@pytest.fixture
def drift():
    wired = WiredDrift()
    wired.scan()
    return wired


def test_the_first_scan_captures_what_it_finds_and_says_that_nobody_has_reviewed_it(drift):
    (changed,) = drift.told(BaselineChanged)

    assert changed.how == "captured"
    assert FORMAT.read(drift.store.latest().text, account=ACCOUNT) == Baseline(QUIET, reviewed=False)
    assert drift.told(PolicyDriftDetected) == []


def test_a_first_scan_that_died_half_way_is_finished_by_the_next_whatever_iam_holds():
    """IAM holds policies that nobody could upload; they were captured, not uploaded."""
    odd = replace(QUIET, roles={"app": replace(APP, inline={"own": allowing("s3:GetObject", resource="")})})
    drift = WiredDrift(odd)
    drift.records = FaultInjecting(drift.records)
    drift.records.fail("save", UpstreamError("the table cannot be reached"))

    drift.scan()
    drift.scan()

    assert len(drift.store.versions) == 1
    assert [type(event) for event in drift.publisher.published][:2] == [DriftScanFailed, BaselineChanged]


def test_nothing_is_captured_where_a_baseline_was_ever_written():
    drift = WiredDrift()
    drift.store.put(text_of())
    drift.store.is_deleted = True

    drift.scan()

    assert len(drift.store.versions) == 1
    assert [type(event) for event in drift.publisher.published] == [DriftScanFailed]


def test_a_deleted_baseline_is_critical_and_the_last_good_one_stays_in_force(drift):
    drift.store.is_deleted = True
    drift.role(inline={"own": WIDER})

    drift.scan()
    drift.scan()

    told = {event.kind: event.severity for event in drift.told(PolicyDriftDetected)}
    assert told == {"BASELINE": "CRITICAL", "ACCESS": "MEDIUM"}
    assert len(drift.told(PolicyDriftDetected)) == 2


def test_a_baseline_that_is_back_is_told_once(drift):
    drift.store.is_deleted = True
    drift.scan()
    drift.store.put(text_of())
    drift.scan()
    drift.scan()

    assert [event.kind for event in drift.told(PolicyDriftResolved)] == ["BASELINE"]


def test_an_upload_that_approves_a_grant_is_told_as_severely_as_the_grant(drift):
    granted = replace(QUIET, roles={"app": replace(APP, inline={"own": allowing("*")})})
    version = drift.store.put(text_of(granted))

    drift.scan(uploaders={version.id: "999988887777 from 203.0.113.7"})

    changed = drift.told(BaselineChanged)[-1]
    assert (changed.how, changed.severity, changed.by) == ("uploaded", "CRITICAL", "999988887777 from 203.0.113.7")
    assert changed.newly_approved == ["access:role:app"]


def test_what_an_upload_approves_is_resolved_as_adopted(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.store.put(text_of(drift.iam.account))
    drift.scan()

    assert [event.how for event in drift.told(PolicyDriftResolved)] == ["adopted"]


def test_a_scan_that_sees_an_adoption_before_it_is_finished_finishes_it(drift):
    """S3 tells of the new version at once, and a scan may be quicker than the function that wrote it."""
    granted = replace(QUIET, roles={"app": replace(APP, inline={"own": WIDER})})
    drift.store = FaultInjecting(drift.store)
    drift.store.after("write", lambda *_, **__: drift.scan())

    approved = drift.approvals.replace(
        Baseline(granted), how=How.ADOPTED, by="123456789012:user/ann", findings=["access:role:app"], run="run"
    )

    changed = drift.told(BaselineChanged)[1:]
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

    (refused,) = drift.told(BaselineRefused)
    assert reason in refused.reason
    assert line in {0, refused.line}
    assert refused.version_in_force == "v1"
    assert {event.kind for event in drift.told(PolicyDriftDetected)} == {"BASELINE", "ACCESS"}


