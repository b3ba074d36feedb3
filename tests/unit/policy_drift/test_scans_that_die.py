"""A scan that is killed in the middle: what it recorded stands, and the next scans come past what killed it."""

from contextlib import suppress
from dataclasses import replace

import pytest

from policy_drift.domain.account import EntityId
from policy_drift.domain.events import PolicyDriftDetected
from tests.doubles.drift_under_test import APP, QUIET, WIDER, DriftUnderTest
from tests.doubles.fault_injection import Fuse

NAMES = ("a", "b", "c", "d", "e")
ROLES = {name: replace(APP, name=name, unique_id=f"AROA{name}") for name in NAMES}
CHANGED = {name: replace(role, inline={"own": WIDER}) for name, role in ROLES.items()}
ALL = {f"role/{name}" for name in NAMES}


class Killed(BaseException):
    """What no handler catches, as the end of the function's time."""


@pytest.fixture
def drift():
    wired = DriftUnderTest(replace(QUIET, roles=ROLES))
    wired.scan()
    wired.iam.account = replace(QUIET, roles=CHANGED)
    return wired


@pytest.fixture
def compared():
    """What the last scan compared, in its order."""
    return []


@pytest.fixture
def dies_at(drift, compared):
    """Lets a scan take a minute for each entity, and die at one."""
    now = drift.clock.now
    note = drift.findings.note_progress

    def scan(deadly=None):
        compared.clear()

        def noted(progress):
            note(progress)
            if progress is not None:
                compared.append(progress.entity)
                if progress.entity == deadly:
                    raise Killed

        def minutes():
            drift.clock.advance(minutes=1)
            return now()

        drift.findings.note_progress, drift.clock.now = noted, minutes
        try:
            return drift.scan()
        except Killed:
            return None
        finally:
            drift.findings.note_progress, drift.clock.now = note, now

    return scan


def detected(drift):
    return {one.entity for one in drift.published(PolicyDriftDetected)}


def test_the_next_scan_begins_where_one_died_and_publishes_all_others_before_that(drift, dies_at, compared):
    assert dies_at("role/c") is None
    assert detected(drift) == set()

    assert dies_at("role/c") is None

    assert compared == ["role/d", "role/e", "role/a", "role/b", "role/c"]
    assert detected(drift) == ALL - {"role/c"}


def test_what_kills_a_scan_twice_is_left_out_and_said_to_be(drift, dies_at):
    dies_at("role/c")
    dies_at("role/c")

    assert dies_at("role/c") is not None

    assert detected(drift) == ALL - {"role/c"} | {"account/123456789012"}
    assert drift.findings.progress() is None
    (left_out,) = [one for one in drift.published(PolicyDriftDetected) if one.kind == "UNREADABLE"]
    assert left_out.summary == (
        "role/c of account 123456789012 was not compared: two scans ended at role/c, and the next scan tries it again"
    )


def test_a_scan_after_one_that_left_something_out_notes_where_it_is_from_the_start(drift, dies_at):
    for _ in range(3):
        dies_at("role/c")

    assert dies_at("role/c") is None
    assert drift.findings.progress().entity == "role/c"
    assert dies_at() is not None

    assert detected(drift) == ALL | {"account/123456789012"}
    resolved = drift.findings.of([EntityId("account/123456789012")])
    assert [one.value.state for one in resolved] == ["RESOLVED"]


def test_a_scan_that_takes_seconds_notes_nothing(drift):
    writes = []
    drift.findings.note_progress = writes.append

    drift.scan()

    assert writes == []


@pytest.mark.parametrize("after_acting", [False, True], ids=["before a call", "after a call"])
def test_a_scan_that_is_killed_at_any_call_is_finished_by_the_next(after_acting):
    """Every call of every port in turn: each alert comes, and the findings are those of an undisturbed scan."""
    at, wanted = 0, None
    while True:
        at += 1
        drift = DriftUnderTest(replace(QUIET, roles=ROLES))
        drift.scan()
        drift.iam.account = replace(QUIET, roles=CHANGED)
        fuse = Fuse(at, Killed(), after_acting=after_acting)
        ports = drift.iam, drift.findings, drift.records, drift.store, drift.publisher
        drift.iam, drift.findings, drift.records, drift.store, drift.publisher = map(fuse.on, ports)
        with suppress(Killed):
            drift.scan()
        drift.iam, drift.findings, drift.records, drift.store, drift.publisher = ports
        is_over = not fuse.blown
        drift.clock.advance(minutes=15)
        drift.scan()
        findings = {one.value.id: (one.value.state, one.value.drift.fingerprint) for one in drift.findings.all()}
        wanted = wanted or findings

        assert detected(drift) == ALL
        assert findings == wanted
        if is_over:
            break
    assert at > len(NAMES)
