"""What the first scan approved is listed by severity, and a person decides about each of it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from policy_drift import baseline_document
from policy_drift.application.operate_drift import AcknowledgementRequest
from policy_drift.domain.account import EntityId, User
from policy_drift.domain.baseline import UnusableBaselineError
from policy_drift.domain.decision import Decision
from policy_drift.domain.events import BaselineChanged
from policy_drift.domain.finding import Kind
from steward.errors import NotFoundError, PreconditionFailedError, RuleViolationError, UpstreamError
from tests.doubles.drift_under_test import ACCOUNT, APP, GET, QUIET, DriftUnderTest, allowing
from tests.doubles.in_memory_drift import NoReports

ANN = User("ann", "/", "AIDAANN", inline={"own": GET})
ADMIN = replace(APP, name="admin", unique_id="AROAADMIN", inline={"own": allowing("*")})
LEADER = replace(ADMIN, name="leader", unique_id="AROALEADER")
BY = Decision("123456789012:user/lead", "", "needed for emergencies", "")
ID, OTHER, KEY = "unmanaged:role:admin", "unmanaged:role:leader", "credential:user:ann"
ITEM = "access key AKIAIOSFODNN7EXAMPLE"


class KeptReports(NoReports):
    """Keeps the latest report."""

    def put(self, scan_id, documents):
        self.latest = json.loads(documents["json"])
        self.page = documents["html"]
        return f"reports/{scan_id}.html"


@pytest.fixture
def drift():
    wired = DriftUnderTest(replace(QUIET, users={"ann": ANN}, roles={"app": APP, "admin": ADMIN, "leader": LEADER}))
    wired.reports = KeptReports()
    wired.credentials.unused = {EntityId("user/ann"): ("an access key made on 2023-01-01 was never used",)}
    wired.credentials.items[EntityId("user/ann"), Kind.CREDENTIAL] = {ITEM}
    wired.scan()
    return wired


def listed(drift):
    drift.clock.advance(minutes=1)
    drift.scan()
    return {one["id"]: one for one in drift.reports.latest["accepted_without_review"]}


def adopt(drift, *ids):
    entries = {one["id"]: one for one in drift.reports.latest["accepted_without_review"]}
    return drift.operate.adopt({name: entries[name]["fingerprint"] for name in ids}, BY, "run")


def acknowledge(drift, finding_id, days=30):
    (fingerprint,) = [
        one["fingerprint"] for one in drift.reports.latest["accepted_without_review"] if one["id"] == finding_id
    ]
    expires = drift.clock.now() + timedelta(days=days)
    given = AcknowledgementRequest("until the new team is there", "team-a", expires, fingerprint)
    return drift.operate.acknowledge(finding_id, given, BY, "run")


def test_administrators_and_unused_keys_are_listed_by_severity_and_the_rest_in_words(drift):
    report = drift.reports.latest

    found = [(one["id"], one["severity"], one["reasons"][0]) for one in report["accepted_without_review"]]
    assert found == [
        (ID, "CRITICAL", "it is now an administrator"),
        (OTHER, "CRITICAL", "it is now an administrator"),
        (KEY, "MEDIUM", "an access key made on 2023-01-01 was never used"),
    ]
    assert report["accepted_without_review"][2]["access"] == [ITEM]
    besides = {one["entity"]: one["access"] for one in report["also_approved"]}
    assert besides["role/app"] == ["s3:GetObject (read) on any resource"]
    assert "All of it, and how to keep it" in drift.reports.page


def test_what_was_adopted_is_listed_no_more(drift):
    record, accepted = adopt(drift, ID)

    assert (record.reviewed, [one.finding_id for one in accepted]) == (False, [ID])
    assert listed(drift).keys() == {OTHER, KEY}
    assert drift.published(BaselineChanged)[-1].findings == [ID]


def test_the_baseline_is_reviewed_when_all_of_it_was_adopted(drift):
    adopt(drift, ID, OTHER, KEY)

    assert listed(drift) == {}
    approved, record = drift.baseline.known()
    assert record.reviewed
    assert approved.account.beside == {EntityId("user/ann"): (ITEM,)}
    assert drift.reports.latest["also_approved"] == []


def test_what_was_acknowledged_is_listed_again_after_its_day(drift):
    finding = acknowledge(drift, ID)
    adopt(drift, OTHER, KEY)

    assert finding.state == "ACKNOWLEDGED"
    assert listed(drift) == {}
    assert not drift.baseline.known()[1].reviewed
    drift.clock.advance(days=31)
    assert listed(drift).keys() == {ID}


def test_an_acknowledged_key_is_not_approved_for_good(drift):
    acknowledge(drift, KEY)

    assert drift.baseline.known()[0].account.beside == {}
    assert listed(drift).keys() == {ID, OTHER}


def test_another_form_than_the_reviewed_one_is_not_kept(drift):
    with pytest.raises((NotFoundError, PreconditionFailedError)):
        drift.operate.adopt({ID: "stale"}, BY, "run")


def test_findings_and_what_was_captured_are_adopted_in_calls_of_their_own(drift):
    drift.role(inline={"own": allowing("s3:*")})
    drift.check(drift.event())
    finding = drift.findings.get("access:role:app").value
    entry = drift.reports.latest["accepted_without_review"][0]

    with pytest.raises(RuleViolationError, match="a call of its own"):
        drift.operate.adopt({finding.id: finding.drift.fingerprint, entry["id"]: entry["fingerprint"]}, BY, "run")


def test_a_finding_is_adopted_while_the_baseline_is_not_reviewed_and_what_was_kept_stays(drift):
    adopt(drift, ID)
    drift.role(inline={"own": allowing("s3:GetObject", "s3:PutObject")})
    drift.check(drift.event())
    finding = drift.findings.get("access:role:app").value
    drift.operate.adopt({finding.id: finding.drift.fingerprint}, BY, "run")

    assert listed(drift).keys() == {OTHER, KEY}


def test_the_baseline_stays_unreviewed_while_it_is_not_known_whether_keys_are_unused(drift):
    adopt(drift, KEY)
    drift.credentials.error = UpstreamError("IAM is away", code="ServiceUnavailable")
    adopt(drift, ID, OTHER)
    assert not drift.baseline.known()[1].reviewed
    drift.scan()

    (why,) = drift.reports.latest["review_unread"]
    assert "IAM is away" in why
    assert "IAM is away" in drift.reports.page


def test_a_reviewed_baseline_lists_nothing(drift):
    account = drift.baseline.known()[0].account
    text = baseline_document.write(replace(drift.baseline.known()[0], account=account, reviewed=True))
    drift.operate.upload(text, replaces=None, by=BY, run="run")

    assert listed(drift) == {}


@pytest.mark.parametrize("time", ["soon", "2027-01-31T00:00:00"])
def test_a_time_without_zone_is_refused_with_its_line(drift, time):
    acknowledge(drift, ID)
    text = json.loads(drift.store.latest().text)
    text["accepted"][ID]["until"] = time

    with pytest.raises(UnusableBaselineError, match="no time with a zone") as refused:
        baseline_document.read(json.dumps(text, indent=2).encode(), account=ACCOUNT)
    assert refused.value.line > 1


def test_a_finding_of_a_role_is_adopted_while_keys_cannot_be_read(drift):
    drift.role(inline={"own": allowing("s3:GetObject", "s3:PutObject")})
    drift.check(drift.event())
    drift.credentials.error = UpstreamError("IAM is away", code="ServiceUnavailable")
    finding = drift.findings.get("access:role:app").value

    record, _ = drift.operate.adopt({finding.id: finding.drift.fingerprint}, BY, "run")

    assert record.how == "adopted"
