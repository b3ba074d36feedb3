"""Who did it, of what only a scan found: CloudTrail's history is searched for what is new first."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policy_drift import baseline_document
from policy_drift.application.attribute_changes import MOST_LOOKUPS
from policy_drift.domain.account import EntityId
from policy_drift.domain.baseline import Baseline
from policy_drift.domain.events import PolicyDriftDetected
from policy_drift.domain.finding import Change
from tests.doubles.drift_under_test import APP, QUIET, WIDER, DriftUnderTest, allowing
from tests.doubles.in_memory_drift import CountingHistory

MALLORY = "arn:aws:iam::123456789012:user/mallory"


@pytest.fixture
def drift():
    """A deployment whose baseline approves the role app."""
    wired = DriftUnderTest(history=CountingHistory())
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


def test_a_new_critical_finding_is_looked_up_before_forty_unexplained_ones(drift, history):
    intruders(drift, [f"a{number:02}" for number in range(40)], "s3:GetObject")
    drift.scan()
    drift.clock.advance(hours=6)
    intruders(drift, ["zoe"], "*")
    history.changes = {"role/zoe": (Change("e1", "CreateRole", MALLORY, drift.clock.now()),)}
    drift.scan()

    (alert,) = [event for event in drift.published(PolicyDriftDetected) if event.entity == "role/zoe"]
    assert [change["actor"] for change in alert.changes] == [MALLORY]


def test_the_most_severe_of_many_new_ones_is_looked_up_first(drift, history):
    intruders(drift, [f"a{number:02}" for number in range(40)], "s3:GetObject")
    intruders(drift, ["zoe"], "*")
    drift.scan()

    assert history.asked[0] == "role/zoe"
    assert len(history.asked) == MOST_LOOKUPS


def test_findings_without_a_lookup_come_before_those_looked_up_in_vain(drift, history):
    intruders(drift, [f"a{number:02}" for number in range(40)], "s3:GetObject")
    drift.scan()
    first = set(history.asked)
    history.asked.clear()
    drift.scan()

    assert len(first & set(history.asked[:10])) == 0


def test_a_finding_older_than_the_searched_history_is_not_looked_up_again(drift, history):
    drift.role(inline={"own": WIDER})
    drift.scan()
    drift.clock.advance(hours=25)
    history.asked.clear()
    drift.scan()

    assert history.asked == []


def test_the_actor_is_found_later_if_cloudtrail_is_late(drift, history):
    drift.role(inline={"own": WIDER})
    drift.scan()
    history.changes = {"role/app": (Change("e1", "PutRolePolicy", MALLORY, drift.clock.now()),)}
    drift.clock.advance(hours=6)
    drift.scan()

    finding = drift.findings.get("access:role:app").value
    assert [change.actor for change in finding.changes] == [MALLORY]


def without_event(drift, changed, minutes_ago):
    """How many findings of a scan should have been announced, a day and more after the baseline came into force."""
    drift.clock.advance(hours=25)
    changed()
    if minutes_ago is not None:
        at = drift.clock.now() - timedelta(minutes=minutes_ago)
        drift.history.changes = {"role/app": (Change("e1", "PutRolePolicy", MALLORY, at),)}
    return drift.scan().without_event


@pytest.mark.parametrize(("minutes_ago", "count"), [(31, 1), (29, 0), (None, 1)])
def test_a_finding_long_after_its_missing_event_is_counted(drift, minutes_ago, count):
    assert without_event(drift, lambda: drift.role(inline={"own": WIDER}), minutes_ago) == count
    drift.clock.advance(hours=6)
    assert drift.scan().without_event == 0


def test_a_finding_with_an_event_is_not_counted(drift):
    def checked():
        drift.role(inline={"own": WIDER})
        drift.check(drift.event())
        drift.clock.advance(hours=2)

    assert without_event(drift, checked, 120) == 0


@pytest.mark.parametrize("minutes_ago", [60, None])
def test_a_finding_that_comes_from_another_baseline_is_not_counted(drift, minutes_ago):
    def uploaded():
        drift.store.put(baseline_document.write(Baseline(replace(QUIET, roles={"app": replace(APP, inline={})}))))

    assert without_event(drift, uploaded, minutes_ago) == 0


def test_a_kind_without_events_is_not_counted(drift):
    def spoiled():
        drift.store.is_deleted = True
        drift.iam.account = replace(drift.iam.account, unreadable={EntityId("role/app"): "it is odd"}, roles={})

    assert without_event(drift, spoiled, None) == 0
