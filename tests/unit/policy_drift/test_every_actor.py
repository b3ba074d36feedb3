"""Everyone who did it: each event that reached a check stands at its finding, in whatever order checks run."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_drift.domain.account import EntityId, ManagedPolicy
from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.decision import Decision
from policy_drift.domain.events import PolicyDriftDetected, PolicyDriftResolved
from policy_drift.domain.finding import Acknowledgement, Change, State
from policy_drift.domain.lifecycle import MOST_NAMED, acknowledged
from steward.principals import PrincipalPattern
from tests.doubles.drift_under_test import ACCOUNT, APP, GET, QUIET, WIDER, DriftUnderTest, allowing
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.in_memory_drift import CountingHistory

ID = "access:role:app"
HELPER, MALLORY = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("helper", "mallory"))
DEPLOYER = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy-app/run-7"
CUSTOM = f"arn:aws:iam::{ACCOUNT}:policy/custom"
ACTIONS = {HELPER: "sqs:ListQueues", MALLORY: "s3:PutObject", DEPLOYER: "s3:DeleteObject"}


def deployment(**parts):
    """A deployment that expects the changes of roles that deploy, and has its baseline."""
    drift = DriftUnderTest(expected=[PrincipalPattern("self:role/deploy-*")], **parts)
    drift.scan()
    return drift


@pytest.fixture
def drift():
    return deployment()


def put(drift, actor):
    """The actor puts an inline policy of its own; its event."""
    inline = drift.iam.account.roles["app"].inline
    drift.role(inline={**inline, f"by-{ACTIONS[actor]}": allowing(ACTIONS[actor])})
    return drift.event(actor=actor, policyName=f"by-{ACTIONS[actor]}")


def check_that_read_before(drift, event, happens):
    """A check of an event that has read the account, and records after something else has happened."""
    slow = FaultInjecting(drift.findings)
    quick, drift.findings = drift.findings, slow

    def meanwhile(*_, **__):
        drift.findings = quick
        drift.clock.advance(seconds=20)
        happens()
        drift.findings = slow

    slow.before("of", meanwhile)
    drift.check(event)
    drift.findings = quick


def actors(drift, finding=ID):
    return {change.actor for change in drift.findings.get(finding).value.changes}


def test_an_event_of_a_run_that_read_earlier_than_the_recorded_one_is_not_lost(drift):
    first = put(drift, MALLORY)
    check_that_read_before(drift, first, lambda: drift.check(put(drift, DEPLOYER)))

    assert actors(drift) == {MALLORY, DEPLOYER}
    detected = drift.published(PolicyDriftDetected)
    assert [(event.why, event.expected) for event in detected] == [("opened", True), ("unexpected", False)]


def test_an_unexpected_actor_who_had_acted_before_the_alert_of_another_is_published_too(drift):
    first, second = put(drift, MALLORY), put(drift, HELPER)
    drift.check(first)
    drift.check(second)
    drift.check(second)

    detected = drift.published(PolicyDriftDetected)
    assert [(event.why, {change["actor"] for change in event.changes}) for event in detected] == [
        ("opened", {MALLORY}),
        ("unexpected", {MALLORY, HELPER}),
    ]


def test_a_scan_names_the_actor_of_an_event_that_never_came():
    drift = deployment(history=CountingHistory())
    first, lost = put(drift, MALLORY), put(drift, HELPER)
    drift.check(first)
    drift.history.changes = {"role/app": (lost.change, first.change)}
    drift.scan()
    drift.scan()

    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened", "unexpected"]
    assert {change["actor"] for change in drift.published(PolicyDriftDetected)[-1].changes} == {MALLORY, HELPER}


@pytest.mark.parametrize(
    ("second", "is_later"),
    [
        pytest.param(DEPLOYER, False, id="an-expected-one-before-the-alert"),
        pytest.param(MALLORY, False, id="the-same-before-the-alert"),
        pytest.param(HELPER, True, id="one-who-adds-nothing-later"),
    ],
)
def test_a_second_actor_is_no_second_alert_if_that_is(drift, second, is_later):
    first = put(drift, MALLORY)
    event = None if is_later else put(drift, second)
    drift.check(first)
    if event is None:
        drift.clock.advance(seconds=60)
        drift.role(inline={**drift.iam.account.roles["app"].inline, "same": allowing(ACTIONS[MALLORY])})
        event = drift.event(actor=second, policyName="same")
    drift.check(event)

    assert [one.why for one in drift.published(PolicyDriftDetected)] == ["opened"]
    assert actors(drift) == {MALLORY, second}


def names(event):
    return [change["actor"] for change in event.changes]


def user(number):
    return f"arn:aws:iam::{ACCOUNT}:user/u{number:02}"


def test_an_alert_names_first_the_actor_who_was_missing_from_the_one_before_then_all_others(drift):
    first, late = put(drift, HELPER), put(drift, MALLORY)
    drift.clock.advance(seconds=1)
    drift.check(first, *(drift.event(actor=user(number)) for number in range(12)))
    drift.check(late)

    opened, second = drift.published(PolicyDriftDetected)
    assert len(names(opened)) == 13
    assert names(second)[0] == MALLORY
    assert set(names(second)) == {MALLORY, *names(opened)}


def test_an_actor_is_named_though_twenty_others_acted_later(drift):
    late = put(drift, MALLORY)
    drift.clock.advance(seconds=1)
    drift.check(*(drift.event(actor=user(number)) for number in range(20)))
    drift.check(late)

    assert names(drift.published(PolicyDriftDetected)[-1])[0] == MALLORY
    assert MALLORY in actors(drift)


@pytest.mark.parametrize("others", [0, 20])
def test_a_harmless_call_after_the_alert_does_not_hide_an_earlier_one(drift, others):
    first, late = put(drift, HELPER), put(drift, MALLORY)
    drift.check(first)
    drift.clock.advance(seconds=60)
    drift.check(drift.event(actor=MALLORY), *(drift.event(actor=user(number)) for number in range(others)))
    drift.check(late)

    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened", "unexpected"]
    assert names(drift.published(PolicyDriftDetected)[-1])[0] == MALLORY


def test_who_acts_while_others_are_added_to_an_alert_makes_no_further_alert(drift):
    first, late = put(drift, HELPER), put(drift, MALLORY)
    drift.check(first)
    drift.clock.advance(seconds=20)
    after = [drift.event(actor=user(number)) for number in range(20)]
    drift.clock.advance(seconds=20)
    drift.check(late)
    for event in after:
        drift.check(event)

    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened", "unexpected"]


def test_one_state_makes_no_more_than_a_hundred_alerts_about_actors(drift):
    drift.role(inline={"own": WIDER})
    events = [drift.event(actor=f"{HELPER}{number}") for number in range(110)]
    for event in events:
        drift.check(event)

    assert len(drift.published(PolicyDriftDetected)) == MOST_NAMED


def test_an_intruder_who_acted_before_the_alert_about_another_one_is_named_too(drift):
    """Both acted on what a deployer had changed; the alert about that called all actors expected."""
    drift.check(put(drift, DEPLOYER))
    drift.clock.advance(seconds=60)
    first, second = drift.event(actor=HELPER), drift.event(actor=MALLORY)
    drift.clock.advance(seconds=10)
    drift.check(first)
    drift.check(second)

    assert [names(event)[0] for event in drift.published(PolicyDriftDetected)] == [DEPLOYER, HELPER, MALLORY]


@pytest.mark.parametrize("together", [True, False])
def test_the_actors_of_a_finding_that_a_scan_opened_without_any_are_alerted(drift, together):
    events = [put(drift, HELPER), put(drift, MALLORY)]
    drift.scan()
    for some in [events] if together else [[one] for one in events]:
        drift.check(*some)

    opened, *later = drift.published(PolicyDriftDetected)
    assert names(opened) == []
    assert [event.why for event in later] == ["unexpected"] * (1 if together else 2)
    assert set(names(later[-1])) == {HELPER, MALLORY}


def test_an_actor_that_only_the_next_scan_finds_stands_at_the_finding_without_an_alert():
    drift = deployment(history=CountingHistory())
    event = put(drift, MALLORY)
    drift.scan()
    drift.history.changes = {"role/app": (event.change,)}
    drift.scan()

    assert [names(one) for one in drift.published(PolicyDriftDetected)] == [[]]
    assert actors(drift) == {MALLORY}


def test_who_made_a_change_that_was_reverted_is_not_named_for_the_next_one():
    history = CountingHistory()
    drift = deployment(history=history)
    approved = drift.iam.account
    earlier = put(drift, HELPER)
    drift.check(earlier)
    drift.clock.advance(minutes=10)
    drift.iam.account = approved
    drift.check(drift.event("DeleteRolePolicy", actor=HELPER))
    drift.clock.advance(minutes=10)
    event = put(drift, MALLORY)
    drift.check(event)
    history.changes = {"role/app": (event.change, earlier.change)}
    drift.clock.advance(minutes=10)
    drift.scan()

    assert [names(one) for one in drift.published(PolicyDriftDetected)] == [[HELPER], [MALLORY]]


def test_an_actor_who_took_the_access_back_before_the_event_came_is_named_by_an_alert_of_its_own(drift):
    approved = drift.iam.account
    more = allowing("iam:*")
    late = drift.event(actor=MALLORY, policyName="mallorys", policyDocument=json.dumps(more))
    drift.role(inline={**approved.roles["app"].inline, "mallorys": more})
    drift.check(put(drift, HELPER))
    drift.clock.advance(minutes=1)
    drift.iam.account = approved
    drift.check(drift.event("DeleteRolePolicy", actor=HELPER))
    drift.check(late)
    drift.check(late)

    assert [(one.kind, names(one)) for one in drift.published(PolicyDriftDetected)] == [
        ("ACCESS", [HELPER]),
        ("TRANSIENT", [MALLORY]),
    ]


def test_an_actor_of_a_reverted_change_is_named_though_the_event_comes_after_the_next_change(drift):
    approved = drift.iam.account
    first, late = put(drift, HELPER), put(drift, MALLORY)
    drift.check(first)
    drift.clock.advance(minutes=1)
    changed, drift.iam.account = drift.iam.account, approved
    drift.scan()
    drift.clock.advance(minutes=1)
    drift.iam.account = changed
    drift.check(drift.event(actor=HELPER))
    drift.check(late)

    assert [(one.why, names(one)[0]) for one in drift.published(PolicyDriftDetected)][-1] == ("unexpected", MALLORY)


@pytest.mark.parametrize("unreadable", [True, False])
def test_a_scan_between_the_changes_and_their_events_hides_no_actor(drift, unreadable):
    first, late = put(drift, HELPER), put(drift, MALLORY)
    whole = drift.iam.account
    drift.clock.advance(minutes=1)
    if unreadable:
        drift.iam.account = replace(whole, roles={}, unreadable={EntityId("role/app"): "throttled"})
    drift.scan(until=drift.clock.now())
    drift.iam.account = whole
    drift.check(first)
    drift.check(late)

    assert MALLORY in names([one for one in drift.published(PolicyDriftDetected) if one.kind == "ACCESS"][-1])


@pytest.mark.parametrize("others", [DEPLOYER, f"arn:aws:iam::{ACCOUNT}:role/deploy-{{}}"])
def test_an_unexpected_actor_stands_first_in_an_alert_of_many_expected_calls(drift, others):
    first = put(drift, MALLORY)
    drift.clock.advance(seconds=1)
    drift.check(first, *(drift.event(actor=others.format(number)) for number in range(25)))

    (detected,) = drift.published(PolicyDriftDetected)
    assert names(detected)[0] == MALLORY
    assert MALLORY in actors(drift)


def test_who_was_named_is_not_named_again_after_the_access_has_grown(drift):
    drift.role(inline={"own": WIDER})
    events = [drift.event(actor=user(number)) for number in range(30)]
    drift.check(*events)
    for event in events:
        drift.check(event)
    before = len(drift.published(PolicyDriftDetected))
    drift.clock.advance(minutes=1)
    drift.check(put(drift, DEPLOYER))
    for event in events:
        drift.check(event)

    assert len(drift.published(PolicyDriftDetected)) == before + 1


def granted_for_a_while(drift, actor, name="x"):
    """The event of a grant that is gone by now."""
    return drift.event(actor=actor, policyName=name, policyDocument=json.dumps(allowing("iam:*")))


def reverted(drift, first):
    """Everything is given, ``first`` has an alert, and all of it is taken back by the helper."""
    approved = drift.iam.account
    drift.role(inline={**approved.roles["app"].inline, "x": allowing("iam:*")})
    drift.check(first)
    drift.clock.advance(minutes=3)
    drift.iam.account = approved
    drift.check(drift.event("DeleteRolePolicy", actor=HELPER, policyName="x"))


@pytest.mark.parametrize("number", [1, 30])
def test_late_actors_of_a_reverted_change_are_named_once_each_and_again_by_no_repetition(drift, number):
    late = [granted_for_a_while(drift, user(one)) for one in range(number)] * 3
    reverted(drift, granted_for_a_while(drift, HELPER))
    for event in late:
        drift.check(event)

    assert [one.kind for one in drift.published(PolicyDriftDetected)] == ["ACCESS", *["TRANSIENT"] * number]


def test_no_more_than_a_hundred_late_actors_of_a_reverted_change_are_alerts(drift):
    late = [granted_for_a_while(drift, f"{HELPER}{one}") for one in range(110)]
    reverted(drift, granted_for_a_while(drift, HELPER))
    for event in late:
        drift.check(event)

    assert len(drift.published(PolicyDriftDetected)) == 1 + MOST_NAMED


def test_an_acknowledgement_that_held_until_the_end_covers_a_late_actor(drift):
    late = granted_for_a_while(drift, MALLORY)
    approved = drift.iam.account
    drift.role(inline={**approved.roles["app"].inline, "x": allowing("iam:*")})
    drift.check(granted_for_a_while(drift, HELPER))
    kept, now = drift.findings.get(ID), drift.clock.now()
    given = Acknowledgement("ann", "team-a", "a test", kept.value.drift.fingerprint, now, now + timedelta(days=30))
    drift.findings.save(acknowledged(kept.value, given), after=kept.revision)
    drift.iam.account = approved
    drift.check(drift.event("DeleteRolePolicy", actor=HELPER, policyName="x"))
    drift.check(late)

    assert [one.kind for one in drift.published(PolicyDriftDetected)] == ["ACCESS"]


def test_of_two_actors_who_did_the_same_in_one_check_neither_hides_the_other(drift):
    late, first = granted_for_a_while(drift, MALLORY), granted_for_a_while(drift, HELPER)
    reverted(drift, first)
    drift.clock.advance(minutes=1)
    drift.check(late, first)

    assert MALLORY in names(drift.published(PolicyDriftDetected)[-1])


def test_neither_the_author_nor_the_one_who_took_it_back_is_named_for_the_next_change():
    drift = deployment(history=CountingHistory())
    approved = drift.iam.account
    first = put(drift, HELPER)
    drift.check(first)
    drift.clock.advance(minutes=3)
    drift.iam.account = approved
    back = drift.event("DeleteRolePolicy", actor=HELPER, policyName=f"by-{ACTIONS[HELPER]}")
    drift.check(back)
    drift.clock.advance(minutes=3)
    late, event = put(drift, DEPLOYER), put(drift, MALLORY)
    drift.check(event)
    drift.history.changes = {"role/app": tuple(one.change for one in (event, late, back, first))}
    drift.scan()
    drift.check(first, back)

    assert [names(one) for one in drift.published(PolicyDriftDetected)] == [[HELPER], [MALLORY]]
    assert actors(drift) == {DEPLOYER, MALLORY}


def test_a_late_actor_is_named_without_those_of_a_change_that_was_adopted(drift):
    first = put(drift, HELPER)
    drift.check(first)
    fingerprint = drift.findings.get(ID).value.drift.fingerprint
    drift.operate.adopt({ID: fingerprint}, Decision("ann", "", "", ""), "run")
    drift.clock.advance(minutes=3)
    late, event = put(drift, MALLORY), drift.event(actor=user(1))
    drift.check(event)
    drift.check(late, first)

    assert names(drift.published(PolicyDriftDetected)[-1]) == [MALLORY, user(1)]


@pytest.mark.parametrize("holders", [1, 2, 5])
def test_a_version_of_a_policy_that_several_have_is_reported_when_it_is_gone(holders):
    policy = ManagedPolicy(CUSTOM, "ANPA1", "v1", GET)
    roles = {f"r{one}": replace(APP, name=f"r{one}", unique_id=f"A{one}", attached=(CUSTOM,)) for one in range(holders)}
    drift = deployment(account=replace(QUIET, roles=roles, policies={CUSTOM: policy}))
    asked = {"roleName": None, "policyArn": CUSTOM}
    document = json.dumps(allowing("iam:*"))
    given = drift.event("CreatePolicyVersion", MALLORY, **asked, policyDocument=document, setAsDefault=True)
    drift.clock.advance(minutes=3)
    drift.check(given, drift.event("SetDefaultPolicyVersion", MALLORY, **asked, versionId="v1"))

    (detected,) = drift.published(PolicyDriftDetected)
    entity = "role/r0" if holders == 1 else "policy/custom"
    assert (detected.kind, detected.entity, detected.severity) == ("TRANSIENT", entity, "CRITICAL")
    assert set(names(detected)) == {MALLORY}


def test_who_attaches_a_changed_policy_elsewhere_is_no_actor_of_its_change():
    policy = ManagedPolicy(CUSTOM, "ANPA1", "v1", GET)
    holders = {f"r{number}": replace(APP, name=f"r{number}", attached=(CUSTOM,)) for number in range(3)}
    drift = deployment(account=replace(QUIET, roles=holders, policies={CUSTOM: policy}))
    attached = drift.event("AttachRolePolicy", HELPER, policyArn=CUSTOM, roleName="r1")
    drift.iam.account = replace(drift.iam.account, policies={CUSTOM: replace(policy, version="v2", document=WIDER)})
    drift.check(drift.event("CreatePolicyVersion", MALLORY, roleName=None, policyArn=CUSTOM))
    drift.check(attached)

    (detected,) = drift.published(PolicyDriftDetected)
    assert names(detected) == [MALLORY]
    assert actors(drift, "policy:policy:custom") == {MALLORY}


def test_a_finding_that_was_stored_without_the_named_actors_counts_those_that_stand_at_it(drift):
    first, late = put(drift, MALLORY), put(drift, HELPER)
    drift.check(first)
    kept = drift.findings.get(ID)
    drift.findings.save(replace(kept.value, named=None), after=kept.revision)
    drift.clock.advance(minutes=1)
    drift.check(drift.event(actor=HELPER))
    drift.check(late)

    assert [names(event)[0] for event in drift.published(PolicyDriftDetected)] == [MALLORY, HELPER]


def test_an_acknowledgement_covers_a_second_unexpected_actor_of_the_same_access(drift):
    """Who acknowledged it read the finding, not the alert; the state that was acknowledged is still the live one."""
    first, second = put(drift, MALLORY), put(drift, HELPER)
    drift.check(first)
    kept, now = drift.findings.get(ID), drift.clock.now()
    given = Acknowledgement("ann", "team-a", "a test", kept.value.drift.fingerprint, now, now + timedelta(days=30))
    drift.findings.save(acknowledged(kept.value, given), after=kept.revision)
    drift.check(second)

    assert [one.why for one in drift.published(PolicyDriftDetected)] == ["opened"]
    assert actors(drift) == {MALLORY, HELPER}


def test_a_late_event_removes_the_mark_of_an_acknowledged_finding_and_is_an_alert(drift):
    late = put(drift, MALLORY)
    drift.check(put(drift, DEPLOYER))
    kept, now = drift.findings.get(ID), drift.clock.now()
    given = Acknowledgement(
        "ann", "team-a", "a deployment", kept.value.drift.fingerprint, now, now + timedelta(days=30)
    )
    drift.findings.save(acknowledged(kept.value, given), after=kept.revision)
    drift.check(late)

    finding = drift.findings.get(ID).value
    assert (finding.state, finding.expected, actors(drift)) == (State.OPEN, False, {MALLORY, DEPLOYER})
    assert drift.published(PolicyDriftDetected)[-1].why == "unexpected"


def test_access_that_stood_in_an_expected_alert_and_is_gone_is_published_with_its_unexpected_actor(drift):
    """The alert named the deployer for both grants; the intruder's is taken away before its event arrives."""
    more = allowing("s3:PutObject")
    late = drift.event(actor=MALLORY, policyName="mallorys", policyDocument=json.dumps(more))
    drift.role(inline={"own": GET, "mallorys": more})
    drift.check(drift.event(actor=DEPLOYER, policyName="own", policyDocument=json.dumps(GET)))
    drift.role(inline={"own": GET})
    drift.check(drift.event("DeleteRolePolicy", DEPLOYER, policyName="mallorys"))
    drift.check(late)

    last = drift.published(PolicyDriftDetected)[-1]
    assert (last.kind, last.expected, [change["actor"] for change in last.changes]) == ("TRANSIENT", False, [MALLORY])


def test_who_takes_an_expected_change_back_is_no_unexpected_actor_of_it_while_iam_shows_it(drift):
    drift.delay = timedelta(seconds=30)
    before = drift.iam.account
    drift.check(put(drift, DEPLOYER))
    taken_back = drift.event("DeleteRolePolicy", actor=MALLORY, policyName=f"by-{ACTIONS[DEPLOYER]}")
    checked = drift.check(taken_back)
    assert taken_back.change.event_id in checked.again
    drift.clock.advance(seconds=31)
    drift.iam.account = before
    drift.check(taken_back)

    assert [one.expected for one in drift.published(PolicyDriftDetected)] == [True]
    assert [one.how for one in drift.published(PolicyDriftResolved)] == ["reverted"]


def test_who_says_to_take_an_expected_change_back_and_did_not_is_named_in_the_end(drift):
    drift.delay = timedelta(seconds=30)
    drift.check(put(drift, DEPLOYER))
    taken_back = drift.event("DeleteRolePolicy", actor=MALLORY, policyName=f"by-{ACTIONS[DEPLOYER]}")
    drift.check(taken_back)
    drift.clock.advance(seconds=120)
    drift.check(taken_back)

    assert actors(drift) == {DEPLOYER, MALLORY}


def test_an_event_about_an_entity_that_cannot_be_read_stands_at_its_open_finding(drift):
    drift.check(put(drift, DEPLOYER))
    event = put(drift, MALLORY)
    drift.iam.account = replace(drift.iam.account, roles={}, unreadable={EntityId("role/app"): "it changes"})
    drift.check(event)

    assert actors(drift) == {MALLORY, DEPLOYER}


def test_each_call_is_tied_to_the_part_that_it_changed(drift):
    trust = {**APP.trust, "Statement": [{**APP.trust["Statement"][0], "Principal": {"AWS": "*"}}]}
    drift.role(inline={"own": WIDER}, trust=trust)
    drift.check(
        drift.event("UpdateAssumeRolePolicy", MALLORY),
        drift.event("PutRolePolicy", HELPER, policyName="own"),
        drift.event("UpdateRoleDescription", DEPLOYER),
    )

    calls = {
        event.kind: [(change["actor"], change["part"]) for change in event.changes]
        for event in drift.published(PolicyDriftDetected)
    }
    assert calls == {"ACCESS": [(HELPER, "inline policy own")], "TRUST": [(MALLORY, "trust policy")]}


@pytest.mark.parametrize(
    ("name", "asked", "part"),
    [
        ("PutRolePolicy", {"policyName": "own"}, "inline policy own"),
        ("AttachRolePolicy", {"policyArn": CUSTOM}, f"managed policy {CUSTOM}"),
        ("CreatePolicyVersion", {"roleName": None, "policyArn": CUSTOM}, f"managed policy {CUSTOM}"),
        ("PutRolePermissionsBoundary", {"permissionsBoundary": CUSTOM}, f"permissions boundary {CUSTOM}"),
        ("DeleteRolePermissionsBoundary", {}, "permissions boundary"),
        ("AddUserToGroup", {"userName": "ann", "groupName": "admins"}, "group admins"),
        ("UpdateAssumeRolePolicy", {"policyDocument": "{}"}, "trust policy"),
        ("CreateRole", {"permissionsBoundary": CUSTOM}, ""),
        ("DeleteGroup", {"roleName": None, "groupName": "admins"}, ""),
        ("SomethingNew", {}, ""),
    ],
)
def test_the_part_of_a_call(drift, name, asked, part):
    assert drift.event(name, **asked).change.part == part


def test_many_calls_of_one_role_hide_no_other_actor(drift):
    drift.check(put(drift, MALLORY))
    for number in range(60):
        drift.clock.advance(seconds=1)
        drift.check(drift.event(actor=f"{DEPLOYER}-{number}", policyName="own"))

    assert MALLORY in actors(drift)


def test_an_alert_of_many_calls_names_each_actor(drift):
    events = [put(drift, MALLORY), put(drift, HELPER)]
    drift.clock.advance(seconds=1)
    drift.check(*events, *(drift.event(actor=DEPLOYER) for _ in range(10)))

    (detected,) = drift.published(PolicyDriftDetected)
    assert {change["actor"] for change in detected.changes} == {HELPER, MALLORY, DEPLOYER}


def test_a_scan_adds_an_actor_if_its_event_reached_no_check():
    drift = deployment(history=CountingHistory())
    event, _ = put(drift, DEPLOYER), put(drift, MALLORY)
    drift.check(event)
    drift.history.changes = {"role/app": (Change("lost", "PutRolePolicy", MALLORY, drift.clock.now()),)}
    drift.clock.advance(hours=1)
    drift.scan()

    assert actors(drift) == {DEPLOYER, MALLORY}
    assert drift.published(PolicyDriftDetected)[-1].expected is False


def test_a_scan_finds_who_changed_a_policy_in_the_history_of_the_policy_and_not_who_attached_it_elsewhere():
    policy = ManagedPolicy(CUSTOM, "ANPA1", "v1", GET)
    holder = replace(APP, attached=(CUSTOM,))
    drift = deployment(
        account=replace(QUIET, roles={"app": holder}, policies={CUSTOM: policy}), history=CountingHistory()
    )
    drift.iam.account = replace(drift.iam.account, policies={CUSTOM: replace(policy, version="v2", document=WIDER)})
    now = drift.clock.now()
    drift.history.changes = {
        "policy/custom": (
            Change("e1", "CreatePolicyVersion", MALLORY, now),
            Change("e2", "AttachRolePolicy", HELPER, now),
        )
    }
    drift.scan()

    assert drift.history.asked == ["role/app", "policy/custom"]
    assert actors(drift) == {MALLORY}


def test_a_policy_that_many_have_is_searched_once():
    policy = ManagedPolicy(CUSTOM, "ANPA1", "v1", GET)
    holders = {f"r{number}": replace(APP, name=f"r{number}", attached=(CUSTOM,)) for number in range(5)}
    drift = deployment(account=replace(QUIET, roles=holders, policies={CUSTOM: policy}), history=CountingHistory())
    drift.iam.account = replace(drift.iam.account, policies={CUSTOM: replace(policy, version="v2", document=WIDER)})
    drift.scan()

    assert drift.history.asked.count("policy/custom") == 1


@pytest.mark.parametrize("approved", [True, False])
def test_a_name_in_other_capitals_is_the_same_entity(drift, approved):
    drift.role(inline={"own": WIDER})
    if not approved:
        new = replace(APP, name="Intruder", unique_id="AROA9")
        drift.iam.account = replace(drift.iam.account, roles={**drift.iam.account.roles, "Intruder": new})
    drift.check(drift.event("PutRolePolicy", MALLORY, roleName="APP" if approved else "iNTRUDER"))

    (detected,) = drift.published(PolicyDriftDetected)
    assert detected.entity == ("role/app" if approved else "role/Intruder")
    assert [change["actor"] for change in detected.changes] == [MALLORY]


def test_reads_are_not_actors():
    record = {
        "eventID": "e1",
        "eventName": "ExamineRole",
        "eventSource": "iam.amazonaws.com",
        "eventTime": "2026-05-04T12:00:00Z",
        "requestParameters": {"roleName": "app"},
    }

    assert change_event(record)
    assert change_event(record | {"readOnly": True}) is None


def test_a_time_without_a_zone_is_in_utc(drift):
    """Such an event is sorted and compared with others like any."""
    drift.role(inline={"own": WIDER})
    record = {
        "eventID": "e1",
        "eventName": "PutRolePolicy",
        "eventSource": "iam.amazonaws.com",
        "eventTime": drift.clock.now().replace(tzinfo=None).isoformat(),
        "userIdentity": {"arn": MALLORY},
        "requestParameters": {"roleName": "app", "policyName": "own"},
    }
    drift.check(change_event(record), drift.event(actor=HELPER))

    assert actors(drift) == {MALLORY, HELPER}


@st.composite
def timings(draw):
    """Two or three actors in the order of their changes, of their checks, and which checks record late."""
    who = draw(st.lists(st.sampled_from(sorted(ACTIONS)), min_size=2, max_size=3, unique=True))
    checked = draw(st.permutations(who))
    gaps = draw(st.lists(st.integers(0, 40), min_size=len(who), max_size=len(who)))
    late = draw(st.integers(0, len(who) - 1))
    return who, checked, gaps, late, draw(st.booleans())


@settings(max_examples=150, deadline=None)
@given(timings())
def test_in_every_order_and_timing_all_actors_stand_at_the_finding(timing):
    """The checks before ``late`` run one after another; the others run while an earlier one has read and not recorded.

    In ``at_once`` all changes are there before the first check; otherwise each comes just before its check.
    """
    who, checked, gaps, late, at_once = timing
    drift = deployment()
    events = {actor: put(drift, actor) for actor in who} if at_once else {}

    def check(rest):
        if not rest:
            return
        (position, actor), *others = rest
        drift.clock.advance(seconds=gaps[position])
        event = events.get(actor) or put(drift, actor)
        if position >= late and others:
            check_that_read_before(drift, event, lambda: check(others))
        else:
            drift.check(event)
            check(others)

    check(list(enumerate(checked)))

    detected = drift.published(PolicyDriftDetected)
    assert actors(drift) == set(who)
    assert drift.findings.get(ID).value.expected is (detected[-1].expected) is False
    assert all(kept.undelivered == {} for kept in drift.findings.all())


def change_by(actor, at):
    return Change(f"{actor}-{at}", "PutRolePolicy", actor, at)


def test_a_scan_names_no_actor_for_a_change_before_the_baseline_was_captured():
    history = CountingHistory()
    drift = DriftUnderTest(expected=[PrincipalPattern("self:role/deploy-*")], history=history)
    founder = change_by(HELPER, drift.clock.now() - timedelta(minutes=5))
    drift.scan()
    drift.clock.advance(minutes=5)
    event = put(drift, DEPLOYER)
    history.changes[EntityId("role/app")] = (event.change, founder)
    drift.check(event)
    drift.scan()

    assert actors(drift) == {DEPLOYER}
    assert [event.expected for event in drift.published(PolicyDriftDetected)] == [True]


def test_a_scan_names_no_actor_for_a_change_that_was_adopted_since():
    history = CountingHistory()
    drift = deployment(history=history)
    drift.clock.advance(minutes=5)
    first = put(drift, HELPER)
    drift.check(first)
    drift.clock.advance(minutes=5)
    fingerprint = drift.findings.get(ID).value.drift.fingerprint
    drift.operate.adopt({ID: fingerprint}, Decision("ann", "", "", ""), "run")
    drift.clock.advance(minutes=5)
    second = put(drift, DEPLOYER)
    history.changes[EntityId("role/app")] = (second.change, first.change)
    drift.check(second)
    drift.scan()

    assert actors(drift) == {DEPLOYER}


def test_an_adoption_of_another_finding_does_not_bring_back_actors_from_before_the_capture():
    history = CountingHistory()
    other = replace(APP, name="other", unique_id="AROAOTHER")
    account = replace(QUIET, roles={"app": APP, "other": other})
    drift = DriftUnderTest(account, expected=[PrincipalPattern("self:role/deploy-*")], history=history)
    founder = change_by(HELPER, drift.clock.now() - timedelta(minutes=5))
    drift.scan()
    drift.clock.advance(minutes=5)
    drift.iam.account = replace(account, roles={"app": APP, "other": replace(other, inline={"own": WIDER})})
    event = put(drift, DEPLOYER)
    history.changes[EntityId("role/app")] = (event.change, founder)
    drift.check(event)
    drift.scan()
    adopted = "access:role:other"
    drift.operate.adopt({adopted: drift.findings.get(adopted).value.drift.fingerprint}, Decision("ann"), "run")
    drift.clock.advance(minutes=5)
    drift.scan()

    assert actors(drift) == {DEPLOYER}


def test_a_scan_names_the_actor_of_a_change_that_an_upload_did_not_approve():
    history = CountingHistory()
    drift = deployment(history=history)
    drift.clock.advance(minutes=5)
    event = put(drift, MALLORY)
    history.changes[EntityId("role/app")] = (event.change,)
    drift.clock.advance(minutes=5)
    drift.store.put(drift.store.latest().text + b"\n")
    drift.scan()

    assert actors(drift) == {MALLORY}
