"""Who did it, of what only a scan found: CloudTrail's history is searched for what is new first."""

from dataclasses import replace

import pytest

from policy_drift.domain.changes.attribution import MOST_LOOKUPS
from policy_drift.domain.events import PolicyDriftDetected
from policy_drift.domain.finding import Change
from tests.doubles.in_memory_drift import CountingHistory
from tests.doubles.wired_drift import APP, WIDER, WiredDrift, allowing

MALLORY = "arn:aws:iam::123456789012:user/mallory"


@pytest.fixture
def drift():
    """A deployment whose baseline approves the role app."""
    wired = WiredDrift(history=CountingHistory())
    wired.scan()
    return wired


@pytest.fixture
def history(drift):
    """Who is asked for."""
    return drift.history


def intruders(drift, names, *actions):
    """Roles that nobody approved."""
    new = {name: replace(APP, name=name, unique_id=f"AROA{name}", inline={"own": allowing(*actions)}) for name in names}
    drift.iam.account = replace(drift.iam.account, roles={**drift.iam.account.roles, **new})


def test_a_new_critical_finding_is_looked_up_before_forty_that_nobody_could_explain(drift, history):
    intruders(drift, [f"a{number:02}" for number in range(40)], "s3:GetObject")
    drift.scan()
    drift.clock.advance(hours=6)
    intruders(drift, ["zoe"], "*")
    history.changes = {"role/zoe": (Change("e1", "CreateRole", MALLORY, drift.clock.now()),)}
    drift.scan()

    (alert,) = [event for event in drift.told(PolicyDriftDetected) if event.entity == "role/zoe"]
    assert [change["actor"] for change in alert.changes] == [MALLORY]


def test_the_most_severe_of_many_new_ones_is_looked_up_first(drift, history):
    intruders(drift, [f"a{number:02}" for number in range(40)], "s3:GetObject")
    intruders(drift, ["zoe"], "*")
    drift.scan()

    assert history.asked[0] == "role/zoe"
    assert len(history.asked) == MOST_LOOKUPS


def test_what_no_lookup_was_left_for_comes_before_what_was_looked_up_in_vain(drift, history):
    intruders(drift, [f"a{number:02}" for number in range(40)], "s3:GetObject")
    drift.scan()
    first = set(history.asked)
    history.asked.clear()
    drift.scan()

    assert len(first & set(history.asked[:10])) == 0


def test_what_is_older_than_the_history_that_is_searched_is_not_looked_up_again(drift, history):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.clock.advance(hours=25)
    history.asked.clear()
    drift.scan()

    assert history.asked == []


def test_who_did_it_is_found_later_when_cloudtrail_is_late(drift, history):
    drift.role(inline={"own": WIDER})
    drift.scan()
    history.changes = {"role/app": (Change("e1", "PutRolePolicy", MALLORY, drift.clock.now()),)}
    drift.clock.advance(hours=6)
    drift.scan()

    finding = drift.findings.get("access:role:app").value
    assert [change.actor for change in finding.changes] == [MALLORY]
