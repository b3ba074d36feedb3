"""Commands that take a drift back, run on an account: afterwards it is as approved."""

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_policy import Verdict
from policy_drift.domain.account import Account, EntityId, Group, ManagedPolicy, Role, User
from policy_drift.domain.comparison import notes
from policy_drift.domain.finding import Drift, Kind
from policy_drift.report.iam_commands import UnsafeTextError, command
from policy_drift.report.remediation import Remedies
from steward.severity import Severity
from tests.doubles.aws_cli import InMemoryIam, parsed

ACCOUNT = "123456789012"
ARNS = [f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("a", "team/b", "c")]
ANYTHING_PRINTED = st.text(string.ascii_letters + "'\"`$;&|<>(){}[]*?!~#=+-,.@_ %^\\/é", min_size=1, max_size=12)
SAFE = st.text(string.ascii_letters + string.digits + "+=,.@-_", min_size=1, max_size=12)


def document(action):
    statement = {"Effect": "Allow", "Action": [action, "s3:Get'$(id)`\"*"], "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(service):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


POLICIES = {arn: ManagedPolicy(arn, "ANPA", "v1", document("s3:PutObject")) for arn in ARNS}
GROUPS = {name: Group(name, "/", "AGPA") for name in ("readers", "-writers")}

inline = st.dictionaries(SAFE, st.sampled_from(["s3:*", "ec2:*", "sqs:*"]).map(document), max_size=3)
attached = st.sets(st.sampled_from(ARNS)).map(lambda arns: tuple(sorted(arns)))
boundary = st.none() | st.sampled_from(ARNS)
groups = st.sets(st.sampled_from(sorted(GROUPS))).map(lambda names: tuple(sorted(names)))
users = st.builds(User, st.just("-u"), st.just("/"), st.just("AIDA"), inline, attached, groups, boundary)
trusts = st.sampled_from(["ec2.amazonaws.com", "lambda.amazonaws.com"]).map(trust)
roles = st.builds(Role, st.just("r"), st.just("/p/"), st.just("AROA"), inline, attached, trusts, boundary)
given_groups = st.builds(Group, st.just("readers"), st.just("/"), st.just("AGPA"), inline, attached)


def drift_of(entity, kind, arn=""):
    return Drift(EntityId(entity), arn, kind, Verdict.BROADENED, Severity.HIGH, "It differs.", "f" * 64)


def account(**parts):
    return Account(ACCOUNT, **{"groups": GROUPS, "policies": POLICIES} | parts)


def state(account):
    """What commands can bring back: all but unique ids and the numbers of versions."""
    return {
        "policies": {arn: policy.document for arn, policy in account.policies.items()},
        **{
            section: {name: replace(one, unique_id="") for name, one in getattr(account, section).items()}
            for section in ("users", "groups", "roles")
        },
    }


def after(approved, live, *drifts, versions=None):
    """The account after the commands for these drifts, and what was approved."""
    iam = InMemoryIam(live, versions)
    remedies = Remedies(approved, live)
    for drift in drifts:
        for line in remedies.of(drift).commands:
            iam.run(line)
    return state(iam), state(approved)


@given(users, users)
def test_a_user_is_as_approved_again(approved, live):
    drifts = [drift_of("user/-u", kind) for kind in (Kind.ACCESS, Kind.MEMBERSHIP, Kind.BOUNDARY)]

    found, wanted = after(account(users={"-u": approved}), account(users={"-u": live}), *drifts)

    assert found == wanted


@given(roles, roles)
def test_a_role_is_as_approved_again(approved, live):
    drifts = [drift_of("role/r", kind) for kind in (Kind.ACCESS, Kind.TRUST, Kind.BOUNDARY)]

    found, wanted = after(account(roles={"r": approved}), account(roles={"r": live}), *drifts)

    assert found == wanted


@given(given_groups, given_groups)
def test_a_group_is_as_approved_again(approved, live):
    found, wanted = after(
        account(groups={"readers": approved}), account(groups={"readers": live}), drift_of("group/readers", Kind.ACCESS)
    )

    assert found == wanted


@given(users, roles)
def test_what_is_missing_is_made_again(user, role):
    approved = account(users={"-u": user}, roles={"r": role})

    found, wanted = after(approved, account(), drift_of("user/-u", Kind.MISSING), drift_of("role/r", Kind.MISSING))

    assert found == wanted


def test_a_missing_group_gets_its_members_again():
    group = Group("readers", "/team/", "AGPA", {"one": document("s3:*")}, (ARNS[0],))
    user = User("dana", "/", "AIDA", groups=("readers",))

    found, wanted = after(
        account(users={"dana": user}, groups={"readers": group}),
        account(users={"dana": replace(user, groups=())}, groups={}),
        drift_of("group/readers", Kind.MISSING),
    )

    assert found == wanted


def test_a_missing_policy_has_its_path_and_document_again():
    found, wanted = after(account(), account(policies={}), *[drift_of("policy/x", Kind.MISSING, arn) for arn in ARNS])

    assert found == wanted


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.POLICY])
def test_the_approved_version_of_a_policy_is_the_default_again(kind):
    """Nobody else has the policy, so that the command is safe to run."""
    changed = replace(POLICIES[ARNS[0]], document=document("*"), version="v2")
    holders = {"r": Role("r", "/", "AROA", attached=(ARNS[0],), trust=trust("ec2.amazonaws.com"))}
    roles = {Kind.ACCESS: holders, Kind.POLICY: {}}[kind]
    drift = {Kind.ACCESS: drift_of("role/r", kind), Kind.POLICY: drift_of("policy/a", kind, ARNS[0])}[kind]
    live = account(roles=roles, policies=POLICIES | {ARNS[0]: changed})

    found, wanted = after(account(roles=roles), live, drift, versions={(ARNS[0], "v1"): POLICIES[ARNS[0]].document})

    assert found == wanted


def test_an_approved_document_that_was_never_a_version_becomes_one():
    approved = account(policies={ARNS[0]: POLICIES[ARNS[0]]})
    live = account(policies={ARNS[0]: replace(POLICIES[ARNS[0]], document=document("*"))})

    found, wanted = after(approved, live, drift_of("policy/a", Kind.POLICY, ARNS[0]))

    assert found == wanted


@given(ANYTHING_PRINTED, ANYTHING_PRINTED)
def test_a_shell_reads_any_name_as_one_word(user, policy):
    line = command("delete-user-policy", user_name=user, policy_name=policy)

    assert parsed(line) == ("DeleteUserPolicy", {"UserName": user, "PolicyName": policy})


@given(st.text(min_size=1))
def test_a_command_is_one_line_without_anything_invisible(text):
    line = command("put-user-policy", user_name="u", policy_name="p", policy_document={"Sid": text})

    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize("name", ["a\nrm -rf /", "a\x1b[201~", "a\u202eb", "file:///etc/passwd", "https://example.org"])
def test_a_name_that_a_terminal_or_the_cli_acts_on_is_in_no_command(name):
    with pytest.raises(UnsafeTextError, match="must not stand in a command"):
        command("delete-user", user_name=name)


def refusal(drift, approved, live):
    remedy = Remedies(approved, live).of(drift)
    assert remedy.commands == ()
    return remedy


SHARED = Role("r", "/", "AROA", attached=(ARNS[0],), trust=trust("ec2.amazonaws.com"))
WIDENED = replace(POLICIES[ARNS[0]], document=document("*"), version="v2")


def test_a_policy_that_several_have_gets_one_plan_that_names_all_of_them():
    roles = {"r": SHARED, "other": replace(SHARED, name="other")}
    before, now = account(roles=roles), account(roles=roles, policies={ARNS[0]: WIDENED})

    remedies = [refusal(drift_of(f"role/{name}", Kind.ACCESS), before, now) for name in roles]

    assert remedies[0] == remedies[1]
    assert "policy/a is attached to role/other, role/r" in remedies[0].refused
    assert remedies[0].plan == (f"aws iam set-default-policy-version --policy-arn {ARNS[0]} --version-id v1",)


class Lookups:
    """What IAM answers beside the entities that were read."""

    def __init__(self, holders=(), versions=()):
        self._holders, self._versions = holders, versions

    def holders(self, policy_arn):  # noqa: ARG002 - the port's signature
        return self._holders

    def has_version(self, policy_arn, version):  # noqa: ARG002 - the port's signature
        return version in self._versions


def test_a_part_of_an_account_does_not_prove_that_a_policy_has_no_other_holder():
    part = account(roles={"r": SHARED}, policies={ARNS[0]: WIDENED})
    lookups = Lookups([EntityId("user/far-away")], ["v1"])

    remedies = Remedies(account(roles={"r": SHARED}), part, lookups=lookups)

    assert "user/far-away" in remedies.of(drift_of("role/r", Kind.ACCESS)).refused


@pytest.mark.parametrize("lookups", [None, Lookups(versions=["v2", "v3"])], ids=["a whole account", "a part of one"])
def test_a_deleted_approved_version_is_created_again_from_the_baseline(lookups):
    live = account(roles={"r": SHARED}, policies={ARNS[0]: WIDENED}, versions={ARNS[0]: frozenset({"v2", "v3"})})
    before = account(roles={"r": SHARED})
    iam = InMemoryIam(live)

    remedy = Remedies(before, live, lookups=lookups).of(drift_of("role/r", Kind.ACCESS))
    for line in remedy.commands:
        iam.run(line)

    assert remedy.commands[0].startswith("aws iam create-policy-version ")
    assert "five versions" in remedy.notes[0]
    assert iam.policies[ARNS[0]].document == POLICIES[ARNS[0]].document


@pytest.mark.parametrize("path", ["/aws-service-role/ecs.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/eu-west-1/"])
def test_a_role_of_aws_is_left_to_aws(path):
    role = Role("r", path, "AROA", attached=(ARNS[0],), trust=trust("ecs.amazonaws.com"))

    remedy = refusal(drift_of("role/r", Kind.ACCESS), account(), account(roles={"r": role}))

    assert "AWS owns" in remedy.refused
    assert remedy.plan == ()


def test_an_unapproved_user_is_deleted_only_by_a_person_who_sees_its_parts():
    user = User("new", "/", "AIDA", {"own": document("s3:*")}, (ARNS[0],), ("readers",))
    live = account(users={"new": user})
    iam = InMemoryIam(live)

    remedy = refusal(drift_of("user/new", Kind.UNMANAGED), account(), live)
    for step in remedy.plan[1:]:
        iam.run(step)

    assert "Deleting cannot be undone" in remedy.refused
    assert "access keys" in remedy.plan[0]
    assert iam.users == {}


def test_a_trust_policy_that_names_a_deleted_principal_cannot_be_restored():
    approved = Role("r", "/", "AROA", trust={"Statement": {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/gone"}}})
    live = replace(approved, trust={"Statement": {"Principal": {"AWS": "AROAQWERTYUIOPASDFGHJ"}}})

    remedy = refusal(drift_of("role/r", Kind.DANGLING), account(roles={"r": approved}), account(roles={"r": live}))

    assert f"arn:aws:iam::{ACCOUNT}:role/gone, which no longer exists" in remedy.refused


def test_what_could_not_be_read_gets_no_command():
    role = Role("r", "/", "AROA", attached=(ARNS[0],), trust=trust("ecs.amazonaws.com"))
    live = account(roles={"r": replace(role, inline={"x": document("*")})}, unreadable={EntityId("policy/a"): "denied"})

    remedy = refusal(drift_of("role/r", Kind.ACCESS), account(roles={"r": role}), live)

    assert remedy.refused == "policy/a could not be read (denied): nothing can be concluded about it."


def allowed_to(user):
    """What a user has that gives access, apart from its boundary."""
    return {(name, str(one)) for name, one in user.inline.items()} | {*user.attached} | {*user.groups}


@given(users, users, st.sampled_from([Kind.ACCESS, Kind.BOUNDARY, Kind.MEMBERSHIP, Kind.RECREATED]))
def test_a_stranger_of_the_same_name_gets_nothing_and_loses_what_was_not_approved(approved, stranger, kind):
    stranger = replace(stranger, unique_id="AIDA2")
    live = account(users={"-u": stranger})
    iam = InMemoryIam(live)

    remedy = Remedies(account(users={"-u": approved}), live).of(drift_of("user/-u", kind))
    for step in remedy.plan:
        iam.run(step)

    after = iam.users["-u"]
    assert remedy.commands == ()
    assert "a different one" in remedy.refused
    assert allowed_to(after) <= allowed_to(stranger)
    assert after.boundary in {stranger.boundary, approved.boundary}
    assert after.boundary or not stranger.boundary
    if kind is Kind.RECREATED:
        assert allowed_to(after) <= allowed_to(approved)


@pytest.mark.parametrize("kind", [Kind.TRUST, Kind.MISSING])
def test_a_role_is_not_given_to_a_stranger_of_the_name_that_its_trust_policy_has(kind):
    named = {"Statement": {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}}}
    approved = Role("r", "/", "AROA", trust=named)
    changed = {"r": replace(approved, trust=trust("ec2.amazonaws.com"))} if kind is Kind.TRUST else {}
    before = account(users={"ann": User("ann", "/", "AIDA1")}, roles={"r": approved})

    remedy = refusal(drift_of("role/r", kind), before, account(users={"ann": User("ann", "/", "AIDA2")}, roles=changed))

    assert "user/ann, deleted and recreated since" in remedy.refused
    assert remedy.plan


@pytest.mark.parametrize("kind", [Kind.UPSTREAM, Kind.TRANSIENT, Kind.BASELINE, Kind.UNREADABLE, Kind.RECREATED])
def test_where_nothing_can_be_taken_back_the_reason_is_said(kind):
    role = Role("r", "/", "AROA", trust=trust("ecs.amazonaws.com"))

    assert refusal(drift_of("role/r", kind), account(roles={"r": role}), account(roles={"r": role})).refused


def test_a_renamed_user_gets_its_name_back_and_is_not_to_be_deleted():
    approved = User("ann", "/", "AIDA1")
    live = User("eve", "/people/", "AIDA1")
    remedies = Remedies(account(users={"ann": approved}), account(users={"eve": live}))

    drift = replace(drift_of("user/eve", Kind.NOTE), live=["renamed from user/ann", "moved from path / to /people/"])
    remedy = remedies.of(drift)

    assert remedy.commands == ("aws iam update-user --user-name eve --new-user-name ann --new-path /",)
    assert (remedy.plan, remedy.refused) == ((), "")


@given(users, users)
def test_a_note_about_a_name_reverts_the_name_and_nothing_that_has_a_finding_of_its_own(approved, live):
    renamed = replace(live, name="eve")
    before, now = account(users={"-u": approved}), account(users={"eve": renamed})
    iam = InMemoryIam(now)

    remedy = Remedies(before, now).of(replace(drift_of("user/eve", Kind.NOTE), live=["renamed from user/-u"]))
    for line in remedy.commands:
        iam.run(line)

    assert iam.users == {"-u": live}


@given(users, users)
def test_a_note_about_every_part_reverts_every_part(approved, live):
    noted = [notes.POLICIES, notes.BOUNDARY, notes.GROUPS.format("joined readers"), notes.RENAMED.format("user/-u")]
    before, now = account(users={"-u": approved}), account(users={"eve": replace(live, name="eve")})
    iam = InMemoryIam(now)

    remedy = Remedies(before, now).of(replace(drift_of("user/eve", Kind.NOTE), live=noted))
    for line in remedy.commands:
        iam.run(line)

    assert iam.users == {"-u": approved}


def test_what_a_renamed_user_may_do_is_reverted_under_its_new_name():
    approved = User("ann", "/", "AIDA1", groups=("readers",))
    live = User("eve", "/", "AIDA1", attached=(ARNS[0],), groups=("staff",))
    renamed = {"staff": replace(GROUPS["readers"], name="staff", unique_id="AGPA1")}
    before = account(users={"ann": approved}, groups={"readers": replace(GROUPS["readers"], unique_id="AGPA1")})
    remedies = Remedies(before, account(users={"eve": live}, groups=renamed))

    access = remedies.of(drift_of("user/eve", Kind.ACCESS))
    membership = remedies.of(drift_of("user/eve", Kind.MEMBERSHIP))

    assert access.commands == (f"aws iam detach-user-policy --user-name eve --policy-arn {ARNS[0]}",)
    assert membership.commands == ()


@pytest.mark.parametrize(("kind", "items", "count"), [(Kind.TAG, ("tag a=1",), 2), (Kind.PROFILE, ("x",), 1)])
def test_a_tag_that_is_taken_off_may_have_replaced_another_value(kind, items, count):
    live = account(roles={"r": SHARED})

    remedy = Remedies(live, live).of(replace(drift_of("role/r", kind), live=items))

    assert len(remedy.notes) == count
    assert ("another value before" in remedy.notes[-1]) is (kind is Kind.TAG)
    assert bool(remedy.refused) is (kind is Kind.PROFILE)
