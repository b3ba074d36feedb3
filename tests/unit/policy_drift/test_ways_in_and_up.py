"""Severities of the ways in, through a trust policy, and of the ways up, by removing a guard."""

from typing import Any

import pytest

from policy_drift.domain.account import Document
from policy_drift.domain.finding import Drift, Kind
from steward.severity import Severity
from tests.doubles.shipped_severities import drifts
from tests.unit.policy_drift.accounts import EC2, ID, account, allow, group, policy, role, trusting, user

GITHUB = "token.actions.githubusercontent.com"
COGNITO = "cognito-identity.amazonaws.com"
GOOGLE = "accounts.google.com"
OF_ACME = {"StringLike": {f"{GITHUB}:sub": "repo:acme/shop:*"}, "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}


def by(provider: str, condition: Any) -> Document:
    name = provider if provider in {COGNITO, GOOGLE} else f"arn:aws:iam::{ID}:oidc-provider/{provider}"
    statement = {"Effect": "Allow", "Principal": {"Federated": name}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return {"Version": "2012-10-17", "Statement": [statement | {"Condition": condition}]}


def found(kind: Kind, before: Any, now: Any, *shared: Any) -> Drift:
    everything = drifts(account(before, *shared), account(now, *shared)).found
    return next(drift for drift in everything if drift.kind is kind)


def opened(before: Document, now: Document) -> Drift:
    return found(Kind.TRUST, role(trust=before), role(trust=now))


@pytest.mark.parametrize(
    ("subject", "severity"),
    [
        ("repo:mallory/shop:*", Severity.CRITICAL),
        ("repo:*acme/shop:*", Severity.CRITICAL),
        ("repo:acm?/shop:*", Severity.CRITICAL),
        ("repo:acme*", Severity.CRITICAL),
        ("repo:acme/*", Severity.MEDIUM),
        ("repo:acme/other:ref:refs/heads/main", Severity.MEDIUM),
    ],
)
def test_another_organization_at_a_trusted_provider_is_a_stranger(subject: str, severity: Severity) -> None:
    now = {**OF_ACME, "StringLike": {f"{GITHUB}:sub": ["repo:acme/shop:*", subject]}}

    assert opened(by(GITHUB, OF_ACME), by(GITHUB, now)).severity is severity


def test_another_branch_of_the_same_owner_is_no_stranger() -> None:
    def of(owner: str, branch: str) -> Document:
        return by(GITHUB, {"StringEquals": {f"{GITHUB}:repository_owner": owner, f"{GITHUB}:ref": branch}})

    assert opened(of("acme", "refs/heads/main"), of("acme", "refs/heads/next")).severity is Severity.MEDIUM
    assert opened(of("acme", "refs/heads/main"), of("mallory", "refs/heads/main")).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("claims", "severity"),
    [
        ({"repository_owner": "acme"}, Severity.MEDIUM),
        ({"repository": "acme/other"}, Severity.MEDIUM),
        ({"repository_owner": "mallory"}, Severity.CRITICAL),
        ({"job_workflow_ref": "acme/public/.github/workflows/build.yml@v1"}, Severity.CRITICAL),
    ],
)
def test_other_claims_about_the_trusted_organization_are_of_no_stranger(claims: Any, severity: Severity) -> None:
    now = {"StringEquals": {f"{GITHUB}:{claim}": value for claim, value in claims.items()}}

    assert opened(by(GITHUB, OF_ACME), by(GITHUB, now)).severity is severity


@pytest.mark.parametrize(
    ("provider", "claim", "value", "severity"),
    [
        (GITHUB, "sub", "repo:acme/shop:*", Severity.MEDIUM),
        (GITHUB, "sub", "repo:*", Severity.CRITICAL),
        (GITHUB, "repository_owner", "acme", Severity.MEDIUM),
        (GITHUB, "environment", "production", Severity.CRITICAL),
        (GITHUB, "project_path", "acme/shop", Severity.CRITICAL),
        ("gitlab.com", "sub", "project_path:acme/shop:*", Severity.MEDIUM),
        (GOOGLE, "aud", "acme", Severity.MEDIUM),
        (COGNITO, "aud", "eu-west-1:1", Severity.MEDIUM),
    ],
)
def test_a_condition_that_holds_without_its_key_opens_nothing_to_tokens_that_all_have_it(
    provider: str, claim: str, value: str, severity: Severity
) -> None:
    def of(operator: str) -> Document:
        return by(provider, {operator: {f"{provider}:{claim}": value}})

    approved = of("StringLike") if severity is Severity.MEDIUM else by(GITHUB, OF_ACME)

    assert opened(approved, of("ForAllValues:StringLike")).severity is severity


def test_a_subject_of_an_organization_that_another_claim_named_is_of_no_stranger() -> None:
    approved = by(GITHUB, {"StringEquals": {f"{GITHUB}:repository_owner": "acme"}})

    assert opened(approved, by(GITHUB, OF_ACME)).severity is Severity.MEDIUM


def test_another_audience_of_a_provider_that_let_everyone_in_lets_no_stranger_in() -> None:
    approved = by("idp.example.com", {"StringEquals": {"idp.example.com:aud": "one"}})
    live = by("idp.example.com", {"StringEquals": {"idp.example.com:aud": ["one", "two"]}})
    of_one = by("idp.example.com", {"StringEquals": {"idp.example.com:sub": "ann", "idp.example.com:aud": "one"}})

    assert opened(approved, live).severity is Severity.MEDIUM
    assert opened(of_one, approved).severity is Severity.HIGH


@pytest.mark.parametrize("provider", ["0.example.com", "acme.example.com", "idp.example.com", "zz.example.com"])
def test_all_that_an_own_provider_signs_in_are_less_severe_than_strangers(provider: str) -> None:
    def of(subject: str) -> Document:
        return by(provider, {"StringLike": {f"{provider}:sub": subject}})

    drift = opened(of("ann"), of("*"))

    assert drift.severity is Severity.HIGH
    assert f"anyone whom {provider} signs in can now assume it" in drift.reasons


def test_identities_that_another_provider_signed_in_are_no_guests() -> None:
    def of(provider: str) -> Document:
        return by(COGNITO, {"ForAnyValue:StringLike": {f"{COGNITO}:amr": provider}})

    assert not any("guests" in reason for reason in opened(of("authenticated"), of("graph.facebook.com")).reasons)


@pytest.mark.parametrize("operator", ["ArnLike", "StringLike"])
def test_a_condition_on_principals_of_the_own_account_keeps_strangers_out(operator: str) -> None:
    of_own = {operator: {"aws:PrincipalArn": f"arn:aws:iam::{ID}:role/*"}}

    assert opened(trusting(EC2), trusting("*", of_own)).severity is Severity.MEDIUM


@pytest.mark.parametrize(
    ("changed", "severity"),
    [
        ({"StringEquals": {f"{COGNITO}:aud": ["eu-west-1:1", "eu-west-1:2"]}}, Severity.CRITICAL),
        ({"ForAnyValue:StringLike": {f"{COGNITO}:amr": ["authenticated", "unauthenticated"]}}, Severity.CRITICAL),
    ],
)
def test_another_pool_and_guests_of_the_trusted_one_are_strangers(changed: Any, severity: Severity) -> None:
    approved = {
        "StringEquals": {f"{COGNITO}:aud": "eu-west-1:1"},
        "ForAnyValue:StringLike": {f"{COGNITO}:amr": "authenticated"},
    }

    assert opened(by(COGNITO, approved), by(COGNITO, approved | changed)).severity is severity
    assert opened(by(COGNITO, approved), by(COGNITO, {"StringEquals": approved["StringEquals"]})).severity is severity


@pytest.mark.parametrize(
    ("subject", "severity"),
    [
        ("repository_owner:acme:*", Severity.MEDIUM),
        ("environment:prod:repository_owner:acme", Severity.MEDIUM),
        ("repository_owner:mallory:*", Severity.CRITICAL),
        ("environment:prod", Severity.CRITICAL),
        ("job_workflow_ref:acme/public/*", Severity.CRITICAL),
        ("repo:acme@123456/shop@456789:*", Severity.MEDIUM),
        ("repo:acme@*/shop@*:*", Severity.MEDIUM),
        ("repo:mallory@1/shop@2:*", Severity.CRITICAL),
        ("repo:ACME/other:*", Severity.MEDIUM),
    ],
)
def test_github_subjects_of_other_claims_and_with_numbers_name_their_owner(subject: str, severity: Severity) -> None:
    now = {**OF_ACME, "StringLike": {f"{GITHUB}:sub": ["repo:acme/shop:*", subject]}}

    assert opened(by(GITHUB, OF_ACME), by(GITHUB, now)).severity is severity


@pytest.mark.parametrize(
    ("subject", "severity"),
    [
        ("repo:acme@123/*", Severity.MEDIUM),
        ("repo:acme@999/*", Severity.CRITICAL),
        ("repo:acme@123*", Severity.CRITICAL),
    ],
)
def test_an_owner_who_was_trusted_with_a_number_is_no_other_of_that_name(subject: str, severity: Severity) -> None:
    approved, now = (by(GITHUB, {"StringLike": {f"{GITHUB}:sub": one}}) for one in ("repo:acme@123/shop@4:*", subject))

    assert opened(approved, now).severity is severity


def test_the_same_subject_in_other_capitals_is_of_no_stranger() -> None:
    now = {"StringEqualsIgnoreCase": {f"{GITHUB}:sub": "repo:Acme/shop:ref:refs/heads/main"}}

    assert opened(by(GITHUB, OF_ACME), by(GITHUB, now)).severity is Severity.MEDIUM


@pytest.mark.parametrize(
    ("provider", "claim", "approved", "own", "other"),
    [
        ("app.eu.terraform.io", "sub", "organization:acme:project:p:*", "organization:acme:*", "organization:evil:*"),
        ("oidc.codefresh.io", "sub", "account:1:pipeline:p", "account:1:*", "account:2:*"),
        ("api.pulumi.com/oidc", "sub", "pulumi:deploy:org:acme:project:p:*", "pulumi:deploy:org:acme:*", "pulumi:*"),
        ("api.pulumi.com/oidc", "aud", "acme", "aws:acme", "mallory"),
        ("oidc.vercel.com", "sub", "owner:acme:project:p:*", "owner:acme:*", "owner:mallory:*"),
        ("oidc.vercel.com", "aud", "https://vercel.com/acme", None, "https://vercel.com/mallory"),
        ("scalr.io", "sub", "account:acme:environment:e:*", "account:acme:*", "account:*:environment:e:*"),
        ("proidc.upbound.io", "sub", "mcp:acme/ctp:*", "mcp:acme/*", "mcp:*/ctp:*"),
        ("studio.datachain.ai/api", "sub", "credentials:acme/one", None, "credentials:mallory/one"),
    ],
)
def test_issuers_that_organizations_share_sign_strangers_in(
    provider: str, claim: str, approved: str, own: str | None, other: str
) -> None:
    def of(*values: str) -> Document:
        return by(provider, {"StringLike": {f"{provider}:{claim}": list(values)}})

    assert opened(of(approved), of(approved, other)).severity is Severity.CRITICAL
    if own:
        assert opened(of(approved), of(approved, own)).severity is Severity.MEDIUM


@pytest.mark.parametrize(
    ("condition", "severity"),
    [
        ({"StringEquals": {"aws:VpceOrgID": "o-1"}}, Severity.HIGH),
        ({"StringEquals": {"aws:SourceVpcArn": "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1"}}, Severity.HIGH),
        ({"StringLike": {"aws:userid": "AROAEXAMPLEEXAMPLE123:*"}}, Severity.HIGH),
        ({"StringLike": {"aws:userid": "AROA*:alice"}}, Severity.CRITICAL),
        ({"StringLike": {"aws:Referer": "https://example.com/*"}}, Severity.CRITICAL),
        ({"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}}, Severity.HIGH),
        ({"StringLike": {"aws:SourceVpce": ["vpce-1", "vpce-*"]}}, Severity.CRITICAL),
        ({"Null": {"aws:SourceVpce": "false"}}, Severity.CRITICAL),
        ({"ArnLike": {"aws:SourceVpcArn": f"arn:aws:ec2:*:{ID}:vpc/*"}}, Severity.HIGH),
        ({"ArnLike": {"aws:SourceVpcArn": "arn:aws:ec2:*:*:vpc/*"}}, Severity.CRITICAL),
        ({"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}}, Severity.CRITICAL),
        (
            {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:SourceVpc": "vpc-1"}},
            Severity.HIGH,
        ),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, Severity.HIGH),
        ({"IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}}, Severity.CRITICAL),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}, Severity.HIGH),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/*"}}, Severity.CRITICAL),
        ({"StringEquals": {"sts:ExternalId": "secret"}}, Severity.HIGH),
        ({"Null": {"sts:ExternalId": "false"}}, Severity.CRITICAL),
        ({"StringEquals": {"aws:FederatedProvider": f"arn:aws:iam::{ID}:saml-provider/corp"}}, Severity.HIGH),
        ({"StringEquals": {"aws:FederatedProvider": GOOGLE}}, Severity.CRITICAL),
        ({"ArnLike": {"lambda:SourceFunctionArn": f"arn:aws:lambda:*:{ID}:function:*"}}, Severity.HIGH),
        ({"ArnLike": {"lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:shop"}}, Severity.CRITICAL),
        ({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::1111*"}}, Severity.CRITICAL),
        ({"StringLike": {"aws:PrincipalAccount": "99998888777?"}}, Severity.CRITICAL),
    ],
)
def test_everyone_is_not_meant_where_few_can_meet_the_condition(condition: Any, severity: Severity) -> None:
    assert opened(trusting(EC2), trusting("*", condition)).severity is severity


def test_strangers_who_could_assume_it_from_almost_everywhere_are_not_new() -> None:
    approved = trusting("*", {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})

    assert not any("anyone in any AWS account" in reason for reason in opened(approved, trusting("*")).reasons)


@pytest.mark.parametrize("action", ["sts:TagSession", "sts:SetSourceIdentity"])
def test_session_tags_and_a_source_identity_let_no_caller_in(action: str) -> None:
    approved = trusting({"AWS": "arn:aws:iam::444455556666:root"})
    statement = approved["Statement"][0]
    live = {**approved, "Statement": [{**statement, "Action": ["sts:AssumeRole", action]}]}

    drift = opened(approved, live)

    assert drift.severity is Severity.MEDIUM
    assert not any("can now assume" in reason for reason in drift.reasons)


EVERYTHING = allow("*")


def but(*actions: str) -> Document:
    statement = {"Effect": "Deny", "NotAction": ["s3:*", *actions], "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize("action", ["iam:DeleteRolePolicy", "iam:DetachRolePolicy"])
def test_removing_its_own_inline_deny_makes_a_role_an_administrator(action: str) -> None:
    drift = found(Kind.ACCESS, role("app", EVERYTHING, but()), role("app", EVERYTHING, but(action)))

    inline = action == "iam:DeleteRolePolicy"
    assert drift.severity is (Severity.CRITICAL if inline else Severity.MEDIUM)
    assert any("removes its own guard" in reason for reason in drift.reasons) is inline


@pytest.mark.parametrize(
    ("attachable", "severity"),
    [
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", Severity.MEDIUM),
        ("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", Severity.MEDIUM),
        ("arn:aws:iam::aws:policy/AdministratorAccess", Severity.CRITICAL),
        ("arn:aws:iam::aws:policy/*", Severity.CRITICAL),
        (f"arn:aws:iam::{ID}:policy/ReadOnlyAccess", Severity.CRITICAL),
    ],
)
def test_who_may_attach_only_what_reads_gets_no_further_by_it(attachable: str, severity: Severity) -> None:
    attaching = allow("iam:AttachRolePolicy", condition={"ArnLike": {"iam:PolicyARN": attachable}})

    assert found(Kind.ACCESS, role("app"), role("app", attaching)).severity is severity


def test_what_a_role_attaches_to_itself_gives_nothing_that_its_own_deny_takes() -> None:
    fence = but("iam:AttachRolePolicy")

    drift = found(Kind.ACCESS, role("app", fence), role("app", fence, EVERYTHING))

    assert drift.severity is Severity.HIGH
    assert drift.reasons[0].endswith("iam:AttachRolePolicy on another principal")


@pytest.mark.parametrize(("held", "severity"), [("s3:*", Severity.MEDIUM), ("s3:GetObject", Severity.CRITICAL)])
def test_what_a_role_attaches_to_itself_gives_nothing_beyond_its_boundary(held: str, severity: Severity) -> None:
    itself = f"arn:aws:iam::{ID}:role/app"
    attaching = allow("iam:AttachRolePolicy", on=itself)
    fence = policy("fence", {**attaching, "Statement": [*attaching["Statement"], *allow("s3:*")["Statement"]]})
    before, now = (role("app", allow(held), *more, boundary=fence.arn) for more in ((), (attaching,)))

    assert found(Kind.ACCESS, before, now, fence).severity is severity


def test_leaving_a_group_that_denies_makes_a_user_an_administrator() -> None:
    approved = user("ann", EVERYTHING, but(), groups=("fenced",))
    live = user("ann", EVERYTHING, groups=("fenced",))

    drift = found(Kind.ACCESS, approved, live, group("fenced", but("iam:RemoveUserFromGroup")))

    assert drift.severity is Severity.CRITICAL


@pytest.mark.parametrize("action", ["iam:DeleteGroupPolicy", "iam:DetachGroupPolicy"])
def test_removing_the_deny_of_its_group_makes_a_user_an_administrator(action: str) -> None:
    ann = user("ann", EVERYTHING, groups=("fenced",))

    def severity(fence: Document) -> Severity:
        drifted = drifts(account(ann, group("fenced", but())), account(ann, group("fenced", fence))).found
        return max(drift.severity for drift in drifted)

    assert severity(but(action)) is (Severity.CRITICAL if action == "iam:DeleteGroupPolicy" else Severity.MEDIUM)


@pytest.mark.parametrize(
    "actions",
    [
        ["sts:AssumeRoot"],
        ["identitystore:CreateGroupMembership"],
        ["sso-directory:AddMemberToGroup"],
        ["iam:PassRole", "eks:CreatePodIdentityAssociation"],
        ["iam:PassRole", "rolesanywhere:CreateTrustAnchor", "rolesanywhere:CreateProfile"],
    ],
)
def test_ways_that_the_public_list_lacks_are_as_severe_as_its_own(actions: list[str]) -> None:
    assert found(Kind.ACCESS, role("app"), role("app", allow(*actions))).severity is Severity.HIGH
    for some in actions if len(actions) > 1 else ():
        rest = [action for action in actions if action != some]
        assert found(Kind.ACCESS, role("app"), role("app", allow(*rest))).severity is Severity.MEDIUM


def test_removing_its_own_boundary_makes_a_role_an_administrator() -> None:
    boundary = policy("fence", allow("s3:*", "iam:DeleteRolePermissionsBoundary"))
    before = role("app", allow("s3:*"), boundary=boundary.arn)
    now = role("app", EVERYTHING, boundary=boundary.arn)

    assert found(Kind.ACCESS, before, now, boundary).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("path", "severity"),
    [("/aws-service-role/x.amazonaws.com/", Severity.INFO), ("/aws-reserved/sso.amazonaws.com/", Severity.CRITICAL)],
)
def test_only_a_service_linked_role_is_left_to_aws(path: str, severity: Severity) -> None:
    drift = found(Kind.ACCESS, role("app", allow("s3:Get*"), path=path), role("app", EVERYTHING, path=path))

    assert (drift.severity, drift.protected) == (severity, True)


def test_a_finding_lists_all_of_the_new_access_and_proves_the_most_dangerous() -> None:
    approved = role("app", allow("s3:GetObject"))
    live = role("app", allow("s3:GetObject", "s3:PutObject", "dynamodb:DeleteTable", "kms:ScheduleKeyDeletion"))

    drift = found(Kind.ACCESS, approved, live)

    assert drift.added == (
        "dynamodb:DeleteTable (write) on any resource",
        "kms:ScheduleKeyDeletion (write) on any resource",
        "s3:PutObject (write) on any resource",
    )
    assert drift.newly_allowed[0].action == "dynamodb:DeleteTable"


def test_a_stored_action_that_matches_nothing_is_noted_and_hides_no_other() -> None:
    approved = account(role("app", allow("s3:GetObject")))
    live = account(role("app", allow("s3:GetObject", "sqs:SendMessage", "access-analyzer:ListTagsForResource ")))

    (found,) = drifts(approved, live).found

    assert found.added == ("sqs:SendMessage (write) on any resource",)
    assert any("ListTagsForResource " in reason and "matches no action" in reason for reason in found.reasons)
