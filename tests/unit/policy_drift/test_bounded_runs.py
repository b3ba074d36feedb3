"""However hard the policies of an account are to compare, a run is bounded, and what is easy to find is found.

Work is counted in steps of the engine, never in seconds.
"""

from dataclasses import replace

import pytest

from benchmarks.hostile_policies import SETS, inline
from iam_policy import Verdict
from policy_drift.domain.access.work import Work
from policy_drift.domain.account import EntityId
from policy_drift.domain.comparison.drifts import drifts_in_rounds
from policy_drift.domain.events import PolicyDriftDetected
from policy_drift.domain.finding import Drift, Kind
from steward.severity import Severity
from tests.doubles.drift_under_test import APP, QUIET, WIDER, DriftUnderTest
from tests.doubles.shipped_severities import SEVERITIES
from tests.unit.policy_drift.accounts import account, allow, group, role, user

pytestmark = pytest.mark.no_cover  # thousands of times the same lines, which other tests count

READ, MORE = allow("s3:GetObject"), allow("s3:GetObject", "s3:PutObject")
STEPS = 400_000
HOSTILE = SETS[:3]
UNDECIDED = "exceptions"


def hostile(kind: str, names: list[str]) -> list[object]:
    return [replace(role(name), inline=inline(kind, number)) for number, name in enumerate(names)]


def by_entity(found: tuple[Drift, ...]) -> dict[str, Drift]:
    return {one.entity: one for one in found if one.kind is Kind.ACCESS}


@pytest.mark.parametrize("kind", HOSTILE)
def test_grants_hidden_among_hostile_policies_are_found_in_the_first_round_within_a_quarter_of_the_work(kind):
    names = [f"a-{number}" for number in range(4)] + [f"z-{number}" for number in range(4)]
    approved = account(*(role(name, READ) for name in names), role("grant", READ), user("grant", READ))
    live = account(*hostile(kind, names), role("grant", allow("*")), user("grant", MORE))
    work = Work(STEPS)

    rounds = drifts_in_rounds(approved, live, severities=SEVERITIES, work=work)
    first = next(rounds)

    assert {entity: one.severity for entity, one in by_entity(first.found).items()} == {
        "role/grant": Severity.CRITICAL,
        "user/grant": Severity.MEDIUM,
    }
    assert first.undecided == {EntityId(f"role/{name}") for name in names}
    assert work.steps >= STEPS * 3 // 4


def test_what_does_not_fit_is_unknown_and_high_and_names_the_document():
    approved, live = account(role("app", READ)), account(*hostile(UNDECIDED, ["app"]))
    work = Work(STEPS)

    *_, last = drifts_in_rounds(approved, live, severities=SEVERITIES, work=work)

    (drift,) = last.found
    assert (drift.verdict, drift.severity) == (Verdict.UNKNOWN, Severity.HIGH)
    assert "the most complex of its policies is inline:own" in drift.reasons[0]
    assert work.steps >= 0


@pytest.mark.parametrize("kind", ["tags", "globs"])
def test_policies_with_stars_that_meet_in_all_orders_are_decided(kind):
    approved, live = account(role("app", READ)), account(*hostile(kind, ["app"]))

    *_, last = drifts_in_rounds(approved, live, severities=SEVERITIES, work=Work(STEPS))

    assert [one.severity for one in last.found] == [Severity.CRITICAL]
    assert last.found[0].verdict in {Verdict.BROADENED, Verdict.INCOMPARABLE}


def test_all_holders_share_the_work_equally():
    names = [f"role-{number}" for number in range(6)]
    approved = account(*(role(name, READ) for name in names))
    work = Work(STEPS)

    *_, last = drifts_in_rounds(approved, account(*hostile(UNDECIDED, names)), severities=SEVERITIES, work=work)

    assert {one.severity for one in by_entity(last.found).values()} == {Severity.HIGH}
    assert len(last.found) == len(names)


def test_honest_guardrails_are_decided():
    approved, live = account(role("app", READ)), account(*hostile("guardrails", ["app"]))

    *_, last = drifts_in_rounds(approved, live, severities=SEVERITIES, work=Work(2_000_000))

    assert [(one.verdict, one.severity) for one in last.found] == [(Verdict.INCOMPARABLE, Severity.HIGH)]


def test_a_group_is_decided_after_its_costly_members():
    costly = inline(UNDECIDED, 0)
    approved = account(user("ann", READ, groups=("team",)), group("team", READ))
    live = account(replace(user("ann", groups=("team",)), inline=costly), group("team", MORE))

    first, last = drifts_in_rounds(approved, live, severities=SEVERITIES, work=Work(STEPS))

    assert EntityId("group/team") in first.undecided
    assert by_entity(last.found)["group/team"].verdict in {Verdict.BROADENED, Verdict.UNKNOWN}


def test_what_there_was_no_time_for_is_one_finding_and_neither_opened_nor_resolved():
    approved = account(role("app", READ), role("other", READ))
    live = account(role("app", MORE), role("other", MORE))

    (only,) = drifts_in_rounds(approved, live, severities=SEVERITIES, work=Work(STEPS, lambda: True))

    (drift,) = only.found
    assert (drift.entity.kind, drift.kind, drift.severity) == ("account", Kind.UNREADABLE, Severity.HIGH)
    assert "role/app and 1 others" in drift.summary
    assert only.left == ("role/app", "role/other")
    assert set(only.left) <= only.undecided


def test_a_run_begins_where_it_is_asked_to():
    names = ["a", "b", "c"]
    times = iter([False, True])
    work = Work(STEPS, lambda: next(times))
    approved, live = (account(*(role(name, document) for name in names)) for document in (READ, MORE))

    (only,) = drifts_in_rounds(approved, live, severities=SEVERITIES, work=work, first=EntityId("role/b"))

    assert list(by_entity(only.found)) == ["role/b"]
    assert only.left == ("role/c", "role/a")


def test_a_scan_publishes_what_is_cheap_first():
    roles = {f"hostile-{number}": replace(APP, name=f"hostile-{number}") for number in range(3)}
    drift = DriftUnderTest(replace(QUIET, roles={**QUIET.roles, **roles}), steps=STEPS)
    drift.scan()
    changed = {name: replace(one, inline=inline(UNDECIDED, 0)) for name, one in roles.items()}
    drift.iam.account = replace(drift.iam.account, roles={"app": replace(APP, inline={"own": WIDER}), **changed})

    drift.scan()

    published = [(one.entity, one.severity) for one in drift.published(PolicyDriftDetected)]
    assert published[0] == ("role/app", "MEDIUM")
    assert published[1:] == [(f"role/hostile-{number}", "HIGH") for number in range(3)]


def test_the_next_scan_compares_what_the_last_one_had_no_time_for():
    drift = DriftUnderTest()
    drift.scan()
    drift.role(inline={"own": WIDER})

    drift.scan(until=drift.clock.now())
    before = [(one.kind, one.entity) for one in drift.published(PolicyDriftDetected)]
    drift.clock.advance(minutes=1)
    drift.scan()

    assert before == [("UNREADABLE", "account/123456789012")]
    assert [one.kind for one in drift.published(PolicyDriftDetected)] == ["UNREADABLE", "ACCESS"]
    assert [one.value.state for one in drift.findings.of([EntityId("account/123456789012")])] == ["RESOLVED"]


def test_a_check_without_time_says_so_and_a_scan_finds_the_change():
    drift = DriftUnderTest()
    drift.scan()
    drift.role(inline={"own": WIDER})

    drift.check(drift.event(policyName="own"), until=drift.clock.now())
    drift.clock.advance(minutes=1)
    drift.scan()

    assert [one.kind for one in drift.published(PolicyDriftDetected)] == ["UNREADABLE", "ACCESS"]


def test_a_change_back_is_cheap():
    """Equal policies are not compared, however hard they are."""
    live = account(*hostile(UNDECIDED, ["app"]))
    work = Work(STEPS)

    (only,) = drifts_in_rounds(live, live, severities=SEVERITIES, work=work)

    assert only.found == ()
    assert work.steps == STEPS
