"""What the memory of policy drift does, be it the double or DynamoDB's adapter."""

import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import boto3
import pytest

from iam_policy import Verdict, Witness
from policy_drift.adapters.dynamodb_findings import MOST_READ_ALONE, DynamoDbBaselineRecords, DynamoDbFindings
from policy_drift.application.ports import ConcurrentUpdateError, Progress, Write
from policy_drift.domain.account import EntityId
from policy_drift.domain.baseline import InForce, Origin
from policy_drift.domain.events import PolicyDriftResolved
from policy_drift.domain.finding import Acknowledgement, Change, Drift, Finding, Kind, State
from steward.aws.clients import client
from steward.severity import Severity
from tests.doubles.in_memory_drift import InMemoryBaselineRecords, InMemoryFindings

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=3)
ROLE = EntityId("role/app")
DRIFT = Drift(
    entity=ROLE,
    arn="arn:aws:iam::123456789012:role/app",
    kind=Kind.ACCESS,
    verdict=Verdict.BROADENED,
    severity=Severity.HIGH,
    summary="role/app can do more",
    fingerprint="f" * 64,
    reasons=("it can pass roles",),
    newly_allowed=(Witness("iam:PassRole", "*", {"aws:username": "x"}),),
    approved={"policies": {}},
    live={"policies": {"inline:own": {"Statement": []}}},
)
FINDING = Finding(
    DRIFT,
    State.ACKNOWLEDGED,
    NOON,
    NOON,
    alerted_at=NOON,
    alerted_severity=Severity.HIGH,
    alerted_fingerprint="f" * 64,
    alerted_live={"policies": {}},
    changes=(Change("e1", "PutRolePolicy", "arn:aws:iam::123456789012:user/m", NOON, "203.0.113.7", "cli"),),
    acknowledgement=Acknowledgement("me", "team-a", "planned", "f" * 64, NOON, LATER),
    severities=((NOON, Severity.HIGH),),
)
EVENT = PolicyDriftResolved(FINDING.id, "role/app", "ACCESS", "HIGH", "over", "reverted", "then", "now")


@pytest.fixture(params=["in memory", "on DynamoDB"])
def findings(request):
    if request.param == "in memory":
        return InMemoryFindings()
    table = request.getfixturevalue("table")
    return DynamoDbFindings(client("dynamodb"), table)


@pytest.fixture(params=["in memory", "on DynamoDB"])
def records(request):
    if request.param == "in memory":
        return InMemoryBaselineRecords()
    table = request.getfixturevalue("table")
    return DynamoDbBaselineRecords(client("dynamodb"), table, "123456789012")


def test_finds_nothing_where_nothing_is(findings):
    assert findings.get(FINDING.id) is None
    assert findings.of([ROLE]) == []
    assert findings.all() == []


def test_gives_back_everything_that_it_was_given(findings):
    findings.save(FINDING, after=0)

    assert findings.get(FINDING.id).value == FINDING


def test_finds_the_findings_of_an_entity_among_others(findings):
    other = replace(FINDING, drift=replace(DRIFT, entity=EntityId("user/app")))
    trust = replace(FINDING, drift=replace(DRIFT, kind=Kind.TRUST))
    for finding in (FINDING, other, trust):
        findings.save(finding, after=0)

    assert {kept.value.id for kept in findings.of([ROLE])} == {"access:role:app", "trust:role:app"}
    assert len(findings.all()) == 3


@pytest.mark.parametrize("entities", [MOST_READ_ALONE, 9_000])
def test_finds_the_findings_of_many_entities_in_few_calls(table, entities):
    dynamodb = client("dynamodb")
    findings = DynamoDbFindings(dynamodb, table)
    names = [EntityId(f"role/r{number}") for number in range(entities)]
    other = replace(FINDING, drift=replace(DRIFT, entity=EntityId("user/app")))
    for finding in (other, *(replace(FINDING, drift=replace(DRIFT, entity=name)) for name in names[:3])):
        findings.save(finding, after=0)
    calls = []
    dynamodb.meta.events.register("before-call.dynamodb.*", lambda model, **_: calls.append(model.name))

    assert {kept.value.drift.entity for kept in findings.of(names)} == set(names[:3])
    assert len(calls) <= 10


@pytest.mark.parametrize("after", [0, 2])
def test_a_write_after_a_concurrent_update_is_refused(findings, after):
    findings.save(FINDING, after=0)

    with pytest.raises(ConcurrentUpdateError):
        findings.save(FINDING, after=after)


def test_events_wait_until_they_are_delivered(findings):
    revision = findings.save(FINDING, after=0, events=[EVENT], until=LATER)
    waiting = findings.get(FINDING.id).undelivered
    findings.delivered([(FINDING.id, revision)])

    assert (waiting[1].events, waiting[1].until) == ((EVENT,), LATER)
    assert findings.get(FINDING.id).undelivered == {}


def test_events_of_two_revisions_wait_side_by_side(findings):
    findings.save(FINDING, after=0, events=[EVENT], until=LATER)
    findings.save(FINDING, after=1, events=[EVENT], until=LATER)
    findings.delivered([(FINDING.id, 1)])

    assert findings.get(FINDING.id).undelivered.keys() == {2}


def several(count, after=0):
    drifts = [replace(DRIFT, entity=EntityId(f"role/app-{number}")) for number in range(count)]
    return [Write(replace(FINDING, drift=drift), after, [EVENT], LATER) for drift in drifts]


def test_many_are_written_and_delivered_together(findings):
    writes = several(230)

    assert findings.save_many(writes) == [1] * 230
    findings.delivered([(write.finding.id, 1) for write in writes])

    kept = findings.all()
    assert {one.value.id for one in kept} == {write.finding.id for write in writes}
    assert {one.revision for one in kept} == {1}
    assert not any(one.undelivered for one in kept)


def test_of_many_only_those_that_another_run_wrote_are_refused(findings):
    writes = several(5)
    findings.save(writes[3].finding, after=0)

    assert findings.save_many(writes) == [1, 1, 1, None, 1]
    assert findings.get(writes[4].finding.id).undelivered[1].events == (EVENT,)
    assert findings.get(writes[3].finding.id).undelivered == {}


def test_large_findings_are_written_in_as_many_calls_as_they_need(findings):
    noise = [[token_hex(100_000)] for _ in range(45)]
    writes = [
        replace(write, finding=replace(write.finding, alerted_live=text))
        for write, text in zip(several(45), noise, strict=True)
    ]

    assert findings.save_many(writes) == [1] * 45
    assert findings.get(writes[44].finding.id).value.alerted_live == noise[44]


def test_when_the_last_scan_read_never_moves_back(findings):
    assert findings.last_scan() is None
    findings.note_scan(LATER)
    findings.note_scan(NOON)

    assert findings.last_scan() == LATER


def test_where_a_scan_is_is_known_until_it_ends(findings):
    noted = [findings.progress()]
    for progress in (Progress(EntityId("role/a")), Progress(EntityId("role/b"), 2), None):
        findings.note_progress(progress)
        noted.append(findings.progress())

    assert noted == [None, Progress(EntityId("role/a")), Progress(EntityId("role/b"), 2), None]


def test_of_two_runs_that_take_over_one_does(findings):
    revision = findings.save(FINDING, after=0, events=[EVENT], until=NOON)

    took = [findings.take_over(FINDING.id, revision, was=NOON, until=LATER) for _ in range(2)]

    assert took == [True, False]


def test_the_version_in_force_is_remembered(records):
    in_force = InForce("v7", reviewed=True, by="somebody", how=Origin.UPLOADED, since=NOON, refused="v8")

    records.save(in_force, after=0)

    assert records.get().value == in_force
    with pytest.raises(ConcurrentUpdateError):
        records.save(in_force, after=0)


def test_a_text_that_utf8_does_not_take_is_kept_as_it_is_escaped(table):
    findings = DynamoDbFindings(client("dynamodb"), table)
    odd = replace(FINDING, drift=replace(DRIFT, approved={"a": "\ud800"}))

    findings.save(odd, after=0, events=[replace(EVENT, summary="\udfff")], until=LATER)

    kept = findings.get(FINDING.id)
    assert kept.value.drift.approved == {"a": "\\ud800"}
    assert kept.undelivered[1].events[0].summary == "\\udfff"


def test_a_finding_too_large_for_an_item_is_kept_without_its_documents(table):
    findings = DynamoDbFindings(client("dynamodb"), table)
    noise = {str(number): f"{hash((number, 'x')):x}" for number in range(60_000)}

    findings.save(replace(FINDING, drift=replace(DRIFT, live=noise)), after=0)

    kept = findings.get(FINDING.id).value
    assert (kept.drift.live, kept.drift.fingerprint) == (None, DRIFT.fingerprint)


def test_a_finding_too_large_beside_its_alert_is_kept_without_its_documents(table):
    """An item takes 400 KB in all: the finding, and each alert of it that is yet to be published."""
    findings = DynamoDbFindings(client("dynamodb"), table)
    noise = token_hex(220_000)
    alert = replace(EVENT, summary=token_hex(80_000))
    finding = replace(FINDING, drift=replace(DRIFT, live={"noise": noise}))

    for revision in range(3):
        findings.save(finding, after=revision, events=[alert], until=LATER)

    kept = findings.get(FINDING.id)
    assert kept.value.drift.live is None
    assert [box.events for box in kept.undelivered.values()] == [(alert,)] * 3


def test_a_resolved_finding_is_forgotten_after_a_year(table):
    DynamoDbFindings(client("dynamodb"), table).save(replace(FINDING, state=State.RESOLVED), after=0)

    (item,) = boto3.client("dynamodb").scan(TableName=table)["Items"]
    assert int(item["expiration"]["N"]) == int((NOON + timedelta(days=365)).timestamp())


def test_the_table_keeps_the_stored_names_of_renamed_fields(table):
    """Items that an earlier version wrote stay readable, and an earlier version reads ours after a rollback."""
    dynamodb = client("dynamodb")
    DynamoDbFindings(dynamodb, table).save(FINDING, after=0)

    item = dynamodb.get_item(TableName=table, Key={"id": {"S": f"finding#{FINDING.id}"}})["Item"]
    stored = json.loads(zlib.decompress(item["value"]["B"]))

    assert {"told_at", "told_severity", "told_fingerprint", "told_live"} <= stored.keys()
    assert not any(name.startswith("alerted") for name in stored)


DAMAGED = {
    "no JSON": {"value": {"B": b"broken"}, "revision": {"N": "3"}, "undelivered": {"M": {}}},
    "a field too little": {"value": {"B": zlib.compress(b'{"drift": {}}')}, "revision": {"N": "3"}},
    "nothing but an id": {},
    "a revision that is no number": {"value": {"B": b""}, "revision": {"S": "three"}},
    "an event of another release": {
        "value": {"B": zlib.compress(b"{}")},
        "revision": {"N": "3"},
        "undelivered": {"M": {"3": {"M": {"until": {"N": "1"}, "events": {"B": zlib.compress(b'[["New", {}]]')}}}}},
    },
}


@pytest.mark.parametrize("item", DAMAGED.values(), ids=DAMAGED)
def test_an_item_that_cannot_be_read_hides_no_other_and_is_listed_with_its_reason(table, item):
    dynamodb = client("dynamodb")
    findings = DynamoDbFindings(dynamodb, table, Severity.HIGH)
    findings.save(FINDING, after=0)
    dynamodb.put_item(TableName=table, Item={"id": {"S": "finding#trust:role:app"}, **item})

    sound, damaged = sorted(findings.all(), key=lambda kept: kept.value.id)

    assert sound.value == FINDING
    assert (damaged.value.id, damaged.value.state, damaged.value.drift.severity) == (
        "trust:role:app",
        "OPEN",
        Severity.HIGH,
    )
    assert damaged.value.drift.verdict is Verdict.UNKNOWN
    assert "cannot be read" in damaged.value.drift.summary
    assert {kept.value.id for kept in findings.of([ROLE])} == {"access:role:app", "trust:role:app"}
    assert findings.get("trust:role:app").value == damaged.value


@pytest.mark.parametrize("item", DAMAGED.values(), ids=DAMAGED)
def test_an_item_that_cannot_be_read_is_replaced_by_the_next_write(table, item):
    dynamodb = client("dynamodb")
    findings = DynamoDbFindings(dynamodb, table)
    dynamodb.put_item(TableName=table, Item={"id": {"S": f"finding#{FINDING.id}"}, **item})
    kept = findings.get(FINDING.id)

    revision = findings.save(FINDING, after=kept.revision, events=[EVENT], until=LATER)

    again = findings.get(FINDING.id)
    assert (again.value, again.revision, {*again.undelivered}) == (FINDING, revision, {revision})


def test_an_item_with_an_id_that_no_finding_has_is_none(table):
    dynamodb = client("dynamodb")
    dynamodb.put_item(TableName=table, Item={"id": {"S": "finding#other"}})

    assert DynamoDbFindings(dynamodb, table).all() == []
