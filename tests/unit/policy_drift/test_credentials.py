"""Credentials, providers and what else grants access beside policies: claimed by an event, confirmed by IAM."""

import json
from dataclasses import replace

import pytest

from policy_drift.domain.account import User
from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.events import PolicyDriftDetected, PolicyDriftResolved
from policy_drift.domain.finding import Kind
from steward.errors import UpstreamError
from steward.principals import PrincipalPattern
from tests.doubles.drift_under_test import ACCOUNT, APP, QUIET, DriftUnderTest, allowing

OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com"
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/corp"
MALLORY = f"arn:aws:iam::{ACCOUNT}:user/mallory"
ROTATION = f"arn:aws:sts::{ACCOUNT}:assumed-role/steward-rotation/worker"
ANN = User("ann", "/", "AIDAANN", inline={"own": allowing("s3:GetObject")})
ROOT = User("root", "/", "AIDAROOT", inline={"own": allowing("*")})
ADMIN = replace(APP, name="admin", unique_id="AROAADMIN", inline={"own": allowing("*")})
TAGGED = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/Team": "a"}},
        }
    ],
}
FEDERATED = replace(
    ADMIN,
    trust={
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Federated": SAML}, "Action": "sts:AssumeRoleWithSAML"},
        ],
    },
)


@pytest.fixture
def drift():
    tagged = replace(APP, inline={"own": TAGGED})
    wired = DriftUnderTest(
        replace(QUIET, users={"ann": ANN, "root": ROOT}, roles={"app": tagged, "admin": FEDERATED}),
        expected=[PrincipalPattern("self:role/deploy-*")],
    )
    wired.scan()
    return wired


def event(drift, name, asked=None, answered=None, actor=MALLORY, event_id=None):
    return change_event(
        {
            "eventID": event_id or f"{name}-1",
            "eventName": name,
            "eventSource": "iam.amazonaws.com",
            "eventTime": drift.clock.now().isoformat(),
            "userIdentity": {"type": "IAMUser", "arn": actor, "userName": actor.rpartition("/")[2]},
            "requestParameters": asked,
            "responseElements": answered,
        }
    )


def key(drift, user="ann", key_id="AKIA1", **more):
    answered = {"accessKey": {"accessKeyId": key_id, "userName": user, "status": "Active"}}
    return event(drift, "CreateAccessKey", {"userName": user}, answered, **more)


def has(drift, entity, kind, *items):
    drift.credentials.items[entity, kind] = set(items)


CASES = {
    "an access key": (
        "CreateAccessKey",
        {"userName": "ann"},
        {"accessKey": {"accessKeyId": "AKIA1"}},
        "access key AKIA1",
    ),
    "a key that is active again": (
        "UpdateAccessKey",
        {"userName": "ann", "accessKeyId": "AKIA1"},
        None,
        "access key AKIA1",
    ),
    "a password": ("CreateLoginProfile", {"userName": "ann"}, None, "console password"),
    "another password": ("UpdateLoginProfile", {"userName": "ann"}, None, "console password"),
    "an SSH key": (
        "UploadSSHPublicKey",
        {"userName": "ann"},
        {"sSHPublicKey": {"sSHPublicKeyId": "APKA1"}},
        "SSH key APKA1",
    ),
    "a service-specific credential": (
        "CreateServiceSpecificCredential",
        {"userName": "ann"},
        {"serviceSpecificCredential": {"serviceSpecificCredentialId": "ACCA1"}},
        "service-specific credential ACCA1",
    ),
    "a certificate": (
        "UploadSigningCertificate",
        {"userName": "ann"},
        {"certificate": {"certificateId": "C1"}},
        "signing certificate C1",
    ),
    "MFA removed": ("DeactivateMFADevice", {"userName": "ann", "serialNumber": "m"}, None, "no MFA device"),
    "another MFA device": ("EnableMFADevice", {"userName": "ann", "serialNumber": "m"}, None, "MFA device m"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_credential_is_a_finding_with_its_actor_and_its_end(drift, case):
    name, asked, answered, item = CASES[case]
    has(drift, "user/ann", Kind.CREDENTIAL, item, "access key AKIAOLD")
    drift.check(event(drift, name, asked, answered))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.entity, detected.severity, detected.verdict) == (
        "CREDENTIAL",
        "user/ann",
        "MEDIUM",
        "BROADENED",
    )
    assert item in detected.summary
    assert "AKIAOLD" not in detected.summary
    assert [(change["actor"], change["event_name"]) for change in detected.changes] == [(MALLORY, name)]
    assert bool(detected.revert) != (item == "no MFA device")

    has(drift, "user/ann", Kind.CREDENTIAL)
    drift.scan()
    assert [(one.kind, one.how) for one in drift.published(PolicyDriftResolved)] == [("CREDENTIAL", "reverted")]


def test_a_key_is_as_severe_as_what_its_user_may_do(drift):
    has(drift, "user/root", Kind.CREDENTIAL, "access key AKIA1")
    drift.check(key(drift, "root"))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.severity, detected.reasons) == ("CRITICAL", ["user root is an administrator"])


def test_a_key_that_a_user_makes_for_itself_is_found(drift):
    drift.iam.account = replace(
        drift.iam.account, users={**drift.iam.account.users, "mallory": replace(ANN, name="mallory")}
    )
    has(drift, "user/mallory", Kind.CREDENTIAL, "access key AKIA1")
    drift.check(event(drift, "UpdateAccessKey", {"accessKeyId": "AKIA1"}))

    assert ("CREDENTIAL", "user/mallory") in {(one.kind, one.entity) for one in drift.published(PolicyDriftDetected)}


def test_a_second_key_is_alerted_and_the_same_event_twice_is_not(drift):
    first = key(drift)
    has(drift, "user/ann", Kind.CREDENTIAL, "access key AKIA1")
    drift.check(first)
    drift.check(first)
    drift.scan()
    has(drift, "user/ann", Kind.CREDENTIAL, "access key AKIA1", "access key AKIA2")
    drift.check(key(drift, key_id="AKIA2", event_id="e2"))

    assert [one.why for one in drift.published(PolicyDriftDetected)] == ["opened", "changed"]


def test_an_event_that_iam_does_not_confirm_is_a_transient_once(drift):
    made = key(drift)
    drift.check(made)
    drift.check(made)

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.severity) == ("TRANSIENT", "MEDIUM")
    assert "access key AKIA1" in detected.summary


def test_a_key_that_was_alerted_and_is_gone_is_no_transient(drift):
    made = key(drift)
    has(drift, "user/ann", Kind.CREDENTIAL, "access key AKIA1")
    drift.check(made)
    has(drift, "user/ann", Kind.CREDENTIAL)
    drift.check(made)
    drift.check(made)

    assert [one.kind for one in drift.published(PolicyDriftDetected)] == ["CREDENTIAL"]


def test_what_cannot_be_confirmed_is_unknown_and_no_finding_ends_by_that(drift):
    drift.credentials.error = UpstreamError("AWS is down")
    drift.check(key(drift))
    drift.scan()

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.verdict) == ("CREDENTIAL", "UNKNOWN")
    assert "could not be confirmed" in detected.reasons[0]
    assert drift.published(PolicyDriftResolved) == []


def test_the_steward_rotates_keys_without_a_finding(drift):
    has(drift, "user/ann", Kind.CREDENTIAL, "access key AKIA1")
    drift.check(key(drift, actor=ROTATION))

    assert drift.published(PolicyDriftDetected) == []


def test_a_key_by_an_expected_actor_is_marked(drift):
    has(drift, "user/ann", Kind.CREDENTIAL, "access key AKIA1")
    drift.check(key(drift, actor=f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy-app/run"))

    assert [one.expected for one in drift.published(PolicyDriftDetected)] == [True]


PROVIDERS = {
    "made": ("CreateOpenIDConnectProvider", None, {"openIDConnectProviderArn": OIDC}, f"identity provider {OIDC}"),
    "made for SAML": ("CreateSAMLProvider", None, {"sAMLProviderArn": SAML}, f"identity provider {SAML}"),
    "an audience": (
        "AddClientIDToOpenIDConnectProvider",
        {"openIDConnectProviderArn": OIDC, "clientID": "evil"},
        None,
        f"identity provider {OIDC} audience evil",
    ),
    "a thumbprint": (
        "UpdateOpenIDConnectProviderThumbprint",
        {"openIDConnectProviderArn": OIDC, "thumbprintList": ["ab"]},
        None,
        f"identity provider {OIDC} thumbprint ab",
    ),
    "metadata": ("UpdateSAMLProvider", {"sAMLProviderArn": SAML}, None, f"identity provider {SAML} metadata 1234"),
}


@pytest.mark.parametrize("case", PROVIDERS)
def test_a_change_of_an_identity_provider_is_as_severe_as_the_roles_that_trust_it(drift, case):
    name, asked, answered, item = PROVIDERS[case]
    entity = f"account/{ACCOUNT}"
    has(drift, entity, Kind.PROVIDER, item)
    drift.check(event(drift, name, asked, answered))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.entity) == ("PROVIDER", entity)
    assert detected.severity == ("CRITICAL" if SAML in item else "MEDIUM")
    assert [change["actor"] for change in detected.changes] == [MALLORY]
    has(drift, entity, Kind.PROVIDER)
    drift.scan()
    assert [one.how for one in drift.published(PolicyDriftResolved)] == ["reverted"]


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("EnableOrganizationsRootSessions", "root sessions"),
        ("EnableOrganizationsRootCredentialsManagement", "root credentials management"),
        ("EnableOutboundWebIdentityFederation", "outbound web identity federation"),
    ],
)
def test_sessions_into_or_out_of_the_account_are_high(drift, name, item):
    has(drift, f"account/{ACCOUNT}", Kind.FEDERATION, item)
    drift.check(event(drift, name))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.severity) == ("FEDERATION", "HIGH")
    assert "aws iam disable-" in detected.revert[0]


def test_a_role_in_another_instance_profile_is_as_severe_as_the_role(drift):
    has(drift, "role/admin", Kind.PROFILE, "instance profile web")
    drift.check(event(drift, "AddRoleToInstanceProfile", {"roleName": "admin", "instanceProfileName": "web"}))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.severity) == ("PROFILE", "CRITICAL")
    assert detected.revert == [
        "aws iam remove-role-from-instance-profile --instance-profile-name web --role-name admin"
    ]


@pytest.mark.parametrize("key_of_tag", ["team", "Team"])
def test_a_tag_by_which_a_policy_decides_is_a_finding(drift, key_of_tag):
    has(drift, "user/ann", Kind.TAG, f"tag {key_of_tag}=a")
    drift.check(event(drift, "TagUser", {"userName": "ann", "tags": [{"key": key_of_tag, "value": "a"}]}))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.entity) == ("TAG", "user/ann")


def test_the_removal_of_such_a_tag_is_a_finding_until_it_is_back(drift):
    drift.check(event(drift, "UntagRole", {"roleName": "app", "tagKeys": ["team"]}))
    assert [one.kind for one in drift.published(PolicyDriftDetected)] == ["TAG"]

    has(drift, "role/app", Kind.TAG, "tag team=a")
    drift.scan()
    assert len(drift.published(PolicyDriftResolved)) == 1


def test_other_tags_are_no_finding(drift):
    has(drift, "user/ann", Kind.TAG, "tag cost=1")
    drift.check(event(drift, "TagUser", {"userName": "ann", "tags": [{"key": "cost", "value": "1"}]}))

    assert drift.published(PolicyDriftDetected) == []


def test_findings_beside_policies_stay_open_while_other_things_of_the_user_change(drift):
    has(drift, "user/ann", Kind.CREDENTIAL, "access key AKIA1")
    drift.check(key(drift))
    wider = replace(ANN, inline={"own": allowing("s3:GetObject", "s3:PutObject")})
    drift.iam.account = replace(drift.iam.account, users={**drift.iam.account.users, "ann": wider})
    drift.check(event(drift, "PutUserPolicy", {"userName": "ann", "policyName": "own"}))

    calls = {one.kind: [change["event_name"] for change in one.changes] for one in drift.published(PolicyDriftDetected)}
    assert calls == {"CREDENTIAL": ["CreateAccessKey"], "ACCESS": ["PutUserPolicy"]}
    assert drift.published(PolicyDriftResolved) == []


def test_hostile_names_stand_in_no_command(drift):
    has(drift, "user/ann", Kind.CREDENTIAL, "MFA device \x1b[2J")
    drift.check(event(drift, "EnableMFADevice", {"userName": "ann", "serialNumber": "\x1b[2J"}))

    (detected,) = drift.published(PolicyDriftDetected)
    assert detected.revert == []
    assert json.dumps(detected.revert) == "[]"
