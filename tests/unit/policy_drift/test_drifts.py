"""What of the live account differs from the baseline."""

from dataclasses import replace
from typing import Any

import pytest

from iam_policy import Verdict
from policy_drift.domain.account import EntityId
from policy_drift.domain.finding import Kind
from policy_drift.domain.scope import EntityPattern, Scope
from steward.errors import ConflictError
from steward.severity import Severity
from tests.doubles.shipped_severities import drifts
from tests.unit.policy_drift.accounts import (
    FOREIGN,
    ID,
    account,
    allow,
    deny,
    group,
    policy,
    role,
    trusting,
    user,
)

READ = allow("s3:GetObject")
MORE = allow("s3:GetObject", "sqs:SendMessage")
READING = policy("reading", READ)


def found(approved: Any, live: Any, **options: Any) -> list[tuple[str, Verdict, Severity]]:
    """Each finding's id, verdict and severity."""
    return [(one.finding_id, one.verdict, one.severity) for one in drifts(approved, live, **options).found]


def test_equal_accounts_have_no_drift() -> None:
    assert found(account(role("app", READ), READING), account(role("app", READ), READING)) == []


def test_another_spelling_is_nothing() -> None:
    other = {"Statement": {"Sid": "X", "Resource": ["*"], "Action": "S3:getobject", "Effect": "Allow"}}

    assert found(account(role("app", READ)), account(role("app", other | {"Version": "2012-10-17"}))) == []


def test_more_access_comes_with_a_request_that_proves_it() -> None:
    found = drifts(account(role("app", READ)), account(role("app", MORE))).found

    assert [(one.finding_id, one.severity) for one in found] == [("access:role:app", Severity.MEDIUM)]
    assert [witness.action for witness in found[0].newly_allowed] == ["sqs:SendMessage"]


def test_less_access_is_low() -> None:
    assert found(account(role("app", MORE)), account(role("app", READ))) == [
        ("access:role:app", Verdict.NARROWED, Severity.LOW)
    ]


def test_a_deny_that_is_gone_gives_more_access() -> None:
    approved = account(role("app", MORE, deny("sqs:*")))

    assert found(approved, account(role("app", MORE))) == [("access:role:app", Verdict.BROADENED, Severity.MEDIUM)]


def test_an_administrator_is_critical() -> None:
    found = drifts(account(role("app", READ)), account(role("app", allow("*")))).found

    assert (found[0].severity, found[0].reasons) == (Severity.CRITICAL, ("it is now an administrator",))


def test_a_statement_moved_to_an_attached_policy_is_a_note() -> None:
    live = account(role("app", attached=[READING]), READING)

    assert found(account(role("app", READ)), live) == [("note:role:app", Verdict.EQUIVALENT, Severity.INFO)]


def test_a_change_of_a_group_is_a_drift_of_the_group_alone() -> None:
    approved = account(user("ann", groups=("team",)), user("bob", groups=("team",)), group("team", READ))
    live = replace(approved, groups={"team": group("team", MORE)})

    assert found(approved, live) == [("access:group:team", Verdict.BROADENED, Severity.MEDIUM)]


def test_a_groups_deny_that_is_gone_is_what_its_members_gain() -> None:
    approved = account(user("ann", MORE, groups=("team",)), group("team", deny("sqs:*")))
    live = replace(approved, groups={"team": group("team")})

    assert found(approved, live) == [("access:group:team", Verdict.BROADENED, Severity.MEDIUM)]


def test_joining_a_group_is_a_drift_of_membership() -> None:
    approved = account(user("ann"), group("team", READ))
    live = account(user("ann", groups=("team",)), group("team", READ))

    assert found(approved, live) == [("membership:user:ann", Verdict.BROADENED, Severity.MEDIUM)]


def test_joining_a_privileged_group_is_high_even_without_new_access() -> None:
    approved, live = account(user("ann"), group("admins")), account(user("ann", groups=("admins",)), group("admins"))
    scope = Scope(privileged_groups=(EntityPattern("group/admin*"),))

    assert found(approved, live, scope=scope) == [("membership:user:ann", Verdict.BROADENED, Severity.HIGH)]


def test_a_removed_boundary_is_critical_once() -> None:
    approved = account(role("app", allow("s3:*"), boundary=READING.arn), READING)
    live = account(role("app", allow("s3:*")), READING)

    assert found(approved, live) == [("boundary:role:app", Verdict.BROADENED, Severity.CRITICAL)]


def test_a_boundary_that_leaves_less_is_low() -> None:
    approved, live = account(role("app", READ)), account(role("app", READ, boundary=READING.arn), READING)

    assert (
        found(approved, live)
        == [
            ("boundary:role:app", Verdict.NARROWED, Severity.LOW),
            ("unmanaged:policy:reading", Verdict.BROADENED, Severity.LOW),
        ][:1]
    )


def test_a_wider_boundary_without_wider_access_is_said_so() -> None:
    wide = policy("reading", allow("s3:*"), version="v2")
    approved, live = (
        account(role("app", READ, boundary=READING.arn), READING),
        account(role("app", READ, boundary=wide.arn), wide),
    )

    (drift,) = drifts(approved, live).found

    assert (drift.kind, drift.verdict, drift.severity) == (Kind.BOUNDARY, Verdict.BROADENED, Severity.CRITICAL)
    assert drift.summary == (
        "role/app has a wider permissions boundary than was approved; its policies allow nothing more by that: its "
        "access is the same."
    )


def test_a_policy_that_aws_changed_is_one_drift_for_all_holders() -> None:
    before, now = (
        policy("Reading", READ, owner="aws"),
        policy("Reading", MORE, owner="aws", version="v2"),
    )
    roles = [role(f"app-{number}", attached=[before]) for number in range(5)]

    assert found(account(*roles, before), account(*roles, now)) == [
        ("upstream:policy:aws:Reading", Verdict.BROADENED, Severity.MEDIUM)
    ]


def test_a_changed_policy_of_one_holder_is_a_drift_of_the_holder() -> None:
    now = policy("reading", MORE)
    holder = role(attached=[READING])

    assert [one for one, *_ in found(account(holder, READING), account(holder, now))] == ["access:role:app"]


def test_a_changed_policy_of_several_holders_is_one_drift_with_the_severity_of_the_worst() -> None:
    grown = policy("reading", allow("s3:GetObject", "iam:PutRolePolicy"))
    guarded = [role(f"app-{number}", deny("iam:*"), attached=[READING]) for number in range(3)]
    worst = role("worst", attached=[READING])
    team = group("team", attached=[READING])
    before, now = account(*guarded, team, worst, READING), account(*guarded, team, worst, grown)

    (drift,) = drifts(before, now).found

    assert (drift.finding_id, drift.verdict, drift.severity) == (
        "policy:policy:reading",
        Verdict.BROADENED,
        Severity.CRITICAL,
    )
    assert drift.holders == 5
    assert drift.reasons[0] == "CRITICAL for role/worst, of 5 that have it"


def test_a_change_of_ones_own_is_reported_apart_from_that_of_a_shared_policy() -> None:
    roles = [role(f"app-{number}", READ, attached=[READING]) for number in range(2)]
    own = replace(roles[0], inline={"policy-0": allow("ec2:DescribeVpcs")})
    shared = policy("reading", MORE)

    apart = drifts(account(*roles, READING), account(own, roles[1], READING)).found
    both = drifts(account(*roles, READING), account(own, roles[1], shared)).found

    assert [one.finding_id for one in both] == ["access:role:app-0", "policy:policy:reading"]
    assert [one.fingerprint for one in both][:1] == [one.fingerprint for one in apart]
    assert both[0].added == apart[0].added


def test_a_boundary_of_several_that_is_wider_is_one_critical_drift() -> None:
    wider = policy("reading", allow("s3:*"))
    bounded = [role(f"app-{number}", allow("s3:*"), boundary=READING.arn) for number in range(3)]

    assert found(account(*bounded, READING), account(*bounded, wider)) == [
        ("policy:policy:reading", Verdict.BROADENED, Severity.CRITICAL)
    ]


def test_a_policy_of_several_that_is_excluded_counts_for_its_holders() -> None:
    scope = Scope(exclude=(EntityPattern("policy/reading"),))
    roles = [role(f"app-{number}", attached=[READING]) for number in range(2)]

    assert [
        one for one, *_ in found(account(*roles, READING), account(*roles, policy("reading", MORE)), scope=scope)
    ] == ["access:role:app-0", "access:role:app-1"]


def test_a_policy_of_several_in_other_words_is_one_note() -> None:
    whole = policy("reading", allow("s3:GetObject", on="arn:aws:s3:::b/*"))
    split = policy("reading", allow("s3:GetObject", on=["arn:aws:s3:::b/?*", "arn:aws:s3:::b/"]))
    roles = [role(f"app-{number}", attached=[whole]) for number in range(2)]

    assert found(account(*roles, whole), account(*roles, split)) == [
        ("note:policy:reading", Verdict.EQUIVALENT, Severity.INFO)
    ]


def test_an_unattached_policy_is_low() -> None:
    assert found(account(READING), account(policy("reading", MORE))) == [
        ("policy:policy:reading", Verdict.BROADENED, Severity.LOW)
    ]


def test_what_was_never_approved_is_unmanaged() -> None:
    assert found(account(), account(role("app", READ))) == [("unmanaged:role:app", Verdict.BROADENED, Severity.MEDIUM)]


def test_what_is_gone_is_missing() -> None:
    assert found(account(role("app", READ)), account()) == [("missing:role:app", Verdict.NARROWED, Severity.LOW)]


def test_another_unique_id_is_another_entity() -> None:
    live = account(role("app", READ, unique_id="AROAOTHER"))

    assert found(account(role("app", READ)), live) == [("recreated:role:app", Verdict.INCOMPARABLE, Severity.MEDIUM)]


def test_a_renamed_user_is_neither_missing_nor_unmanaged() -> None:
    found = drifts(account(user("ann", READ)), account(user("eve", READ, unique_id="AIDAANN"))).found

    assert [(one.finding_id, one.summary) for one in found] == [("note:user:eve", "user/eve: renamed from user/ann.")]


def test_a_user_that_is_renamed_into_what_is_excluded_is_compared_all_the_same() -> None:
    scope = Scope(exclude=(EntityPattern("user/ci-*"),))
    live = account(user("ci-ann", allow("*"), unique_id="AIDAANN"))

    found = drifts(account(user("ann", READ)), live, scope=scope).found

    assert [(one.finding_id, one.severity) for one in found] == [
        ("access:user:ci-ann", Severity.CRITICAL),
        ("note:user:ci-ann", Severity.INFO),
    ]


def test_a_name_in_other_capitals_is_the_same_name() -> None:
    live = account(user("Ann", unique_id="AIDAOTHER"))

    assert [one for one, *_ in found(account(user("ann")), live)] == ["recreated:user:Ann"]


def federated(provider: str, **claims: str) -> Any:
    """A trust policy for those whom an identity provider signs in, with these claims of theirs."""
    issuer = provider.partition(":oidc-provider/")[2] or provider
    condition = {"StringLike": {f"{issuer}:{claim}": value for claim, value in claims.items()}} if claims else None
    return trusting({"Federated": provider}, condition)


def by_condition(**tests: Any) -> Any:
    """A trust policy for everybody who meets a condition on global keys."""
    return trusting(
        "*",
        {"ArnLike" if key.endswith("Arn") else "StringEquals": {f"aws:{key}": value} for key, value in tests.items()},
    )


OIDC = f"arn:aws:iam::{ID}:oidc-provider"
GITHUB, GITLAB = f"{OIDC}/token.actions.githubusercontent.com", f"{OIDC}/gitlab.com"
TERRAFORM, BUILDKITE = f"{OIDC}/app.terraform.io", f"{OIDC}/agent.buildkite.com"
CLUSTER = f"{OIDC}/oidc.eks.ca-central-1.amazonaws.com/id/EXAMPLE"
COGNITO, GOOGLE = "cognito-identity.amazonaws.com", "accounts.google.com"
CRITICAL, HIGH, MEDIUM = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM
TRUSTS = {
    "everybody": (trusting("*"), CRITICAL),
    "everybody with a second factor": (trusting("*", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}), CRITICAL),
    "everybody with a role of some name": (by_condition(PrincipalArn="arn:aws:iam::*:role/deploy"), CRITICAL),
    "the organization": (by_condition(PrincipalOrgID="o-a"), HIGH),
    "who knows an external id": (trusting("*", {"StringEquals": {"sts:ExternalId": "x"}}), HIGH),
    "who knows an external id of digits": (trusting("*", {"StringEquals": {"sts:ExternalId": FOREIGN}}), HIGH),
    "the own account by a condition": (by_condition(PrincipalAccount=ID), MEDIUM),
    "an own role by a condition": (by_condition(PrincipalArn=f"arn:aws:iam::{ID}:role/deploy"), MEDIUM),
    "a foreign account": (trusting({"AWS": FOREIGN}), CRITICAL),
    "a foreign account by a condition": (by_condition(PrincipalAccount=FOREIGN), CRITICAL),
    "a foreign account among others": (by_condition(PrincipalAccount=[ID, FOREIGN]), CRITICAL),
    "a foreign role by a condition": (by_condition(PrincipalArn=f"arn:aws:iam::{FOREIGN}:role/x"), CRITICAL),
    "the own account": (trusting({"AWS": ID}), MEDIUM),
    "the own account, a foreign one in vain": (
        trusting({"AWS": ID}, {"StringNotEquals": {"aws:PrincipalAccount": FOREIGN}}),
        MEDIUM,
    ),
    "another service": (trusting({"Service": "lambda.amazonaws.com"}), MEDIUM),
    "a service for a foreign account": (
        trusting({"Service": "lambda.amazonaws.com"}, {"StringEquals": {"aws:SourceAccount": FOREIGN}}),
        MEDIUM,
    ),
    "any identity provider": (trusting({"Federated": "*"}), CRITICAL),
    "Google": (federated(GOOGLE), CRITICAL),
    "Google, for one's own application": (federated(GOOGLE, aud="66677788899.apps.googleusercontent.com"), HIGH),
    "Facebook": (federated("graph.facebook.com"), CRITICAL),
    "Login with Amazon": (federated("www.amazon.com"), CRITICAL),
    "every identity pool": (federated(COGNITO), CRITICAL),
    "every identity pool's guests": (federated(COGNITO, amr="unauthenticated"), CRITICAL),
    "one identity pool": (federated(COGNITO, aud="us-east-1:12345678-abcd-abcd-abcd-123456790ab"), HIGH),
    "GitHub": (federated(GITHUB, aud="sts.amazonaws.com"), CRITICAL),
    "every repository": (federated(GITHUB, sub="repo:*"), CRITICAL),
    "every main branch": (federated(GITHUB, sub="repo:*:ref:refs/heads/main"), CRITICAL),
    "every production environment": (federated(GITHUB, sub="repo:*:environment:production"), CRITICAL),
    "every pull request": (federated(GITHUB, sub="repo:*:pull_request"), CRITICAL),
    "repositories of one name": (federated(GITHUB, sub="repo:*/deploy:*"), CRITICAL),
    "organizations that begin alike": (federated(GITHUB, sub="repo:octo-org*"), CRITICAL),
    "an organization": (federated(GITHUB, sub="repo:octo-org/*"), HIGH),
    "a repository": (federated(GITHUB, sub="repo:octo-org/octo-repo:*"), HIGH),
    "an organization by another claim": (federated(GITHUB, repository_owner="octo-org"), HIGH),
    "every project": (federated(GITLAB, sub="project_path:*"), CRITICAL),
    "every project's main branch": (federated(GITLAB, sub="project_path:*:ref_type:branch:ref:main"), CRITICAL),
    "a group": (federated(GITLAB, sub="project_path:group/*"), HIGH),
    "every workspace": (federated(TERRAFORM, sub="organization:*:workspace:*"), CRITICAL),
    "an organization's workspaces": (federated(TERRAFORM, sub="organization:acme:*"), HIGH),
    "every pipeline": (federated(BUILDKITE, sub="organization:*"), CRITICAL),
    "an organization's pipelines": (federated(BUILDKITE, sub="organization:acme:pipeline:*"), HIGH),
    "every service account of a cluster": (federated(CLUSTER, sub="system:serviceaccount:*"), HIGH),
    "one service account of a cluster": (federated(CLUSTER, sub="system:serviceaccount:app:app"), HIGH),
    "a SAML provider": (trusting({"Federated": f"arn:aws:iam::{ID}:saml-provider/corp"}), HIGH),
}


@pytest.mark.parametrize("who", TRUSTS)
def test_a_role_opened_to(who: str) -> None:
    trust, severity = TRUSTS[who]

    assert [(one, bad) for one, _, bad in found(account(role()), account(role(trust=trust)))] == [
        ("trust:role:app", severity)
    ]


@pytest.mark.parametrize("who", TRUSTS)
def test_a_new_role_is_as_severe_as_its_trust(who: str) -> None:
    trust, severity = TRUSTS[who]

    assert [(one, bad) for one, _, bad in found(account(), account(role(trust=trust)))] == [
        ("unmanaged:role:app", severity)
    ]


@pytest.mark.parametrize("who", TRUSTS)
def test_an_approved_trust_is_no_drift(who: str) -> None:
    trust, _ = TRUSTS[who]

    assert found(account(role(trust=trust)), account(role(trust=trust))) == []


REPLACED = {
    "another repository of a provider that was trusted": (
        federated(GITHUB, sub="repo:octo-org/one:*"),
        federated(GITHUB, sub="repo:octo-org/two:*"),
        MEDIUM,
    ),
    "every repository of a provider that was trusted": (
        federated(GITHUB, sub="repo:octo-org/one:*"),
        federated(GITHUB, sub="repo:*"),
        CRITICAL,
    ),
    "an application of a stranger": (federated(GOOGLE, aud="666"), federated(GOOGLE), CRITICAL),
    "everybody whom a SAML provider signs in": (
        trusting({"Federated": f"arn:aws:iam::{ID}:saml-provider/corp"}, {"StringEquals": {"saml:sub": "ann"}}),
        trusting({"Federated": f"arn:aws:iam::{ID}:saml-provider/corp"}),
        HIGH,
    ),
    "a provider less": (federated(GITHUB), trusting({"Service": "ec2.amazonaws.com"}), MEDIUM),
}


@pytest.mark.parametrize("what", REPLACED)
def test_a_trust_that_was_replaced(what: str) -> None:
    before, now, severity = REPLACED[what]

    assert [bad for *_, bad in found(account(role(trust=before)), account(role(trust=now)))] == [severity]


PRIVILEGES = {
    "an administrator": (allow("*"), "the role is an administrator"),
    "an escalation path": (allow("iam:PutRolePolicy"), "the role has escalation path iam-005: iam:PutRolePolicy"),
}


@pytest.mark.parametrize("what", PRIVILEGES)
@pytest.mark.parametrize("whom", [ID, f"arn:aws:iam::{ID}:user/ann"])
def test_a_new_principal_that_may_assume_a_privileged_role_is_high(what: str, whom: str) -> None:
    document, reason = PRIVILEGES[what]
    ann = user("ann")

    found = drifts(
        account(role("app", document), ann), account(role("app", document, trust=trusting({"AWS": whom})), ann)
    )

    assert [(one.finding_id, one.severity) for one in found.found] == [("trust:role:app", HIGH)]
    assert reason in found.found[0].reasons


def test_fewer_principals_that_may_assume_an_administrator_are_low() -> None:
    wide = trusting({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]})

    assert [
        bad for *_, bad in found(account(role("app", allow("*"), trust=wide)), account(role("app", allow("*"))))
    ] == [Severity.LOW]


def test_a_new_user_in_a_privileged_group_is_high_even_without_new_access() -> None:
    scope = Scope(privileged_groups=(EntityPattern("group/admins"),))
    live = account(user("eve", groups=("admins",)), group("admins"))

    found = drifts(account(group("admins")), live, scope=scope).found

    assert [(one.finding_id, one.severity, one.reasons) for one in found] == [
        ("unmanaged:user:eve", HIGH, ("joined the privileged group admins",))
    ]


def test_a_trusted_user_that_was_deleted_is_dangling_and_nothing_else_of_the_trust() -> None:
    ann = user("ann", unique_id="AIDA1234567890123456")
    approved = account(role(trust=trusting({"AWS": f"arn:aws:iam::{ID}:user/ann"})), ann)
    live = account(role(trust=trusting({"AWS": ann.unique_id})))

    assert [one for one, *_ in found(approved, live)] == ["dangling:role:app", "missing:user:ann"]


def test_roles_of_aws_are_information_and_protected() -> None:
    linked = role("AWSServiceRoleForX", allow("*"), path="/aws-service-role/x.amazonaws.com/")

    found = drifts(account(), account(linked)).found

    assert [(one.severity, one.protected) for one in found] == [(Severity.INFO, True)]


def test_a_role_that_only_has_a_name_of_aws_is_not_protected() -> None:
    found = drifts(account(), account(role("AWSReservedSSO_admin", allow("*")))).found

    assert [(one.severity, one.protected) for one in found] == [(Severity.CRITICAL, False)]


def test_what_depends_on_something_unread_is_undecided() -> None:
    approved = account(role("app", attached=[READING]), role("other", READ), READING)
    live = account(
        role("app", attached=[READING]), role("other", MORE), unreadable={EntityId("policy/reading"): "denied"}
    )

    answer = drifts(approved, live)

    assert [one.finding_id for one in answer.found] == ["access:role:other", "unreadable:policy:reading"]
    assert answer.undecided == {"policy/reading", "role/app"}


def test_a_document_that_cannot_be_read_leaves_its_trust_comparable() -> None:
    live = account(role("app", {"Statement": []}, trust=trusting("*")))

    answer = drifts(account(role("app", READ)), live)

    assert {one.finding_id for one in answer.found} == {"trust:role:app", "unreadable:role:app"}
    assert answer.undecided == {"role/app"}


def test_only_the_given_entities_and_their_dependents_are_compared() -> None:
    approved = account(role("app", attached=[READING]), role("other", READ), READING)
    live = account(role("app", attached=[READING]), role("other", MORE), policy("reading", MORE))

    answer = drifts(approved, live, only=[EntityId("policy/reading")])

    assert [one.finding_id for one in answer.found] == ["access:role:app"]
    assert answer.compared == {"policy/reading", "role/app"}


def test_an_excluded_entity_is_not_compared() -> None:
    scope = Scope(exclude=(EntityPattern("role/App*"),))

    assert found(account(), account(role("app", READ)), scope=scope) == []


def test_a_baseline_of_another_account_is_refused() -> None:
    with pytest.raises(ConflictError, match=FOREIGN):
        drifts(replace(account(), id=FOREIGN), account())
