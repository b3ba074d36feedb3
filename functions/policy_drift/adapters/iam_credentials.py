"""What users, roles and the account have beside policies, on IAM; secrets are never returned by these calls."""

import csv
import hashlib
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from policy_drift.domain.account import EntityId, EntityKind
from policy_drift.domain.finding import Kind
from steward.aws.errors import translated, unless
from steward.clock import Clock, SystemClock
from steward.errors import UpstreamError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_GONE = "NoSuchEntity"
_ACTIVE = "Active"


class IamCredentials:
    """The account of the client's credentials."""

    def __init__(self, client: "IAMClient", clock: Clock | None = None) -> None:
        self._iam = client
        self._clock = clock or SystemClock()

    def present(self, entity: EntityId, kind: Kind, items: Collection[str]) -> frozenset[str]:
        """The items of the same sorts as ``items`` that are in force now; empty where the entity does not exist.

        Raises UpstreamError.
        """
        read: Mapping[Kind, Callable[[], Iterator[str]]] = {
            Kind.CREDENTIAL: lambda: (
                self._root_credentials() if entity.kind is EntityKind.ACCOUNT else self._credentials(entity.name, items)
            ),
            Kind.PROVIDER: self._providers,
            Kind.FEDERATION: lambda: self._federation(items),
            Kind.PROFILE: lambda: self._profiles(entity.name),
            Kind.TAG: lambda: self._tags(entity),
        }
        with translated(), unless(_GONE):
            return frozenset(read[kind]())
        return frozenset()

    def unused_keys(self, since: datetime) -> Mapping[EntityId, tuple[str, ...]]:
        """Read from IAM's credential report: two calls for an account of any size, some more while IAM makes it.

        The report is at most four hours old, and names no key ids.
        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
        """
        try:
            rows = csv.DictReader(io.StringIO(self._credential_report().decode("utf-8")))
            if "user" not in (rows.fieldnames or ()):
                raise ValueError("it has no column user")  # noqa: TRY301 - as what else makes no sense
            found = {row["user"]: tuple(_unused(row, since)) for row in rows if not row["user"].startswith("<")}
        except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
            raise UpstreamError(f"IAM's credential report cannot be parsed: {error!r}") from error
        return {EntityId(f"{EntityKind.USER}/{name}"): why for name, why in found.items() if why}

    def _credential_report(self) -> bytes:
        for _ in range(_LOOKS_AT_REPORT):
            with translated(), unless(*_NO_REPORT_YET):
                if self._iam.generate_credential_report().get("State") == "COMPLETE":
                    return self._iam.get_credential_report()["Content"]
            self._clock.pause(1.0)
        raise UpstreamError("IAM still makes the credential report: the next run reads it")

    def _root_credentials(self) -> Iterator[str]:
        summary = self._iam.get_account_summary()["SummaryMap"]
        if summary.get("AccountAccessKeysPresent"):
            yield "root access key"
        if summary.get("AccountSigningCertificatesPresent"):
            yield "root signing certificate"
        yield "root MFA device" if summary.get("AccountMFAEnabled") else "no root MFA device"

    def _credentials(self, user: str, items: Collection[str]) -> Iterator[str]:
        readers: Mapping[str, Callable[[str], Iterator[str]]] = {
            "access key": self._access_keys,
            "console password": self._password,
            "SSH key": self._ssh_keys,
            "service-specific credential": self._specific_credentials,
            "signing certificate": self._certificates,
            "MFA device": self._mfa_devices,
        }
        for sort, read in readers.items():
            if any(sort in item for item in items):
                yield from read(user)

    def _access_keys(self, user: str) -> Iterator[str]:
        keys = self._listed("list_access_keys", "AccessKeyMetadata", UserName=user)
        yield from (f"access key {key['AccessKeyId']}" for key in keys if key["Status"] == _ACTIVE)

    def _password(self, user: str) -> Iterator[str]:
        with unless(_GONE):
            self._iam.get_login_profile(UserName=user)
            yield "console password"

    def _ssh_keys(self, user: str) -> Iterator[str]:
        keys = self._listed("list_ssh_public_keys", "SSHPublicKeys", UserName=user)
        yield from (f"SSH key {key['SSHPublicKeyId']}" for key in keys if key["Status"] == _ACTIVE)

    def _specific_credentials(self, user: str) -> Iterator[str]:
        listed = self._iam.list_service_specific_credentials(UserName=user).get("ServiceSpecificCredentials", [])
        for credential in listed:
            if credential["Status"] == _ACTIVE:
                yield f"service-specific credential {credential['ServiceSpecificCredentialId']}"

    def _certificates(self, user: str) -> Iterator[str]:
        listed = self._listed("list_signing_certificates", "Certificates", UserName=user)
        yield from (f"signing certificate {one['CertificateId']}" for one in listed if one["Status"] == _ACTIVE)

    def _mfa_devices(self, user: str) -> Iterator[str]:
        devices = self._listed("list_mfa_devices", "MFADevices", UserName=user)
        yield from (f"MFA device {device['SerialNumber']}" for device in devices)
        if not devices:
            yield "no MFA device"

    def _providers(self) -> Iterator[str]:
        for listed in self._iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
            arn = listed["Arn"]
            provider = self._iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
            yield f"identity provider {arn}"
            yield from (f"identity provider {arn} audience {one}" for one in provider.get("ClientIDList", []))
            yield from (f"identity provider {arn} thumbprint {one}" for one in provider.get("ThumbprintList", []))
        for saml in self._iam.list_saml_providers()["SAMLProviderList"]:
            metadata = self._iam.get_saml_provider(SAMLProviderArn=saml["Arn"])["SAMLMetadataDocument"]
            digest = hashlib.sha256(metadata.encode()).hexdigest()[:16]
            yield f"identity provider {saml['Arn']}"
            yield f"identity provider {saml['Arn']} metadata {digest}"

    def _federation(self, items: Collection[str]) -> Iterator[str]:
        if not _FEATURES.keys().isdisjoint(items):
            with unless(*_NO_ORGANIZATION):
                enabled = self._iam.list_organizations_features().get("EnabledFeatures", [])
                yield from (item for item, feature in _FEATURES.items() if feature in enabled)
        if _OUTBOUND in items:
            with unless("FeatureDisabled"):
                if self._iam.get_outbound_web_identity_federation_info().get("JwtVendingEnabled"):
                    yield _OUTBOUND

    def _profiles(self, role: str) -> Iterator[str]:
        for profile in self._listed("list_instance_profiles_for_role", "InstanceProfiles", RoleName=role):
            yield f"instance profile {profile['InstanceProfileName']}"

    def _tags(self, entity: EntityId) -> Iterator[str]:
        if entity.kind is EntityKind.USER:
            tags = self._listed("list_user_tags", "Tags", UserName=entity.name)
        else:
            tags = self._listed("list_role_tags", "Tags", RoleName=entity.name)
        yield from (f"tag {tag['Key']}={tag['Value']}" for tag in tags)

    def _listed(self, operation: str, member: str, **arguments: Any) -> list[Any]:
        pages = self._iam.get_paginator(operation).paginate(**arguments)  # type: ignore[call-overload]
        return [item for page in pages for item in page[member]]


def _unused(row: Mapping[str, str], since: datetime) -> Iterator[str]:
    for slot in ("access_key_1", "access_key_2"):
        made, used = row[f"{slot}_last_rotated"], row[f"{slot}_last_used_date"]
        if row[f"{slot}_active"].lower() != "true" or made in _NO_TIME or _moment(made) >= since:
            continue
        if used == "N/A":
            yield f"an access key made on {_moment(made):%Y-%m-%d} was never used"
        elif used not in _NO_TIME and _moment(used) < since:
            yield f"an access key made on {_moment(made):%Y-%m-%d} was last used on {_moment(used):%Y-%m-%d}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_LOOKS_AT_REPORT = 15
_NO_TIME = frozenset({"N/A", "", "no_information", "not_supported"})
_NO_REPORT_YET = (
    *("ReportNotPresent", "ReportInProgress", "ReportExpired", "CredentialReportNotReadyException"),
    *("CredentialReportNotPresentException", "CredentialReportExpiredException"),
)
"""Codes of a report that is not there, not yet or not any more: those of the wire, and those of the service model."""
_FEATURES = {"root sessions": "RootSessions", "root credentials management": "RootCredentialsManagement"}
_OUTBOUND = "outbound web identity federation"
_NO_ORGANIZATION = {
    "AccountNotManagementOrDelegatedAdministrator",
    "AccountNotManagementOrDelegatedAdministratorException",
    "OrganizationNotFoundException",
    "OrganizationNotInAllFeaturesModeException",
    "ServiceAccessNotEnabledException",
}
"""Answers of accounts that cannot enable the organization's features: only its management account can.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOrganizationsFeatures.html"""
