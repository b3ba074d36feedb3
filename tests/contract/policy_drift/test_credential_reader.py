"""What users, roles and the account have beside policies, as IAM shows it."""

import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from policy_drift.adapters.iam_credentials import IamCredentials
from policy_drift.domain.account import EntityId
from policy_drift.domain.finding import Kind
from steward.aws.clients import client
from steward.errors import UpstreamError
from tests.contract.conftest import ACCOUNT
from tests.doubles.drift_under_test import TRUST
from tests.doubles.frozen_clock import FrozenClock

ANN, APP, ALL = EntityId("user/ann"), EntityId("role/app"), EntityId(f"account/{ACCOUNT}")
METADATA = "<EntityDescriptor>" + "x" * 1000 + "</EntityDescriptor>"


@pytest.fixture
def iam(moto):
    iam = boto3.client("iam")
    iam.create_user(UserName="ann", Tags=[{"Key": "team", "Value": "a"}])
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(TRUST))
    return iam


@pytest.fixture
def present(iam):
    return lambda entity, kind, *items: IamCredentials(client("iam")).present(entity, kind, items)


def test_active_access_keys_are_present(iam, present):
    active, inactive = (iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"] for _ in range(2))
    iam.update_access_key(UserName="ann", AccessKeyId=inactive, Status="Inactive")

    assert present(ANN, Kind.CREDENTIAL, "access key") == {f"access key {active}"}


def test_a_password_is_present_until_it_is_deleted(iam, present):
    assert present(ANN, Kind.CREDENTIAL, "console password") == frozenset()
    iam.create_login_profile(UserName="ann", Password="Correct-horse-1")

    assert present(ANN, Kind.CREDENTIAL, "console password") == {"console password"}


def test_a_user_without_mfa_device_shows_that(iam, present):
    assert present(ANN, Kind.CREDENTIAL, "no MFA device") == {"no MFA device"}
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="ann")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="ann", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )

    assert present(ANN, Kind.CREDENTIAL, "no MFA device") == {f"MFA device {serial}"}


def test_providers_are_present_with_audiences_thumbprints_and_metadata(iam, present):
    oidc = iam.create_open_id_connect_provider(
        Url="https://token.example.com", ClientIDList=["aud"], ThumbprintList=["a" * 40]
    )["OpenIDConnectProviderArn"]
    saml = iam.create_saml_provider(Name="corp", SAMLMetadataDocument=METADATA)["SAMLProviderArn"]
    items = present(ALL, Kind.PROVIDER, "identity provider")

    assert {
        f"identity provider {oidc}",
        f"identity provider {oidc} audience aud",
        f"identity provider {oidc} thumbprint {'a' * 40}",
        f"identity provider {saml}",
    } < items
    before = {item for item in items if " metadata " in item}
    iam.update_saml_provider(SAMLProviderArn=saml, SAMLMetadataDocument=METADATA.replace("x", "y"))
    assert before.isdisjoint(present(ALL, Kind.PROVIDER, "identity provider"))


def test_instance_profiles_of_a_role_are_present(iam, present):
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="app")

    assert present(APP, Kind.PROFILE, "instance profile web") == {"instance profile web"}


def test_tags_of_users_and_roles_are_present(iam, present):
    iam.tag_role(RoleName="app", Tags=[{"Key": "team", "Value": "b=c"}])

    assert present(ANN, Kind.TAG, "tag team=a") == {"tag team=a"}
    assert present(APP, Kind.TAG, "tag team=a") == {"tag team=b=c"}


@pytest.mark.parametrize("kind", [Kind.CREDENTIAL, Kind.TAG])
def test_a_user_that_does_not_exist_has_nothing(present, kind):
    assert present(EntityId("user/none"), kind, "access key") == frozenset()


def test_only_what_is_asked_for_is_read(iam, present):
    """A role that may not read one sort of credential still confirms the others."""
    iam.create_login_profile(UserName="ann", Password="Correct-horse-1")
    iam.create_access_key(UserName="ann")

    assert present(ANN, Kind.CREDENTIAL, "console password") == {"console password"}


def test_a_failure_is_an_error_and_not_an_absence(moto, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(UpstreamError):
        IamCredentials(client("iam")).present(ANN, Kind.TAG, ["tag a=b"])


SLOTS = ",".join(
    f"access_key_{slot}_{what}" for slot in (1, 2) for what in ("active", "last_rotated", "last_used_date")
)
REPORT = f"user,arn,{SLOTS}"
OLD, NEW, LIMIT = "2023-01-01T00:00:00+00:00", "2026-05-01T00:00:00+00:00", datetime(2026, 2, 1, tzinfo=UTC)
INACTIVE = "false,N/A,N/A"
ROWS = {
    "never used": (f"true,{OLD},N/A,{INACTIVE}", "an access key made on 2023-01-01 was never used"),
    "not used for long": (
        f"{INACTIVE},true,{OLD},2024-01-01T00:00:00+00:00",
        "an access key made on 2023-01-01 was last used on 2024-01-01",
    ),
    "used lately": (f"true,{OLD},{NEW},{INACTIVE}", None),
    "new": (f"true,{NEW},N/A,{INACTIVE}", None),
    "inactive": (f"false,{OLD},N/A,{INACTIVE}", None),
    "use not known": (f"true,{OLD},no_information,{INACTIVE}", None),
    "age not known": (f"true,N/A,N/A,{INACTIVE}", None),
}


def unused_by(text):
    """The unused keys by IAM's report of this text."""
    iam = client("iam")
    with Stubber(iam) as stub:
        stub.add_response("generate_credential_report", {"State": "STARTED"})
        stub.add_response("generate_credential_report", {"State": "COMPLETE"})
        stub.add_response("get_credential_report", {"Content": text.encode()})
        return IamCredentials(iam, FrozenClock()).unused_keys(LIMIT)


@pytest.mark.parametrize(("row", "why"), ROWS.values(), ids=ROWS)
def test_a_key_is_unused_if_it_is_active_old_and_known_to_be_unused(moto, row, why):
    root = f"<root_account>,arn:aws:iam::{ACCOUNT}:root,true,{OLD},N/A,{INACTIVE}"
    lines = (REPORT, root, f"ann,arn:aws:iam::{ACCOUNT}:user/ann,{row}")

    assert unused_by("\n".join(lines)) == ({ANN: (why,)} if why else {})


@pytest.mark.parametrize("text", ["", "user,arn\nann,x", f"{REPORT}\nann,x,true,soon,N/A,{INACTIVE}"])
def test_a_credential_report_that_makes_no_sense_is_an_error(moto, text):
    with pytest.raises(UpstreamError, match="cannot be parsed"):
        unused_by(text)


def test_the_credential_report_of_iam_is_read(iam):
    iam.create_access_key(UserName="ann")

    assert IamCredentials(client("iam"), FrozenClock()).unused_keys(LIMIT) == {}


@pytest.mark.parametrize(
    ("summary", "items"),
    [
        ({"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0}, {"root MFA device"}),
        ({"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 1}, {"no root MFA device", "root access key"}),
        (
            {"AccountMFAEnabled": 1, "AccountSigningCertificatesPresent": 1},
            {"root MFA device", "root signing certificate"},
        ),
    ],
)
def test_credentials_of_the_root_user_are_in_the_summary_of_the_account(moto, summary, items):
    iam = client("iam")
    with Stubber(iam) as stub:
        stub.add_response("get_account_summary", {"SummaryMap": summary})

        assert IamCredentials(iam).present(ALL, Kind.CREDENTIAL, ["root access key"]) == items
