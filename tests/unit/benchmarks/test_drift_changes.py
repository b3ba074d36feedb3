"""Each change of the benchmark, played in memory: severity, verdict and added access, the same bytes in every run."""

import hashlib
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from alerting.domain.formats.mail import body_of
from benchmarks.drift_changes.changes import CHANGES
from policy_drift.domain.access.live_state import more_than
from policy_drift.domain.finding import Finding, State
from policy_drift.domain.lifecycle import Why
from policy_drift.report.document import Coverage, Report, as_document
from policy_drift.report.finding_events import FindingEvents
from policy_drift.report.html import render
from tests.doubles.played_iam import PlayedIam
from tests.doubles.shipped_severities import drifts
from tests.published_events import alert_about, golden_event

ROOT = Path(__file__).parents[3]
OF_EVENTS = ("transient:", "credential:", "provider:", "profile:", "tag:")
"""Findings that begin with an event: no comparison of policies shows them."""
MOST_LINES = 3
SEEDS = os.environ.get("HASH_SEEDS", "1").split()


def found(approved, iam):
    return {drift.finding_id: drift for drift in drifts(approved, iam.account()).found}


def of_policies(names):
    return {name for name in names if not name.startswith(OF_EVENTS)}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_is_what_it_is_said_to_be(change):
    """Every step is found as expected, with nothing else; undone, it leaves only what an adoption ends."""
    iam = PlayedIam()
    iam.play(change.given)
    approved, known, before = iam.account(), set(), {}
    for step in change.steps:
        iam.play(step.calls)
        drifted = found(approved, iam)
        known |= of_policies(one.finding for one in step.told)

        assert drifted.keys() == known
        for expected in step.told:
            if expected.finding in drifted:
                drift, earlier = drifted[expected.finding], before.get(expected.finding)
                shown = (earlier and more_than(earlier.live, drift.live)) or drift.newly_allowed
                seen = (drift.severity.name, drift.verdict.value, shown[0].action if shown else "")
                wanted = (expected.severity, expected.verdict, expected.action)
                assert all(map(fnmatchcase, seen, wanted)), (expected.finding, seen, wanted)
                assert bool(drift.added) == bool(drift.newly_allowed)
        before = drifted
    iam.play(change.undo)

    assert found(approved, iam).keys() == of_policies(change.adopted)


def everything_in_words():
    """All that is reported of every change, as text: findings, events, alerts and reports."""
    lines = []
    for change in CHANGES:
        iam = PlayedIam()
        iam.play(change.given)
        approved = iam.account()
        for step in change.steps:
            iam.play(step.calls)
            lines += [f"{change.name}: {text}" for text in told_of(approved, iam)]
    return "\n".join(lines)


def told_of(approved, iam):
    """Of one state of the account: each finding, its event and its mail, and the reports of all."""
    live, at = iam.account(), datetime(2026, 5, 4, tzinfo=UTC)
    findings = tuple(Finding(drift, State.OPEN, at, at) for drift in found(approved, iam).values())
    for finding in findings:
        event = FindingEvents(approved, live).detection(finding, Why.OPENED)
        alert = alert_about(golden_event("PolicyDriftDetected", event_id="an-id", **asdict(event)))
        yield from (repr(finding), repr(event), body_of(alert))
    report = Report(live.id, "eu-west-1", "a-scan", at, "v1", True, at, Coverage({}, 0, {}, 0.0), findings)  # noqa: FBT003
    document = as_document(report, approved=approved, live=live)
    yield from (repr(document), render(document))


def table():
    """The changes as the page has them: what is found, the added access in words, and who changed it."""
    lines = ["| change | finding | added access | who |", "| --- | --- | --- | --- |"]
    for change in CHANGES:
        iam = PlayedIam()
        iam.play(change.given)
        approved = iam.account()
        for number, step in enumerate(change.steps):
            iam.play(step.calls)
            drifted = found(approved, iam)
            name = change.name if len(change.steps) == 1 else f"{change.name} ({number + 1} of {len(change.steps)})"
            cells = [
                (
                    f"{one.finding} {one.severity} {one.verdict}{' expected' if one.expected else ''}",
                    in_short(drifted[one.finding].added) if one.finding in drifted else "as its event says",
                    ", ".join(sorted(one.by or change.actors(number))),
                )
                for one in step.told
            ]
            lines += [f"| {name} | {' | '.join(row)} |" for row in cells or [("nothing", "", "")]]
    return "\n".join(lines)


def in_short(added):
    more = [f"and {len(added) - MOST_LINES} more lines"] if len(added) > MOST_LINES else []
    return "; ".join([*added[:MOST_LINES], *more]).replace("|", "\\|")


def test_the_page_has_every_change_as_it_is_found_today():
    page = (ROOT / "docs" / "policy-drift-changes.md").read_text(encoding="utf-8")

    assert table() in page, "PYTHONPATH=functions:layers:. python -m tests.unit.benchmarks.test_drift_changes prints it"


def digest_under(seed):
    program = (
        "import hashlib; from tests.unit.benchmarks.test_drift_changes import everything_in_words;"
        "print(hashlib.sha256(everything_in_words().encode()).hexdigest())"
    )
    path = os.pathsep.join((str(ROOT), str(ROOT / "functions"), str(ROOT / "layers")))
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True)
    return done.stdout.strip()


def test_the_same_bytes_are_reported_under_any_hash_seed():
    here = hashlib.sha256(everything_in_words().encode()).hexdigest()

    assert {digest_under(seed) for seed in SEEDS} == {here}


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
