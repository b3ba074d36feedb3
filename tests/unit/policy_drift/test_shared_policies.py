"""A policy that many have: one cause is one finding, one alert, one adoption."""

from dataclasses import replace
from datetime import timedelta

import pytest

from iam_policy import compare
from policy_drift import bootstrap
from policy_drift.application import operate_drift
from policy_drift.application.operate_drift import AcknowledgementRequest
from policy_drift.domain.access import work
from policy_drift.domain.account import Group, ManagedPolicy, User
from policy_drift.domain.baseline import Baseline, Origin
from policy_drift.domain.decision import Decision
from policy_drift.domain.events import BaselineChanged, PolicyDriftDetected, PolicyDriftResolved
from policy_drift.domain.finding import Finding, State
from policy_drift.domain.scope import EntityPattern, Scope
from steward.errors import ConflictError, PreconditionFailedError
from steward.severity import Severity
from tests.doubles.drift_under_test import ACCOUNT, APP, GET, QUIET, WIDER, WIDEST, DriftUnderTest
from tests.doubles.in_memory_drift import InMemoryUploads, NoReports
from tests.unit.policy_drift.accounts import allow, deny

POLICY = ManagedPolicy(f"arn:aws:iam::{ACCOUNT}:policy/guardrail", "ANPA1", "v1", GET)
NAMES = [f"r{number}" for number in range(25)]
ID = "policy:policy:guardrail"


class NoTrigger:
    """Starts nothing."""

    def request(self, scan_id, by):
        """Nothing."""


@pytest.fixture
def drift():
    """An account of 25 roles that share a policy, with its baseline."""
    roles = {name: replace(APP, name=name, unique_id=f"AROA{name}", attached=(POLICY.arn,)) for name in NAMES}
    wired = DriftUnderTest(replace(QUIET, roles=roles, policies={POLICY.arn: POLICY}))
    wired.scan()
    return wired


def put(drift, document):
    """Another default version of the policy, and its event."""
    policy = replace(POLICY, version="v2", document=document)
    drift.iam.account = replace(drift.iam.account, policies={POLICY.arn: policy})
    return drift.event("CreatePolicyVersion", policyArn=POLICY.arn, roleName=None)


def own(drift, name, **changed):
    """Change one role, and its event."""
    role = replace(drift.iam.account.roles[name], **changed)
    drift.iam.account = replace(drift.iam.account, roles={**drift.iam.account.roles, name: role})
    return drift.event("PutRolePolicy", roleName=name, policyName="own")


def operators(drift):
    ports = {
        key: value for key, value in drift._ports().items() if key not in {"history", "credentials", "rotation_roles"}
    }
    beside = {"reports": NoReports(), "uploads": InMemoryUploads(), "trigger": NoTrigger()}
    return bootstrap.operate_drift(region="ca-central-1", **beside, **ports)


def approve(drift, account):
    drift.baseline.replace(Baseline(account), origin=Origin.UPLOADED, by=Decision("ops"), findings=[], run="upload")


def still_open(drift):
    return {kept.value.id: kept.value for kept in drift.findings.all() if kept.value.state is not State.RESOLVED}


def adopt(drift, *findings):
    reviewed = {one: still_open(drift)[one].drift.fingerprint for one in findings}
    return operators(drift).adopt(reviewed, Decision("ops"), "adoption")


@pytest.mark.parametrize("by", ["check", "scan"])
def test_a_changed_policy_of_25_roles_is_one_finding_one_alert_and_one_adoption(drift, by):
    event = put(drift, WIDER)
    drift.check(event) if by == "check" else drift.scan()

    (alert,) = drift.published(PolicyDriftDetected)
    assert (alert.finding_id, alert.holders, alert.severity) == (ID, 25, "MEDIUM")
    assert alert.revert == [
        f"aws iam set-default-policy-version --policy-arn {POLICY.arn} --version-id v1",
    ]
    adopt(drift, ID)

    assert [event.how for event in drift.published(PolicyDriftResolved)] == ["adopted"]
    assert drift.published(BaselineChanged)[-1].newly_approved == [ID]
    drift.scan()
    assert still_open(drift) == {}
    assert len(drift.published(PolicyDriftDetected)) == 1


def comparisons(monkeypatch):
    """The comparisons of the engine from now on."""
    compared = []

    def counting(*sides, **_):
        compared.append(sides)
        return compare(*sides)

    monkeypatch.setattr(work, "compare", counting)
    return compared


@pytest.mark.parametrize(
    ("now", "severity", "newly_approved", "access"),
    [
        pytest.param(WIDER, "MEDIUM", [ID], ["policy/guardrail: s3:PutObject (write) on any resource"], id="wider"),
        pytest.param(deny("s3:*"), "LOW", [], [], id="a-guardrail"),
    ],
)
def test_an_adoption_does_not_compare_the_holders_again(drift, monkeypatch, now, severity, newly_approved, access):
    """Ten thousand of them take longer than a request may."""
    for name in NAMES:
        own(drift, name, inline={"own": allow("s3:GetObject", on=f"arn:aws:s3:::{name}/*")})
    approve(drift, drift.iam.account)
    drift.check(put(drift, now))
    compared = comparisons(monkeypatch)
    adopt(drift, ID)

    assert len(compared) < 8
    event = drift.published(BaselineChanged)[-1]
    assert (event.severity, event.newly_approved, event.approved_access) == (severity, newly_approved, access)


def test_a_note_is_adopted_only_if_it_still_changes_nothing_for_any_holder(drift):
    """No holder felt the weaker guardrail when it was noted; one that was approved since does."""
    guardrail = replace(POLICY, document=deny("sqs:*"))
    approved = replace(drift.iam.account, policies={POLICY.arn: guardrail})
    approve(drift, approved)
    drift.iam.account = replace(approved, policies={POLICY.arn: replace(guardrail, document=deny("sqs:SendMessage"))})
    drift.scan()
    assert still_open(drift).keys() == {"note:policy:guardrail"}
    (note,) = still_open(drift).values()
    own(drift, "r1", inline={"own": allow("sqs:*")})
    approve(drift, replace(approved, roles=drift.iam.account.roles))

    with pytest.raises(PreconditionFailedError):
        operators(drift).adopt({note.id: note.drift.fingerprint}, Decision("ops"), "adoption")


def with_an_administrator(drift, guardrail, **changed):
    """Approve a guardrail of which r1 alone, who may do everything in IAM, feels a change; then change r1."""
    everything = replace(drift.iam.account.roles["r1"], inline={"own": allow("iam:*")})
    roles = {**drift.iam.account.roles, "r1": everything}
    policies = {POLICY.arn: replace(POLICY, document=guardrail)}
    approve(drift, replace(drift.iam.account, roles=roles, policies=policies))
    drift.iam.account = replace(
        drift.iam.account, roles={**roles, "r1": replace(everything, **changed)}, policies=policies
    )


def weaken(drift, document):
    drift.iam.account = replace(drift.iam.account, policies={POLICY.arn: replace(POLICY, document=document)})
    drift.scan()


def test_a_note_is_not_adopted_if_a_principal_gains_that_was_approved_and_is_away(drift):
    """Who weakens a guardrail takes it first from the one who would feel it, and restores it after the adoption."""
    with_an_administrator(drift, deny("iam:*"), inline={}, attached=())
    weaken(drift, deny("iam:DeleteAccountAlias"))
    note = still_open(drift)["note:policy:guardrail"]

    with pytest.raises(ConflictError, match=f"review and add {ID}"):
        operators(drift).adopt({note.id: note.drift.fingerprint}, Decision("ops"), "adoption")


def test_an_adoption_is_as_severe_as_what_it_approves_for_one_who_is_away(drift):
    with_an_administrator(drift, deny("iam:*"), attached=())
    weaken(drift, WIDER)
    assert still_open(drift)[ID].drift.severity is Severity.MEDIUM
    adopt(drift, ID)

    changed = drift.published(BaselineChanged)[-1]
    assert changed.severity == "CRITICAL"
    assert any("iam" in line for line in changed.approved_access)


def test_an_adoption_of_a_group_is_as_severe_as_what_it_approves_for_one_who_left_it():
    team = Group("team", "/", "AGPA1", {"own": deny("iam:*")})
    users = {name: User(name, "/", f"AIDA{name}", {"own": GET}, (), ("team",)) for name in ("ann", "bob")}
    root = User("root-like", "/", "AIDAROOT", {"own": allow("iam:*")}, (), ("team",))
    drift = DriftUnderTest(replace(QUIET, users={**users, "root-like": root}, groups={"team": team}))
    drift.scan()
    drift.iam.account = replace(
        drift.iam.account,
        users={**users, "root-like": replace(root, groups=(), inline={})},
        groups={"team": replace(team, inline={"own": WIDER})},
    )
    drift.scan()
    assert still_open(drift)["access:group:team"].drift.severity is Severity.MEDIUM
    adopt(drift, "access:group:team")

    assert drift.published(BaselineChanged)[-1].severity == "CRITICAL"


def test_an_adoption_compares_again_if_a_group_of_a_holder_has_another_path(drift):
    """Whether a user may change its own group depends on the group's ARN."""
    group = Group("team", "/", "AGPA1")
    ann = User("ann", "/", "AIDAANN", {"own": allow("iam:PutGroupPolicy", on=f"arn:aws:iam::{ACCOUNT}:group/team")},
               (POLICY.arn,), ("team",))  # fmt: skip
    guardrail = {POLICY.arn: replace(POLICY, document=deny("iam:*"))}
    approved = replace(drift.iam.account, users={"ann": ann}, groups={"team": group}, policies=guardrail)
    approve(drift, approved)
    drift.iam.account = replace(approved, groups={"team": replace(group, path="/x/")})
    weaken(drift, WIDER)
    adopt(drift, ID)

    assert drift.published(BaselineChanged)[-1].severity == "CRITICAL"


def test_an_adoption_does_not_compare_holders_that_the_settings_leave_out(drift, monkeypatch):
    drift.settings = replace(drift.settings, scope=Scope(exclude=(EntityPattern("role/r1*"),)))
    drift.check(put(drift, WIDER))
    monkeypatch.setattr(operate_drift, "FOR_COMPARING", timedelta())
    adopt(drift, ID)

    assert ID not in still_open(drift)


def test_after_a_change_of_one_holder_an_adoption_compares_that_one_and_no_other(drift, monkeypatch):
    for name in NAMES:
        own(drift, name, inline={"own": allow("s3:GetObject", on=f"arn:aws:s3:::{name}/*")})
    approve(drift, drift.iam.account)
    drift.check(put(drift, WIDER))
    own(drift, "r1", inline={"own": deny("s3:PutObject")})
    approve(drift, replace(drift.iam.account, policies={POLICY.arn: POLICY}))
    compared = comparisons(monkeypatch)
    adopt(drift, ID)

    assert 0 < len(compared) < 12


@pytest.mark.parametrize("is_back", [False, True])
def test_a_resolved_finding_is_not_adopted_though_the_same_is_there_again(drift, is_back):
    """Its actors are those of the earlier change, and nobody was alerted of the present one."""
    approved = drift.iam.account
    drift.check(put(drift, WIDER))
    found = still_open(drift)[ID]
    drift.iam.account = approved
    drift.scan()
    if is_back:
        put(drift, WIDER)

    with pytest.raises(PreconditionFailedError, match="is resolved"):
        operators(drift).adopt({ID: found.drift.fingerprint}, Decision("ops"), "adoption")


def test_an_adoption_for_which_the_time_does_not_suffice_asks_for_a_scan(drift, monkeypatch):
    drift.check(put(drift, WIDER))
    for name in NAMES:
        own(drift, name, inline={"own": allow("sqs:ListQueues")})
    approve(drift, replace(drift.iam.account, policies={POLICY.arn: POLICY}))
    monkeypatch.setattr(operate_drift, "FOR_COMPARING", timedelta())

    with pytest.raises(ConflictError, match="POST /drift/scans"):
        adopt(drift, ID)


def test_a_policy_that_one_principal_is_left_with_is_not_adopted_for_all(drift):
    drift.check(put(drift, WIDER))
    (found,) = still_open(drift).values()
    alone = {name: replace(role, attached=()) for name, role in drift.iam.account.roles.items() if name != "r1"}
    approve(drift, replace(drift.iam.account, roles=drift.iam.account.roles | alone, policies={POLICY.arn: POLICY}))

    with pytest.raises(PreconditionFailedError):
        operators(drift).adopt({ID: found.drift.fingerprint}, Decision("ops"), "adoption")


def test_an_adoption_of_a_group_does_not_compare_the_members_again(monkeypatch):
    """A user who has the name of the group is another entity, and is adopted by a finding of its own."""
    group = Group("team", "/", "AGPA1", {"own": GET})
    names = ["team", *NAMES]
    users = {
        name: User(name, "/", f"AIDA{name}", {"own": allow("s3:GetObject", on=f"arn:aws:s3:::{name}/*")}, (), ("team",))
        for name in names
    }
    drift = DriftUnderTest(replace(QUIET, users=users, groups={"team": group}))
    drift.scan()
    wider = replace(users["team"], inline={"own": allow("sqs:SendMessage")})
    drift.iam.account = replace(
        drift.iam.account,
        groups={"team": replace(group, inline={"own": WIDER})},
        users={**users, "team": wider},
    )
    drift.scan()
    assert still_open(drift).keys() == {"access:group:team", "access:user:team"}
    compared = comparisons(monkeypatch)
    adopt(drift, "access:group:team")

    assert len(compared) < 10
    assert drift.published(BaselineChanged)[-1].newly_approved == ["access:group:team"]
    assert still_open(drift).keys() == {"access:user:team"}
    adopt(drift, "access:user:team")
    drift.scan()
    assert still_open(drift) == {}


def test_an_adoption_approves_what_differs_from_the_version_that_is_approved_now(drift):
    """Another version was approved since the finding was recorded."""
    drift.check(put(drift, WIDER))
    (found,) = still_open(drift).values()
    widest = replace(POLICY, document=WIDEST)
    approve(drift, replace(drift.iam.account, policies={POLICY.arn: widest}))
    operators(drift).adopt({ID: found.drift.fingerprint}, Decision("ops"), "adoption")

    event = drift.published(BaselineChanged)[-1]
    assert (event.findings, event.newly_approved, event.approved_access) == ([ID], [], [])


def test_a_reverted_policy_of_25_roles_is_resolved_once(drift):
    drift.check(put(drift, WIDER))
    drift.check(put(drift, GET))

    assert [(event.finding_id, event.how) for event in drift.published(PolicyDriftResolved)] == [(ID, "reverted")]


def test_an_acknowledged_policy_is_acknowledged_for_all_holders_until_it_allows_more(drift):
    drift.check(put(drift, WIDER))
    (found,) = still_open(drift).values()
    until = drift.clock.now() + timedelta(days=9)
    given = AcknowledgementRequest("migration", "team-a", until, found.drift.fingerprint)
    operators(drift).acknowledge(ID, given, Decision("ops"), "run")

    drift.scan()
    assert len(drift.published(PolicyDriftDetected)) == 1
    drift.check(put(drift, WIDEST))

    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened", "changed"]


def test_a_new_holder_of_a_changed_policy_is_an_alert_of_its_own(drift):
    drift.check(put(drift, WIDER))
    new = replace(APP, name="r25", unique_id="AROA25")
    baseline_of_new = replace(drift.iam.account, roles={**drift.iam.account.roles, "r25": new})
    drift.iam.account = baseline_of_new
    drift.scan()
    adopt(drift, "unmanaged:role:r25")

    own(drift, "r25", attached=(POLICY.arn,))
    drift.check(drift.event("AttachRolePolicy", roleName="r25", policyArn=POLICY.arn))

    assert drift.published(PolicyDriftDetected)[-1].finding_id == "access:role:r25"
    assert still_open(drift)[ID].drift.holders == 25


def test_a_change_of_ones_own_neither_hides_behind_a_shared_one_nor_is_alerted_again_with_it(drift):
    drift.check(own(drift, "r3", inline={"own": allow("ec2:DescribeVpcs")}))
    drift.check(put(drift, WIDEST))
    adopt(drift, ID)
    drift.scan()

    assert [event.finding_id for event in drift.published(PolicyDriftDetected)] == ["access:role:r3", ID]
    assert still_open(drift).keys() == {"access:role:r3"}


def test_a_change_of_ones_own_is_adopted_without_the_shared_one(drift):
    drift.check(put(drift, allow("sqs:SendMessage")), own(drift, "r3", inline={"own": WIDER}))

    adopt(drift, "access:role:r3")

    assert still_open(drift).keys() == {ID}


def test_a_role_that_loses_a_shared_policy_that_denied_is_reported_though_it_had_drift_already(drift):
    denying = replace(POLICY, document=allow("s3:PutObject", effect="Deny"))
    drift.iam.account = replace(drift.iam.account, policies={POLICY.arn: denying})
    drift.scan()
    adopt(drift, ID)
    drift.check(own(drift, "r3", inline={"own": WIDER, "more": allow("ec2:DescribeVpcs")}))
    drift.check(own(drift, "r3", attached=()))

    assert [(event.finding_id, event.why) for event in drift.published(PolicyDriftDetected)][-2:] == [
        ("access:role:r3", "opened"),
        ("access:role:r3", "changed"),
    ]


def test_a_guardrail_that_denies_less_is_proved_by_what_a_holder_gains_and_less_yet_is_alerted_again(drift):
    """By itself it allows nothing, before and after."""
    allowed = ("ec2:StartInstances", "ec2:StopInstances", "ec2:RebootInstances")
    roles = {
        name: replace(role, inline={"own": allow(*allowed)} if name in {"r1", "r2"} else role.inline)
        for name, role in drift.iam.account.roles.items()
    }
    drift.iam.account = replace(drift.iam.account, roles=roles)
    put(drift, allow(*allowed, effect="Deny"))
    drift.scan()
    adopt(drift, *still_open(drift))
    before = len(drift.published(PolicyDriftDetected))

    drift.check(put(drift, allow(*allowed[1:], effect="Deny")))
    drift.check(put(drift, allow(*allowed[2:], effect="Deny")))

    alerts = drift.published(PolicyDriftDetected)[before:]
    assert [(one.finding_id, one.why) for one in alerts] == [(ID, "reopened"), (ID, "changed")]
    assert alerts[0].request["action"] == "ec2:StartInstances"
    assert alerts[0].reasons[0] == "MEDIUM for role/r1, role/r2, of 25 that have it"


def test_findings_of_each_holder_from_before_are_merged_and_not_called_reverted(drift):
    """An earlier version opened one finding for each holder."""
    drift.check(own(drift, "r3", inline={"own": allow("ec2:DescribeVpcs")}))
    (kept,) = drift.findings.all()
    before = kept.value.drift
    live = {"policies": {"inline:own": GET, POLICY.arn: WIDER}}
    old = replace(before, entity=type(before.entity)("role/r4"), live=live)
    now = drift.clock.now()
    drift.findings.save(Finding(old, State.OPEN, now, now), after=0)

    drift.check(put(drift, WIDER))

    assert [(event.finding_id, event.how) for event in drift.published(PolicyDriftResolved)] == [
        ("access:role:r4", "merged")
    ]


def test_a_check_of_one_holder_leaves_the_finding_of_a_shared_policy_as_it_is(drift):
    drift.check(put(drift, WIDER))
    drift.check(drift.event("AttachRolePolicy", roleName="r3", policyArn=POLICY.arn))

    assert drift.published(PolicyDriftResolved) == []
    assert still_open(drift)[ID].drift.holders == 25


def test_an_adoption_of_a_role_that_was_never_approved_names_the_changed_policy_that_it_has(drift):
    drift.check(put(drift, WIDER))
    new = replace(APP, name="new", unique_id="AROANEW", attached=(POLICY.arn,))
    drift.iam.account = replace(drift.iam.account, roles={**drift.iam.account.roles, "new": new})
    drift.scan()

    with pytest.raises(ConflictError, match=ID):
        adopt(drift, "unmanaged:role:new")


def test_a_scan_does_not_write_findings_again_of_which_nothing_changed(drift):
    drift.check(put(drift, WIDER), own(drift, "r3", inline={"own": allow("ec2:DescribeVpcs")}))
    drift.clock.advance(days=2)
    drift.scan()
    before = {kept.value.id: kept.revision for kept in drift.findings.all()}
    drift.clock.advance(hours=6)

    completed = drift.scan()

    assert {kept.value.id: kept.revision for kept in drift.findings.all()} == before
    assert {one.id: one.last_seen for one in completed.findings} == dict.fromkeys(before, drift.clock.now())


def test_a_check_that_read_before_a_scan_resolves_nothing_that_the_scan_saw_without_writing_it(drift):
    changed = put(drift, WIDER)
    drift.check(changed)
    put(drift, GET)
    earlier = drift.iam.snapshot

    def scanned_meanwhile(subjects):
        """The check reads the policy as it was reverted; then it is changed again, and a scan overtakes the check."""
        read = earlier().account
        put(drift, WIDER)
        drift.clock.advance(seconds=40)
        drift.scan()
        return read

    drift.iam.read = scanned_meanwhile
    drift.check(changed)

    assert drift.published(PolicyDriftResolved) == []
    assert still_open(drift).keys() == {ID}
