"""The event path: an event says where to look, and what is there is read again."""

import json
from dataclasses import replace

import pytest

from policy_drift import baseline_document
from policy_drift.domain.account import EntityId, Group, ManagedPolicy, Role, User
from policy_drift.domain.baseline import Baseline, NothingApprovedError
from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.events import PolicyDriftDetected, PolicyDriftResolved
from steward.principals import PrincipalPattern
from tests.doubles.drift_under_test import ACCOUNT, APP, GET, QUIET, TRUST, WIDER, DriftUnderTest, allowing
from tests.doubles.in_memory_drift import CountingHistory

CUSTOM = "arn:aws:iam::123456789012:policy/custom"
OF_AWS = "arn:aws:iam::aws:policy/AdministratorAccess"
OTHER = "arn:aws:iam::123456789012:user/other"
RECORD = {
    "eventID": "e1",
    "eventName": "PutRolePolicy",
    "eventSource": "iam.amazonaws.com",
    "eventTime": "2026-05-04T12:00:00Z",
    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/mallory"},
    "sourceIPAddress": "203.0.113.7",
    "requestParameters": {"roleName": "app", "policyName": "own"},
}


@pytest.fixture
def drift():
    wired = DriftUnderTest()
    wired.scan()
    return wired


def test_a_change_is_published_with_its_actor(drift):
    drift.role(inline={"own": WIDER})

    drift.check(drift.event(policyName="own"))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.severity, detected.verdict) == ("ACCESS", "MEDIUM", "BROADENED")
    assert [change["actor"] for change in detected.changes] == ["arn:aws:iam::123456789012:user/mallory"]
    assert detected.request["action"] == "s3:PutObject"


def test_what_the_event_says_is_there_is_not_believed(drift):
    drift.role(inline={"own": WIDER})

    drift.check(drift.event(policyName="own", policyDocument=json.dumps(GET)))

    assert [event.kind for event in drift.published(PolicyDriftDetected)] == ["ACCESS"]


def test_a_change_that_is_taken_back_is_resolved(drift):
    drift.role(inline={"own": WIDER})
    drift.check(drift.event())
    drift.role(inline={"own": GET})
    drift.check(drift.event())

    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["reverted"]


def test_access_that_was_used_and_taken_back_is_published_once(drift):
    given = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    put = drift.event(policyName="more", policyDocument=given)
    taken = drift.event("DeleteRolePolicy", policyName="more")

    for _ in range(3):
        drift.check(put, taken)
        drift.scan()

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.severity) == ("TRANSIENT", "CRITICAL")
    assert detected.request_in_words.startswith("Role app could for a while call ")
    assert "it was an administrator" in detected.reasons
    assert not any(" is " in reason for reason in detected.reasons)
    assert {change["event_id"] for change in detected.changes} == {"event-1", "event-2"}


def test_access_that_was_alerted_while_it_lasted_is_not_alerted_again_as_transient(drift):
    put = drift.event(
        policyName="own",
        policyDocument=json.dumps(allowing("s3:*")),
    )
    drift.role(inline={"own": allowing("s3:*")})
    drift.check(put)
    drift.role(inline={"own": GET})
    drift.check(drift.event())
    drift.check(put)

    assert [event.kind for event in drift.published(PolicyDriftDetected)] == ["ACCESS"]


def test_a_principal_that_was_made_used_and_deleted_is_published(drift):
    drift.check(
        drift.event("AttachRolePolicy", roleName="ghost", policyArn=CUSTOM),
        drift.event("DeleteRole", roleName="ghost"),
    )

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.severity, detected.entity) == ("TRANSIENT", "HIGH", "role/ghost")


def test_five_thousand_events_about_one_role_are_one_check(drift):
    drift.role(inline={"own": WIDER})
    before = drift.iam.reads

    drift.check(*(drift.event() for _ in range(5000)))

    assert drift.iam.reads == before + 1
    assert len(drift.published(PolicyDriftDetected)) == 1


def test_changes_of_expected_actors_are_marked_and_still_published():
    drift = DriftUnderTest(expected=[PrincipalPattern("self:role/deploy-*")])
    drift.scan()
    drift.role(inline={"own": WIDER})

    drift.check(drift.event(actor="arn:aws:sts::123456789012:assumed-role/deploy-app/run-7"))

    assert [event.expected for event in drift.published(PolicyDriftDetected)] == [True]


def test_a_change_by_an_unexpected_actor_removes_the_mark():
    drift = DriftUnderTest(expected=[PrincipalPattern("self:role/deploy-*")])
    drift.scan()
    drift.role(inline={"own": WIDER})

    drift.check(drift.event(actor="arn:aws:sts::123456789012:assumed-role/deploy-app/run-7"), drift.event())

    assert [event.expected for event in drift.published(PolicyDriftDetected)] == [False]


def test_a_change_behind_an_expected_one_is_published_with_its_own_actor():
    """Both changes are there when the first one's event is looked at; the second one's event comes later."""
    drift = DriftUnderTest(expected=[PrincipalPattern("self:role/deploy-*")])
    drift.scan()
    drift.role(inline={"own": WIDER})
    mallorys = drift.event()
    drift.check(drift.event(actor="arn:aws:sts::123456789012:assumed-role/deploy-app/run-7"))

    drift.check(mallorys)
    drift.check(mallorys)
    drift.scan()

    detected = drift.published(PolicyDriftDetected)
    assert [(event.why, event.expected) for event in detected] == [("opened", True), ("unexpected", False)]
    assert [len(event.changes) for event in detected] == [1, 2]


def test_two_unexpected_actors_within_the_delay_are_both_named(drift):
    """The check of the first event reads both changes; the alert of the second event names both actors."""
    helper, mallory = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("helper", "mallory"))
    first = drift.event(actor=helper, policyName="harmless")
    drift.clock.advance(seconds=3)
    drift.role(inline={"own": GET, "harmless": allowing("sqs:ListQueues"), "all": allowing("*")})
    second = drift.event(actor=mallory, policyName="all")
    drift.check(first)
    drift.clock.advance(seconds=3)
    drift.check(second)

    named = [{change["actor"] for change in event.changes} for event in drift.published(PolicyDriftDetected)]
    assert named == [{helper}, {helper, mallory}]


def test_a_tag_on_a_role_with_expected_drift_publishes_nothing():
    drift = DriftUnderTest(expected=[PrincipalPattern("self:role/deploy-*")])

    assert drift.event("TagRole") is None


def test_a_change_without_an_event_says_so_until_one_names_its_actor(drift):
    drift.role(inline={"own": WIDER})
    drift.scan()
    unannounced = drift.findings.get("access:role:app").value
    drift.check(drift.event())
    announced = drift.findings.get("access:role:app").value

    assert (unannounced.announced, announced.announced) == (False, True)
    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened", "unexpected"]


def test_before_there_is_a_baseline_nothing_is_compared():
    drift = DriftUnderTest()

    with pytest.raises(NothingApprovedError):
        drift.check(drift.event())


def test_a_new_role_is_published(drift):
    intruder = Role("intruder", "/", "AROA9", inline={"own": allowing("*")}, trust=TRUST)
    drift.iam.account = replace(QUIET, roles={"app": APP, "intruder": intruder})

    drift.check(drift.event("CreateRole", roleName="intruder"))

    assert [(event.kind, event.severity) for event in drift.published(PolicyDriftDetected)] == [
        ("UNMANAGED", "CRITICAL")
    ]


@pytest.fixture(params=[CUSTOM, OF_AWS])
def shared(request):
    """A policy that somebody is about to give to two roles."""
    return ManagedPolicy(request.param, "/", "v1", allowing("*"))


ADMIN = json.dumps(allowing("*"))
DENIES = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}]}


@pytest.fixture
def guarded():
    """The role app may do everything in S3 but delete, by a managed policy in version 3, and a denial in two places."""
    role = replace(APP, inline={"own": allowing("s3:*"), "guard": DENIES}, attached=(CUSTOM,))
    account = replace(QUIET, roles={"app": role}, policies={CUSTOM: ManagedPolicy(CUSTOM, "ANPA1", "v3", DENIES)})
    wired = DriftUnderTest(account)
    wired.scan()
    return wired


def only_attached(drift):
    """The denial is in the managed policy alone."""
    drift.role(inline={"own": allowing("s3:*")})
    drift.store.put(baseline_document.write(Baseline(drift.iam.account)))
    drift.scan()
    drift.publisher.published.clear()


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("CreatePolicyVersion", {"policyDocument": ADMIN, "setAsDefault": True}, ("BROADENED", "CRITICAL")),
        ("CreatePolicyVersion", {"setAsDefault": True}, ("UNKNOWN", "HIGH")),
        ("SetDefaultPolicyVersion", {"versionId": "v2"}, ("UNKNOWN", "HIGH")),
        ("DetachRolePolicy", {"roleName": "app"}, ("BROADENED", "MEDIUM")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_access_of_a_managed_policy_that_is_gone_is_published_once(guarded, name, parameters, expected):
    only_attached(guarded)
    event = guarded.event(name, **({"roleName": None, "policyArn": CUSTOM} | parameters))

    guarded.check(event)
    guarded.check(event)

    (detected,) = guarded.published(PolicyDriftDetected)
    assert (detected.kind, detected.entity) == ("TRANSIENT", "role/app")
    assert (detected.verdict, detected.severity) == expected


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("CreatePolicyVersion", {"policyDocument": json.dumps(DENIES), "setAsDefault": True}),
        ("CreatePolicyVersion", {"policyDocument": ADMIN, "setAsDefault": False}),
        ("SetDefaultPolicyVersion", {"versionId": "v3"}),
        ("DetachRolePolicy", {"roleName": "app"}),
        ("DeleteRolePolicy", {"roleName": "app", "policyName": "own", "policyArn": None}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_that_gave_nothing_publishes_nothing(guarded, name, parameters):
    """The version that is the default anyway, one that is not made the default, a denial that is there twice."""
    guarded.check(guarded.event(name, **({"roleName": None, "policyArn": CUSTOM} | parameters)))

    assert guarded.published(PolicyDriftDetected) == []


def test_a_denial_that_was_deleted_and_put_back_is_published(guarded):
    guarded.role(attached=())
    guarded.store.put(baseline_document.write(Baseline(guarded.iam.account)))
    guarded.scan()

    guarded.check(
        guarded.event("DeleteRolePolicy", policyName="guard"),
        guarded.event("PutRolePolicy", policyName="guard", policyDocument=json.dumps(DENIES)),
    )

    (detected,) = guarded.published(PolicyDriftDetected)
    assert (detected.kind, detected.verdict) == ("TRANSIENT", "BROADENED")
    assert detected.request["action"].startswith("s3:Delete")


def test_leaving_and_rejoining_a_denying_group_is_published():
    guards = Group("guards", "/", "AGPA1", inline={"guard": DENIES})
    ann = User("ann", "/", "AIDA1", inline={"own": allowing("s3:*")}, groups=("guards",))
    drift = DriftUnderTest(replace(QUIET, users={"ann": ann}, groups={"guards": guards}))
    drift.scan()

    drift.check(drift.event("RemoveUserFromGroup", roleName=None, userName="ann", groupName="guards"))

    assert [(event.kind, event.entity) for event in drift.published(PolicyDriftDetected)] == [("TRANSIENT", "user/ann")]


def test_a_role_that_is_taken_apart_and_deleted_is_missing_and_had_no_more_for_that(guarded):
    only_attached(guarded)
    guarded.iam.account = replace(guarded.iam.account, roles={})

    guarded.check(guarded.event("DetachRolePolicy", policyArn=CUSTOM), guarded.event("DeleteRole"))

    assert [event.kind for event in guarded.published(PolicyDriftDetected)] == ["MISSING"]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("PutRolePolicy", {"policyName": "more"}),
        ("PutRolePolicy", {"policyName": "more", "policyDocument": ADMIN[:-20]}),
        ("UpdateAssumeRolePolicy", {}),
    ],
    ids=["omitted", "cut off", "trust"],
)
def test_a_lost_document_that_the_event_does_not_carry_is_published_as_unknown(drift, name, parameters):
    """White space does not count for IAM's limits: a document can be made so long that CloudTrail cuts it."""
    drift.check(drift.event(name, **parameters))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.verdict, detected.severity) == ("TRANSIENT", "UNKNOWN", "HIGH")


def test_a_cause_that_a_scan_lists_does_not_count_as_alerted(drift):
    """Two events, of which one had gone when the scan came; CloudTrail's history gives it both."""
    gone = drift.event(policyName="more", policyDocument=ADMIN)
    stays = drift.event(policyName="own", policyDocument=json.dumps(WIDER))
    drift.role(inline={"own": WIDER})
    drift.history = CountingHistory({"role/app": (gone.change, stays.change)})
    drift.scan()

    drift.check(gone, stays)

    assert [(event.kind, event.severity) for event in drift.published(PolicyDriftDetected)] == [
        ("ACCESS", "MEDIUM"),
        ("TRANSIENT", "CRITICAL"),
    ]


@pytest.fixture
def two_roles(shared):
    """An account with the role app, the role bystander, and the policy, which nobody has."""
    bystander = replace(APP, name="bystander", unique_id="AROABYSTANDER")
    account = replace(QUIET, roles={"app": APP, "bystander": bystander}, policies={shared.arn: shared})
    wired = DriftUnderTest(account)
    wired.scan()
    return wired


def attach(drift, name, policy):
    role = replace(drift.iam.account.roles[name], attached=(policy.arn,))
    drift.iam.account = replace(drift.iam.account, roles={**drift.iam.account.roles, name: role})


def test_other_holders_of_a_policy_are_not_attributed_to_the_actor_who_attached_it(two_roles, shared):
    """The change of the other has an event of its own, which names another actor."""
    attach(two_roles, "app", shared)
    attach(two_roles, "bystander", shared)

    two_roles.check(two_roles.event("AttachRolePolicy", policyArn=shared.arn))
    first = [event.entity for event in two_roles.published(PolicyDriftDetected)]
    two_roles.check(two_roles.event("AttachRolePolicy", OTHER, roleName="bystander", policyArn=shared.arn))

    second = two_roles.published(PolicyDriftDetected)[-1]
    assert first == ["role/app"]
    assert second.entity == "role/bystander"
    assert [change["actor"] for change in second.changes] == [OTHER]


def test_two_actors_who_attach_the_same_policy_at_once_are_published_separately(two_roles, shared):
    attach(two_roles, "app", shared)
    attach(two_roles, "bystander", shared)

    two_roles.check(
        two_roles.event("AttachRolePolicy", policyArn=shared.arn),
        two_roles.event("AttachRolePolicy", OTHER, roleName="bystander", policyArn=shared.arn),
    )

    actors = {
        event.entity: [made["actor"] for made in event.changes] for event in two_roles.published(PolicyDriftDetected)
    }
    assert actors == {"role/app": [RECORD["userIdentity"]["arn"]], "role/bystander": [OTHER]}


def test_members_of_a_group_are_not_attributed_to_the_actor_who_adds_another():
    """The old member was changed by somebody else, whose event is still to come."""
    readers = Group("readers", "/", "AGPA1", inline={"own": GET})
    old, new = User("old", "/", "AIDA1", groups=("readers",)), User("new", "/", "AIDA2")
    account = replace(QUIET, users={"old": old, "new": new}, groups={"readers": readers})
    drift = DriftUnderTest(account)
    drift.scan()
    changed = {"old": replace(old, inline={"own": WIDER}), "new": replace(new, groups=("readers",))}
    drift.iam.account = replace(account, users=changed)

    drift.check(drift.event("AddUserToGroup", roleName=None, userName="new", groupName="readers"))

    assert [event.entity for event in drift.published(PolicyDriftDetected)] == ["user/new"]


def test_a_policy_that_one_of_two_holders_loses_is_not_unattached():
    unapproved = ManagedPolicy(CUSTOM, "/", "v1", GET)
    bystander = replace(APP, name="bystander", unique_id="AROABYSTANDER")
    drift = DriftUnderTest(replace(QUIET, roles={"app": APP, "bystander": bystander}))
    drift.scan()
    drift.iam.account = replace(drift.iam.account, policies={CUSTOM: unapproved})
    attach(drift, "bystander", unapproved)

    drift.check(drift.event("DetachRolePolicy", policyArn=CUSTOM))

    assert drift.published(PolicyDriftDetected) == []


def test_a_policy_that_lost_its_last_holder_is_published():
    unapproved = ManagedPolicy(CUSTOM, "/", "v1", GET)
    drift = DriftUnderTest()
    drift.scan()
    drift.iam.account = replace(QUIET, policies={CUSTOM: unapproved})

    drift.check(drift.event("DetachRolePolicy", policyArn=CUSTOM))

    assert [(event.kind, event.entity) for event in drift.published(PolicyDriftDetected)] == [
        ("UNMANAGED", "policy/custom")
    ]


@pytest.mark.parametrize(
    ("changed", "touches"),
    [
        ({}, {"role/app"}),
        ({"eventName": "AnythingNew"}, {"role/app"}),
        (
            {"eventName": "AddUserToGroup", "requestParameters": {"userName": "u", "groupName": "g"}},
            {"user/u"},
        ),
        ({"eventName": "AttachGroupPolicy", "requestParameters": {"groupName": "g", "policyArn": OF_AWS}}, {"group/g"}),
        ({"eventName": "UpdateUser", "requestParameters": {"userName": "u", "newUserName": "v"}}, {"user/u", "user/v"}),
        ({"eventName": "SetDefaultPolicyVersion", "requestParameters": {"policyArn": CUSTOM}}, {"policy/custom"}),
        (
            {
                "eventName": "CreatePolicy",
                "requestParameters": {"policyName": "custom"},
                "responseElements": {"policy": {"arn": CUSTOM}},
            },
            {"policy/custom"},
        ),
        (
            {
                "eventName": "CreateServiceLinkedRole",
                "requestParameters": {"aWSServiceName": "ecs.amazonaws.com"},
                "responseElements": {"role": {"roleName": "AWSServiceRoleForECS"}},
            },
            {"role/AWSServiceRoleForECS"},
        ),
        (
            {"requestParameters": {"roleName": "app", "permissionsBoundary": CUSTOM}},
            {"role/app", "policy/custom"},
        ),
    ],
    ids=lambda value: value.get("eventName", "") if isinstance(value, dict) else "",
)
def test_an_event_touches_what_it_changes_and_customers_policies_that_it_hands_on(changed, touches):
    assert change_event(RECORD | changed).touches == {EntityId(entity) for entity in touches}


@pytest.mark.parametrize(
    "changed",
    [
        {"eventName": "GetRole"},
        {"eventName": "SimulatePrincipalPolicy"},
        {"errorCode": "AccessDenied"},
        {"eventSource": "sts.amazonaws.com"},
        {"requestParameters": None},
        {"requestParameters": "truncated"},
        {"requestParameters": {"policyArn": "no arn"}},
        {"requestParameters": {"roleName": 7}},
        {"eventTime": "yesterday"},
        {"eventID": None, "eventTime": None},
    ],
    ids=str,
)
def test_a_record_that_changes_nothing_is_no_change_event(changed):
    assert change_event(RECORD | changed) is None


def test_a_record_of_a_hostile_actor_is_kept_short():
    long = "arn:aws:iam::123456789012:user/" + "x" * 100_000

    assert len(change_event(RECORD | {"userIdentity": {"arn": long}}).change.actor) == 512
