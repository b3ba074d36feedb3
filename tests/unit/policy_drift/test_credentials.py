"""Credentials, providers and what else grants access beside policies: claimed by an event, confirmed by IAM."""

import json
from dataclasses import replace
from datetime import timedelta

import jsonpatch
import pytest

from policy_drift import baseline_document
from policy_drift.application.operate_drift import AcknowledgementRequest
from policy_drift.domain import baseline
from policy_drift.domain.account import EntityId, User
from policy_drift.domain.baseline import UnusableBaselineError
from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.decision import Decision
from policy_drift.domain.events import BaselineChanged, PolicyDriftDetected, PolicyDriftResolved
from policy_drift.domain.finding import Kind, State
from policy_drift.report.adoption import baseline_patch
from steward.errors import PreconditionFailedError, UpstreamError
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


def tagged(drift, value="ops", number=1):
    has(drift, "role/app", Kind.TAG, f"tag Team={value}")
    asked = {"roleName": "app", "tags": [{"key": "Team", "value": value}]}
    return event(drift, "TagRole", asked, event_id=f"tagged-{number}")


def untagged(drift, number=1):
    drift.clock.advance(minutes=1)
    has(drift, "role/app", Kind.TAG)
    return event(drift, "UntagRole", {"roleName": "app", "tagKeys": ["Team"]}, event_id=f"untagged-{number}")


def test_taking_a_reported_tag_off_ends_its_finding_for_good(drift):
    drift.check(tagged(drift))
    removal = untagged(drift)
    drift.check(removal)
    drift.clock.advance(minutes=1)
    drift.check(removal)
    drift.scan()

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.revert) == ("TAG", ["aws iam untag-role --role-name app --tag-keys Team"])
    assert [(one.kind, one.how) for one in drift.published(PolicyDriftResolved)] == [("TAG", "reverted")]


def test_a_tag_put_on_and_taken_off_before_a_check_is_not_silent(drift):
    drift.check(tagged(drift), untagged(drift))

    assert [one.kind for one in drift.published(PolicyDriftDetected)] == ["TAG"]


def test_a_tag_that_took_the_place_of_an_approved_one_leaves_that_missing(drift):
    drift.check(untagged(drift))
    drift.clock.advance(minutes=1)
    drift.check(tagged(drift))
    drift.check(untagged(drift, 2))
    drift.scan()

    assert drift.published(PolicyDriftResolved) == []
    assert "no tag Team" in drift.published(PolicyDriftDetected)[-1].summary


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


ACCOUNT_ITSELF = f"account/{ACCOUNT}"
ADOPTED = {
    Kind.CREDENTIAL: ("user/ann", "access key AKIA1", "CreateAccessKey", {"userName": "ann"}),
    Kind.PROVIDER: (
        ACCOUNT_ITSELF,
        f"identity provider {SAML} metadata 12",
        "UpdateSAMLProvider",
        {"sAMLProviderArn": SAML},
    ),
    Kind.FEDERATION: (ACCOUNT_ITSELF, "root sessions", "EnableOrganizationsRootSessions", None),
    Kind.PROFILE: (
        "role/app",
        "instance profile web",
        "AddRoleToInstanceProfile",
        {"roleName": "app", "instanceProfileName": "web"},
    ),
    Kind.TAG: ("user/ann", "tag team=a", "TagUser", {"userName": "ann", "tags": [{"key": "team", "value": "a"}]}),
}
BY = Decision("123456789012:role/operators")


def found(drift, kind):
    """A finding of the kind, and the event that announced it."""
    entity, item, name, asked = ADOPTED[kind]
    has(drift, entity, kind, item)
    answered = {"accessKey": {"accessKeyId": "AKIA1"}} if kind is Kind.CREDENTIAL else None
    announcement = event(drift, name, asked, answered)
    drift.check(announcement)
    (finding,) = (kept.value for kept in drift.findings.all() if kept.value.drift.kind is kind)
    return finding, announcement


def adopt(drift, *findings):
    return drift.operate.adopt({one.id: one.drift.fingerprint for one in findings}, BY, "adopting")


def acknowledge(drift, finding):
    expires = drift.clock.now() + timedelta(days=1)
    given = AcknowledgementRequest("known", "team-a", expires, finding.drift.fingerprint)
    return drift.operate.acknowledge(finding.id, given, BY, "run")


@pytest.mark.parametrize("kind", ADOPTED)
def test_every_kind_beside_policies_is_adopted_and_not_found_again(drift, kind):
    finding, announcement = found(drift, kind)
    adopt(drift, finding)
    drift.check(announcement)
    drift.scan()

    assert [(one.finding_id, one.how) for one in drift.published(PolicyDriftResolved)] == [(finding.id, "adopted")]
    assert len(drift.published(PolicyDriftDetected)) == 1
    (changed,) = (one for one in drift.published(BaselineChanged) if one.how == "adopted")
    assert changed.approved_access == [f"{finding.drift.entity}: {ADOPTED[kind][1]}"]
    assert changed.severity == finding.drift.severity.name


@pytest.mark.parametrize("kind", ADOPTED)
def test_every_kind_beside_policies_is_acknowledged_until_a_day(drift, kind):
    finding, _ = found(drift, kind)
    acknowledge(drift, finding)
    drift.scan()
    drift.clock.advance(days=2)
    drift.scan()

    assert [one.why for one in drift.published(PolicyDriftDetected)] == ["opened", "reopened"]


@pytest.mark.parametrize("kind", ADOPTED)
def test_a_baseline_with_what_is_approved_beside_policies_is_read_as_it_was_written(drift, kind):
    finding, _ = found(drift, kind)
    adopt(drift, finding)
    text = drift.store.latest().text

    approved = baseline_document.read(text, account=ACCOUNT)

    assert approved.account.beside == {finding.drift.entity: (ADOPTED[kind][1],)}
    assert baseline_document.write(approved) == text


@pytest.mark.parametrize("kind", ADOPTED)
def test_the_patch_of_the_file_approves_what_an_adoption_approves(drift, kind):
    finding, _ = found(drift, kind)
    before, live = drift.baseline.known()[0].account, drift.iam.account
    adopted = baseline.adopted(before, live, baseline.Adoption.of([finding.drift]))

    assert jsonpatch.apply_patch(written(before), baseline_patch(finding.drift, before, live)) == written(adopted)


def written(account):
    """The account as it stands in the baseline's file."""
    return json.loads(baseline_document.write(baseline.Baseline(account)))


REPLACED = {
    "a password": (
        Kind.CREDENTIAL,
        "console password",
        ("CreateLoginProfile", "UpdateLoginProfile"),
        {"userName": "ann"},
        None,
    ),
    "an MFA device": (
        Kind.CREDENTIAL,
        "MFA device m",
        ("EnableMFADevice", "EnableMFADevice"),
        {"userName": "ann", "serialNumber": "m"},
        None,
    ),
    "a provider": (
        Kind.PROVIDER,
        f"identity provider {SAML}",
        ("CreateSAMLProvider", "CreateSAMLProvider"),
        None,
        {"sAMLProviderArn": SAML},
    ),
}


@pytest.mark.parametrize("case", REPLACED)
def test_another_one_under_an_approved_name_is_a_finding(drift, case):
    """An intruder who sets the approved password anew is not covered by the approval of the first."""
    kind, item, calls, asked, answered = REPLACED[case]
    has(drift, "user/ann" if kind is Kind.CREDENTIAL else ACCOUNT_ITSELF, kind, item)
    drift.check(event(drift, calls[0], asked, answered))
    (finding,) = (kept.value for kept in drift.findings.all())
    adopt(drift, finding)
    drift.clock.advance(minutes=1)
    drift.check(event(drift, calls[1], asked, answered, event_id="second"))
    drift.scan()

    assert [one.why for one in drift.published(PolicyDriftDetected)] == ["opened", "reopened"]
    assert len(drift.published(PolicyDriftResolved)) == 1


def test_what_iam_does_not_confirm_is_not_adopted(drift):
    finding, _ = found(drift, Kind.CREDENTIAL)
    has(drift, "user/ann", Kind.CREDENTIAL)
    with pytest.raises(PreconditionFailedError, match="is resolved"):
        adopt(drift, finding)
    drift.credentials.error = UpstreamError("AWS is down")
    with pytest.raises(UpstreamError):
        adopt(drift, finding)

    assert drift.published(PolicyDriftResolved) == []


def test_an_adoption_ends_no_finding_that_it_does_not_name(drift):
    provider, _ = found(drift, Kind.PROVIDER)
    federation, _ = found(drift, Kind.FEDERATION)
    tag, _ = found(drift, Kind.TAG)
    wider = replace(ANN, inline={"own": allowing("s3:GetObject", "s3:PutObject")})
    drift.iam.account = replace(drift.iam.account, users={**drift.iam.account.users, "ann": wider})
    drift.scan()
    access = drift.findings.get("access:user:ann").value
    adopt(drift, provider, access)

    assert {one.finding_id for one in drift.published(PolicyDriftResolved)} == {provider.id, access.id}
    assert {one.id for one in drift.operate.in_states({State.OPEN})} == {federation.id, tag.id}


def test_an_upload_that_approves_a_key_is_published_with_what_the_user_may_do(drift):
    """Anyone who may write the baseline must not approve a key in silence."""
    approved, _ = drift.baseline.known()
    with_key = replace(approved.account, beside={EntityId("user/root"): ("access key AKIA1",)})
    drift.operate.upload(baseline_document.write(baseline.Baseline(with_key)), replaces=None, by=BY, run="run")

    changed = drift.published(BaselineChanged)[-1]
    assert (changed.severity, changed.newly_approved) == ("CRITICAL", ["credential:user:root"])
    assert changed.approved_access == ["user/root: access key AKIA1"]


@pytest.mark.parametrize(
    ("beside", "reason"),
    [
        ({"user/nobody": ["access key AKIA1"]}, "no user and no role of the file"),
        ({"user/ann": ["everything"]}, "no item of a finding"),
        ({"ann": ["access key AKIA1"]}, "no entity"),
    ],
)
def test_a_baseline_that_approves_what_no_finding_names_is_refused(drift, beside, reason):
    approved, _ = drift.baseline.known()
    text = json.dumps({**written(approved.account), "beside": beside}).encode()

    with pytest.raises(UnusableBaselineError, match=reason):
        baseline_document.read(text, account=ACCOUNT)


ROOT_USER = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
ACCOUNT_ITSELF = EntityId(f"account/{ACCOUNT}")


def by_root(drift, name, **asked):
    """The event of a call that the root user makes for itself: it names no user."""
    return change_event(
        {
            "eventID": f"root-{name}-{drift.clock.now().isoformat()}",
            "eventName": name,
            "eventSource": "iam.amazonaws.com",
            "eventTime": drift.clock.now().isoformat(),
            "userIdentity": ROOT_USER,
            "requestParameters": asked or None,
            "responseElements": {"accessKey": {"accessKeyId": "AKIAEXAMPLE", "status": "Active"}},
        }
    )


@pytest.mark.parametrize(
    ("call", "item"),
    [
        ("CreateAccessKey", "root access key"),
        ("UpdateAccessKey", "root access key"),
        ("UploadSigningCertificate", "root signing certificate"),
        ("EnableMFADevice", "root MFA device"),
        ("DeactivateMFADevice", "no root MFA device"),
    ],
)
def test_what_the_root_user_makes_for_itself_is_critical(drift, call, item):
    drift.credentials.items[ACCOUNT_ITSELF, Kind.CREDENTIAL] = {item}
    drift.check(by_root(drift, call))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.finding_id, detected.severity) == (f"credential:account:{ACCOUNT}", "CRITICAL")
    assert detected.reasons == ["the root user may do everything"]
    assert item in detected.summary
    assert [change["actor"] for change in detected.changes] == [ROOT_USER["arn"]]
    by_hand = drift.operate.revert(drift.findings.get(detected.finding_id).value)
    assert by_hand.commands == ()
    assert "root user" in by_hand.refused


def test_a_key_of_the_root_user_is_over_when_iam_has_none_and_a_second_one_is_another_finding(drift):
    drift.credentials.items[ACCOUNT_ITSELF, Kind.CREDENTIAL] = {"root access key"}
    drift.check(by_root(drift, "CreateAccessKey"))
    drift.credentials.items[ACCOUNT_ITSELF, Kind.CREDENTIAL] = {"root MFA device"}
    drift.clock.advance(minutes=5)
    drift.scan()
    assert len(drift.published(PolicyDriftResolved)) == 1

    drift.credentials.items[ACCOUNT_ITSELF, Kind.CREDENTIAL] = {"root access key"}
    drift.check(by_root(drift, "CreateAccessKey"))
    assert [event.why for event in drift.published(PolicyDriftDetected)] == ["opened", "reopened"]


def test_a_key_of_the_root_user_that_is_gone_at_the_check_was_there_for_a_while(drift):
    drift.check(by_root(drift, "CreateAccessKey"))

    (detected,) = drift.published(PolicyDriftDetected)
    assert (detected.kind, detected.severity) == ("TRANSIENT", "CRITICAL")


def test_a_key_that_the_root_user_makes_for_a_user_is_a_finding_of_the_user(drift):
    drift.credentials.items[EntityId("user/ann"), Kind.CREDENTIAL] = {"access key AKIAEXAMPLE"}
    drift.check(by_root(drift, "CreateAccessKey", userName="ann"))

    assert [event.finding_id for event in drift.published(PolicyDriftDetected)] == ["credential:user:ann"]
